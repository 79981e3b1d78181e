"""`predict`: outputs go to the host while the next batches run."""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import jax

from ._arguments import require_count
from ._asked import prediction_offer, prediction_offers, standing
from ._ema import evaluated
from ._errors import short_type
from ._logs import LazyLogs
from ._passes import callbacks_of, telling_exceptions
from ._reduce import sample_count
from ._row_buffer import RowBuffer
from ._state import RunState
from ._trainer import Trainer
from .callbacks import CallbackList
from .data import Batch, Source, as_source

Writer = Callable[[Any], Any]

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
    state, batches = evaluated(trainer.home.look(), ema), itertools.islice(source.batches(0), steps)
    with telling_exceptions(told), trainer.programs.compilations.during(told.say, sample_count(first)):
        if writer is not None:
            return _predict(trainer, state, batches, told, writer)
        kept = RowBuffer(_rows(source, steps), "y_pred")
        _predict(trainer, state, batches, told, kept.add)
        return kept.rows()


def _predict(trainer: Trainer, state: RunState, batches: Iterator[Batch], told: CallbackList, write: Writer) -> None:
    """Hand the outputs of each batch to `write`, in order; of all others only a bounded number is alive."""
    # A hook at the begin of a batch comes after all of the batch before; the next batch is prepared meanwhile.
    most = 1 if told.overrides("on_predict_batch_begin") else _IN_FLIGHT
    flying: deque[tuple[int, Batch, Any]] = deque()

    def tell(hook: str, /, **offer: Any) -> None:
        if told.overrides(hook):
            told.call(hook, **{**standing(hook, lambda: state, training=False), "logs": LazyLogs(), **offer})

    def land() -> None:
        number, batch, outputs = flying.popleft()
        fetched = jax.device_get(outputs)
        write(fetched)
        tell("on_predict_batch_end", **{**prediction_offer(batch), "y_pred": fetched, "batch": number})
        told.launch_end(number + 1, LazyLogs)

    tell("on_predict_begin")
    for number, batch in enumerate(batches):
        while len(flying) >= most:
            land()
        tell("on_predict_batch_begin", batch=number)
        flying.append((number, batch, _launched(trainer, state, batch)))
    while flying:
        land()
    tell("on_predict_end")


def _launched(trainer: Trainer, state: Any, batch: Batch) -> Any:
    """The outputs of a batch, which are computed and sent to the host while this returns."""
    outputs = trainer.programs.predict(state, batch)
    _require_batch_axis(outputs, sample_count(batch))
    for leaf in jax.tree.leaves(outputs):
        if isinstance(leaf, jax.Array):
            leaf.copy_to_host_async()
    return outputs


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
