"""Which plan each pass of a fit or an evaluation gets, from its data and from the callbacks that are told."""

import dataclasses
import math
from typing import Any

import jax

from ._asked import Seen, names_of_step
from ._ema import evaluated
from ._loop import Evaluation, FitPlan
from ._plan import Needs, Plan, choose_plan, choose_plan_of_one_pass, fills_no_chunk, too_much_told
from ._reduce import sample_count
from ._state import RunState
from ._trainer import Trainer
from .callbacks import CallbackList
from .data import ArraySource, Batch, Source


def planned_fit(
    trainer: Trainer, plan: FitPlan, callbacks: CallbackList, *, execution: str, steps_per_execution: int | None
) -> FitPlan:
    """The plan of a fit with the way in which its passes run.

    Raises:
        ValueError: what is asked for does not fit the data or the callbacks.
    """
    needs = _needs(trainer, callbacks, "train", plan.seen, plan.empty.metrics, logged=plan.step_logs)
    chosen = choose_plan(
        plan.source,
        plan.seen[1],
        needs,
        execution=execution,
        steps_per_execution=steps_per_execution,
        accumulate=trainer.recipe.accumulate,
    )
    validations = tuple(planned(trainer, validation, callbacks) for validation in plan.validations)
    return dataclasses.replace(plan, execution=chosen, validations=validations)


def planned(trainer: Trainer, evaluation: Evaluation, callbacks: CallbackList) -> Evaluation:
    """An evaluation with the way in which it runs."""
    needs = _needs(trainer, callbacks, "test", evaluation.seen, evaluation.empty.metrics)
    source, steps = evaluation.source, evaluation.steps
    is_one_pass = not evaluation.prefix and (steps is None or source.steps is None or steps <= source.steps)
    choose = choose_plan_of_one_pass if is_one_pass and not fills_no_chunk(source) else choose_plan
    return dataclasses.replace(evaluation, execution=choose(source, evaluation.seen[1], needs))


def planned_prediction(
    trainer: Trainer, source: Source, first: Batch, state: RunState, callbacks: CallbackList
) -> Plan:
    """How a prediction runs. What comes of a stream is handed out as it comes.

    Args:
        trainer: the model's machinery.
        source: the batches.
        first: one of them.
        state: the arrays that predict.
        callbacks: who is told.
    """
    if trainer.programs.eager:
        return choose_plan_of_one_pass(source, first, Needs("the model runs eagerly"))
    if any(callbacks.overrides(f"on_predict_batch_{when}") for when in ("begin", "end")):
        return choose_plan_of_one_pass(source, first, Needs("a callback acts on batches"))
    if type(source) is not ArraySource:
        return choose_plan_of_one_pass(source, first, Needs("the source makes its batches one by one"))
    outputs = jax.tree.leaves(trainer.programs.predicted(state, first))
    size = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in outputs)
    return choose_plan_of_one_pass(source, first, Needs(told_bytes=size))


def _needs(
    trainer: Trainer, callbacks: CallbackList, kind: str, seen: Seen, metrics: dict[str, Any], *, logged: bool = False
) -> Needs:
    hook = f"on_{kind}_batch_end"
    replayed = callbacks.overrides(hook)
    size = 0
    if replayed or logged:
        names = names_of_step(callbacks, hook)
        state = trainer.home.look() if kind == "train" else evaluated(trainer.home.look())
        size = trainer.programs.told_bytes(state, seen[1], kind == "train", metrics, names)
    if trainer.programs.eager:
        return Needs("the model runs eagerly")
    if callbacks.overrides(f"on_{kind}_batch_begin") or (kind == "train" and callbacks.needs_every_step):
        return Needs("a callback acts between the steps")
    parameters = jax.tree.leaves(trainer.home.look().parameters)
    batches = trainer.recipe.accumulate if kind == "train" else 1
    work = batches * sample_count(seen[1]) * sum(leaf.size for leaf in parameters)
    return Needs(too_much_told(size), replayed, size, work, logged)
