"""Why a program was compiled: what it is compiled for, and how that differs from what it was compiled for before."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import jax

from ._errors import short_type
from ._paths import join
from ._reduce import sample_count
from .data import Batch

_SHOWN = 3  # differences; a batch of another size has one for each column
_CONTAINERS = ("columns", "extra")  # what a feed keeps its columns in
_USERS_WORDS = {"size": "batch_size"}
_FOLLOWING = ("block", "order")  # what a feed makes of the sizes of data and batches
_NOTHING = object()


@dataclasses.dataclass(frozen=True)
class Form:
    """What a program is compiled for.

    Attributes:
        static: by path the values that are no arrays.
        leaves: by path the types of the arrays, like `f32[32,10]`.
        rows: of the batch that it runs on; None if it takes its batches from more data.
    """

    static: Mapping[str, Any]
    leaves: Mapping[str, str]
    rows: int | None


def form_of(arguments: tuple[Any, ...]) -> Form:
    """The form of a program's arguments, which may be tracers.

    Example:
        >>> import numpy as np
        >>> form_of(({"step": np.int32(0)}, Batch(x=np.zeros((4, 2), np.float32))))
        Form(static={}, leaves={'step': 'i32[]', 'x': 'f32[4,2]'}, rows=4)
    """
    static: dict[str, Any] = {}
    for argument in arguments:
        _collect_static(argument, (), static)
    leaves = {_place(path): _type_of(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(arguments)}
    batches = [argument for argument in arguments if isinstance(argument, Batch)]
    return Form(static, leaves, sample_count(batches[0]) if batches else None)


def why(form: Form, known: Collection[Form]) -> str | None:
    """How a form differs from the nearest of others, in words.

    Args:
        form: of the program that is to be compiled.
        known: what it was compiled for before.

    Returns:
        The first differences, static values in front; None if there are no others, or none that differs.

    Example:
        >>> why(Form({}, {"x": "f32[24,784]"}, 24), [Form({}, {"x": "f32[32,784]"}, 32)])
        '`x` is f32[24,784], it was f32[32,784]'
    """
    largest_first = sorted(known, key=lambda other: -(other.rows or 0))  # a smaller last batch is nobody's measure
    found = min((_differences(form, other) for other in largest_first), key=len, default=[])
    more = len(found) - _SHOWN
    return "; ".join(found[:_SHOWN]) + (f"; and {more} more" if more > 0 else "") or None


def _differences(new: Form, old: Form) -> list[str]:
    now, before = ({**form.static, **form.leaves} for form in (new, old))
    places = [place for place in {**before, **now} if now.get(place, _NOTHING) != before.get(place, _NOTHING)]
    causes = [place for place in places if place not in _FOLLOWING]
    return [_words(place, now, before) for place in causes or places]


def _words(place: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    if place not in before:
        return f"`{place}` is new: {now[place]}"
    if place not in now:
        return f"`{place}` is gone, it was {before[place]}"
    return f"`{place}` is {now[place]}, it was {before[place]}"


def _collect_static(value: Any, place: tuple[str, ...], found: dict[str, Any]) -> None:
    """Put the static fields of dataclasses into `found`, by path."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            _collect_static(part, (*place, str(name)), found)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            inner = (*place, _USERS_WORDS.get(field.name, field.name))
            if field.metadata.get("static"):
                found[join(*inner)] = getattr(value, field.name)
            else:
                _collect_static(getattr(value, field.name), inner, found)


def _place(path: tuple[Any, ...]) -> str:
    """Where a leaf is, in the user's words: neither by which argument nor by which container of a feed."""
    steps = [jax.tree_util.keystr((entry,), simple=True) for entry in path[1:]]
    return join(*(steps[1:] if steps[:1] and steps[0] in _CONTAINERS else steps))


def _type_of(leaf: Any) -> str:
    weak = " (weakly typed)" if getattr(leaf, "weak_type", False) else ""
    return f"{short_type(leaf)}{weak}"
