"""Equinox modules are trained as they are."""

import copy
import functools
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.interop import as_functional

KEY = jax.random.key(0)
X = np.random.RandomState(0).randn(12, 3).astype("float32")
Y = X.sum(-1, keepdims=True)


class Net(eqx.Module):
    """Two layers with a normalization and a dropout between them."""

    layers: list
    norm: eqx.nn.BatchNorm
    dropout: eqx.nn.Dropout
    order: jax.Array

    def __init__(self, rate=0.5, key=KEY):
        self.layers = [eqx.nn.Linear(3, 4, key=key), eqx.nn.Linear(4, 1, key=key)]
        self.norm = eqx.nn.BatchNorm(4, axis_name="batch", mode="batch", momentum=0.9)
        self.dropout = eqx.nn.Dropout(rate)
        self.order = jnp.arange(4)[::-1]

    def __call__(self, x, state, *, key=None):
        x, state = self.norm(self.layers[0](x)[self.order], state)
        return self.layers[1](self.dropout(jax.nn.relu(x), key=key)), state


def net(rate=0.5):
    return eqx.nn.make_with_state(Net)(rate)


def mlp():
    return eqx.nn.MLP(3, 1, 4, 1, key=KEY)


def model_of(module, loss="mse", optimizer=None, **options):
    options = {"batched": False, **options}
    return elegy.Model(module, loss=loss, optimizer=optimizer or optax.sgd(0.1), **options)


def fitted(module, epochs=2, **options):
    model = model_of(module, **options)
    model.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0)
    return model


@functools.cache
def trained():
    """A model that tests only look at."""
    return fitted(net())


def trained_by_equinox(module, state=None, epochs=2):
    """What a loop with Equinox alone makes of a module, and the loss of its last epoch."""
    optimizer = optax.sgd(0.1)
    slots = optimizer.init(eqx.filter(module, eqx.is_inexact_array))

    @eqx.filter_value_and_grad(has_aux=True)
    def loss(module, state, x, y):
        if state is None:
            return jnp.square(jax.vmap(module)(x) - y).mean(), None
        run = jax.vmap(module, in_axes=(0, None), out_axes=(0, None), axis_name="batch")
        outputs, state = run(x, state)
        return jnp.square(outputs - y).mean(), state

    losses = []
    for _ in range(epochs):
        for start in range(0, 12, 4):
            (value, state), gradients = loss(module, state, X[start : start + 4], Y[start : start + 4])
            updates, slots = optimizer.update(gradients, slots)
            module = eqx.apply_updates(module, updates)
            losses.append(value)
    return module, state, np.mean(losses[-3:])


def assert_same_arrays(a, b, rtol=1e-4):
    a, b = (jax.tree.leaves(eqx.filter(tree, eqx.is_array)) for tree in (a, b))
    for left, right in zip(a, b, strict=True):
        np.testing.assert_allclose(left, right, rtol=rtol, atol=1e-6)


# ---- training ----


def test_a_module_predicts_as_it_does_in_equinox():
    np.testing.assert_allclose(model_of(mlp()).predict(X, verbose=0), jax.vmap(mlp())(X), rtol=1e-5)


def test_a_module_is_trained_as_by_a_loop_of_equinox():
    model = fitted(mlp())
    module, _, loss = trained_by_equinox(mlp())
    assert type(model.module) is eqx.nn.MLP and model.module.in_size == 3
    assert_same_arrays(model.module, module)
    np.testing.assert_allclose(model.history.history["loss"][-1], loss, rtol=1e-4)


def test_a_module_with_state_is_trained_as_by_a_loop_of_equinox():
    model = fitted(net(rate=0.0))
    module, state, loss = trained_by_equinox(*net(rate=0.0))
    assert_same_arrays(model.module, (module, state))
    np.testing.assert_allclose(model.history.history["loss"][-1], loss, rtol=1e-4)


def test_evaluation_runs_in_inference_mode():
    model = trained()
    module, state = model.module
    assert module.dropout.inference is False
    outputs, _ = jax.vmap(eqx.nn.inference_mode(module), in_axes=(0, None))(X, state)
    np.testing.assert_allclose(model.predict(X, verbose=0), outputs, rtol=1e-5)
    assert_same_arrays(model.module, (module, state), rtol=0)


def test_paths_are_those_of_the_fields():
    module, state = net()
    functional = as_functional((module, state), batched=False)
    made = functional.init(KEY, X)
    assert set(made.parameters) == {"layers", "norm"}
    assert made.parameters["layers"]["1"]["weight"] is module.layers[1].weight
    assert set(made.states) == {"order", "norm"}
    np.testing.assert_array_equal(made.states["norm"]["batch_state_index"]["1"], np.ones(4))


def test_a_module_may_take_whole_batches():
    class Whole(eqx.Module):
        inner: eqx.nn.Linear

        def __call__(self, x, training):
            return jax.vmap(self.inner)(x) * (1 if training else 2)

    linear = eqx.nn.Linear(3, 1, key=KEY)
    model = model_of(Whole(linear), batched=True)
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * jax.vmap(linear)(X), rtol=1e-5)
    wrapped = model_of(eqx.filter_vmap(linear), batched=True)
    np.testing.assert_allclose(wrapped.predict(X, verbose=0), jax.vmap(linear)(X), rtol=1e-5)


def test_a_method_is_a_module():
    class Coder(eqx.Module):
        linear: eqx.nn.Linear

        def encode(self, x):
            return self.linear(x)

    coder = Coder(eqx.nn.Linear(3, 1, key=KEY))
    model = fitted(coder.encode, epochs=1)
    np.testing.assert_allclose(model.predict(X[:1], verbose=0)[0], model.module(X[0]), rtol=1e-5)
    assert (model.module.__self__.linear.weight != coder.linear.weight).all()
    module, state = net()
    method, _ = fitted((module.__call__, state), epochs=1).module
    assert (method.__self__.norm.bias != 0).any()


def test_nothing_is_traced_again_by_a_second_fit():
    traces = []

    class Counted(eqx.Module):
        w: jax.Array

        def __call__(self, x):
            traces.append(x.shape)
            return self.w @ x

    model = fitted(Counted(jnp.zeros((1, 3))))
    before = len(traces)
    assert model.module.w.shape == (1, 3)
    model.fit(X, Y, batch_size=4, verbose=0)
    assert len(traces) == before


# ---- randomness ----


class Drops(eqx.Module):
    dropout: eqx.nn.Dropout = eqx.nn.Dropout(0.5)

    def __call__(self, x, *, key=None):
        return self.dropout(x, key=key)


def test_dropout_has_keys_in_training_and_is_off_otherwise():
    functional = as_functional(Drops(), batched=False)
    x = jnp.ones((2, 500))
    outputs = functional.apply({}, {}, x, key=KEY, training=True).outputs
    assert 0.48 < np.mean(outputs == 2.0) < 0.52 and (outputs[0] != outputs[1]).any()
    np.testing.assert_array_equal(functional.apply({}, {}, x, key=KEY, training=False).outputs, x)


def test_two_fits_with_dropout_give_equal_bits():
    assert_same_arrays(fitted(net()).module, trained().module, rtol=0)


def test_a_key_without_a_default_is_given_always():
    class Noisy(eqx.Module):
        def __call__(self, x, key):
            return x + jax.random.normal(key, x.shape)

    model = model_of(Noisy())
    assert (model.predict(X, verbose=0) != X).all()
    np.testing.assert_array_equal(model.predict(X, verbose=0), model.predict(X, verbose=0))
    assert model.summary(X) is None


def test_flags_that_the_user_set_stay_in_training():
    off = eqx.nn.inference_mode(Drops())
    outputs = as_functional(off).apply({}, {}, X, key=KEY, training=True).outputs
    np.testing.assert_array_equal(outputs, X)


# ---- what a module is made of ----


def test_shared_weights_are_stored_once_and_stay_tied():
    class Tied(eqx.Module):
        shared: eqx.nn.Shared

        def __init__(self):
            layers = [eqx.nn.Linear(3, 3, use_bias=False, key=key) for key in jax.random.split(KEY)]
            self.shared = eqx.nn.Shared(layers, where=lambda pair: pair[1].weight, get=lambda pair: pair[0].weight)

        def __call__(self, x):
            first, second = self.shared()
            return second(first(x)).sum(keepdims=True)

    model = fitted(Tied(), epochs=1)
    assert jax.tree.map(jnp.shape, model.parameters) == {"shared": {"pytree": {"0": {"weight": (3, 3)}}}}
    assert_same_arrays(model.module, trained_by_equinox(Tied(), epochs=1)[0])


def test_the_same_layer_twice_is_two_layers_as_in_equinox():
    linear = eqx.nn.Linear(3, 3, key=KEY)
    module = eqx.nn.Sequential([linear, linear, eqx.nn.Lambda(lambda x: x.sum(keepdims=True))])
    model = fitted(module)
    weights = [model.parameters["layers"][name]["weight"] for name in "01"]
    assert (weights[0] != weights[1]).any()
    assert_same_arrays(model.module, trained_by_equinox(module)[0])


def test_a_sequence_of_stateful_layers_is_a_module():
    norm = eqx.nn.BatchNorm(3, axis_name="batch", mode="ema")
    pair = eqx.nn.make_with_state(eqx.nn.Sequential)([norm, eqx.nn.Linear(3, 1, key=KEY)])
    model = fitted(pair)
    assert_same_arrays(model.module, trained_by_equinox(*pair)[:2])
    assert set(model.states["layers"]["0"]) == {"ema_first_time_index", "ema_state_index"}


def test_only_inexact_arrays_are_trained():
    class Parts(eqx.Module):
        learned: jax.Array = eqx.field(converter=jnp.asarray)
        table: np.ndarray
        key: jax.Array
        scale: float

        def __call__(self, x):
            return jax.random.uniform(self.key) * self.scale * self.learned * x[:1] + self.table.sum()

    model = fitted(Parts(1.0, np.arange(3), KEY, 2.0))
    assert list(model.parameters) == ["learned"] and list(model.states) == ["table"]
    assert model.parameters["learned"] != 1 and not model.parameters["learned"].weak_type
    assert model.module.key is KEY and model.module.scale == 2.0


def test_an_array_behind_stop_gradient_keeps_its_value():
    class Scaled(eqx.Module):
        w: jax.Array
        scale: jax.Array

        def __call__(self, x):
            return jax.lax.stop_gradient(self.scale) * (self.w @ x)

    module = fitted(Scaled(jnp.ones((1, 3)), jnp.full(1, 2.0)), optimizer=optax.adam(0.1)).module
    assert module.scale == 2.0 and (module.w != 1).all()


# ---- parameters by path ----


def test_losses_may_ask_for_parameters_and_states():
    def penalty(parameters, states):
        return jnp.square(parameters["norm"]["weight"]).sum() + states["norm"]["batch_counter"]

    assert model_of(net(), loss=penalty).evaluate(X, verbose=0)["loss"] == 4.0


def test_an_optimizer_may_be_chosen_by_path():
    model = fitted(mlp(), optimizer={"layers/0/*": optax.sgd(0.0), "layers/1/*": optax.sgd(0.1)})
    assert_same_arrays(model.module.layers[0], mlp().layers[0], rtol=0)
    assert (model.module.layers[1].weight != mlp().layers[1].weight).any()


def test_frozen_layers_rest_and_keep_their_statistics():
    model = trained()
    functional = as_functional(model.module, batched=False)
    made = functional.init(KEY, X)
    patterns = ("norm", "dropout")
    frozen = functional.apply(made.parameters, made.states, X, key=KEY, training=True, frozen=patterns)
    np.testing.assert_allclose(frozen.outputs, model.predict(X, verbose=0), rtol=1e-5)
    assert_same_arrays(frozen.states, made.states, rtol=0)
    moved = functional.apply(made.parameters, made.states, X, key=KEY, training=True, frozen=("norm/bias",))
    assert moved.states["norm"]["batch_counter"] == made.states["norm"]["batch_counter"] + 1


def test_a_module_whose_own_parameters_are_frozen_is_told_that_it_does_not_train():
    class Told(eqx.Module):
        w: jax.Array
        inner: eqx.nn.Linear

        def __call__(self, x, training):
            return jnp.float32(training)

    functional = as_functional(Told(jnp.ones(1), eqx.nn.Linear(1, 1, key=KEY)))
    made = functional.init(KEY, X)
    for frozen, told in ((("inner",), 1), (("w",), 0)):
        assert functional.apply(made.parameters, {}, X, key=KEY, training=True, frozen=frozen).outputs == told


def test_weights_are_saved_and_loaded(tmp_path):
    model = trained()
    other = model_of(net())
    other.init(X, Y)
    other.load_weights(model.save_weights(tmp_path / "weights.safetensors"))
    assert_same_arrays(other.module, model.module, rtol=0)


def test_a_summary_has_no_outputs_inside(capsys):
    model_of(mlp()).summary(X)
    table = capsys.readouterr().out
    assert "f32[12,1]" in table and "layers/1" in table and "Total: 21" in table


# ---- ownership ----


def test_the_object_that_was_given_stays_as_it_was():
    module, state = net()
    before = jax.tree.map(np.asarray, eqx.filter((module, state), eqx.is_array))
    fitted((module, state))
    assert_same_arrays((module, state), before, rtol=0)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_trained_module_is_there_after_an_exception(error):
    class Ends(elegy.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise error

    model = model_of(mlp())
    with pytest.raises(error):
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[Ends()])
    assert_same_arrays(model.module, trained_by_equinox(mlp(), epochs=1)[0])


def test_training_goes_on_from_the_arrays_of_the_object():
    module = fitted(mlp(), epochs=1).module
    assert_same_arrays(fitted(module, epochs=1).module, trained_by_equinox(mlp(), epochs=2)[0])


def test_reset_goes_back_to_the_first_values():
    model = fitted(net())
    model.reset()
    assert_same_arrays(model.module, net(), rtol=0)
    model.init(X, Y)
    assert_same_arrays(model.module, net(), rtol=0)


def test_a_copy_of_a_model_has_a_module_of_its_own():
    other = copy.deepcopy(trained())
    assert_same_arrays(other.module, trained().module, rtol=0)
    other.fit(X, Y, batch_size=4, verbose=0)
    assert (other.module[0].layers[0].weight != trained().module[0].layers[0].weight).any()


def test_the_state_of_the_trained_module_may_be_used_up():
    for _ in range(2):
        module, state = trained().module
        state.set(module.norm.batch_counter, state.get(module.norm.batch_counter) + 1)


def test_importing_elegy_does_not_import_equinox():
    code = "import sys, elegy; sys.exit('equinox' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- errors ----


class Silent(eqx.Module):
    w: jax.Array

    def encode(self, x):
        return x


class Fixed(eqx.Module):
    inference: bool = eqx.field(static=True, default=False)

    def __call__(self, x):
        return x


class Slashed(eqx.Module):
    parts: dict

    def __call__(self, x):
        return x


def smaller_state():
    module, state = net()
    return module, state.substate(module.layers)


def larger_state():
    module, state = eqx.nn.make_with_state(eqx.nn.Sequential)([Net(), Net()])
    return module[0], state


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: eqx.nn.MLP, TypeError, r"The class `MLP`.*Write `MLP\(\.\.\.\)`"),
        (lambda: Net(), ValueError, r"`net` was given without its state.*make_with_state\(Net\)"),
        (lambda: net()[0], ValueError, r"`net` was given without its state"),
        (lambda: Silent(jnp.ones(1)), TypeError, r"`silent` was given.*It has no `__call__`.*give the method"),
        (lambda: (mlp(), net()[1]), ValueError, r"`mlp` was given with a state. Its call does not ask for `state`"),
        (lambda: smaller_state(), ValueError, r"lacks the entry 'Net.norm.batch_counter'"),
        (lambda: larger_state(), ValueError, r"with a state of 6 arrays. It keeps 3: norm/batch_counter, .*substate"),
        (lambda: net()[1], TypeError, r"was given State. Of Equinox it takes a module"),
        (lambda: (mlp(), mlp()), TypeError, r"was given MLP and MLP"),
        (lambda: (mlp(), net()[1], 1), TypeError, r"was given MLP and State and int"),
        (lambda: eqx.nn.Sequential([Fixed()]), ValueError, r"`sequential` was to be switched to inference.*static"),
        (lambda: Slashed({"a/b": X, "a": {"b": X}}), ValueError, r"two arrays at the path `parts/a/b`"),
        (lambda: jax.vmap(mlp()), TypeError, r"A function around `MLP`.*batched=False"),
        (lambda: jax.jit(Silent(jnp.ones(1)).encode), TypeError, r"A function around `Silent`"),
    ],
)
def test_what_is_no_module_is_an_error(make, error, match):
    with pytest.raises(error, match=match):
        elegy.Model(make())


class Keeps(eqx.Module):
    """Returns what a function makes of its state."""

    index: eqx.nn.StateIndex
    change: object = eqx.field(static=True)

    def __init__(self, change):
        self.index = eqx.nn.StateIndex(jnp.zeros(2))
        self.change = change

    def __call__(self, x, state):
        return self.change(x, state)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda x, state: x, TypeError, "with its state. It returned"),
        (lambda x, state: (state, x), TypeError, "It returned tuple instead of a pair"),
        (lambda x, state: (x, state.substate(())), ValueError, "with other entries"),
        (lambda x, state: (x, jax.tree.map(lambda leaf: leaf[:1], state)), ValueError, r"as f32\[1\]. It was f32\[2\]"),
        (lambda x, state: (x, jax.tree.map(jnp.int32, state)), ValueError, r"`index` as i32\[2\]. It was f32\[2\]"),
    ],
)
def test_a_state_keeps_its_structure(change, error, match):
    model = model_of(eqx.nn.make_with_state(Keeps)(change))
    with pytest.raises(error, match=match):
        model.predict(X, verbose=0)


def test_outputs_inside_cannot_be_had():
    model = model_of(mlp(), loss=lambda intermediates: 0.0)
    with pytest.raises(ValueError, match=r"The outputs inside module `mlp` were asked for.*Return what you need"):
        model.evaluate(X, verbose=0)


def test_a_batch_for_a_layer_of_samples_is_an_error_that_says_what_to_write():
    with pytest.raises(TypeError) as caught:
        model_of(mlp(), batched=True).predict(X, verbose=0)
    assert "`Model(..., batched=False)` maps them over the batch" in "".join(caught.value.__notes__)


def test_inputs_that_do_not_fit_the_call_are_an_error():
    with pytest.raises(elegy.InjectionError, match=r"module `mlp` was called with 2 inputs. It takes: x.") as caught:
        model_of(mlp(), batched=True).predict((X, X), verbose=0)
    assert "batched=False" not in "".join(getattr(caught.value, "__notes__", ()))
