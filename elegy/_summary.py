"""`model.summary()`: the modules, their outputs, what they hold, and the totals."""

import importlib
import shutil
import sys
from collections.abc import Callable, Collection, Iterable
from typing import Any

import jax

from ._arguments import require_count
from ._errors import short_type
from ._logs import Logs
from ._offer import step_key
from ._paths import flatten, matches_any
from ._precision import lowered
from ._probe import abstract
from ._tables import Table, bytes_in_words, render, render_html, say
from ._trainer import Trainer
from .data import as_source

_NARROW = 80


class Summary:
    """The table of a model as text and as HTML.

    Args:
        table: a row for each module.
        totals: the lines below.
    """

    def __init__(self, table: Table, totals: list[str]) -> None:
        self._table = table
        self._totals = totals

    def __str__(self) -> str:
        columns = shutil.get_terminal_size((_NARROW, 24)).columns
        return "\n".join([render(self._table, max(columns, _NARROW)).rstrip("\n"), "", *self._totals])

    def _repr_html_(self) -> str:
        return render_html(self._table, self._totals)


def summary(trainer: Trainer, x: Any, depth: int | None) -> Summary:
    """The table of `Model.summary`.

    Args:
        trainer: the model's machinery.
        x: inputs to run the module on abstractly; None takes those of the last verb, if there was one.
        depth: modules below are added to their parents; None shows all.

    Raises:
        ValueError: the depth is no whole number from 0, or there are no arrays yet and no `x`.
    """
    require_count("depth", depth, least=0)
    if x is not None:
        trainer.initialize(as_source(x).peek())
    state, frozen = trainer.home.look(), trainer.frozen
    outputs = {} if trainer.last_x is None else _outputs(trainer, trainer.last_x)
    parameters, states = flatten(state.parameters), flatten(state.states)
    learns = {path: leaf for path, leaf in parameters.items() if not matches_any(frozen, path)}
    rests = {path: leaf for path, leaf in parameters.items() if path not in learns}
    places = sorted({"", *outputs, *map(_owner, [*parameters, *states])}, key=_order(outputs))
    rows = {place: ([], []) for place in places if depth is None or _depth(place) <= depth}
    for column, flat in enumerate((learns, {**rests, **states})):
        for path, leaf in flat.items():
            rows[_nearest(_owner(path), rows)][column].append(leaf)
    table = Table("Module", *(["Output"] if outputs else []), "Trainable", "Other", "Bytes")
    for row, (own, other) in rows.items():
        shown = [_shapes(outputs.get(row, ()))] if outputs else []
        name = row or trainer.recipe.module.name
        table.add(name, *shown, f"{_size(own):,}", f"{_size(other):,}", bytes_in_words(_bytes([*own, *other])))
    return Summary(table, _totals(learns, rests, states))


def show(summary: Summary) -> None:
    """Print it; in a notebook, display it as a table.

    Args:
        summary: what `summary` returned.
    """
    if "ipykernel" in sys.modules:
        importlib.import_module("IPython.display").display(summary)  # it is there where a notebook runs
    else:
        say(str(summary))


def in_one_line(trainer: Trainer) -> str:
    """The module's name, the names of losses and metrics, and the steps trained, as `repr` shows a model."""
    recipe = trainer.recipe
    losses = [leaf.key for leaf in recipe.objective.losses]
    metrics = [measure.key for measure in recipe.objective.measures]
    trained = f", step={int(trainer.home.look().step)}" if trainer.home else ""
    return f"{recipe.module.name}, loss={losses}, metrics={metrics}{trained}"


def _outputs(trainer: Trainer, x: Any) -> dict[str, Any]:
    state, module, precision = trainer.home.look(), trainer.recipe.module, trainer.recipe.precision

    def run(parameters: Any, states: Any, x: Any) -> Any:
        key, capture = step_key(state, training=False), module.captures
        seen = lowered(parameters, precision), states, lowered(x, precision)
        applied = module.apply(*seen, key=key, training=False, capture=capture)
        return Logs({"": applied.outputs, **applied.extras.intermediates})  # keeps the order of the calls

    return jax.eval_shape(run, state.parameters, state.states, abstract(x))


def _order(outputs: dict[str, Any]) -> Callable[[str], list[tuple[int, int, str]]]:
    """Sorts the root first, then modules as they were called, children after their parent."""
    places: dict[str, int] = {}
    for place, path in enumerate(outputs):
        for node in _nodes(path):
            places.setdefault(node, place)

    def key(path: str) -> list[tuple[int, int, str]]:
        names = path.split("/")
        numbers = [int(name) if name.isdigit() else 0 for name in names]
        return [(places.get(n, len(outputs)), number, n) for n, number in zip(_nodes(path), numbers, strict=False)]

    return key


def _nodes(path: str) -> list[str]:
    """A path and all above it, outermost first, without the root."""
    names = path.split("/") if path else []
    return ["/".join(names[: end + 1]) for end in range(len(names))]


def _nearest(path: str, rows: Collection[str]) -> str:
    while path not in rows and path:
        path = _owner(path)
    return path


def _totals(learns: dict[str, Any], rests: dict[str, Any], states: dict[str, Any]) -> list[str]:
    trainable, frozen, kept = learns.values(), rests.values(), states.values()
    other = [*frozen, *kept]
    return [
        f"Total: {_counted([*trainable, *other])}",
        f"Trainable: {_counted(trainable)}",
        f"Other: {_counted(other)}" + (f", {_size(frozen):,} of them frozen" if rests else ""),
    ]


def _counted(leaves: Iterable[Any]) -> str:
    leaves = list(leaves)
    return f"{_size(leaves):,} ({bytes_in_words(_bytes(leaves))})"


def _owner(path: str) -> str:
    return path.rpartition("/")[0]


def _depth(path: str) -> int:
    return len(_nodes(path))


def _size(leaves: Iterable[Any]) -> int:
    return sum(leaf.size for leaf in leaves)


def _bytes(leaves: Iterable[Any]) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)


def _shapes(tree: Any) -> str:
    return ", ".join(short_type(leaf) for leaf in jax.tree.leaves(tree))
