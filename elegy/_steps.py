"""The pure steps: forward, train, test and predict as functions of state and batch."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import optax

from ._ema import averaged
from ._feed import as_before
from ._inject import Lazy, Offer
from ._logs import Logs, Running
from ._names import unique_name
from ._objective import Objective
from ._offer import Outputs, offer_of, step_key, widened
from ._optimizer import Optimizer, is_masked
from ._paths import flatten, matches_any, unflatten
from ._precision import lowered
from ._skip import note_gradients
from ._state import RunState
from ._tap import is_asked, offer_to_callbacks
from .module import Functional

Batch = Mapping[str, Any]
LR_SCALE = "lr_scale"


class Steps(Protocol):
    """What a step is made of; `Model` has these methods, and a subclass may override each."""

    def forward(self, state: RunState, batch: Batch, parameters: Any = None, training: bool = True) -> Outputs:
        """Run the module."""
        ...

    def losses(self, outputs: Outputs, batch: Batch, only: str | None = None) -> tuple[jax.Array, Logs]:
        """The total loss and its logs."""
        ...

    def apply_gradients(self, state: RunState, gradients: Any, only: str | None = None, **extra: Any) -> RunState:
        """One step of the optimizer."""
        ...


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything a step needs besides state and batch.

    Attributes:
        module: the module as two pure functions.
        objective: losses and metrics.
        optimizer: None if the model cannot train.
        frozen: patterns of parameters that do not learn.
        ema: how much of the parameters' averages an update keeps; None if there are none.
        precision: the dtype that the module computes in; None is that of its parameters.
        accumulate: how many batches of a fit make one update.
    """

    module: Functional
    objective: Objective
    optimizer: Optimizer | None
    frozen: tuple[str, ...] = ()
    ema: float | None = None
    precision: str | None = None
    accumulate: int = 1


def forward(recipe: Recipe, state: RunState, batch: Batch, parameters: Any, training: bool) -> Outputs:
    """Run the module on `batch["x"]`; `parameters` default to those of the state.

    A lower precision begins and ends here: outside of the module's call everything is in float32.
    """
    parameters = state.parameters if parameters is None else parameters
    applied = recipe.module.apply(
        lowered(parameters, recipe.precision),
        state.states,
        lowered(batch.get("x"), recipe.precision),
        key=step_key(state, training),
        training=training,
        frozen=recipe.frozen,
        capture=recipe.objective.asks_for("intermediates") or is_asked("intermediates"),
    )
    outputs, states, extras = applied.outputs, applied.states, applied.extras
    if recipe.precision is not None:
        outputs, states, extras = widened(outputs), as_before(states, state.states), widened(extras)
    after = dataclasses.replace(state, parameters=parameters, states=states)
    return Outputs(outputs, after, extras, training)


def train_step(recipe: Recipe, steps: Steps, state: RunState, batch: Batch) -> tuple[RunState, Logs]:
    """Forward, gradients of the total loss, one optimizer step, metrics."""
    learning, resting = split_frozen(state.parameters, recipe.frozen)

    def objective(learning: Any) -> tuple[jax.Array, tuple[Outputs, Logs]]:
        outputs = steps.forward(state, batch, joined(learning, resting))
        total, logs = steps.losses(outputs, batch)
        return total, (outputs, logs)

    gradients, (outputs, logs) = jax.grad(objective, has_aux=True)(learning)
    gradients = joined(gradients, {path: optax.MaskedNode() for path in resting})
    after = steps.apply_gradients(outputs.state, gradients)
    updates = Lazy(lambda: jax.tree.map(jnp.subtract, after.parameters, outputs.state.parameters))
    further = {"gradients": gradients, "updates": updates}
    after, running = update_metrics(recipe, steps, after, outputs, batch, logs, further)
    return after, Logs(**logs, **running)


def test_step(recipe: Recipe, steps: Steps, state: RunState, batch: Batch) -> tuple[RunState, Logs]:
    """Forward in evaluation mode, losses, metrics; nothing is learned."""
    outputs = steps.forward(state, batch, training=False)
    _, logs = steps.losses(outputs, batch)
    after, running = update_metrics(recipe, steps, state, outputs, batch, logs, {})
    return after, Logs(**logs, **running)


def update_metrics(
    recipe: Recipe,
    steps: Steps,
    state: RunState,
    outputs: Outputs,
    batch: Batch,
    logs: Mapping[str, Any],
    further: Mapping[str, Any],
) -> tuple[RunState, Logs]:
    """The state with this batch in its metrics, and their running values; `further` are `gradients` and `updates`."""
    offered = {"losses": loss_values(logs), **further}
    after = dataclasses.replace(state, metrics=recipe.objective.update_metrics(outputs, batch, steps.forward, offered))
    running = recipe.objective.results(after, outputs.training)
    results = Offer({name: log.value for name, log in running.items()})
    offer = results.extended(offer_of(outputs, batch)).extended(offered)
    offer_to_callbacks(offer.extended({"summaries": outputs.extras.summaries}))
    return after, Logs({**running, **summary_logs(outputs.extras.summaries, taken={*logs, *running})})


def apply_gradients(recipe: Recipe, state: RunState, gradients: Any, only: str | None, extra: Any) -> RunState:
    """The state after one optimizer step; the updates are multiplied by `lr_scale`.

    Raises:
        ValueError: the model has no optimizer, or `only` is none of its patterns.
    """
    if recipe.optimizer is None:
        raise ValueError(
            "`apply_gradients` was called. The model has no optimizer. Give one: "
            "`Model(..., optimizer=optax.adam(1e-3))`."
        )
    note_gradients(gradients)
    updates, optimizer = recipe.optimizer.update(
        gradients, state.optimizer, state.parameters, only, recipe.frozen, extra
    )
    # Tied to the step, since XLA would make arrays of a number that rests during a loop, and read them in each step.
    scale, _ = jax.lax.optimization_barrier((state.live[LR_SCALE], state.step))
    moves = flatten(updates)
    parameters = {
        path: leaf if is_masked(moves[path]) else (leaf + scale * moves[path]).astype(leaf.dtype)
        for path, leaf in flatten(state.parameters).items()
    }
    after = dataclasses.replace(state, parameters=unflatten(parameters), optimizer=optimizer)
    if recipe.ema is None:
        return after
    ema = averaged(state.ema, recipe.ema, after.parameters, moves, recipe.frozen)
    return dataclasses.replace(after, ema=ema)


def loss_values(logs: Mapping[str, Any]) -> Logs:
    """By log name the loss values of this step as scalars."""
    return Logs({name: log.value for name, log in logs.items()})


def summary_logs(summaries: Mapping[str, Any], taken: Collection[str]) -> Logs:
    """What `add_summary` was given as logs: the newest value counts, of an array its mean."""
    logs = Logs()
    for name, value in summaries.items():
        logs[unique_name(name, {*taken, *logs})] = Running(jnp.mean(value, dtype=jnp.float32))
    return logs


def split_frozen(parameters: Any, frozen: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
    """The parameters that learn, and by path those that do not."""
    if not frozen:
        return parameters, {}
    flat = flatten(parameters)
    resting = {path: leaf for path, leaf in flat.items() if matches_any(frozen, path)}
    return unflatten({path: leaf for path, leaf in flat.items() if path not in resting}), resting


def joined(learning: Any, resting: Mapping[str, Any]) -> Any:
    """The whole tree of which `split_frozen` made two."""
    return unflatten({**flatten(learning), **resting}) if resting else learning
