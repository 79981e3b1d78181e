"""Modules as arguments of a transform: their arrays and counts go in, and what a function left there comes out."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from .._errors import short_type
from .._names import name_of
from ._added import hooks_context, running_context
from ._bare import refuse_leak
from ._lift import Lifted
from ._module import Module
from ._overlay import Overlay, calls_before, overlaid, running_overlay
from ._places import is_initialized, split_arrays, tree_of
from ._record import Record, keep_record, record_of
from ._rng import running_rng, stand_in
from ._trainable import learning

Slot = str
"""Names an array: the number of its module among all, and its name there."""


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Counted:
    """How often a function called modules and asked the running seed; known when it is traced.

    Attributes:
        calls: by number of the module.
        draws: of the running `elegy.RNG`.
    """

    calls: tuple[int, ...]
    draws: int


class Left(NamedTuple):
    """What a function leaves behind, as a pytree.

    Attributes:
        changed: by slot the arrays that are new.
        counted: what it counted.
        added: losses, metrics and summaries for the `hooks_context` around, or None.
    """

    changed: dict[Slot, Any]
    counted: Counted
    added: Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Counts:
    """How often modules were called, and the running seed, as arguments of a compiled function.

    Attributes:
        calls: int32 array, by number of the module.
        rng: seed words and count of the running `elegy.RNG`, or None.
    """

    calls: Any
    rng: Any


class Borrowed:
    """The modules of one call of a transformed function.

    Args:
        modules: a module, or a list, tuple or dict of modules.
        who: how errors call the transform.

    Raises:
        TypeError: something among them is no module.
    """

    def __init__(self, modules: Any, who: str) -> None:
        self._who = who
        self.roots = roots_of(modules, who)
        self.parts: list[Any] = list({id(part): part for root in self.roots for _, part in tree_of(root)}.values())

    def values(self) -> dict[Slot, Any]:
        """The arrays that the modules hold."""
        return {
            f"{number}/{name}": value
            for number, part in enumerate(self.parts)
            for name, value in record_of(part).values.items()
        }

    def learning(self) -> tuple[bool, ...]:
        """For each module among all whether it learns."""
        return tuple(learns for root in self.roots for learns in learning(root).values())

    def counts(self) -> Counts:
        """The counts as arrays, so that random numbers are no constants of what is compiled."""
        calls = [record_of(part).calls + calls_before(part) for part in self.parts]
        rng = running_rng()
        return Counts(_int32(calls), None if rng is None else (rng.words, _int32(rng.before + rng.count)))

    @contextlib.contextmanager
    def lent(
        self,
        values: Mapping[Slot, Any],
        counts: Counts | None = None,
        *,
        is_compiled: bool = False,
        is_rehearsal: bool = False,
    ) -> Iterator[Callable[[], Left]]:
        """Let a function run on other arrays; the objects stay untouched.

        Args:
            values: in place of `values()`.
            counts: in place of `counts()`, if what runs is compiled.
            is_compiled: see `Overlay`.
            is_rehearsal: see `Overlay`.

        Yields:
            A function that says what was left behind so far.
        """
        records = {id(part): (part, record_of(part).copy()) for part in self.parts}
        bases: dict[int, Any] = {}
        for number, part in enumerate(self.parts):
            record = records[id(part)][1]
            record.values = {name: values[f"{number}/{name}"] for name in record.values}
            if counts is not None:
                record.calls, bases[id(part)] = 0, counts.calls[number]
        calls = [record.calls for _, record in records.values()]
        rng, context = running_rng(), running_context()
        seed: Any = contextlib.nullcontext()
        if rng is not None:
            seed = stand_in(*((rng.words, rng.before + rng.count) if counts is None else counts.rng))
        hooks = contextlib.nullcontext() if context is None else hooks_context()
        overlay = Overlay(records, running_overlay(), is_compiled, is_rehearsal, bases)
        with overlaid(overlay), seed as rng, hooks as inner:

            def left() -> Left:
                now = [record_of(part).calls for part in self.parts]
                steps = tuple(after - before for after, before in zip(now, calls, strict=True))
                changed = {slot: value for slot, value in self.values().items() if value is not values.get(slot)}
                counted = Counted(steps, 0 if rng is None else rng.count)
                return Left(changed, counted, None if inner is None else inner.collected())

            yield left

    def give_back(self, left: Left) -> None:
        """Put onto the objects what came out.

        Raises:
            ValueError: it belongs to a raw JAX transform.
        """
        places = {slot: slot.split("/", 1) for slot in left.changed}
        for slot, (number, name) in places.items():
            refuse_leak(self.parts[int(number)], name, left.changed[slot])
        for slot, (number, name) in places.items():
            record_of(self.parts[int(number)]).values[name] = left.changed[slot]
        for part, calls in zip(self.parts, left.counted.calls, strict=True):
            record_of(part).calls += calls
        rng, context = running_rng(), running_context()
        if rng is not None:
            rng.count += left.counted.draws
        if context is not None:
            losses, metrics, summaries = left.added
            context.add(losses, metrics, summaries, self._who)


def borrowed(modules: Any, who: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Borrowed:
    """The modules of one call, initialized: if one is not, the function is traced once so that it calls them.

    Args:
        modules: see `Borrowed`.
        who: how errors call the transform.
        function: calls the modules.
        args: of this call.
        kwargs: of this call, by name.

    Raises:
        TypeError: something among the modules is none.
    """
    found = Borrowed(modules, who)
    if all(is_initialized(root) for root in found.roots):
        return found
    born: dict[int, tuple[Any, Record]] = {}
    arrays, rebuild = split_arrays((args, kwargs))

    def rehearse(arrays: list[Any]) -> None:
        args, kwargs = rebuild(arrays)
        with found.lent(found.values(), is_rehearsal=True):
            overlay = running_overlay()
            function(*args, **kwargs)
            born.update({} if overlay is None else overlay.born)

    jax.eval_shape(rehearse, arrays)
    for module, record in born.values():
        record.calls = record_of(module).calls
        keep_record(module, record)
    return Borrowed(modules, who)


def roots_of(modules: Any, who: str) -> list[Any]:
    """The modules in a list, tuple or dict, or the only one.

    Raises:
        TypeError: something among them is no module.
    """
    roots = [module.root if isinstance(module, Lifted) else module for module in _listed(modules)]
    for root in roots:
        if not isinstance(root, Module):
            raise TypeError(
                f"{who} was given a {short_type(root)} among its `modules`. They are objects of `elegy.Module`. Give "
                "one, or a list, tuple or dict of them."
            )
    return roots


def modules_of(target: Any, modules: Any, transform: str) -> Any:
    """The modules that a transform is about; a module stands for itself.

    Raises:
        ValueError: there are none.
        TypeError: something among them is no module.
    """
    if modules is None and isinstance(target, (Module, Lifted)):
        return target
    if modules is None or not roots_of(modules, f"`elegy.{transform}`"):
        raise ValueError(
            f"`elegy.{transform}` was given `{name_of(target)}` without modules. Their arrays go in as arguments, "
            f"so it must know them. Write `elegy.{transform}({name_of(target)}, modules=...)`, or use "
            f"`jax.{transform}` where there are none."
        )
    return modules


def in_form_of(modules: Any, parts: Sequence[Any]) -> Any:
    """One part for each module, in the form in which the modules were given."""
    if isinstance(modules, Mapping):
        return dict(zip(modules, parts, strict=True))
    if isinstance(modules, (list, tuple)):
        return type(modules)(parts) if type(modules) in (list, tuple) else tuple(parts)
    return parts[0]


def _listed(modules: Any) -> list[Any]:
    if isinstance(modules, Mapping):
        return list(modules.values())
    return list(modules) if isinstance(modules, (list, tuple)) else [modules]


def _int32(numbers: Any) -> Any:
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(numbers)):
        return jnp.asarray(numbers, jnp.int32)
    return np.asarray(numbers, np.int32)
