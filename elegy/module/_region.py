"""The part of a call under a lifted transform: its body has a scope of its own, and what it wrote comes out."""

import copy
import dataclasses
from collections.abc import Callable, Mapping
from numbers import Number
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import get_opaque_trace_state

from .._logs import Logs
from .._names import unique_name
from ._places import below
from ._protocol import Extras
from ._scope import Scope, entered


class Written(NamedTuple):
    """What a body leaves behind, besides what it does to Python objects.

    Attributes:
        outputs: what it returned.
        values: by path the states that it updated.
        extras: what hooks added.
    """

    outputs: Any
    values: dict[str, Any]
    extras: Extras


class Region:
    """The part of a call that runs under a transform, which may trace its body any number of times.

    Args:
        scope: the running scope.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._body: Scope | None = None

    def run(
        self,
        function: Callable[[], Any],
        values: Mapping[str, Any],
        keys: tuple[Any, ...] = (),
        stacks: tuple[tuple[str, int], ...] = (),
    ) -> Written:
        """Trace the body, inside the transform; each time it begins at the same place of the call.

        Args:
            function: the body.
            values: by path what differs in it.
            keys: its key, if it has one of its own.
            stacks: paths below which it sees one part of each array, and how many parts there are.
        """
        self._body = body = _inside(self._scope, dict(values), keys, stacks)
        before = dict(body.values)
        with entered(body):
            outputs = function()
        changed = {path: value for path, value in body.values.items() if value is not before.get(path)}
        kept = {path: part for path, part in body.extras.intermediates.items() if _is_of_arrays(part)}
        return Written(outputs, changed, dataclasses.replace(body.extras, intermediates=Logs(kept)))

    def absorb(self, written: Written) -> Any:
        """Take over what came out of the transform, and return the outputs."""
        scope, body = self._scope, self._body
        if body is not None:  # what the call makes and asks for next is numbered behind what the body did
            scope.requests = body.requests
            if scope.frames:
                scope.frames[-1].counts, scope.frames[-1].made = body.frames[-1].counts, body.frames[-1].made
        scope.values.update(written.values)
        _add(scope.extras, written.extras)
        return written.outputs


def over_rounds(extras: Extras) -> Extras:
    """What hooks added in all rounds of a scan or parts of a map, of which each array has one along its first axis.

    Losses add up, metrics are averaged, summaries and the outputs of modules stay stacked.
    """
    losses = {name: tuple(part for term in terms for part in _sums(term)) for name, terms in extras.losses.items()}
    metrics = {name: _mean(value) for name, value in extras.metrics.items()}
    return dataclasses.replace(extras, losses=Logs(losses), metrics=Logs(metrics))


def state_values(scope: Scope) -> dict[str, Any]:
    """By path the values of all states that a scope knows."""
    states = {
        below(path, name)
        for path, module in scope.paths.values()
        for name, spec in scope.record(module).specs.items()
        if not spec.trainable
    }
    return {path: value for path, value in scope.values.items() if path in states}


def _inside(
    scope: Scope, values: Mapping[str, Any], keys: tuple[Any, ...], stacks: tuple[tuple[str, int], ...]
) -> Scope:
    """The scope as the body sees it: places are shared, what is written is the body's own."""
    body = copy.copy(scope)
    body.values = {**scope.values, **values}
    body.extras = Extras()
    body.must_retrace = False  # it is inside what runs already
    body.requests, body.trace = dict(scope.requests), get_opaque_trace_state()
    body.stacks = (*scope.stacks, *stacks)
    (body.key,) = keys or (scope.key,)
    body.frames = list(scope.frames)
    if body.frames:
        frame = scope.frames[-1]
        body.frames[-1] = dataclasses.replace(frame, counts=dict(frame.counts), made=set(frame.made), trace=body.trace)
    return body


def _is_of_arrays(tree: Any) -> bool:
    """Whether a transform can give back a tree; a module may return other things to the one around it."""
    return all(isinstance(leaf, (jax.Array, np.ndarray, Number)) for leaf in jax.tree.leaves(tree))


def _add(extras: Extras, found: Extras) -> None:
    for name, terms in found.losses.items():
        extras.losses[name] = (*extras.losses.get(name, ()), *terms)
    for name, value in found.metrics.items():
        extras.metrics[unique_name(name, extras.metrics)] = value
    for name, value in found.summaries.items():
        extras.summaries[unique_name(name, extras.summaries)] = value
    extras.intermediates.update(found.intermediates)


def _sums(term: Any) -> tuple[Any, ...]:
    """The terms whose quotients add up to those of all rounds; a pair `(values, mask)` has its own quotient in each."""
    if isinstance(term, tuple):
        return tuple(zip(*map(tuple, term), strict=True))
    return (term.sum(0),)


def _mean(value: Any) -> Any:
    """The mean over all rounds; of a pair `(values, mask)` over what the mask counts."""
    if not isinstance(value, tuple):
        return value.mean(0)
    values, mask = value
    count = mask.sum(0)
    return (values * mask).sum(0) / jnp.where(count == 0, 1, count), count
