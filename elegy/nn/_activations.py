"""Activations, given as functions or by the names that Keras has for them."""

import functools
from collections.abc import Callable
from typing import Any, cast

import jax

from .._errors import did_you_mean, listing
from ..module import Module
from ._requirements import who

Activation = Callable[[jax.Array], jax.Array]


def _linear(x: jax.Array) -> jax.Array:
    return x


_ACTIVATIONS: dict[str, Activation] = {
    "elu": jax.nn.elu,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "linear": _linear,
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "selu": jax.nn.selu,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "softmax": jax.nn.softmax,
    "softplus": jax.nn.softplus,
    "softsign": jax.nn.soft_sign,
    "swish": jax.nn.silu,
    "tanh": jax.nn.tanh,
}


def activation_of(layer: Module, argument: str, value: Any) -> Activation:
    """The function that an argument stands for.

    Args:
        layer: whose argument it is.
        argument: its name.
        value: a function, a name, or None for none.

    Raises:
        ValueError: the name is unknown, or it is neither.
    """
    if value is None:
        return _linear
    if isinstance(value, str) and value in _ACTIVATIONS:
        return _ACTIVATIONS[value]
    if callable(value) and not isinstance(value, type):
        return cast(Activation, value)
    near = did_you_mean(value, _ACTIVATIONS) if isinstance(value, str) else ""
    raise ValueError(
        f"{who(layer)} was given {argument}={value!r}. It knows: {listing(_ACTIVATIONS)}. "
        f"Write one of these, or give a function such as `jax.nn.relu`.{near}"
    )
