"""What normalizations share: their axes, mean and variance, and the learned scale and offset at the end."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .._errors import short_type
from ..module import Module
from ._requirements import (
    compute_dtype,
    declared,
    initializer_of,
    positive_eps,
    require_floating,
    require_not_given,
    require_rank,
    statistics_dtype,
    switch,
    who,
)


def set_affine(
    layer: Module,
    param_dtype: Any,
    eps: float,
    create_scale: bool,
    scale_init: Any,
    create_offset: bool = False,
    offset_init: Any = None,
) -> None:
    """Check and keep what the constructor of a normalization was given.

    Args:
        layer: the layer that was given it, which has its `dtype`.
        param_dtype: the dtype that `scale` and `offset` are kept in.
        eps: added to the variance.
        create_scale: whether there is a `scale`.
        scale_init: its initializer, a value, or None for ones.
        create_offset: whether there is an `offset`.
        offset_init: its initializer, a value, or None for zeros.

    Raises:
        ValueError: one of them has no meaning.
    """
    layer.param_dtype = param_dtype
    require_floating(layer)
    layer.eps = positive_eps(layer, eps)
    layer.create_scale = switch(layer, "create_scale", create_scale)
    layer.create_offset = switch(layer, "create_offset", create_offset)
    layer.scale_init = initializer_of(layer, "scale_init", scale_init)
    layer.offset_init = initializer_of(layer, "offset_init", offset_init)
    if not create_scale:
        require_not_given(layer, "scale_init", scale_init, "create_scale")
    if not create_offset:
        require_not_given(layer, "offset_init", offset_init, "create_offset")


class Affine(NamedTuple):
    """The scale and offset of one call.

    Attributes:
        scale: what is multiplied by, or None.
        offset: what is added, or None.
        dtype: the dtype of the layer's outputs.
    """

    scale: jax.Array | None
    offset: jax.Array | None
    dtype: Any

    @property
    def statistics_dtype(self) -> Any:
        """The dtype that mean and variance are computed in, and everything between them and the outputs."""
        return statistics_dtype(self.dtype)

    def outputs(self, y: jax.Array, axes: tuple[int, ...]) -> jax.Array:
        """What the layer returns.

        Args:
            y: the normalized inputs, in `statistics_dtype`.
            axes: the axes of `y` that the axes of scale and offset are.
        """
        if self.scale is not None:
            y = y * jax.lax.broadcast_in_dim(self.scale.astype(y.dtype), y.shape, axes)
        if self.offset is not None:
            y = y + jax.lax.broadcast_in_dim(self.offset.astype(y.dtype), y.shape, axes)
        return y.astype(self.dtype)


def affine_of(layer: Module, x: jax.Array, shape: tuple[int, ...]) -> Affine:
    """Scale and offset of a layer that went through `set_affine`, declared in its running call.

    Args:
        layer: the layer.
        x: its input, whose dtype counts where there are no parameters.
        shape: the shape of its parameters.
    """
    scale, offset = None, None
    if layer.create_scale:
        scale_init = jnp.ones if layer.scale_init is None else layer.scale_init
        scale = declared(layer, "scale", shape, layer.param_dtype, scale_init)
    if layer.create_offset:
        offset_init = jnp.zeros if layer.offset_init is None else layer.offset_init
        offset = declared(layer, "offset", shape, layer.param_dtype, offset_init)
    arrays = [array for array in (scale, offset) if array is not None] or [x]
    return Affine(scale, offset, compute_dtype(layer, *arrays))


def standardized(x: jax.Array, axes: tuple[int, ...], eps: float) -> jax.Array:
    """The values with mean 0 and variance 1 over some axes.

    Args:
        x: floats, in the dtype of the statistics.
        axes: over which axes.
        eps: added to the variance.
    """
    mean = jnp.broadcast_to(jnp.mean(x, axes, keepdims=True), x.shape)
    var = jnp.mean(jnp.square(x - mean), axes, keepdims=True)
    return (x - mean) * jnp.broadcast_to(jax.lax.rsqrt(var + eps), x.shape)


def normalized_axes(layer: Module, x: jax.Array) -> tuple[int, ...]:
    """The layer's `axis` as axes of an input, counted from 0 and in order.

    Raises:
        ValueError: the input does not have them.
    """
    require_rank(layer, x, 1, "at least one axis")
    if not layer.axis or any(not -x.ndim <= axis < x.ndim for axis in layer.axis):
        raise ValueError(
            f"{who(layer)} was called with {short_type(x)}. It was made with axis={layer.axis}, which it does not "
            f"have. Give axes from {-x.ndim} to {x.ndim - 1}."
        )
    return tuple(sorted({axis % x.ndim for axis in layer.axis}))
