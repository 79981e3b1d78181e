"""What a step reports: exact quotients, running values, and a mapping that fetches them when it is read."""

import dataclasses
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._errors import did_you_mean, listing
from ._sums import ExactSum, add_to_sum, quotient, zero_sum

Term = tuple[Any, Any]

SKIPPED_STEPS = "skipped_steps"
"""The log that counts the steps which `fit(nonfinite="skip")` left out."""


@jax.tree_util.register_pytree_node_class
class Ratio:
    """A log that stays exact over a pass: a sum of quotients whose parts are added up, never averaged.

    Closed under `+` and multiplication by numbers, so `2 * logs["loss"] + logs["penalty"]` is exact too.

    Args:
        numerator: scalar; the sum of what is averaged in this batch.
        denominator: scalar; how much was summed (a count, or a sum of weights). None: the numerators add up.

    Example:
        >>> float((2 * Ratio(3.0, 4.0) + Ratio(1.0, 2.0)).value)
        2.0
    """

    terms: tuple[Term, ...]

    def __init__(self, numerator: Any, denominator: Any = None) -> None:
        self.terms = ((numerator, denominator),)

    @classmethod
    def of(cls, terms: tuple[Term, ...]) -> "Ratio":
        """The sum of several quotients, each a pair (numerator, denominator)."""
        ratio = object.__new__(cls)
        ratio.terms = tuple(terms)
        return ratio

    @property
    def value(self) -> jax.Array:
        """The sum of the quotients as one float32 scalar; 0/0 counts as 0."""
        total: Any = np.float32(0)
        for numerator, denominator in self.terms:
            numerator = jnp.asarray(numerator, jnp.float32)
            total = total + (numerator if denominator is None else quotient(numerator, denominator))
        return jnp.asarray(total)

    def __add__(self, other: "Ratio") -> "Ratio":
        if isinstance(other, (int, float)) and other == 0:  # so that sum([...]) works
            return self
        if not isinstance(other, Ratio):
            return NotImplemented
        return Ratio.of(self.terms + other.terms)

    __radd__ = __add__

    def __mul__(self, factor: Any) -> "Ratio":
        if isinstance(factor, Ratio):
            return NotImplemented
        return Ratio.of(tuple((factor * numerator, denominator) for numerator, denominator in self.terms))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return " + ".join(f"{n}" if d is None else f"{n} / {d}" for n, d in self.terms) or "0"

    def tree_flatten(self) -> tuple[tuple[Any, ...], None]:
        """The arrays, for JAX."""
        return self.terms, None

    @classmethod
    def tree_unflatten(cls, aux: None, children: tuple[Any, ...]) -> "Ratio":
        """The ratio of which `tree_flatten` took the arrays."""
        del aux
        return cls.of(children)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Running:
    """A log that is already the running value: shown as it is, the last one of a pass counts.

    Attributes:
        value: scalar.
        held: whether the run's metric states hold it; the loop then computes it only when somebody reads.

    Example:
        >>> Running(0.5).value
        0.5
    """

    value: Any
    held: bool = dataclasses.field(default=False, metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Seldom:
    """A log that only some steps have: over a pass its mean over these, in the logs of a step the newest value.

    Attributes:
        value: float32 scalar; NaN if there is none.
        ran: bool scalar, whether this step has it.

    Example:
        >>> totals = Totals.empty({"norm": Seldom(jnp.float32(0), jnp.bool_(False))})
        >>> float(LazyLogs(totals.logs())["norm"])
        nan
        >>> for number in range(4):
        ...     totals = totals.add({"norm": Seldom(jnp.float32(number), jnp.bool_(number % 2 == 0))})
        >>> float(LazyLogs(totals.logs())["norm"])
        1.0
    """

    value: Any
    ran: Any

    def after(self, before: Any) -> "Seldom":
        """The log with the newest value, where `before` is that of the steps before."""
        return Seldom(jnp.where(self.ran, self.value, before), self.ran)


@jax.tree_util.register_pytree_node_class
class Logs(dict[str, Any]):
    """Logs by name that keep their order under JAX, which sorts the keys of plain dicts.

    Example:
        >>> list(jax.tree.map(lambda v: v, Logs(loss=1.0, accuracy=0.5)))
        ['loss', 'accuracy']
    """

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[str, ...]]:
        """The values, and the names in order, for JAX."""
        return tuple(self.values()), tuple(self)

    @classmethod
    def tree_unflatten(cls, names: tuple[str, ...], values: tuple[Any, ...]) -> "Logs":
        """The logs of which `tree_flatten` took the values."""
        return cls(zip(names, values, strict=True))


@jax.tree_util.register_pytree_node_class
class Totals:
    """The exact sums of a pass for every log of a step, held in one array, so that adding a step costs next to nothing.

    Args:
        layout: by log in order its name, and for each quotient whether it has a denominator; None for a running value.
        sums: all numerators and denominators, float32 `(n,)`.
        running: by name the last running values, and the newest ones of logs that are seldom.

    Example:
        >>> log = Logs(loss=Ratio(3.0, 4.0))
        >>> totals = Totals.empty(log).add(log).add(log)
        >>> dict(LazyLogs(totals.logs()))
        {'loss': 0.75}
    """

    def __init__(self, layout: tuple[Any, ...], sums: ExactSum, running: dict[str, Any]) -> None:
        self.layout = layout
        self.sums = sums
        self.running = running

    @classmethod
    def empty(cls, logs: Mapping[str, Any]) -> "Totals":
        """What a pass starts from, for logs like these; those that the metrics hold are left out."""
        kept = {name: log for name, log in logs.items() if not (isinstance(log, Running) and log.held)}
        ratios = [name for name, log in kept.items() if isinstance(log, Ratio)]
        layout = tuple((name, _shape_of(log)) for name, log in kept.items())
        running = {name: _nothing_yet(log) for name, log in kept.items() if name not in ratios}
        size = sum(1 + divided for _, shape in layout for divided in shape or ())
        return cls(layout, zero_sum((size,)), running)

    def add(self, logs: Mapping[str, Any]) -> "Totals":
        """The totals with one more step in them; the logs are those that the totals were made for."""
        numbers = _numbers({name: logs[name] for name, shape in self.layout if shape is not None})
        sums = add_to_sum(self.sums, jnp.stack(numbers)) if numbers else self.sums
        return Totals(self.layout, sums, {name: log.value for name, log in self.newest(logs).items()})

    def newest(self, logs: Mapping[str, Any]) -> dict[str, Any]:
        """Of these logs of a step those that are not added up, with their newest values."""
        there = {name: logs[name] for name in self.running}
        return {name: log.after(self.running[name]) if isinstance(log, Seldom) else log for name, log in there.items()}

    def logs(self) -> Logs:
        """By name the quotients of the sums, and the running values."""
        parts = (ExactSum(self.sums.parts[:, number]) for number in range(self.sums.parts.shape[1]))
        made = Logs()
        for name, shape in self.layout:
            if shape is None:
                made[name] = Running(self.running[name])
            else:
                terms = tuple((next(parts), next(parts) if divided else None) for divided in shape)
                made[name] = Ratio.of((*terms, _nan_without(*terms)) if name in self.running else terms)
        return made

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The arrays, and the layout, for JAX."""
        return (self.sums, self.running), self.layout

    @classmethod
    def tree_unflatten(cls, layout: tuple[Any, ...], children: tuple[Any, ...]) -> "Totals":
        """The totals of which `tree_flatten` took the arrays."""
        return cls(layout, *children)


def without_skipped(logs: Mapping[str, Any], skipped: Any) -> Logs:
    """Logs as they count in the sums of a pass: of a skipped step nothing does, but that it was skipped.

    Args:
        logs: by name `Ratio` or `Running`.
        skipped: bool scalar.
    """

    def left_out(log: Any) -> Any:
        if isinstance(log, Seldom):
            return Seldom(log.value, log.ran & ~skipped)
        return jax.tree.map(lambda part: jnp.where(skipped, 0.0, part), log) if isinstance(log, Ratio) else log

    return Logs({name: log if name == SKIPPED_STEPS else left_out(log) for name, log in logs.items()})


def _shape_of(log: Any) -> tuple[bool, ...] | None:
    if isinstance(log, Ratio):
        return tuple(denominator is not None for _, denominator in log.terms)
    return (True,) if isinstance(log, Seldom) else None


def _terms(log: Any) -> tuple[Term, ...]:
    """The quotients that are added up of a log; one that is seldom counts its steps."""
    return ((jnp.where(log.ran, log.value, 0.0), log.ran),) if isinstance(log, Seldom) else log.terms


def _numbers(logs: Mapping[str, Any]) -> list[Any]:
    """Numerators and denominators of all quotients in one list."""
    terms = [part for log in logs.values() for term in _terms(log) for part in term]
    return [jnp.asarray(part, jnp.float32) for part in terms if part is not None]


def _nothing_yet(log: Any) -> np.ndarray:
    """What a running value is before the first step."""
    return np.full(log.value.shape, np.nan if isinstance(log, Seldom) else 0, log.value.dtype)


def _nan_without(term: Term) -> Term:
    """A term that makes a quotient NaN where nothing was added up, since 0 would look like a value."""
    return jnp.where(term[1].value == 0, jnp.nan, 0.0), None


class LazyLogs(MutableMapping[str, Any]):
    """Logs that read as Python floats; the device is asked once, at the first read.

    Args:
        values: by name `Ratio` (of scalars or of a pass's sums), `Running`, `Seldom`, arrays or numbers, on the device
            or not.
            An array that is no scalar shows as `name/0`, `name/1`, ...
        prefix: goes before each name, like `val_`.

    Attributes:
        prefix: the same.

    Example:
        >>> logs = LazyLogs({"loss": Ratio(3.0, 4.0)}, prefix="val_")
        >>> dict(logs)
        {'val_loss': 0.75}
    """

    def __init__(self, values: Mapping[str, Any] | None = None, *, prefix: str = "") -> None:
        self.prefix = prefix
        self._pending: dict[str, Any] = {}
        self._floats: dict[str, Any] = {}
        for name, value in (values or {}).items():
            value = value.value if isinstance(value, (Running, Seldom)) else value
            for key, index in _scalars(prefix + name, value):
                self._floats[key] = None  # keeps the order
                self._pending[key] = (value, index)

    @classmethod
    def known(cls, floats: dict[str, float]) -> "LazyLogs":
        """Logs of floats that are on the host already."""
        logs = cls()
        logs._floats = floats
        return logs

    def ready(self) -> bool:
        """Whether reading would not wait for the device."""
        leaves = jax.tree.leaves([value for value, _ in self._pending.values()])
        return all(leaf.is_ready() for leaf in leaves if hasattr(leaf, "is_ready"))

    def __getitem__(self, name: str) -> Any:
        if name not in self._floats:
            raise KeyError(
                f"The log `{name}` was asked for. The logs are: {listing(self._floats)}. Use one of these."
                + did_you_mean(name, self._floats)
            )
        self._fetch()
        return self._floats[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._pending.pop(name, None)
        self._floats[name] = value

    def __delitem__(self, name: str) -> None:
        self._pending.pop(name, None)
        del self._floats[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._floats)

    def __len__(self) -> int:
        return len(self._floats)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _fetch(self) -> None:
        if self._pending:
            fetched = jax.device_get({name: value for name, (value, _) in self._pending.items()})
            for name, (_, index) in self._pending.items():
                self._floats[name] = _as_float(fetched[name], index)
            self._pending = {}


def _scalars(name: str, value: Any) -> list[tuple[str, tuple[int, ...]]]:
    shape = () if isinstance(value, Ratio) else np.shape(value)
    return [("/".join([name, *map(str, index)]), index) for index in np.ndindex(shape)]


def _as_float(value: Any, index: tuple[int, ...]) -> float:
    if not isinstance(value, Ratio):
        return float(np.asarray(value)[index])
    return float(
        sum(host_quotient(_wide(top), None if bottom is None else _wide(bottom)) for top, bottom in value.terms)
    )


def host_quotient(top: Any, bottom: Any) -> np.ndarray:
    """A quotient on the host in float64; without a denominator it is the numerator, and 0/0 counts as 0."""
    top = np.asarray(top, np.float64)
    if bottom is None:
        return top
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = top / np.asarray(bottom, np.float64)
    return np.where((top == 0) & (np.asarray(bottom) == 0), 0.0, quotient)


def _wide(number: Any) -> np.ndarray:
    """A number, or an exact sum, as a float64."""
    parts = number.parts if isinstance(number, ExactSum) else [number]
    return sum((np.asarray(part, np.float64) for part in parts), start=np.zeros(()))
