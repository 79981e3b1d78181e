"""What callbacks ask a step for by name: picked up while the step is traced, and returned beside its results."""

import contextlib
import contextvars
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

from jax.extend.core import get_opaque_trace_state

from ._errors import InjectionError, listing
from ._inject import Offer


@dataclasses.dataclass(frozen=True)
class _Tap:
    """The names that are asked for, and what the step offers.

    Attributes:
        names: what somebody asks for.
        offers: what the step offered, filled while it runs.
        trace: the JAX trace that the step runs in.
    """

    names: tuple[str, ...]
    offers: list[Offer]
    trace: Any


_tap: contextvars.ContextVar[_Tap | None] = contextvars.ContextVar("tap", default=None)


@contextlib.contextmanager
def picking_up(names: tuple[str, ...]) -> Iterator[list[Offer]]:
    """While the block runs, pick up what the step offers, if somebody asks for any names.

    Yields:
        The offers, once the step has run; see `offered`.
    """
    offers: list[Offer] = []
    token = _tap.set(_Tap(names, offers, get_opaque_trace_state()))
    try:
        yield offers
    finally:
        _tap.reset(token)


def offered(offers: list[Offer]) -> Offer:
    """What a step offered in all; of a name that it offered several times the last value counts."""
    return functools.reduce(Offer.extended, offers, Offer({}))


def is_asked(name: str) -> bool:
    """Whether the step that runs is asked for `name`."""
    tap = _tap.get()
    return tap is not None and name in tap.names


def offer_to_callbacks(offer: Offer) -> None:
    """Hand over what a step has to offer; nothing is computed but what somebody asks for.

    Args:
        offer: everything that the step has, by name. What a later call of the same step offers counts.

    Raises:
        InjectionError: a transformation is in between, out of which no value could be taken.
    """
    tap = _tap.get()
    if tap is None or not tap.names:
        return
    if get_opaque_trace_state() != tap.trace:
        raise InjectionError(
            f"Callbacks and in-step hooks ask this step for {listing(tap.names)}. `update_metrics` was called inside a "
            "JAX transformation like `jax.grad`, out of which these values cannot be taken. Call it after the "
            "transformation, with the outputs and logs that this returned."
        )
    tap.offers.append(offer)
