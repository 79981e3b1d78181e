"""What programs are made of: the steps of a model, whichever of them a subclass overrides."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from ._ema import require_updated
from ._fields import Fields, moved
from ._in_step import InStep, hook_logs
from ._logs import Logs
from ._optimizer import learning_rates
from ._skip import noting_gradients, skipped_or_not
from ._state import RunState, as_logs
from ._tap import offered, picking_up
from ._told import Told

Batch = Mapping[str, Any]


class Stepping(Protocol):
    """The steps that programs are made of; a `Model`, or a subclass that overrides some."""

    def train_step(self, state: RunState, batch: Batch) -> tuple[RunState, Mapping[str, Any]]:
        """One training step."""
        ...

    def test_step(self, state: RunState, batch: Batch) -> tuple[RunState, Mapping[str, Any]]:
        """One evaluation step."""
        ...

    def pred_step(self, state: RunState, batch: Batch) -> Any:
        """One prediction step."""
        ...


def checked_step(
    step: Callable[[RunState, Batch], Any],
    training: bool,
    names: tuple[str, ...],
    *,
    skips: bool,
    hooks: tuple[InStep, ...],
    shown: Iterable[str],
    resting: bool = False,
) -> Callable[[RunState, Batch], tuple[Fields, Fields, Told]]:
    """A model's step with all that is done around it, in parts of the state: those that move, and others that changed.

    Args:
        step: of the model.
        training: which of the steps it is.
        names: what callbacks ask for.
        skips: whether it is left out if it is not finite.
        hooks: functions that run inside.
        shown: names of logs that the step itself does not hand out.
        resting: whether of the hooks only those run that always do.

    Returns:
        `(state, batch) -> (moving, changed, told)`; it raises a TypeError if the step returns something else than a
        state and logs.
    """
    name = "`train_step`" if training else "`test_step`"
    picked = tuple(dict.fromkeys((*names, *(name for hook in hooks for name in hook.names))))

    def checked(state: RunState, batch: Batch) -> tuple[Fields, Fields, Told]:
        with picking_up(picked) as offers, noting_gradients() if skips else contextlib.nullcontext([]) as flags:
            made = step(state, batch)
        if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], RunState)):
            raise TypeError(
                f"{name} returned {type(made).__name__}. A step returns a pair `(state, logs)` whose first part "
                "is an `elegy.RunState`. Return `self.apply_gradients(...)` and a dict of logs."
            )
        if training:
            require_updated(state, made[0])
        after, logs, skipped, offer = made[0], as_logs(made[1], batch, name), None, offered(offers)
        if skips:
            after, logs, skipped = skipped_or_not(state, after, logs, flags)
        if hooks:
            taken = (*logs, *shown, *learning_rates(state.optimizer or {}))
            logs = Logs({**logs, **hook_logs(hooks, offer, state, taken=taken, resting=resting)})
        return *moved(state, after), Told(logs, {name: offer[name] for name in names if name in offer}, skipped)

    return checked
