"""`on=`: the short form that points a loss or metric at one part of labels and outputs."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ._inject import Lazy, Offer
from ._paths import Step, get_path, parse

On = Step | Sequence[Step] | None


def index_offer(on: On, offer: Mapping[str, Any], *, who: str) -> Mapping[str, Any]:
    """The offer as a consumer with `on=` sees it.

    `y_true` and `y_pred` are indexed; so are `sample_weight` and `class_weight` when they are given per output, where
    a missing output has none. A `y_true` that is None or absent stays so.

    Args:
        on: a key, an index, a path, or a sequence of these; None changes nothing.
        offer: injected values by name.
        who: how errors call the consumer.

    Raises:
        KeyError: there is no such key; the message lists those on offer.

    Example:
        >>> from elegy._inject import Offer
        >>> index_offer("a", Offer({"y_true": {"a": 1}, "y_pred": {"a": 2}}), who="loss `f`")["y_pred"]
        2
    """
    if on is None:
        return offer
    views = {
        name: Lazy(functools.partial(_index, on, offer, name, who))
        for name in ("y_true", "y_pred", "sample_weight", "class_weight")
        if name in offer
    }
    if isinstance(offer, Offer):
        return offer.extended(views)
    return Offer({**offer, **views})


def steps_of(on: On, value: Any) -> tuple[Step, ...]:
    """The steps that `on` takes into `value`: a key of its own, a path, or a sequence."""
    if isinstance(on, str):
        return (on,) if isinstance(value, Mapping) and on in value else parse(on)
    if isinstance(on, Sequence):
        return tuple(on)
    return () if on is None else (on,)


def _index(on: On, offer: Mapping[str, Any], name: str, who: str) -> Any:
    value = offer[name]
    if name in ("sample_weight", "class_weight"):
        return _index_weight(on, value, name)
    if value is None:
        return None
    try:
        return get_path(value, steps_of(on, value), root=name)
    except KeyError as error:
        raise KeyError(f"{who} has `on={on!r}`. {error.args[0]}") from None


def _index_weight(on: On, value: Any, name: str) -> Any:
    for step in steps_of(on, value):
        per_output = isinstance(value, Mapping) and (
            name == "sample_weight" or any(isinstance(v, Mapping) for v in value.values())
        )
        if not per_output:
            return value
        if step not in value:
            return None
        value = value[step]
    return value
