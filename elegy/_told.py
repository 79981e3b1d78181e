"""What programs hand on and tell: the part of a state that a pass begins anew, and what a step says."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ._logs import Logs


class PassState(NamedTuple):
    """The part of a `RunState` that begins anew with each pass.

    Attributes:
        metrics: by metric its state.
        sums: the exact sums of the logs.
        count: int32 scalar, the batches of the pass.
    """

    metrics: dict[str, Any]
    sums: Any
    count: Any


class Told(NamedTuple):
    """What a step tells besides its state.

    Attributes:
        logs: each loss of this step, the running value of each metric.
        asked: by name what callbacks asked for, in arrays of their own.
        skipped: bool scalar, whether the step was left out; None if none is.
    """

    logs: Logs
    asked: dict[str, Any]
    skipped: Any = None


def kept(told: Any) -> Any:
    """Logs in arrays of their own: a value that is also a part of the state would go with the next step's donation."""
    return jax.tree.map(jnp.copy, told)
