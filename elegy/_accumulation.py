"""`Model(accumulate=...)`: one update from several batches, with the gradient of all their rows together."""

import dataclasses
from numbers import Integral
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ._feed import as_before
from ._grouped import Group
from ._inject import Lazy, Offer
from ._logs import Logs, Ratio
from ._measures import TRAINING_ONLY
from ._objective import Objective
from ._offer import OF_BATCHES, Outputs
from ._state import RunState
from ._steps import Batch, Recipe, Steps, joined, loss_values, split_frozen, summary_logs
from ._sums import quotient
from ._tap import offer_to_callbacks
from .module import MICRO, domain_key

_OF_BATCH = ("x", "y_true", "y_pred", "sample_weight", "class_weight", "intermediates", "summaries")


class _Carry(NamedTuple):
    """What one batch of a group hands on to the next.

    Attributes:
        gradients: the sum so far.
        states: of the module.
        metrics: their states.
        logs: the sums of numerators and denominators by log name.
        summaries: the newest.
    """

    gradients: Any
    states: Any
    metrics: Any
    logs: Logs
    summaries: Logs


def require_accumulate(accumulate: Any, own: list[str], objective: Objective) -> int:
    """How many batches an update takes.

    Args:
        accumulate: what the user gave.
        own: which of the methods that accumulation stands on a subclass has replaced.
        objective: losses and metrics.

    Raises:
        ValueError: it is no whole number above 0, or the model has what no group of batches can be given to.
    """
    if isinstance(accumulate, bool) or not isinstance(accumulate, Integral) or accumulate < 1:
        raise ValueError(
            f"`Model(accumulate={accumulate!r})` was given. It is how many batches make one update, a whole number, at "
            "least 1. Give one."
        )
    count = int(accumulate)
    if count > 1 and own:
        raise ValueError(
            f"`Model(accumulate={count})` was given. The model has a `{own[0]}` of its own, for one batch. "
            "Leave `accumulate=` out, or write what is special into a loss, `forward` or `apply_gradients`."
        )
    for measure in objective.measures if count > 1 else ():
        asked = [name for name in measure.leaf.asked.names if name in TRAINING_ONLY]
        if asked:
            raise ValueError(
                f"`Model(accumulate={count})` was given. The {measure.leaf.who} asks for `{asked[0]}`, which come "
                "after all batches, and metrics see each batch. Ask for them in a callback's `on_train_batch_end`."
            )
    return count


def train_group(recipe: Recipe, steps: Steps, state: RunState, group: Group) -> tuple[RunState, Logs]:
    """One optimizer step on the gradient that a single batch of all the rows would have.

    Each loss is a quotient N / D of sums over all rows. So the batches are gone through twice: first for N and D, and
    then for the gradients, which are added up in one tree. Where D follows from labels, weights and shapes, the modules
    need not run in the first round: the compiler finds that nobody uses what they make, and leaves them out.
    """
    learning, _ = split_frozen(state.parameters, recipe.frozen)

    @jax.jit  # so that it is traced once for both rounds
    def run(learning: Any, state: RunState, batch: Batch) -> tuple[Outputs, Logs]:
        outputs = steps.forward(state, batch, joined(learning, split_frozen(state.parameters, recipe.frozen)[1]))
        return outputs, steps.losses(outputs, batch)[1]

    def count(number: Any, carry: tuple[Any, Ratio], batch: Batch) -> tuple[Any, Ratio]:
        states, loss = carry
        outputs, logs = run(learning, _seen_by(number, state, states=states), batch)
        return as_before(outputs.state.states, states), _sum(loss, logs["loss"])

    def add(number: Any, carry: _Carry, batch: Batch) -> _Carry:
        before = _seen_by(number, state, states=carry.states, metrics=carry.metrics)

        def objective(learning: Any) -> tuple[jax.Array, tuple[Outputs, Logs]]:
            outputs, logs = run(learning, before, batch)
            return share_of(logs["loss"], total), (outputs, logs)

        gradients, (outputs, logs) = jax.grad(objective, has_aux=True)(learning)
        metrics = recipe.objective.update_metrics(outputs, batch, steps.forward, {"losses": loss_values(logs)})
        return _Carry(
            _sum(carry.gradients, gradients),
            as_before(outputs.state.states, carry.states),
            as_before(metrics, carry.metrics),
            _sum(carry.logs, logs),
            summary_logs(outputs.extras.summaries, taken=()),
        )

    logs, summaries = _shapes(group, lambda batch: _told(*run(learning, state, batch)))
    _, total = group.loop(count, (state.states, _zeros(logs["loss"])))
    empty = _Carry(_zeros(learning), state.states, state.metrics, _zeros(logs), _zeros(summaries))
    return _updated(recipe, steps, state, group.loop(add, empty))


def share_of(loss: Ratio, total: Ratio) -> jax.Array:
    """What a batch has in the gradient of the total loss: over all batches these add up to it.

    The gradient of N / D, with N the sum of the batches' n and D that of their d, is the sum of (n' - N / D d') / D.

    Args:
        loss: the quotients of the batch.
        total: those of all batches.
    """
    share = jnp.float32(0)
    for (top, bottom), (all_top, all_bottom) in zip(loss.terms, total.terms, strict=True):
        if all_bottom is None:
            share = share + top
        else:
            share = share + quotient(top, all_bottom) - quotient(quotient(all_top, all_bottom), all_bottom) * bottom
    return share


def _updated(recipe: Recipe, steps: Steps, state: RunState, done: _Carry) -> tuple[RunState, Logs]:
    """The state after the update, and its logs."""
    _, resting = split_frozen(state.parameters, recipe.frozen)
    gradients = joined(done.gradients, {path: optax.MaskedNode() for path in resting})
    before = dataclasses.replace(state, states=done.states, metrics=done.metrics)
    after = steps.apply_gradients(before, gradients)
    running = recipe.objective.results(after, True)
    results = Offer({name: log.value for name, log in running.items()}, absent=dict.fromkeys(_OF_BATCH, OF_BATCHES))
    offer_to_callbacks(results.extended({
        "parameters": before.parameters,
        "states": before.states,
        "training": True,
        "step": before.step,
        "epoch": before.epoch,
        "losses": loss_values(done.logs),
        "gradients": gradients,
        "updates": Lazy(lambda: jax.tree.map(jnp.subtract, after.parameters, before.parameters)),
    }))  # fmt: skip
    summaries = {name: log.value for name, log in done.summaries.items()}
    return after, Logs(**done.logs, **running, **summary_logs(summaries, taken={*done.logs, *running}))


def _seen_by(number: Any, state: RunState, **changes: Any) -> RunState:
    """The state for a batch of a group: the first one has the step's own random keys, each other one has others."""
    others = jax.random.key_data(domain_key(state.seed, MICRO, number))
    return dataclasses.replace(state, seed=jnp.where(number == 0, state.seed, others), **changes)


def _told(outputs: Outputs, logs: Logs) -> tuple[Logs, Logs]:
    return logs, summary_logs(outputs.extras.summaries, taken=())


def _shapes(group: Group, function: Any) -> Any:
    """What a function makes of a batch, in abstract form."""
    found: list[Any] = []

    def look(number: Any, carry: Any, batch: Batch) -> Any:
        found.append(jax.eval_shape(function, batch))
        return carry

    jax.eval_shape(lambda: group.loop(look, ()))
    return found[0]


def _zeros(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), tree)


def _sum(a: Any, b: Any) -> Any:
    return jax.tree.map(lambda p, q: (p + q).astype(p.dtype), a, b)
