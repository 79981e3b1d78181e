"""`predict` and `evaluate` next to jitted loops over the same rows, with the results on the host."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..measure import Finding, Pace, Times, ratio, unseen_terminal, warm
from ..networks import logs_of, network
from ..runners import Rows
from ..runners.elegy_fit import initialize, make_model
from ..works import WORKS, Work

WORKS_RUN = ("mlp", "large-mlp")


def predict(pace: Pace) -> list[Finding]:
    return [_finding("predict", name, _predict_times(WORKS[name].scaled(pace.scale), pace)) for name in WORKS_RUN]


def evaluate(pace: Pace) -> list[Finding]:
    return [_finding("evaluate", name, _evaluate_times(WORKS[name].scaled(pace.scale), pace)) for name in WORKS_RUN]


def _finding(verb: str, name: str, times: Times) -> Finding:
    what = f"`{verb}` ({name}), samples a second against a hand-written jitted loop"
    return Finding(what, ratio(times, "loop", "elegy"), 0.97, at_least=True)


def _predict_times(work: Work, pace: Pace) -> Times:
    rows, model, parameters = _made(work)
    apply = jax.jit(network(work))

    def by_hand() -> Any:
        return np.concatenate([apply(parameters, rows.x[chosen]) for chosen in _slices(work)])

    def ours() -> Any:
        return model.predict(rows.x, batch_size=work.batch, verbose=1)

    with unseen_terminal():
        np.testing.assert_allclose(ours(), by_hand(), rtol=1e-4, atol=1e-4)
        return warm({"loop": _repeated(by_hand), "elegy": _repeated(ours)}, pace)


def _evaluate_times(work: Work, pace: Pace) -> Times:
    rows, model, parameters = _made(work)
    apply = network(work)

    @jax.jit
    def added(parameters: Any, sums: Any, x: Any, y: Any) -> Any:
        loss, accuracies = logs_of(apply(parameters, x), y)
        return sums + jnp.stack([loss, *accuracies])

    def by_hand() -> Any:
        sums = jnp.zeros(1 + rows.heads)
        for chosen in _slices(work):
            sums = added(parameters, sums, rows.x[chosen], rows.y[chosen])
        return np.asarray(sums) / work.steps

    def ours() -> Any:
        return model.evaluate(rows.x, rows.y, batch_size=work.batch, verbose=1)

    with unseen_terminal():
        np.testing.assert_allclose(ours()["loss"], by_hand()[0], rtol=1e-4)
        return warm({"loop": _repeated(by_hand), "elegy": _repeated(ours)}, pace)


def _made(work: Work) -> Any:
    rows, model = Rows(work), make_model(work)
    initialize(model, work, rows.x, rows.y)
    return rows, model, jax.tree.map(jnp.array, work.initial())


def _slices(work: Work) -> list[slice]:
    return [slice(start, start + work.batch) for start in range(0, work.rows, work.batch)]


def _repeated(act: Any) -> Any:
    def acts(passes: int) -> None:
        for _ in range(passes):
            act()

    return acts
