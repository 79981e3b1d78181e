"""Residual networks, for images."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ..nn import Linear, MaxPool
from ..nn._requirements import positive, require_floating, switch, who
from ..nn._spelling import refuse_unknown
from ._counts import counts
from ._resnet_blocks import convolved

_ELSEWHERE = {"num_classes": "output_size", "classes": "output_size", "block_cls": "block_type"}


class ResNet(Module):
    """A network for images that stays trainable when it is deep, since each block adds to what it is given.

    A convolution, stages of blocks with 64, 128, 256, ... filters, each after the first one halving height and width,
    the mean over the image, and a linear layer. There is no softmax: outputs are logits.

    Args:
        stages: number of blocks of each stage.
        block_type: what makes a block, called with `(n_filters, strides=, dtype=, param_dtype=)`: the class
            `ResNetBlock`, `BottleneckResNetBlock`, or one of your own.
        lowres: for images such as those of CIFAR-10: the first convolution is 3x3 and keeps the size (otherwise 7x7
            with step 2, and a pooling), as in section 4.2 of the paper.
        output_size: number of outputs, such as classes.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters, which
            `Model(precision=...)` lowers while a step runs.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: a number is not positive, or the input does not have four axes.
        TypeError: an argument does not exist, or `block_type` makes no block.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> net = elegy.nets.ResNet([1, 1], elegy.nets.ResNetBlock, lowres=True, output_size=10)
        >>> net(jnp.ones((2, 8, 8, 3))).shape
        (2, 10)

    Reference:
        He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385.
    """

    def __init__(
        self,
        stages: Sequence[int],
        block_type: Any,
        lowres: bool = False,
        output_size: int = 1000,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        **unknown: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        refuse_unknown(self, unknown, _ELSEWHERE)
        self.stages = counts(self, "stages", stages)
        self.block_type = block_type
        self.lowres = switch(self, "lowres", lowres)
        self.output_size = positive(self, "output_size", output_size)
        self.param_dtype = param_dtype
        require_floating(self)
        if not callable(block_type) or isinstance(block_type, Module):
            raise TypeError(
                f"{who(self)} was given a {type(block_type).__name__} as `block_type`. It makes all the blocks, so it "
                "takes what makes one. Give a class, such as `elegy.nets.ResNetBlock`."
            )

    def call(self, x: Any) -> jax.Array:
        """Apply the network.

        Args:
            x: images, `(batch, height, width, channels)`; integers are converted.

        Returns:
            Logits, `(batch, output_size)`.
        """
        dtypes = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        x = jax.nn.relu(convolved(self, x, 64, 3 if self.lowres else 7, 1 if self.lowres else 2))
        if not self.lowres:
            x = MaxPool(3, strides=2, padding="SAME")(x)
        for stage, count in enumerate(self.stages):
            for block in range(count):
                strides = 2 if stage > 0 and block == 0 else 1
                x = self.block_type(64 * 2**stage, strides=strides, **dtypes)(x)
        return Linear(self.output_size, **dtypes)(jnp.mean(x, axis=(1, 2)))
