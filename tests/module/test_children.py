"""Who a child is (M3), where it is made (M4), when it is shared (M5)."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.nn import Dropout, Linear


def paths(module, *inputs, **kwargs):
    parameters, _ = module.init(jax.random.key(0), *inputs, **kwargs)
    return {"/".join(k.key for k in path) for path, _ in jax.tree.leaves_with_path(parameters)}


def made_in_call(function):
    """A module whose call is `function(self, x, ...)`."""
    return type("Made", (elegy.Module,), {"call": function})()


def test_children_are_numbered_when_constructed(rows):
    module = made_in_call(lambda self, x: Linear(1)(Linear(5)(x)))
    module(rows)
    assert module.linear.w.shape == (5, 1) and module.linear_1.w.shape == (3, 5)


def test_a_child_may_have_a_name(rows):
    assert paths(made_in_call(lambda self, x: Linear(2, name="head")(x)), rows) == {"head/w", "head/b"}


def test_children_in_init_and_in_call_look_the_same(rows):
    class InInit(elegy.Module):
        def __init__(self):
            self.linear = Linear(2)

        def call(self, x):
            return self.linear(x)

    assert paths(InInit(), rows) == paths(made_in_call(lambda self, x: Linear(2)(x)), rows)


def test_lists_tuples_and_dicts_of_children_become_keys(rows):
    class Nest(elegy.Module):
        def __init__(self):
            self.layers = [Linear(3), (Linear(3),)]
            self.heads = {"a": Linear(1)}
            self._hidden = Linear(3)

        def call(self, x):
            return self.heads["a"](self.layers[1][0](self.layers[0](self._hidden(x))))

    assert {path.rpartition("/")[0] for path in paths(Nest(), rows)} == {"layers/0", "layers/1/0", "heads/a", "_hidden"}


def test_references_are_stable(rows):
    module = made_in_call(lambda self, x: Linear(2)(x))
    module(rows)
    first = module.linear
    module(rows)
    assert module.linear is first


def test_a_name_that_an_attribute_has_is_an_error(rows):
    class Taken(elegy.Module):
        def __init__(self):
            self.linear = 3

        def call(self, x):
            return Linear(2)(x)

    with pytest.raises(ValueError, match=r"called `linear`.*attribute or parameter of that name"):
        Taken()(rows)


def test_a_child_without_arrays_may_be_absent(rows):
    class Sometimes(elegy.Module):
        def call(self, x, training):
            if training:
                x = Dropout(0.5)(x)
            return Linear(1)(x)

    assert elegy.Model(Sometimes(), loss="mse", optimizer="sgd").fit(rows, rows[:, :1], verbose=0).epoch == [0]


def test_a_child_with_arrays_in_one_mode_only_needs_a_name(rows):
    def call(self, x, training):
        return Linear(1)(x) if training else x

    with pytest.raises(elegy.ModuleOrderError, match=r"`linear` in training only.*`name=`"):
        made_in_call(call)(rows)


def test_a_named_child_may_exist_in_one_mode_only(rows):
    def call(self, x, training):
        return Linear(1, name="auxiliary")(x) if training else x

    model = elegy.Model(made_in_call(call), loss=lambda y_pred: y_pred, optimizer="sgd")
    model.fit(rows, verbose=0)
    assert model.predict(rows, verbose=0).shape == (8, 3)


def test_leaving_out_a_child_is_an_order_error_that_names_both(rows):
    class Switch(elegy.Module):
        use = True

        def call(self, x):
            return Linear(3)(Linear(3)(x)) if self.use else Linear(3)(x)

    module = Switch()
    module(rows)
    module.use = False
    with pytest.raises(
        elegy.ModuleOrderError, match=r"did not make its child `linear_1`.*linear, linear_1; now: linear"
    ):
        module(rows)


def test_making_one_more_child_is_an_order_error(rows):
    class Switch(elegy.Module):
        more = False

        def call(self, x):
            return Linear(3)(Linear(3)(x)) if self.more else Linear(3)(x)

    module = Switch()
    module(rows)
    module.more = True
    with pytest.raises(elegy.ModuleOrderError, match=r"there was none of that name"):
        module(rows)


def test_other_constructor_arguments_are_an_error_naming_both_values(rows):
    class Sized(elegy.Module):
        size = 3

        def call(self, x):
            return Linear(self.size)(x)

    module = Sized()
    module(rows)
    module.size = 4
    with pytest.raises(ValueError, match=r"`linear` with argument 1 = 4. When it was initialized it was 3"):
        module(rows)


def test_initializers_made_anew_by_each_call_are_the_same(rows):
    module = made_in_call(lambda self, x: Linear(2, w_init=jax.nn.initializers.normal(0.1))(x))
    np.testing.assert_array_equal(module(rows), module(rows))


def test_an_array_computed_in_the_call_is_no_constructor_argument(rows):
    module = made_in_call(lambda self, x: Linear(2, b_init=x.mean())(x))
    with pytest.raises(ValueError, match=r"constructor takes fixed values"):
        module(rows)


def test_a_failed_initialization_leaves_nothing(rows):
    class Fails(elegy.Module):
        fail = True

        def call(self, x):
            x = Linear(2)(x)
            if self.fail:
                raise RuntimeError("later")
            return x

    module = Fails()
    with pytest.raises(RuntimeError, match=r"later"):
        module(rows)
    assert not module.initialized and module.parameters == {}
    module.fail = False
    assert module(rows).shape == (8, 2)


def test_super_init_may_be_left_out(rows):
    class Lazy(elegy.Module):
        def __init__(self, size):
            self.size = size

        def call(self, x):
            return x @ self.add_parameter("w", (3, self.size), initializer=jnp.ones)

    np.testing.assert_allclose(Lazy(2)(rows)[:, 0], rows.sum(1), rtol=1e-5)


def test_a_shared_module_is_counted_stored_and_updated_once(rows):
    class Shared(elegy.Module):
        def __init__(self):
            self.first = self.second = Linear(3)

        def call(self, x):
            return self.second(self.first(x))

    module = Shared()
    assert paths(module, rows) == {"first/w", "first/b"}
    model = elegy.Model(module, loss="mse", optimizer="sgd")
    model.fit(rows, rows, verbose=0)
    assert module.first.w is module.second.w


def test_weights_may_be_tied_by_attribute(rows):
    class Tied(elegy.Module):
        def __init__(self):
            self.encoder = Linear(3, with_bias=False)

        def call(self, x):
            return self.encoder(x) @ self.encoder.w.T

    module = Tied()
    parameters, states = module.init(jax.random.key(0), rows)
    gradient = jax.grad(lambda p: jnp.sum(module.apply(p, states, rows)[0]))(parameters)["encoder"]["w"]
    expected = jax.grad(lambda w: jnp.sum(rows @ w @ w.T))(parameters["encoder"]["w"])
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


def test_children_that_read_arrays_work_inside_raw_transforms(rows):
    class Checkpointed(elegy.Module):
        def __init__(self):
            self.linear = Linear(3)

        def call(self, x):
            x = jax.checkpoint(lambda x: self.linear(x))(x)
            return jax.lax.scan(lambda c, _: (self.linear(c), None), x, None, length=2)[0]

    model = elegy.Model(Checkpointed(), loss="mse", optimizer="sgd")
    model.fit(rows, rows, verbose=0)
    w, b = model.module.linear.w, model.module.linear.b
    np.testing.assert_allclose(model.predict(rows, verbose=0), ((rows @ w + b) @ w + b) @ w + b, rtol=1e-4)


@pytest.mark.parametrize("hook", ["state", "key"])
def test_writing_inside_a_raw_transform_is_an_error_that_names_the_lifted_form(rows, hook):
    class Leaks(elegy.Module):
        def call(self, x):
            n = self.add_parameter("n", initializer=0.0, trainable=False)

            def body(x):
                if hook == "key":
                    return x + jax.random.normal(elegy.next_rng_key())
                self.update_parameter("n", n + x.sum())
                return x

            return jax.checkpoint(body)(x)

    with pytest.raises(ValueError, match=r"inside a JAX transform.*elegy\.remat"):
        Leaks()(rows)


def test_an_integer_declared_trainable_is_an_error(rows):
    module = made_in_call(lambda self, x: x * self.add_parameter("n", initializer=1))
    with pytest.raises(ValueError, match=r"`n` as trainable with dtype int32"):
        module(rows)


def test_a_state_may_turn_from_integer_to_float_but_not_change_its_shape(rows):
    class Mean(elegy.Module):
        def call(self, x):
            mean = self.add_parameter("mean", initializer=0, trainable=False)
            self.update_parameter("mean", mean + x.mean())
            return x

    module = Mean()
    module(rows)
    assert module.mean.dtype == jnp.float32


def test_a_state_that_changes_its_shape_is_an_error(rows):
    def call(self, x):
        self.add_parameter("n", trainable=False)
        self.update_parameter("n", x)
        return x

    with pytest.raises(ValueError, match=r"A state keeps its shape"):
        made_in_call(call)(rows)


def test_a_copy_is_independent(rows):
    module = made_in_call(lambda self, x: Linear(2)(x))
    module(rows)
    other = copy.deepcopy(module)
    other.linear.w = jnp.zeros((3, 2))
    assert np.abs(module.linear.w).sum() > 0 and np.abs(other.linear.w).sum() == 0
