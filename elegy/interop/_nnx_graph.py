"""An NNX module taken apart: its variables by path, and what else it is, in training and in evaluation."""

import dataclasses
from collections.abc import Mapping
from numbers import Number
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._paths import matches

PARAMETERS, STATES = "parameters", "states"
STREAM = "stream"  # of random keys, made anew for each step
PLAIN = "plain"  # an array that is no variable, a constant of the module
PASSING = "passing"  # an intermediate value, left behind by an earlier call

EVALUATING = {"deterministic": True, "use_running_average": True}
"""The attributes by which modules of NNX know that they do not train."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A variable of a module, or an array that is none.

    Attributes:
        steps: where it is, as NNX says it.
        kind: `PARAMETERS`, `STATES`, `STREAM`, `PLAIN` or `PASSING`.
        paths: those of its arrays; a variable may hold several, in a nest.
        structure: that nest.
        held: what goes into each call, if that is neither parameters nor states.
    """

    steps: tuple[Any, ...]
    kind: str
    paths: tuple[str, ...]
    structure: Any
    held: Any = None

    @property
    def is_ours(self) -> bool:
        """Whether its arrays are among the parameters or the states."""
        return self.kind in (PARAMETERS, STATES)


@dataclasses.dataclass(frozen=True)
class Mode:
    """What a module is in training or in evaluation, with some parameters frozen.

    Attributes:
        definition: NNX's graph definition.
        parts: the variables and arrays that it lacks.
        resting: where modules are that do not train though the others do.
    """

    definition: Any
    parts: tuple[Part, ...]
    resting: frozenset[tuple[Any, ...]]

    def paths(self, kind: str) -> list[str]:
        """The paths of the arrays of one kind."""
        return [path for part in self.parts if part.kind == kind for path in part.paths]


def path_of(steps: tuple[Any, ...]) -> str:
    """Where something is, as users read it; keys of a dict may be tuples themselves."""
    return "/".join(path_of(step) if isinstance(step, tuple) else str(step) for step in steps)


def taken_apart(module: Any) -> tuple[Any, list[tuple[Part, Any]]]:
    """The graph definition of a module, and each part with the variable or array itself; a shared one only once."""
    from flax import nnx

    definition, state = nnx.split(module, graph=True)
    return definition, [(_part(steps, leaf), leaf) for steps, leaf in nnx.to_flat_state(state)]


def arrays_of(part: Part, leaf: Any) -> dict[str, Any]:
    """By path the arrays of a part; numbers become arrays."""
    arrays = dict(zip(part.paths, jax.tree.leaves(_raw(leaf)), strict=True))
    for path, value in arrays.items():
        if not isinstance(value, _ARRAYS):
            raise ValueError(
                f"The variable `{path}` holds a {type(value).__name__}. Parameters and states are arrays, which the "
                "module brings. Make it without `nnx.eval_shape`, and put what is no array into an attribute."
            )
    return {path: _as_array(value) for path, value in arrays.items()}


def put(part: Part, leaf: Any, arrays: Mapping[str, Any]) -> None:
    """Put arrays into a variable."""
    value = jax.tree.unflatten(part.structure, [arrays[path] for path in part.paths])
    if isinstance(leaf.get_raw_value(), jax.Ref):
        leaf[...] = value
    else:
        leaf.set_raw_value(value)


class Modes:
    """The modes of a module, each found out once; anew only after the module was changed.

    Args:
        module: the user's object, which is only looked at.
    """

    def __init__(self, module: Any) -> None:
        self._module = module
        self._shape: Any = None
        self._held: list[Any] = []
        self._known: dict[tuple[bool, tuple[str, ...]], Mode] = {}

    def get(self, training: bool, frozen: tuple[str, ...]) -> Mode:
        """The mode for training or not, with parameters frozen by these patterns."""
        with jax.ensure_compile_time_eval():  # nothing of the module may end up in a running trace
            definition, parts = taken_apart(self._module)
            shape = (definition, [part for part, _ in parts])
            held = [_raw(leaf) for part, leaf in parts if part.kind in (PLAIN, PASSING)]
            if shape != self._shape or not all(a is b for a, b in zip(held, self._held, strict=True)):
                self._shape, self._held, self._known = shape, held, {}
            if (training, frozen) not in self._known:
                self._known[training, frozen] = _mode_of(self._module, training, frozen)
        return self._known[training, frozen]


def _mode_of(module: Any, training: bool, frozen: tuple[str, ...]) -> Mode:
    """What a module is while it trains or not, found out with a copy."""
    from flax import nnx

    copy = nnx.merge(*nnx.split(module, graph=True), copy=True)
    (copy.train if training else copy.eval)()
    resting = _resting(copy, frozen) if training and frozen else {}
    for node in resting.values():
        for name in EVALUATING:
            if hasattr(node, name):
                setattr(node, name, EVALUATING[name])
    definition, parts = taken_apart(copy)
    kept = [dataclasses.replace(part, held=None if part.is_ours else _raw(leaf)) for part, leaf in parts]
    return Mode(definition, tuple(kept), frozenset(resting))


def _part(steps: tuple[Any, ...], leaf: Any) -> Part:
    leaves, structure = jax.tree_util.tree_flatten_with_path(_raw(leaf))
    names = [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]
    return Part(steps, _kind(leaf), tuple(path_of((*steps, name) if name else steps) for name in names), structure)


def _kind(leaf: Any) -> str:
    from flax import nnx

    if not isinstance(leaf, nnx.Variable):
        return PLAIN
    kinds = {nnx.Param: PARAMETERS, nnx.RngState: STREAM, nnx.Intermediate: PASSING}
    return next((kind for base, kind in kinds.items() if isinstance(leaf, base)), STATES)


def _raw(leaf: Any) -> Any:
    """The value of a variable, without what its hooks make of it; other arrays as they are."""
    raw = leaf if _kind(leaf) == PLAIN else leaf.get_raw_value()
    return raw[...] if isinstance(raw, jax.Ref) else raw


def _as_array(value: Any) -> jax.Array:
    return value if isinstance(value, jax.Array) else jnp.array(value, jnp.asarray(value).dtype)


def _resting(copy: Any, frozen: tuple[str, ...]) -> dict[tuple[Any, ...], Any]:
    """By their steps the modules whose own parameters are all frozen; of one without any its path counts."""
    from flax import nnx

    nodes = {steps: node for steps, node in nnx.iter_modules(copy, graph=True)}
    owners = [steps for steps, node in nodes.items() if not isinstance(node, (nnx.List, nnx.Dict))]
    own: dict[tuple[Any, ...], list[str]] = {}
    for part, _ in taken_apart(copy)[1]:
        if part.kind == PARAMETERS:
            owner = max((steps for steps in owners if steps == part.steps[: len(steps)]), key=len)
            own.setdefault(owner, []).extend(part.paths)
    asked = {steps: own.get(steps) or [path_of(steps)] for steps in owners}
    return {
        steps: nodes[steps]
        for steps, paths in asked.items()
        if all(any(matches(pattern, path) for pattern in frozen) for path in paths)
    }


_ARRAYS = (jax.Array, np.ndarray, np.generic, Number)
