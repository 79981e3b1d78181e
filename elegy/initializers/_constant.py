"""Initializers that need no randomness."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp


# No generated `__eq__`: it would compare arrays for truth. Attributes are compared where sameness matters.
@dataclasses.dataclass(frozen=True, eq=False)
class Constant:
    """The same known value everywhere, such as a bias taken from the base rate of the labels.

    Args:
        constant: a number, or an array that broadcasts to the parameter's shape.

    Example:
        >>> import elegy, jax
        >>> elegy.initializers.Constant(0.5)(jax.random.key(0), (2,)).tolist()
        [0.5, 0.5]
    """

    constant: Any

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """An array of `shape` that holds the constant.

        Args:
            key: not needed.
            shape: what the array's shape is.
            dtype: what its dtype is.

        Raises:
            ValueError: the constant does not broadcast to `shape`.
        """
        del key
        value = jnp.asarray(self.constant, dtype)
        fits = value.ndim <= len(shape) and all(
            size in (1, wanted) for size, wanted in zip(value.shape[::-1], tuple(shape)[::-1], strict=False)
        )
        if not fits:
            raise ValueError(
                f"`Constant` was asked for the shape {tuple(shape)}. Its constant has the shape {value.shape}. "
                "Give a number, or an array that broadcasts to the parameter."
            )
        return jnp.broadcast_to(value, tuple(shape))


@dataclasses.dataclass(frozen=True)
class Zeros:
    """Zeros: the usual start of biases and offsets.

    Example:
        >>> import elegy, jax
        >>> elegy.initializers.Zeros()(jax.random.key(0), (2,)).tolist()
        [0.0, 0.0]
    """

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Zeros of `shape` and `dtype`; `key` is not needed."""
        return jax.nn.initializers.zeros(key, tuple(shape), dtype)


@dataclasses.dataclass(frozen=True)
class Ones:
    """Ones: the usual start of scales.

    Example:
        >>> import elegy, jax
        >>> elegy.initializers.Ones()(jax.random.key(0), (2,)).tolist()
        [1.0, 1.0]
    """

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Ones of `shape` and `dtype`; `key` is not needed."""
        return jax.nn.initializers.ones(key, tuple(shape), dtype)


@dataclasses.dataclass(frozen=True)
class Identity:
    """The identity matrix, so that a layer begins by passing its inputs on.

    Args:
        gain: factor of the matrix.

    Example:
        >>> import elegy, jax
        >>> elegy.initializers.Identity(2.0)(jax.random.key(0), (2, 3)).tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    gain: float = 1.0

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """The matrix.

        Args:
            key: not needed.
            shape: rows and columns.
            dtype: what its dtype is.

        Raises:
            ValueError: the shape does not have two axes.
        """
        del key
        if len(shape) != 2:
            raise ValueError(
                f"`Identity` was asked for the shape {tuple(shape)}. It makes matrices, which have two axes. "
                "Use it for the weights of `Linear`."
            )
        return jnp.asarray(self.gain, dtype) * jnp.eye(*shape, dtype=dtype)
