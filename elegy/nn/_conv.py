"""Convolutions."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .._errors import short_type
from ..initializers import TruncatedNormal
from ..module import Module
from ._requirements import (
    channel_axis_of,
    compute_dtype,
    declared,
    initializer_of,
    padding_of,
    positive,
    real_array,
    require_floating,
    require_not_given,
    require_rank,
    sizes,
    switch,
    who,
)


class Conv2D(Module):
    """Looks for the same patterns everywhere in an image.

    Each output is the sum over a window of inputs times `w` (the window is not flipped), plus `b`. Parameters: `w` of
    shape `(*kernel_shape, channels / groups, output_channels)`, `b` of shape `(output_channels,)`.

    Args:
        output_channels: number of patterns; `>= 1`, a multiple of `groups`.
        kernel_shape: height and width of the window, or one number for both.
        stride: step of the window along each axis, or one number for both.
        rate: distance of the inputs under one window (dilation), or one number for both.
        padding: `"SAME"`, `"VALID"`, or a pair (before, after) for each of the two axes.
        with_bias: whether `b` is added.
        w_init: initializer of `w`, or a value; by default a truncated normal of standard deviation `1 / sqrt(fan_in)`
            with `fan_in` the number of inputs under one window.
        b_init: initializer of `b`, or a value; zeros by default.
        data_format: `"channels_last"` (`NHWC`) or `"channels_first"` (`NCHW`).
        mask: an array that `w` is multiplied by and that broadcasts to it, for causal and sparse windows.
        groups: number of groups of channels that do not see each other.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters, which
            `Model(precision=...)` lowers while a step runs.
        param_dtype: the dtype that its parameters are kept in.

    Raises:
        ValueError: a number is not positive, a string is unknown, `groups` does not divide the channels, the mask does
            not fit, or the input does not have four axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> conv = elegy.nn.Conv2D(8, kernel_shape=3, stride=2)
        >>> conv(jnp.ones((1, 28, 28, 1))).shape, conv.w.shape
        ((1, 14, 14, 8), (3, 3, 1, 8))
    """

    def __init__(
        self,
        output_channels: int,
        kernel_shape: Any,
        stride: Any = 1,
        rate: Any = 1,
        padding: Any = "SAME",
        with_bias: bool = True,
        w_init: Any = None,
        b_init: Any = None,
        data_format: str = "channels_last",
        mask: Any = None,
        groups: int = 1,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.param_dtype = param_dtype
        require_floating(self)
        self.output_channels = positive(self, "output_channels", output_channels)
        self.kernel_shape = sizes(self, "kernel_shape", kernel_shape, 2)
        self.stride = sizes(self, "stride", stride, 2)
        self.rate = sizes(self, "rate", rate, 2)
        self.padding = padding_of(self, padding, 2)
        self.with_bias = switch(self, "with_bias", with_bias)
        self.w_init = initializer_of(self, "w_init", w_init)
        self.b_init = initializer_of(self, "b_init", b_init)
        self.data_format = data_format
        self.channel_axis = channel_axis_of(self, data_format)
        self.mask = None if mask is None else np.asarray(mask)
        self.groups = positive(self, "groups", groups)
        if not with_bias:
            require_not_given(self, "b_init", b_init, "with_bias")
        if self.output_channels % self.groups:
            raise ValueError(
                f"{who(self)} was given output_channels={output_channels}. It has groups={groups}, which does not "
                "divide that. Choose a multiple of `groups`."
            )

    def call(self, x: Any) -> jax.Array:
        """Apply the layer.

        Args:
            x: images, `(batch, height, width, channels)`, or as `data_format` says; integers are converted.

        Returns:
            Images, `(batch, height', width', output_channels)`, in the dtype that the layer computes in.
        """
        x = real_array(self, x)
        layout = "NHWC" if self.channel_axis == -1 else "NCHW"
        require_rank(self, x, 4, f"four axes, {layout}", most=4)
        w = self._kernel(x)
        dtype = compute_dtype(self, w)
        y = lax.conv_general_dilated(
            x.astype(dtype),
            self._masked(w).astype(dtype),
            window_strides=self.stride,
            padding=self.padding,
            rhs_dilation=self.rate,
            dimension_numbers=(layout, "HWIO", layout),
            feature_group_count=self.groups,
        )
        self._require_places(x, y)
        if not self.with_bias:
            return y
        b_init = jnp.zeros if self.b_init is None else self.b_init
        b = declared(self, "b", (self.output_channels,), self.param_dtype, b_init).astype(dtype)
        along = [1] * y.ndim
        along[self.channel_axis] = self.output_channels
        return y + jnp.broadcast_to(b.reshape(along), y.shape)

    def _require_places(self, x: jax.Array, y: jax.Array) -> None:
        if y.size == 0 and x.shape[0] != 0:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}. Its window of {self.kernel_shape} with rate {self.rate} "
                'does not fit into that. Use `padding="SAME"`, or a smaller `kernel_shape`.'
            )

    def _kernel(self, x: jax.Array) -> jax.Array:
        channels = x.shape[self.channel_axis]
        if channels == 0 or channels % self.groups:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}, which has {channels} channels. It has "
                f"groups={self.groups}, and each group sees equally many. Give a number of channels that `groups` "
                "divides, and check `data_format`."
            )
        shape = (*self.kernel_shape, channels // self.groups, self.output_channels)
        w_init = TruncatedNormal(1 / math.sqrt(math.prod(shape[:-1]))) if self.w_init is None else self.w_init
        return declared(self, "w", shape, self.param_dtype, w_init)

    def _masked(self, w: jax.Array) -> jax.Array:
        if self.mask is None:
            return w
        mask, shape = self.mask, w.shape
        fits = mask.ndim <= len(shape) and all(
            size in (1, wanted) for size, wanted in zip(mask.shape[::-1], shape[::-1], strict=False)
        )
        if not fits:
            raise ValueError(
                f"{who(self)} was given a mask of shape {mask.shape}. Its parameter `w` has the shape {shape}. "
                "Give a mask that broadcasts to it."
            )
        return w * jnp.broadcast_to(jnp.asarray(mask, w.dtype), shape)
