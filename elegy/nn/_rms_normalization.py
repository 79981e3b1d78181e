"""Root mean square normalization."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ._affine import affine_of, normalized_axes, set_affine
from ._requirements import real_array


class RMSNormalization(Module):
    """Gives each example a mean square of 1 over its features: `LayerNormalization` without the mean, and cheaper.

    `x / sqrt(mean(x²) + eps) * scale`, with the mean over `axis`. Parameter: `scale`, of the shape of the normalized
    axes.

    Args:
        axis: the axis or axes that are normalized.
        create_scale: whether the result is multiplied by `scale`.
        eps: added to the mean square; `> 0`.
        scale_init: initializer of `scale`, or a value; ones by default.
        name: its name below its parent.
        dtype: the dtype that it returns; None is that of its parameter, or of its inputs without one. The mean square
            is computed in float32.
        param_dtype: the dtype that its parameter is kept in.

    Raises:
        ValueError: `eps` is not positive, an initializer is given for a parameter that is switched off, or the input
            does not have these axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.RMSNormalization()(jnp.array([[1.0, -1.0], [3.0, 3.0]])).round(3).tolist()
        [[1.0, -1.0], [1.0, 1.0]]

    Reference:
        Zhang and Sennrich, Root Mean Square Layer Normalization, NeurIPS 2019.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        create_scale: bool = True,
        eps: float = 1e-6,
        scale_init: Any = None,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        set_affine(self, param_dtype, eps, create_scale, scale_init)

    def call(self, x: Any) -> jax.Array:
        """Normalize the input.

        Args:
            x: an array `(*d)` that has the axes `axis`; integers are converted.

        Returns:
            An array of the same shape, in the dtype that the layer returns.
        """
        x = real_array(self, x)
        axes = normalized_axes(self, x)
        affine = affine_of(self, x, tuple(x.shape[axis] for axis in axes))
        x = x.astype(affine.statistics_dtype)
        square = jnp.mean(jnp.square(x), axes, keepdims=True)
        return affine.outputs(x * jnp.broadcast_to(jax.lax.rsqrt(square + self.eps), x.shape), axes)
