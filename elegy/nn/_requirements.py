"""What every layer refuses, in one wording."""

import operator
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp

from .._errors import did_you_mean, listing, short_type
from ..module import Module

_CHANNEL_AXES = {"channels_last": -1, "channels_first": 1, "NHWC": -1, "NCHW": 1, "N...C": -1, "NC...": 1}


def who(layer: Module) -> str:
    """How errors call a layer: its class, and its name if it was given one."""
    return f"`{type(layer).__name__}(name={layer.name!r})`" if layer.name else f"`{type(layer).__name__}`"


def positive(layer: Module, argument: str, value: Any) -> int:
    """The value as an int of at least 1.

    Raises:
        ValueError: it is something else.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(
            f"{who(layer)} was given {argument}={value!r}. It counts something, so it is a whole number of at least 1. "
            f"Give another `{argument}`."
        )
    return number


def sizes(layer: Module, argument: str, value: Any, count: int) -> tuple[int, ...]:
    """One whole number per spatial axis, from one number for all or from a sequence.

    Raises:
        ValueError: the sequence has another length, or a number is below 1.
    """
    if not isinstance(value, Iterable):
        return (positive(layer, argument, value),) * count
    values = tuple(value)
    if len(values) != count:
        raise ValueError(
            f"{who(layer)} was given {argument}={values}. It has {count} spatial axes. Give one number for all of them, or "
            f"{count} numbers."
        )
    return tuple(positive(layer, argument, number) for number in values)


def padding_of(layer: Module, value: Any, count: int | None) -> str | tuple[tuple[int, int], ...]:
    """`"SAME"`, `"VALID"`, or a pair (before, after) for each spatial axis.

    Args:
        layer: whose argument it is.
        value: what the user gave; strings in any case.
        count: how many pairs there must be, or None where only strings are allowed.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, str) and value.upper() in ("SAME", "VALID"):
        return value.upper()
    if count is not None and not isinstance(value, str):
        pairs = _pairs(value)
        if pairs is not None and len(pairs) == count:
            return pairs
    others = "" if count is None else f", or {count} pairs of numbers (before, after)"
    near = did_you_mean(value.upper(), ("SAME", "VALID")) if isinstance(value, str) else ""
    raise ValueError(f"{who(layer)} was given padding={value!r}. It knows: SAME, VALID{others}. Write one of these.{near}")


def _pairs(value: Any) -> tuple[tuple[int, int], ...] | None:
    try:
        pairs = tuple((operator.index(before), operator.index(after)) for before, after in value)
    except (TypeError, ValueError):
        return None
    return pairs if all(number >= 0 for pair in pairs for number in pair) else None


def channel_axis_of(layer: Module, data_format: str) -> int:
    """-1 or 1: where `data_format` has the channels.

    Raises:
        ValueError: the format is unknown.
    """
    if data_format not in _CHANNEL_AXES:
        raise ValueError(
            f"{who(layer)} was given data_format={data_format!r}. It knows: {listing(_CHANNEL_AXES)}. "
            f"Write one of these.{did_you_mean(str(data_format), _CHANNEL_AXES)}"
        )
    return _CHANNEL_AXES[data_format]


def require_not_given(layer: Module, argument: str, value: Any, switch: str) -> None:
    """Raise if an initializer was given for a parameter that was switched off."""
    if value is not None:
        raise ValueError(
            f"{who(layer)} was given `{argument}`. With {switch}=False there is no such parameter. "
            f"Leave out `{argument}`, or set {switch}=True."
        )


def require_rank(layer: Module, x: jax.Array, least: int, axes: str, most: int | None = None) -> None:
    """Raise if an input has too few axes, or too many.

    Args:
        layer: whose input it is.
        x: the input.
        least: the smallest number of axes.
        axes: what the axes are, for the message.
        most: the largest number of axes; None for any.
    """
    if x.ndim < least or (most is not None and x.ndim > most):
        raise ValueError(
            f"{who(layer)} was called with {short_type(x)}. It takes {axes}. "
            "Reshape the input; a single example needs a batch axis of length 1."
        )


def in_dtype(x: Any, dtype: Any) -> jax.Array:
    """The input as an array in which the layer computes."""
    return jnp.asarray(x).astype(dtype)
