"""The transformer: an encoder that reads, and a decoder that writes."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..module import Module
from ._layer_normalization import LayerNormalization
from ._requirements import positive
from ._sequences import sequences_of
from ._transformer_blocks import check_block, made_by
from ._transformer_decoder import TransformerDecoder, TransformerDecoderLayer
from ._transformer_encoder import TransformerEncoder, TransformerEncoderLayer


class Transformer(Module):
    """Turns one sequence into another one, as in translation: `decoder(tgt, encoder(src))`.

    It has no embedding and no positions; add them to the inputs.

    Args:
        head_size: length of the vectors of one head; `>= 1`.
        num_heads: how many heads there are; `>= 1`.
        num_encoder_layers: how many layers the encoder has; `>= 1`.
        num_decoder_layers: how many layers the decoder has; `>= 1`.
        output_size: number of outputs of the inner dense layers; that of the inputs' features if None.
        dropout: probability that a value is dropped while training, `0 <= dropout < 1`.
        activation: between the dense layers; a function or a name such as `"gelu"`.
        custom_encoder: a function without arguments that makes another encoder, called with `(src, mask=src_mask)`.
        custom_decoder: a function without arguments that makes another decoder, called with
            `(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask)`.
        causal: whether an element of the target sees only itself and earlier ones; so the next one can be learned.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: an option is out of range, or inputs and masks do not fit together.
        TypeError: an argument does not exist, a custom part is no function, or a mask is not boolean.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> transformer = elegy.nn.Transformer(4, 2, num_encoder_layers=1, num_decoder_layers=1, output_size=16)
        >>> transformer(jnp.ones((3, 7, 8)), jnp.ones((3, 5, 8))).shape
        (3, 5, 8)

    Reference:
        Vaswani et al., Attention Is All You Need, arXiv:1706.03762.
    """

    def __init__(
        self,
        head_size: int = 512,
        num_heads: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        output_size: int | None = 2048,
        dropout: float = 0.1,
        activation: Any = jax.nn.relu,
        custom_encoder: Callable[[], Any] | None = None,
        custom_decoder: Callable[[], Any] | None = None,
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
        self.num_encoder_layers = positive(self, "num_encoder_layers", num_encoder_layers)
        self.num_decoder_layers = positive(self, "num_decoder_layers", num_decoder_layers)
        self.output_size = output_size
        self.dropout = dropout
        self.activation = activation
        self.custom_encoder = None if custom_encoder is None else made_by(self, "custom_encoder", custom_encoder)
        self.custom_decoder = None if custom_decoder is None else made_by(self, "custom_decoder", custom_decoder)
        self.causal = causal
        check_block(self, unknown)

    def call(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None, memory_mask: Any = None
    ) -> jax.Array:
        """Read `src` and write on from `tgt`.

        Args:
            src: source sequences, `(batch, source_time, features)`.
            tgt: target sequences, `(batch, time, features)`.
            src_mask: True where an element of the source may see another one, as the mask of `MultiHeadAttention`.
            tgt_mask: the same for the target, beside what `causal` hides.
            memory_mask: True where an element of the target may see one of the source; by default `src_mask` if that
                is one of `(batch, source_time)`, which tells the elements that are there.

        Returns:
            Sequences of the shape of `tgt`.
        """
        src, tgt = sequences_of(self, src), sequences_of(self, tgt)
        if memory_mask is None and src_mask is not None and jnp.ndim(src_mask) == 2:
            memory_mask = src_mask
        encoder = self._encoder() if self.custom_encoder is None else self.custom_encoder()
        decoder = self._decoder() if self.custom_decoder is None else self.custom_decoder()
        memory = encoder(src, mask=src_mask)
        return decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask)

    def _encoder(self) -> TransformerEncoder:
        return TransformerEncoder(self._layers(TransformerEncoderLayer), self.num_encoder_layers, self._norm())

    def _decoder(self) -> TransformerDecoder:
        layers = self._layers(TransformerDecoderLayer, causal=self.causal)
        return TransformerDecoder(layers, self.num_decoder_layers, self._norm())

    def _norm(self) -> Callable[[], Any]:
        return functools.partial(LayerNormalization, dtype=self.dtype, param_dtype=self.param_dtype)

    def _layers(self, kind: Any, **options: Any) -> Callable[[], Any]:
        return functools.partial(
            kind,
            self.head_size,
            self.num_heads,
            self.output_size,
            self.dropout,
            self.activation,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
            **options,
        )
