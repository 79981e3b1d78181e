"""The blocks of residual networks: what they compute is added to what they are given."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ..nn import BatchNormalization, Conv2D
from ..nn._requirements import positive, require_floating, sizes
from ..nn._spelling import refuse_unknown

_ELSEWHERE = {"features": "n_filters", "filters": "n_filters", "output_channels": "n_filters", "stride": "strides"}


class ResNetBlock(Module):
    """Two 3x3 convolutions, normalized, added to the input; the block of ResNet18 and ResNet34.

    Where the shape changes, the input goes through a 1x1 convolution first. The last normalization's scale begins at 0,
    so that the block begins as what it adds to.

    Args:
        n_filters: number of output channels; `>= 1`.
        strides: step of the first convolution, one number or one for each spatial axis.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: a number is not positive, or the input does not have four axes.
        TypeError: an argument does not exist.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nets.ResNetBlock(8, strides=2)(jnp.ones((1, 6, 6, 4))).shape
        (1, 3, 3, 8)

    Reference:
        He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385; Goyal et al., Accurate, Large
        Minibatch SGD, arXiv:1706.02677, for the scale of 0.
    """

    def __init__(
        self,
        n_filters: int,
        strides: Any = 1,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        **unknown: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        _set_options(self, n_filters, strides, param_dtype, unknown)

    def call(self, x: Any) -> jax.Array:
        """Apply the block.

        Args:
            x: images, `(batch, height, width, channels)`.

        Returns:
            Images, `(batch, height', width', n_filters)`.
        """
        y = jax.nn.relu(convolved(self, x, self.n_filters, 3, self.strides))
        y = convolved(self, y, self.n_filters, 3, scale_init=jnp.zeros)
        return _added(self, x, y)


class BottleneckResNetBlock(Module):
    """A 3x3 convolution between two 1x1 ones with fewer channels; the block of ResNet50 and larger.

    Otherwise as `ResNetBlock`. The step is that of the 3x3 convolution (version 1.5 of the architecture).

    Args:
        n_filters: number of inner channels; `>= 1`. There are four times as many output channels.
        strides: step of the 3x3 convolution, one number or one for each spatial axis.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: a number is not positive, or the input does not have four axes.
        TypeError: an argument does not exist.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> elegy.nets.BottleneckResNetBlock(2, strides=2)(jnp.ones((1, 6, 6, 4))).shape
        (1, 3, 3, 8)

    Reference:
        He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385.
    """

    def __init__(
        self,
        n_filters: int,
        strides: Any = 1,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        **unknown: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        _set_options(self, n_filters, strides, param_dtype, unknown)

    def call(self, x: Any) -> jax.Array:
        """Apply the block.

        Args:
            x: images, `(batch, height, width, channels)`.

        Returns:
            Images, `(batch, height', width', 4 * n_filters)`.
        """
        y = jax.nn.relu(convolved(self, x, self.n_filters, 1))
        y = jax.nn.relu(convolved(self, y, self.n_filters, 3, self.strides))
        y = convolved(self, y, 4 * self.n_filters, 1, scale_init=jnp.zeros)
        return _added(self, x, y)


def convolved(block: Any, x: Any, channels: int, window: int, strides: Any = 1, scale_init: Any = None) -> jax.Array:
    """A convolution without bias, normalized.

    Args:
        block: the module whose call runs; it gets the children.
        x: images.
        channels: number of output channels.
        window: height and width of the window.
        strides: step of the window.
        scale_init: first value of the normalization's scale.
    """
    dtypes = {"dtype": block.dtype, "param_dtype": block.param_dtype}
    y = Conv2D(channels, window, stride=strides, with_bias=False, **dtypes)(x)
    return BatchNormalization(decay_rate=0.9, eps=1e-5, scale_init=scale_init, **dtypes)(y)


def _set_options(block: Any, n_filters: int, strides: Any, param_dtype: Any, unknown: Mapping[str, Any]) -> None:
    refuse_unknown(block, unknown, _ELSEWHERE)
    block.n_filters = positive(block, "n_filters", n_filters)
    block.strides = sizes(block, "strides", strides, 2)
    block.param_dtype = param_dtype
    require_floating(block)


def _added(block: Any, x: Any, y: jax.Array) -> jax.Array:
    x = jnp.asarray(x)
    if x.shape != y.shape:
        x = convolved(block, x, y.shape[-1], 1, block.strides)
    return jax.nn.relu(x.astype(y.dtype) + y)
