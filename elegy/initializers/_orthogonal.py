"""The initializer whose matrices neither stretch nor shrink."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from ._scaling import require_matrix


@dataclasses.dataclass(frozen=True)
class Orthogonal:
    """Orthogonal matrices, which keep lengths: for recurrent and very deep networks.

    Columns are orthonormal; if a matrix has more columns than rows, rows are. Axes other than `axis` count as one.

    Args:
        scale: factor of the matrix.
        axis: the axis of the columns.

    Example:
        >>> import elegy, jax
        >>> w = elegy.initializers.Orthogonal()(jax.random.key(0), (3, 3))
        >>> bool(abs(w.T @ w - jax.numpy.eye(3)).max() < 1e-5)
        True

    Reference:
        Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep linear neural networks,
        arXiv:1312.6120.
    """

    scale: float = 1.0
    axis: int = -1

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Draw an array.

        Args:
            key: a random key.
            shape: the array's shape; at least two axes.
            dtype: the array's dtype, floating.

        Raises:
            ValueError: the shape has fewer than two axes, or no axis `axis`.
        """
        require_matrix("Orthogonal", shape)
        if not -len(shape) <= self.axis < len(shape):
            raise ValueError(
                f"`Orthogonal` was asked for the shape {tuple(shape)}. It was made with axis={self.axis}, "
                "which that shape "
                f"does not have. Give an axis from {-len(shape)} to {len(shape) - 1}."
            )
        return jax.nn.initializers.orthogonal(self.scale, self.axis)(key, tuple(shape), dtype)
