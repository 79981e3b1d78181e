"""The two pure functions: what plain objects and functions own, and pairs `(init, apply)`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import InjectionError
from elegy.module import Module, as_functional
from elegy.nn import Dropout, Linear

KEY = jax.random.key(0)


def outputs_of(module, x, training=False):
    functional = as_functional(module)
    variables = functional.init(KEY, x)
    return functional.apply(variables.parameters, variables.states, x, key=KEY, training=training).outputs


@pytest.mark.parametrize("function", [jnp.tanh, jax.nn.tanh, lambda x, /: jnp.tanh(x)])
def test_any_function_is_a_module(rows, function):
    np.testing.assert_allclose(outputs_of(function, rows), np.tanh(rows), rtol=1e-5)


def test_a_nested_list_of_numbers_is_one_array():
    np.testing.assert_array_equal(outputs_of(lambda m: 2 * m, [[1, 2], [3, 4]]), [[2, 4], [6, 8]])


def test_modules_from_outside_and_new_ones_keep_their_names(rows):
    outside = Linear(3)

    def network(x):
        hidden = outside(x)
        return Linear(2)(hidden)

    functional = as_functional(network)
    for _ in range(2):
        functional.clear()
        assert {n: p["w"].shape for n, p in functional.init(KEY, rows).parameters.items()} == {
            "linear": (3, 3),
            "linear_1": (3, 2),
        }


def test_two_modules_from_outside_with_one_name_are_an_error(rows):
    a, b = Linear(3, name="head"), Linear(3, name="head")
    with pytest.raises(ValueError, match="calls two modules with the name `head`"):
        outputs_of(lambda x: b(a(x)), rows)


def test_init_under_vmap_leaves_no_tracer_on_the_users_module(rows):
    module = Linear(2)
    functional = as_functional(module)
    assert jax.vmap(lambda key: functional.init(key, rows).parameters["w"])(jax.random.split(KEY, 3)).shape == (3, 3, 2)
    assert functional.read() == ({}, {})


def test_values_are_written_to_and_read_from_the_users_object(rows):
    module = Linear(2)
    functional = as_functional(module)
    parameters = jax.tree.map(jnp.ones_like, functional.init(KEY, rows).parameters)
    functional.write(parameters, {})
    assert module.w is parameters["w"] and functional.read()[0]["b"] is parameters["b"]


def test_after_clear_a_call_may_make_other_children(rows):
    class Sized(Module):
        size = 2

        def call(self, x):
            return Linear(self.size)(x)

    module = Sized()
    functional = as_functional(module)
    functional.init(KEY, rows)
    functional.clear()
    module.size = 5
    assert functional.init(KEY, rows).parameters["linear"]["w"].shape == (3, 5)


def test_a_child_without_arrays_may_be_constructed_differently_by_each_mode(rows):
    assert outputs_of(lambda x, training: Dropout(0.9 if training else 0.1)(x), rows).shape == (8, 3)


def test_constructor_arguments_that_are_nan_are_the_same_again(rows):
    class Filled(Module):
        def __init__(self, value):
            self.value = value

        def call(self, x):
            return x * self.add_parameter("w", initializer=1.0)

    np.testing.assert_array_equal(outputs_of(lambda x: Filled(float("nan"))(x), rows), rows)


def init(key, m, n):
    del key
    return {"w": jnp.float32(m.shape[-1] + n.shape[-1])}


def test_a_pair_is_bound_like_any_module(rows):
    pair = (init, lambda parameters, m, n, training: parameters["w"] * (m - n) * (1 + training))
    np.testing.assert_array_equal(outputs_of(pair, (rows, 0 * rows)), 6 * rows)
    np.testing.assert_array_equal(outputs_of(pair, {"n": 0 * rows, "m": rows, "other": rows}), 6 * rows)
    np.testing.assert_array_equal(
        outputs_of(pair, {"n": 0 * rows, "m": rows, "training": 4 * rows}), 6 * rows * (1 + 4 * rows)
    )


@pytest.mark.parametrize(
    ("pair", "error", "match"),
    [
        ((lambda key, x: {}, lambda parameters, x, y_true: x), InjectionError, "let a loss or metric ask for `y_true`"),
        ((lambda key, a, b: {}, lambda parameters, x: x), InjectionError, "`init` of the module.*takes: a, b"),
        ((lambda key, x: {}, lambda parameters, x, states: (x, states)), TypeError, "`init` returns"),
        ((lambda key, x: ({}, {}), lambda parameters, x, states: x), TypeError, "`apply` returns.*f32"),
        ((Linear, Linear), TypeError, r"Write `Linear\(\.\.\.\)`"),
    ],
)
def test_a_pair_that_does_not_fit_is_an_error(rows, pair, error, match):
    with pytest.raises(error, match=match):
        outputs_of(pair, rows)
