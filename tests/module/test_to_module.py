"""`elegy.to_module`: a function becomes a module class, with hooks and children of its own."""

import copy
import functools
import pickle

import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.nn import Linear


def dense_block(x, training):
    """One layer and a parameter."""
    shift = elegy.add_parameter("shift", initializer=1.0)
    return Linear(2)(x) + (shift if training else 0)


DenseBlock = elegy.to_module(dense_block)


def test_the_class_is_named_after_the_function_and_hooks_belong_to_the_instance(rows):
    block = DenseBlock()
    outputs = block(rows, training=False)
    assert (DenseBlock.__name__, DenseBlock.__doc__) == ("dense_block", "One layer and a parameter.")
    assert set(block.parameters) == {"shift", "linear"}
    np.testing.assert_allclose(block(rows), outputs + 1, rtol=1e-6)


def test_it_is_a_child_like_any_other(rows):
    model = elegy.Model(lambda x: DenseBlock()(DenseBlock(name="last")(x)))
    assert set(model.init(rows).parameters) == {"dense_block", "last"}


def test_a_lambda_and_a_partial_have_names_too(rows):
    assert elegy.to_module(lambda x: x).__name__ == "lambda"
    scaled = elegy.to_module(functools.partial(jnp.multiply, 2.0))
    np.testing.assert_array_equal(scaled()(rows), 2 * rows)


def test_instances_are_copied_and_pickled_with_their_arrays(rows):
    block = DenseBlock()
    outputs = block(rows)
    assert type(copy.deepcopy(block)) is DenseBlock
    other = pickle.loads(pickle.dumps([block, DenseBlock()]))
    assert type(other[0]) is type(other[1])
    np.testing.assert_array_equal(other[0](rows), outputs)


@pytest.mark.parametrize("value", [Linear, Linear(1), 3])
def test_what_is_no_function_is_an_error(value):
    with pytest.raises(TypeError, match="It makes a module class of a function"):
        elegy.to_module(value)
