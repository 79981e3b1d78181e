"""Convolutions that keep channels apart."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from ..module import Module
from ._kernels import convolved, image_of, set_kernel
from ._requirements import padding_of, positive, sizes


class AbstractDepthwiseConv(Module):
    """A depthwise convolution along as many axes as a subclass says; `DepthwiseConv2D` says what the arguments are."""

    spatial_axes: ClassVar[int]

    def __init__(
        self,
        kernel_shape: Any,
        stride: Any = 1,
        rate: Any = 1,
        padding: Any = "SAME",
        depth_multiplier: int = 1,
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
        self.rate = sizes(self, "rate", rate, self.spatial_axes)
        words = ("SAME", "VALID", "CAUSAL") if self.spatial_axes == 1 else ("SAME", "VALID")
        self.padding = padding_of(self, padding, self.spatial_axes, words)
        self.depth_multiplier = positive(self, "depth_multiplier", depth_multiplier)

    def call(self, x: Any) -> jax.Array:
        """Apply the layer.

        Args:
            x: `(batch, *d, channels)` with one axis in `*d` for each axis of the window, or as `data_format` says;
                integers are converted.

        Returns:
            `(batch, *d', channels * depth_multiplier)`, in the dtype that the layer computes in.

        Raises:
            ValueError: the input has another number of axes, or the window does not fit into it.
        """
        x = image_of(self, x)
        channels = x.shape[self.channel_axis]
        return convolved(self, x, channels * self.depth_multiplier, channels)


class DepthwiseConv1D(AbstractDepthwiseConv):
    """Looks for patterns in each channel of a sequence by itself.

    Args and parameters are those of `DepthwiseConv2D`, along one axis. `padding="CAUSAL"` adds zeros in front only.

    Raises:
        ValueError: as for `DepthwiseConv2D`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> conv = elegy.nn.DepthwiseConv1D(kernel_shape=3)
        >>> conv(jnp.ones((1, 20, 4))).shape, conv.w.shape
        ((1, 20, 4), (3, 1, 4))
    """

    spatial_axes = 1


class DepthwiseConv2D(AbstractDepthwiseConv):
    """Looks for patterns in each channel of an image by itself: far fewer weights than `Conv2D`.

    `Conv2D` with as many groups as channels; a `Linear` behind it mixes them. Parameters: `w` of shape
    `(*kernel_shape, 1, channels * depth_multiplier)`, `b` of shape `(channels * depth_multiplier,)`.

    Args:
        kernel_shape: height and width of the window, or one number for both.
        stride: step of the window along each axis, or one number for both.
        rate: distance of the inputs under one window (dilation), or one number for both.
        padding: `"SAME"`, `"VALID"`, or a pair (before, after) for each of the two axes.
        depth_multiplier: number of patterns for each channel; those of one channel are neighbours in the outputs.
        with_bias: whether `b` is added.
        w_init: initializer of `w`, or a value; by default a truncated normal of standard deviation `1 / sqrt(fan_in)`
            with `fan_in` the number of inputs under one window.
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
        >>> conv = elegy.nn.DepthwiseConv2D(3, depth_multiplier=2)
        >>> conv(jnp.ones((1, 8, 8, 4))).shape, conv.w.shape
        ((1, 8, 8, 8), (3, 3, 1, 8))

    Reference:
        Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017.
    """

    spatial_axes = 2
