"""Where the arrays live between verbs, and how they go to and come from the user's own objects."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import jax
import numpy as np

from ._ema import restarted
from ._errors import short_type
from ._paths import flatten, unflatten
from ._state import RunState, is_lost, own_copy
from .module import Functional


class Home:
    """Holds the latest `RunState` of a model while no fit runs.

    Arrays that the user can reach are never donated: what is handed out is marked, and copied before it is used up.

    Args:
        functional: the user's module, whose arrays are read before and written after a verb.
    """

    def __init__(self, functional: Functional) -> None:
        self._functional = functional
        self._state: RunState | None = None
        self.is_exposed = False
        self._kept: RunState | None = None
        self._written: dict[str, Any] = {}
        self.run: Any = None
        """The fit that owns the arrays while it runs."""

    def __bool__(self) -> bool:
        return self._state is not None

    def look(self) -> RunState:
        """The state, which the caller neither donates nor hands out; during a fit a copy of it."""
        if self.run is not None:
            return self.run.state
        if self._state is None:
            raise ValueError(
                "The state of the model was asked for. The model has no arrays yet: shapes come from data. "
                "Call `model.init(x)` or `fit` first."
            )
        return self._state

    def hand_out(self) -> RunState:
        """The state, for the user to keep."""
        self.is_exposed = True
        return self.look()

    def take(self) -> RunState:
        """The state to be donated: a copy if the user can reach it, which is then kept in case the launch fails."""
        state = self.look()
        if not self.is_exposed:
            return state
        self._kept = state
        return own_copy(state)

    def recover(self) -> None:
        """After a launch that failed: if it used up the state, go back to the newest copy that was kept."""
        if self._kept is not None and is_lost(self._state):
            self.put(self._kept, exposed=True)

    def put(self, state: RunState, *, exposed: bool = False) -> None:
        """Keep a new state; `exposed` says that the user can reach its arrays."""
        self._state = state
        self.is_exposed = exposed

    def replace(self, state: RunState) -> None:
        """Go on from a state that the user gave, also while a fit runs."""
        if self.run is not None:
            self.run.set_state(state)
        else:
            self.put(state, exposed=True)

    def clear(self) -> None:
        """Forget all arrays, those on the user's module too."""
        self._state = None
        self._written = {}
        self._functional.clear()

    def change(self, **fields: Any) -> None:
        """Put other values into some fields of the state, also while a fit runs."""
        state = dataclasses.replace(self.look(), **fields)
        if self.run is not None:
            self.run.set_state(state)
        else:
            self.put(state, exposed=self.is_exposed)

    def paths(self) -> tuple[list[str], list[str]]:
        """The paths of all parameters and of all states."""
        state = self.look() if self._state is None else self._state
        return list(flatten(state.parameters)), list(flatten(state.states))

    def carried(self) -> tuple[RunState | None, dict[str, Any]]:
        """What a copy begins with: the latest state, and what was last put on the user's module."""
        return (None if self._state is None else self.look()), self._written

    def arrive(self, carried: tuple[RunState | None, dict[str, Any]]) -> None:
        """Begin with what another home carried here, beside a copy of the module."""
        state, written = carried
        if state is not None:
            self.put(state, exposed=True)
            held = _arrays(*self._functional.read())  # what calls made of a plain object is made anew
            self._written = {name: array for name, array in written.items() if name in held}

    def show(self) -> None:
        """Put the arrays on the user's module where the user put no others since; what was reset stays so."""
        self.write_back(without=self.read_back())

    def write_back(self, without: Collection[str] = ()) -> None:
        """Put the arrays on the user's module.

        Args:
            without: the names of arrays that are left off, like `parameters/linear/w`.
        """
        if self._state is None:
            return
        state = self.hand_out()
        named = _arrays(state.parameters, state.states)
        groups: dict[str, dict[str, Any]] = {"parameters": {}, "states": {}}
        for name, leaf in named.items():
            group, _, path = name.partition("/")
            if name not in without:
                groups[group][path] = leaf
        self._functional.write(unflatten(groups["parameters"]), unflatten(groups["states"]))
        self._written = {**{name: None for name in without}, **_arrays(*self._functional.read())}

    def read_back(self) -> list[str]:
        """Take over the arrays that the user put on the module since they were last written; not while a fit runs.

        Returns:
            The names of arrays that the module no longer holds, since it or a part of it was reset.

        Raises:
            ValueError: an array has another shape or dtype than before.
        """
        if self._state is None or self.run is not None or not self._written:
            return []
        now = _arrays(*self._functional.read())
        groups = {"parameters": flatten(self._state.parameters), "states": flatten(self._state.states)}
        changed = {name: now[name] for name, old in self._written.items() if name in now and now[name] is not old}
        for name, array in changed.items():
            group, _, path = name.partition("/")
            groups[group][path] = _fitting(array, groups[group][path], name)
        if changed:
            trees = {group: unflatten(flat) for group, flat in groups.items()}
            paths = [name.removeprefix("parameters/") for name in changed if name.startswith("parameters/")]
            ema = restarted(self._state.ema, trees["parameters"], paths)
            self.put(dataclasses.replace(self._state, **trees, ema=ema), exposed=True)
            self._written.update(changed)
        return [name for name in self._written if name not in now]


def _arrays(parameters: Any, states: Any) -> dict[str, Any]:
    groups: Mapping[str, Any] = {"parameters": parameters, "states": states}
    return {f"{group}/{path}": leaf for group, tree in groups.items() for path, leaf in flatten(tree).items()}


def _fitting(array: Any, before: Any, name: str) -> jax.Array:
    if np.shape(array) != before.shape:
        raise ValueError(
            f"`{name}` was set to {short_type(np.asarray(array))}. The model has {short_type(before)} there. "
            "Set an array of the same shape."
        )
    return jax.numpy.asarray(array, before.dtype)
