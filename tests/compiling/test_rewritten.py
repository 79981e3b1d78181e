"""A rewritten function is traced, fails and returns like the one it is made of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy.compiling import ALL_RULES, rewritten
from tests.compiling.comparing import normal

ROWS = normal(3, 64)


def test_the_function_is_traced_once():
    traces = []

    def step(x):
        traces.append(x.shape)
        return jnp.argmax(x, axis=-1)

    compiled = jax.jit(rewritten(step, ALL_RULES))
    for x in (ROWS, ROWS, ROWS[:2]):
        compiled(x)
    assert traces == [(3, 64), (2, 64)]


def test_errors_come_through_unchanged():
    def step(x):
        raise KeyError("my own")

    with pytest.raises(KeyError, match="my own") as raised:
        jax.jit(rewritten(step, ALL_RULES))(ROWS)
    assert raised.value.args == ("my own",)


def test_jax_names_the_argument_of_a_value_that_is_not_known_yet():
    def step(batch):
        return 1 if batch["x"][0, 0] > 0 else 0

    with pytest.raises(jax.errors.TracerBoolConversionError, match=r"batch\['x'\]"):
        jax.jit(rewritten(step, ALL_RULES))({"x": ROWS})


def test_trees_keywords_and_none_come_back_as_they_were():
    def step(state, *, batch):
        return {"best": jnp.argmax(batch["x"], -1), "state": (state, None), "empty": []}

    made = jax.jit(rewritten(step, ALL_RULES))((1.0, None), batch={"x": ROWS, "unused": None})
    plain = step((1.0, None), batch={"x": ROWS})
    assert jax.tree.structure(made) == jax.tree.structure(plain)
    np.testing.assert_array_equal(made["best"], plain["best"])


def test_weak_types_stay_weak():
    def step(x, y):
        return (x * 2.0, y * 2, jnp.argmax(ROWS, -1))

    plain, made = jax.jit(step)(1.0, ROWS), jax.jit(rewritten(step, ALL_RULES))(1.0, ROWS)
    assert [leaf.weak_type for leaf in made] == [leaf.weak_type for leaf in plain] == [True, False, False]


def test_it_can_be_differentiated_and_mapped():
    def function(x):
        return jnp.sum(x**2) * jnp.argmax(x)

    other = rewritten(function, ALL_RULES)
    np.testing.assert_allclose(jax.grad(other)(ROWS[0]), jax.grad(function)(ROWS[0]), rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(other)(ROWS), jax.vmap(function)(ROWS), rtol=1e-6)


def test_it_has_the_name_of_the_function():
    def my_step(x):
        return x

    assert rewritten(my_step, ALL_RULES).__name__ == "my_step"
    assert "jit_my_step" in jax.jit(rewritten(my_step, ALL_RULES)).lower(ROWS).as_text()
