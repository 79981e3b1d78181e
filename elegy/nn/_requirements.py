"""What every layer refuses, in one wording."""

import operator
from collections.abc import Iterable
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._errors import did_you_mean, listing, short_type
from ..module import Module
from ..module._scope import running_scope


def who(layer: Module) -> str:
    """How errors call a layer: its class, and its path in the network that runs, or its name if it was given one."""
    scope = running_scope()
    path = scope.path(layer) if scope is not None and scope.knows(layer) else ""
    if path:
        return f"`{type(layer).__name__}` at `{path}`"
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
            f"{who(layer)} was given {argument}={values}. It has {count} spatial axes. Give one number for all of "
            f"them, or {count} numbers."
        )
    return tuple(positive(layer, argument, number) for number in values)


def padding_of(
    layer: Module, value: Any, count: int | None, words: tuple[str, ...] = ("SAME", "VALID")
) -> str | tuple[tuple[int, int], ...]:
    """One of `words`, or a pair (before, after) for each spatial axis.

    Args:
        layer: whose argument it is.
        value: what the user gave; strings in any case.
        count: how many pairs there must be, or None where only strings are allowed.
        words: the strings that are known.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, str) and value.upper() in words:
        return value.upper()
    if count is not None and not isinstance(value, str):
        pairs = _pairs(value)
        if pairs is not None and len(pairs) == count:
            return pairs
    others = "" if count is None else f", or {count} pairs of numbers (before, after)"
    near = did_you_mean(value.upper(), words) if isinstance(value, str) else ""
    raise ValueError(
        f"{who(layer)} was given padding={value!r}. It knows: {listing(words)}{others}. Write one of these.{near}"
    )


def _pairs(value: Any) -> tuple[tuple[int, int], ...] | None:
    try:
        pairs = tuple((operator.index(before), operator.index(after)) for before, after in value)
    except (TypeError, ValueError):
        return None
    return pairs if all(number >= 0 for pair in pairs for number in pair) else None


def channel_axis_of(layer: Module, data_format: str, spatial_axes: int = 2) -> int:
    """-1 or 1: where `data_format` has the channels.

    Args:
        layer: whose argument it is.
        data_format: what the user gave.
        spatial_axes: how many axes the short names, such as `NHWC`, have between batch and channels.

    Raises:
        ValueError: the format is unknown.
    """
    between = "DHW"[-spatial_axes:]
    known = {
        "channels_last": -1,
        "channels_first": 1,
        f"N{between}C": -1,
        f"NC{between}": 1,
        "N...C": -1,
        "NC...": 1,
    }
    if data_format not in known:
        raise ValueError(
            f"{who(layer)} was given data_format={data_format!r}. It knows: {listing(known)}. "
            f"Write one of these.{did_you_mean(str(data_format), known)}"
        )
    return known[data_format]


def require_floating(layer: Module) -> None:
    """Raise if the layer's `dtype`, or its `param_dtype` where it has one, has no fractions; None is no dtype.

    Raises:
        ValueError: it has none.
    """
    for argument in ("dtype", "param_dtype"):
        dtype = getattr(layer, argument, None)
        if dtype is not None and not _is_floating(dtype):
            raise ValueError(
                f"{who(layer)} was given {argument}={dtype!r}. A layer computes with floats. "
                "Give a dtype such as `jnp.float32` or `jnp.bfloat16`."
            )


def compute_dtype(layer: Module, *arrays: jax.Array) -> Any:
    """The dtype that a layer computes in: its own `dtype`, or that of its parameters, or that of its inputs.

    Args:
        layer: whose `dtype` counts if it is not None.
        *arrays: its parameters as they are in this call; the inputs of a layer that has none.

    Returns:
        The dtype; float32 for integers.
    """
    dtype = jnp.result_type(*arrays) if layer.dtype is None else jnp.dtype(layer.dtype)
    return dtype if _is_floating(dtype) else jnp.float32


def _is_floating(dtype: Any) -> bool:
    try:
        return bool(jnp.issubdtype(jnp.dtype(dtype), jnp.floating))
    except TypeError:
        return False


def switch(layer: Module, argument: str, value: Any) -> bool:
    """The value as True or False.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ValueError(f"{who(layer)} was given {argument}={value!r}. It is a switch. Give True or False.")


def number_within(layer: Module, argument: str, value: Any, least: float, below: float, meaning: str) -> float:
    """The value as a float, if `least <= value < below`.

    Raises:
        ValueError: it is not.
    """
    if isinstance(value, Real) and not isinstance(value, bool) and least <= float(value) < below:
        return float(value)
    raise ValueError(f"{who(layer)} was given {argument}={value!r}. {meaning}")


def positive_eps(layer: Module, value: Any) -> float:
    """The value as a float above 0.

    Raises:
        ValueError: it is none.
    """
    meaning = "It keeps a variance of 0 from being divided by. Give a number above 0, such as 1e-5."
    return number_within(layer, "eps", value, np.nextafter(0.0, 1.0), np.inf, meaning)


def initializer_of(layer: Module, argument: str, value: Any) -> Any:
    """The initializer as it was given, or None.

    Raises:
        ValueError: it is a class or text.
    """
    if isinstance(value, type):
        raise ValueError(
            f"{who(layer)} was given the class `{value.__name__}` as `{argument}`. An initializer is an instance. "
            f"Write `{value.__name__}(...)`, with parentheses."
        )
    if isinstance(value, str):
        raise ValueError(
            f"{who(layer)} was given {argument}={value!r}. An initializer is a function `(key, shape, dtype)` or "
            "`(shape, dtype)`, or a value. Take one from `elegy.initializers` or `jax.nn.initializers`."
        )
    return value


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


def one_array(layer: Module, x: Any) -> jax.Array:
    """The input as an array; nested lists of numbers are one.

    Raises:
        TypeError: it is several arrays, or nothing that an array can be made of.
    """
    arrays = [leaf for leaf in jax.tree.leaves(x) if hasattr(leaf, "shape")] if isinstance(x, (list, tuple)) else []
    if not arrays:
        try:
            return jnp.asarray(x)
        except (TypeError, ValueError):
            pass
    what = f"a {type(x).__name__} of {len(arrays)} arrays" if arrays else f"a {type(x).__name__}"
    raise TypeError(
        f"{who(layer)} was called with {what}. It takes one array of numbers. Pick one, or join several with "
        "`jnp.concatenate`."
    )


def real_array(layer: Module, x: Any) -> jax.Array:
    """The input as an array of real numbers, or of True and False.

    Raises:
        TypeError: it is not one.
    """
    array = one_array(layer, x)
    if any(jnp.issubdtype(array.dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)):
        return array
    raise TypeError(
        f"{who(layer)} was called with {short_type(array)}. It computes with real numbers. "
        "Give it such, for example `x.real` and `x.imag` as channels."
    )


def floating_array(layer: Module, x: Any) -> jax.Array:
    """The input as an array of floats: integers become float32.

    Raises:
        TypeError: it is not one array of real numbers.
    """
    x = real_array(layer, x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)


def declared(
    layer: Module, name: str, shape: tuple[int, ...], dtype: Any, initializer: Any, *, trainable: bool = True
) -> jax.Array:
    """The value of a parameter that the input asks to have this shape.

    Args:
        layer: whose it is.
        name: its name.
        shape: its shape.
        dtype: its dtype.
        initializer: its first value, or what makes it.
        trainable: a parameter, or a state.

    Raises:
        ValueError: the first value has another shape, or the layer was initialized for other inputs.
    """
    if not callable(initializer) and np.shape(initializer) not in ((), shape):
        raise ValueError(
            f"{who(layer)} was given a first value of `{name}` of shape {np.shape(initializer)}. With this input its "
            f"shape is {shape}. Give an array of that shape, a number, or a function."
        )
    value = layer.add_parameter(name, shape, dtype, initializer, trainable)
    if value.shape != shape:
        raise ValueError(
            f"{who(layer)} was called with an input that needs `{name}` of shape {shape}. It holds {value.shape}, from "
            "other inputs. Give inputs like the first ones, or make a new layer."
        )
    return value


def statistics_dtype(dtype: Any) -> Any:
    """The dtype of means and variances: float32 where the layer computes in fewer bits."""
    return jnp.float32 if jnp.finfo(dtype).bits < 32 else dtype
