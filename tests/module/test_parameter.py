"""Initializers: `(key, shape, dtype)`, `(shape, dtype)`, or a value."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.module import Module, initial_value

KEY = jax.random.key(7)
SHAPE = (2, 3)
NORMAL = jax.random.normal(KEY, SHAPE)


class WithKey:
    def __call__(self, key, shape, dtype):
        return jax.random.normal(key, shape, dtype)


class WithRng:
    def __call__(self, rng, shape, dtype=jnp.float32):
        return jax.random.normal(rng, shape, dtype)


class WithoutKey:
    def __call__(self, shape, dtype):
        return jnp.full(shape, 3, dtype)


def scaled(key, shape, dtype, scale):
    return scale * jax.random.normal(key, shape, dtype)


KEYED = [
    (jax.random.normal, NORMAL),
    (jax.jit(jax.random.normal, static_argnums=(1, 2)), NORMAL),
    (jax.nn.initializers.normal(2.0), 2 * NORMAL),
    (functools.partial(scaled, scale=3.0), 3 * NORMAL),
    (lambda k, s, d: jax.random.normal(k, s, d), NORMAL),
    (WithKey(), NORMAL),
    (WithRng(), NORMAL),
    (elegy.initializers.RandomNormal(stddev=2.0), 2 * NORMAL),
]
KEYLESS = [
    (jnp.ones, 1),
    (np.ones, 1),
    (WithoutKey(), 3),
    (lambda shape, dtype: jnp.full(shape, 3, dtype), 3),
    (functools.partial(jax.random.normal, KEY), NORMAL),
]


@pytest.mark.parametrize(("initializer", "expected"), KEYED)
def test_an_initializer_that_takes_a_key_gets_one(initializer, expected):
    value = initial_value(initializer, SHAPE, jnp.float32, KEY)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    with pytest.raises(ValueError, match="asks for a key"):
        initial_value(initializer, SHAPE, jnp.float32, None)


@pytest.mark.parametrize(("initializer", "expected"), KEYLESS)
def test_any_other_is_called_with_shape_and_dtype(initializer, expected):
    value = initial_value(initializer, SHAPE, jnp.float32, None)
    np.testing.assert_array_equal(value, np.broadcast_to(expected, SHAPE))
    assert value.dtype == jnp.float32


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [(0, "int32", ()), (2.0, "float32", ()), (True, "bool", ()), ([1.0, 2.0], "float32", (2,)), (np.ones(3), "", (3,))],
)
def test_a_value_brings_its_shape_and_dtype(rows, value, dtype, shape):
    module = type("Holds", (Module,), {"call": lambda self, x: self.add_parameter("a", (), None, value, False)})()
    module(rows)
    assert module.a.shape == shape and module.a.dtype == (dtype or "float32")
    np.testing.assert_array_equal(module.a, value)


def test_a_value_is_broadcast_to_a_shape_that_is_given(rows):
    module = type("Wide", (Module,), {"call": lambda self, x: self.add_parameter("w", (2, 3), None, 0.5)})()
    module(rows)
    np.testing.assert_array_equal(module.w, np.full((2, 3), 0.5))


def test_an_initializer_that_makes_another_shape_is_an_error():
    with pytest.raises(ValueError, match=r"asked for the shape \(2, 3\). It made f32\[3\]"):
        initial_value(lambda shape, dtype: jnp.ones(shape[1:], dtype), SHAPE, jnp.float32, KEY)


def test_an_array_that_the_call_computes_is_no_initial_value(rows):
    module = type("Computes", (Module,), {"call": lambda self, x: self.add_parameter("w", (), None, x.mean())})()
    with pytest.raises(ValueError, match="initializes `w` with an array that is computed in the call"):
        module(rows)
