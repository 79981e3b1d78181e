"""Between single steps the state is one list of leaves."""

import jax
import numpy as np

import elegy
from elegy._flat import FlatState, flat, packed, whole


def test_a_flat_state_is_the_same_state():
    state = elegy.Model(elegy.nn.Linear(2), loss="mse", optimizer="adam").init(np.ones((1, 3)), np.ones((1, 2)))
    between = flat(state)
    assert isinstance(between, FlatState) and flat(between) is between
    assert jax.tree.structure(whole(between)) == jax.tree.structure(state) and whole(state) is state
    assert all(a is b for a, b in zip(jax.tree.leaves(whole(between)), jax.tree.leaves(state), strict=True))


def test_leaves_of_one_structure_share_it_and_fit_one_program():
    traces = []
    double = jax.jit(lambda tree: traces.append(1) or jax.tree.map(lambda leaf: 2 * leaf, tree))
    one, other = packed({"a": np.ones(2)}), packed({"a": np.zeros(2)})
    assert packed({"a": 3}, one.structure).structure is one.structure
    assert packed({"b": 3}, one.structure).structure is not one.structure
    np.testing.assert_array_equal(double(one).tree()["a"], [2, 2])
    double(double(other))
    assert len(traces) == 1
