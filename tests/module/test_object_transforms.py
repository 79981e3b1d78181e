"""`elegy.jit`, `elegy.grad` and `elegy.value_and_grad` of modules as objects."""

import logging
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.module import Module
from elegy.module._overlay import running_overlay
from elegy.module._scope import running_scope
from elegy.nn import BatchNormalization, Dropout, Linear


class Counting(Module):
    """Counts calls as a state and traces as an attribute of the class."""

    traces = 0

    def call(self, x, training):
        type(self).traces += 1
        n = self.add_parameter("n", initializer=0, trainable=False)
        if training:
            self.update_parameter("n", n + 1)
        return x * self.add_parameter("w", initializer=2.0)


class Counted(Counting):
    """With a count of traces of its own."""


def concrete(*modules):
    """Whether modules hold arrays that are none of a transform."""
    leaves = jax.tree.leaves([module.get_parameters() for module in modules])
    return bool(leaves) and not any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)


def test_a_jitted_module_keeps_its_states_and_is_traced_once_for_each_shape_and_flag(rows):
    module = Counting()
    fast = elegy.jit(module)
    np.testing.assert_allclose(fast(rows), 2 * rows)
    Counting.traces = 0
    for _ in range(2):
        fast(rows), fast(rows[:2]), fast(rows, training=False), fast(rows, False)
    assert int(module.n) == 5 and Counting.traces <= 3
    assert concrete(module)


def test_a_jitted_module_sees_parameters_that_were_set_outside(rows):
    module = Counting()
    fast = elegy.jit(module)
    fast(rows)
    module.w = jnp.float32(5)
    np.testing.assert_allclose(fast(x=rows), 5 * rows)


def test_jitting_changes_no_number(rows):
    class Network(Module):
        def call(self, x):
            return Dropout(0.5)(BatchNormalization()(Linear(4)(x)))

    plain, jitted = Network(), Network()
    fast = elegy.jit(jitted)
    for _ in range(3):
        np.testing.assert_allclose(plain(rows), fast(rows), atol=1e-5)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), plain.get_parameters(), jitted.get_parameters()
    )


def test_a_running_seed_gives_a_jitted_module_the_numbers_of_a_plain_one(rows):
    def outputs(transform, seed):
        module = Dropout(0.5)
        run = transform(module)
        with elegy.RNG(seed) as rng:
            return [run(rows) for _ in range(2)], rng.count

    (plain, count), (jitted, count_jitted) = outputs(lambda m: m, 3), outputs(elegy.jit, 3)
    np.testing.assert_array_equal(plain, jitted)
    assert count == count_jitted == 2
    assert not np.array_equal(plain[0], plain[1])


def test_another_seed_needs_no_new_trace(rows):
    class Noise(Dropout):
        traces = 0

        def call(self, x):
            Noise.traces += 1
            return super().call(x)

    fast, outputs = elegy.jit(Noise(0.5)), []
    for seed in (1, 2, 2):
        with elegy.RNG(seed):
            outputs.append(fast(rows))
    assert not np.array_equal(outputs[0], outputs[1]) and np.array_equal(outputs[1], outputs[2])
    traces, _ = Noise.traces, fast(rows)
    assert Noise.traces == traces + 1  # without a seed there is nothing to pass


def test_the_low_level_loop_of_modules_trains(rows):
    linear, target = Linear(1), rows @ np.array([[1.0], [-2.0], [3.0]], "float32")

    def loss(x, y):
        return jnp.square(linear(x) - y).mean()

    def update(x, y):
        value, gradients = elegy.value_and_grad(loss, modules=linear)(x, y)
        linear.set_parameters(jax.tree.map(lambda p, g: p - 0.3 * g, linear.parameters, gradients))
        return value

    fast = elegy.jit(update, modules=linear)
    values = [float(fast(rows, target)) for _ in range(30)]
    assert values[-1] < 0.05 * values[0] and concrete(linear)
    w, b = linear.w, linear.b
    expected = jax.grad(lambda w: jnp.square(rows @ w + b - target).mean())(w)
    np.testing.assert_allclose(elegy.grad(loss, linear)(rows, target)["w"], expected, rtol=1e-4, atol=1e-5)


def test_gradients_have_the_form_of_the_modules(rows):
    a, b = Linear(2), Linear(1)

    def loss(x):
        return b(a(x)).sum(), "aux"

    for given in ([a, b], (a, b), {"a": a, "b": b}):
        (_, aux), gradients = elegy.value_and_grad(loss, given)(rows)
        assert type(gradients) is type(given) and aux == "aux"
        first, second = gradients.values() if isinstance(given, dict) else gradients
        assert (first["w"].shape, second["w"].shape) == ((3, 2), (2, 1))
    np.testing.assert_allclose(second["b"], [8.0])
    np.testing.assert_allclose(first["w"], np.outer(rows.sum(0), b.w[:, 0]), rtol=1e-4)


def test_gradients_by_some_parameters_leave_the_others_alone(rows):
    class Network(Module):
        def call(self, x):
            return Linear(1, name="head")(Linear(2, name="encoder")(x)).sum()

    network = Network()
    gradients = elegy.grad(network, only="encoder/*")(rows)
    assert list(gradients) == ["encoder"] and list(gradients["encoder"]) == ["w", "b"]
    with pytest.raises(ValueError, match=r"only='encoders'.*encoder/w.*Did you mean `encoder/w`"):
        elegy.grad(network, only=["head", "encoders"])(rows)


def test_states_of_the_forward_pass_are_kept_and_a_shared_module_counts_once(rows):
    normalize, other = BatchNormalization(), Linear(3)

    class Both(Module):
        def __init__(self):
            self.a, self.b = normalize, other

        def call(self, x):
            return self.b(self.a(x))

    both = Both()
    gradients = elegy.grad(lambda x: both(x).sum(), [both, normalize])(rows)
    np.testing.assert_allclose(normalize.mean_ema.average, rows.mean(0), rtol=1e-5)
    assert list(gradients[0]) == ["a", "b"] and gradients[1] == {} and concrete(both)


def test_what_is_frozen_gets_no_gradient_and_freezing_counts_in_a_compiled_function(rows):
    class Network(Module):
        def __init__(self):
            self.encoder, self.head = Counted(), Linear(1)

        def call(self, x):
            return self.head(self.encoder(x)).sum()

    network = Network()
    fast = elegy.jit(elegy.value_and_grad(network), modules=network)
    assert list(fast(rows)[1]) == ["encoder", "head"] and int(network.encoder.n) == 1
    network.encoder.trainable = False
    assert list(fast(rows)[1]) == ["head"] and int(network.encoder.n) == 1
    Counted.traces, network.encoder.trainable = 0, True
    assert list(fast(rows)[1]) == ["encoder", "head"] and Counted.traces == 0
    network.trainable = False
    with pytest.raises(ValueError, match="no parameters that learn: they are frozen or"):
        elegy.grad(network)(rows)


def test_the_auxiliary_convention_of_jax_is_kept(rows):
    linear = Linear(1)
    gradients, aux = elegy.grad(lambda x: (linear(x).sum(), x), linear, has_aux=True)(rows)
    np.testing.assert_array_equal(aux, rows)
    assert list(gradients) == ["w", "b"]
    with pytest.raises(ValueError, match=r"`elegy\.grad` was given `lambda`, which returned a tuple"):
        elegy.grad(lambda x: (linear(x).sum(), x), linear)(rows)
    with pytest.raises(ValueError, match=r"`has_aux=True`, and that returned a f32\[\]"):
        elegy.value_and_grad(lambda x: linear(x).sum(), linear, has_aux=True)(rows)
    with pytest.raises(TypeError, match="scalar"):
        elegy.grad(linear)(rows)


def test_hook_values_leave_a_jitted_function(rows):
    class Active(Module):
        def call(self, x):
            elegy.add_loss("activity", x)
            elegy.add_metric("mean", x)
            elegy.add_summary("x", x)
            return x.sum() * self.add_parameter("w", initializer=1.0)

    module = Active()
    fast = elegy.jit(lambda x: elegy.value_and_grad(module)(x)[0], modules=module)
    fast(rows)
    for _ in range(2):
        with elegy.hooks_context() as hooks:
            fast(rows), fast(rows)
        np.testing.assert_allclose(hooks.losses["activity_loss"], 2 * rows.mean(), rtol=1e-5)
        assert list(hooks.metrics) == ["mean"] and hooks.summaries["x"].shape == (8, 3)


def test_a_changed_attribute_counts_in_the_next_call_and_is_said(rows, caplog):
    dropout = Dropout(0.5)
    fast = elegy.jit(dropout)
    fast(rows)
    dropout.rate = 0.0
    with caplog.at_level(logging.WARNING, "elegy"):
        np.testing.assert_array_equal(fast(rows), rows)
    assert "rate` changed from 0.5 to 0.0 since `dropout` was compiled" in caplog.text
    dropout.rate = 0.5
    assert not np.array_equal(fast(rows), rows)


def test_what_a_call_itself_changes_is_no_change(rows, caplog):
    class Remembers(Counted):
        def call(self, x, training):
            self.times = getattr(self, "times", 0) + 1
            return super().call(x, training)

    fast = elegy.jit(Remembers())
    fast(rows), fast(rows[:2])
    Remembers.traces = 0
    fast(rows), fast(rows[:2])
    assert Remembers.traces == 0 and not caplog.text


def test_options_of_jax_count_the_users_own_arguments(rows):
    module = Counting()
    by_number = elegy.jit(lambda x, n: module(x) * (n if n > 1 else 0), modules=module, static_argnums=1)
    np.testing.assert_allclose(by_number(rows, 3), 6 * rows)
    np.testing.assert_allclose(by_number(rows, n=3), 6 * rows)
    by_name = elegy.jit(lambda x, n: module(x) * (n if n > 1 else 0), modules=module, static_argnames="n")
    np.testing.assert_allclose(by_name(rows, 3), 6 * rows)
    from_behind = elegy.jit(lambda x, n: module(x) * (n if n > 1 else 0), modules=module, static_argnums=(-1,))
    np.testing.assert_allclose(from_behind(rows, 3), 6 * rows)
    given = jnp.ones(3)
    elegy.jit(module, donate_argnums=0, static_argnums=None)(given)
    assert given.is_deleted() and concrete(module)


def test_transforms_nest(rows):
    module = Counting()
    inner = elegy.jit(module)
    outer = elegy.jit(lambda x: inner(inner(x)), modules=module)
    np.testing.assert_allclose(outer(rows), 4 * rows)
    np.testing.assert_allclose(outer(rows), 4 * rows)
    assert int(module.n) == 4
    gradient = elegy.grad(lambda x: elegy.grad(lambda x: inner(x).sum() ** 2, module)(x)["w"], module)(rows)
    np.testing.assert_allclose(gradient["w"], 2 * rows.sum() ** 2, rtol=1e-4)


def test_a_transformed_scan_is_a_module_too(rows):
    layers = elegy.scan(Linear(3), length=2)
    value, gradients = elegy.value_and_grad(lambda x: layers(x).sum(), layers)(rows)
    assert gradients["w"].shape == (2, 3, 3) and value.shape == ()
    np.testing.assert_allclose(elegy.jit(layers)(rows), layers(rows), rtol=1e-5)
    alone = elegy.remat(lambda x: Linear(1)(x).sum())
    assert elegy.grad(alone)(rows)["linear"]["w"].shape == (3, 1)


def test_gradients_by_inputs_work_inside_a_jitted_function(rows):
    linear = Linear(1)
    slopes = elegy.jit(lambda x: jax.vmap(jax.grad(lambda row: linear(row)[0]))(x), modules=linear)(rows)
    np.testing.assert_allclose(slopes, np.tile(linear.w[:, 0], (8, 1)), rtol=1e-5)


def test_what_jax_remembers_of_a_raw_transform_never_becomes_a_constant(rows):
    linear = Linear(1)
    wrapped = jax.checkpoint(linear)
    loss = lambda x: wrapped(x).sum()  # noqa: E731 (one function, that JAX may remember)
    plain = loss(rows)
    for _ in range(2):
        np.testing.assert_allclose(elegy.grad(loss, linear)(rows)["w"][:, 0], rows.sum(0), rtol=1e-5)
    fast = elegy.jit(lambda x: [elegy.grad(loss, linear)(x)["w"] for _ in range(2)], modules=linear)
    np.testing.assert_allclose(fast(rows)[1][:, 0], rows.sum(0), rtol=1e-5)
    np.testing.assert_allclose(loss(rows), plain, rtol=1e-6)


def test_a_teacher_outside_of_the_modules_is_a_constant_of_the_gradient_and_an_error_when_compiled(rows):
    student, teacher = Linear(1), Linear(1, w_init=jnp.ones)

    def loss(x):
        return jnp.square(student(x) - teacher(x)).mean()

    assert list(elegy.grad(loss, student)(rows)) == ["w", "b"] and concrete(student, teacher)
    with pytest.raises(ValueError, match=r"`linear` is called in a function that `elegy\.jit` was given.*`modules=`"):
        elegy.jit(loss, modules=student)(rows)
    assert float(elegy.jit(loss, modules=[student, teacher])(rows)) > 0


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: elegy.jit(jnp.tanh), ValueError, r"`elegy\.jit\(tanh, modules=\.\.\.\)`.*`jax\.jit`"),
        (lambda: elegy.grad(jnp.sum, []), ValueError, r"`elegy\.grad` was given `sum` without modules"),
        (lambda: elegy.jit(jnp.tanh, [3]), TypeError, "given a int among its `modules`"),
        (lambda: elegy.jit(Linear(1), in_shardings=None), ValueError, "given `in_shardings`"),
        (lambda: elegy.grad(lambda: 0.0, Linear(1))(), ValueError, "no parameters that learn"),
    ],
)
def test_transforms_without_what_they_need_are_errors(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_gradients_by_parameters_inside_a_call_are_an_error(rows):
    inner = Linear(1)

    class Outer(Module):
        def call(self, x):
            return elegy.grad(lambda x: inner(x).sum(), inner)(x)

    with pytest.raises(ValueError, match=r"`elegy\.grad` of `lambda` was called inside the call of a module"):
        Outer()(rows)


def test_an_exception_inside_leaves_the_objects_as_they_were(rows):
    module, fresh = Counting(), Counting()
    module(rows)

    def fails(x):
        module(x), fresh(x)
        module.set_parameters({"w": x.sum()})
        raise RuntimeError("inside")

    for transformed in (elegy.jit(fails, [module, fresh]), elegy.grad(fails, [module, fresh])):
        with pytest.raises(RuntimeError, match="inside"):
            transformed(rows)
        assert running_overlay() is None and running_scope() is None
    assert concrete(module) and (int(module.n), float(module.w)) == (1, 2.0)
    assert not fresh.initialized
    np.testing.assert_allclose(elegy.jit(fresh)(rows), 2 * rows)


def test_another_thread_never_sees_the_arrays_of_a_trace(rows):
    module, seen = Counting(), []
    module(rows)

    def look():
        seen.append(concrete(module))

    def function(x):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return module(x)

    elegy.jit(function, modules=module)(rows)
    assert seen == [True]


def test_a_generator_leaves_no_scope_behind(rows):
    module = Counting()

    def steps():
        for _ in range(2):
            yield module(rows)

    generator = steps()
    np.testing.assert_allclose(elegy.jit(lambda x: next(generator), modules=module)(rows), 2 * rows)
    assert running_overlay() is None and concrete(module)


def test_a_module_that_is_first_called_inside_a_raw_transform_gets_concrete_arrays(rows):
    linear = Linear(2)
    assert jax.jit(linear)(rows).shape == (8, 2)
    assert concrete(linear)


@pytest.mark.parametrize("transform", [jax.jit, lambda f: jax.grad(lambda x: f(x).sum())])
def test_a_state_under_a_raw_transform_is_an_error_that_names_the_lifted_forms(rows, transform):
    with pytest.raises(ValueError, match=r"updates `mean_ema/average`.*`elegy\.jit`, `elegy\.grad`"):
        transform(BatchNormalization())(rows)


def test_a_transformed_module_is_as_careful_under_a_raw_transform_as_a_plain_one(rows):
    normalize, dropout = BatchNormalization(), Dropout(0.5)
    loss = elegy.value_and_grad(lambda x: normalize(x).sum(), normalize)
    for raw in (jax.jit(elegy.jit(normalize)), jax.vmap(elegy.jit(normalize)), jax.jit(loss)):
        with pytest.raises(ValueError, match=r"updates `.*leak out of it\. Use `elegy\.jit`"):
            raw(rows[None])
    with pytest.raises(ValueError, match="each run would get the same one"):
        jax.jit(elegy.jit(dropout))(rows)
    linear = Linear(1)
    slope = jax.grad(lambda x: elegy.jit(linear)(x).sum())(jnp.array(rows))
    np.testing.assert_allclose(slope, np.tile(linear.w[:, 0], (8, 1)), rtol=1e-5)
    assert concrete(normalize, linear)


def test_hook_values_of_a_gradient_under_a_raw_transform_are_an_error(rows):
    class Active(Module):
        def call(self, x):
            elegy.add_loss("activity", x)
            return x.sum() * self.add_parameter("w", initializer=1.0)

    with elegy.hooks_context(), pytest.raises(ValueError, match=r"`elegy\.grad` adds `activity_loss` inside a JAX"):
        jax.jit(elegy.grad(Active()))(rows)


def test_a_module_that_was_reset_begins_anew(rows):
    module = Counting()
    fast = elegy.jit(module)
    fast(rows)
    module.reset()
    fast(rows)
    assert int(module.n) == 1


def test_random_numbers_that_each_run_would_repeat_are_an_error(rows):
    dropout = Dropout(0.5)
    with pytest.raises(ValueError, match=r"random key.*called by itself inside a JAX transform.*`elegy\.jit`"):
        jax.jit(dropout)(rows)
    with pytest.raises(ValueError, match="each run would get the same one"):
        elegy.jit(lambda x: jax.lax.map(dropout, x), modules=dropout)(rows)
    rng = elegy.RNG(0)

    def seeded(x):
        with rng:
            return dropout(x)

    with pytest.raises(ValueError, match=r"`RNG` was entered inside a JAX transform.*Enter it around"):
        elegy.jit(seeded, modules=dropout)(rows)


def test_a_traced_value_cannot_be_put_onto_an_object(rows):
    linear = Linear(3)
    linear(rows)
    with pytest.raises(ValueError, match=r"`b` was set inside a JAX transform.*Use `elegy\.jit`"):
        jax.jit(lambda b: linear.set_parameters({"b": b}))(rows[0])
    assert concrete(linear)


def test_pure_functions_of_a_module_go_through_every_transform(rows):
    class Network(Module):
        def call(self, x):
            return Dropout(0.5)(Linear(2)(x))

    network, keys = Network(), jax.random.split(jax.random.key(0), 3)
    parameters, _ = jax.vmap(lambda key: network.init(key, rows))(keys)
    outputs, _ = jax.jit(jax.vmap(lambda p, key: network.apply(p, {}, rows, key=key, training=True)))(parameters, keys)
    assert outputs.shape == (3, 8, 2) and not np.array_equal(outputs[0] == 0, outputs[1] == 0)
    one = jax.tree.map(lambda leaf: leaf[0], parameters)
    expected = network.apply(one, {}, rows)[0].sum(0)
    checkpointed = jax.checkpoint(lambda p: network.apply(p, {}, rows)[0].sum())
    gradient = jax.grad(checkpointed)(one)["linear"]["b"]
    total, _ = jax.lax.scan(lambda sums, x: (sums + network.apply(one, {}, x)[0], None), jnp.zeros(2), jnp.array(rows))
    np.testing.assert_allclose(total, expected, rtol=1e-4)
    np.testing.assert_allclose(gradient, [8.0, 8.0])
    assert not network.initialized
