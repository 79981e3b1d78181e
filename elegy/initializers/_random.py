"""Initializers that draw from one distribution, whatever the shape."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class RandomNormal:
    """A normal distribution, for embeddings and everything whose scale is known.

    Args:
        stddev: standard deviation; `>= 0`.
        mean: mean.

    Raises:
        ValueError: `stddev` is negative.

    Example:
        >>> import elegy, jax
        >>> elegy.initializers.RandomNormal(stddev=0.1)(jax.random.key(0), (2, 3)).shape
        (2, 3)
    """

    stddev: float = 1.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a negative standard deviation."""
        _require_not_negative("RandomNormal", self.stddev)

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Draw an array.

        Args:
            key: a random key.
            shape: the array's shape.
            dtype: the array's dtype, floating.
        """
        return _moved(jax.nn.initializers.normal(self.stddev)(key, tuple(shape), dtype), self.mean)


@dataclasses.dataclass(frozen=True)
class TruncatedNormal:
    """A normal distribution without its tails, so that no weight starts far away.

    Values beyond two standard deviations are drawn again, so the result's own standard deviation is `0.88 * stddev`.

    Args:
        stddev: standard deviation before the tails are cut; `>= 0`.
        mean: mean.

    Raises:
        ValueError: `stddev` is negative.

    Example:
        >>> import elegy, jax
        >>> draw = elegy.initializers.TruncatedNormal(stddev=0.1)(jax.random.key(0), (100,))
        >>> bool(abs(draw).max() <= 0.2)
        True
    """

    stddev: float = 1.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a negative standard deviation."""
        _require_not_negative("TruncatedNormal", self.stddev)

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Draw an array.

        Args:
            key: a random key.
            shape: the array's shape.
            dtype: the array's dtype, floating.
        """
        return _moved(jax.nn.initializers.truncated_normal(self.stddev)(key, tuple(shape), dtype), self.mean)


@dataclasses.dataclass(frozen=True)
class RandomUniform:
    """A uniform distribution over `[minval, maxval)`.

    Args:
        minval: lower end, included.
        maxval: upper end, excluded; `>= minval`.

    Raises:
        ValueError: `maxval` is below `minval`.

    Example:
        >>> import elegy, jax
        >>> draw = elegy.initializers.RandomUniform(-1, 1)(jax.random.key(0), (100,))
        >>> bool((abs(draw) <= 1).all())
        True
    """

    minval: float = 0.0
    maxval: float = 1.0

    def __post_init__(self) -> None:
        """Refuse an empty interval."""
        if self.maxval < self.minval:
            raise ValueError(
                f"`RandomUniform` was given maxval={self.maxval}. Its minval is {self.minval}, which is larger. "
                "Give `minval` first, then `maxval`."
            )

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Draw an array.

        Args:
            key: a random key.
            shape: the array's shape.
            dtype: the array's dtype, floating.
        """
        draw = jax.nn.initializers.uniform(self.maxval - self.minval)(key, tuple(shape), dtype)
        return _moved(draw, self.minval)


def _moved(draw: jax.Array, by: float) -> jax.Array:
    return draw + jnp.asarray(by, draw.dtype)


def _require_not_negative(who: str, stddev: float) -> None:
    if stddev < 0:
        raise ValueError(
            f"`{who}` was given stddev={stddev}. A standard deviation is not negative. Give a number of at least 0."
        )
