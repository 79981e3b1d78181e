"""What all convolutions share: the axes of their images, the kernel and its mask, and the bias."""

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
    real_array,
    require_floating,
    require_not_given,
    require_rank,
    sizes,
    switch,
    who,
)

_COUNTS = {3: "three", 4: "four", 5: "five"}


def set_kernel(
    layer: Module,
    param_dtype: Any,
    kernel_shape: Any,
    stride: Any,
    with_bias: bool,
    w_init: Any,
    b_init: Any,
    data_format: str,
    mask: Any,
) -> None:
    """Check and keep the arguments that every convolution has.

    Args:
        layer: the layer that was given them, which has its `dtype` and `spatial_axes`.
        param_dtype: the dtype that `w` and `b` are kept in.
        kernel_shape: the window, as one number or one for each spatial axis.
        stride: its step, likewise.
        with_bias: whether there is a `b`.
        w_init: initializer of `w`, a value, or None.
        b_init: initializer of `b`, a value, or None.
        data_format: where the channels are.
        mask: what `w` is multiplied by, or None.

    Raises:
        ValueError: one of them has no meaning.
    """
    layer.param_dtype = param_dtype
    require_floating(layer)
    layer.kernel_shape = sizes(layer, "kernel_shape", kernel_shape, layer.spatial_axes)
    layer.stride = sizes(layer, "stride", stride, layer.spatial_axes)
    layer.with_bias = switch(layer, "with_bias", with_bias)
    layer.w_init = initializer_of(layer, "w_init", w_init)
    layer.b_init = initializer_of(layer, "b_init", b_init)
    layer.data_format = data_format
    layer.channel_axis = channel_axis_of(layer, data_format, layer.spatial_axes)
    layer.mask = None if mask is None else np.asarray(mask)
    if not with_bias:
        require_not_given(layer, "b_init", b_init, "with_bias")


def layouts(layer: Module) -> tuple[str, str, str]:
    """The axes of inputs, kernel and outputs as letters, such as `("NHWC", "HWIO", "NHWC")`."""
    between = "DHW"[-layer.spatial_axes :]
    image = f"N{between}C" if layer.channel_axis == -1 else f"NC{between}"
    return image, f"{between}IO", image


def image_of(layer: Module, x: Any) -> jax.Array:
    """The input as an array with as many axes as the layer's images have, and channels among them.

    Raises:
        TypeError: it is not one array of real numbers.
        ValueError: it has another number of axes, or no channels.
    """
    x = real_array(layer, x)
    axes = layer.spatial_axes + 2
    require_rank(layer, x, axes, f"{_COUNTS[axes]} axes, {layouts(layer)[0]}", most=axes)
    if x.shape[layer.channel_axis] == 0:
        raise ValueError(
            f"{who(layer)} was called with {short_type(x)}, which has 0 channels. It needs at least one. "
            "Check `data_format`."
        )
    return x


def kernel_of(layer: Module, shape: tuple[int, ...], fan_in: int) -> jax.Array:
    """The kernel in the dtype that the layer computes in, times its mask.

    Args:
        layer: the layer.
        shape: the kernel's shape.
        fan_in: how many inputs one output sees; decides the size of the first values.

    Raises:
        ValueError: the mask does not broadcast to the kernel.
    """
    w_init = TruncatedNormal(1 / math.sqrt(fan_in)) if layer.w_init is None else layer.w_init
    w = declared(layer, "w", shape, layer.param_dtype, w_init)
    w = w.astype(compute_dtype(layer, w))
    if layer.mask is None:
        return w
    fits = layer.mask.ndim <= len(shape) and all(
        size in (1, wanted) for size, wanted in zip(layer.mask.shape[::-1], shape[::-1], strict=False)
    )
    if not fits:
        raise ValueError(
            f"{who(layer)} was given a mask of shape {layer.mask.shape}. Its parameter `w` has the shape {shape}. "
            "Give a mask that broadcasts to it."
        )
    return w * jnp.broadcast_to(jnp.asarray(layer.mask, w.dtype), shape)


def biased(layer: Module, y: jax.Array) -> jax.Array:
    """Outputs plus the bias of their channels, if the layer has one."""
    if not layer.with_bias:
        return y
    b_init = jnp.zeros if layer.b_init is None else layer.b_init
    b = declared(layer, "b", (y.shape[layer.channel_axis],), layer.param_dtype, b_init).astype(y.dtype)
    return y + lax.broadcast_in_dim(b, y.shape, (layer.channel_axis % y.ndim,))


def convolved(layer: Module, x: jax.Array, output_channels: int, groups: int) -> jax.Array:
    """The outputs of a layer that has `rate` and `padding` too.

    Args:
        layer: the layer.
        x: what `image_of` returned.
        output_channels: how many channels the outputs have.
        groups: how many groups of channels do not see each other; divides both numbers of channels.

    Raises:
        ValueError: the window does not fit into the image.
    """
    kernel_shape = layer.kernel_shape
    shape = (*kernel_shape, x.shape[layer.channel_axis] // groups, output_channels)
    w = kernel_of(layer, shape, math.prod(shape[:-1]))
    padding = layer.padding
    if padding == "CAUSAL":
        padding = [((size - 1) * rate, 0) for size, rate in zip(kernel_shape, layer.rate, strict=True)]
    y = lax.conv_general_dilated(
        x.astype(w.dtype),
        w,
        window_strides=layer.stride,
        padding=padding,
        rhs_dilation=layer.rate,
        dimension_numbers=layouts(layer),
        feature_group_count=groups,
    )
    if y.size == 0 and x.shape[0] != 0:
        raise ValueError(
            f"{who(layer)} was called with {short_type(x)}. Its window of {kernel_shape} with rate {layer.rate} "
            'does not fit into that. Use `padding="SAME"`, or a smaller `kernel_shape`.'
        )
    return biased(layer, y)
