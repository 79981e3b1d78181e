"""Metrics of every form - verbs, hooks, functions, losses, other libraries' - behind empty, update and result."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._hooked import Axes
from ._inject import OFFERED, Lazy, Offer, arguments_for, call_with
from ._leaves import Leaf, leaves_of, merges, wrong_leaf
from ._logs import Logs, Ratio, Totals
from ._names import unique_name
from ._reduce import Reduction, parts_of, reduce_values, values_of
from .losses import Loss
from .metrics import Metric
from .metrics._hook_state import HookState, mean_values, run_hooks
from .metrics._metric import empty_state, updated_state, uses_hooks

TRAINING_ONLY = frozenset({"gradients", "updates"})
_STEP_NAMES = frozenset({*OFFERED, "key", "step", "epoch", "intermediates", "losses", *TRAINING_ONLY})

Keyed = Callable[[str], Offer]
"""Gives what a step has to the consumer of that name, with the consumer's own random key."""


@dataclasses.dataclass(frozen=True)
class Measure:
    """One leaf of `metrics=`.

    Attributes:
        leaf: who it is and what it asks for.
        derived: whether it is a function of the results of other metrics only.
    """

    leaf: Leaf
    derived: bool

    @property
    def key(self) -> str:
        """Its unique log name."""
        return self.leaf.key


def measures_of(metrics: Any, taken: set[str]) -> tuple[Measure, ...]:
    """The leaves of `metrics=` in the order in which they were declared.

    Raises:
        TypeError: a leaf is no metric.
        ValueError: metrics ask for each other in a circle.
    """
    leaves = leaves_of(metrics, "metric", taken, functools.partial(wrong_leaf, kind="metric"))
    names = {leaf.key for leaf in leaves}
    measures = tuple(Measure(leaf, _is_derived(leaf, names)) for leaf in leaves)
    _refuse_circles(measures)
    return measures


def available(measures: tuple[Measure, ...], training: bool) -> tuple[Measure, ...]:
    """The metrics that a step of this kind can feed: `gradients` and `updates` exist in training only."""
    absent: set[str] = set() if training else set(TRAINING_ONLY)
    while True:
        more = {m.key for m in measures if m.key not in absent and absent & set(m.leaf.asked.required)}
        if not more:
            return tuple(m for m in measures if m.key not in absent)
        absent |= more


@dataclasses.dataclass(frozen=True)
class Board:
    """The metrics of one kind of step, with their objects.

    Attributes:
        measures: those that the step can feed.
        consumers: by key the metric, loss or function; strings are resolved.
        where: how errors call the step.
    """

    measures: tuple[Measure, ...]
    consumers: Mapping[str, Any]
    where: str

    def empty(self, run_abstractly: Callable[[Callable[[Keyed], Any]], Any], keyed: Keyed) -> dict[str, Any]:
        """By key the state before the first batch of a pass.

        Args:
            run_abstractly: calls a function with what a step has, as tracers, and returns abstract values.
            keyed: what a step has, in abstract form.
        """
        states: dict[str, Any] = {}
        for measure in self.measures:
            consumer = self.consumers[measure.key]
            if measure.derived:
                states[measure.key] = ()
            elif merges(consumer):
                states[measure.key] = consumer.empty()
            elif isinstance(consumer, Metric):
                view = measure.leaf.view(
                    self._with_others(keyed(f"metric:{measure.key}"), states.__getitem__), self.where
                )
                states[measure.key] = empty_state(consumer, view, who=measure.leaf.who, where=self.where)
        averaged = run_abstractly(lambda traced: self._first_averages(traced, states))
        totals = {key: Totals.empty(ratios) for key, ratios in averaged.items()}
        return {m.key: states[m.key] if m.key in states else totals[m.key] for m in self.measures}

    def updated(self, states: Mapping[str, Any], keyed: Keyed, samples: int, axes: Axes) -> dict[str, Any]:
        """By key the state after one more batch of `samples` samples."""
        after: dict[str, Any] = {}

        def update(key: str) -> Any:
            if key not in after:
                offer = self._with_others(keyed(f"metric:{key}"), update)
                after[key] = self._updated(self._measure(key), states[key], offer, samples, axes)
            return after[key]

        for measure in self.measures:
            update(measure.key)
        return after

    def results(self, state_of: Callable[[str], Any]) -> Offer:
        """By key the values of the states, each computed when it is read."""
        results = Offer({})
        values = {m.key: Lazy(functools.partial(self._result, m, state_of, lambda: results)) for m in self.measures}
        results = Offer(values)
        return results

    def parts(self, states: Mapping[str, Any], keyed: Keyed) -> Iterator[tuple[str, str, Callable[[], dict[str, Any]]]]:
        """For the probe: by key who it is, and a function that runs it on one batch and returns what is averaged."""
        for measure in self.measures:
            if measure.derived or measure.key not in states:
                continue
            offer = self._with_others(keyed(f"metric:{measure.key}"), states.__getitem__)
            yield measure.key, measure.leaf.who, functools.partial(self._run_once, measure, states[measure.key], offer)

    def _measure(self, key: str) -> Measure:
        return next(measure for measure in self.measures if measure.key == key)

    def _with_others(self, offer: Offer, state_of: Callable[[str], Any]) -> Offer:
        results = self.results(state_of)
        names = [name for name in results if name not in offer]
        return offer.extended({name: Lazy(functools.partial(results.__getitem__, name)) for name in names})

    def _result(self, measure: Measure, state_of: Callable[[str], Any], results: Callable[[], Offer]) -> Any:
        consumer = self.consumers[measure.key]
        if measure.derived:
            return call_with(measure.leaf.bound or consumer, results(), who=measure.leaf.who, where=self.where)
        state = state_of(measure.key)
        if isinstance(consumer, Metric):
            return consumer.compute(state)
        if merges(consumer):
            return state.compute()
        return mean_values(state)

    def _updated(self, measure: Measure, state: Any, offer: Offer, samples: int, axes: Axes) -> Any:
        consumer, leaf = self.consumers[measure.key], measure.leaf
        if measure.derived:
            return state
        view = leaf.view(offer, self.where)
        if merges(consumer):
            made = consumer.from_model_output(
                **arguments_for(consumer.from_model_output, view, who=leaf.who, where=self.where)
            )
            return state.merge(made)
        if isinstance(consumer, Metric) and not _is_stateless(consumer, state):
            return updated_state(consumer, state, view, who=leaf.who, where=self.where)
        totals = state.value if isinstance(state, HookState) else state
        ratios = {
            part: self._average(measure, value, view, samples, axes(leaf.key, part, values_of(value)))
            for part, value in self._values(measure, view).items()
        }
        return HookState({}, totals.add(ratios)) if isinstance(state, HookState) else totals.add(ratios)

    def _values(self, measure: Measure, view: Mapping[str, Any]) -> dict[str, Any]:
        """What a metric that is averaged over the samples returned for this batch, by part."""
        consumer, who = self.consumers[measure.key], measure.leaf.who
        if isinstance(consumer, Metric):
            value, _ = run_hooks(consumer, {}, arguments_for(consumer.call, view, who=who, where=self.where))
        else:
            function = consumer.call if isinstance(consumer, Loss) else consumer
            value = function(**arguments_for(function, view, who=who, where=self.where))
        return parts_of(value, who)

    def _average(
        self, measure: Measure, value: Any, view: Mapping[str, Any], samples: int, axes: tuple[int, ...]
    ) -> Ratio:
        consumer = self.consumers[measure.key]
        weighs_itself = not isinstance(consumer, (Loss, Metric)) and "sample_weight" in measure.leaf.asked.names
        ratio = reduce_values(
            value,
            samples=samples,
            batch_axes=axes,
            sample_weight=None if weighs_itself else view["sample_weight"],
            reduction=consumer.reduction if isinstance(consumer, Loss) else Reduction.MEAN_WITH_SAMPLE_WEIGHT,
            who=measure.leaf.who,
        )
        return consumer.factor(view["step"]) * ratio if isinstance(consumer, Loss) else ratio

    def _first_averages(self, keyed: Keyed, states: Mapping[str, Any]) -> dict[str, dict[str, Ratio]]:
        """The quotients of one batch of the metrics that are averaged, for their structure."""
        ratios: dict[str, dict[str, Ratio]] = {}

        def state_of(key: str) -> Any:
            if key in states:
                return states[key]
            if key not in ratios:
                measure = self._measure(key)
                view = measure.leaf.view(self._with_others(keyed(f"metric:{key}"), state_of), self.where)
                values = self._values(measure, view)
                ratios[key] = Logs({part: self._average(measure, value, view, 1, ()) for part, value in values.items()})
            return Totals.empty(ratios[key])

        for measure in self.measures:
            state_of(measure.key)
        return ratios

    def _run_once(self, measure: Measure, state: Any, offer: Offer) -> dict[str, Any]:
        consumer = self.consumers[measure.key]
        if merges(consumer) or (isinstance(consumer, Metric) and not _is_stateless(consumer, state)):
            self._updated(measure, state, offer, 1, lambda key, part, value: ())
            return {}
        values = self._values(measure, measure.leaf.view(offer, self.where))
        return {part: values_of(value) for part, value in values.items()}


def named_results(board: Board, results: Mapping[str, Any], taken: set[str]) -> dict[str, Any]:
    """By log name the metrics' values; the parts of a dict go below the metric's name."""
    named: dict[str, Any] = {}
    for measure in board.measures:
        for part, value in parts_of(results[measure.key], measure.leaf.who).items():
            name = unique_name(f"{measure.leaf.base}/{part}", taken) if part else measure.key
            taken.add(name)
            named[name] = value
    return named


def _is_stateless(consumer: Any, state: Any) -> bool:
    """Whether a metric written with hooks kept no array, so that its values are averaged over the samples."""
    return uses_hooks(consumer) and not state.arrays


def _is_derived(leaf: Leaf, names: set[str]) -> bool:
    if isinstance(leaf.consumer, (str, Metric, Loss)) or merges(leaf.consumer):
        return False
    others = names - _STEP_NAMES
    return bool(others & set(leaf.asked.names)) and set(leaf.asked.required) <= others


def _refuse_circles(measures: tuple[Measure, ...]) -> None:
    asks = {m.key: [name for name in m.leaf.asked.names if name not in _STEP_NAMES] for m in measures}

    def visit(key: str, trail: tuple[str, ...]) -> None:
        if key in trail:
            circle = " -> ".join((*trail[trail.index(key) :], key))
            raise ValueError(
                f"The metrics {circle} ask for each other. A metric can only use results that do not need its own. "
                "Break the circle."
            )
        for name in asks.get(key, ()):
            visit(name, (*trail, key))

    for key in asks:
        visit(key, ())
