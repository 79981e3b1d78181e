"""What every loss does with `y_true` and `y_pred` before it computes: arrays of one shape, in float32 at least."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._errors import listing, short_type
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


def one_hot_pair(who: str, y_true: Any, y_pred: Any) -> tuple[jax.Array, jax.Array]:
    """One-hot labels and scores of one shape, with an axis of at least two classes, as `paired` gives them.

    Args:
        who: how errors call the loss.
        y_true: one-hot labels, `(batch, *d, classes)`.
        y_pred: scores, same shape.

    Raises:
        ValueError: there is no axis of classes, the labels are class numbers, or the shapes differ.

    Example:
        >>> [a.shape for a in one_hot_pair("loss `f`", [[1, 0]], [[0.5, 0.5]])]
        [(1, 2), (1, 2)]
    """
    y_true, y_pred = as_array(who, "y_true", y_true), as_array(who, "y_pred", y_pred)
    given = f"{who} was given `y_true` {short_type(y_true)} and `y_pred` {short_type(y_pred)}."
    if y_pred.ndim < 2 or y_pred.shape[-1] < 2:
        raise ValueError(
            f"{given} It chooses between the classes along the last axis of `y_pred`, `(batch, classes)`. "
            "Give the module one output for each class, or use `BinaryCrossentropy`."
        )
    if y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
        raise ValueError(
            f"{given} The shapes {y_true.shape} and {y_pred.shape} are those of class numbers and scores, and it "
            "compares one-hot labels. Use `SparseCategoricalCrossentropy`, or `jax.nn.one_hot` on the labels."
        )
    return paired(who, y_true, y_pred)


def own_axes(who: str, axis: int | tuple[int, ...] | None, array: jax.Array) -> tuple[int, ...]:
    """The axes that a loss sums over, counted from the front; None: all but the first, which is the batch.

    Args:
        who: how errors call the loss.
        axis: axes of the array, negative ones counted from its end.
        array: `(batch, *d)`.

    Raises:
        ValueError: there is no such axis, or it is the batch's.

    Example:
        >>> own_axes("loss `f`", None, jnp.zeros((2, 3, 4))), own_axes("loss `f`", -1, jnp.zeros((2, 3, 4)))
        ((1, 2), (2,))
    """
    count = array.ndim
    axes = tuple(range(1, count)) if axis is None else (axis,) if isinstance(axis, int) else axis
    if not axes or any(not -count < each < count or each == 0 for each in axes):
        asked = "every axis but the first" if axis is None else f"`axis={axis}`"
        raise ValueError(
            f"{who} works along {asked}, and was given `y_pred` {short_type(array)}. The first axis is the batch, "
            "which keeps one value for each sample. Give arrays `(batch, *d)` that have such an axis, or name another."
        )
    return tuple(each % count for each in axes)


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
