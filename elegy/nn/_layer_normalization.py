"""Layer normalization."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ._affine import affine_of, normalized_axes, set_affine, standardized
from ._requirements import real_array


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
        dtype: the dtype that it returns; None is that of its parameters, or of its inputs without any. Mean and
            variance are computed in float32.
        param_dtype: the dtype that its parameters are kept in.

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
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        set_affine(self, param_dtype, eps, create_scale, scale_init, create_offset, offset_init)

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
        return affine.outputs(standardized(x.astype(affine.statistics_dtype), axes, self.eps), axes)
