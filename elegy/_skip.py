"""`fit(nonfinite="skip")`: a step whose loss or gradients are not finite changes nothing, and is counted."""

import contextlib
import contextvars
import dataclasses
import functools
import math
from collections.abc import Iterator, MutableMapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import get_opaque_trace_state

from ._logs import SKIPPED_STEPS, Logs, Ratio, Totals
from ._state import RunState


@dataclasses.dataclass(frozen=True)
class _Noted:
    """Whether gradients were finite, one flag for each set of them.

    Attributes:
        flags: bool scalars, filled while the step runs.
        trace: the JAX trace that the step runs in.
    """

    flags: list[Any]
    trace: Any


_noted: contextvars.ContextVar[_Noted | None] = contextvars.ContextVar("noted", default=None)


@contextlib.contextmanager
def noting_gradients() -> Iterator[list[Any]]:
    """While the block runs, note of all gradients that reach the optimizer whether they are finite.

    Yields:
        The flags, once the step has run.
    """
    noted = _Noted([], get_opaque_trace_state())
    token = _noted.set(noted)
    try:
        yield noted.flags
    finally:
        _noted.reset(token)


def note_gradients(gradients: Any) -> None:
    """Note whether gradients are finite, if somebody wants to know.

    Raises:
        ValueError: a transformation is in between, out of which the answer could not be taken.
    """
    noted = _noted.get()
    if noted is None:
        return
    if get_opaque_trace_state() != noted.trace:
        raise ValueError(
            '`fit(nonfinite="skip")` was asked for. `apply_gradients` was called inside a JAX transformation like '
            "`jax.lax.scan`, out of which nobody can tell whether the gradients were finite. Call it outside, or give "
            'another `nonfinite=`, like "stop".'
        )
    noted.flags.append(_all_finite(gradients))


def skipped_or_not(before: RunState, after: RunState, logs: Logs, flags: list[Any]) -> tuple[RunState, Logs, Any]:
    """The state before the step if that was not finite, else the one after it.

    Args:
        before: the state before the step.
        after: what the step made of it.
        logs: of the step.
        flags: whether the gradients were finite.

    Returns:
        The state, the logs with `skipped_steps`, and whether the step is skipped, a bool scalar.

    Raises:
        ValueError: nothing tells whether the step was finite, or it has a log of that name.
    """
    if SKIPPED_STEPS in logs:
        raise ValueError(
            f'`fit(nonfinite="skip")` was asked for. The step has a log `{SKIPPED_STEPS}` of its own, which is how the '
            "number of skipped steps is called. Give it another name."
        )
    loss = logs.get("loss")
    if not flags and not isinstance(loss, Ratio):
        raise ValueError(
            '`fit(nonfinite="skip")` was asked for. `train_step` neither calls `apply_gradients` nor logs `loss`, so '
            "nothing tells whether a step is finite. Do one of these, or give another `nonfinite=`."
        )
    finite = functools.reduce(jnp.logical_and, flags, jnp.bool_(True))
    if isinstance(loss, Ratio):
        finite &= jnp.isfinite(loss.value)

    def chosen(new: Any, old: Any) -> Any:
        return new if new is old else jnp.where(finite, new, old)

    state = jax.tree.map(chosen, after, before)
    return state, Logs({**logs, SKIPPED_STEPS: Ratio(jnp.where(finite, 0.0, 1.0))}), ~finite


def mark_empty(logs: MutableMapping[str, Any], steps: int, totals: Totals) -> None:
    """Let the losses of an epoch whose every step was skipped be NaN: nothing was added up, and 0 would look good.

    Args:
        logs: of the epoch.
        steps: how many it had.
        totals: sums for logs like these.
    """
    if steps and logs[SKIPPED_STEPS] == steps:
        averaged = (name for name, shape in totals.layout if shape is not None and name != SKIPPED_STEPS)
        logs.update(dict.fromkeys(averaged, math.nan))


def _all_finite(gradients: Any) -> Any:
    leaves = [leaf for leaf in jax.tree.leaves(gradients) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return functools.reduce(jnp.logical_and, (jnp.all(jnp.isfinite(leaf)) for leaf in leaves), jnp.bool_(True))
