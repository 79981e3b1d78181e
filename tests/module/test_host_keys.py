"""Keys that are made on the host are those of JAX."""

import jax
import numpy as np

from elegy.module import INIT, TRAIN, consumer_key, domain_key
from elegy.module._host_keys import folded
from elegy.module._keys import consumer_keys

SEED = np.array([7, 2**32 - 1], np.uint32)
NUMBERS = [0, 1, 42, 2**31, 2**32 - 1]


def words(key):
    return np.asarray(jax.random.key_data(key))


def test_folding_is_that_of_jax_for_one_number_and_for_many():
    fold_in = jax.jit(lambda seed, number: jax.random.key_data(jax.random.fold_in(seed, number)))
    key = jax.random.wrap_key_data(SEED, impl="threefry2x32")
    expected = [fold_in(key, np.uint32(number)) for number in NUMBERS]
    np.testing.assert_array_equal(folded(SEED, np.array(NUMBERS, np.uint32)), expected)
    np.testing.assert_array_equal(folded(SEED, NUMBERS[-1]), expected[-1])


def test_the_key_of_a_domain_is_the_same_whether_its_seed_is_known_or_traced():
    traced = jax.jit(lambda seed, step: domain_key(seed, TRAIN, step))(SEED, 5)
    np.testing.assert_array_equal(words(domain_key(SEED, TRAIN, 5)), words(traced))


def test_the_keys_of_several_consumers_are_those_of_each():
    key, consumers = domain_key(SEED, INIT, 0), ["parameter:w", "parameter:linear/b"]
    expected = [words(consumer_key(key, consumer, 0)) for consumer in consumers]
    np.testing.assert_array_equal(words(consumer_keys(key, consumers)), expected)
    np.testing.assert_array_equal(words(jax.jit(lambda key: consumer_keys(key, consumers))(key)), expected)
