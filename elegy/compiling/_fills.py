"""Programs that only fill arrays with numbers, which needs no compiler."""

import math
from typing import Any

import jax
import numpy as np

_MOST_BYTES = 64 << 20  # more than that is sent to an accelerator for longer than a compilation takes


def filled(traced: Any) -> Any:
    """The outputs of a traced program that does nothing but fill arrays with constants; None of any other program.

    Args:
        traced: what `jax.jit(f).trace(...)` returned.

    Returns:
        The outputs as NumPy arrays in the tree that `f` returns, or None.

    Example:
        >>> import jax.numpy as jnp
        >>> filled(jax.jit(lambda x: {"slots": jnp.zeros_like(x)}).trace(np.ones(2, np.float32)))["slots"].tolist()
        [0.0, 0.0]
        >>> filled(jax.jit(lambda x: x + 1).trace(np.ones(2, np.float32)))
    """
    program = traced.jaxpr.jaxpr
    values: dict[Any, np.ndarray] = {}
    size = sum(math.prod(var.aval.shape) * var.aval.dtype.itemsize for var in program.outvars)
    if size > _MOST_BYTES or program.effects:
        return None
    for equation in program.eqns:  # what is computed and not used, as `optax.inject_hyperparams` does, is left out
        (source, *more), target = equation.invars or [None], equation.outvars[0]
        if equation.primitive.name == "broadcast_in_dim" and not more and np.shape(getattr(source, "val", [0])) == ():
            values[target] = np.full(target.aval.shape, source.val, target.aval.dtype)
    outputs = [
        np.asarray(var.val, var.aval.dtype) if hasattr(var, "val") else values.get(var) for var in program.outvars
    ]
    if any(output is None for output in outputs):
        return None
    return jax.tree.unflatten(jax.tree.structure(traced.out_info), outputs)
