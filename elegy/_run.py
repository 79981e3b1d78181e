"""One fit while it runs: the only owner of the arrays, and what callbacks may see of it."""

import contextlib
import dataclasses
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from ._errors import did_you_mean, listing
from ._flat import FlatState, whole
from ._logs import LazyLogs
from ._state import RunState, is_lost, own_copy
from ._told import PassState

_NONFINITE = ("warn", "raise", "stop", "skip")


class Run:
    """The state of a running fit. Callbacks see it as `run`, read-only.

    Args:
        model: the model that is trained.
        state: where the fit starts; it is copied, never donated.
        live_owners: by path the user's object and attribute of each live number.
    """

    def __init__(self, model: Any, state: RunState, live_owners: Mapping[str, tuple[Any, str]]) -> None:
        self._model = model
        self._kept = state
        self._state: RunState | FlatState = dataclasses.replace(own_copy(state), nonfinite=jax.device_put(np.int32(-1)))
        self._owners = live_owners
        self._seen: dict[str, Any] = {}
        self._epoch = int(state.epoch)
        self._step = int(state.step)
        self.logs = LazyLogs()
        """The newest logs of the epoch."""
        self.stop_reason: str | None = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    @property
    def epoch(self) -> int:
        """The epoch that runs, from 0."""
        return self._epoch

    @property
    def step(self) -> int:
        """The training steps done, over all fits of the model."""
        return self._step

    @property
    def state(self) -> RunState:
        """A copy of the run's state after the last launch, for which reading waits; the loop never touches it."""
        self._kept = own_copy(self.finish())
        return self._kept

    def launch(self, program: Callable[..., Any], *args: Any, steps: int = 1) -> tuple[Any, ...]:
        """Run one training launch on the private state.

        Args:
            program: takes the state and `args`, and returns the new state first.
            *args: where its batches are.
            steps: how many steps it runs.

        Returns:
            What else the program made.
        """
        self._take_live_numbers()
        self._state, *made = program(self._state, *args)  # flat after a single step, till somebody looks
        self._step += steps
        return tuple(made)

    def private(self) -> RunState:
        """The state itself, for programs that do not donate it."""
        self._state = whole(self._state)
        return self._state

    def replace(self, **changes: Any) -> None:
        """Set fields of the state; the arrays given are copied."""
        self._state = dataclasses.replace(self.private(), **own_copy(changes))

    def set_state(self, state: RunState) -> None:
        """Go on from another state."""
        self._state = own_copy(state)
        self._step = int(state.step)

    def begin_epoch(self, epoch: int, empty: PassState) -> None:
        """Count the epoch, and start its metrics and sums anew."""
        self._epoch = epoch
        self.replace(epoch=np.int32(epoch), metrics=empty.metrics, sums=empty.sums, count=empty.count)

    def finish(self) -> RunState:
        """What the fit hands back: the last finished launch, or the newest copy that was kept if that one failed."""
        return self._kept if is_lost(self.private()) else self.private()

    def _take_live_numbers(self) -> None:
        """The numbers on the user's objects that changed since they were last read go into the state."""
        for path, (owner, name) in self._owners.items():
            value = getattr(owner, name)
            if path not in self._seen or value != self._seen[path]:
                self._seen[path] = value
                state = self.private()
                live = {**state.live, path: jax.device_put(np.float32(value))}
                self._state = dataclasses.replace(state, live=live)


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a flag that the loop reads between launches; the second one raises.

    Outside the main thread signals cannot be caught, and nothing changes.

    Yields:
        A function that tells whether Ctrl-C was pressed.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return

    before = signal.getsignal(signal.SIGINT)

    def on_signal(number: int, frame: Any) -> None:
        if pressed.is_set():
            signal.signal(signal.SIGINT, before)
            raise KeyboardInterrupt
        pressed.set()

    signal.signal(signal.SIGINT, on_signal)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


class NonfiniteWatch:
    """What happens when a loss becomes NaN or infinite; looked at when numbers are there anyway.

    Args:
        mode: "warn" warns once, naming the step; "raise" ends the fit with an error, "stop" without one; "skip" leaves
            such steps out, so there is nothing to do.
    """

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._seen = mode == "skip"
        self._last: Any = None

    def launched(self, first: Any) -> str | None:
        """Look at the launch before: that one is done, since launches in flight are bounded.

        Args:
            first: of this launch the first step of the fit that was not finite, or -1; it may still be computed.

        Returns:
            Why the fit ends now, or None.
        """
        last, self._last = self._last, first
        return None if last is None or self._mode == "warn" else self.look(last)

    def look(self, first: Any) -> str | None:
        """Fetch the first non-finite step, and warn, raise, or tell why the fit ends.

        Raises:
            FloatingPointError: the mode is "raise" and there is such a step.
        """
        if self._seen or (step := int(jax.device_get(first))) < 0:
            return None
        self._seen = True
        what = f"The loss became NaN or infinite at step {step}."
        if self._mode == "raise":
            raise FloatingPointError(
                f'{what} `fit(nonfinite="raise")` ends there. '
                "Lower the learning rate, clip the gradients, or look at the data of that step."
            )
        if self._mode == "stop":
            return what
        warnings.warn(
            f"{what} The fit goes on. Lower the learning rate, clip the gradients, end such fits with "
            '`nonfinite="raise"` or "stop", or leave such steps out with "skip".',
            stacklevel=2,
        )
        return None


def require_nonfinite(mode: str) -> None:
    """Raise unless `fit(nonfinite=mode)` means something.

    Raises:
        ValueError: it does not.
    """
    if mode not in _NONFINITE:
        raise ValueError(
            f"`nonfinite={mode!r}` was given. It is one of: {listing(_NONFINITE)}. Use one of these."
            + did_you_mean(str(mode), _NONFINITE)
        )
