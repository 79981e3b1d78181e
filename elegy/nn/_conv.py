"""Convolutions."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._errors import short_type
from ..module import Module
from ._kernels import convolved, image_of, set_kernel
from ._requirements import padding_of, positive, sizes, who


class AbstractConv(Module):
    """A convolution along as many axes as a subclass says; `Conv2D` says what the arguments are."""

    spatial_axes: ClassVar[int]

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
        set_kernel(self, param_dtype, kernel_shape, stride, with_bias, w_init, b_init, data_format, mask)
        self.output_channels = positive(self, "output_channels", output_channels)
        self.rate = sizes(self, "rate", rate, self.spatial_axes)
        words = ("SAME", "VALID", "CAUSAL") if self.spatial_axes == 1 else ("SAME", "VALID")
        self.padding = padding_of(self, padding, self.spatial_axes, words)
        self.groups = positive(self, "groups", groups)
        if self.output_channels % self.groups:
            raise ValueError(
                f"{who(self)} was given output_channels={output_channels}. It has groups={groups}, which does not "
                "divide that. Choose a multiple of `groups`."
            )

    def call(self, x: Any) -> jax.Array:
        """Apply the layer.

        Args:
            x: `(batch, *d, channels)` with one axis in `*d` for each axis of the window, or as `data_format` says;
                integers are converted.

        Returns:
            `(batch, *d', output_channels)`, in the dtype that the layer computes in.

        Raises:
            ValueError: the input has another number of axes, `groups` does not divide its channels, or the window
                does not fit into it.
        """
        x = image_of(self, x)
        channels = x.shape[self.channel_axis]
        if channels % self.groups:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}, which has {channels} channels. It has "
                f"groups={self.groups}, and each group sees equally many. Give a number of channels that `groups` "
                "divides, and check `data_format`."
            )
        return convolved(self, x, self.output_channels, self.groups)


class Conv1D(AbstractConv):
    """Looks for the same patterns everywhere in a sequence.

    Args and parameters are those of `Conv2D`, along one axis: `w` has the shape `(size, channels / groups,
    output_channels)`. `padding="CAUSAL"` adds zeros in front only, so that no output sees what comes later.

    Raises:
        ValueError: as for `Conv2D`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> conv = elegy.nn.Conv1D(8, kernel_shape=3, padding="CAUSAL")
        >>> conv(jnp.ones((1, 20, 4))).shape, conv.w.shape
        ((1, 20, 8), (3, 4, 8))
    """

    spatial_axes = 1


class Conv2D(AbstractConv):
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

    spatial_axes = 2


class Conv3D(AbstractConv):
    """Looks for the same patterns everywhere in a volume or a film.

    Args and parameters are those of `Conv2D`, along three axes: depth, height and width.

    Raises:
        ValueError: as for `Conv2D`.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> conv = elegy.nn.Conv3D(8, kernel_shape=(1, 3, 3))
        >>> conv(jnp.ones((1, 4, 6, 6, 2))).shape, conv.w.shape
        ((1, 4, 6, 6, 8), (1, 3, 3, 2, 8))
    """

    spatial_axes = 3
