"""`Metric`: four verbs, or one `call` with state hooks; and how a metric runs by itself."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp

from .._inject import Offer, arguments_for, call_with, wants
from .._names import name_of
from .._on import On, index_offer
from ._hook_state import computed, empty_hook_state, running_store, updated_hook_state

Better = Literal["higher", "lower"] | None
"""Which direction of a metric is an improvement; None: neither is."""


class Metric:
    """A metric: subclass it, and write either `call` with state hooks or the four verbs.

    With hooks, `call` asks by name for what it needs, keeps its sums with `add_parameter` and `update_parameter`, and
    returns the running value. With verbs, `empty`, `update`, `merge` and `compute` are pure functions of a state of
    fixed shape; that is how the built-in metrics are written, since such states can be merged.

    Args:
        on: which part of `y_true` and `y_pred` this metric sees: a key, an index, or a sequence of these.
        name: how logs call it; by default the class name in snake case.

    Example:
        >>> class Accuracy(Metric):
        ...     def call(self, y_true, y_pred):
        ...         total = self.add_parameter("total", initializer=0)
        ...         count = self.add_parameter("count", initializer=0)
        ...         total += jnp.sum(y_true == y_pred)
        ...         count += y_true.size
        ...         self.update_parameter("total", total)
        ...         self.update_parameter("count", count)
        ...         return total / count
        >>> accuracy = Accuracy()
        >>> float(accuracy(y_true=jnp.array([1, 1, 1, 1]), y_pred=jnp.array([0, 1, 1, 1])))
        0.75
        >>> float(accuracy(y_true=jnp.array([1, 1, 1, 1]), y_pred=jnp.array([1, 0, 0, 0])))
        0.5
    """

    # Class attributes, so that a subclass may leave out `super().__init__()`.
    on: On = None
    name: str | None = None
    better: Better = None
    """Which direction is an improvement; `EarlyStopping(mode="auto")` asks."""

    def __init__(self, on: On = None, *, name: str | None = None) -> None:
        self.on = on
        self.name = name

    @property
    def injected(self) -> Callable[..., Any]:
        """The function whose argument names are filled."""
        return self.call if uses_hooks(self) else functools.partial(self.update, None)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The running value, with state through hooks; written by subclasses that do not write the verbs.

        Raises:
            TypeError: a subclass has written neither it nor the verbs.
        """
        del args, kwargs
        raise TypeError(
            f"The metric `{name_of(self)}` was asked for a value. {type(self).__name__} has neither `call` nor the "
            "verbs. Write `def call(self, y_true, y_pred): ...`, or `empty`, `update`, `merge` and `compute`."
        )

    def empty(self, **shapes: Any) -> Any:
        """The state before the first batch.

        Args:
            **shapes: for metrics with hooks, what `call` names, as arrays or `jax.ShapeDtypeStruct`.
        """
        return empty_hook_state(self, shapes)

    def update(self, state: Any, **injected: Any) -> Any:
        """The state after one more batch.

        Args:
            state: the state before.
            **injected: what this metric names.
        """
        return updated_hook_state(self, state, injected)

    def merge(self, a: Any, b: Any) -> Any:
        """The state of two sets of batches together.

        Raises:
            TypeError: the metric is written with hooks; nothing says how its arrays combine.
        """
        del a, b
        raise TypeError(
            f"The metric `{name_of(self)}` was asked to merge two states. It is written with hooks, which do not say "
            "how arrays combine. Override `merge`, or write the metric with the four verbs."
        )

    def compute(self, state: Any) -> Any:
        """The value of a state: a scalar, or a dict of scalars."""
        return computed(state)

    def add_parameter(
        self, name: str, shape: tuple[int, ...] = (), dtype: Any = None, initializer: Any = 0, trainable: bool = False
    ) -> jax.Array:
        """The array `name` of this metric's state; made at the first use.

        Args:
            name: its name.
            shape: its shape; taken from the initializer if that is a value.
            dtype: its dtype; float32, or that of the value.
            initializer: a value, or a function `(shape, dtype)` or `(key, shape, dtype)`.
            trainable: must be False; metrics do not learn.

        Returns:
            The current value.

        Raises:
            ValueError: `trainable=True`; or called while no metric runs.
        """
        if trainable:
            raise ValueError(
                f"The metric `{name_of(self)}` adds `{name}` with `trainable=True`. A metric's state is not trained. "
                "Leave `trainable` out, or put the parameter into the module."
            )
        return running_store(self).get(name, shape, dtype, initializer)

    def update_parameter(self, name: str, value: Any) -> None:
        """Set an array of this metric's state.

        Args:
            name: a name given to `add_parameter` before.
            value: an array of the same shape; integers may become floats.

        Raises:
            ValueError: there is no such array, or the shape differs.
        """
        running_store(self).set(name, value)

    def reset(self) -> None:
        """Forget what was accumulated by calling the metric itself; inside a Model use `reset_metrics`."""
        self.__dict__.pop("_own_state", None)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Accumulate outside a Model, and return the running value.

        Args:
            *args: arguments by position; they win over keywords of the same name.
            **named: injected values by name; what the metric does not name is ignored.
        """
        positional = [name for name in wants(self.injected).positional if name != "state"]
        named.update(zip(positional, args, strict=False))
        who = f"metric `{name_of(self)}`"
        values = {name: jax.tree.map(jnp.asarray, value) for name, value in named.items()}
        offer = index_offer(self.on, Offer({"sample_weight": None, "class_weight": None, **values}), who=who)
        state = self.__dict__.get("_own_state")
        if state is None:
            state = empty_state(self, offer, who=who, where="this call")
        self.__dict__["_own_state"] = state = updated_state(self, state, offer, who=who, where="this call")
        return self.compute(state)


def uses_hooks(metric: Metric) -> bool:
    """Whether a metric is written as `call` with hooks rather than with the four verbs."""
    return type(metric).update is Metric.update


def empty_state(metric: Metric, offer: Mapping[str, Any], *, who: str, where: str = "this step") -> Any:
    """`metric.empty` with what it asks for, as arrays or shapes."""
    if uses_hooks(metric):
        return metric.empty(**arguments_for(metric.call, offer, who=who, where=where))
    return call_with(metric.empty, offer, who=who, where=where)


def updated_state(metric: Metric, state: Any, offer: Mapping[str, Any], *, who: str, where: str = "this step") -> Any:
    """`metric.update` with what it asks for."""
    if uses_hooks(metric):
        return metric.update(state, **arguments_for(metric.call, offer, who=who, where=where))
    return call_with(functools.partial(metric.update, state), offer, who=who, where=where)
