"""The only `for epoch, for batch`: training, with validation and callbacks, on one screen."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from ._asked import Seen, names_of_step, standing
from ._ema import evaluated
from ._flat import FlatState
from ._launches import Launch
from ._logs import LazyLogs
from ._plan import SINGLE, Plan
from ._programs import Programs
from ._reduce import sample_count
from ._replay import replayed
from ._run import NonfiniteWatch, Run
from ._skip import mark_empty
from ._state import RunState, own_copy
from ._step_record import StepRecord
from ._time_spent import TimeSpent
from ._told import PassState, Told
from .callbacks import CallbackList, Stop
from .data import Batch, Source


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """One pass over data in evaluation mode.

    Attributes:
        prefix: goes before its log names: nothing, `val_`, or `val_<name>_`.
        source: its batches.
        steps: how many batches a pass takes; None takes all.
        extra: columns that every batch gets.
        empty: what a pass starts from.
        seen: its outputs and first batch in abstract form.
        execution: how its launches run.
    """

    prefix: str
    source: Source
    steps: int | None
    extra: Mapping[str, Any]
    empty: PassState
    seen: Seen
    execution: Plan = SINGLE


@dataclasses.dataclass(frozen=True)
class FitPlan:
    """Everything that `fit` decided before the first step.

    Attributes:
        source: the training batches.
        extra: columns that every batch gets, like `class_weight`.
        empty: what a training pass starts from.
        seen: the outputs and the first batch in abstract form.
        epochs: the epochs to run, from 0.
        steps: batches an epoch; None is one pass of the source.
        validations: the validation sets.
        validate_at: tells for an epoch whether it is validated.
        nonfinite: what a non-finite loss does.
        execution: how its launches run.
        step_logs: whether the logs of each step are kept.
    """

    source: Source
    extra: Mapping[str, Any]
    empty: PassState
    seen: Seen
    epochs: range
    steps: int | None
    validations: tuple[Evaluation, ...]
    validate_at: Callable[[int], bool]
    nonfinite: str
    execution: Plan = SINGLE
    step_logs: bool = False


class Training:
    """A fit under way: the plan, the run that owns the arrays, and who is told.

    Args:
        plan: what to run.
        run: owns the arrays; its state after the last finished launch is what counts, however this ends.
        programs: the compiled steps.
        callbacks: are told what happens, and may end the fit.
        interrupted: whether Ctrl-C was pressed.
    """

    def __init__(
        self, plan: FitPlan, run: Run, programs: Programs, callbacks: CallbackList, interrupted: Callable[[], bool]
    ) -> None:
        self.plan = plan
        self.run = run
        self.programs = programs
        self.callbacks = callbacks
        self.interrupted = interrupted
        self.watch = NonfiniteWatch(plan.nonfinite)
        self.record = StepRecord()
        self.spent = TimeSpent()
        self.standing: dict[str, dict[str, Any]] = {}
        self.pace = plan.execution.pace()
        # Known once: in single steps these would be asked for as often as there are steps.
        self.names = names_of_step(callbacks, "on_train_batch_end")
        self.replays = callbacks.overrides("on_train_batch_end")
        self.begins = callbacks.overrides("on_train_batch_begin")
        first_pass = int(run.private().data_pass)
        epochs = len(plan.epochs)
        self.launches = plan.execution.launches(plan.source, plan.extra, plan.steps, first_pass, epochs)

    def fit(self) -> None:
        """Run the epochs of the plan."""
        self.tell("on_train_begin", logs=LazyLogs())
        for epoch in self.plan.epochs:
            self.run.begin_epoch(epoch, self.plan.empty)
            if epoch == self.plan.epochs[0]:
                self.compile_ahead()
            self.tell("on_epoch_begin", epoch=epoch, logs=LazyLogs())
            steps = self.steps()
            logs = self.run.logs = self.running_logs()
            if self.plan.nonfinite == "skip":
                mark_empty(logs, steps, self.plan.empty.sums)
            self.run.replace(data_pass=np.int32(self.launches.next_pass))
            with self.spent.on("compute"):
                self.stop_for(self.watch.look(self.run.private().nonfinite))
            if self.plan.validate_at(epoch) and not self.interrupted():
                for validation in self.plan.validations:
                    logs.update(self.validate(validation))
            self.tell("on_epoch_end", epoch=epoch, logs=logs)
            if self.ended() or self.launches.exhausted:
                break
        self.tell("on_train_end", logs=self.run.logs)

    def compile_ahead(self) -> None:
        """Let what this fit is known to need be compiled side by side, in the order in which it is needed."""
        if self.programs.eager:
            return
        state, epochs = self.run.private(), len(self.plan.epochs)
        with self.programs.ahead:
            for launch in self.launches.forms(epochs):
                self.program_for(launch)(state)
            self.programs.running_logs(state, training=True)
            validated = sum(map(self.plan.validate_at, self.plan.epochs))
            for validation in self.plan.validations if validated else ():
                with self.over(validation):
                    evaluate_ahead(validation, jax.eval_shape(evaluated, state), self.programs, self.callbacks)

    def steps(self) -> int:
        """Run the steps of one epoch, one launch after the other, and return how many."""
        number = 0
        for launch in self.spent.drawn(self.launches.epoch(self.pace.length)):
            if self.begins:
                self.tell("on_train_batch_begin", batch=number, logs=LazyLogs())
            with self.spent.on_dispatch(lambda: self.programs.traces + self.programs.waits):
                told, ticket = self.run.launch(self.program_for(launch), steps=launch.count)
            with self.spent.on("compute"):
                self.pace.launched(launch.count, ticket, self.programs.fresh_bytes)
                self.stop_for(self.watch.launched(ticket))
            if told is not None and self.plan.step_logs:
                self.record.add(self.run.step - launch.count, told, launch)
            if told is not None and self.replays:
                self.replay(number, told, launch)
            number += launch.count
            self.callbacks.launch_end(number, self.running_logs, self.spent.share("input"))
            if self.ended():
                break
        return number

    def program_for(self, launch: Launch) -> Callable[[RunState], tuple[RunState | FlatState, Told | None, Any]]:
        """The program that runs a launch on a state."""
        logged = self.plan.step_logs or self.replays
        feed, first, count = launch
        if isinstance(feed, Batch):
            single = functools.partial(self.programs.train_logged, names=self.names) if logged else self.programs.train
            return functools.partial(single, batch=feed)
        many = functools.partial(self.programs.train_many, feed=feed, first=first, count=count)
        return functools.partial(many, capacity=self.plan.execution.most if logged else 0, names=self.names)

    def replay(self, number: int, told: Told, launch: Launch) -> None:
        """Tell callbacks of each step of a launch."""
        for offset, (logs, asked) in enumerate(told_steps(told, launch)):
            self.run.logs = logs
            step = self.run.step - launch.count + offset  # as the losses of this step saw it
            self.tell("on_train_batch_end", **{**asked, "batch": number + offset, "logs": logs, "step": step})

    def validate(self, validation: Evaluation) -> LazyLogs:
        """One pass over a validation set; the training metrics and sums are not touched."""

        def tell(hook: str, /, **offer: Any) -> None:
            self.tell(hook, **{**offer, **self.numbers()})

        with self.over(validation):
            return evaluate(validation, evaluated(self.run.private()), self.programs, self.callbacks, tell)

    def over(self, validation: Evaluation) -> contextlib.AbstractContextManager[None]:
        """While a block runs over a validation set: what is compiled then has shapes of its own."""
        return self.programs.compilations.over(validation.prefix, sample_count(validation.seen[1]))

    def numbers(self) -> dict[str, int]:
        """What the host knows without asking the device."""
        return {"step": self.run.step, "epoch": self.run.epoch}

    def running_logs(self) -> LazyLogs:
        """What the epoch has come to so far."""
        return LazyLogs(self.programs.running_logs(self.run.private(), training=True))

    def tell(self, hook: str, /, **offer: Any) -> None:
        """Call a hook of every callback; an answer may end the fit after this launch."""
        if hook not in self.standing:  # batch hooks are called as often as there are steps
            self.standing[hook] = standing(hook, self.run.private, training=True)
        stop = self.callbacks.call(hook, **{**self.standing[hook], **self.numbers(), "run": self.run, **offer})
        if isinstance(stop, Stop):
            self.run.stop_reason = stop.reason
        elif self.run.model.stop_training:
            self.stop_for("`model.stop_training` was set")

    def stop_for(self, reason: str | None) -> None:
        """End the fit after this launch, if there is a reason; an earlier one stays."""
        if self.run.stop_reason is None:
            self.run.stop_reason = reason

    def ended(self) -> bool:
        """Whether the fit ends now."""
        return self.run.stop_reason is not None or self.interrupted()


def evaluate(
    evaluation: Evaluation,
    state: RunState,
    programs: Programs,
    callbacks: CallbackList,
    tell: Callable[..., Any],
) -> LazyLogs:
    """One pass in evaluation mode: its own metrics and sums, from zero.

    Args:
        evaluation: what to run.
        state: the trained arrays; they are kept.
        programs: the compiled steps.
        callbacks: whose hooks are overridden, and the bar.
        tell: calls a hook.

    Returns:
        The logs of the pass, with the evaluation's prefix.
    """
    capacity, names = _told_to(callbacks, evaluation)
    running = own_copy(evaluation.empty)

    def told_of(hook: str, /, **offer: Any) -> None:
        tell(hook, **{**standing(hook, lambda: state, training=False), **offer})

    told_of("on_test_begin", logs=LazyLogs())
    pace, number = evaluation.execution.pace(), 0
    launches = evaluation.execution.launches(evaluation.source, evaluation.extra, evaluation.steps, 0)
    for launch in launches.epoch(pace.length):
        if callbacks.overrides("on_test_batch_begin"):
            told_of("on_test_batch_begin", batch=number, logs=LazyLogs())
        running, told, ticket = _tested(programs, state, running, launch, capacity, names)
        pace.launched(launch.count, ticket, programs.fresh_bytes)
        for offset, (logs, asked) in enumerate(told_steps(told, launch) if told is not None else ()):
            told_of("on_test_batch_end", **{**asked, "batch": number + offset, "logs": logs})
        number += launch.count
        callbacks.test_launch_end(number)
    logs = LazyLogs(_running_logs(programs, state, running), prefix=evaluation.prefix)
    told_of("on_test_end", logs=logs)
    return logs


def evaluate_ahead(evaluation: Evaluation, state: RunState, programs: Programs, callbacks: CallbackList) -> None:
    """Let the programs of an evaluation be compiled; `programs` are compiling ahead, the rest is as for `evaluate`."""
    running: Any = evaluation.empty
    launches = evaluation.execution.launches(evaluation.source, evaluation.extra, evaluation.steps, 0)
    for launch in launches.forms(1):
        running = _tested(programs, state, evaluation.empty, launch, *_told_to(callbacks, evaluation))[0]
    _running_logs(programs, state, running)


def _told_to(callbacks: CallbackList, evaluation: Evaluation) -> tuple[int, tuple[str, ...]]:
    """Of how many steps logs are kept for callbacks, and what these ask for."""
    capacity = evaluation.execution.most if callbacks.overrides("on_test_batch_end") else 0
    return capacity, names_of_step(callbacks, "on_test_batch_end")


def _running_logs(programs: Programs, state: RunState, running: PassState) -> Mapping[str, Any]:
    after = dataclasses.replace(state, metrics=running.metrics, sums=running.sums, count=running.count)
    return programs.running_logs(after, training=False)


def told_steps(told: Told, launch: Launch) -> Iterator[tuple[LazyLogs, dict[str, Any]]]:
    """For each step of a launch its logs, and what callbacks asked for."""
    if isinstance(launch.feed, Batch):
        return iter([(LazyLogs(told.logs), told.asked)])
    return replayed(told, launch.count)


def _tested(
    programs: Programs, state: RunState, running: PassState, launch: Launch, capacity: int, names: tuple[str, ...]
) -> tuple[PassState, Told | None, Any]:
    """Run a launch of an evaluation."""
    feed, first, count = launch
    if not isinstance(feed, Batch):
        return programs.test_many(state, running, feed, first, count, capacity=capacity, names=names)
    if capacity:
        return programs.test_logged(state, running, feed, names)
    return programs.test(state, running, feed)
