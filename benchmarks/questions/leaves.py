"""What many small arrays cost where each step is launched by itself."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..measure import Finding, Pace, ratio, warm
from ..runners import Missing, Rows, Run, load
from ..runners.loop import initial_state, make_step
from ..works import Work

WORK = Work("64 arrays of parameters", "mlp", 32, 500, (8,) * 33)


def leaves(pace: Pace) -> list[Finding]:
    work = WORK.scaled(pace.scale)
    try:
        times = warm({"single": load("elegy-single")(work), "bare": bare(work)}, pace)
    except Missing:
        return []
    return [
        Finding("64 leaves in single steps, against a bare `jax.jit` of them", ratio(times, "single", "bare"), 1.15)
    ]


def bare(work: Work) -> Run:
    """Steps whose arguments and results are flat lists of arrays; the rows are NumPy, as for `fit`."""
    step, rows = make_step(work), Rows(work)
    structure = jax.tree.structure(initial_state(work))

    def flat(state: list[Any], sums: Any, x: Any, y: Any) -> Any:
        new, logs = step(jax.tree.unflatten(structure, state), x, y)
        return jax.tree.leaves(new), sums + logs

    jitted = jax.jit(flat, donate_argnums=(0, 1))

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        state, logs = jax.tree.leaves(initial_state(work)), np.zeros(2)
        for _ in range(epochs):
            sums = jnp.zeros(2)
            for chosen in rows.batches(shuffle):
                state, sums = jitted(state, sums, *rows.take(chosen))
            logs = np.asarray(sums) / work.steps
        return [float(log) for log in logs]

    return run
