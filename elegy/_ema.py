"""`Model(ema=...)`: running averages of the parameters, which validation, `evaluate` and `predict` use."""

import dataclasses
import math
from collections.abc import Collection, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from ._optimizer import is_masked
from ._paths import flatten, matches_any, unflatten
from ._state import RunState


def require_decay(decay: Any) -> float | None:
    """The decay as a float, or None.

    Raises:
        ValueError: it is no number between 0 and 1.
    """
    if decay is None:
        return None
    if isinstance(decay, bool) or not isinstance(decay, (int, float)) or not 0 < decay < 1:
        raise ValueError(
            f"`Model(ema={decay!r})` was given. It is how much of the average each update keeps, a number between 0 "
            "and 1. Write 0.999, or leave it out."
        )
    return float(decay)


def first_averages(parameters: Any) -> dict[str, Any]:
    """What averages begin with: the parameters, in float32 at least, and how often each was updated: never."""
    flat = flatten(parameters)
    return {
        "parameters": unflatten({path: _wide(leaf) for path, leaf in flat.items()}),
        "updates": jnp.zeros(len(flat), jnp.int32),
    }


def averaged(
    ema: Mapping[str, Any], decay: float, parameters: Any, moves: Mapping[str, Any], frozen: tuple[str, ...]
) -> dict[str, Any]:
    """The averages after an update of the optimizer.

    The average after update t is `sum_i decay**(t - i) p_i / sum_i decay**(t - i)`: the first values, with which
    nothing was learned, have no part in it (zero-debiased). It is kept up to date as
    `a_t = a_(t-1) + (1 - decay) / (1 - decay**t) * (p_t - a_(t-1))`. A frozen parameter is its own average.

    Args:
        ema: the averages before.
        decay: how much of the average an update keeps.
        parameters: after the update.
        moves: the updates by path, `optax.MaskedNode()` for what did not take part.
        frozen: patterns of parameters that do not learn.

    Reference:
        Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control Optim. 30, 1992;
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, section 3, for the debiasing.
    """
    flat, before = flatten(parameters), flatten(ema["parameters"])
    rests = np.array([matches_any(frozen, path) for path in flat], bool)
    moved = np.array([not is_masked(moves[path]) for path in flat], bool)
    updates = jnp.where(rests, 0, ema["updates"] + moved)
    shares = jnp.expm1(jnp.float32(math.log(decay))) / jnp.expm1(jnp.maximum(updates, 1) * math.log(decay))
    after: dict[str, Any] = {}
    for number, (path, leaf) in enumerate(flat.items()):
        if rests[number] or not jnp.issubdtype(leaf.dtype, jnp.inexact):
            after[path] = _wide(leaf)
        elif moved[number]:
            after[path] = before[path] + shares[number] * (leaf.astype(before[path].dtype) - before[path])
        else:
            after[path] = before[path]
    return {"parameters": unflatten(after), "updates": updates}


def restarted(ema: Any, parameters: Any, paths: Collection[str]) -> Any:
    """The averages after some parameters were given other values, with which their averages begin anew.

    Args:
        ema: the averages before; None if the model has none.
        parameters: with the new values.
        paths: which they are.
    """
    if ema is None:
        return None
    flat, before = flatten(parameters), flatten(ema["parameters"])
    kept = {path: _wide(leaf) if path in paths else before[path] for path, leaf in flat.items()}
    updates = np.where([path in paths for path in flat], 0, np.asarray(ema["updates"]))
    return {"parameters": unflatten(kept), "updates": jnp.asarray(updates, jnp.int32)}


def ema_parameters(state: RunState) -> Any:
    """The averages as parameters of the module, in its dtypes; None if the model has none."""
    if state.ema is None:
        return None
    averages = flatten(state.ema["parameters"])
    return unflatten({path: averages[path].astype(leaf.dtype) for path, leaf in flatten(state.parameters).items()})


def evaluated(state: RunState, ema: bool | None = None) -> RunState:
    """The state as evaluations and predictions see it: with the averages in the parameters' place.

    Args:
        state: the run's state.
        ema: whether the averages are used; None uses them if there are any.

    Raises:
        ValueError: they are asked for, and there are none.
    """
    if ema and state.ema is None:
        raise ValueError(
            "`ema=True` was asked for. The model keeps no averages of its parameters. Make it with "
            "`Model(..., ema=0.999)`, or leave it out."
        )
    if state.ema is None:
        return state
    return dataclasses.replace(state, parameters=state.parameters if ema is False else ema_parameters(state), ema=None)


def require_updated(before: RunState, after: RunState) -> None:
    """Raise if a training step left the averages as they were.

    Raises:
        ValueError: it did.
    """
    if before.ema is not None and before.ema is after.ema:
        raise ValueError(
            "`Model(ema=...)` was given. `train_step` does not call `apply_gradients`, which keeps the averages of the "
            "parameters. Call it there, or leave `ema=` out."
        )


def _wide(leaf: Any) -> Any:
    """A copy that a step may consume beside the parameter itself; in float32 what has fewer bits."""
    floating = jnp.issubdtype(leaf.dtype, jnp.inexact)
    return jnp.array(leaf, jnp.promote_types(leaf.dtype, jnp.float32) if floating else leaf.dtype, copy=True)
