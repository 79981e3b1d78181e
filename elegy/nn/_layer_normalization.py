"""Layer normalization."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .._errors import short_type
from ..module import Module
from ._requirements import (
    declared,
    in_dtype,
    initializer_of,
    positive_eps,
    require_floating,
    require_not_given,
    require_rank,
    statistics_dtype,
    switch,
    who,
)


class LayerNormalization(Module):
    """Gives each example mean 0 and variance 1 over its features; independent of the batch.

    `(x - mean) / sqrt(var + eps) * scale + offset`, with mean and variance over `axis`. Parameters: `scale`, `offset`,
    of the shape of the normalized axes.

    Args:
        axis: the axis or axes that are normalized.
        create_scale: whether the result is multiplied by `scale`.
        create_offset: whether `offset` is added.
        eps: added to the variance; `> 0`.
        scale_init: initializer of `scale`, or a value; ones by default.
        offset_init: initializer of `offset`, or a value; zeros by default.
        name: its name below its parent.
        dtype: the dtype of its outputs and parameters; mean and variance are computed in float32.

    Raises:
        ValueError: `eps` is not positive, an initializer is given for a parameter that is switched off, or the input
            does not have these axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.LayerNormalization()(jnp.array([[1.0, 3.0], [5.0, 9.0]])).round(3).tolist()
        [[-1.0, 1.0], [-1.0, 1.0]]

    Reference:
        Ba, Kiros and Hinton, Layer Normalization, arXiv:1607.06450.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        create_scale: bool = True,
        create_offset: bool = True,
        eps: float = 1e-5,
        scale_init: Any = None,
        offset_init: Any = None,
        name: str | None = None,
        dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        require_floating(self)
        self.create_scale = switch(self, "create_scale", create_scale)
        self.create_offset = switch(self, "create_offset", create_offset)
        self.eps = positive_eps(self, eps)
        self.scale_init = initializer_of(self, "scale_init", scale_init)
        self.offset_init = initializer_of(self, "offset_init", offset_init)
        if not create_scale:
            require_not_given(self, "scale_init", scale_init, "create_scale")
        if not create_offset:
            require_not_given(self, "offset_init", offset_init, "create_offset")

    def call(self, x: Any) -> jax.Array:
        """Normalize the input.

        Args:
            x: an array `(*d)` that has the axes `axis`; integers are converted.

        Returns:
            An array of the same shape, in the layer's dtype.
        """
        x = in_dtype(self, x, statistics_dtype(self.dtype))
        axes = self._normalized(x)
        mean = jnp.broadcast_to(jnp.mean(x, axes, keepdims=True), x.shape)
        var = jnp.broadcast_to(jnp.mean(jnp.square(x - mean), axes, keepdims=True), x.shape)
        y = (x - mean) * jax.lax.rsqrt(var + self.eps)
        shape = tuple(x.shape[axis] for axis in axes)
        if self.create_scale:
            scale_init = jnp.ones if self.scale_init is None else self.scale_init
            scale = declared(self, "scale", shape, self.dtype, scale_init).astype(x.dtype)
            y = y * jax.lax.broadcast_in_dim(scale, x.shape, axes)
        if self.create_offset:
            offset_init = jnp.zeros if self.offset_init is None else self.offset_init
            offset = declared(self, "offset", shape, self.dtype, offset_init).astype(x.dtype)
            y = y + jax.lax.broadcast_in_dim(offset, x.shape, axes)
        return y.astype(self.dtype)

    def _normalized(self, x: jax.Array) -> tuple[int, ...]:
        require_rank(self, x, 1, "at least one axis")
        axes = {axis % x.ndim for axis in self.axis}
        if not axes or any(not -x.ndim <= axis < x.ndim for axis in self.axis):
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}. It was made with axis={self.axis}, which it does not "
                f"have. Give axes from {-x.ndim} to {x.ndim - 1}."
            )
        return tuple(sorted(axes))
