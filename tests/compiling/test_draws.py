"""Random bits are written out, and are the same bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy.compiling import DRAWS_ONLY, rewritten
from tests.compiling.comparing import counted


def drawn(key):
    return jax.random.truncated_normal(key, -2, 2, (6, 10))


def of_width(width):
    return lambda key: jax.random.bits(key, (3, 5), f"uint{width}")


CASES = {
    "of words": (drawn, jax.random.PRNGKey(3)),
    "of a key": (drawn, jax.random.key(3)),
    "of many keys": (jax.vmap(drawn), jax.random.split(jax.random.key(0), 2)),
    "a scalar": (jax.random.normal, jax.random.key(1)),
    "8 bits": (of_width(8), jax.random.key(1)),
    "16 bits": (of_width(16), jax.random.key(1)),
}


@pytest.mark.parametrize("case", CASES)
def test_bits_are_written_out_and_stay_the_same(case):
    function, key = CASES[case]
    assert counted(rewritten(function, DRAWS_ONLY), key)["random_bits"] == 0
    np.testing.assert_array_equal(jax.jit(rewritten(function, DRAWS_ONLY))(key), jax.jit(function)(key))


def test_folding_is_written_out_for_one_key_and_for_many():
    def fold(key, numbers):
        return jax.random.key_data(jax.vmap(lambda n: jax.random.fold_in(jax.random.fold_in(key, n), 3))(numbers))

    args = jax.random.key(5), jnp.array([0, 7, 2**31 + 1], "uint32")
    assert counted(rewritten(fold, DRAWS_ONLY), *args)["random_fold_in"] == 0
    np.testing.assert_array_equal(rewritten(fold, DRAWS_ONLY)(*args), fold(*args))


def test_other_generators_and_other_equations_stay():
    def function(key):
        return drawn(key), jnp.argmax(jnp.arange(100.0))

    key = jax.random.key(0, impl="rbg")
    assert counted(rewritten(function, DRAWS_ONLY), key) == counted(function, key)


def test_bits_that_do_not_follow_from_their_places_stay():
    with jax.threefry_partitionable(False):
        assert counted(rewritten(drawn, DRAWS_ONLY), jax.random.key(0))["random_bits"] == 1
