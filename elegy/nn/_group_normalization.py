"""Normalization of groups of channels, and of each channel by itself."""

from typing import Any

import jax
import jax.numpy as jnp

from .._errors import short_type
from ..module import Module
from ._affine import affine_of, set_affine, standardized
from ._requirements import channel_axis_of, positive, real_array, require_rank, who


class GroupNormalization(Module):
    """Gives each group of channels of each example mean 0 and variance 1; for images in batches that are small.

    `(x - mean) / sqrt(var + eps) * scale + offset`, with mean and variance over the channels of a group and all axes
    but the batch. Parameters: `scale` and `offset` of shape `(channels,)`.

    Args:
        groups: number of groups; `>= 1`, divides the channels.
        create_scale: whether the result is multiplied by `scale`.
        create_offset: whether `offset` is added.
        eps: added to the variance; `> 0`.
        scale_init: initializer of `scale`, or a value; ones by default.
        offset_init: initializer of `offset`, or a value; zeros by default.
        data_format: `"channels_last"` or `"channels_first"`.
        name: its name below its parent.
        dtype: the dtype that it returns; None is that of its parameters, or of its inputs without any. Mean and
            variance are computed in float32.
        param_dtype: the dtype that its parameters are kept in.

    Raises:
        ValueError: a number is out of range, an initializer is given for a parameter that is switched off, `groups`
            does not divide the channels, or the input has fewer than two axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> normalize = elegy.nn.GroupNormalization(groups=2)
        >>> normalize(jnp.array([[1.0, 3.0, 50.0, 70.0]])).round(3).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]

    Reference:
        Wu and He, Group Normalization, ECCV 2018.
    """

    def __init__(
        self,
        groups: int = 32,
        create_scale: bool = True,
        create_offset: bool = True,
        eps: float = 1e-5,
        scale_init: Any = None,
        offset_init: Any = None,
        data_format: str = "channels_last",
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        set_affine(self, param_dtype, eps, create_scale, scale_init, create_offset, offset_init)
        self.groups = positive(self, "groups", groups)
        self.data_format = data_format
        self.channel_axis = channel_axis_of(self, data_format)

    def call(self, x: Any) -> jax.Array:
        """Normalize the input.

        Args:
            x: `(batch, *d, channels)`, or as `data_format` says; integers are converted.

        Returns:
            An array of the same shape, in the dtype that the layer returns.

        Raises:
            ValueError: `groups` does not divide the channels, or there are fewer than two axes.
        """
        x = real_array(self, x)
        require_rank(self, x, 2, "a batch axis and a channel axis, and any between them")
        axis = self.channel_axis % x.ndim
        channels = x.shape[axis]
        if channels % self.groups:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}, which has {channels} channels. It has "
                f"groups={self.groups}, and each group has equally many. Choose `groups` that divides the channels."
            )
        affine = affine_of(self, x, (channels,))
        grouped = x.reshape(*x.shape[:axis], self.groups, channels // self.groups, *x.shape[axis + 1 :])
        over = tuple(number for number in range(1, grouped.ndim) if number != axis)
        y = standardized(grouped.astype(affine.statistics_dtype), over, self.eps).reshape(x.shape)
        return affine.outputs(y, (axis,))


class InstanceNormalization(Module):
    """Gives each channel of each example mean 0 and variance 1, which takes contrast out of images.

    `(x - mean) / sqrt(var + eps) * scale + offset`, with mean and variance over the spatial axes. Parameters: `scale`
    and `offset` of shape `(channels,)`.

    Args:
        create_scale: whether the result is multiplied by `scale`.
        create_offset: whether `offset` is added.
        eps: added to the variance; `> 0`.
        scale_init: initializer of `scale`, or a value; ones by default.
        offset_init: initializer of `offset`, or a value; zeros by default.
        data_format: `"channels_last"` or `"channels_first"`.
        name: its name below its parent.
        dtype: the dtype that it returns; None is that of its parameters, or of its inputs without any. Mean and
            variance are computed in float32.
        param_dtype: the dtype that its parameters are kept in.

    Raises:
        ValueError: `eps` is not positive, an initializer is given for a parameter that is switched off, or the input
            has no spatial axis.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.InstanceNormalization()(jnp.array([[[1.0], [3.0]]])).round(3).tolist()
        [[[-1.0], [1.0]]]

    Reference:
        Ulyanov, Vedaldi and Lempitsky, Instance Normalization: The Missing Ingredient for Fast Stylization,
        arXiv:1607.08022.
    """

    def __init__(
        self,
        create_scale: bool = True,
        create_offset: bool = True,
        eps: float = 1e-5,
        scale_init: Any = None,
        offset_init: Any = None,
        data_format: str = "channels_last",
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        set_affine(self, param_dtype, eps, create_scale, scale_init, create_offset, offset_init)
        self.data_format = data_format
        self.channel_axis = channel_axis_of(self, data_format)

    def call(self, x: Any) -> jax.Array:
        """Normalize the input.

        Args:
            x: `(batch, *spatial, channels)`, or as `data_format` says; integers are converted.

        Returns:
            An array of the same shape, in the dtype that the layer returns.

        Raises:
            ValueError: there is no spatial axis.
        """
        x = real_array(self, x)
        require_rank(self, x, 3, "a batch axis, spatial axes and a channel axis")
        axis = self.channel_axis % x.ndim
        affine = affine_of(self, x, (x.shape[axis],))
        over = tuple(number for number in range(1, x.ndim) if number != axis)
        return affine.outputs(standardized(x.astype(affine.statistics_dtype), over, self.eps), (axis,))
