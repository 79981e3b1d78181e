"""What values keep: those made of arrays are pytrees that go through JAX unchanged, and all of them pickle."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np

import elegy

from .table import Counted, Row, close, contract, types


def half(y_true, y_pred):
    return 0.5 * (y_true - y_pred)


def state():
    return elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="adam").init(np.ones((2, 3), "float32"))


# `make()` makes a value that is a pytree of arrays.
PYTREES = {
    "elegy.Batch": Row(lambda: elegy.Batch(x=jnp.ones((2, 3)), mask=jnp.array([True, False]))),
    "elegy.Ratio": Row(lambda: elegy.Ratio(jnp.float32(1), jnp.float32(2)) + elegy.Ratio(jnp.float32(3))),
    "elegy.Running": Row(lambda: elegy.Running(jnp.float32(0.5))),
    "elegy.RunState": Row(state),
}
# `make()` makes any other value, or gives the function or class itself.
OTHERS = {
    "elegy.Stop": Row(lambda: elegy.Stop("enough")),
    "elegy.Reduction": Row(lambda: elegy.Reduction.SUM),
    "elegy.When": Row(lambda: elegy.When("10 min")),
    "elegy.RNG": Row(lambda: elegy.RNG(3)),
    "elegy.bind": Row(lambda: elegy.bind(half, y_true="x", y_pred="y_pred[0]")),
    "elegy.InjectionError": Row(lambda: elegy.InjectionError("`mse` asks for `y_tru`.")),
    "elegy.ModuleOrderError": Row(lambda: elegy.ModuleOrderError("The call made no `linear`.")),
    "elegy.hooks_context": Row(lambda: elegy.hooks_context),
}
ROWS = {**PYTREES, **OTHERS}


@contract(PYTREES)
def test_jit_equals_eager(row):
    close(jax.jit(lambda value: value)(row.make()), row.make())


@contract(PYTREES)
def test_structure_shapes_and_dtypes_stay_so_that_it_is_compiled_once(row):
    counted, value = Counted(lambda value: jax.tree.map(lambda leaf: leaf, value)), row.make()
    program = jax.jit(counted)
    after = program(program(program(value)))
    assert counted.traces == 1 and types(after) == types(value)


@contract(PYTREES)
def test_it_runs_under_vmap(row):
    several = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), row.make())
    close(jax.vmap(lambda value: value)(several), several)


@contract(ROWS)
def test_it_pickles(row):
    value = row.make()
    again = pickle.loads(pickle.dumps(value))
    assert type(again) is type(value) and jax.tree.structure(again).num_leaves == jax.tree.structure(value).num_leaves
