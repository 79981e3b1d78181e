"""`evaluate`: one pass over data with the trained arrays; and what all verbs of one pass share."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ._arguments import check_weight_keys, data_check, require_count
from ._asked import check_step, evaluation_offers
from ._ema import evaluated
from ._execution import planned
from ._host_metrics import host_metrics
from ._loop import Evaluation, evaluate
from ._probe import abstract
from ._reduce import sample_count
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
    offers = evaluation_offers(seen)
    first = host_metrics(trainer.recipe.objective, offers)
    told = callbacks_of(trainer, [*first, *listed(callbacks)], verbose, steps or evaluation.source.steps, offers)
    check_step(trainer.programs, told, "on_test_batch_end", state, seen, evaluation.empty.metrics)
    evaluation = planned(trainer, evaluation, told)
    with telling_exceptions(told), trainer.programs.compilations.during(told.say, sample_count(seen[1])):
        return dict(evaluate(evaluation, state, trainer.programs, told, told.call))


@contextlib.contextmanager
def telling_exceptions(told: CallbackList) -> Iterator[None]:
    """Let callbacks end what they began, like a bar's line, when a pass fails."""
    try:
        yield
    except BaseException as error:
        told.call("on_exception", exception=error)
        raise


def callbacks_of(
    trainer: Trainer, callbacks: Any, verbose: Any, steps: int | None, offers: Mapping[str, Collection[str]]
) -> CallbackList:
    """The callbacks of a pass, and its bar.

    Args:
        trainer: the model's machinery.
        callbacks, verbose: as given to the verb.
        steps: how many batches the pass has, where known.
        offers: by hook the names that it is offered.
    """
    level = resolve_verbose(verbose)
    bars = [ProgressBar(level)] if level else []
    params = {"verbose": level, "epochs": 1, "steps": steps}
    return CallbackList([*listed(callbacks), *bars], model=trainer.steps, params=params, offers=offers)


def listed(callbacks: Any) -> list[Any]:
    """One callback, several or None as a list of our own."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
