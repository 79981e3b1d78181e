"""`model.summary()`: the modules, their outputs, what they hold, and the totals."""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from ._errors import short_type
from ._logs import Logs
from ._offer import step_key
from ._paths import flatten
from ._probe import abstract
from ._tables import Table, bytes_in_words, render
from ._trainer import Trainer
from .data import as_source


def summary(trainer: Trainer, x: Any, depth: int | None) -> str:
    """The table of `Model.summary`.

    Args:
        trainer: the model's machinery.
        x: inputs to run the module on abstractly, or None.
        depth: modules below are added to their parents; None shows all.
    """
    outputs = {}
    if x is not None:
        batch = as_source(x).peek()
        trainer.initialize(batch)
        outputs = _outputs(trainer, batch)
    state = trainer.home.look()
    groups = {"parameters": flatten(state.parameters), "states": flatten(state.states)}
    rows = sorted({*outputs, *(_owner(path) for flat in groups.values() for path in flat)}, key=_order(outputs))
    if depth is not None:
        rows = [row for row in rows if _depth(row) <= depth]
    table = Table("Module", *(["Output"] if outputs else []), "Parameters", "States", "Bytes")
    for row in rows:
        held = {group: _below(flat, row, rows) for group, flat in groups.items()}
        shown = [_shapes(outputs[row])] if row in outputs else [""] * bool(outputs)
        counts = [f"{sum(_size(leaf) for leaf in leaves):,}" for leaves in held.values()]
        table.add(
            row or trainer.recipe.module.name,
            *shown,
            *counts,
            bytes_in_words(_bytes([*held["parameters"], *held["states"]])),
        )
    return render(table) + _totals(groups)


def _outputs(trainer: Trainer, batch: Any) -> dict[str, Any]:
    state, module = trainer.home.look(), trainer.recipe.module

    def run(parameters: Any, states: Any, x: Any) -> Any:
        key, capture = step_key(state, training=False), module.captures
        applied = module.apply(parameters, states, x, key=key, training=False, capture=capture)
        return Logs({"": applied.outputs, **applied.extras.intermediates})  # keeps the order of the calls

    return jax.eval_shape(run, state.parameters, state.states, abstract(batch["x"]))


def _order(outputs: dict[str, Any]) -> Callable[[str], list[tuple[int, str]]]:
    """Sorts the root first, then modules as they were called, children after their parent."""
    places = {path: place for place, path in enumerate(outputs)}

    def key(path: str) -> list[tuple[int, str]]:
        names = path.split("/") if path else []
        ancestors = ["/".join(names[: end + 1]) for end in range(len(names))]
        return [(places.get(ancestor, len(places)), ancestor) for ancestor in ancestors]

    return key


def _below(flat: dict[str, Any], row: str, rows: list[str]) -> list[Any]:
    """The leaves of a module, with those of its descendants that have no row of their own."""
    return [leaf for path, leaf in flat.items() if _nearest(_owner(path), rows) == row]


def _nearest(path: str, rows: list[str]) -> str:
    while path not in rows and path:
        path = _owner(path)
    return path


def _totals(groups: dict[str, dict[str, Any]]) -> str:
    lines = []
    for name, flat in groups.items():
        leaves = list(flat.values())
        lines.append(f"{name.capitalize()}: {sum(map(_size, leaves)):,} ({bytes_in_words(_bytes(leaves))})")
    return "\n".join(lines) + "\n"


def _owner(path: str) -> str:
    return path.rpartition("/")[0]


def _depth(path: str) -> int:
    return len(path.split("/")) if path else 0


def _size(leaf: Any) -> int:
    return math.prod(leaf.shape)


def _bytes(leaves: list[Any]) -> int:
    return sum(_size(leaf) * np.dtype(leaf.dtype).itemsize for leaf in leaves)


def _shapes(tree: Any) -> str:
    return ", ".join(short_type(leaf) for leaf in jax.tree.leaves(tree))
