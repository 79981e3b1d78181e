"""The members of the family of `VarianceScaling` that have names."""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from ._scaling import require_matrix


@dataclasses.dataclass(frozen=True)
class AbstractFans:
    """An initializer of `jax.nn.initializers` that follows the number of inputs and outputs."""

    draw: ClassVar[Callable[..., Any]]

    def __call__(self, key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Draw an array.

        Args:
            key: a random key.
            shape: the array's shape, `(*window, inputs, outputs)`.
            dtype: the array's dtype, floating.

        Raises:
            ValueError: the shape has fewer than two axes.
        """
        require_matrix(type(self).__name__, shape)
        return type(self).draw()(key, tuple(shape), dtype)


@dataclasses.dataclass(frozen=True)
class GlorotUniform(AbstractFans):
    """Uniform over `[-r, r]` with `r = sqrt(6 / (inputs + outputs))`: for tanh and sigmoid; Keras' default.

    Example:
        >>> import elegy, jax
        >>> draw = elegy.initializers.GlorotUniform()(jax.random.key(0), (3, 3))
        >>> bool((abs(draw) <= 1).all())
        True

    Reference:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
    """

    draw = staticmethod(jax.nn.initializers.glorot_uniform)


@dataclasses.dataclass(frozen=True)
class GlorotNormal(AbstractFans):
    """A truncated normal of variance `2 / (inputs + outputs)`: for tanh and sigmoid.

    Example:
        >>> import elegy, jax
        >>> elegy.initializers.GlorotNormal()(jax.random.key(0), (784, 300)).shape
        (784, 300)

    Reference:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
    """

    draw = staticmethod(jax.nn.initializers.glorot_normal)


@dataclasses.dataclass(frozen=True)
class HeUniform(AbstractFans):
    """Uniform over `[-r, r]` with `r = sqrt(6 / inputs)`: for ReLU.

    Example:
        >>> import elegy, jax
        >>> draw = elegy.initializers.HeUniform()(jax.random.key(0), (6, 3))
        >>> bool((abs(draw) <= 1).all())
        True

    Reference:
        He et al., Delving Deep into Rectifiers, ICCV 2015.
    """

    draw = staticmethod(jax.nn.initializers.he_uniform)


@dataclasses.dataclass(frozen=True)
class HeNormal(AbstractFans):
    """A truncated normal of variance `2 / inputs`: for ReLU.

    Example:
        >>> import elegy, jax
        >>> elegy.initializers.HeNormal()(jax.random.key(0), (3, 3, 64, 128)).shape
        (3, 3, 64, 128)

    Reference:
        He et al., Delving Deep into Rectifiers, ICCV 2015.
    """

    draw = staticmethod(jax.nn.initializers.he_normal)


@dataclasses.dataclass(frozen=True)
class LecunUniform(AbstractFans):
    """Uniform over `[-r, r]` with `r = sqrt(3 / inputs)`: for SELU and linear layers.

    Example:
        >>> import elegy, jax
        >>> draw = elegy.initializers.LecunUniform()(jax.random.key(0), (3, 3))
        >>> bool((abs(draw) <= 1).all())
        True

    Reference:
        LeCun et al., Efficient BackProp, 1998.
    """

    draw = staticmethod(jax.nn.initializers.lecun_uniform)


@dataclasses.dataclass(frozen=True)
class LecunNormal(AbstractFans):
    """A truncated normal of variance `1 / inputs`: for SELU and linear layers.

    Example:
        >>> import elegy, jax
        >>> elegy.initializers.LecunNormal()(jax.random.key(0), (784, 300)).shape
        (784, 300)

    Reference:
        LeCun et al., Efficient BackProp, 1998.
    """

    draw = staticmethod(jax.nn.initializers.lecun_normal)
