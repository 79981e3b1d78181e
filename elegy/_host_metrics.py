"""Collects what `OnHost` metrics need while a pass runs, and puts their values into the logs at its end."""

import functools
import inspect
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ._errors import short_type
from ._inject import Offer, check_offer
from ._leaves import Leaf
from ._objective import Objective
from ._row_buffer import RowBuffer
from .callbacks import Callback
from .metrics import OnHost


def host_metrics(
    objective: Objective, offers: Mapping[str, Collection[str]], *, in_training: bool = True
) -> list[Callback]:
    """The callback that serves the `OnHost` metrics of a model; none if it has none.

    Args:
        objective: the losses and metrics.
        offers: by hook the names that it is offered.
        in_training: whether a training step has the outputs of one batch; else only evaluations are collected.

    Raises:
        InjectionError: a metric asks for what the steps do not have.
    """
    leaves = [measure.leaf for measure in objective.measures if isinstance(measure.leaf.consumer, OnHost)]
    hooks = ("on_train_batch_end", "on_test_batch_end") if in_training else ("on_test_batch_end",)
    steps = {hook: offers[hook] for hook in hooks if hook in offers}
    for leaf in leaves:
        for offer in steps.values():
            check_offer(leaf.asked, offer if isinstance(offer, Offer) else dict.fromkeys(offer), who=leaf.who)
    return [HostMetrics(leaves, tuple(steps))] if leaves else []


class HostMetrics(Callback):
    """Collects rows after each step, and computes after the last one.

    Args:
        leaves: the metrics.
        hooks: those of the steps that are called.
    """

    def __init__(self, leaves: list[Leaf], hooks: tuple[str, ...]) -> None:
        self._leaves = leaves
        self._rows: dict[str, dict[str, RowBuffer]] = {}
        names = dict.fromkeys(name for leaf in leaves for name in leaf.asked.names)
        for hook in hooks:
            setattr(self, hook, _asking(names, functools.partial(self._collect, hook)))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Forget the rows of the epoch before."""
        del epoch, logs
        self._rows.pop("on_train_batch_end", None)

    def on_test_begin(self, logs: Any = None) -> None:
        """Forget the rows of the pass before."""
        del logs
        self._rows.pop("on_test_batch_end", None)

    def on_epoch_end(self, epoch: int, logs: Any) -> dict[str, float]:
        """The values of the training pass."""
        del epoch, logs
        return self._values("on_train_batch_end", "")

    def on_test_end(self, logs: Any) -> dict[str, float]:
        """The values of an evaluation, with its prefix."""
        return self._values("on_test_batch_end", logs.prefix)

    def _collect(self, hook: str, **offer: Any) -> None:
        where = "this train step" if hook == "on_train_batch_end" else "this test step"
        for leaf in self._leaves:
            columns = leaf.consumer.collected(leaf.view(Offer(offer), where), who=leaf.who, where=where)
            _require_rows(leaf.who, columns)
            buffer = self._rows.setdefault(hook, {}).setdefault(leaf.key, RowBuffer(None, leaf.key))
            buffer.add(columns)

    def _values(self, hook: str, prefix: str) -> dict[str, float]:
        values: dict[str, float] = {}
        for leaf in self._leaves:
            if leaf.key in self._rows.get(hook, {}):
                value = leaf.consumer.value(self._rows[hook][leaf.key].rows())
                values.update(_numbers(prefix + leaf.key, value))
        self._rows.pop(hook, None)
        return values


def _asking(names: Collection[str], function: Any) -> Any:
    """The function as one that asks for these names."""

    def hook(**offer: Any) -> None:
        function(**offer)

    place = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, place, default=None) for name in names]
    hook.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    return hook


def _require_rows(who: str, columns: Mapping[str, Any]) -> None:
    """Refuse a batch whose columns have no rows, or not as many as each other."""
    lengths = {name: column.shape[0] if getattr(column, "ndim", 0) else None for name, column in columns.items()}
    if len(set(lengths.values())) > 1 or None in lengths.values():
        shown = ", ".join(f"`{name}` {short_type(column)}" for name, column in columns.items())
        raise ValueError(
            f"{who} collects rows on the host. It was given {shown}, which have not one row for each sample. "
            "Choose one array of them with `on=` or `elegy.bind`."
        )


def _numbers(name: str, value: Any) -> dict[str, float]:
    """A value as logs show it: one number for each part of a dict, and for each element of an array."""
    if isinstance(value, Mapping):
        return {key: each for part, inner in value.items() for key, each in _numbers(f"{name}/{part}", inner).items()}
    array = np.asarray(value)
    return {"/".join([name, *map(str, index)]): float(array[index]) for index in np.ndindex(array.shape)}
