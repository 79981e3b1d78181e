"""Pooling: one value for each window."""

import abc
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .._errors import short_type
from ..module import Module
from ._requirements import padding_of, positive, real_array, require_rank, statistics_dtype, who


class AbstractPool(Module):
    """One value for each window, which `_pooled` of a subclass computes; `MaxPool` says what the arguments are."""

    def __init__(
        self,
        window_shape: Any,
        strides: Any = None,
        padding: str = "VALID",
        channel_axis: int | None = -1,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.window_shape = self._checked("window_shape", window_shape)
        self.strides = self.window_shape if strides is None else self._checked("strides", strides)
        self.padding = padding_of(self, padding, None)
        self.channel_axis = channel_axis

    def call(self, x: Any) -> jax.Array:
        """Pool the input.

        Args:
            x: `(batch, *spatial, channels)`, or as `channel_axis` says; any real dtype.

        Returns:
            An array with as many axes, of the same dtype; means of integers are float32.

        Raises:
            ValueError: the input has too few axes, or is smaller than the window.
        """
        x = real_array(self, x)
        require_rank(self, x, 2 if self.channel_axis is None else 3, "a batch axis, spatial axes and a channel axis")
        spatial = self._spatial(x)
        window = self._all_axes("window_shape", self.window_shape, x, spatial)
        strides = self._all_axes("strides", self.strides, x, spatial)
        y = self._pooled(x, window, strides)
        if y.size == 0 and x.size != 0:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}. Its window {window} does not fit into that. "
                'Use `padding="SAME"`, or a smaller `window_shape`.'
            )
        return y

    @abc.abstractmethod
    def _pooled(self, x: jax.Array, window: tuple[int, ...], strides: tuple[int, ...]) -> jax.Array:
        """One value for each window; both tuples have a number for each axis of `x`."""

    def _checked(self, argument: str, value: Any) -> int | tuple[int, ...]:
        if isinstance(value, (list, tuple)):
            return tuple(positive(self, argument, number) for number in value)
        return positive(self, argument, value)

    def _spatial(self, x: jax.Array) -> list[int]:
        if self.channel_axis is None:
            return list(range(1, x.ndim))
        if not -x.ndim <= self.channel_axis < x.ndim or self.channel_axis % x.ndim == 0:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}. It was made with channel_axis={self.channel_axis}, "
                "which that does not have beside the batch axis. Give another `channel_axis`, or None."
            )
        return [axis for axis in range(1, x.ndim) if axis != self.channel_axis % x.ndim]

    def _all_axes(
        self, argument: str, value: int | tuple[int, ...], x: jax.Array, spatial: list[int]
    ) -> tuple[int, ...]:
        values = (value,) * len(spatial) if isinstance(value, int) else value
        if len(values) == x.ndim:
            return values
        if len(values) == len(spatial):
            by_axis = dict(zip(spatial, values, strict=True))
            return tuple(by_axis.get(axis, 1) for axis in range(x.ndim))
        if len(values) == x.ndim - 1:
            return (1, *values)
        raise ValueError(
            f"{who(self)} was given {argument}={values}. Its input {short_type(x)} has {len(spatial)} spatial axes. "
            "Give one number for all of them, or one for each."
        )


class MaxPool(AbstractPool):
    """Keeps the largest value of each window, so that small shifts of an image matter less.

    Args:
        window_shape: size of the window: one number for all spatial axes, or a sequence with a number for each spatial
            axis, for each axis but the batch, or for each axis.
        strides: step of the window, likewise; the window's size by default.
        padding: `"SAME"` or `"VALID"`; what is added counts as minus infinity.
        channel_axis: the axis that is not pooled, or None if all but the first one are spatial.
        name: its name below its parent.

    Raises:
        ValueError: a number is not positive, the padding is unknown, or the sequences do not fit the input.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> x = jnp.arange(16.0).reshape(1, 4, 4, 1)
        >>> elegy.nn.MaxPool(2)(x)[0, :, :, 0].tolist()
        [[5.0, 7.0], [13.0, 15.0]]
    """

    def _pooled(self, x: jax.Array, window: tuple[int, ...], strides: tuple[int, ...]) -> jax.Array:
        least = -np.inf if jnp.issubdtype(x.dtype, jnp.floating) else _smallest(x.dtype)
        return lax.reduce_window(x, np.asarray(least, x.dtype)[()], lax.max, window, strides, str(self.padding))


class AvgPool(AbstractPool):
    """Keeps the mean of each window.

    Args are those of `MaxPool`; what padding adds does not count.

    Raises:
        ValueError: as for `MaxPool`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> x = jnp.arange(16.0).reshape(1, 4, 4, 1)
        >>> elegy.nn.AvgPool(2)(x)[0, :, :, 0].tolist()
        [[2.5, 4.5], [10.5, 12.5]]
    """

    def _pooled(self, x: jax.Array, window: tuple[int, ...], strides: tuple[int, ...]) -> jax.Array:
        dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else jnp.dtype(jnp.float32)
        x = x.astype(statistics_dtype(dtype))

        def added(values: jax.Array) -> jax.Array:
            return lax.reduce_window(values, np.zeros((), x.dtype)[()], lax.add, window, strides, str(self.padding))

        return (added(x) / added(jnp.ones_like(x))).astype(dtype)


def _smallest(dtype: Any) -> Any:
    return False if dtype == jnp.bool_ else jnp.iinfo(dtype).min
