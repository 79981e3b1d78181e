"""Transposed convolutions."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from ..module import Module
from ._kernels import biased, image_of, kernel_of, layouts, set_kernel
from ._requirements import padding_of, positive


class AbstractConvTranspose(Module):
    """A transposed convolution along as many axes as a subclass says; `Conv2DTranspose` says what the arguments are."""

    spatial_axes: ClassVar[int]

    def __init__(
        self,
        output_channels: int,
        kernel_shape: Any,
        stride: Any = 1,
        padding: str = "SAME",
        with_bias: bool = True,
        w_init: Any = None,
        b_init: Any = None,
        data_format: str = "channels_last",
        mask: Any = None,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        set_kernel(self, param_dtype, kernel_shape, stride, with_bias, w_init, b_init, data_format, mask)
        self.output_channels = positive(self, "output_channels", output_channels)
        self.padding = padding_of(self, padding, None)

    def call(self, x: Any) -> jax.Array:
        """Apply the layer.

        Args:
            x: `(batch, *d, channels)` with one axis in `*d` for each axis of the window, or as `data_format` says;
                integers are converted.

        Returns:
            `(batch, *d', output_channels)`, in the dtype that the layer computes in.

        Raises:
            ValueError: the input has another number of axes.
        """
        x = image_of(self, x)
        channels = x.shape[self.channel_axis]
        shape = (*self.kernel_shape, self.output_channels, channels)
        w = kernel_of(self, shape, math.prod(self.kernel_shape) * channels)
        y = lax.conv_transpose(
            x.astype(w.dtype),
            w,
            strides=self.stride,
            padding=str(self.padding),
            dimension_numbers=layouts(self),
            transpose_kernel=True,
        )
        return biased(self, y)


class Conv1DTranspose(AbstractConvTranspose):
    """Makes a longer sequence out of a shorter one.

    Args and parameters are those of `Conv2DTranspose`, along one axis.

    Raises:
        ValueError: as for `Conv2DTranspose`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> conv = elegy.nn.Conv1DTranspose(8, kernel_shape=3, stride=2)
        >>> conv(jnp.ones((1, 10, 4))).shape, conv.w.shape
        ((1, 20, 8), (3, 8, 4))
    """

    spatial_axes = 1


class Conv2DTranspose(AbstractConvTranspose):
    """Makes a larger image out of a smaller one, as decoders and generators do.

    The linear map is the transpose of that of a `Conv2D` with the same `w`, which goes from `output_channels` to
    `channels`; then `b` is added. Parameters: `w` of shape `(*kernel_shape, output_channels, channels)`, `b` of shape
    `(output_channels,)`.

    Args:
        output_channels: number of channels of the outputs; `>= 1`.
        kernel_shape: height and width of the window, or one number for both.
        stride: how many times larger the image becomes along each axis, or one number for both.
        padding: `"SAME"`: a side of n becomes `n * stride`; `"VALID"`: `n * stride + max(kernel - stride, 0)`.
        with_bias: whether `b` is added.
        w_init: initializer of `w`, or a value; by default a truncated normal of standard deviation
            `1 / sqrt(height * width * channels)`.
        b_init: initializer of `b`, or a value; zeros by default.
        data_format: `"channels_last"` (`NHWC`) or `"channels_first"` (`NCHW`).
        mask: an array that `w` is multiplied by and that broadcasts to it.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.

    Raises:
        ValueError: a number is not positive, a string is unknown, the mask does not fit, or the input does not have
            four axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> conv = elegy.nn.Conv2DTranspose(8, kernel_shape=3, stride=2)
        >>> conv(jnp.ones((1, 7, 7, 4))).shape, conv.w.shape
        ((1, 14, 14, 8), (3, 3, 8, 4))

    Reference:
        Dumoulin and Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285.
    """

    spatial_axes = 2


class Conv3DTranspose(AbstractConvTranspose):
    """Makes a larger volume out of a smaller one.

    Args and parameters are those of `Conv2DTranspose`, along three axes: depth, height and width.

    Raises:
        ValueError: as for `Conv2DTranspose`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> conv = elegy.nn.Conv3DTranspose(8, kernel_shape=2, stride=2)
        >>> conv(jnp.ones((1, 2, 3, 3, 4))).shape, conv.w.shape
        ((1, 4, 6, 6, 8), (2, 2, 2, 8, 4))
    """

    spatial_axes = 3
