"""What every kind of module keeps inside a Model, whatever library it comes from: it trains and predicts alike."""

import functools
import pickle

import equinox
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import elegy
from elegy.interop import as_functional

from .table import Counted, Row, close, contract, part, types

X = np.linspace(-1, 1, 12, dtype="float32").reshape(6, 2)
Y = X[:, :1] - X[:, 1:]
WEIGHTS = np.array([1, 2, 0, 1, 0, 3], "float32")


class Own(elegy.Module):
    def call(self, x):
        return elegy.nn.Linear(1)(x)


class WithCall:
    def __init__(self):
        self.linear = elegy.nn.Linear(1)

    def call(self, x):
        return self.linear(x)


class WithDunderCall:
    def __call__(self, x):
        return elegy.nn.Linear(1)(x)


def function(x):
    return elegy.nn.Linear(1)(x)


def first(key, x):
    return {"w": jax.random.normal(key, (x.shape[-1], 1))}


def run(parameters, x):
    return x @ parameters["w"]


# `make()` makes the module; `given` are options of the Model that it needs. A guest of another library is a line here.
ROWS = {
    "elegy.Module": Row(Own),
    "elegy.Model of an object with call": Row(WithCall),
    "elegy.Model of an object with __call__": Row(WithDunderCall),
    "elegy.Model of a function": Row(lambda: function),
    "elegy.Model of a pair": Row(lambda: (first, run)),
    "elegy.Model of an Equinox module": Row(lambda: equinox.nn.Linear(2, 1, key=jax.random.key(0)), {"batched": False}),
    "elegy.Model of an NNX module": Row(lambda: nnx.Linear(2, 1, rngs=nnx.Rngs(0))),
}


def model_of(row, **options):
    return elegy.Model(row.make(), loss="mse", metrics="mae", optimizer="sgd", **(row.given or {}), **options)


@functools.cache
def trained(key):
    """A fitted model, how often its loss was traced by one fit and by one more, and its parameters' types between."""
    loss = Counted(lambda y_true, y_pred: jnp.mean(jnp.square(y_true - y_pred), -1))
    options = {"loss": {"mse": loss}, "metrics": "mae", "optimizer": "sgd", **(ROWS[key].given or {})}
    model = elegy.Model(ROWS[key].make(), **options)
    model.fit(X, Y, batch_size=2, shuffle=False, verbose=0)
    before, traces = types(model.state.parameters), loss.traces
    model.fit(X, Y, batch_size=2, epochs=2, shuffle=False, verbose=0)
    return model, traces, loss.traces, before


@contract(ROWS)
def test_jit_equals_eager(row):
    def after(**options):
        model = model_of(row, **options)
        history = model.fit(X, Y, batch_size=3, verbose=0).history
        return history["loss"], model.parameters

    close(after(), after(run_eagerly=True))


@contract(ROWS)
def test_structure_shapes_and_dtypes_stay_from_step_to_step(key, row):
    del row
    model, _, _, before = trained(key)
    assert types(model.state.parameters) == before


@contract(ROWS)
def test_it_is_compiled_once(key, row):
    del row
    _, after_one_fit, after_three, _ = trained(key)
    assert after_one_fit == after_three


@contract(ROWS)
def test_batches_of_uneven_sizes_are_exact(key, row):
    del row
    model = trained(key)[0]
    logs = [model.evaluate(X, Y, sample_weight=WEIGHTS, batch_size=size, verbose=0) for size in (6, 4)]
    close(*logs)
    close(model.predict(X, batch_size=4, verbose=0), model.predict(X, batch_size=6, verbose=0))


@contract(ROWS)
def test_rows_of_weight_zero_count_for_nothing(key, row):
    del row
    model, counted = trained(key)[0], WEIGHTS > 0
    weighted = model.evaluate(X, Y, sample_weight=WEIGHTS, batch_size=6, verbose=0)
    without = model.evaluate(X[counted], Y[counted], sample_weight=WEIGHTS[counted], batch_size=6, verbose=0)
    close(weighted["mae"], without["mae"])
    close(weighted["loss"] * len(X), without["loss"] * counted.sum())


@contract(ROWS)
def test_it_runs_under_vmap(row):
    def outputs(key):
        functional = as_functional(
            row.make(), **(row.given or {})
        )  # a new one, since a module keeps the arrays that it has
        variables = functional.init(key, X)
        return functional.apply(variables.parameters, variables.states, X, key=key, training=False).outputs

    keys = jax.random.split(jax.random.key(0), 2)
    together = jax.vmap(outputs)(keys)
    for number in range(2):
        close(part(together, number), outputs(keys[number]))


@contract(ROWS)
def test_it_pickles(key, row):
    model = trained(key)[0]
    again = elegy.Model(pickle.loads(pickle.dumps(model.module)), **(row.given or {}))
    again.init(X)
    again.state = model.state
    close(again.predict(X, verbose=0), model.predict(X, verbose=0))
