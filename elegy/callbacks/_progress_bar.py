"""Showing how far training, evaluation and prediction have come."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._logs import LazyLogs
from ._bar_text import bar_line, duration_text, log_text, step_text
from ._callback import Callback
from ._screen import Screen, fill_character

# Twenty redraws a second look smooth; more only cost time.
_SECONDS_BETWEEN_REDRAWS = 0.05


def resolve_verbose(verbose: Any) -> int:
    """The number behind a `verbose=` argument.

    Args:
        verbose: 0 is silent, 1 shows a bar, 2 one line an epoch; True is 1, False is 0; "auto" is 1 on a terminal, else 2.

    Returns:
        0, 1 or 2.

    Raises:
        ValueError: it is something else.

    Example:
        >>> resolve_verbose(True), resolve_verbose(2)
        (1, 2)
    """
    if isinstance(verbose, str) and verbose == "auto":
        return 1 if sys.stdout is not None and sys.stdout.isatty() else 2
    if isinstance(verbose, (bool, int, np.integer)) and int(verbose) in (0, 1, 2):
        return int(verbose)
    raise ValueError(
        f'`verbose={verbose!r}` was given. It is "auto", 0 (silent), 1 (a bar) or 2 (one line an epoch). Use one of these.'
    )


class ProgressBar(Callback):
    """Shows steps, time and logs; `fit`, `evaluate` and `predict` add one by themselves.

    On a terminal the bar of `verbose=1` is redrawn in place, at most 20 times a second, with the newest values that have
    arrived: it never waits for the device. Elsewhere it writes each epoch's last line only. The time of a step leaves out
    the first one, which compiles, and validation.

    Args:
        verbose: 1 shows a bar, 2 one line an epoch, 0 nothing; "auto" is 1 on a terminal, else 2.

    Raises:
        ValueError: `verbose` is something else.

    Example:
        >>> bar = ProgressBar(2)
        >>> bar.set_params({"epochs": 3, "steps": 4})
        >>> bar.on_train_begin()
        >>> bar.on_epoch_begin(0)
        >>> bar.on_launch_end(4, LazyLogs)
        >>> bar.on_epoch_end(0, {"loss": 0.5})
        Epoch 1/3 - 4/4 - 0s - ...s/step - loss: 0.5000
    """

    def __init__(self, verbose: int | str = "auto") -> None:
        self.verbose = resolve_verbose(verbose)
        self._screen = Screen()
        self._training = False
        self._known: int | None = None
        self._start(None)

    def on_train_begin(self, logs: Any = None) -> None:
        """Tests from now on are validation, and share the epoch's line."""
        del logs
        self._training, self._known = True, None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin a line."""
        del logs
        title = f"Epoch {epoch + 1}/{self.params.get('epochs', '?')}"
        if self.verbose == 1:
            print(title, flush=True)
        self._start(self.params.get("steps") or self._known, title)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the line, with the epoch's logs."""
        del epoch
        if self.params.get("steps") is None:  # the next epoch is probably as long as this one
            self._known = self._target = self._done
        self._finish(logs or {})

    def on_train_end(self, logs: Any = None) -> None:
        """Tests from now on have lines of their own."""
        del logs
        self._training = False

    def on_test_begin(self, logs: Any = None) -> None:
        """Begin a line, unless this is the validation of an epoch."""
        del logs
        if self._training:
            self._steps_ended = self._steps_ended or time.perf_counter()
        else:
            self._start(self.params.get("steps"))

    def on_test_end(self, logs: Any = None) -> None:
        """Keep the line, with the evaluation's logs."""
        if not self._training:
            self._finish(logs or {})

    def on_predict_begin(self, logs: Any = None) -> None:
        """Begin a line."""
        del logs
        self._start(self.params.get("steps"))

    def on_predict_end(self, logs: Any = None) -> None:
        """Keep the line."""
        self._finish(logs or {})

    def on_exception(self, exception: BaseException) -> None:
        """Keep how far it came, so that what is printed next begins on a line of its own."""
        del exception
        if self._screen.close():
            self._screen.keep(self._line(self._shown))
        self._training = False

    def on_launch_end(self, steps_done: int, running_logs: Callable[[], LazyLogs]) -> None:
        """Redraw if it is time to.

        Args:
            steps_done: steps of this epoch or prediction so far.
            running_logs: makes the running values; called only for a redraw.
        """
        self._done = steps_done
        now = time.perf_counter()
        if self._first_ended is None:
            self._first_ended, self._first_done = now, steps_done
        if self.verbose != 1 or now - self._drawn < _SECONDS_BETWEEN_REDRAWS:
            return
        self._drawn = now
        self._take_arrived(running_logs)
        self._screen.show(self._line(self._shown))

    def on_test_launch_end(self, steps_done: int) -> None:
        """Redraw if it is time to, unless this is the validation of an epoch.

        Args:
            steps_done: steps of this evaluation so far.
        """
        if not self._training:
            self.on_launch_end(steps_done, LazyLogs)

    def _start(self, target: int | None, title: str = "") -> None:
        self._title = title
        self._target = target
        self._done = 0
        self._began = time.perf_counter()
        self._drawn = float("-inf")
        self._first_ended: float | None = None
        self._first_done = 0
        self._steps_ended: float | None = None
        self._shown: Mapping[str, float] = {}
        self._pending: LazyLogs | None = None

    def _take_arrived(self, running_logs: Callable[[], LazyLogs]) -> None:
        """Show the values asked for at an earlier redraw once they are here, and ask for newer ones."""
        if self._pending is not None and self._pending.ready():
            self._shown, self._pending = dict(self._pending), None
        if self._pending is None:
            self._pending = running_logs()

    def _finish(self, logs: Mapping[str, float]) -> None:
        if not self.verbose:
            return
        values = dict(logs)  # waits for the device, so that the times below are true
        self._steps_ended = self._steps_ended or time.perf_counter()
        self._target = self._target or self._done
        if self.verbose == 1:
            self._screen.keep(self._line(values, ended=True))
            return
        elapsed = duration_text(time.perf_counter() - self._began)
        head = [self._title] if self._title else []
        head += [f"{self._done}/{self._target}", elapsed, step_text(self._seconds_a_step(self._steps_ended))]
        print(" - ".join(head) + log_text(values), flush=True)

    def _line(self, logs: Mapping[str, float], *, ended: bool = False) -> tuple[str, ...]:
        """The line of now: the time that is left while the end is known and ahead, else the time that went by."""
        now = time.perf_counter()
        step = self._seconds_a_step(self._steps_ended or now)
        left = (self._target or 0) - self._done
        seconds = left * step if not ended and left > 0 else now - self._began
        text = f"{duration_text(seconds)} {step_text(step)}"
        return bar_line(self._done, self._target, text, logs, fill=fill_character())

    def _seconds_a_step(self, until: float) -> float:
        if self._first_ended is None or self._done <= self._first_done:
            return (until - self._began) / max(self._done, 1)
        return (until - self._first_ended) / (self._done - self._first_done)
