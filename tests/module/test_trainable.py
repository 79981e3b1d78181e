"""`module.trainable`: set on a module it holds for all below, and children made later inherit it."""

import jax
import numpy as np
import pytest

from elegy.module import Module, as_functional
from elegy.nn import BatchNormalization, Linear

KEY = jax.random.key(0)


class Block(Module):
    def __init__(self):
        self.first = Linear(3)

    def call(self, x):
        return Linear(3, name="last")(self.first(x))


class Outer(Module):
    def __init__(self):
        self.block = Block()

    def call(self, x):
        return Linear(1, name="head")(self.block(x)) * self.add_parameter("scale", initializer=1.0)


def frozen(module):
    return as_functional(module).frozen()


def test_all_learn_unless_told_otherwise(rows):
    module = Outer()
    assert module.trainable and frozen(module) == ()


def test_setting_it_holds_for_all_below_and_can_be_taken_back(rows):
    module = Outer()
    module(rows)
    module.block.trainable = False
    assert not module.block.first.trainable and not module.block.last.trainable and module.head.trainable
    assert frozen(module) == ("block",)
    module.trainable = True
    assert module.block.last.trainable and frozen(module) == ()


def test_a_child_that_a_later_call_makes_inherits_it(rows):
    module = Outer()
    module.block.trainable = False
    module(rows)
    assert not module.block.last.trainable and module.head.trainable
    assert set(module.get_parameters(trainable=True)) == {"head", "scale"}


def test_children_that_the_constructor_makes_afterwards_inherit_it(rows):
    class Frozen(Module):
        def __init__(self):
            self.trainable = False
            self.linear = Linear(2)

        def call(self, x):
            return self.linear(x)

    module = Frozen()
    assert frozen(module) == ("**",)
    module(rows)
    assert not module.linear.trainable and module.get_parameters(trainable=True) == {}


def test_a_child_may_learn_below_a_frozen_module(rows):
    module = Outer()
    module(rows)
    module.trainable = False
    module.block.last.trainable = True
    assert set(frozen(module)) == {"scale", "block/first", "head"}
    assert list(module.get_parameters(trainable=True)) == ["block"]
    assert list(module.get_parameters(trainable=True)["block"]) == ["last"]


def test_the_whole_module_may_be_frozen(rows):
    module = Outer()
    module.trainable = False
    assert frozen(module) == ("**",)


def test_a_shared_module_is_frozen_by_either_of_its_names(rows):
    module = Outer()
    module.again = module.block
    module.again.trainable = False
    assert frozen(module) == ("block",)


def test_a_frozen_batch_normalization_called_bare_keeps_its_statistics(rows):
    module = BatchNormalization()
    parameters, states = module.init(KEY, rows)
    module.trainable = False
    after = module.apply(parameters, states, rows, training=True)[1]
    jax.tree.map(np.testing.assert_array_equal, states, after)
    before = module(rows) is not None and module.states
    module(rows)
    jax.tree.map(np.testing.assert_array_equal, before, module.states)


def test_a_failed_initialization_forgets_what_its_call_froze(rows):
    class Fails(Module):
        def __init__(self):
            self.linear = Linear(2)

        def call(self, x):
            self.linear.trainable = False
            return self.linear(x).no_such

    module = Fails()
    with pytest.raises(AttributeError):
        module(rows)
    assert module.linear.trainable


@pytest.mark.parametrize("value", [None, 0, "False", np.bool_(True)])
def test_it_is_true_or_false(value):
    with pytest.raises(ValueError, match=r"A module learns or it does not"):
        Linear(1).trainable = value
