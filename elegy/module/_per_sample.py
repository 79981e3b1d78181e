"""Modules that are written for one sample: the one place that maps over the batch and names its axis."""

import dataclasses
import functools
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._errors import InjectionError, listing, short_type
from .._paths import flatten
from ._protocol import Applied, Functional, Variables

BATCH_AXIS = "batch"
"""The name of the axis that modules written for one sample are mapped along."""


def with_batches(functional: Functional, *, batched: bool) -> Functional:
    """A module that takes whole batches, made of one that does or of one that is written for one sample.

    The latter is mapped over the first axis of every leaf of `x`, along the axis `"batch"`. Parameters and states are
    the same for all samples, and each sample has its own key. States afterwards must be the same for all samples too,
    as they are after `jax.lax.pmean(value, "batch")`: nothing says how others were to be merged. What hooks add has
    the batch axis first, as outputs have.

    Args:
        functional: the module.
        batched: whether it takes whole batches already.

    Example:
        >>> from elegy.module import as_functional
        >>> sums = with_batches(as_functional(lambda x: x.sum()), batched=False)
        >>> sums.apply({}, {}, jnp.ones((2, 3)), key=None, training=False).outputs.tolist()
        [3.0, 3.0]
    """
    if batched:
        init, apply = _advised(functional, functional.init), _advised(functional, functional.apply)
    else:
        init, apply = _mapped_init(functional), _mapped_apply(functional)
    return dataclasses.replace(functional, init=init, apply=apply, batched=batched)


def _advised(functional: Functional, call: Callable[..., Any]) -> Callable[..., Any]:
    """The same call, whose errors tell of `batched=False` where that may be what is missing."""

    def advised(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except NameError as error:
            _refuse_axis(functional.name, error, _NO_AXIS)
            raise
        except (TypeError, ValueError) as error:
            if functional.per_sample and not isinstance(error, InjectionError):
                error.add_note(_ONE_SAMPLE)
            raise

    return advised


def _mapped_init(functional: Functional) -> Callable[..., Variables]:
    def init(key: jax.Array, x: Any) -> Variables:
        _count_samples(functional.name, x)

        def one(x: Any, own_key: None) -> tuple[Any, dict[str, Any], Any]:
            del own_key  # initial values are the same for all samples
            made = functional.init(key, x)
            return (), {"parameters": made.parameters, "states": made.states}, ()

        _, made, _ = _map(functional.name, one, jax.tree.map(lambda leaf: leaf[:1], x), None)
        return Variables(**made)

    return init


def _mapped_apply(functional: Functional) -> Callable[..., Applied]:
    def apply(parameters: Any, states: Any, x: Any, *, key: jax.Array | None, **how: Any) -> Applied:
        samples = _count_samples(functional.name, x)
        keys = None if key is None else jax.vmap(functools.partial(jax.random.fold_in, key))(jnp.arange(samples))

        def one(x: Any, key: jax.Array | None) -> tuple[Any, dict[str, Any], Any]:
            applied = functional.apply(parameters, states, x, key=key, **how)
            return applied.outputs, {"states": applied.states}, applied.extras

        outputs, after, extras = _map(functional.name, one, x, keys)
        return Applied(outputs, after["states"], extras)

    return apply


def _map(name: str, one: Callable[..., tuple[Any, dict[str, Any], Any]], x: Any, keys: Any) -> tuple[Any, Any, Any]:
    """Run a function on each sample; the second part of what it returns must be the same for all."""
    try:
        return jax.vmap(one, out_axes=(0, None, 0), axis_name=BATCH_AXIS)(x, keys)
    except NameError as error:
        _refuse_axis(name, error, f"It is mapped over the batch along the axis `{BATCH_AXIS}`. Give it that name.")
        raise
    except ValueError as error:
        different = _differing(one, x, keys)
        if not different:
            raise
        raise ValueError(
            f"module `{name}` is written for one sample (`batched=False`), and {listing(different)} would be another "
            "for each sample of the batch. What a model keeps is the same for all samples. Make it so with "
            f'`jax.lax.pmean(value, "{BATCH_AXIS}")`, or write the module for whole batches.'
        ) from error


def _differing(one: Callable[..., tuple[Any, dict[str, Any], Any]], x: Any, keys: Any) -> list[str]:
    """The paths of what differs from sample to sample; nothing if the function itself fails."""

    def traced(path: str | None) -> dict[str, Any] | None:
        def kept(x: Any, key: Any) -> Any:
            flat = {f"`{path}`": leaf for path, leaf in flatten(one(x, key)[1]).items()}
            return flat if path is None else flat[path]

        out_axes = 0 if path is None else None
        try:
            return jax.eval_shape(jax.vmap(kept, out_axes=out_axes, axis_name=BATCH_AXIS), x, keys)
        except ValueError:
            return None

    everything = traced(None) or {}
    return [path for path in everything if traced(path) is None]


def _count_samples(name: str, x: Any) -> int:
    leaves = jax.tree.leaves(x)
    sizes = {np.shape(leaf)[:1] for leaf in leaves}
    if len(sizes) != 1 or sizes == {()}:
        raise ValueError(
            f"module `{name}` is mapped over the samples of `x` (`batched=False`). The leaves of `x` are "
            f"{listing(map(short_type, leaves))}, without a first axis that all share. Give such `x`."
        )
    return sizes.pop()[0]


def _refuse_axis(name: str, error: NameError, there: str) -> None:
    """Raise if JAX's error is about an axis that no `vmap` has, and say which axis there is."""
    found = re.search(r"unbound axis name: (\S+)\.", str(error))
    if found:
        raise ValueError(f"module `{name}` names the axis `{found[1]}`. {there}") from error


_NO_AXIS = (
    "It takes whole batches, and is mapped over no axis. Write `Model(..., batched=False)` if it is written for one "
    f"sample, and call the axis `{BATCH_AXIS}`."
)
_ONE_SAMPLE = "Modules of this library usually take one sample. `Model(..., batched=False)` maps them over the batch."
