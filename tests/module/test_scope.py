"""Raw JAX transforms inside a call, keys by path, and that a scope is gone on every exit."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.module import Module, add_parameter, as_functional, next_rng_key
from elegy.module._scope import running_scope
from elegy.nn import Dropout, Linear

KEY = jax.random.key(0)


def twice(function):
    """`function` applied two times in a scan."""
    return lambda x: jax.lax.scan(lambda carry, _: (function(carry), None), x, None, length=2)[0]


class Wrapped(Module):
    """Calls its child through a JAX transform that knows the child itself, not a lambda."""

    def __init__(self, transform):
        self.linear = Linear(3)
        self.transform = transform

    def call(self, x):
        return self.transform(self.linear)(x)


@pytest.mark.parametrize("transform", [jax.checkpoint, jax.jit, jax.vmap, twice])
def test_a_transform_of_a_child_sees_the_arrays_of_each_apply(rows, transform):
    module = Wrapped(transform)
    parameters, states = module.init(KEY, rows)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    w, b = parameters["linear"]["w"], parameters["linear"]["b"]
    expected = (rows @ w + b) @ w + b if transform is twice else rows @ w + b
    np.testing.assert_allclose(module.apply(parameters, states, rows)[0], expected, rtol=1e-4)
    np.testing.assert_array_equal(module.apply(zeros, states, rows)[0], jnp.zeros_like(expected))


def test_gradients_flow_through_a_transform_of_a_child(rows):
    module = Wrapped(jax.checkpoint)
    parameters, states = module.init(KEY, rows)
    gradient = jax.jit(jax.grad(lambda p: module.apply(p, states, rows)[0].sum()))(parameters)
    np.testing.assert_allclose(gradient["linear"]["w"], np.tile(rows.sum(0)[:, None], 3), rtol=1e-5)


def test_a_block_that_makes_its_own_children_may_run_inside_a_transform(rows):
    class Cell(Module):
        def call(self, carry, _):
            return Linear(3)(carry), None

    class Repeated(Module):
        def __init__(self):
            self.cell = Cell()

        def call(self, x):
            return jax.lax.scan(self.cell, x, None, length=3)[0]

    module = Repeated()
    parameters, states = module.init(KEY, rows)
    w, b = parameters["cell"]["linear"]["w"], parameters["cell"]["linear"]["b"]
    expected = ((rows @ w + b) @ w + b) @ w + b
    np.testing.assert_allclose(module.apply(parameters, states, rows)[0], expected, rtol=1e-4)


def test_a_child_with_arrays_that_is_made_inside_a_transform_is_an_error(rows):
    functional = as_functional(lambda x: jax.checkpoint(lambda x: Linear(2)(x))(x))
    with pytest.raises(ValueError, match=r"`linear`, which holds arrays, inside a JAX transform.*elegy\.remat"):
        functional.init(KEY, rows)


def test_a_parameter_first_read_inside_a_transform_does_not_leak_out_of_it(rows):
    linear = Linear(3)
    functional = as_functional(lambda x: linear(jax.checkpoint(lambda x: linear(x))(x)))
    parameters = jax.jit(lambda key: functional.init(key, rows).parameters)(KEY)
    assert parameters["linear"]["w"].shape == (3, 3)


def test_a_mask_depends_on_the_path_and_the_number_of_the_request_alone():
    class Noise(Module):
        def call(self):
            return jax.random.uniform(next_rng_key())

    class Two(Module):
        def __init__(self):
            self.a, self.b = Noise(), Noise()

        def call(self, a_first):
            a, b = (self.a(), self.b()) if a_first else (self.b(), self.a())[::-1]
            return a, b, self.a()

    first, second = (Two().apply({}, {}, order, key=KEY)[0] for order in (True, False))
    assert first == second and len(set(map(float, first))) == 3


def test_dropout_in_training_needs_a_key(rows):
    with pytest.raises(ValueError, match=r"random key. This call was given none. Pass `key=`"):
        Dropout(0.5).apply({}, {}, rows, training=True)


def test_an_exception_leaves_no_scope_behind(rows):
    class Fails(Module):
        def call(self, x):
            Linear(2)(x)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        Fails()(rows)
    assert running_scope() is None
    assert Linear(2)(rows).shape == (8, 2)


def test_threads_do_not_see_each_other(rows):
    shapes = []

    def work(size):
        shapes.append(elegy.Model(lambda x: Linear(size)(x)).predict(rows, verbose=0).shape)

    threads = [threading.Thread(target=work, args=(size,)) for size in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(shapes) == [(8, 1), (8, 2), (8, 3)]


def test_a_module_may_call_itself(rows):
    class Recursive(Module):
        def call(self, x, depth=2):
            x = Linear(3)(x)
            return self(x, depth=depth - 1) if depth else x

    module = Recursive()
    parameters, states = module.init(KEY, rows)
    assert list(parameters) == ["linear"]
    assert module.apply(parameters, states, rows)[0].shape == (8, 3)


def test_a_frozen_module_does_not_train_and_those_below_it_do(rows):
    class Counts(Module):
        def __init__(self, inner=None):
            self.inner = inner

        def call(self, x, training):
            add_parameter("w")
            n = self.add_parameter("n", initializer=0, trainable=False)
            if training:
                self.update_parameter("n", n + 1)
            return x if self.inner is None else self.inner(x)

    functional = as_functional(Counts(Counts()))
    parameters, states = (functional.init(KEY, rows).parameters, functional.init(KEY, rows).states)
    after = functional.apply(parameters, states, rows, key=None, training=True, frozen=("w",)).states
    assert (int(after["n"]), int(after["inner"]["n"])) == (0, 1)


def test_outputs_of_modules_are_captured_by_path_only_where_asked_for(rows):
    functional = as_functional(lambda x: Linear(1)(Linear(2)(x)))
    parameters = functional.init(KEY, rows).parameters
    captured = functional.apply(parameters, {}, rows, key=None, training=False, capture=True).extras.intermediates
    assert {path: leaf.shape for path, leaf in captured.items()} == {"linear": (8, 1), "linear_1": (8, 2)}
    assert functional.apply(parameters, {}, rows, key=None, training=False).extras.intermediates == {}


def test_outputs_inside_a_transform_are_not_captured(rows):
    linear = Linear(2)
    functional = as_functional(lambda x: jax.lax.map(lambda row: linear(row), x))
    parameters = functional.init(KEY, rows).parameters
    applied = jax.jit(lambda p: functional.apply(p, {}, rows, key=None, training=False, capture=True))(parameters)
    assert applied.extras.intermediates == {}


def test_a_raw_transform_inside_a_lifted_one_is_initialized_too():
    block = elegy.to_module(lambda x: jax.checkpoint(Linear(3, name="linear"))(x))
    model = elegy.Model(lambda x: elegy.scan(block(name="block"), length=2)(x))
    x = np.ones((4, 3), "float32")
    outputs = model.predict(x, verbose=0)
    w, b = model.parameters["block"]["linear"]["w"], model.parameters["block"]["linear"]["b"]
    np.testing.assert_allclose(outputs, (x @ w[0] + b[0]) @ w[1] + b[1], rtol=1e-5)
