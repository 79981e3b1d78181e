"""`predict`: outputs go to the host while the next batches run."""

import functools
from collections import deque
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from ._arguments import require_count
from ._asked import prediction_offer, prediction_offers, standing
from ._ema import evaluated
from ._errors import short_type
from ._execution import planned_prediction
from ._launches import Launch
from ._logs import LazyLogs
from ._passes import callbacks_of, telling_exceptions
from ._plan import Plan
from ._programs import Programs
from ._reduce import sample_count
from ._row_buffer import RowBuffer
from ._state import RunState
from ._trainer import Trainer
from .callbacks import CallbackList
from .data import Batch, Source, as_source

Writer = Callable[[Any], Any]
Take = Callable[[Any, int], None]
"""Gets the outputs of a launch, stacked `(steps, rows, ...)`, and how many steps these are."""

_IN_FLIGHT = 2


def run_prediction(
    trainer: Trainer,
    x: Any,
    batch_size: int | None,
    verbose: Any,
    steps: int | None,
    callbacks: Any,
    ema: bool | None,
    writer: Writer | None,
) -> Any:
    """The outputs for all rows on the host, or None if a writer takes them; see `Model.predict`."""
    require_count("batch_size", batch_size)
    require_count("steps", steps)
    if writer is not None and not callable(writer):
        raise TypeError(
            f"`predict(writer={writer!r})` was called. A writer is called with the outputs of each batch. "
            "Give a function, like `writer=lambda outputs: file.write(outputs.tobytes())`."
        )
    source = as_source(x, batch_size=batch_size)
    first = source.peek()
    trainer.initialize(first)
    told = callbacks_of(trainer, callbacks, verbose, steps or source.steps, prediction_offers(first))
    state = evaluated(trainer.home.look(), ema)
    with telling_exceptions(told), trainer.programs.compilations.during(told.say, sample_count(first)):
        plan = planned_prediction(trainer, source, first, state, told)
        if plan.kind == "chunks":
            _require_batch_axis(trainer.programs.predicted(state, first), sample_count(first))
        prediction = _Prediction(trainer.programs, state, plan, told)
        if writer is not None:
            return prediction.run(source, steps, functools.partial(_hand_out, writer))
        kept = RowBuffer(_rows(source, steps), "y_pred")
        prediction.run(source, steps, lambda stacked, count: kept.add(jax.tree.map(_in_a_row, stacked)))
        return kept.rows()


class _Prediction:
    """One pass that predicts: of the outputs only those of a bounded number of launches are alive.

    Args:
        programs: the compiled steps.
        state: the arrays that predict.
        plan: how the launches run.
        told: the callbacks.
    """

    def __init__(self, programs: Programs, state: RunState, plan: Plan, told: CallbackList) -> None:
        self._programs = programs
        self._state = state
        self._plan = plan
        self._told = told
        self._flying: deque[tuple[int, int, Batch | None, Any]] = deque()
        # A hook at the begin of a batch comes after all of the batch before; the next batch is prepared meanwhile.
        self._most = 1 if told.overrides("on_predict_batch_begin") else _IN_FLIGHT

    def run(self, source: Source, steps: int | None, take: Take) -> None:
        """Hand the outputs of each launch to `take`, in order."""
        pace, number = self._plan.pace(), 0
        self._tell("on_predict_begin")
        launches = self._plan.launches(source, {}, steps if self._plan.once else None, 0)
        for launch in launches.epoch(pace.length):
            while len(self._flying) >= self._most:
                self._land(take)
            self._tell("on_predict_batch_begin", batch=number)
            outputs = self._launched(launch)
            ticket = next(iter(jax.tree.leaves(outputs)), self._state.step)
            pace.launched(launch.count, ticket, self._programs.fresh_bytes)
            batch = launch.feed if isinstance(launch.feed, Batch) else None  # a chunk's memory is needed for others
            self._flying.append((number, launch.count, batch, outputs))
            number += launch.count
            if number == steps:  # a pass ends with its data, so single steps are not asked to begin anew
                break
        while self._flying:
            self._land(take)
        self._tell("on_predict_end")

    def _launched(self, launch: Launch) -> Any:
        """The outputs of a launch, which are computed and sent to the host while this returns."""
        feed, first, count = launch
        if isinstance(feed, Batch):
            outputs = self._programs.predict(self._state, feed)
            _require_batch_axis(outputs, sample_count(feed))
        else:
            outputs = self._programs.predict_many(self._state, feed, first, count, capacity=self._plan.most)
        for leaf in jax.tree.leaves(outputs):
            if isinstance(leaf, jax.Array):
                leaf.copy_to_host_async()
        return outputs

    def _land(self, take: Take) -> None:
        """Wait for the oldest launch, and hand its outputs on."""
        number, count, batch, outputs = self._flying.popleft()
        fetched = jax.tree.map(np.asarray, outputs)
        if batch is not None:
            take(jax.tree.map(lambda leaf: leaf[None], fetched), 1)
            self._tell("on_predict_batch_end", **{**prediction_offer(batch), "y_pred": fetched, "batch": number})
        else:
            take(jax.tree.map(lambda leaf: leaf[:count], fetched), count)
        self._told.launch_end(number + count, LazyLogs)

    def _tell(self, hook: str, /, **offer: Any) -> None:
        if self._told.overrides(hook):
            standing_offer = standing(hook, lambda: self._state, training=False)
            self._told.call(hook, **{**standing_offer, "logs": LazyLogs(), **offer})


def _in_a_row(stacked: np.ndarray) -> np.ndarray:
    """The rows of several batches behind each other."""
    return stacked.reshape(stacked.shape[0] * stacked.shape[1], *stacked.shape[2:])


def _hand_out(writer: Writer, stacked: Any, count: int) -> None:
    """Give a writer the outputs batch by batch."""
    for step in range(count):
        writer(jax.tree.map(lambda leaf, step=step: leaf[step], stacked))


def _rows(source: Source, steps: int | None) -> int | None:
    """How many rows a pass of so many batches has, where that is known."""
    if steps is None or source.samples is None or source.batch_size is None:
        return source.samples if steps is None else None
    return min(source.samples, steps * source.batch_size)


def _require_batch_axis(outputs: Any, samples: int) -> None:
    for path, leaf in jax.tree_util.tree_leaves_with_path(outputs):
        if not leaf.shape or leaf.shape[0] != samples:
            place = "y_pred" + jax.tree_util.keystr(path)
            raise ValueError(
                f"`predict` was called. The output `{place}` is {short_type(leaf)} for a batch of {samples}; "
                "its first axis "
                "does not count the samples. Return it with a batch axis, or take it from `predict_on_batch`."
            )
