"""The compiled programs of a model: the only place where steps are jitted and buffers donated."""

import contextlib
import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._bounded import Bounded
from ._compilations import MOST_FORMS, MOST_PROGRAMS, Compilations
from ._feed import Feed, Rare, run_many
from ._fields import Fields, joined, moved, split
from ._flat import FlatState, Leaves, Structure, flat, packed, whole
from ._grouped import group_like
from ._in_step import InStep, usual_steps
from ._logs import Logs, Totals
from ._objective import Objective
from ._optimizer import learning_rates
from ._probe import abstract
from ._state import RunState
from ._stepping import Stepping, checked_step
from ._told import PassState, Told, kept
from .compiling import Ahead, Program, jit, temporary_bytes

Batch = Mapping[str, Any]


class Programs:
    """Jitted steps, made when first used and kept until the configuration changes.

    Args:
        steps: the model.
        objective: its losses and metrics, for the running values.
        eager: run the same steps without compiling.
        rewrite: rewrite them for the backend.
        accumulate: how many batches a training step of a fit takes.
        on_trace: called after each trace, when the configuration is what the program was built from.
    """

    def __init__(
        self,
        steps: Stepping,
        objective: Objective,
        *,
        eager: bool = False,
        rewrite: bool = True,
        accumulate: int = 1,
        on_trace: Callable[[], None],
    ) -> None:
        self._on_trace = on_trace
        self._steps = steps
        self._objective = objective
        self.eager = eager
        self._rewrite = rewrite
        self._accumulate = accumulate
        self._jitted: Bounded[Any, Callable[..., Any]] = Bounded(MOST_PROGRAMS)
        self._orders: Bounded[Any, tuple[str, ...]] = Bounded(MOST_PROGRAMS)
        self.compilations = Compilations()
        """Why programs were compiled, and how many."""
        self.variant: Any = None
        """What else the steps have baked in; programs of several variants are kept side by side."""
        self.skips = False
        """Whether training steps that are not finite are left out; programs for both are kept side by side."""
        self.hooks: tuple[InStep, ...] = ()
        """Functions that run inside training steps; programs with and without them are kept side by side."""
        self._structure: Structure | None = None
        self.ahead = Ahead()
        """While its block runs, programs are not run but compiled, by threads; they return shapes."""
        self.traces = 0
        """How many programs, and parts of programs, have been traced."""
        self.waits = 0
        """How often a call had to wait for what was compiled ahead."""
        self.fresh_bytes = 0
        """The most memory that one of the programs takes anew from the system in every launch."""

    @contextlib.contextmanager
    def training_with(self, *, skips: bool, hooks: tuple[InStep, ...]) -> Iterator[None]:
        """While the block runs, training steps are of another kind.

        Args:
            skips: whether those that are not finite are left out.
            hooks: functions that run inside.
        """
        self.skips, self.hooks = skips, hooks
        try:
            yield
        finally:
            self.skips, self.hooks = False, ()

    def clear(self, change: str) -> None:
        """Forget every program, since something changed; the next use traces and compiles anew."""
        self._jitted.clear()
        self.compilations.forget(change)

    def train(self, state: RunState | FlatState, batch: Batch) -> tuple[FlatState, None, Any]:
        """One training step without logs, else like `train_many`; `state` is consumed."""
        before = self._flat(state)
        program = self._program(self._training("train"), self._train, donate=(0,))
        moving, changed = program(before.moving, before.resting, batch)
        return FlatState(moving, {**before.resting, **changed}), None, changed["nonfinite"]

    def train_logged(
        self, state: RunState | FlatState, batch: Batch, names: tuple[str, ...] = ()
    ) -> tuple[FlatState, Told, Any]:
        """One training step with its logs, and what it has under `names`; else like `train_many`."""
        before = self._flat(state)
        function = functools.partial(self._train_logged, names=names)
        program = self._program(self._training("train_logged", *names), function, donate=(0,))
        moving, changed, told = program(before.moving, before.resting, batch)
        return FlatState(moving, {**before.resting, **changed}), told, changed["nonfinite"]

    def train_many(
        self,
        state: RunState | FlatState,
        feed: Feed,
        first: int,
        count: int,
        *,
        capacity: int = 0,
        names: tuple[str, ...] = (),
    ) -> tuple[RunState, Told | None, Any]:
        """Training steps in one launch; `state` is consumed.

        Args:
            state: the run's state.
            feed: where the batches are.
            first: the first step in the feed.
            count: how many steps.
            capacity: of how many steps logs are kept; 0 keeps none.
            names: what callbacks ask for.

        Returns:
            The state, what the steps told (stacked `(capacity, ...)`; None if nothing is kept), and the first step
            of this fit that was not finite, or -1: a number that is ready when they are done.
        """
        moving, resting = split(whole(state))
        function = functools.partial(self._train_many, capacity=capacity, names=names)
        program = self._program(self._training("train_many", capacity, *names), function, donate=(0,))
        # Of steps that run eagerly only those have loops that take several batches.
        with jax.disable_jit() if self.eager else contextlib.nullcontext():
            (moving, changed), told = program(moving, resting, feed, *_sent(first, count))
        return joined(resting, moving, changed), told, changed["nonfinite"]

    def test_many(
        self,
        state: RunState,
        running: PassState,
        feed: Feed,
        first: int,
        count: int,
        *,
        capacity: int = 0,
        names: tuple[str, ...] = (),
    ) -> tuple[PassState, Told | None, Any]:
        """Evaluation steps in one launch; `running` is consumed, the rest is as for `train_many`."""
        function = functools.partial(self._test_many, capacity=capacity, names=names)
        program = self._program(("test_many", capacity, *names), function, donate=(1,))
        return program(state, running, feed, *_sent(first, count))

    def test(self, state: RunState, running: PassState, batch: Batch) -> tuple[PassState, None, Any]:
        """One evaluation step without logs, else like `test_many`; `running` is consumed, `state` is kept."""
        running, ticket = self._program("test", self._test, donate=(1,))(state, running, batch)
        return running, None, ticket

    def test_logged(
        self, state: RunState, running: PassState, batch: Batch, names: tuple[str, ...] = ()
    ) -> tuple[PassState, Told, Any]:
        """One evaluation step with its logs, and what it has under `names`; `running` is consumed."""
        function = functools.partial(self._test_logged, names=names)
        return self._program(("test_logged", *names), function, donate=(1,))(state, running, batch)

    def predict(self, state: RunState, batch: Batch) -> Any:
        """The outputs for one batch."""
        return self._program("predict", self._predict)(state, batch)

    def predict_many(self, state: RunState, feed: Feed, first: int, count: int, *, capacity: int) -> Any:
        """The outputs for several batches, stacked `(capacity, ...)`; the arguments are as for `train_many`."""
        function = functools.partial(self._predict_many, capacity=capacity)
        return self._program(("predict_many", capacity), function)(state, feed, *_sent(first, count))

    def predicted(self, state: RunState, batch: Batch) -> Any:
        """The outputs for one batch in abstract form, by the very trace that is compiled later."""
        return jax.eval_shape(self._pred_step(), abstract(state), abstract(batch))

    def running_logs(self, state: RunState, training: bool) -> Logs:
        """By log name what the pass has come to: exact sums, running metrics, and in training the learning rate."""
        key = self._results_key(training)
        results = self._program(key, lambda s: self._running(s, training))(state)
        order = [name for name in self._orders.get(key, ()) if name in results]
        return Logs({name: results[name] for name in [*order, *(n for n in results if n not in order)]})

    def empty_pass(self, state: RunState, batch: Batch, training: bool, metrics: dict[str, Any]) -> PassState:
        """What a pass starts from: the metrics' empty states, and a zero sum for each log of the step, as NumPy.

        Args:
            state: the run's state.
            batch: one batch, or its shapes.
            training: of the train or of the test step.
            metrics: the empty states.

        Raises:
            InjectionError, ValueError, TypeError: what the step's losses, metrics or module find wrong.
        """
        logs = self.told(state, batch, training, metrics).logs
        self._orders[self._results_key(training)] = tuple(logs)
        return jax.tree.map(np.asarray, PassState(metrics, Totals.empty(logs), np.int32(0)))

    def found(
        self, state: RunState, batch: Batch, training: bool, metrics: dict[str, Any], names: tuple[str, ...]
    ) -> frozenset[str]:
        """Which of `names` the step really offers, by the very trace that is compiled later.

        Args:
            state, batch, training, metrics: as for `empty_pass`.
            names: what callbacks ask for.

        Raises:
            InjectionError: the step offers them where no value can be taken out.
        """
        return frozenset(self.told(state, batch, training, metrics, names).asked)

    def told_bytes(
        self, state: RunState, batch: Batch, training: bool, metrics: dict[str, Any], names: tuple[str, ...]
    ) -> int:
        """How much a step tells that callbacks ask for `names`; the arguments are those of `found`."""
        told = self.told(state, batch, training, metrics, names)
        return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(told))

    def told(
        self, state: RunState, batch: Batch, training: bool, metrics: dict[str, Any], names: tuple[str, ...] = ()
    ) -> Told:
        """What a step tells, in abstract form; the arguments are those of `found`."""
        state, batch = dataclasses.replace(state, metrics=metrics, sums=None), abstract(batch)
        taken = group_like(batch, self._accumulate) if training and self._accumulate > 1 else batch
        return jax.eval_shape(self._inner(training, names), abstract(state), taken)[2]

    def _flat(self, state: RunState | FlatState) -> FlatState:
        """The state as a step takes it, with the very structure that was traced, so that no call compares them."""
        taken = flat(state, self._structure)
        self._structure = taken.moving.structure
        return taken

    def _train(self, moving: Leaves, resting: Fields, batch: Batch) -> tuple[Leaves, Fields]:
        return self._train_logged(moving, resting, batch)[:2]

    def _train_logged(
        self, moving: Leaves, resting: Fields, batch: Batch, names: tuple[str, ...] = ()
    ) -> tuple[Leaves, Fields, Told]:
        before = joined(resting, moving.tree(), {})
        after, told = self._stepped(before, batch, True, names)
        after = after.advance(told.logs, told.skipped)
        moves, changed = moved(before, after)
        changed = {"nonfinite": jnp.copy(after.nonfinite), **changed}  # a step without losses leaves it alone
        return packed(moves, moving.structure), changed, kept(told)

    def _train_many(
        self, moving: Fields, resting: Fields, feed: Feed, first: Any, count: Any, *, capacity: int, names: Any
    ) -> tuple[tuple[Fields, Fields], Told | None]:
        def step(carry: tuple[Fields, Fields], batch: Batch, hooks_rest: bool = False) -> tuple[Any, Told]:
            before = joined(resting, *carry)
            after, told = self._stepped(before, batch, True, names, hooks_rest)
            after = after.advance(told.logs, told.skipped)
            return (split(after)[0], {name: getattr(after, name) for name in carry[1]}), told

        carry = moving, {name: resting[name] for name in self._changing(moving, resting, feed, names)}
        if usual_steps(self.hooks, moving["step"]) is None:
            return run_many(step, carry, feed, first, count, capacity)
        rare = Rare(step, lambda carry: usual_steps(self.hooks, carry[0]["step"]))
        usual = functools.partial(step, hooks_rest=True)
        return run_many(usual, carry, feed, first, count, capacity, rare)

    def _changing(self, moving: Fields, resting: Fields, feed: Feed, names: tuple[str, ...]) -> tuple[str, ...]:
        """The fields that rest in the steps of most models, and not in this one's."""
        found = ["nonfinite"]  # which every step advances

        def look(number: Any, carry: Fields, batch: Batch) -> Fields:
            del number
            before = RunState(**carry, **resting)
            found.extend(moved(before, self._stepped(before, batch, True, names)[0])[1])
            return carry

        jax.eval_shape(lambda: feed.loop(jnp.int32(0), jnp.int32(1), look, moving))
        return tuple(dict.fromkeys(found))

    def _test_many(
        self, state: RunState, running: PassState, feed: Feed, first: Any, count: Any, *, capacity: int, names: Any
    ) -> tuple[PassState, Told | None, Any]:
        def step(running: PassState, batch: Batch) -> tuple[PassState, Told]:
            before = dataclasses.replace(state, metrics=running.metrics, sums=running.sums, count=running.count)
            after, told = self._stepped(before, batch, False, names)
            after = after.observe(told.logs)
            return PassState(after.metrics, after.sums, after.count), told

        running, told = run_many(step, running, feed, first, count, capacity)
        return running, told, jnp.copy(running.count)

    def _test(self, state: RunState, running: PassState, batch: Batch) -> tuple[PassState, Any]:
        running, _, ticket = self._test_logged(state, running, batch)
        return running, ticket

    def _test_logged(
        self, state: RunState, running: PassState, batch: Batch, names: tuple[str, ...] = ()
    ) -> tuple[PassState, Told, Any]:
        state = dataclasses.replace(state, metrics=running.metrics, sums=running.sums, count=running.count)
        after, told = self._stepped(state, batch, False, names)
        after = after.observe(told.logs)
        return PassState(after.metrics, after.sums, after.count), kept(told), jnp.copy(after.count)

    def _predict(self, state: RunState, batch: Batch) -> Any:
        return self._pred_step()(state, batch)

    def _predict_many(self, state: RunState, feed: Feed, first: Any, count: Any, *, capacity: int) -> Any:
        return run_many(lambda none, batch: (none, self._predict(state, batch)), (), feed, first, count, capacity)[1]

    def _pred_step(self) -> Callable[..., Any]:
        return self._program(("step", "predict"), self._steps.pred_step)

    def _stepped(
        self, state: RunState, batch: Batch, training: bool, names: tuple[str, ...], hooks_rest: bool = False
    ) -> tuple[RunState, Told]:
        inner = self._inner(training, names, hooks_rest)
        moving, changed, told = inner(dataclasses.replace(state, sums=None), batch)
        moving["sums"] = state.sums  # no step needs them, so one trace serves with and without
        if training and self.hooks and state.sums is not None:
            told = told._replace(logs=Logs({**told.logs, **state.sums.newest(told.logs)}))
        return joined(split(state)[1], moving, changed), told

    def _inner(
        self, training: bool, names: tuple[str, ...], hooks_rest: bool = False
    ) -> Callable[..., tuple[Fields, Fields, Told]]:
        """The model's step by itself: traced once, whatever programs it becomes a part of."""
        step = self._steps.train_step if training else self._steps.test_step
        hooks, shown = (self.hooks if training else ()), [leaf.key for leaf in self._objective.leaves]
        skips = training and self.skips
        checked = checked_step(step, training, names, skips=skips, hooks=hooks, shown=shown, resting=hooks_rest)
        key = ("step", *(["resting"] if hooks_rest else []), training, *names)
        return self._program(self._training(*key) if training else key, checked)

    def _training(self, *key: Any) -> tuple[Any, ...]:
        """The key of a training program, which differs if steps are skipped, or hooks are inside."""
        return (*key, "skipping", *self.hooks) if self.skips else (*key, *self.hooks)

    def _results_key(self, training: bool) -> tuple[Any, ...]:
        return self._training("results", True) if training else ("results", False)

    def _running(self, state: RunState, training: bool) -> Logs:
        sums = {} if state.sums is None else state.sums.logs()
        held = self._objective.results(state, training) if state.metrics or not self._objective.measures else Logs()
        rates = learning_rates(state.optimizer or {}) if training else {}
        return kept(Logs({**sums, **held, **rates}))

    def _program(self, key: Any, function: Callable[..., Any], donate: tuple[int, ...] = ()) -> Callable[..., Any]:
        if self.eager:
            return lambda *args: function(*jax.tree.map(jnp.asarray, args))
        place = self.variant, key
        if place not in self._jitted:
            # A wrapper of its own, since JAX shares compiled programs between equal functions, and the model's
            # configuration, which is no argument, may differ.
            is_part = isinstance(key, tuple) and key[0] == "step"  # of programs that are rewritten as a whole
            traced = self._traced(function, place, is_part)
            compiled = functools.partial(jit, rewrite=self._rewrite, donate_argnums=donate)
            watched = functools.partial(Program, ahead=self.ahead, on_wait=self._count_wait, on_ready=self._weigh)
            made = jax.jit(traced) if is_part else watched(compiled(traced))
            self._jitted[place] = made
        return self._jitted[place]

    def _count_wait(self) -> None:
        self.waits += 1

    def _weigh(self, compiled: Any) -> None:
        if jax.default_backend() == "cpu":  # others keep the memory of their programs
            self.fresh_bytes = max(self.fresh_bytes, temporary_bytes(compiled))

    def _traced(self, function: Callable[..., Any], place: Any, is_part: bool) -> Callable[..., Any]:
        key, forms = place[-1], itertools.count(1)

        def traced(*args: Any) -> Any:
            if not is_part:
                self.compilations.note(place, tuple(arg.tree() if isinstance(arg, Leaves) else arg for arg in args))
            made = function(*args)
            if next(forms) == MOST_FORMS:  # what it was compiled for goes with it
                self._jitted.pop(place, None)
            self.traces += 1
            self._on_trace()
            return made

        traced.__name__ = "_".join(map(str, key)) if isinstance(key, tuple) else key  # as profiles and logs show it
        return traced


def _sent(*numbers: int) -> list[jax.Array]:
    """Numbers on the device, sent on purpose: a launch moves nothing else."""
    return jax.device_put([np.int32(number) for number in numbers])
