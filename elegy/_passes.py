"""`evaluate` and `predict`: one pass over data with the trained arrays."""

import contextlib
import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from ._arguments import check_weight_keys, data_check, require_count
from ._asked import check_step, evaluation_offers, prediction_offer, prediction_offers, standing
from ._ema import evaluated
from ._errors import short_type
from ._execution import planned
from ._logs import LazyLogs
from ._loop import Evaluation, evaluate
from ._probe import abstract
from ._reduce import sample_count
from ._state import RunState
from ._trainer import Trainer
from .callbacks import CallbackList, ProgressBar, resolve_verbose
from .data import as_source


def evaluation_of(
    trainer: Trainer,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None,
    steps: int | None,
    prefix: str = "",
) -> Evaluation:
    """A pass over data in evaluation mode, checked and ready to run.

    Args:
        trainer: the model's machinery.
        x: inputs, or a source of batches.
        y: labels.
        sample_weight: weights.
        batch_size: rows of a batch; None is 32. It does not count for sources that make their own batches.
        steps: how many batches; None takes all.
        prefix: goes before the log names.
    """
    check_weight_keys(sample_weight, trainer.recipe.objective)
    source = as_source(x, y, sample_weight, batch_size=batch_size, role="validation_data" if prefix else "x")
    first = source.peek()
    if not prefix:  # a validation may have nothing but what the training has
        trainer.require_objective(first)
    ready = trainer.ready(first, training=False)
    source.check(data_check(trainer.recipe.objective, ready.y_pred))
    return Evaluation(prefix, source, steps, {}, ready.empty, (ready.outputs, abstract(first)))


def run_evaluation(
    trainer: Trainer,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: Any,
    sample_weight: Any,
    steps: int | None,
    callbacks: Any,
    ema: bool | None,
) -> dict[str, float]:
    """The logs of one pass over data; see `Model.evaluate`."""
    require_count("batch_size", batch_size)
    require_count("steps", steps)
    evaluation = evaluation_of(trainer, x, y, sample_weight, batch_size=batch_size, steps=steps)
    seen, state = evaluation.seen, evaluated(trainer.home.look(), ema)
    told = _callbacks(trainer, callbacks, verbose, steps or evaluation.source.steps, evaluation_offers(seen))
    check_step(trainer.programs, told, "on_test_batch_end", state, seen, evaluation.empty.metrics)
    evaluation = planned(trainer, evaluation, told)
    with _telling_exceptions(told):
        return dict(evaluate(evaluation, state, trainer.programs, told, told.call))


def run_prediction(
    trainer: Trainer,
    x: Any,
    batch_size: int | None,
    verbose: Any,
    steps: int | None,
    callbacks: Any,
    ema: bool | None,
) -> Any:
    """The outputs for all rows, on the host; see `Model.predict`."""
    require_count("batch_size", batch_size)
    require_count("steps", steps)
    source = as_source(x, batch_size=batch_size)
    first = source.peek()
    trainer.initialize(first)
    told = _callbacks(trainer, callbacks, verbose, steps or source.steps, prediction_offers(first))
    with _telling_exceptions(told):
        return _predict(trainer, evaluated(trainer.home.look(), ema), _limited(source.batches(0), steps), told)


def _predict(trainer: Trainer, state: RunState, batches: Iterator[Any], told: CallbackList) -> Any:
    fetched = []

    def tell(hook: str, /, **offer: Any) -> None:
        told.call(hook, **{**standing(hook, lambda: state, training=False), **offer})

    tell("on_predict_begin", logs=LazyLogs())
    for number, batch in enumerate(batches):
        tell("on_predict_batch_begin", batch=number, logs=LazyLogs())
        outputs = trainer.programs.predict(state, batch)
        _require_batch_axis(outputs, sample_count(batch))
        fetched.append(jax.device_get(outputs))
        offer = {**prediction_offer(batch), "y_pred": fetched[-1], "batch": number, "logs": LazyLogs()}
        tell("on_predict_batch_end", **offer)
        told.launch_end(number + 1, LazyLogs)
    tell("on_predict_end", logs=LazyLogs())
    return jax.tree.map(lambda *parts: np.concatenate(parts), *fetched)


@contextlib.contextmanager
def _telling_exceptions(told: CallbackList) -> Iterator[None]:
    """Let callbacks end what they began, like a bar's line, when a pass fails."""
    try:
        yield
    except BaseException as error:
        told.call("on_exception", exception=error)
        raise


def _callbacks(
    trainer: Trainer, callbacks: Any, verbose: Any, steps: int | None, offers: Mapping[str, Collection[str]]
) -> CallbackList:
    level = resolve_verbose(verbose)
    bars = [ProgressBar(level)] if level else []
    params = {"verbose": level, "epochs": 1, "steps": steps}
    return CallbackList([*listed(callbacks), *bars], model=trainer.steps, params=params, offers=offers)


def _limited(batches: Iterator[Any], steps: int | None) -> Iterator[Any]:
    return batches if steps is None else itertools.islice(batches, steps)


def _require_batch_axis(outputs: Any, samples: int) -> None:
    for path, leaf in jax.tree_util.tree_leaves_with_path(outputs):
        if not leaf.shape or leaf.shape[0] != samples:
            place = "y_pred" + jax.tree_util.keystr(path)
            raise ValueError(
                f"`predict` was called. The output `{place}` is {short_type(leaf)} for a batch of {samples}; "
                "its first axis "
                "does not count the samples. Return it with a batch axis, or take it from `predict_on_batch`."
            )


def listed(callbacks: Any) -> list[Any]:
    """One callback, several or None as a list of our own."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
