"""The jitted loop that somebody would write who trains this one network and nothing else."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..networks import logs_of, network
from ..works import LEARNING_RATE, Work
from . import Rows, Run


def make_step(work: Work, canonical: bool = False) -> Callable[[Any, Any, Any], tuple[Any, jax.Array]]:
    """One training step as a pure function: `((parameters, slots), x, y) -> (state, [loss, *accuracies])`."""
    apply, optimizer = network(work, canonical), optax.adam(LEARNING_RATE)

    def step(state: Any, x: Any, y: Any) -> tuple[Any, jax.Array]:
        def loss_of(parameters: Any) -> Any:
            return logs_of(apply(parameters, x), y)

        parameters, slots = state
        (loss, accuracies), gradients = jax.value_and_grad(loss_of, has_aux=True)(parameters)
        updates, slots = optimizer.update(gradients, slots, parameters)
        return (optax.apply_updates(parameters, updates), slots), jnp.stack([loss, *accuracies])

    return step


def initial_state(work: Work) -> Any:
    """Parameters and optimizer slots on the device."""
    parameters = jax.tree.map(jnp.array, work.initial())
    return parameters, optax.adam(LEARNING_RATE).init(parameters)


def setup(work: Work) -> Run:
    rows = Rows(work)
    step = make_step(work)

    def added(state: Any, sums: Any, x: Any, y: Any) -> Any:
        state, logs = step(state, x, y)
        return state, sums + logs

    jitted = jax.jit(added, donate_argnums=(0, 1))

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        state, logs = initial_state(work), []
        for _ in range(epochs):
            sums = jnp.zeros(1 + rows.heads)
            for chosen in rows.batches(shuffle):
                state, sums = jitted(state, sums, *rows.take(chosen))
            logs = np.asarray(sums) / work.steps  # reading waits for the epoch
        return [float(log) for log in logs]

    return run
