"""What every loss does with `y_true` and `y_pred` before it computes: arrays of one shape, in float32 at least."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._errors import listing
from .._labels import require_same_shape


def paired(who: str, y_true: Any, y_pred: Any) -> tuple[jax.Array, jax.Array]:
    """Labels and outputs of one shape, both as floats of one dtype.

    Integers, booleans and lower precisions become float32, so that no loss is summed or clipped in half precision;
    with a float64 among them both are float64.

    Args:
        who: how errors call the loss.
        y_true: targets, an array or nested lists of numbers.
        y_pred: predictions, likewise.

    Raises:
        ValueError: one of them is no array, or the shapes differ.

    Example:
        >>> [a.dtype.name for a in paired("loss `f`", np.array([1, 0]), jnp.zeros(2, jnp.bfloat16))]
        ['float32', 'float32']
    """
    y_true, y_pred = as_array(who, "y_true", y_true), as_array(who, "y_pred", y_pred)
    require_same_shape(who, y_true, y_pred)
    is_wide = any(array.dtype == jnp.float64 for array in (y_true, y_pred))
    common = jnp.float64 if is_wide else jnp.float32
    return y_true.astype(common), y_pred.astype(common)


def as_floating(array: jax.Array) -> jax.Array:
    """The array in float32, or unchanged if it is float64."""
    return array if array.dtype == jnp.float64 else array.astype(jnp.float32)


def as_array(who: str, name: str, value: Any) -> jax.Array:
    """One array: an array as it is, nested lists of numbers converted.

    Args:
        who: how errors call the loss.
        name: `y_true` or `y_pred`.
        value: the candidate.

    Raises:
        ValueError: it is missing, or a structure of several arrays.

    Example:
        >>> as_array("loss `f`", "y_true", [[1.0], [2.0]]).shape
        (2, 1)
    """
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return jnp.asarray(value)
    if value is None:
        raise ValueError(f"{who} compares `y_true` with `y_pred`. `{name}` is None. Give it an array.")
    if not isinstance(value, Mapping) and all(isinstance(leaf, (int, float)) for leaf in jax.tree.leaves(value)):
        return jnp.asarray(np.asarray(value))
    several = f"a {type(value).__name__}"
    if isinstance(value, Mapping):
        several += f" of {listing(value)}"
    elif isinstance(value, (list, tuple)):
        several += f" of {len(value)} values"
    raise ValueError(
        f"{who} compares one array with one array. `{name}` is {several}. "
        "Choose a part with `on=`, or with `elegy.bind`."
    )


def mean_of_last_axis(values: jax.Array) -> jax.Array:
    """One value for each sample or position: the mean over the last axis, of which vectors `(batch,)` have none."""
    return values if values.ndim < 2 else jnp.mean(values, axis=-1)


def absolute(values: jax.Array) -> jax.Array:
    """`|values|` with the gradient 0 at 0, where `jnp.abs` has 1 and would move what is already right.

    Example:
        >>> jax.grad(absolute)(0.0), jax.grad(absolute)(-2.0)
        (Array(0., dtype=float32, weak_type=True), Array(-1., dtype=float32, weak_type=True))
    """
    return values * jax.lax.stop_gradient(jnp.sign(values))
