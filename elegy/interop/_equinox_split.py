"""What an Equinox module is made of: its arrays by path, and everything else."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import keystr, tree_flatten_with_path

from .._errors import listing
from .._paths import matches, unflatten


@dataclasses.dataclass(frozen=True)
class Split:
    """A module and its state, taken apart once.

    Attributes:
        structure: of the pair `(module, state)`.
        state_structure: of the state.
        leaves: all leaves of the pair, as they were given.
        resting: the same leaves in inference mode.
        places: by path the places of arrays among the leaves.
        trainable: the paths of parameters.
        flags: by path of a submodule the place of its `inference` flag, if that is off.
    """

    structure: Any
    state_structure: Any
    leaves: tuple[Any, ...]
    resting: tuple[Any, ...]
    places: dict[str, int]
    trainable: frozenset[str]
    flags: dict[str, int]

    def first_arrays(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Parameters and states as they were given, as nested dicts."""
        arrays = {path: jnp.asarray(self.leaves[place]) for path, place in self.places.items()}
        # A weak type would be gone after the first step, which would be compiled twice.
        parameters = {path: jnp.asarray(arrays[path], arrays[path].dtype) for path in arrays if path in self.trainable}
        return unflatten(parameters), unflatten({path: arrays[path] for path in arrays if path not in parameters})

    def joined(
        self, arrays: Mapping[str, Any], *, training: bool = True, frozen: tuple[str, ...] = ()
    ) -> tuple[Any, Any]:
        """Module and state with other arrays, by path, in the mode that they run in."""
        leaves = list(self.leaves if training else self.resting)
        for owner, place in self.flags.items():
            if self.rests(owner, frozen):
                leaves[place] = self.resting[place]
        for path, place in self.places.items():
            leaves[place] = arrays[path]
        return jax.tree.unflatten(self.structure, leaves)

    def state_arrays(self, state: Any) -> dict[str, Any] | None:
        """By path the arrays of a state like the one that was given; None if it has other entries."""
        leaves, structure = jax.tree.flatten(state)
        if structure != self.state_structure:
            return None
        before = len(self.leaves) - len(leaves)
        return {path: leaves[place - before] for path, place in self.places.items() if place >= before}

    def without_arrays(self) -> Any:
        """The module with nothing in the places of its arrays."""
        return self.joined(dict.fromkeys(self.places))[0]

    def rests(self, owner: str, frozen: tuple[str, ...]) -> bool:
        """Whether the own parameters of the module at a path, or itself if it has none, are all frozen."""
        own = [path for path in self.trainable if path.rpartition("/")[0] == owner]
        return all(any(matches(pattern, path) for pattern in frozen) for path in own or [owner])


def split_of(name: str, module: Any, state: Any) -> Split:
    """Take a module and its state, or None, apart.

    Args:
        name: how errors call the module.
        module: the Equinox module.
        state: its `eqx.nn.State`, or None.

    Raises:
        ValueError: the state is not that of the module, the module cannot be switched to inference, or two arrays have
            the same path.
    """
    import equinox as eqx

    named = [(_path(keys), leaf) for keys, leaf in tree_flatten_with_path(module)[0]]
    count = len(named)
    named += zip(_state_paths(name, module, state), jax.tree.leaves(state), strict=True)
    paths = [path for path, _ in named]
    leaves = tuple(leaf for _, leaf in named)
    resting = (*jax.tree.leaves(_in_inference_mode(name, module)), *leaves[count:])
    arrays = [(path, place) for place, (path, leaf) in enumerate(named) if _is_variable(leaf)]
    places = dict(arrays)
    if len(places) < len(arrays):
        twice = next(path for path, place in arrays if places[path] != place)
        raise ValueError(
            f"module `{name}` has two arrays at the path `{twice}`. Patterns and files could not tell them apart. "
            "Change the keys of its dicts, for example those with `/` in them."
        )
    inexact = (path for path, place in arrays if place < count and eqx.is_inexact_array(leaves[place]))
    switched = [place for place in range(count) if leaves[place] is not resting[place]]
    return Split(
        structure=jax.tree.structure((module, state)),
        state_structure=jax.tree.structure(state),
        leaves=leaves,
        resting=resting,
        places=places,
        trainable=frozenset(inexact),
        flags={paths[place].rpartition("/")[0]: place for place in switched},
    )


def has_state_indices(module: Any) -> bool:
    """Whether a module keeps something in a state."""
    return bool(_state_indices(module))


def _state_indices(module: Any) -> list[tuple[Any, Any]]:
    """The keys and values of the `eqx.nn.StateIndex`es in a module."""
    import equinox as eqx

    def is_index(node: Any) -> bool:
        return isinstance(node, eqx.nn.StateIndex)

    return [(keys, node) for keys, node in tree_flatten_with_path(module, is_leaf=is_index)[0] if is_index(node)]


def _state_paths(name: str, module: Any, state: Any) -> list[str]:
    """For each leaf of a state the path of its index in the module, and its place below."""
    leaves, structure = jax.tree.flatten(state)
    numbered = jax.tree.unflatten(structure, range(len(leaves)))
    paths: dict[int, str] = {}
    try:
        for keys, index in _state_indices(module) if state is not None else ():
            for inner, number in tree_flatten_with_path(numbered.get(index))[0]:
                paths.setdefault(number, _path((*keys, *inner)))
    except KeyError as error:
        raise ValueError(
            f"The Equinox module `{name}` was given with a state that lacks the entry {error}. A state belongs to the "
            "module that it was made with. Give both as `eqx.nn.make_with_state` returned them."
        ) from error
    if len(paths) < len(leaves):
        raise ValueError(
            f"The Equinox module `{name}` was given with a state of {len(leaves)} arrays. It keeps {len(paths)}: "
            f"{listing(paths.values())}. Give `state.substate(module)`."
        )
    return [paths[number] for number in range(len(leaves))]


def _in_inference_mode(name: str, module: Any) -> Any:
    import equinox as eqx

    try:
        return eqx.nn.inference_mode(module)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"module `{name}` was to be switched to inference. An `inference` in it is static or None, which "
            "`eqx.nn.inference_mode` cannot change. Make it a plain field with True or False."
        ) from error


def _is_variable(leaf: Any) -> bool:
    """Whether a leaf is an array that a model keeps; a typed random key stays a constant of the module."""
    import equinox as eqx

    return eqx.is_array(leaf) and not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _path(keys: Any) -> str:
    return keystr(tuple(keys), simple=True, separator="/")
