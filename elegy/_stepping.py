"""What programs are made of: the steps of a model, whichever of them a subclass overrides."""

from collections.abc import Mapping
from typing import Any, Protocol

from ._state import RunState

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


def step_name(training: bool) -> str:
    """How errors call a step."""
    return "`train_step`" if training else "`test_step`"
