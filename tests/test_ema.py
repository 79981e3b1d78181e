"""Running averages of the parameters: what they are, who uses them, and where they go."""

import copy
import dataclasses
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.nn import Linear

X = np.linspace(-1, 1, 8, dtype="float32")[:, None]
FIT = {"batch_size": 2, "shuffle": False, "verbose": 0}
DECAY = 0.75


class Scale(elegy.Module):
    def call(self, x):
        return x * self.add_parameter("w", initializer=1.0)


class Two(elegy.Module):
    def call(self, x):
        return x * self.add_parameter("a", initializer=1.0) * self.add_parameter("b", initializer=2.0)


def half_square(y_pred):
    return jnp.square(y_pred[:, 0]) / 2


def scaled():
    return elegy.Model(Scale(), loss=half_square, optimizer=optax.sgd(0.5), ema=DECAY)


def by_hand(batches):
    """`w` after each step of SGD on the batches."""
    w, path = 1.0, []
    for batch in batches:
        w = w - 0.5 * float(np.mean(w * batch**2))
        path.append(w)
    return path


def average(path):
    return np.average(path, weights=DECAY ** np.arange(len(path))[::-1])


@pytest.mark.parametrize("execution", ["resident", "chunks", "single"])
def test_averages_are_the_debiased_ones_of_all_updates(execution):
    model = scaled()
    model.fit(X, epochs=2, execution=execution, **FIT)
    path = by_hand([*X.reshape(4, 2)] * 2)
    np.testing.assert_allclose(model.ema_parameters["w"], average(path), rtol=1e-5)
    np.testing.assert_allclose(model.parameters["w"], path[-1], rtol=1e-5)
    state = optax.ema(DECAY).init(jnp.float32(0))
    for w in path:
        corrected, state = optax.ema(DECAY).update(jnp.float32(w), state)
    np.testing.assert_allclose(model.ema_parameters["w"], corrected, rtol=1e-5)


def test_evaluation_and_prediction_use_the_averages_unless_told_not_to():
    model = scaled()
    model.fit(X, **FIT)
    w, mean = (float(tree["w"]) for tree in (model.parameters, model.ema_parameters))
    assert abs(w - mean) > 1e-3
    for options, factor in (({}, mean), ({"ema": True}, mean), ({"ema": False}, w)):
        np.testing.assert_allclose(model.predict(X, verbose=0, **options), factor * X, rtol=1e-6)
        loss = model.evaluate(X, verbose=0, **options)["loss"]
        np.testing.assert_allclose(loss, np.mean((factor * X) ** 2) / 2, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), mean * X, rtol=1e-6)
    np.testing.assert_allclose(model.test_on_batch(X)["loss"], np.mean((mean * X) ** 2) / 2, rtol=1e-5)


def test_validation_uses_the_averages():
    model = scaled()
    history = model.fit(X, validation_data=(X,), **FIT).history
    np.testing.assert_allclose(history["val_loss"], [model.evaluate(X, verbose=0)["loss"]], rtol=1e-6)


def test_a_frozen_parameter_is_its_own_average_and_starts_anew_when_it_learns():
    model = elegy.Model(Two(), loss=half_square, optimizer=optax.sgd(0.1), ema=DECAY)
    model.fit(X, **FIT)
    model.freeze("a")
    model.fit(X, **FIT)
    np.testing.assert_array_equal(model.ema_parameters["a"], model.parameters["a"])
    assert model.ema_parameters["b"] != model.parameters["b"]
    model.unfreeze()
    model.train_on_batch(X)
    np.testing.assert_allclose(model.ema_parameters["a"], model.parameters["a"], rtol=1e-6)
    assert model.state.ema["updates"].tolist() == [1, 9]


def test_only_what_the_optimizer_moved_is_averaged():
    class Half(elegy.Model):
        def train_step(self, state, batch):
            gradients = jax.tree.map(jnp.ones_like, state.parameters)
            return self.apply_gradients(state, gradients, only="a"), {"loss": 0.0}

    parts = {"a": optax.sgd(0.1), "b": optax.sgd(0.1)}
    model = Half(Two(), optimizer=parts, ema=DECAY)
    model.fit(X, **FIT)
    assert model.state.ema["updates"].tolist() == [4, 0]
    np.testing.assert_allclose(model.ema_parameters["a"], average([0.9, 0.8, 0.7, 0.6]), rtol=1e-6)
    np.testing.assert_array_equal(model.ema_parameters["b"], 2.0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_carry_the_averages_on(copied):
    model = elegy.Model(Scale(), loss=half_square, optimizer="sgd", ema=DECAY)
    model.fit(X, **FIT)
    other = copied(model)
    for one in (model, other):
        one.fit(X, **FIT)
    assert other.ema_parameters["w"] == model.ema_parameters["w"] != model.parameters["w"]
    assert other.state.ema["updates"].tolist() == [8]


def test_saved_weights_hold_both(tmp_path):
    model, other = scaled(), scaled()
    model.fit(X, **FIT)
    model.save_weights(tmp_path / "w.safetensors")
    other.init(X)
    other.load_weights(tmp_path / "w.safetensors")
    for one in (model, other):
        one.fit(X, **FIT)
    assert other.ema_parameters["w"] == model.ema_parameters["w"] and other.parameters["w"] == model.parameters["w"]


def test_a_file_with_averages_needs_a_model_with_averages(tmp_path):
    model = scaled()
    model.init(X)
    model.save_weights(tmp_path / "w.safetensors")
    plain = elegy.Model(Scale(), loss=half_square, optimizer="sgd")
    plain.init(X)
    with pytest.raises(ValueError, match="the model lacks `ema/parameters/w`"):
        plain.load_weights(tmp_path / "w.safetensors")


def test_values_that_the_user_sets_begin_a_new_average():
    model = elegy.Model(Linear(1), loss="mse", optimizer="sgd", ema=DECAY)
    model.fit(X, X, **FIT)
    model.module.w = np.array([[5.0]], "float32")
    np.testing.assert_allclose(model.predict(X, verbose=0), 5 * X + np.asarray(model.ema_parameters["b"]), rtol=1e-5)
    assert model.state.ema["updates"].tolist() == [4, 0]


def test_a_part_that_is_reset_begins_a_new_average():
    model = elegy.Model(Linear(1), loss="mse", optimizer="sgd", ema=DECAY)
    model.fit(X, X, **FIT)
    model.module.reset()
    model.predict(X, verbose=0)
    assert model.state.ema["updates"].tolist() == [0, 0]
    np.testing.assert_array_equal(model.ema_parameters["w"], model.parameters["w"])


def test_parameters_of_few_bits_are_averaged_in_float32():
    model = elegy.Model(Linear(1), loss="mse", optimizer=optax.sgd(0.1), ema=0.999)
    state = model.init(X, X)
    model.state = dataclasses.replace(
        state,
        parameters=jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), state.parameters),
    )
    model.fit(X, X, **FIT)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(model.state.ema["parameters"])} == {"float32"}
    assert {leaf.dtype.name for leaf in jax.tree.leaves(model.ema_parameters)} == {"bfloat16"}


def test_the_best_epoch_is_restored_with_its_averages():
    kept = []
    stop = elegy.callbacks.EarlyStopping("val_loss", mode="max", patience=2, restore_best_weights=True)
    note = elegy.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.ema_parameters["w"]))
    model = scaled()
    model.fit(X, validation_data=(X,), epochs=9, callbacks=[note, stop], **FIT)
    assert len(kept) == 3 and model.ema_parameters["w"] == kept[0] != kept[-1]


def test_a_skipped_step_has_no_part_in_the_averages():
    model = scaled()
    model.fit(np.where(np.arange(8)[:, None] == 5, np.float32("nan"), X), nonfinite="skip", **FIT)
    path = by_hand(np.delete(X.reshape(4, 2), 2, 0))
    np.testing.assert_allclose(model.ema_parameters["w"], average(path), rtol=1e-5)


def test_evaluating_and_predicting_compile_once_for_both():
    traces = []

    def counted(x):
        traces.append(None)
        return x * elegy.add_parameter("w", initializer=1.0)

    model = elegy.Model(counted, loss=half_square, optimizer="sgd", ema=DECAY)
    model.fit(X, **FIT)
    model.predict(X, verbose=0)
    before = len(traces)
    model.predict(X, verbose=0, ema=False)
    assert len(traces) == before


def test_a_model_without_averages_says_so():
    model = elegy.Model(Scale(), loss=half_square, optimizer="sgd")
    model.fit(X, **FIT)
    assert model.ema_parameters is None
    assert model.evaluate(X, verbose=0, ema=False) == model.evaluate(X, verbose=0)
    with pytest.raises(ValueError, match="keeps no averages"):
        model.predict(X, verbose=0, ema=True)


@pytest.mark.parametrize("decay", [0, 1, 1.5, True, "0.9"])
def test_a_decay_is_between_0_and_1(decay):
    with pytest.raises(ValueError, match="between 0 and 1"):
        elegy.Model(Scale(), ema=decay)


def test_own_steps_that_apply_no_gradients_cannot_be_averaged():
    class Own(elegy.Model):
        def train_step(self, state, batch):
            return state, {"loss": 0.0}

    with pytest.raises(ValueError, match="does not call `apply_gradients`"):
        Own(Scale(), optimizer="sgd", ema=DECAY).fit(X, **FIT)
