"""What a module offers by itself: values as attributes, pure `init` and `apply`, `set_parameters`."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.module import Module, as_functional
from elegy.nn import BatchNormalization, Linear

KEY = jax.random.key(0)


class Chain(Module):
    """Two layers made by the call."""

    def call(self, x):
        return Linear(1)(Linear(4)(x))


class Scaled(Module):
    """One parameter of one's own."""

    def __init__(self, size):
        self.size = size

    def call(self, x):
        return x * self.add_parameter("w", (self.size,), initializer=jnp.ones)


def test_init_depends_on_the_key_alone_and_keeps_nothing(rows):
    module = Linear(2)
    first = module.init(KEY, rows)[0]
    module(rows)
    assert not np.array_equal(module.w, first["w"])
    np.testing.assert_array_equal(module.init(KEY, rows)[0]["w"], first["w"])


def test_init_under_vmap_makes_different_networks_and_leaves_no_tracer(rows):
    module = Chain()
    parameters = jax.vmap(lambda key: module.init(key, rows)[0])(jax.random.split(KEY, 3))
    assert parameters["linear_1"]["w"].shape == (3, 3, 4)
    assert module.parameters == {} and not module.initialized


def test_what_init_made_may_be_set(rows):
    module = Chain()
    parameters, states = module.init(KEY, rows)
    module.set_parameters(parameters)
    assert module.initialized
    np.testing.assert_array_equal(module(rows), module.apply(parameters, states, rows)[0])


def test_apply_works_on_an_instance_that_was_never_called(rows):
    parameters, states = Chain().init(KEY, rows)
    np.testing.assert_array_equal(*(Chain().apply(parameters, states, rows)[0] for _ in range(2)))


def test_a_part_may_be_set_before_the_first_call_and_is_kept(rows):
    module = Chain()
    module.init(KEY, rows)
    module.set_parameters({"linear": {"w": np.full((4, 1), 7.0)}})
    module(rows)
    np.testing.assert_array_equal(module.linear.w, np.full((4, 1), 7.0))
    assert module.linear_1.w.shape == (3, 4)


def test_a_child_that_was_trained_elsewhere_keeps_its_values(rows):
    child = Linear(2)
    child(rows)
    kept = child.w
    module = type("Transfer", (Module,), {"call": lambda self, x: self.child(x)})()
    module.child = child
    assert as_functional(module).init(jax.random.key(5), rows).parameters["child"]["w"] is kept


@pytest.mark.parametrize(
    ("values", "match"),
    [({"b": np.ones(2), "wh": 0}, "was given `wh`.*has: w, b.*"), ({"b": np.ones(2), "w": np.ones(2)}, "`w` was set")],
)
def test_set_parameters_changes_nothing_when_it_fails(rows, values, match):
    module = Linear(2)
    module(rows)
    with pytest.raises(ValueError, match=match):
        module.set_parameters(values)
    np.testing.assert_array_equal(module.b, np.zeros(2))


def test_a_parameter_is_an_attribute_that_can_be_set_outside_a_call(rows):
    module = Linear(2)
    module(rows)
    module.w = np.zeros((3, 2))
    np.testing.assert_array_equal(module(rows), np.zeros((8, 2)))
    with pytest.raises(ValueError, match=r"`w` was set to f32\[2\]"):
        module.w = np.zeros(2)


def test_setting_a_parameter_inside_a_call_is_an_error_also_in_the_first(rows):
    class Sets(Module):
        def call(self, x):
            self.w = self.add_parameter("w") + 1
            return x

    with pytest.raises(ValueError, match=r'Write `self\.update_parameter\("w", value\)`'):
        Sets()(rows)


def test_an_unknown_attribute_lists_near_names(rows):
    module = Linear(2, name="head")
    module(rows)
    with pytest.raises(AttributeError, match=r"no attribute `ww`. It holds: w, b.*Did you mean `w`"):
        module.ww  # noqa: B018
    assert {"w", "b"} <= set(dir(module))


def test_a_child_of_a_call_may_be_replaced_by_one_of_its_class(rows):
    module, other = Chain(), Linear(1)
    module(rows)
    other(np.ones((1, 4), "float32"))
    module.linear = other
    hidden = module.linear_1(rows)
    np.testing.assert_allclose(module(rows), other(hidden), rtol=1e-6)
    with pytest.raises(ValueError, match=r"given a Chain as `linear`. Its call makes a Linear"):
        module.linear = Chain()


def test_an_attribute_may_have_any_name(rows):
    class Learner(Module):
        def __init__(self):
            self.target, self.online = Linear(2), Linear(2)

        def call(self, x):
            return self.online(x) - self.target(x)

    assert set(Learner().init(KEY, rows)[0]) == {"online", "target"}


def test_a_child_made_once_and_kept_in_an_attribute_is_found_there(rows):
    class Lazy(Module):
        layer = None

        def call(self, x):
            if self.layer is None:
                self.layer = Linear(2)
            return self.layer(x)

    module = Lazy()
    np.testing.assert_array_equal(module(rows), module(rows))
    assert list(module.parameters) == ["layer"]


def test_the_signature_is_that_of_the_constructor():
    assert list(inspect.signature(Scaled).parameters) == ["size"]


def test_states_that_depend_on_each_other_settle_on_one_dtype(rows):
    class Cascade(Module):
        def call(self, x):
            values = [self.add_parameter(f"s{i}", initializer=0, trainable=False) for i in range(5)]
            for i, value in enumerate(values):
                self.update_parameter(f"s{i}", value + (values[i - 1] if i else 0.5))
            return x

    module = Cascade()
    module(rows)
    assert {value.dtype for value in module.states.values()} == {jnp.dtype("float32")}


def test_a_bare_call_under_jit_that_writes_states_is_an_error(rows):
    module = BatchNormalization()
    module(rows)
    with pytest.raises(ValueError, match=r"inside a JAX transform.*Use `elegy\.jit`"):
        jax.jit(module)(rows)
    assert jax.jit(lambda x: module(x, training=False))(rows).shape == (8, 3)


def test_equal_modules_start_differently_within_one_seed_and_alike_across_equal_ones(rows):
    with elegy.RNG(3):
        first, second = Linear(2), Linear(2)
        first(rows), second(rows)
    with elegy.RNG(3):
        third = Linear(2)
        third(rows)
    assert not np.array_equal(first.w, second.w)
    np.testing.assert_array_equal(first.w, third.w)


@pytest.mark.parametrize("name", ["a/b", "a.b", ""])
def test_a_name_that_is_no_step_of_a_path_is_an_error(rows, name):
    module = type("Named", (Module,), {"call": lambda self, x: Linear(1, name=name)(x)})()
    with pytest.raises(ValueError, match="uses the name"):
        module(rows)
