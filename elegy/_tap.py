"""What callbacks ask a step for by name: picked up while the step is traced, and returned beside its results."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Iterator
from typing import Any

from jax.extend.core import get_opaque_trace_state

from ._errors import InjectionError, listing
from ._inject import Offer


@dataclasses.dataclass(frozen=True)
class _Tap:
    """The names that are asked for, and what was found for them.

    Attributes:
        names: what to pick up.
        found: by name the values, filled while the step runs.
        trace: the JAX trace that the step runs in.
    """

    names: tuple[str, ...]
    found: dict[str, Any]
    trace: Any


_tap: contextvars.ContextVar[_Tap | None] = contextvars.ContextVar("tap", default=None)


@contextlib.contextmanager
def picking_up(names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """While the block runs, pick up what the step offers under these names.

    Yields:
        By name the values, once the step has offered them; names that it does not have are missing.
    """
    found: dict[str, Any] = {}
    token = _tap.set(_Tap(names, found, get_opaque_trace_state()))
    try:
        yield found
    finally:
        _tap.reset(token)


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
            f"Callbacks ask this step for {listing(tap.names)}. `update_metrics` was called inside a JAX "
            "transformation like `jax.grad`, out of which these values cannot be taken. Call it after the "
            "transformation, with the outputs and logs that this returned."
        )
    tap.found.update({name: offer[name] for name in tap.names if name in offer})
