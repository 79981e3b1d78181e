"""Random bits are drawn in a row, and are the same bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy.compiling import DRAWS_ONLY, rewritten
from tests.compiling.comparing import counted


def drawn(key):
    return jax.random.truncated_normal(key, -2, 2, (6, 10))


def shapes_drawn(function, *args):
    text = str(jax.make_jaxpr(function)(*args))
    return [line.split("shape=")[1].split("]")[0] for line in text.splitlines() if "random_bits" in line]


@pytest.mark.parametrize("impl", [None, "threefry2x32"], ids=["words", "key"])
def test_bits_are_drawn_in_a_row_and_stay_the_same(impl):
    key = jax.random.PRNGKey(3) if impl is None else jax.random.key(3, impl=impl)
    assert shapes_drawn(rewritten(drawn, DRAWS_ONLY), key) == ["(60,)"]
    np.testing.assert_array_equal(rewritten(drawn, DRAWS_ONLY)(key), drawn(key))


def test_draws_of_many_keys_and_of_other_generators_stay():
    keys = jax.random.split(jax.random.key(0), 2)
    assert shapes_drawn(rewritten(jax.vmap(drawn), DRAWS_ONLY), keys) == shapes_drawn(jax.vmap(drawn), keys)
    other = jax.random.key(0, impl="rbg")
    assert shapes_drawn(rewritten(drawn, DRAWS_ONLY), other) == ["(6, 10)"]


def test_a_vector_and_other_equations_stay():
    def function(key):
        return jax.random.bits(key, (5,)), jnp.argmax(jnp.arange(100.0))

    key = jax.random.key(0)
    assert counted(rewritten(function, DRAWS_ONLY), key) == counted(function, key)
