"""A running mean that does not lean towards its start."""

import math

import jax
import jax.numpy as jnp

from ..initializers import Constant
from ..module import Module
from ._requirements import declared


class ExponentialMovingAverage(Module):
    """Remembers the mean of recent values; the first value counts in full.

    `hidden = decay * hidden + (1 - decay) * value`, `average = hidden / (1 - decay ** counter)`. These three are its
    states.

    Args:
        decay: how much of the old is kept by an update, `0 <= decay < 1`.
        start: what the average is before the first update.
        name: its name below its parent.

    Example:
        >>> import jax.numpy as jnp
        >>> mean = ExponentialMovingAverage(0.9)
        >>> mean((), jnp.array(3.0)).round(4).tolist()
        3.0

    Reference:
        Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, section 3.
    """

    def __init__(self, decay: float, start: float = 0.0, name: str | None = None) -> None:
        super().__init__(name=name)
        self.decay = decay
        self.start = start

    def call(self, shape: tuple[int, ...], value: jax.Array | None = None) -> jax.Array:
        """The average, after an update if there is a value.

        Args:
            shape: the shape of the values.
            value: one more value of that shape, float32.
        """
        average = declared(self, "average", shape, jnp.float32, Constant(self.start), trainable=False)
        hidden = declared(self, "hidden", shape, jnp.float32, jnp.zeros, trainable=False)
        counter = declared(self, "counter", (), jnp.int32, jnp.zeros, trainable=False)
        if value is None:
            return average
        counter = counter + 1
        hidden = self.decay * hidden + (1 - self.decay) * value
        # 1 - decay ** counter, exact also where decay is near 1.
        log_decay = math.log(self.decay) if self.decay > 0 else -math.inf
        average = hidden / -jnp.expm1(log_decay * counter.astype(jnp.float32))
        self.update_parameter("counter", counter)
        self.update_parameter("hidden", hidden)
        self.update_parameter("average", average)
        return average
