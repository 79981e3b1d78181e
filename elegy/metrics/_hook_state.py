"""State hooks for metrics: `call` written with `add_parameter` becomes a pure function of its arrays."""

import contextvars
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .._errors import did_you_mean, listing, short_type
from .._logs import Ratio, Totals
from .._names import name_of
from .._reduce import Reduction, parts_of, reduce_values, split_mask
from .._sums import quotient, sum_value
from ..module import initial_value


class HookState(NamedTuple):
    """The state of a metric that is written with hooks.

    Attributes:
        arrays: by name what `add_parameter` made; empty if `call` keeps no state.
        value: what `call` returned last; without arrays the exact sums of each part, to be averaged over the samples.
    """

    arrays: dict[str, Any]
    value: Any


def run_hooks(metric: Any, arrays: Mapping[str, Any] | None, arguments: Mapping[str, Any]) -> tuple[Any, "HookStore"]:
    """Run `metric.call` on its arrays; with None as arrays, `add_parameter` makes them.

    Returns:
        What `call` returned, and the store with the arrays as they are afterwards.
    """
    store = HookStore(metric, arrays)
    token = _running.set({**_running.get(), id(metric): store})
    try:
        value = metric.call(**arguments)
    finally:
        _running.reset(token)
    return value, store


def empty_hook_state(metric: Any, shapes: Mapping[str, Any]) -> HookState:
    """The initial arrays, in dtypes that two abstract updates leave unchanged, and a zero value.

    Raises:
        ValueError: an array changes its shape from one update to the next.
    """
    who = f"metric `{name_of(metric)}`"
    abstract, static = _split_abstract(shapes)
    made: dict[str, Any] = {}

    def run(arrays: dict[str, Any] | None, arguments: Any) -> tuple[Any, dict[str, Any]]:
        value, store = run_hooks(metric, arrays, {**arguments, **static})
        made.update(store.made)
        return value, store.values

    value, after = jax.eval_shape(lambda arguments: run(None, arguments), abstract)
    initial = {name: initial_value(*spec, key=None) for name, spec in made.items()}
    before = {name: jax.ShapeDtypeStruct(array.shape, array.dtype) for name, array in initial.items()}
    for _ in range(2):
        _require_same_shapes(before, after, who)
        before = {name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for name, leaf in after.items()}
        value, after = jax.eval_shape(run, before, abstract)
    _require_same_shapes(before, after, who)
    if after:
        arrays = {name: initial[name].astype(after[name].dtype) for name in initial}
        return HookState(arrays, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), value))
    return HookState({}, Totals.empty({part: Ratio(0.0, 1.0) for part in parts_of(value, who)}))


def updated_hook_state(metric: Any, state: HookState, arguments: Mapping[str, Any]) -> HookState:
    """The state after one more batch; the leading axis is the batch where `call` keeps no state."""
    value, store = run_hooks(metric, state.arrays, arguments)
    if store.values:
        arrays = {name: jnp.asarray(new).astype(state.arrays[name].dtype) for name, new in store.values.items()}
        return HookState(arrays, jax.tree.map(jnp.asarray, value))
    who = f"metric `{name_of(metric)}`"
    weight = arguments.get("sample_weight")
    means = {part: leading_mean(values, weight, who) for part, values in parts_of(value, who).items()}
    return HookState({}, state.value.add(means))


def leading_mean(value: Any, sample_weight: Any, who: str) -> Ratio:
    """The weighted mean of values whose leading axis is the batch, as an exact quotient."""
    values, _ = split_mask(value)
    return reduce_values(
        value,
        samples=values.shape[0] if values.ndim else 1,
        batch_axes=(0,) if values.ndim else (),
        sample_weight=sample_weight,
        reduction=Reduction.MEAN_WITH_SAMPLE_WEIGHT,
        who=who,
    )


def computed(state: HookState) -> Any:
    """The value of a state: the last one returned, or the means over all samples so far."""
    return state.value if state.arrays else mean_values(state.value)


def mean_values(totals: Totals) -> Any:
    """The means that exact sums make: a scalar, or a dict of scalars if the values were partitioned."""
    means = {part: total_value(total) for part, total in totals.logs().items()}
    return means[""] if set(means) == {""} else means


def total_value(total: Ratio) -> jax.Array:
    """The sum of quotients of exact sums, as one float32 scalar."""
    value = jnp.float32(0)
    for numerator, denominator in total.terms:
        top = sum_value(numerator)
        value = value + (top if denominator is None else quotient(top, sum_value(denominator)))
    return value


class HookStore:
    """The arrays of one metric while its `call` runs."""

    def __init__(self, metric: Any, arrays: Mapping[str, Any] | None) -> None:
        self.metric = metric
        self.making = arrays is None
        self.values: dict[str, Any] = dict(arrays or {})
        self.made: dict[str, tuple[Any, Any, Any]] = {}

    def get(self, name: str, shape: tuple[int, ...], dtype: Any, initializer: Any) -> Any:
        """The array `name`, made now if the metric is being initialized."""
        if name not in self.values:
            if not self.making:
                raise ValueError(
                    f"The metric `{name_of(self.metric)}` adds `{name}`, which it did not add when it was initialized. "
                    f"It has: {listing(self.values)}. Add every array in each call."
                )
            self.made[name] = (initializer, shape, dtype)
            self.values[name] = initial_value(initializer, shape, dtype, None)
        return self.values[name]

    def set(self, name: str, value: Any) -> None:
        """Replace the array `name`."""
        if name not in self.values:
            raise ValueError(
                f"The metric `{name_of(self.metric)}` updates `{name}`, which it does not have. "
                f"It has: {listing(self.values)}. Call `add_parameter` first." + did_you_mean(name, self.values)
            )
        self.values[name] = value


def running_store(metric: Any) -> HookStore:
    """The store of a metric whose `call` is running now.

    Raises:
        ValueError: it is not running.
    """
    store = _running.get().get(id(metric))
    if store is None:
        raise ValueError(
            f"A state hook of the metric `{name_of(metric)}` was called. The metric is not running. "
            "Call hooks inside `call` only."
        )
    return store


def _split_abstract(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments made of arrays, and those that are plain values (`training`, None)."""

    def is_array_tree(value: Any) -> bool:
        leaves = jax.tree.leaves(value)
        return bool(leaves) and all(hasattr(leaf, "shape") and hasattr(leaf, "dtype") for leaf in leaves)

    arrays = {name: value for name, value in arguments.items() if is_array_tree(value)}
    return arrays, {name: value for name, value in arguments.items() if name not in arrays}


def _require_same_shapes(before: Mapping[str, Any], after: Mapping[str, Any], who: str) -> None:
    for name, leaf in before.items():
        if name in after and after[name].shape != leaf.shape:
            raise ValueError(
                f"The state `{name}` of {who} went from {short_type(leaf)} to {short_type(after[name])} in one update. "
                "A state keeps its shape. Sum over the batch before you add."
            )


_running: contextvars.ContextVar[Mapping[int, HookStore]] = contextvars.ContextVar(
    "running_metrics", default=types.MappingProxyType({})
)
