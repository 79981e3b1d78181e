"""The state of a run as the flat list of its leaves, in which form it passes the border of a compiled step."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax

from ._fields import Fields, joined, split
from ._state import RunState


class Structure:
    """What a tree is like; equal to itself without a look at the tree, which each step would take."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self._hash = hash(tree)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Structure) and self.tree == other.tree)


@jax.tree_util.register_pytree_node_class
class Leaves:
    """The leaves of a tree, and beside them what it is like.

    Args:
        leaves: in JAX's order.
        structure: of the tree.

    Example:
        >>> packed([1, {"a": 2}]).tree()
        [1, {'a': 2}]
    """

    __slots__ = ("leaves", "structure")

    def __init__(self, leaves: Sequence[Any], structure: Structure) -> None:
        self.leaves = leaves
        self.structure = structure

    def tree(self) -> Any:
        """The tree itself."""
        return jax.tree.unflatten(self.structure.tree, self.leaves)

    def tree_flatten(self) -> tuple[Sequence[Any], Structure]:
        """The leaves, and what the tree is like, for JAX."""
        return self.leaves, self.structure

    @classmethod
    def tree_unflatten(cls, structure: Structure, leaves: Sequence[Any]) -> "Leaves":
        """The leaves that `tree_flatten` took apart."""
        return cls(leaves, structure)


class FlatState(NamedTuple):
    """A `RunState` between two steps that nobody looks into.

    Attributes:
        moving: the fields that each step changes, as one list of leaves.
        resting: the other ones by name.
    """

    moving: Leaves
    resting: Fields


def packed(tree: Any, like: Structure | None = None) -> Leaves:
    """The leaves of a tree; `like` is a structure that it probably has, and then shares."""
    leaves, structure = jax.tree.flatten(tree)
    return Leaves(leaves, like if like is not None and like.tree == structure else Structure(structure))


def flat(state: RunState | FlatState, like: Structure | None = None) -> FlatState:
    """The state for the next step; as it is if it is flat already, else with the structure `like` if it has that."""
    if isinstance(state, FlatState):
        return state
    moving, resting = split(state)
    return FlatState(packed(moving, like), resting)


def whole(state: RunState | FlatState) -> RunState:
    """The state with all its trees."""
    return joined(state.resting, state.moving.tree(), {}) if isinstance(state, FlatState) else state
