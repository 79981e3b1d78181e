"""Pooling over whole sequences, images and volumes."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._errors import short_type
from ..module import Module
from ._requirements import (
    channel_axis_of,
    floating_array,
    one_array,
    require_rank,
    statistics_dtype,
    switch,
    who,
)


class AbstractGlobalPooling(Module):
    """One value for each channel, which `pool(x, mask, axes)` of a subclass computes."""

    spatial_axes: ClassVar[int]
    pool: ClassVar[Callable[[jax.Array, jax.Array | None, tuple[int, ...]], jax.Array]]

    def __init__(self, data_format: str = "channels_last", keepdims: bool = False, name: str | None = None) -> None:
        super().__init__(name=name)
        self.data_format = data_format
        self.channel_axis = channel_axis_of(self, data_format, self.spatial_axes)
        self.keepdims = switch(self, "keepdims", keepdims)

    def call(self, x: Any, mask: Any = None) -> jax.Array:
        """Pool the input.

        Args:
            x: `(batch, *spatial, channels)`, or as `data_format` says; integers become float32.
            mask: `(batch, *spatial)`, True where a place counts; an example without any gives 0.

        Returns:
            `(batch, channels)`, or with axes of length 1 for those that are gone if `keepdims`.

        Raises:
            ValueError: the input has another number of axes or no places, or the mask another shape.
        """
        x, count = floating_array(self, x), self.spatial_axes + 2
        require_rank(self, x, count, f"a batch axis, {self.spatial_axes} spatial and a channel axis", most=count)
        axes = tuple(axis for axis in range(1, count) if axis != self.channel_axis % count)
        if math.prod(x.shape[axis] for axis in axes) == 0:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}. It has no places to pool over. Give a longer input."
            )
        y = type(self).pool(x, self._spread(mask, x, axes), axes)
        return jnp.expand_dims(y, axes) if self.keepdims else y

    def _spread(self, mask: Any, x: jax.Array, axes: tuple[int, ...]) -> jax.Array | None:
        if mask is None:
            return None
        mask = one_array(self, mask)
        places = (x.shape[0], *(x.shape[axis] for axis in axes))
        if mask.shape != places:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)} and a mask {short_type(mask)}. A mask says of each "
                f"place whether it counts. Give one of shape {places}."
            )
        return jax.lax.broadcast_in_dim(mask.astype(jnp.bool_), x.shape, (0, *axes))


def _mean(x: jax.Array, mask: jax.Array | None, axes: tuple[int, ...]) -> jax.Array:
    values = x.astype(statistics_dtype(x.dtype))
    if mask is None:
        return jnp.mean(values, axes).astype(x.dtype)
    total = jnp.sum(jnp.where(mask, values, jnp.zeros_like(values)), axes)
    return (total / jnp.maximum(jnp.sum(mask, axes, dtype=total.dtype), jnp.ones_like(total))).astype(x.dtype)


def _largest(x: jax.Array, mask: jax.Array | None, axes: tuple[int, ...]) -> jax.Array:
    if mask is None:
        return jnp.max(x, axes)
    largest = jnp.max(jnp.where(mask, x, jnp.full_like(x, -jnp.inf)), axes)
    return jnp.where(jnp.any(mask, axes), largest, jnp.zeros_like(largest))


class GlobalAveragePooling1D(AbstractGlobalPooling):
    """The mean of a sequence, for each channel; with a mask that of the places that count.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: whether the pooled axes stay, with length 1.
        name: its name below its parent.

    Raises:
        ValueError: the format is unknown, or the input does not have three axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> x = jnp.array([[[1.0], [3.0], [9.0]]])
        >>> elegy.nn.GlobalAveragePooling1D()(x, mask=jnp.array([[True, True, False]])).tolist()
        [[2.0]]
    """

    spatial_axes = 1
    pool = staticmethod(_mean)


class GlobalAveragePooling2D(AbstractGlobalPooling):
    """The mean of an image, for each channel: the usual end of a convolutional network.

    Args and errors are those of `GlobalAveragePooling1D`, for inputs of four axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.GlobalAveragePooling2D()(jnp.ones((2, 8, 8, 3))).shape
        (2, 3)
    """

    spatial_axes = 2
    pool = staticmethod(_mean)


class GlobalAveragePooling3D(AbstractGlobalPooling):
    """The mean of a volume, for each channel.

    Args and errors are those of `GlobalAveragePooling1D`, for inputs of five axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.GlobalAveragePooling3D(keepdims=True)(jnp.ones((2, 4, 8, 8, 3))).shape
        (2, 1, 1, 1, 3)
    """

    spatial_axes = 3
    pool = staticmethod(_mean)


class GlobalMaxPooling1D(AbstractGlobalPooling):
    """The largest value of a sequence, for each channel; with a mask among the places that count.

    Args and errors are those of `GlobalAveragePooling1D`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.GlobalMaxPooling1D()(jnp.array([[[1.0], [3.0], [9.0]]])).tolist()
        [[9.0]]
    """

    spatial_axes = 1
    pool = staticmethod(_largest)


class GlobalMaxPooling2D(AbstractGlobalPooling):
    """The largest value of an image, for each channel: whether a pattern is anywhere.

    Args and errors are those of `GlobalAveragePooling1D`, for inputs of four axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.GlobalMaxPooling2D()(jnp.ones((2, 8, 8, 3))).shape
        (2, 3)
    """

    spatial_axes = 2
    pool = staticmethod(_largest)


class GlobalMaxPooling3D(AbstractGlobalPooling):
    """The largest value of a volume, for each channel.

    Args and errors are those of `GlobalAveragePooling1D`, for inputs of five axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.GlobalMaxPooling3D()(jnp.ones((2, 4, 8, 8, 3))).shape
        (2, 3)
    """

    spatial_axes = 3
    pool = staticmethod(_largest)
