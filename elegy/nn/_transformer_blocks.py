"""The two halves of a transformer's layers: attention, and the network that is the same for each element."""

from collections.abc import Callable, Mapping
from typing import Any

import jax

from ..module import Module
from ._activations import activation_of
from ._attention import RATE, MultiHeadAttention
from ._dropout import Dropout
from ._layer_normalization import LayerNormalization
from ._linear import Linear
from ._requirements import number_within, positive, require_floating, switch, who
from ._spelling import refuse_unknown

_ELSEWHERE = {
    "dim_feedforward": "output_size",
    "dropout_rate": "dropout",
    "intermediate_dim": "output_size",
    "is_causal": "causal",
    "nhead": "num_heads",
}


def check_block(layer: Any, unknown: Mapping[str, Any]) -> None:
    """Refuse wrong options of a layer, or stack of layers, made of these halves.

    Args:
        layer: a module with the attributes `head_size`, `num_heads`, `output_size`, `dropout`, `activation`, `causal`.
        unknown: further arguments that it was given.

    Raises:
        TypeError: an argument does not exist.
        ValueError: an option is out of range.
    """
    refuse_unknown(layer, unknown, _ELSEWHERE)
    require_floating(layer)
    positive(layer, "head_size", layer.head_size)
    positive(layer, "num_heads", layer.num_heads)
    if layer.output_size is not None:
        positive(layer, "output_size", layer.output_size)
    number_within(layer, "dropout", layer.dropout, 0, 1, RATE)
    activation_of(layer, "activation", layer.activation)
    switch(layer, "causal", layer.causal)


def attended(layer: Any, x: jax.Array, memory: Any = None, mask: Any = None, *, causal: bool = False) -> jax.Array:
    """Let each element see the others, or those of `memory`; added to it and normalized.

    Args:
        layer: the layer whose call runs; it gets the children.
        x: `(batch, time, features)`.
        memory: another sequence, or None.
        mask: True where an element may see another.
        causal: whether later elements are hidden.
    """
    attention = MultiHeadAttention(
        layer.head_size,
        layer.num_heads,
        output_size=x.shape[-1],
        dropout=layer.dropout,
        causal=causal,
        dtype=layer.dtype,
        param_dtype=layer.param_dtype,
    )
    name = "attention_dropout" if memory is None else "memory_dropout"
    return _added(layer, x, attention(x, memory, mask=mask), name)


def transformed(layer: Any, x: jax.Array) -> jax.Array:
    """Two dense layers for each element by itself; added to it and normalized.

    Args:
        layer: the layer whose call runs; it gets the children.
        x: `(batch, time, features)`.
    """
    features = x.shape[-1]
    dtypes = {"dtype": layer.dtype, "param_dtype": layer.param_dtype}
    y = Linear(features if layer.output_size is None else layer.output_size, **dtypes)(x)
    y = Dropout(layer.dropout, name="inner_dropout")(activation_of(layer, "activation", layer.activation)(y))
    return _added(layer, x, Linear(features, **dtypes)(y), "outer_dropout")


def made_by(layer: Module, argument: str, make: Any) -> Callable[[], Any]:
    """The function without arguments that makes a part.

    Raises:
        TypeError: it is a module, or no function.
    """
    if callable(make) and not isinstance(make, Module):
        return make
    raise TypeError(
        f"{who(layer)} was given a {type(make).__name__} as `{argument}`. It takes a function without arguments that "
        f"makes one. Write `{argument}=lambda: ...`."
    )


def _added(layer: Any, x: jax.Array, y: jax.Array, name: str) -> jax.Array:
    # Named, since `dropout` is the layer's own attribute.
    y = Dropout(layer.dropout, name=name)(y)
    return LayerNormalization(dtype=layer.dtype, param_dtype=layer.param_dtype)(x.astype(y.dtype) + y)
