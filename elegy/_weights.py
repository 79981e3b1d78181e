"""Weights on disk: one safetensors file, read strictly."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from ._atomic import written_whole
from ._errors import short_type
from ._paths import flatten, unflatten
from ._state import RunState

_GROUPS = ("parameters", "states", "ema")


def save_weights(path: str | Path, state: RunState) -> Path:
    """Write parameters, states and averages as one safetensors file, names as paths like `parameters/linear/w`.

    A file that is there stays whole until the new one is.

    Args:
        path: the file; its folder must exist.
        state: whose arrays are written.

    Returns:
        The path written.
    """
    from safetensors.numpy import save_file

    file = Path(path)
    if not file.parent.exists():
        raise FileNotFoundError(
            f"Weights were to be saved to `{file}`. The folder `{file.parent}` does not exist. Make it first."
        )
    arrays = {name: np.asarray(leaf, order="C") for name, leaf in _named(state).items()}
    with written_whole(file) as draft:
        save_file(arrays, str(draft), metadata={"format": "elegy"})
    return file


def load_weights(path: str | Path, state: RunState) -> RunState:
    """The state with the arrays of a file, which must hold exactly the same names, shapes and dtypes.

    Args:
        path: a file that `save_weights` wrote.
        state: what the arrays are put into.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: names, shapes or dtypes differ; all differences are listed.
    """
    from safetensors.numpy import load_file

    if not Path(path).is_file():
        raise FileNotFoundError(f"Weights were to be loaded from `{path}`. There is no such file. Check the path.")
    stored, wanted = load_file(str(path)), _named(state)
    problems = _differences(stored, wanted)
    if problems:
        raise ValueError(
            f"Weights were to be loaded from `{path}`. They differ from the model:\n  "
            + "\n  ".join(problems)
            + "\nBuild the model as it was when the file was saved."
        )
    groups = {group: {} for group in _GROUPS}
    for name, array in stored.items():
        group, _, leaf = name.partition("/")
        groups[group][leaf] = jnp.asarray(array)
    trees = {
        group: unflatten({leaf: flat[leaf] for leaf in flatten(getattr(state, group))})
        for group, flat in groups.items()
        if getattr(state, group) is not None
    }
    return dataclasses.replace(state, **trees)


def _named(state: RunState) -> dict[str, Any]:
    return {f"{group}/{path}": leaf for group in _GROUPS for path, leaf in flatten(getattr(state, group) or {}).items()}


def _differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    missing = [f"the file lacks `{name}` {short_type(wanted[name])}" for name in wanted if name not in stored]
    surplus = [f"the model lacks `{name}` {short_type(stored[name])}" for name in stored if name not in wanted]
    unequal = [
        f"`{name}` is {short_type(stored[name])} in the file and {short_type(leaf)} in the model"
        for name, leaf in wanted.items()
        if name in stored and short_type(stored[name]) != short_type(leaf)
    ]
    return missing + surplus + unequal
