"""How `fit` gets from what the user gave to a plan, and from the plan to a history."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ._arguments import (
    check_weight_keys,
    class_weight_columns,
    data_check,
    epochs_to_validate,
    named_sets,
    require_count,
    unpacked,
)
from ._asked import check_step, fit_offers
from ._ema import evaluated
from ._execution import planned_fit
from ._host_metrics import host_metrics
from ._in_step import InStep, hooks_among
from ._loop import Evaluation, FitPlan, Training
from ._passes import evaluation_of, listed
from ._plan import require_execution
from ._probe import abstract
from ._reduce import sample_count
from ._run import Run, interruptible, require_nonfinite
from ._trainer import Trainer
from ._verdict import verdict
from .callbacks import CallbackList, History, ProgressBar, resolve_verbose
from .data import ArraySource, Batch, Source, as_source, is_stream, validation_split


@dataclasses.dataclass(frozen=True)
class FitArguments:
    """What `Model.fit` was given; see there."""

    x: Any
    y: Any
    batch_size: int | None
    epochs: int
    verbose: Any
    callbacks: Any
    validation_split: float
    validation_data: Any
    shuffle: bool | Literal["batch"]
    class_weight: Any
    sample_weight: Any
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_batch_size: int | None
    validation_freq: int | Sequence[int]
    drop_remainder: bool
    nonfinite: str
    execution: str
    steps_per_execution: int | None
    step_logs: bool
    max_compilations: int | None


def fit(trainer: Trainer, given: FitArguments) -> History:
    """Train, and hand back the last finished launch on every exit.

    Args:
        trainer: the model's machinery.
        given: the arguments of `Model.fit`.

    Returns:
        The history; `interrupted` is True after Ctrl-C.
    """
    _check(trainer, given)
    hooks = hooks_among(listed(given.callbacks))
    with trainer.programs.training_with(skips=given.nonfinite == "skip", hooks=hooks):
        return _fit(trainer, given)


def _fit(trainer: Trainer, given: FitArguments) -> History:
    source, validations = _sources(trainer, given)
    extra = class_weight_columns(given.class_weight, trainer.recipe.objective)
    first = Batch(**source.peek(), **extra)
    plan = _plan(trainer, given, source, first, extra, validations)
    model = trainer.steps
    history = model.history = History()
    verbose = resolve_verbose(given.verbose)
    bars = [ProgressBar(verbose)] if verbose else []
    params = {"verbose": verbose, "epochs": given.epochs, "steps": given.steps_per_epoch or _steps(trainer, source)}
    sets = [validation.seen for validation in plan.validations]
    offers = fit_offers(plan.seen, sets, accumulate=trainer.recipe.accumulate)
    told = [callback for callback in listed(given.callbacks) if not isinstance(callback, InStep)]
    collecting = host_metrics(trainer.recipe.objective, offers, in_training=trainer.recipe.accumulate == 1)
    callbacks = CallbackList([*collecting, *told, *bars, history], model=model, params=params, offers=offers)
    _check_steps(trainer, callbacks, plan)
    asked = {"execution": given.execution, "steps_per_execution": given.steps_per_execution}
    plan = planned_fit(trainer, plan, callbacks, **asked)
    if plan.epochs:
        callbacks.say(plan.execution.in_words(params["steps"]))
    model.stop_training = False
    run = Run(model, trainer.home.look(), trainer.recipe.objective.live_owners())
    trainer.home.run = run
    watched = trainer.programs.compilations.during(callbacks.say, sample_count(first), given.max_compilations)
    try:
        with interruptible() as interrupted, watched:
            training = Training(plan, run, trainer.programs, callbacks, interrupted)
            history.read_steps = training.record.read
            training.fit()
            _tell_verdict(training, given, callbacks)
            history.interrupted = interrupted()
            history.stop_reason = run.stop_reason
    except BaseException as error:
        callbacks.call("on_exception", exception=error, run=run)
        raise
    finally:
        trainer.home.run = None
        trainer.home.put(run.finish())
        trainer.home.write_back()
    return history


def _tell_verdict(training: Training, given: FitArguments, callbacks: CallbackList) -> None:
    """Let the bar say where the time went."""
    plan = training.plan
    is_stream = not isinstance(plan.source, ArraySource)
    asked = given.steps_per_execution
    line = verdict(training.spent, plan.execution, is_stream=is_stream, steps_per_execution=asked)
    if line is not None:
        callbacks.say(line)


def _check_steps(trainer: Trainer, callbacks: CallbackList, plan: FitPlan) -> None:
    """Raise if a step does not offer what callbacks ask for."""
    state = trainer.home.look()
    averages = evaluated(state)
    check_step(trainer.programs, callbacks, "on_train_batch_end", state, plan.seen, plan.empty.metrics)
    for validation in plan.validations:
        seen, metrics = validation.seen, validation.empty.metrics
        check_step(trainer.programs, callbacks, "on_test_batch_end", averages, seen, metrics)


def _check(trainer: Trainer, given: FitArguments) -> None:
    for name, least in {
        "batch_size": 1,
        "epochs": 0,
        "initial_epoch": 0,
        "steps_per_epoch": 1,
        "steps_per_execution": 1,
        "validation_steps": 1,
        "validation_batch_size": 1,
        "max_compilations": 0,
    }.items():
        require_count(name, getattr(given, name), least=least)
    require_execution(given.execution)
    require_nonfinite(given.nonfinite)
    check_weight_keys(given.sample_weight, trainer.recipe.objective)
    if given.validation_data is None and not given.validation_split:
        for name, default in {"validation_steps": None, "validation_batch_size": None, "validation_freq": 1}.items():
            if getattr(given, name) != default:
                raise ValueError(
                    f"`{name}={getattr(given, name)!r}` was given. There is nothing to validate on. "
                    "Give `validation_data=` or `validation_split=`, or leave it out."
                )


def _sources(trainer: Trainer, given: FitArguments) -> tuple[Source, dict[str, Any]]:
    """The training source, and by prefix what to validate on."""
    x, y, weight = given.x, given.y, given.sample_weight
    validations = named_sets(given.validation_data)
    if given.validation_split and not validations:
        (x, y, weight), validations["val_"] = validation_split(x, y, weight, fraction=given.validation_split)
    source = as_source(
        x,
        y,
        weight,
        batch_size=given.batch_size,
        shuffle=given.shuffle,
        seed=(int(trainer.seed[0]), int(trainer.seed[1])),
        steps=given.steps_per_epoch and given.steps_per_epoch * trainer.recipe.accumulate,
        drop_remainder=given.drop_remainder,
    )
    epochs = given.epochs - given.initial_epoch
    if not source.repeatable and epochs > 1 and given.steps_per_epoch is None:
        raise ValueError(
            f"`fit(epochs={given.epochs})` was called with an iterator. An iterator ends after one pass, and "
            "nothing says "
            "how many steps an epoch has. Give `steps_per_epoch=`, or a function that makes a new iterator."
        )
    return source, validations


def _steps(trainer: Trainer, source: Source) -> int | None:
    """The training steps of a pass, where known."""
    return None if source.steps is None else -(-source.steps // trainer.recipe.accumulate)


def _plan(
    trainer: Trainer, given: FitArguments, source: Source, first: Batch, extra: Mapping[str, Any], sets: dict[str, Any]
) -> FitPlan:
    trainer.require_trainable(first)
    ready = trainer.ready(first, training=True)
    seen = (ready.outputs, abstract(first))
    source.check(data_check(trainer.recipe.objective, ready.y_pred))
    validations = tuple(_validation(trainer, given, source, data, prefix) for prefix, data in sets.items())
    state = trainer.home.look()
    if int(state.step) == 0 and int(state.data_pass) == 0 and given.initial_epoch:
        fresh = dataclasses.replace(state, data_pass=np.int32(given.initial_epoch))
        trainer.home.put(fresh)
    return FitPlan(
        source=source,
        extra=extra,
        empty=ready.empty,
        seen=seen,
        epochs=range(given.initial_epoch, given.epochs),
        steps=given.steps_per_epoch,
        validations=validations,
        validate_at=epochs_to_validate(given.validation_freq),
        nonfinite=given.nonfinite,
        step_logs=given.step_logs,
    )


def _validation(trainer: Trainer, given: FitArguments, source: Source, data: Any, prefix: str) -> Evaluation:
    x, y, weight = unpacked(data, "validation_data")
    size = given.validation_batch_size
    if size is None and not is_stream(x):  # a stream has batches of its own
        size = given.batch_size or source.batch_size
    evaluation = evaluation_of(trainer, x, y, weight, batch_size=size, steps=given.validation_steps, prefix=prefix)
    passes = [
        epoch for epoch in range(given.initial_epoch, given.epochs) if epochs_to_validate(given.validation_freq)(epoch)
    ]
    if not evaluation.source.repeatable and len(passes) > 1:
        raise ValueError(
            f"`validation_data` is an iterator, and {len(passes)} epochs are validated. It ends after one pass. "
            "Give arrays, or a function that makes a new iterator."
        )
    return evaluation
