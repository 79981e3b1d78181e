"""What hooks add to a running call: values under names, checked, and collected for calls outside a Model."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import get_opaque_trace_state

from .._errors import short_type
from .._logs import Logs
from .._reduce import Reduction, parts_of, reduce_values
from ._protocol import Extras


def named_parts(hook: str, name: Any, value: Any, who: str) -> dict[str, Any]:
    """By name the arrays of a value that a hook was given; the parts of a dict go below its name.

    Args:
        hook: which hook, for errors.
        name: the name it was given.
        value: a number, an array, a pair `(values, mask)`, or a dict of these.
        who: how errors call the module.

    Raises:
        TypeError: the name is no string, or the value has no numbers.
    """
    if not isinstance(name, str) or not name:
        raise TypeError(
            f"{who} calls `{hook}` with the name {name!r}. A log has a name. "
            f'Write `{hook}("name", value)`, the name first.'
        )
    parts = parts_of(value, f"{who}, in `{hook}({name!r}, ...)`,")
    return {f"{name}/{part}" if part else name: _arrays(hook, name, value, who) for part, value in parts.items()}


class HooksContext:
    """The values of one `hooks_context`, by name and in the order of the calls.

    Attributes:
        losses: of each `add_loss` name a scalar: the sum of the means of its values.
        metrics: by `path/name` the mean of what `add_metric` was given.
        summaries: by `path/name` what `add_summary` was given.
    """

    def __init__(self) -> None:
        self.losses: dict[str, jax.Array] = {}
        self.metrics: dict[str, jax.Array] = {}
        self.summaries: dict[str, jax.Array] = {}
        self._trace = get_opaque_trace_state()

    def take(self, extras: Extras, who: str) -> None:
        """Add what one call of a module by itself brought.

        Raises:
            ValueError: the call ran inside a JAX transform that the context is outside of.
        """
        found = {name: sum(map(_mean, values), start=jnp.zeros(())) for name, values in extras.losses.items()}
        metrics = {name: _mean(value) for name, value in extras.metrics.items()}
        self.add(Logs(found), Logs(metrics), extras.summaries, who)

    def add(self, losses: Logs, metrics: Logs, summaries: Logs, who: str) -> None:
        """Add what another context collected.

        Raises:
            ValueError: a JAX transform runs that the context is outside of.
        """
        names = (*losses, *metrics, *summaries)
        if names and get_opaque_trace_state() != self._trace:
            raise ValueError(
                f"{who} adds `{names[0]}` inside a JAX transform such as `jax.jit`. The value would leak out of it "
                "into the `hooks_context` around. "
                "Use `elegy.jit`, or open the context inside the transformed function and return its values."
            )
        for name, value in losses.items():
            self.losses[name] = self.losses.get(name, jnp.zeros(())) + value
        self.metrics.update(metrics)
        self.summaries.update(summaries)

    def collected(self) -> tuple[Logs, Logs, Logs]:
        """Losses, metrics and summaries as a pytree that keeps their order."""
        return Logs(self.losses), Logs(self.metrics), Logs(self.summaries)


@contextlib.contextmanager
def hooks_context() -> Iterator[HooksContext]:
    """Collect what `add_loss`, `add_metric` and `add_summary` are given in modules that are called by themselves.

    Inside a Model it is not needed: there they reach the total loss, logs, history and callbacks.

    Yields:
        An object with `losses`, `metrics` and `summaries`, dicts of arrays that are filled while the context is open.

    Raises:
        ValueError: a module adds a value inside a raw JAX transform that the context is outside of.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> class Active(elegy.Module):
        ...     def call(self, x):
        ...         elegy.add_loss("activity", jnp.abs(x))
        ...         return x
        >>> with elegy.hooks_context() as hooks:
        ...     y = Active()(jnp.array([1.0, -3.0]))
        >>> hooks.losses
        {'activity_loss': Array(2., dtype=float32)}
    """
    context = HooksContext()
    token = _context.set(context)
    try:
        yield context
    finally:
        _context.reset(token)


def running_context() -> HooksContext | None:
    """The innermost open `hooks_context` of this thread, or None."""
    return _context.get()


def _arrays(hook: str, name: str, value: Any, who: str) -> Any:
    try:
        return tuple(map(jnp.asarray, value)) if isinstance(value, tuple) else jnp.asarray(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"{who} gives `{hook}({name!r}, ...)` a {short_type(value)}. Logs are made of numbers. "
            "Give a number, an array, a pair `(values, mask)`, or a dict of these."
        ) from None


def _mean(value: Any) -> jax.Array:
    return reduce_values(value, samples=1, batch_axes=(), reduction=Reduction.SUM_OVER_BATCH_SIZE).value


_context: contextvars.ContextVar[HooksContext | None] = contextvars.ContextVar("hooks_context", default=None)
