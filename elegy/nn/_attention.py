"""Attention: each element of a sequence takes what it needs from the others."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from .._errors import short_type
from ..initializers import TruncatedNormal
from ..module import Module
from ._dropout import Dropout
from ._requirements import (
    compute_dtype,
    declared,
    initializer_of,
    number_within,
    positive,
    require_floating,
    require_not_given,
    switch,
    who,
)
from ._sequences import attention_mask, sequences_of
from ._spelling import refuse_unknown

RATE = (
    "It is the probability that a value is dropped, from 0 up to but not including 1. "
    "Give the part that is dropped, not the one that is kept."
)
_ELSEWHERE = {
    "b_init": "bias_initializer",
    "dropout_rate": "dropout",
    "key_dim": "head_size",
    "key_size": "head_size",
    "model_size": "output_size",
    "output_shape": "output_size",
    "rate": "dropout",
    "use_bias": "use_projection_bias",
    "use_causal_mask": "causal",
    "is_causal": "causal",
    "w_init": "kernel_initializer",
    "with_bias": "use_projection_bias",
}


class MultiHeadAttention(Module):
    """Lets each query take a mean of the values, weighted by how well their keys fit; once for each head.

    Per head `softmax(q kᵀ / sqrt(head_size)) v`, with q, k and v linear in query, key and value; the heads' results are
    joined and projected once more. A query that may see no key gets zeros from the heads. Parameters: `query_kernel`,
    `key_kernel`, `value_kernel` of shape `(num_heads, features, head_size)`, `projection_kernel` of shape
    `(num_heads, head_size, output_size)`, `projection_bias` of shape `(output_size,)`.

    Args:
        head_size: length of the vectors of one head; `>= 1`. Nothing has to be divisible by the number of heads.
        num_heads: how many heads there are; `>= 1`.
        output_size: number of output features; that of the value by default.
        dropout: probability that a coefficient is dropped while training, `0 <= dropout < 1`.
        use_projection_bias: whether `projection_bias` is added.
        return_attn_coef: whether the coefficients are returned too.
        kernel_initializer: initializer of the four kernels; by default a truncated normal of standard deviation
            `1 / sqrt(inputs)`, as in `Linear`.
        bias_initializer: initializer of `projection_bias`; zeros by default.
        causal: whether query i sees only the keys 0 to i.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters, which
            `Model(precision=...)` lowers while a step runs. The softmax is computed in float32.
        param_dtype: the dtype that its parameters are kept in.
        **unknown: names of other libraries get an error that says what to write.

    Raises:
        ValueError: a number is out of range, or the inputs or the mask do not fit together.
        TypeError: an argument does not exist, or the mask is not boolean.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> attention = elegy.nn.MultiHeadAttention(head_size=8, num_heads=2)
        >>> attention(jnp.ones((4, 5, 3)), jnp.ones((4, 7, 6))).shape
        (4, 5, 6)

    Reference:
        Vaswani et al., Attention Is All You Need, arXiv:1706.03762.
    """

    def __init__(
        self,
        head_size: int,
        num_heads: int,
        output_size: int | None = None,
        dropout: float = 0.0,
        use_projection_bias: bool = True,
        return_attn_coef: bool = False,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        causal: bool = False,
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        **unknown: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        refuse_unknown(self, unknown, _ELSEWHERE)
        self.param_dtype = param_dtype
        require_floating(self)
        self.head_size = positive(self, "head_size", head_size)
        self.num_heads = positive(self, "num_heads", num_heads)
        self.output_size = None if output_size is None else positive(self, "output_size", output_size)
        self.dropout = number_within(self, "dropout", dropout, 0, 1, RATE)
        self.use_projection_bias = switch(self, "use_projection_bias", use_projection_bias)
        self.return_attn_coef = switch(self, "return_attn_coef", return_attn_coef)
        self.kernel_initializer = initializer_of(self, "kernel_initializer", kernel_initializer)
        self.bias_initializer = initializer_of(self, "bias_initializer", bias_initializer)
        self.causal = switch(self, "causal", causal)
        if not use_projection_bias:
            require_not_given(self, "bias_initializer", bias_initializer, "use_projection_bias")

    def call(
        self, query: Any, key: Any = None, value: Any = None, mask: Any = None, training: bool | None = None
    ) -> Any:
        """Apply the layer.

        Args:
            query: what asks, `(batch, queries, features)`.
            key: what is compared, `(batch, keys, features')`; the query by default.
            value: what is taken, `(batch, keys, features'')`; the key by default.
            mask: True where a query may see a key; a boolean array that broadcasts to
                `(batch, num_heads, queries, keys)` or `(batch, queries, keys)`, or one of `(batch, keys)`.
            training: whether coefficients are dropped; by default whether the surrounding call trains.

        Returns:
            `(batch, queries, output_size)`; with `return_attn_coef` also the coefficients before they are dropped,
            `(batch, num_heads, queries, keys)`, which are 0 where nothing may be seen.
        """
        query, key, value = self._inputs(query, key, value)
        if mask is not None:
            mask = attention_mask(self, mask, (len(query), self.num_heads, query.shape[1], key.shape[1]))
        kernels = {name: self._kernel(f"{name}_kernel", x) for name, x in _named(query, key, value)}
        dtype = compute_dtype(self, *kernels.values())
        q, k, v = (
            jnp.einsum("bti,nih->btnh", x.astype(dtype), kernels[name].astype(dtype))
            for name, x in _named(query, key, value)
        )
        if self.dropout or self.return_attn_coef:
            coefficients = _coefficients(q, k, mask, self.causal)
            dropped = Dropout(self.dropout, name="coefficients")(coefficients, training=training)
            heads = jnp.einsum("bnts,bsnh->btnh", dropped.astype(dtype), v)
            outputs = self._projected(heads, value.shape[-1])
            return (outputs, coefficients.astype(dtype)) if self.return_attn_coef else outputs
        return self._projected(_attended(q, k, v, mask, self.causal), value.shape[-1])

    def _inputs(self, query: Any, key: Any, value: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        query = sequences_of(self, query)
        key = query if key is None else sequences_of(self, key)
        value = key if value is None else sequences_of(self, value)
        if not len(query) == len(key) == len(value) or key.shape[1] != value.shape[1]:
            raise ValueError(
                f"{who(self)} was called with query {short_type(query)}, key {short_type(key)} and value "
                f"{short_type(value)}. All have the same batch, and there is one value for each key. "
                "Give sequences that fit together."
            )
        return query, key, value

    def _kernel(self, name: str, x: jax.Array) -> jax.Array:
        features = x.shape[-1]
        initializer = self._initializer(features)
        return declared(self, name, (self.num_heads, features, self.head_size), self.param_dtype, initializer)

    def _initializer(self, inputs: int) -> Any:
        return TruncatedNormal(1 / math.sqrt(inputs)) if self.kernel_initializer is None else self.kernel_initializer

    def _projected(self, heads: jax.Array, features: int) -> jax.Array:
        size = features if self.output_size is None else self.output_size
        shape = (self.num_heads, self.head_size, size)
        initializer = self._initializer(self.num_heads * self.head_size)
        kernel = declared(self, "projection_kernel", shape, self.param_dtype, initializer)
        outputs = jnp.einsum("btnh,nho->bto", heads, kernel.astype(heads.dtype))
        if self.use_projection_bias:
            initializer = jnp.zeros if self.bias_initializer is None else self.bias_initializer
            bias = declared(self, "projection_bias", (size,), self.param_dtype, initializer)
            outputs = outputs + jnp.broadcast_to(bias.astype(outputs.dtype), outputs.shape)
        return outputs


def _named(query: jax.Array, key: jax.Array, value: jax.Array) -> tuple[tuple[str, jax.Array], ...]:
    return ("query", query), ("key", key), ("value", value)


def _attended(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None, causal: bool) -> jax.Array:
    """What the heads take, `(batch, queries, heads, head_size)`; zeros for a query that sees nothing."""
    visible = None if mask is None else _visible(mask, causal, q.shape[1], k.shape[1])
    # It promotes bfloat16 for its softmax, which a user's strict promotion would refuse.
    with jax.numpy_dtype_promotion("standard"):
        attended = jax.nn.dot_product_attention(q, k, v, mask=visible, is_causal=causal and mask is None)
    if visible is None:
        return attended
    sees = jnp.swapaxes(jnp.any(visible, axis=-1, keepdims=True), 1, 2)
    return jnp.where(sees, attended, jnp.zeros_like(attended))


def _coefficients(q: jax.Array, k: jax.Array, mask: jax.Array | None, causal: bool) -> jax.Array:
    """The weights of the mean, `(batch, heads, queries, keys)`, which `jax.nn` neither drops nor returns."""
    logits = jnp.einsum("btnh,bsnh->bnts", q, k, preferred_element_type=jnp.float32) / math.sqrt(q.shape[-1])
    if mask is None and not causal:
        return jax.nn.softmax(logits)
    visible = _visible(jnp.ones((1, 1, 1, 1), bool) if mask is None else mask, causal, q.shape[1], k.shape[1])
    weights = jax.nn.softmax(jnp.where(visible, logits, jnp.full_like(logits, jnp.finfo(logits.dtype).min / 2)))
    return jnp.where(visible, weights, jnp.zeros_like(weights))


def _visible(mask: jax.Array, causal: bool, queries: int, keys: int) -> jax.Array:
    return mask & jnp.tri(queries, keys, dtype=bool)[None, None] if causal else mask
