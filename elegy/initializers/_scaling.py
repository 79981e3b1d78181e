"""Initializers whose spread follows the number of inputs and outputs, so that signals keep their size."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from .._errors import did_you_mean, listing

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "normal", "uniform")


@dataclasses.dataclass(frozen=True)
class VarianceScaling:
    """Keeps the size of signals alike from layer to layer; the family of Glorot, He and LeCun initializers.

    The variance is `scale / n`, with n the number of inputs, of outputs, or their mean. Glorot is
    `(1, "fan_avg", "uniform")`, He `(2, "fan_in", "truncated_normal")`, LeCun `(1, "fan_in", "truncated_normal")`.

    Args:
        scale: factor of the variance; `> 0`.
        mode: what n is: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"`, `"normal"` or `"uniform"`, each with that variance.

    Raises:
        ValueError: `scale` is not positive, or a string is unknown.

    Example:
        >>> import elegy, jax
        >>> he = elegy.initializers.VarianceScaling(2.0, "fan_in", "truncated_normal")
        >>> he(jax.random.key(0), (784, 300)).shape
        (784, 300)

    Reference:
        He et al., Delving Deep into Rectifiers, ICCV 2015. Glorot and Bengio, Understanding the difficulty of training
        deep feedforward neural networks, AISTATS 2010.
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        _require_positive("VarianceScaling", self.scale)
        _require_known("mode", self.mode, _MODES)
        _require_known("distribution", self.distribution, _DISTRIBUTIONS)

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Draw an array.

        Args:
            key: a random key.
            shape: the array's shape, `(*window, inputs, outputs)`.
            dtype: the array's dtype, floating.

        Raises:
            ValueError: the shape has fewer than two axes.
        """
        require_matrix("VarianceScaling", shape)
        draw: Any = jax.nn.initializers.variance_scaling
        return draw(self.scale, self.mode, self.distribution)(key, tuple(shape), dtype)


@dataclasses.dataclass(frozen=True)
class UniformScaling:
    """Uniform, with a spread that keeps the size of signals alike.

    The interval is `[-r, r]` with `r = scale * sqrt(3 / n)`, n the number of inputs.

    Args:
        scale: factor of the interval; `> 0`.

    Raises:
        ValueError: `scale` is not positive.

    Example:
        >>> import elegy, jax
        >>> draw = elegy.initializers.UniformScaling()(jax.random.key(0), (3, 100))
        >>> bool((abs(draw) <= 1).all())
        True

    Reference:
        Sussillo and Abbott, Random Walk Initialization for Training Very Deep Feedforward Networks, arXiv:1412.6558.
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        _require_positive("UniformScaling", self.scale)

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Draw an array.

        Args:
            key: a random key.
            shape: the array's shape, `(*window, inputs, outputs)`.
            dtype: the array's dtype, floating.

        Raises:
            ValueError: the shape has fewer than two axes.
        """
        require_matrix("UniformScaling", shape)
        return jax.nn.initializers.variance_scaling(self.scale**2, "fan_in", "uniform")(key, tuple(shape), dtype)


def require_matrix(who: str, shape: tuple[int, ...]) -> None:
    """Raise if a shape has no axes of inputs and outputs."""
    if len(shape) < 2:
        raise ValueError(
            f"`{who}` was asked for the shape {tuple(shape)}. It counts inputs and outputs, the last two axes. "
            "Use `RandomNormal`, `RandomUniform` or `Zeros` for vectors."
        )


def _require_positive(who: str, scale: float) -> None:
    if not scale > 0:
        raise ValueError(f"`{who}` was given scale={scale}. A scale is above 0. Use `Zeros` to start at zero.")


def _require_known(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(
            f"`VarianceScaling` was given {what}={value!r}. It knows: {listing(known)}. "
            f"Write one of these.{did_you_mean(str(value), known)}"
        )
