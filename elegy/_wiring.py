"""`model.wiring()`: who asks for what, where it comes from, and everything that is on offer."""

from collections.abc import Mapping
from typing import Any

import jax

from ._errors import short_type
from ._inject import injected_call, wants
from ._leaves import Leaf
from ._measures import available
from ._names import name_of
from ._offer import Outputs, offer_of
from ._on import steps_of
from ._paths import join
from ._tables import Table, render
from ._trainer import Trainer
from .data import as_source


def wiring(trainer: Trainer, x: Any, y: Any, sample_weight: Any) -> str:
    """The two tables of `Model.wiring`.

    Args:
        trainer: the model's machinery.
        x, y, sample_weight: as for `fit`; without x the last batch's shapes are used.

    Raises:
        ValueError: no x was given, and the model has seen none.
    """
    if x is not None:
        batch = as_source(x, y, sample_weight).peek()
        trainer.ready(batch, training=trainer.is_trainable(batch))
    if trainer.seen is None:
        raise ValueError(
            "The wiring was asked for. The model has seen no data, and shapes come from data. "
            "Write `model.wiring(x, y)`, or call `fit` first."
        )
    outputs, batch = trainer.seen
    return f"Asked for\n\n{_asks(trainer)}\nOn offer\n\n{_offers(outputs, batch)}"


def _asks(trainer: Trainer) -> str:
    table = Table("Log name", "Who", "Asks for", "From")
    objective = trainer.recipe.objective
    available_in_tests = {measure.key for measure in available(objective.measures, training=False)}
    for leaf in objective.leaves:
        only = leaf.kind == "metric" and leaf.key not in available_in_tests
        for number, (argument, source) in enumerate(_sources(leaf).items()):
            who = _who(objective.resolved.get(leaf.key, leaf.consumer)) + (" (training only)" if only else "")
            table.add(*((leaf.key, who) if number == 0 else ("", "")), argument, source)
    return render(table)


def _who(consumer: Any) -> str:
    is_function = hasattr(consumer, "__name__")
    return name_of(consumer) if is_function else type(consumer).__name__


def _sources(leaf: Leaf) -> dict[str, str]:
    """By argument the path it reads, after `bind` and `on`."""
    if isinstance(leaf.consumer, str):
        names: tuple[str, ...] = leaf.asked.names
    else:
        names = tuple(name for name in wants(injected_call(leaf.consumer)).names if name != "state")
    paths = dict(leaf.bound.paths) if leaf.bound is not None else {}
    sources = {}
    for name in names:
        source = paths.get(name, name).replace(".", "/")
        indexed = leaf.on is not None and name in ("y_true", "y_pred")
        sources[name] = join(source, *steps_of(leaf.on, None)) if indexed else source
    return sources


def _offers(outputs: Outputs, batch: Mapping[str, Any]) -> str:
    table = Table("Path", "What")
    offer = offer_of(outputs, batch)
    for name in offer:
        value = offer[name]
        if not jax.tree.leaves(value):
            table.add(name, repr(value))
        for path, leaf in jax.tree_util.tree_leaves_with_path(value):
            table.add(join(name, *(_step(entry) for entry in path)), _what(leaf))
    return render(table)


def _step(entry: Any) -> str:
    return str(next(getattr(entry, field) for field in ("key", "idx", "name") if hasattr(entry, field)))


def _what(leaf: Any) -> str:
    return short_type(leaf) if hasattr(leaf, "dtype") else repr(leaf)
