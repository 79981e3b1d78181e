"""Programs that only fill arrays are not compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from elegy.compiling import filled

VALUES = {"w": np.ones((3, 4), np.float32), "b": jnp.ones(2, jnp.bfloat16)}


MAKERS = [
    optax.adam,
    optax.adagrad,
    optax.lion,
    lambda rate: optax.sgd(rate, momentum=0.9),
    lambda rate: optax.inject_hyperparams(optax.adam)(learning_rate=rate),
]


@pytest.mark.parametrize("make", MAKERS)
def test_the_slots_of_optimizers_are_filled_on_the_host_like_by_a_program(make):
    begin = jax.jit(make(1e-3).init)
    slots, expected = filled(begin.trace(VALUES)), begin(VALUES)
    assert jax.tree.structure(slots) == jax.tree.structure(expected)
    for slot, leaf in zip(jax.tree.leaves(slots), jax.tree.leaves(expected), strict=True):
        assert isinstance(slot, np.ndarray) and slot.dtype == leaf.dtype
        np.testing.assert_array_equal(slot, leaf)


@pytest.mark.parametrize(
    "function",
    [
        lambda values: values,
        lambda values: values["w"] + 1,
        lambda values: [jnp.zeros(2), values["b"]],
        lambda values: jnp.broadcast_to(values["w"][0], (3, 4)),
        lambda values: jnp.zeros(1 << 25),
    ],
)
def test_other_programs_and_large_ones_are_left_to_the_compiler(function):
    assert filled(jax.jit(function).trace(VALUES)) is None
