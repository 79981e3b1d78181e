"""The only `for epoch, for batch`: training, with validation and callbacks, on one screen."""

import dataclasses
import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from ._asked import Seen, names_of_step, standing
from ._logs import LazyLogs
from ._programs import PassState, Programs
from ._run import NonfiniteWatch, Run
from ._state import RunState
from .callbacks import CallbackList, Stop
from .data import Batch, Source, endless


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
    """

    prefix: str
    source: Source
    steps: int | None
    extra: Mapping[str, Any]
    empty: PassState
    seen: Seen


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
        self.stream = _Stream(plan.source, plan.extra, plan.steps, int(run.private().data_pass))

    def fit(self) -> None:
        """Run the epochs of the plan."""
        self.tell("on_train_begin", logs=LazyLogs())
        for epoch in self.plan.epochs:
            self.run.begin_epoch(epoch, self.plan.empty)
            self.tell("on_epoch_begin", epoch=epoch, logs=LazyLogs())
            self.steps()
            logs = self.run.logs = self.running_logs()
            self.run.replace(data_pass=np.int32(self.stream.next_pass))
            self.watch.look(self.run.private())
            if self.plan.validate_at(epoch) and not self.interrupted():
                for validation in self.plan.validations:
                    logs.update(self.validate(validation))
            self.tell("on_epoch_end", epoch=epoch, logs=logs)
            if self.ended() or self.stream.exhausted:
                break
        self.tell("on_train_end", logs=self.run.logs)

    def steps(self) -> None:
        """Run the steps of one epoch."""
        logged = self.callbacks.overrides("on_train_batch_end")
        begins = self.callbacks.overrides("on_train_batch_begin")
        program = functools.partial(
            self.programs.train_logged, names=names_of_step(self.callbacks, "on_train_batch_end")
        )
        for number, batch in enumerate(self.stream.epoch()):
            if begins:
                self.tell("on_train_batch_begin", batch=number, logs=LazyLogs())
            if logged:
                told = self.run.launch(program, batch)
                self.run.logs = LazyLogs(told.logs)
                offer = {**told.asked, "step": self.run.step - 1}  # as the losses of this step saw it
                self.tell("on_train_batch_end", batch=number, logs=self.run.logs, **offer)
            else:
                self.run.launch(self.programs.train, batch)
            self.callbacks.launch_end(number + 1, self.running_logs)
            if self.ended():
                break

    def validate(self, validation: Evaluation) -> LazyLogs:
        """One pass over a validation set; the training metrics and sums are not touched."""

        def tell(hook: str, /, **offer: Any) -> None:
            self.tell(hook, **{**offer, **self.numbers()})

        return evaluate(validation, self.run.private(), self.programs, self.callbacks, tell)

    def numbers(self) -> dict[str, int]:
        """What the host knows without asking the device."""
        return {"step": self.run.step, "epoch": self.run.epoch}

    def running_logs(self) -> LazyLogs:
        """What the epoch has come to so far."""
        return LazyLogs(self.programs.running_logs(self.run.private(), training=True))

    def tell(self, hook: str, /, **offer: Any) -> None:
        """Call a hook of every callback; an answer may end the fit after this launch."""
        arrays = standing(hook, self.run.private, training=True)
        stop = self.callbacks.call(hook, **{**arrays, **self.numbers(), "run": self.run, **offer})
        if isinstance(stop, Stop):
            self.run.stop_reason = stop.reason
        elif self.run.model.stop_training and self.run.stop_reason is None:
            self.run.stop_reason = "`model.stop_training` was set"

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
    logged, begins = callbacks.overrides("on_test_batch_end"), callbacks.overrides("on_test_batch_begin")
    names = names_of_step(callbacks, "on_test_batch_end")
    running = jax.tree.map(jax.numpy.asarray, evaluation.empty)

    def logs_of(running: PassState) -> LazyLogs:
        after = dataclasses.replace(state, metrics=running.metrics, sums=running.sums, count=running.count)
        return LazyLogs(programs.running_logs(after, training=False), prefix=evaluation.prefix)

    def told_of(hook: str, /, **offer: Any) -> None:
        tell(hook, **{**standing(hook, lambda: state, training=False), **offer})

    told_of("on_test_begin", logs=LazyLogs())
    stream = _Stream(evaluation.source, evaluation.extra, evaluation.steps, 0)
    for number, batch in enumerate(stream.epoch()):
        if begins:
            told_of("on_test_batch_begin", batch=number, logs=LazyLogs())
        if logged:
            running, told = programs.test_logged(state, running, batch, names)
            told_of("on_test_batch_end", **{**told.asked, "batch": number, "logs": LazyLogs(told.logs)})
        else:
            running = programs.test(state, running, batch)
        callbacks.test_launch_end(number + 1)
    logs = logs_of(running)
    told_of("on_test_end", logs=logs)
    return logs


class _Stream:
    """The batches of the epochs, one pass each, or a fixed number of steps that rolls over the passes.

    Attributes:
        next_pass: the pass that a following fit begins with.
        exhausted: whether the data ended before an epoch did.
    """

    def __init__(self, source: Source, extra: Mapping[str, Any], steps: int | None, first_pass: int) -> None:
        self.next_pass = first_pass
        self.exhausted = False
        self._source = source
        self._extra = extra
        self._steps = steps
        self._rolling = endless(source, first_pass) if steps is not None else None

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch."""
        number = 0
        for batch in self._raw():
            number += 1
            yield Batch(**batch, **self._extra) if self._extra else batch
        if self._steps is not None and number < self._steps:
            self.exhausted = True
            warnings.warn(
                f"An epoch of {self._steps} steps was asked for. The data ended after {number}. The partial "
                "epoch is kept "
                "and the run ends here; give a function that makes a new iterator to go on.",
                stacklevel=2,
            )

    def _raw(self) -> Iterator[Batch]:
        if self._rolling is None:
            self.next_pass += 1
            yield from self._source.batches(self.next_pass - 1)
            return
        for position, batch in itertools.islice(self._rolling, self._steps):
            self.next_pass = position.data_pass + (position.offset > 0)
            yield batch
