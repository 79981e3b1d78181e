"""One pass over a traced function, jaxpr to jaxpr: where a rule applies, other equations with the same result."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Var

Uses = Mapping[Var, list[JaxprEqn | None]]
"""By variable the equations that read it; None stands for the end, where results are returned."""

Rule = Callable[[JaxprEqn, Uses], Callable[..., jax.Array] | None]
"""From an equation with one result a function of its inputs that is to replace it, or None to leave it alone."""

# Calls whose bodies are what they compute, by the names of JAX 0.10 and later. Others keep theirs: a kernel's body is
# written for its own compiler, and that of a sum or a sort works on scalars.
_ENTERED = frozenset(
    {"jit", "pjit", "closed_call", "core_call", "scan", "while", "cond", "remat", "remat2", "checkpoint"}
    | {"custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"}
)


def rewrite(traced: Any, rules: Sequence[Rule]) -> Any:
    """Apply rules to a traced function and to the bodies of the loops, branches and calls in it.

    Everything else stays as it is: constants, effects, donated and named arguments, derivatives that users define.

    Args:
        traced: a closed jaxpr, as `jax.make_jaxpr` returns it.
        rules: each gets to see what earlier rules left and what they made.

    Returns:
        A closed jaxpr of the same inputs and outputs; the very same object if no rule applied.
    """
    return _in_value(traced, rules, {})


def inputs_of(eqn: JaxprEqn) -> list[Any]:
    """The shapes and dtypes of its inputs."""
    return [atom.aval for atom in eqn.invars]


def output_of(eqn: JaxprEqn) -> Any:
    """The shape and dtype of its first result."""
    return eqn.outvars[0].aval


def _in_value(value: Any, rules: Sequence[Rule], seen: dict[int, Any]) -> Any:
    """A parameter of a call, in which only jaxprs change; a body that is called twice stays one object."""
    if isinstance(value, tuple):
        parts = tuple(_in_value(part, rules, seen) for part in value)
        return value if _are_same(parts, value) else parts
    if not isinstance(value, Jaxpr | ClosedJaxpr):
        return value
    if id(value) not in seen:
        in_jaxpr = isinstance(value, Jaxpr)  # the only class of both from JAX 0.12 on
        seen[id(value)] = _in_jaxpr(value, rules, seen) if in_jaxpr else _in_closed(value, rules, seen)
    return seen[id(value)]


def _in_closed(closed: ClosedJaxpr, rules: Sequence[Rule], seen: dict[int, Any]) -> ClosedJaxpr:
    jaxpr = _in_jaxpr(closed.jaxpr, rules, seen)
    return closed if jaxpr is closed.jaxpr else closed.replace(jaxpr=jaxpr)


def _in_jaxpr(jaxpr: Jaxpr, rules: Sequence[Rule], seen: dict[int, Any]) -> Jaxpr:
    uses = _uses(jaxpr)
    eqns = [made for eqn in jaxpr.eqns for made in _in_equation(eqn, uses, rules, seen)]
    return jaxpr if _are_same(eqns, jaxpr.eqns) else jaxpr.replace(eqns=eqns)


def _in_equation(eqn: JaxprEqn, uses: Uses, rules: Sequence[Rule], seen: dict[int, Any]) -> Iterator[JaxprEqn]:
    if eqn.primitive.name in _ENTERED:
        params = {name: _in_value(value, rules, seen) for name, value in eqn.params.items()}
        yield eqn if _are_same(params.values(), eqn.params.values()) else eqn.replace(params=params)
        return
    for number, rule in enumerate(rules, 1):
        function = rule(eqn, uses)
        if function is not None:
            yield from _replaced(eqn, function, rules[number:])
            return
    yield eqn


def _replaced(eqn: JaxprEqn, function: Callable[..., jax.Array], rules: Sequence[Rule]) -> Iterator[JaxprEqn]:
    """The equations of `function`, between the variables of `eqn` and with its place in the user's code."""
    if any(_is_sharded_by_hand(aval) for aval in inputs_of(eqn)):
        yield eqn
        return
    with eqn.ctx.manager:
        made = jax.make_jaxpr(function)(*inputs_of(eqn))
    body = _in_jaxpr(made.jaxpr, rules, {})
    names: dict[Any, Any] = dict(zip(body.invars, eqn.invars, strict=True))
    names |= zip(body.outvars, eqn.outvars, strict=True)
    for step in body.eqns:
        yield step.replace(
            invars=[names.get(atom, atom) if isinstance(atom, Var) else atom for atom in step.invars],
            outvars=[names.get(var, var) for var in step.outvars],
            source_info=eqn.source_info,
        )


def _uses(jaxpr: Jaxpr) -> Uses:
    uses: dict[Var, list[JaxprEqn | None]] = defaultdict(list)
    for eqn in jaxpr.eqns:
        for atom in eqn.invars:
            if isinstance(atom, Var):
                uses[atom].append(eqn)
    for atom in jaxpr.outvars:
        if isinstance(atom, Var):
            uses[atom].append(None)
    return uses


def _is_sharded_by_hand(aval: Any) -> bool:
    """Whether its type says how it is spread over devices; rules make arrays whose types do not."""
    mesh = aval.sharding.mesh
    return not (mesh.empty or mesh.are_all_axes_auto)


def _are_same(made: Any, given: Any) -> bool:
    """Whether both hold the very same objects."""
    made, given = list(made), list(given)
    return len(made) == len(given) and all(a is b for a, b in zip(made, given, strict=True))
