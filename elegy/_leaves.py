"""The leaves of `loss=` and `metrics=`: who they are, what they ask for, and how logs call them."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._inject import Bound, Offer, Wants, injected_call, wants
from ._names import name_of, unique_name
from ._on import index_offer


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One loss, metric or function of the structure a user gave.

    Attributes:
        kind: "loss" or "metric".
        key: its unique log name, which also names its random key and its place in the state.
        base: the log name before it was made unique; parts of a partitioned value go below it.
        consumer: the object itself, without `bind`.
        bound: the paths of `bind` around it, or None.
        asked: what it asks for, after `bind`.
    """

    kind: str
    key: str
    base: str
    consumer: Any
    bound: Bound | None
    asked: Wants

    @property
    def who(self) -> str:
        """How errors call it."""
        return f"{self.kind} `{name_of(self.consumer) if not isinstance(self.consumer, str) else self.consumer}`"

    @property
    def on(self) -> Any:
        """Its `on=`, if it has one."""
        return getattr(self.consumer, "on", None)

    def view(self, offer: Offer, where: str) -> Mapping[str, Any]:
        """The offer as this leaf sees it, through `bind` and `on`."""
        seen: Mapping[str, Any] = offer
        if self.bound is not None:
            seen = self.bound.offer(seen, who=self.who, where=where)
        return seen if self.on is None else index_offer(self.on, seen, who=self.who)


def leaves_of(structure: Any, kind: str, taken: set[str], accepts: Callable[[Any], str | None]) -> list[Leaf]:
    """The leaves of a nest of lists, tuples and dicts, named as logs show them.

    The name is the path of dict keys and the leaf's own name; list positions do not count. For losses `_loss` goes on
    the first part of the path unless it ends in `loss`. Equal names get `_1`, `_2`, ...

    Args:
        structure: what `Model(loss=...)` or `Model(metrics=...)` was given.
        kind: "loss" or "metric".
        taken: names that are in use; the leaves' names are added.
        accepts: says why a leaf is none, or None if it is fine.

    Raises:
        TypeError: a leaf is no loss or metric.
    """
    leaves = []
    for path, consumer in _walk(structure, ()):
        problem = accepts(consumer.consumer if isinstance(consumer, Bound) else consumer)
        if problem:
            raise TypeError(problem)
        bound = consumer if isinstance(consumer, Bound) else None
        inner = bound.consumer if bound else consumer
        name = consumer if isinstance(consumer, str) else name_of(inner)
        first, *rest = (*path, name)
        if kind == "loss" and not first.endswith("loss"):
            first += "_loss"
        base = "/".join((first, *rest))
        key = unique_name(base, taken)
        taken.add(key)
        asked = Wants(("y_true", "y_pred")) if isinstance(inner, str) else wants(bound or injected_call(inner))
        asked = dataclasses.replace(asked, required=tuple(n for n in asked.required if n != "state"))
        leaves.append(Leaf(kind, key, base, inner, bound, asked))
    return leaves


def wrong_leaf(consumer: Any, kind: str) -> str | None:
    """Why something cannot be a loss or metric, in three sentences; None if it can."""
    plural = "losses" if kind == "loss" else "metrics"
    if kind == "metric" and merges(consumer):
        return None
    if isinstance(consumer, type):
        return (
            f"`{kind}` was given the class `{consumer.__name__}`. A {kind} is an instance, a function or a string. "
            f"Write `{consumer.__name__}(...)`, with parentheses."
        )
    if isinstance(consumer, str) or callable(consumer):
        return None
    return (
        f"`{kind}` was given a value of type {type(consumer).__name__}. A {kind} is an `elegy.{kind.capitalize()}`, a "
        f"function, a string, or a nest of these in lists and dicts. Choose one from `elegy.{plural}`, or "
        "write a function "
        "of `y_true` and `y_pred`."
    )


def merges(consumer: Any) -> bool:
    """Whether something is a metric in the style of other libraries: `from_model_output`, `merge` and `compute`."""
    return all(hasattr(consumer, verb) for verb in ("empty", "from_model_output", "merge", "compute"))


def _walk(structure: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if structure is None:
        return
    if isinstance(structure, Mapping):
        for key, part in structure.items():
            yield from _walk(part, (*path, str(key)))
    elif isinstance(structure, (list, tuple)):
        for part in structure:
            yield from _walk(part, path)
    else:
        yield path, structure
