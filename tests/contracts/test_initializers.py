"""What every initializer keeps: a pure function of key, shape and dtype."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np

from elegy import initializers

from .table import Counted, Row, close, contract, types

KEY = jax.random.key(7)

# `make()` makes the initializer; `given` is the dtype it is asked for, where not every one will do.
ROWS = {
    "elegy.initializers.Zeros": Row(initializers.Zeros),
    "elegy.initializers.Ones": Row(initializers.Ones),
    "elegy.initializers.Constant": Row(lambda: initializers.Constant(0.3)),
    "elegy.initializers.Identity": Row(lambda: initializers.Identity(0.3)),
    "elegy.initializers.RandomNormal": Row(lambda: initializers.RandomNormal(0.2)),
    "elegy.initializers.TruncatedNormal": Row(lambda: initializers.TruncatedNormal(0.2)),
    "elegy.initializers.RandomUniform": Row(lambda: initializers.RandomUniform(0.0, 3.0)),
    "elegy.initializers.VarianceScaling": Row(initializers.VarianceScaling),
    "elegy.initializers.GlorotUniform": Row(initializers.GlorotUniform),
    "elegy.initializers.GlorotNormal": Row(initializers.GlorotNormal),
    "elegy.initializers.HeUniform": Row(initializers.HeUniform),
    "elegy.initializers.HeNormal": Row(initializers.HeNormal),
    "elegy.initializers.LecunUniform": Row(initializers.LecunUniform),
    "elegy.initializers.LecunNormal": Row(initializers.LecunNormal),
    "elegy.initializers.UniformScaling": Row(initializers.UniformScaling),
    "elegy.initializers.Orthogonal": Row(initializers.Orthogonal, "float32"),
}


@contract(ROWS)
def test_jit_equals_eager(row):
    made = row.make()
    close(jax.jit(lambda key: made(key, (4, 6), jnp.float32))(KEY), made(KEY, (4, 6), jnp.float32), rtol=1e-4)


@contract(ROWS)
def test_shape_and_dtype_are_those_that_are_asked_for(row):
    dtype = jnp.dtype(row.given or "bfloat16")
    assert types(row.make()(KEY, (4, 6), dtype)) == types(jnp.zeros((4, 6), dtype))


@contract(ROWS)
def test_it_is_compiled_once(row):
    made = row.make()
    counted = Counted(lambda key: made(key, (4, 6), jnp.float32))
    program = jax.jit(counted)
    for number in range(3):
        program(jax.random.fold_in(KEY, number))
    assert counted.traces == 1


@contract(ROWS)
def test_equal_ones_make_equal_values_after_pickling_too(row):
    made = row.make()
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again(KEY, (4, 6), jnp.float32), made(KEY, (4, 6), jnp.float32))
    assert repr(again) == repr(made) == repr(row.make())


@contract(ROWS)
def test_it_runs_under_vmap(row):
    made, keys = row.make(), jax.random.split(KEY, 2)
    together = jax.vmap(lambda key: made(key, (4, 6), jnp.float32))(keys)
    close(together, jnp.stack([made(key, (4, 6), jnp.float32) for key in keys]), rtol=1e-4)
