"""Batch normalization."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .._errors import short_type
from ..module import Module, is_training
from ..module._scope import running_scope
from ._affine import affine_of, set_affine
from ._moving_average import ExponentialMovingAverage
from ._requirements import channel_axis_of, number_within, real_array, require_rank, who

_DECAY = (
    "It is the part of the running averages that an update keeps, from 0 up to but not including 1. "
    "Give a number such as 0.99."
)


class BatchNormalization(Module):
    """Gives each channel mean 0 and variance 1 over the batch, which makes deep networks easier to train.

    `(x - mean) / sqrt(var + eps) * scale + offset`. While training, mean and variance are those of the batch;
    otherwise they are running averages, which start at 0 and 1 and whose first update counts in full. Parameters:
    `scale`, `offset`; states: `average`, `hidden` and `counter` below `mean_ema` and `var_ema`; all but the counters
    have the shape `(channels,)`.

    Args:
        create_scale: whether the result is multiplied by `scale`.
        create_offset: whether `offset` is added.
        decay_rate: how much of the running averages an update keeps, `0 <= decay_rate < 1`.
        eps: added to the variance; `> 0`.
        scale_init: initializer of `scale`, or a value; ones by default.
        offset_init: initializer of `offset`, or a value; zeros by default.
        axis: the axes over which mean and variance are taken, with the batch axis among them; by default all but the
            channels. Parameters and states have the shape of the others.
        data_format: `"channels_last"` or `"channels_first"`.
        name: its name below its parent.
        dtype: the dtype that it returns; None is that of its parameters, or of its inputs without any. Mean and
            variance are computed in float32.
        param_dtype: the dtype that its parameters are kept in.

    Raises:
        ValueError: a number is out of range, an initializer is given for a parameter that is switched off, or the input
            does not have these axes.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> normalize = elegy.nn.BatchNormalization()
        >>> normalize(jnp.array([[1.0], [3.0]]), training=True).round(3).tolist()
        [[-1.0], [1.0]]
        >>> normalize(jnp.array([[2.0]]), training=False).round(3).tolist()
        [[0.0]]

    Reference:
        Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift,
        ICML 2015.
    """

    def __init__(
        self,
        create_scale: bool = True,
        create_offset: bool = True,
        decay_rate: float = 0.99,
        eps: float = 1e-5,
        scale_init: Any = None,
        offset_init: Any = None,
        axis: int | Sequence[int] | None = None,
        data_format: str = "channels_last",
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        set_affine(self, param_dtype, eps, create_scale, scale_init, create_offset, offset_init)
        self.decay_rate = number_within(self, "decay_rate", decay_rate, 0, 1, _DECAY)
        self.axis = (axis,) if isinstance(axis, int) else None if axis is None else tuple(axis)
        self.data_format = data_format
        self.channel_axis = channel_axis_of(self, data_format)
        self.mean_ema = ExponentialMovingAverage(decay_rate)
        self.var_ema = ExponentialMovingAverage(decay_rate, start=1.0)

    def call(self, x: Any, training: bool | None = None) -> jax.Array:
        """Normalize the input, and update the running averages while training.

        Args:
            x: `(batch, *d, channels)`, or as `data_format` says; integers are converted.
            training: whether the batch's own mean and variance are used and remembered; by default whether the
                surrounding call trains. A frozen layer never does.

        Returns:
            An array of the same shape, in the dtype that the layer returns.
        """
        x = real_array(self, x)
        over = self._reduced(x)
        kept = tuple(axis for axis in range(x.ndim) if axis not in over)
        shape = tuple(x.shape[axis] for axis in kept)
        affine = affine_of(self, x, shape)
        x = x.astype(affine.statistics_dtype)
        mean, var = None, None
        training = is_training() if training is None else training
        if training and not _is_frozen():
            mean = jnp.mean(x, over)
            var = jnp.mean(jnp.square(x - _spread(mean, x, kept)), over)
        running_mean = self.mean_ema(shape, mean)
        running_var = self.var_ema(shape, var)
        mean, var = (running_mean, running_var) if mean is None or var is None else (mean, var)
        factor = jax.lax.rsqrt(var + self.eps)
        if affine.scale is not None:
            factor = factor * affine.scale.astype(factor.dtype)
        y = (x - _spread(mean, x, kept)) * _spread(factor, x, kept)
        return affine._replace(scale=None).outputs(y, kept)

    def _reduced(self, x: jax.Array) -> tuple[int, ...]:
        require_rank(self, x, 2 if self.axis is None else 1, "a batch axis and a channel axis, and any between them")
        if self.axis is None:
            return tuple(axis for axis in range(x.ndim) if axis != self.channel_axis % x.ndim)
        axes = {axis % x.ndim for axis in self.axis}
        if any(not -x.ndim <= axis < x.ndim for axis in self.axis) or 0 not in axes:
            raise ValueError(
                f"{who(self)} was called with {short_type(x)}. It was made with axis={self.axis}, which are not axes "
                "of that with the batch axis 0 among them. Give the axes that mean and variance are taken over."
            )
        return tuple(sorted(axes))


def _spread(value: jax.Array, x: jax.Array, kept: tuple[int, ...]) -> jax.Array:
    return jax.lax.broadcast_in_dim(value, x.shape, kept)


def _is_frozen() -> bool:
    """Whether the surrounding call trains and this module does not, whatever `training` its parent hands down."""
    scope = running_scope()
    return scope is not None and scope.training and not is_training()
