"""What a module tells of itself and lets be set: names, sizes, reset, copies, text."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.module import Module
from elegy.nn import BatchNormalization, Dropout, Linear


class Chain(Module):
    """Two layers made by the call: 21 parameters."""

    def call(self, x):
        return Linear(1)(Linear(4)(x))


class Nest(Module):
    """Children in every kind of attribute, one of them twice, and one made by the call."""

    def __init__(self):
        self.shared = Linear(3)
        self.layers = [Linear(3), (Linear(3), self.shared)]
        self.heads = {"a": Linear(3), 1: {"deep": [Linear(3)]}}
        self._hidden = BatchNormalization()

    def call(self, x):
        for layer in (self.shared, *self.layers[:1], *self.layers[1], self.heads["a"], *self.heads[1]["deep"]):
            x = layer(x)
        return Linear(3)(self._hidden(x))


def test_submodules_have_unique_names_and_a_shared_one_appears_once(rows):
    module = Nest()
    before = ["shared", "layers/0", "layers/1/0", "heads/a", "heads/1/deep/0", "_hidden"]
    assert list(module.submodules) == before
    module(rows)
    assert list(module.submodules) == [*before, "linear"]
    assert module.submodules["shared"] is module.layers[1][1] and module.submodules["linear"] is module.linear


def test_a_child_of_the_call_that_is_kept_in_an_attribute_is_one_submodule(rows):
    class Keeps(Module):
        def call(self, x):
            self.kept = Linear(2)
            return self.kept(x)

    module = Keeps()
    module(rows)
    assert list(module.submodules) == ["kept"] and module.parameters_size() == 8


@pytest.mark.parametrize("key", ["a/b", "a b", "", (0, 1)])
def test_a_key_that_is_no_step_of_a_path_is_an_error(key):
    module = Nest()
    module.heads = {key: Linear(1)}
    with pytest.raises(ValueError, match=r"in the dict `heads` under the key .* Keys are steps of paths"):
        module.submodules  # noqa: B018


def test_two_keys_with_one_spelling_are_an_error_and_keys_of_other_values_are_free():
    module = Nest()
    module.heads = {"a/b": 1, 0: Linear(1), "0": Linear(1)}
    with pytest.raises(ValueError, match=r"under the key '0'. Another key is spelled the same"):
        module.submodules  # noqa: B018


def test_sizes_and_bytes_count_shared_modules_once(rows):
    module = Nest()
    module(rows)
    assert (module.parameters_size(), module.parameters_bytes()) == (6 * 12 + 6, 4 * 78)
    assert (module.states_size(), module.states_bytes()) == (14, 56)
    assert module.parameters_size(include_submodules=False) == 0 == module.states_bytes(include_submodules=False)
    assert module._hidden.parameters_size(include_submodules=False) == 6
    assert module._hidden.parameters_bytes(False) == 24 and module._hidden.states_size(False) == 0


def test_bytes_follow_the_dtype(rows):
    module = Linear(2, param_dtype=jnp.bfloat16)
    module(rows)
    assert (module.parameters_size(), module.parameters_bytes()) == (8, 16)
    assert module.w.dtype == module.param_dtype == jnp.bfloat16


def test_after_reset_there_are_no_arrays_and_the_same_ones_come_again(rows):
    module = Chain()
    first = module(rows)
    for _ in range(2):
        module.reset()
        assert not module.initialized and module.parameters_size() == module.states_size() == 0
        assert module.get_parameters() == {} and module.parameters_bytes() == 0
    np.testing.assert_array_equal(module(rows), first)
    assert module.initialized


def test_reset_of_a_module_that_was_never_called_changes_nothing(rows):
    module = Chain()
    module.reset()
    assert module(rows).shape == (8, 1)


def test_arrays_may_be_put_back_after_a_reset(rows):
    module = Chain()
    module(rows)
    trained = jax.tree.map(lambda leaf: leaf + 1, module.get_parameters())
    module.set_parameters(trained)
    outputs = module(rows)
    module.reset()
    module.set_parameters(trained)
    np.testing.assert_array_equal(module.linear.w, trained["linear"]["w"])
    np.testing.assert_array_equal(module(rows), outputs)


def test_a_part_of_a_module_may_be_reset(rows):
    module = Chain()
    module(rows)
    kept = module.linear_1.w
    module.linear.reset()
    assert not module.initialized and list(module.parameters) == ["linear_1"]
    assert module(rows).shape == (8, 1) and module.linear_1.w is kept


def test_all_parameters_are_states_and_parameters_together(rows):
    module = BatchNormalization()
    module(rows)
    assert set(module.get_parameters()) == {"scale", "offset", "mean_ema", "var_ema"}
    assert set(module.parameters) == {"scale", "offset"} and set(module.states) == {"mean_ema", "var_ema"}


@pytest.mark.parametrize("verb", [Module.reset, lambda module: module.set_parameters({})])
def test_values_are_not_taken_or_set_inside_a_call(rows, verb):
    module = type("Inside", (Module,), {"call": lambda self, x: verb(self)})()
    with pytest.raises(ValueError, match=r"A call that it is a part of runs.*`self\.update_parameter"):
        module(rows)


def test_the_text_of_a_module_shows_how_it_is_made_and_what_it_holds(rows):
    assert repr(Linear(4, with_bias=False, name="head")) == "Linear(output_size=4, with_bias=False, name='head')"
    module = Chain()
    module(rows)
    module.linear.trainable = False
    assert repr(module).splitlines() == [
        "Chain()",
        "  linear: Linear(output_size=1) w f32[4,1], b f32[1]; frozen",
        "  linear_1: Linear(output_size=4) w f32[3,4], b f32[4]",
    ]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
@pytest.mark.parametrize("is_called", [True, False])
def test_a_deep_copy_is_another_module_with_equal_arrays(rows, copied, is_called):
    module = Nest()
    if is_called:
        module(rows)
    other = copied(module)
    np.testing.assert_array_equal(other(rows), module(rows))
    assert other.shared is other.layers[1][1] and other.shared is not module.shared
    other.shared.w = jnp.zeros((3, 3))
    assert np.any(module.shared.w) and other.linear is not module.linear


def test_a_shallow_copy_shares_children_but_not_what_is_set_on_it(rows):
    module, chain = Linear(2), Chain()
    module(rows), chain(rows)
    other, second = copy.copy(module), copy.copy(chain)
    assert other.w is module.w and second.linear is chain.linear
    other.w = jnp.zeros((3, 2))
    second.linear = Linear(1)
    assert np.any(module.w) and second.linear is not chain.linear


def test_an_initializer_that_pickle_cannot_carry_is_left_out_with_its_parameter_declared(rows):
    other = pickle.loads(pickle.dumps(initialized_with_lambda(rows)))
    other.reset()
    assert float(other(rows)[0, 0]) == float(rows[0, 0] * 2)


class WithLambda(Module):
    def call(self, x):
        return x * self.add_parameter("factor", (), initializer=lambda shape, dtype: jnp.full(shape, 2, dtype))


def initialized_with_lambda(rows):
    module = WithLambda()
    module(rows)
    return module


def test_a_module_called_bare_draws_from_seed_42_and_fresh_keys_each_call(rows):
    first, second = Dropout(0.5), Dropout(0.5)
    a, b = first(rows), first(rows)
    assert not np.array_equal(a, b)
    np.testing.assert_array_equal(second(rows), a)
    with elegy.RNG(42):
        np.testing.assert_array_equal(Dropout(0.5)(rows), a)
    with elegy.RNG(1):
        assert not np.array_equal(Dropout(0.5)(rows), a)


def test_nested_seeds_come_back_also_after_an_error(rows):
    with elegy.RNG(1):
        expected = Dropout(0.5)(rows)
    with elegy.RNG(1):
        with pytest.raises(RuntimeError), elegy.RNG(2):
            raise RuntimeError
        np.testing.assert_array_equal(Dropout(0.5)(rows), expected)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True])
def test_a_seed_that_is_none_is_an_error(seed):
    with pytest.raises(ValueError, match=r"A seed is an integer from 0 to 2\*\*64 - 1"):
        elegy.RNG(seed)
