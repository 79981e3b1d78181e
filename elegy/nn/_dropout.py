"""Dropout."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from ..module import Module, is_training, next_rng_key
from ._requirements import channel_axis_of, floating_array, number_within, require_rank


class Dropout(Module):
    """Forgets a random part of its input while training, so that nothing relies on a single unit.

    Each value becomes 0 with probability `rate` and is divided by `1 - rate` otherwise, so means stay. Without training
    the input passes unchanged.

    Args:
        rate: probability that a value is dropped, `0 <= rate < 1`.
        name: its name below its parent.

    Raises:
        ValueError: `rate` is outside that range.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nn.Dropout(0.5)(jnp.ones(3), training=False).tolist()
        [1.0, 1.0, 1.0]
        >>> sorted(set(elegy.nn.Dropout(0.5)(jnp.ones(100), training=True).tolist()))
        [0.0, 2.0]

    Reference:
        Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 15, 2014.
    """

    def __init__(self, rate: float, name: str | None = None) -> None:
        super().__init__(name=name)
        self.rate = _rate(self, rate)

    def call(self, x: Any, training: bool | None = None, rng: Any = None) -> jax.Array:
        """Drop values.

        Args:
            x: any array, `(*d)`; integers become float32.
            training: whether values are dropped; by default whether the surrounding call trains.
            rng: a random key; by default the layer's own one of this step.

        Returns:
            An array of the same shape.
        """
        x = floating_array(self, x)
        return _dropped(self, x, x.shape, training, rng)


class AbstractSpatialDropout(Module):
    """A dropout of whole channels with as many spatial axes as a subclass says."""

    spatial_axes: ClassVar[int]

    def __init__(self, rate: float, data_format: str = "channels_last", name: str | None = None) -> None:
        super().__init__(name=name)
        self.rate = _rate(self, rate)
        self.data_format = data_format
        self.channel_axis = channel_axis_of(self, data_format, self.spatial_axes)

    def call(self, x: Any, training: bool | None = None, rng: Any = None) -> jax.Array:
        """Drop channels.

        Args:
            x: `(batch, *spatial, channels)`, or as `data_format` says; integers become float32.
            training: whether channels are dropped; by default whether the surrounding call trains.
            rng: a random key; by default the layer's own one of this step.

        Returns:
            An array of the same shape.

        Raises:
            ValueError: the input has another number of axes.
        """
        x, axes = floating_array(self, x), self.spatial_axes + 2
        require_rank(self, x, axes, f"a batch axis, {self.spatial_axes} spatial and a channel axis", most=axes)
        drawn = [1] * axes
        drawn[0], drawn[self.channel_axis] = x.shape[0], x.shape[self.channel_axis]
        return _dropped(self, x, tuple(drawn), training, rng)


class SpatialDropout1D(AbstractSpatialDropout):
    """Forgets whole features of a sequence while training; neighbours in time say too much alike for `Dropout`.

    Args:
        rate: probability that a channel of an example is dropped, `0 <= rate < 1`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: its name below its parent.

    Raises:
        ValueError: `rate` is outside that range, or the input does not have three axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> outputs = elegy.nn.SpatialDropout1D(0.5)(jnp.ones((1, 4, 8)), training=True)
        >>> bool((outputs == outputs[:, :1]).all())
        True

    Reference:
        Tompson et al., Efficient Object Localization Using Convolutional Networks, CVPR 2015.
    """

    spatial_axes = 1


class SpatialDropout2D(AbstractSpatialDropout):
    """Forgets whole channels of an image while training.

    Args and errors are those of `SpatialDropout1D`, for inputs of four axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> outputs = elegy.nn.SpatialDropout2D(0.5)(jnp.ones((1, 4, 4, 8)), training=True)
        >>> bool((outputs == outputs[:, :1, :1]).all())
        True
    """

    spatial_axes = 2


class SpatialDropout3D(AbstractSpatialDropout):
    """Forgets whole channels of a volume while training.

    Args and errors are those of `SpatialDropout1D`, for inputs of five axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> outputs = elegy.nn.SpatialDropout3D(0.5)(jnp.ones((1, 2, 2, 2, 8)), training=True)
        >>> bool((outputs == outputs[:, :1, :1, :1]).all())
        True
    """

    spatial_axes = 3


def _rate(layer: Module, rate: Any) -> float:
    meaning = (
        "It is the probability that a value is dropped, from 0 up to but not including 1. "
        "Give the part that is dropped, not the one that is kept."
    )
    return number_within(layer, "rate", rate, 0, 1, meaning)


def _dropped(layer: Module, x: jax.Array, drawn: tuple[int, ...], training: bool | None, rng: Any) -> jax.Array:
    """The input with values left out, if it trains; `drawn` is the shape of the random choices."""
    training = is_training() if training is None else training
    if not training or layer.rate == 0:
        return x
    kept = jax.random.bernoulli(next_rng_key() if rng is None else rng, 1 - layer.rate, drawn)
    return jnp.where(jnp.broadcast_to(kept, x.shape), x / (1 - layer.rate), jnp.zeros_like(x))
