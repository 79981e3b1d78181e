"""While a module is an argument of a transform: its traced arrays, kept beside the object and never on it."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Iterator
from typing import Any

from jax.extend.core import get_opaque_trace_state


@dataclasses.dataclass
class Overlay:
    """What stands in for the records of some modules while a function runs that `elegy.jit` or `elegy.grad` was given.

    Attributes:
        records: by identity the modules and their records here.
        around: the overlay outside of this one, or None.
        is_compiled: whether what runs is compiled, so that arrays of other modules would become constants.
        is_rehearsal: whether it only runs so that modules are initialized.
        bases: by identity how often a module was called before, if that is traced.
        born: by identity the modules that were initialized here, and the records that they began with.
        trace: the JAX trace that the function runs in.
    """

    records: dict[int, tuple[Any, Any]]
    around: "Overlay | None"
    is_compiled: bool = False
    is_rehearsal: bool = False
    bases: dict[int, Any] = dataclasses.field(default_factory=dict)
    born: dict[int, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    trace: Any = dataclasses.field(default_factory=get_opaque_trace_state)

    def is_inside_transform(self) -> bool:
        """Whether a raw JAX transform runs between the function and here."""
        return get_opaque_trace_state() != self.trace


def running_overlay() -> Overlay | None:
    """The innermost overlay of this thread, or None."""
    return _running.get()


def overlay_of(module: Any) -> Overlay | None:
    """The innermost overlay that has a module, or None."""
    overlay = _running.get()
    while overlay is not None and id(module) not in overlay.records:
        overlay = overlay.around
    return overlay


def calls_before(module: Any) -> Any:
    """How often a module was called by itself before the transform began, if that is traced; else 0."""
    overlay = _running.get()
    while overlay is not None and id(module) not in overlay.bases:
        overlay = overlay.around
    return 0 if overlay is None else overlay.bases[id(module)]


@contextlib.contextmanager
def overlaid(overlay: Overlay) -> Iterator[Overlay]:
    """Make an overlay the running one; the one before comes back on every exit."""
    token = _running.set(overlay)
    try:
        yield overlay
    finally:
        _running.reset(token)


_running: contextvars.ContextVar[Overlay | None] = contextvars.ContextVar("running_overlay", default=None)
