"""The objective: losses and their names become one total to differentiate, and exact quotients to log."""

import copy
import functools
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ._bounded import Bounded
from ._errors import did_you_mean, listing
from ._hooked import ADDED, added_losses, added_metrics, added_results, added_values, empty_added
from ._inject import Lazy, arguments_for
from ._leaves import Leaf, leaves_of, wrong_leaf
from ._logs import Logs, Ratio, Running
from ._measures import Board, Keyed, available, measures_of, named_results
from ._names import unique_name
from ._offer import Outputs, offer_of, where_of, with_key
from ._paths import matches
from ._probe import AxisProbe, TwoBatchesError, abstract, fresh_size, refuse_two_batches, resized
from ._reduce import parts_of, reduce_values, sample_count, values_of
from ._state import RunState
from .losses import Loss
from .losses._strings import resolve_loss
from .metrics import Metric
from .metrics._strings import resolve_metric
from .module import without_new_parameters

Forward = Callable[..., Outputs]

_MOST_PROBES = 64  # shapes of batches; a smaller last one is the second


class Objective:
    """The losses and metrics of a model, named, with everything that is read of them once.

    Args:
        loss: what `Model(loss=...)` was given.
        metrics: what `Model(metrics=...)` was given.
        module_name: how errors call the module.

    Raises:
        TypeError: a leaf is no loss or metric.
        ValueError: an unknown string, or metrics that ask for each other.
    """

    def __init__(self, loss: Any, metrics: Any, module_name: str) -> None:
        taken = {"loss"}
        self.losses = tuple(leaves_of(loss, "loss", taken, functools.partial(wrong_leaf, kind="loss")))
        self.measures = measures_of(metrics, taken)
        self.resolved: dict[str, Any] = {}
        self._module_name = module_name
        self._probes: Bounded[Any, AxisProbe] = Bounded(_MOST_PROBES)
        self._warned: set[str] = set()
        for leaf in self.leaves:
            if isinstance(leaf.consumer, str):
                _resolve(leaf, None, None)  # an unknown string is an error now, not at the first batch

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """All losses, then all metrics."""
        return (*self.losses, *(measure.leaf for measure in self.measures))

    def forget(self) -> None:
        """Drop what was found out while tracing, after a configuration changed."""
        self._probes.clear()

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles carry; what was found out while tracing is found out anew."""
        return {**vars(self), "_probes": Bounded(_MOST_PROBES)}

    def live_owners(self) -> dict[str, tuple[Any, str]]:
        """By path the object and attribute of each number that may change while a fit runs; schedules are none."""
        return {
            f"{leaf.key}/{name}": (leaf.consumer, name)
            for leaf in self.leaves
            if isinstance(leaf.consumer, (Loss, Metric))
            for name in getattr(leaf.consumer, "live", ())
            if not callable(getattr(leaf.consumer, name))
        }

    def total(
        self, outputs: Outputs, batch: Mapping[str, Any], forward: Forward, only: str | None = None
    ) -> tuple[jax.Array, Logs]:
        """The sum of the losses, and each of them by log name as an exact quotient, `loss` first.

        Args:
            outputs: what the forward made.
            batch: injected values by name.
            forward: runs the module, for the probe of batch axes.
            only: a pattern of log names; other losses are left out.

        Raises:
            InjectionError: a loss asks for what the step does not have.
            ValueError: `only` names no loss, or values do not fit.
        """
        keyed, samples, where = _keyed(outputs, batch), sample_count(batch), where_of(outputs.training)
        self._resolve_strings(keyed)
        chosen = self._chosen(only, outputs.extras.losses)
        values = {leaf.key: self._loss_parts(leaf, outputs.state, keyed, where) for leaf in chosen}
        probe = self._probe(outputs, batch, forward)
        ratios = Logs()
        for leaf, names in zip(chosen, self._log_names(values), strict=True):
            consumer = self._consumer(leaf, outputs.state)
            weight = self._sample_weight(leaf, values[leaf.key], keyed, where)
            for part, value in values[leaf.key].items():
                axes = declared_axes(consumer, value)
                axes = probe.axes(leaf.key, part, values_of(value)) if axes is None else axes
                options = {"reduction": consumer.reduction} if isinstance(consumer, Loss) else {}
                ratio = reduce_values(
                    value, samples=samples, batch_axes=axes, sample_weight=weight, who=leaf.who, **options
                )
                factor = consumer.factor(outputs.state.step) if isinstance(consumer, Loss) else 1.0
                ratios[names[part]] = factor * ratio
        ratios.update(self._hook_losses(outputs, batch, probe, {"loss", *self._taken(), *ratios}, only))
        total = sum(ratios.values(), start=Ratio.of(()))
        return total.value, Logs(loss=total, **ratios)

    def empty_metrics(self, outputs: Outputs, batch: Mapping[str, Any]) -> dict[str, Any]:
        """By metric its state before the first batch of a pass.

        Args:
            outputs: what a forward makes, as `jax.ShapeDtypeStruct`s.
            batch: the batch, likewise.
        """
        losses = jax.eval_shape(self._zero_losses, outputs, batch)
        further = {"losses": losses, "gradients": outputs.state.parameters, "updates": outputs.state.parameters}

        def run_abstractly(function: Callable[[Keyed], Any]) -> Any:
            return jax.eval_shape(
                lambda outputs, batch, further: function(_keyed(outputs, batch, further)), outputs, batch, further
            )

        keyed = _keyed(outputs, batch, further)
        self._resolve_strings(keyed)
        # Live numbers are left as the objects hold them: here only structure counts.
        empty = self._board(None, outputs.training).empty(run_abstractly, keyed)
        return {**empty, **empty_added(outputs.extras)}

    def update_metrics(
        self, outputs: Outputs, batch: Mapping[str, Any], forward: Forward, further: Mapping[str, Any]
    ) -> dict[str, Any]:
        """By metric its state after this batch.

        Args:
            outputs: what the forward made.
            batch: injected values by name.
            forward: runs the module, for the probe of batch axes.
            further: `losses`, and in training `gradients` and `updates`.
        """
        keyed = _keyed(outputs, batch, further)
        self._resolve_strings(keyed)
        probe = self._probe(outputs, batch, forward)
        board = self._board(outputs.state, outputs.training)
        after = board.updated(outputs.state.metrics, keyed, sample_count(batch), probe.axes)
        if outputs.extras.metrics:
            weight, samples = batch.get("sample_weight"), sample_count(batch)
            ratios = added_metrics(outputs.extras, samples=samples, axes=probe.axes, sample_weight=weight)
            after[ADDED] = outputs.state.metrics[ADDED].add(ratios)
        return {**outputs.state.metrics, **after}

    def results(self, state: RunState, training: bool) -> Logs:
        """By log name the running values of the metrics, in declaration order."""
        board = self._board(state, training)
        taken = {"loss", *self._taken()}
        named = named_results(board, board.results(state.metrics.__getitem__), taken)
        named.update(added_results(state.metrics, taken))
        return Logs({name: Running(value, held=True) for name, value in named.items()})

    def better(self, name: str) -> str | None:
        """Which direction of a log, also with `val_`, is an improvement: losses fall, metrics say it themselves."""
        for leaf in self.leaves:
            if name == leaf.key or name.startswith(f"{leaf.base}/"):
                consumer = self.resolved.get(leaf.key, leaf.consumer)
                is_loss = leaf.kind == "loss" or isinstance(consumer, Loss)
                return "lower" if is_loss else getattr(consumer, "better", None)
        if name.startswith("val_"):
            return self.better(name.removeprefix("val_"))
        return "lower" if name == "loss" else None

    def asks_for(self, name: str) -> bool:
        """Whether a loss or metric asks for `name`."""
        return any(name in leaf.asked.names for leaf in self.leaves)

    def _taken(self) -> tuple[str, ...]:
        return tuple(leaf.key for leaf in self.leaves)

    def _hook_losses(
        self, outputs: Outputs, batch: Mapping[str, Any], probe: AxisProbe, taken: set[str], only: str | None
    ) -> dict[str, Ratio]:
        ratios = added_losses(
            outputs.extras,
            samples=sample_count(batch),
            axes=probe.axes,
            sample_weight=batch.get("sample_weight"),
            taken=taken,
        )
        return {name: ratio for name, ratio in ratios.items() if only is None or matches(only, name)}

    def _chosen(self, only: str | None, added: Collection[str]) -> tuple[Leaf, ...]:
        if only is None:
            return self.losses
        chosen = tuple(leaf for leaf in self.losses if matches(only, leaf.key))
        if not chosen and not any(matches(only, name) for name in added):
            names = [*(leaf.key for leaf in self.losses), *added]
            raise ValueError(
                f"`losses(only={only!r})` was called. No loss has that name; there are: {listing(names)}. "
                "Use one of these, or a pattern of them." + did_you_mean(only, names)
            )
        return chosen

    def _resolve_strings(self, keyed: Keyed) -> None:
        for leaf in self.leaves:
            if isinstance(leaf.consumer, str) and leaf.key not in self.resolved:
                labels = arguments_for(
                    lambda y_true, y_pred: None, leaf.view(keyed(leaf.key), "this step"), who=leaf.who
                )
                self.resolved[leaf.key] = _resolve(leaf, labels["y_true"], labels["y_pred"])

    def _consumer(self, leaf: Leaf, state: RunState | None) -> Any:
        """The leaf's object, with its live numbers as this step has them."""
        consumer = self.resolved.get(leaf.key, leaf.consumer)
        if state is None or not isinstance(consumer, (Loss, Metric)):
            return consumer
        names = getattr(consumer, "live", ())
        numbers = {name: state.live[f"{leaf.key}/{name}"] for name in names if f"{leaf.key}/{name}" in state.live}
        if not numbers:
            return consumer
        alive = copy.copy(consumer)
        alive.__dict__.update(numbers)
        return alive

    def _board(self, state: RunState | None, training: bool) -> Board:
        measures = available(self.measures, training)
        return Board(measures, {m.key: self._consumer(m.leaf, state) for m in measures}, where_of(training))

    def _loss_parts(self, leaf: Leaf, state: RunState, keyed: Keyed, where: str) -> dict[str, Any]:
        consumer = self._consumer(leaf, state)
        function = consumer.call if isinstance(consumer, Loss) else consumer
        view = leaf.view(keyed(f"loss:{leaf.key}"), where)
        with without_new_parameters(leaf.who):
            value = function(**arguments_for(function, view, who=leaf.who, where=where))
        return parts_of(value, leaf.who)

    def _log_names(self, values: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
        """For each loss by part how logs call it."""
        taken = {"loss", *(leaf.key for leaf in self.losses)}
        named: list[dict[str, str]] = []
        for leaf in self.losses:
            if leaf.key in values:
                named.append({})
                for part in values[leaf.key]:
                    named[-1][part] = unique_name(f"{leaf.base}/{part}", taken) if part else leaf.key
                    taken.add(named[-1][part])
        return named

    def _zero_losses(self, outputs: Outputs, batch: Mapping[str, Any]) -> Logs:
        """By log name a zero for each loss, for metrics that ask for `losses` before there are any."""
        if not any("losses" in measure.leaf.asked.names for measure in self.measures):
            return Logs()
        keyed, where = _keyed(outputs, batch), where_of(outputs.training)
        self._resolve_strings(keyed)
        values = {leaf.key: self._loss_parts(leaf, outputs.state, keyed, where) for leaf in self.losses}
        names = [name for named in self._log_names(values) for name in named.values()]
        names += [unique_name(name, {"loss", *self._taken(), *names}) for name in outputs.extras.losses]
        return Logs({name: jnp.float32(0) for name in ("loss", *names)})

    def _sample_weight(self, leaf: Leaf, parts: Mapping[str, Any], keyed: Keyed, where: str) -> Any:
        """The weights that the leaf's values are multiplied by; a plain function that names them weighs itself."""
        weight = leaf.view(keyed(leaf.key), where)["sample_weight"]
        if weight is None or (not isinstance(leaf.consumer, (Loss, str)) and "sample_weight" in leaf.asked.names):
            return None
        scalar = any(values_of(value).ndim == 0 for value in parts.values())
        if scalar and {"x", "y_true", "y_pred"} & set(leaf.asked.names) and leaf.key not in self._warned:
            self._warned.add(leaf.key)
            warnings.warn(
                f"{leaf.who} returns a scalar, so `sample_weight` cannot weigh its samples. It asks for "
                f"{listing(leaf.asked.names)}. Return one value a sample, with the batch axis first.",
                stacklevel=2,
            )
        return weight

    def _probe(self, outputs: Outputs, batch: Mapping[str, Any], forward: Forward) -> AxisProbe:
        shapes = tuple((leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(batch))
        signature = (outputs.training, shapes, bool(outputs.state.metrics))
        if signature not in self._probes:
            state, columns, samples = abstract(outputs.state), abstract(batch), sample_count(batch)
            evaluate = functools.partial(self._parts_at, state, columns, samples, outputs.training, forward)
            big = fresh_size(samples, columns, state, abstract(outputs.y_pred))
            self._probes[signature] = AxisProbe(samples, big, evaluate)
            self._probes[signature].refuse_broadcasts()
        return self._probes[signature]

    def _parts_at(
        self, state: RunState, batch: Any, samples: int, training: bool, forward: Forward, size: int
    ) -> dict[str, dict[str, Any]]:
        """For the probe: the abstract values of every loss and averaged metric with `size` samples in the batch."""

        def run(state: RunState, batch: Any) -> dict[str, dict[str, Any]]:
            with refuse_two_batches(size, samples, f"module `{self._module_name}`"):
                outputs = forward(state, batch, training=training)
            losses = Lazy(functools.partial(self._zero_losses, outputs, batch))
            further = {"losses": losses, "gradients": state.parameters, "updates": state.parameters}
            keyed, board = _keyed(outputs, batch, further), self._board(state, training)
            runs = [
                (leaf.key, leaf.who, functools.partial(self._loss_values, leaf, state, keyed)) for leaf in self.losses
            ]
            found = added_values(outputs.extras)
            for key, who, values in (*runs, *board.parts(state.metrics, keyed)):
                try:
                    with refuse_two_batches(size, samples, who):
                        found[key] = values()
                except TwoBatchesError:
                    raise
                except Exception:  # users' code, which ran at its own size, need not run at this one
                    continue
            return found

        try:
            return jax.eval_shape(run, state, resized(batch, samples, size))
        except TwoBatchesError:
            raise
        except Exception:  # a module may insist on its batch size
            return {}

    def _loss_values(self, leaf: Leaf, state: RunState, keyed: Keyed) -> dict[str, Any]:
        parts = self._loss_parts(leaf, state, keyed, "this step")
        return {part: values_of(value) for part, value in parts.items()}


def declared_axes(consumer: Any, value: Any) -> tuple[int, ...] | None:
    """The batch axes that a built-in loss declares beside its `call`; None if they must be found out."""
    owner = next((c for c in type(consumer).__mro__ if "call" in vars(c)), None)
    if owner is None or not isinstance(consumer, Loss) or "batch_axis" not in vars(owner):
        return None
    axis = vars(owner)["batch_axis"]
    return () if axis is None or not values_of(value).ndim else (axis,)


def _keyed(outputs: Outputs, batch: Mapping[str, Any], further: Mapping[str, Any] | None = None) -> Keyed:
    offer = offer_of(outputs, batch).extended(further or {})
    return functools.partial(with_key, offer, outputs.state, outputs.training)


def _resolve(leaf: Leaf, y_true: Any, y_pred: Any) -> Any:
    resolve = resolve_loss if leaf.kind == "loss" else resolve_metric
    return resolve(leaf.consumer, y_true, y_pred)
