"""What a parameter is before it has a value, and how it gets its first one."""

import dataclasses
import inspect
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from .._errors import short_type
from ._compare import has_tracer

Initializer = Any
"""A function `(key, shape, dtype)` or `(shape, dtype)`, told apart by the first argument's name, or a value."""


@dataclasses.dataclass(frozen=True)
class Spec:
    """A declared parameter.

    Attributes:
        shape: its shape, lengths of `stack` included.
        dtype: its dtype.
        initializer: makes its first value.
        trainable: whether it is a parameter or a state.
        stack: lengths of the leading axes that `elegy.scan` and `elegy.vmap` gave it, outermost first.
    """

    shape: tuple[int, ...]
    dtype: Any
    initializer: Initializer
    trainable: bool
    stack: tuple[int, ...] = ()

    def __reduce__(self) -> Any:
        """Copies and pickles leave the initializer out: it may be a lambda, and each initialization brings its own."""
        return Spec, (self.shape, self.dtype, jnp.zeros, self.trainable, self.stack)


def spec_of(shape: tuple[int, ...], dtype: Any, initializer: Initializer, trainable: bool, default_dtype: Any) -> Spec:
    """The declaration with shape and dtype filled in; a value brings its own where none are given."""
    if callable(initializer):
        return Spec(tuple(shape), jnp.dtype(dtype or default_dtype or jnp.float32), initializer, trainable)
    value = jnp.asarray(initializer) if not isinstance(initializer, Tracer) else initializer
    shape = tuple(shape) or value.shape
    return Spec(shape, jnp.dtype(dtype or value.dtype), initializer, trainable)


def require_declarable(who: str, name: str, spec: Spec, known: Spec | None, is_taken: bool) -> None:
    """Raise if a parameter cannot be declared.

    Args:
        who: how errors call the module.
        name: the parameter's name.
        spec: what is declared now.
        known: what an earlier call declared under that name.
        is_taken: whether an attribute or a child has the name.

    Raises:
        ValueError: its initial value is computed, it is trainable and no float, its name is taken, or it changed.
    """
    if has_tracer(spec.initializer):
        raise ValueError(
            f"{who} initializes `{name}` with an array that is computed in the call. An initial value is "
            "fixed, or made from a key and a shape. Give a value or a function `(key, shape, dtype)`."
        )
    if spec.trainable and not jnp.issubdtype(spec.dtype, jnp.floating):
        raise ValueError(
            f"{who} declares `{name}` as trainable with dtype {spec.dtype.name}. Only floats have "
            "gradients. Give it a float dtype, or `trainable=False`."
        )
    if is_taken:
        raise ValueError(
            f"{who} adds a parameter that is called `{name}`. It has an attribute or child of that name. "
            "Choose another name."
        )
    if known is not None and (known.shape, known.trainable) != (spec.shape, spec.trainable):
        raise ValueError(
            f"{who} adds `{name}` with shape {spec.shape}, trainable={spec.trainable}. In an earlier call it had "
            f"{known.shape}, trainable={known.trainable}. A parameter keeps both."
        )


def initial_value(initializer: Initializer, shape: tuple[int, ...], dtype: Any, key: jax.Array | None) -> jax.Array:
    """The first value of a parameter.

    Args:
        initializer: see `Initializer`.
        shape: its shape; `()` with a value means the value's own.
        dtype: its dtype; None means float32, or the value's own.
        key: for initializers that ask for one.

    Raises:
        ValueError: the initializer wants a key and there is none, or its value has another shape.

    Example:
        >>> initial_value(0, (), None, None).dtype.name
        'int32'
    """
    if not callable(initializer):
        value = jnp.asarray(initializer, dtype)
        return jnp.broadcast_to(value, tuple(shape) or value.shape).astype(value.dtype)
    dtype = jnp.float32 if dtype is None else dtype
    if _wants_key(initializer):
        if key is None:
            raise ValueError(
                f"The initializer `{getattr(initializer, '__name__', initializer)}` asks for a key. There is "
                "none here. "
                "Use an initializer `(shape, dtype)`, or a value."
            )
        value = initializer(key, tuple(shape), dtype)
    else:
        value = initializer(tuple(shape), dtype)
    value = jnp.asarray(value, dtype)
    if value.shape != tuple(shape):
        raise ValueError(
            f"An initializer was asked for the shape {tuple(shape)}. It made {short_type(value)}. "
            "Return an array of the shape it is given."
        )
    return value


def stacked_value(spec: Spec, key: jax.Array) -> jax.Array:
    """The first value of a declared parameter; each part of a stacked one has a key of its own."""

    def made(stack: tuple[int, ...], key: jax.Array) -> jax.Array:
        if not stack:
            return initial_value(spec.initializer, spec.shape[len(spec.stack) :], spec.dtype, key)
        return jax.vmap(lambda key: made(stack[1:], key))(jax.random.split(key, stack[0]))

    return made(spec.stack, key)


def _wants_key(initializer: Any) -> bool:
    """Whether a key goes first: by the first argument's name, or since there are three that must be given."""
    try:
        parameters = inspect.signature(initializer).parameters.values()
    except (TypeError, ValueError):
        return False
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return bool(places) and (places[0].name in ("key", "rng") or sum(p.default is p.empty for p in places) == 3)
