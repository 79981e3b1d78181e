"""From loss values to exact quotients: the one road of every loss, built-in or user-written."""

import enum
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ._errors import did_you_mean, listing, short_type
from ._logs import Ratio


class Reduction(enum.Enum):
    """How a loss makes one number of its values.

    With `l` the values and `w` the sample weights:

    * `SUM_OVER_BATCH_SIZE`: `sum(w * l) / number of values`, as Keras does. The default.
    * `MEAN_WITH_SAMPLE_WEIGHT`: `sum(w * l) / sum(w)`.
    * `SUM`: `sum(w * l)`; over an epoch the sums add up.
    * `NONE`: the weighted values themselves; inside a Model it counts as `SUM_OVER_BATCH_SIZE`.

    Example:
        >>> Reduction("sum")
        <Reduction.SUM: 'sum'>
    """

    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    MEAN_WITH_SAMPLE_WEIGHT = "mean_with_sample_weight"


def as_reduction(reduction: Reduction | str | None) -> Reduction:
    """The enum of a reduction given as enum, string or None (the default).

    Raises:
        ValueError: no such reduction.
    """
    if reduction is None:
        return Reduction.SUM_OVER_BATCH_SIZE
    if isinstance(reduction, Reduction):
        return reduction
    names = [r.value for r in Reduction]
    if reduction not in names:
        raise ValueError(
            f"`reduction={reduction!r}` was asked for. The reductions are: {listing(names)}. Use one of these."
            + did_you_mean(str(reduction), names)
        )
    return Reduction(reduction)


def reduce_values(
    value: Any,
    *,
    samples: int,
    batch_axes: tuple[int, ...],
    sample_weight: Any = None,
    reduction: Reduction = Reduction.SUM_OVER_BATCH_SIZE,
    who: str = "the loss",
) -> Ratio:
    """The exact quotient of one loss value.

    Args:
        value: an array, or a pair `(values, mask)` of equal, non-scalar shapes.
        samples: how many samples the batch has.
        batch_axes: which axes of the value belong to the batch; empty: the value is no value per sample and takes
            no weights. A scalar stands for a mean over the samples.
        sample_weight: None, or `(batch,)`, or any shape that is a beginning of the value's shape.
        reduction: see `Reduction`.
        who: how errors call the loss.

    Returns:
        Numerator and denominator.

    Raises:
        ValueError: the weights do not fit the values.
    """
    values, mask = split_mask(value)
    if values.ndim == 0:
        summed = reduction is Reduction.SUM
        return Ratio(values, None) if summed else Ratio(samples * values, jnp.float32(samples))
    weight = None
    if sample_weight is not None and batch_axes:
        weight = aligned_weight(sample_weight, values, batch_axes, who)
    weighted = values if weight is None else values * weight
    if mask is not None:
        weighted = jnp.where(mask == 0, 0.0, weighted * mask)  # what is masked may be NaN
    numerator = jnp.sum(weighted)
    if reduction is Reduction.SUM:
        return Ratio(numerator, None)
    if reduction is Reduction.MEAN_WITH_SAMPLE_WEIGHT and weight is not None:
        counted = jnp.broadcast_to(weight, values.shape) if mask is None else weight * mask
        return Ratio(numerator, jnp.sum(counted))
    return Ratio(numerator, jnp.float32(values.size) if mask is None else jnp.sum(mask))


def split_mask(value: Any) -> tuple[jax.Array, jax.Array | None]:
    """The values as float, and the mask of a `(values, mask)` pair."""
    if isinstance(value, tuple):
        values, mask = (jnp.asarray(part) for part in value)
        return _floating(values), mask.astype(jnp.float32)
    return _floating(jnp.asarray(value)), None


def values_of(value: Any) -> Any:
    """The values of an array or of a `(values, mask)` pair."""
    return value[0] if isinstance(value, tuple) else jnp.asarray(value)


def is_masked_pair(value: Any) -> bool:
    """Whether a loss returned `(values, mask)`: two non-scalar arrays of one shape."""
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(hasattr(part, "shape") and len(part.shape) > 0 for part in value)
        and value[0].shape == value[1].shape
    )


def aligned_weight(weight: Any, values: Any, batch_axes: tuple[int, ...], who: str) -> jax.Array:
    """Weights with axes added, so that they multiply the values.

    A weight of shape `(batch,)` lies along the values' first batch axis; one of more axes must be a beginning of the
    values' shape.
    """
    if isinstance(weight, Mapping):
        raise ValueError(
            f"{who} was given `sample_weight` per output, a dict of {listing(weight)}. It looks at no single output. "
            "Give it `on=`, or give one weight a sample."
        )
    weight = jnp.asarray(weight)
    weight = weight.astype(jnp.promote_types(weight.dtype, jnp.float32))
    axis = batch_axes[0]
    if weight.ndim == 1 and axis < values.ndim and weight.shape[0] == values.shape[axis]:
        return weight.reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    while weight.ndim > values.ndim and weight.shape[-1] == 1:
        weight = weight[..., 0]
    fits = weight.ndim <= values.ndim and all(w in (1, v) for w, v in zip(weight.shape, values.shape, strict=False))
    if weight.ndim == 0 or not fits:
        raise ValueError(
            f"{who} was given `sample_weight` {short_type(weight)}. Its values are {short_type(values)}. "
            "Give one weight a sample, `(batch,)`, or weights whose shape is a beginning of the values' shape."
        )
    return weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))


def _floating(values: jax.Array) -> jax.Array:
    """Sums are taken in float32 at least; integers and lower precisions are widened."""
    return values.astype(jnp.promote_types(values.dtype, jnp.float32))


def parts_of(value: Any, who: str, prefix: str = "") -> dict[str, Any]:
    """The parts of what a loss or metric returned: nested dicts give paths, anything else is one part named "".

    Raises:
        TypeError: the value is a list or another structure; only dicts partition.
    """
    if isinstance(value, Mapping):
        parts: dict[str, Any] = {}
        for name, part in value.items():
            parts.update(parts_of(part, who, f"{prefix}/{name}" if prefix else str(name)))
        return parts
    if isinstance(value, (list, tuple)) and not is_masked_pair(value):
        inside = ", ".join(short_type(part) for part in value)
        raise TypeError(
            f"{who} returned a {type(value).__name__} of {inside or 'nothing'}. A loss or metric returns an "
            "array, a pair "
            "`(values, mask)` of equal shapes, or a dict of parts. Return a dict to name the parts."
        )
    if value is None:
        raise TypeError(f"{who} returned None. A value was expected. Does its function end without `return`?")
    return {prefix: value}


def sample_count(batch: Any) -> int:
    """How many samples a batch has: the length of the first axis that its arrays share.

    Example:
        >>> import numpy as np
        >>> sample_count({"x": np.zeros((4, 2))})
        4
    """
    for leaf in jax.tree.leaves(batch):
        if getattr(leaf, "ndim", 0):
            return leaf.shape[0]
    return 1
