"""Transformer decoders: sequences that are written while another one is read."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ._requirements import positive
from ._sequences import sequences_of
from ._transformer_blocks import attended, check_block, made_by, transformed


class TransformerDecoderLayer(Module):
    """Self-attention, attention to a memory, then a small network for each element; each added and normalized.

    Args:
        head_size: length of the vectors of one head; `>= 1`.
        num_heads: how many heads there are; `>= 1`.
        output_size: number of outputs of the inner dense layer; that of the input's features if None.
        dropout: probability that a value is dropped while training, `0 <= dropout < 1`.
        activation: between the dense layers; a function or a name such as `"gelu"`.
        causal: whether an element of the target sees only itself and earlier ones; so the next one can be learned.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: an option is out of range, or inputs and masks do not fit together.
        TypeError: an argument does not exist, or a mask is not boolean.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> layer = elegy.nn.TransformerDecoderLayer(head_size=4, num_heads=2, output_size=16)
        >>> layer(jnp.ones((3, 5, 8)), jnp.ones((3, 7, 6))).shape
        (3, 5, 8)

    Reference:
        Vaswani et al., Attention Is All You Need, arXiv:1706.03762.
    """

    def __init__(
        self,
        head_size: int,
        num_heads: int,
        output_size: int | None = 2048,
        dropout: float = 0.1,
        activation: Any = jax.nn.relu,
        causal: bool = True,
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

    def call(self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None) -> jax.Array:
        """Apply the layer.

        Args:
            tgt: target sequences, `(batch, time, features)`.
            memory: what an encoder returned, `(batch, source_time, features')`.
            tgt_mask: True where an element of the target may see another one, beside what `causal` hides; as the mask
                of `MultiHeadAttention`.
            memory_mask: True where an element of the target may see one of the memory.

        Returns:
            Sequences of the shape of `tgt`.
        """
        x = attended(self, sequences_of(self, tgt), mask=tgt_mask, causal=self.causal)
        return transformed(self, attended(self, x, memory, memory_mask))


class TransformerDecoder(Module):
    """Decoder layers one after the other.

    Args:
        decoder_layer: a function without arguments that makes a layer, which is called with
            `(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask)`.
        num_layers: how many there are; `>= 1`.
        norm: a function without arguments that makes a last layer, or None.
        name: its name below its parent.

    Raises:
        ValueError: `num_layers` is no positive whole number.
        TypeError: `decoder_layer` or `norm` is no function that makes one.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> decoder = elegy.nn.TransformerDecoder(lambda: elegy.nn.TransformerDecoderLayer(4, 2), num_layers=2)
        >>> decoder(jnp.ones((3, 5, 8)), jnp.ones((3, 7, 8))).shape
        (3, 5, 8)
    """

    def __init__(
        self,
        decoder_layer: Callable[[], Any],
        num_layers: int,
        norm: Callable[[], Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.decoder_layer = made_by(self, "decoder_layer", decoder_layer)
        self.num_layers = positive(self, "num_layers", num_layers)
        self.norm = None if norm is None else made_by(self, "norm", norm)

    def call(self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None) -> jax.Array:
        """Apply the layers.

        Args:
            tgt: target sequences, `(batch, time, features)`.
            memory: goes to each layer.
            tgt_mask: goes to each layer.
            memory_mask: goes to each layer.

        Returns:
            What the last layer returned.
        """
        for _ in range(self.num_layers):
            tgt = self.decoder_layer()(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask)
        return tgt if self.norm is None else self.norm()(tgt)
