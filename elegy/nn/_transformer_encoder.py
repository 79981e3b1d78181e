"""Transformer encoders: sequences in which each element knows the others."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ._requirements import positive
from ._sequences import sequences_of
from ._transformer_blocks import attended, check_block, made_by, transformed


class TransformerEncoderLayer(Module):
    """Self-attention, then a small network for each element; each is added to its input and normalized.

    `x = norm(x + attention(x))`, then `norm(x + linear(activation(linear(x))))`; the features stay as many as they are.

    Args:
        head_size: length of the vectors of one head; `>= 1`.
        num_heads: how many heads there are; `>= 1`.
        output_size: number of outputs of the inner dense layer; that of the input's features by default.
        dropout: probability that a value is dropped while training, `0 <= dropout < 1`.
        activation: between the dense layers; a function or a name such as `"gelu"`.
        causal: whether an element sees only itself and earlier ones, as in language models.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: an option is out of range, or input and mask do not fit together.
        TypeError: an argument does not exist, or the mask is not boolean.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> layer = elegy.nn.TransformerEncoderLayer(head_size=4, num_heads=2, output_size=16)
        >>> layer(jnp.ones((3, 5, 8))).shape
        (3, 5, 8)

    Reference:
        Vaswani et al., Attention Is All You Need, arXiv:1706.03762.
    """

    def __init__(
        self,
        head_size: int,
        num_heads: int,
        output_size: int | None = None,
        dropout: float = 0.0,
        activation: Any = jax.nn.relu,
        causal: bool = False,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        **unknown: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.param_dtype = param_dtype
        self.head_size = head_size
        self.num_heads = num_heads
        self.output_size = output_size
        self.dropout = dropout
        self.activation = activation
        self.causal = causal
        check_block(self, unknown)

    def call(self, src: Any, mask: Any = None) -> jax.Array:
        """Apply the layer.

        Args:
            src: sequences, `(batch, time, features)`.
            mask: True where an element may see another: `(batch, num_heads, time, time)`, `(batch, time, time)`, or
                `(batch, time)` for the elements that are there.

        Returns:
            Sequences of the same shape.
        """
        x = attended(self, sequences_of(self, src), mask=mask, causal=self.causal)
        return transformed(self, x)


class TransformerEncoder(Module):
    """Encoder layers one after the other.

    Args:
        encoder_layer: a function without arguments that makes a layer, which is called with `(src, mask=mask)`.
        num_layers: how many there are; `>= 1`.
        norm: a function without arguments that makes a last layer, or None.
        name: its name below its parent.

    Raises:
        ValueError: `num_layers` is no positive whole number.
        TypeError: `encoder_layer` or `norm` is no function that makes one.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> encoder = elegy.nn.TransformerEncoder(lambda: elegy.nn.TransformerEncoderLayer(4, 2), num_layers=2)
        >>> encoder(jnp.ones((3, 5, 8))).shape, list(encoder.parameters)
        ((3, 5, 8), ['transformer_encoder_layer', 'transformer_encoder_layer_1'])
    """

    def __init__(
        self,
        encoder_layer: Callable[[], Any],
        num_layers: int,
        norm: Callable[[], Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.encoder_layer = made_by(self, "encoder_layer", encoder_layer)
        self.num_layers = positive(self, "num_layers", num_layers)
        self.norm = None if norm is None else made_by(self, "norm", norm)

    def call(self, src: Any, mask: Any = None) -> jax.Array:
        """Apply the layers.

        Args:
            src: sequences, `(batch, time, features)`.
            mask: goes to each layer.

        Returns:
            What the last layer returned.
        """
        for _ in range(self.num_layers):
            src = self.encoder_layer()(src, mask=mask)
        return src if self.norm is None else self.norm()(src)
