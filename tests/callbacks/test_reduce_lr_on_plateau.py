"""Tests of `ReduceLROnPlateau`: the same decisions as Keras, on whatever optimizer."""

import types

import numpy as np
import optax
import pytest

import elegy
from elegy.callbacks import ReduceLROnPlateau


def scales(arguments, values, rate=0.5):
    """The effective learning rate after each epoch."""
    callback = ReduceLROnPlateau(**arguments)
    callback.set_model(types.SimpleNamespace(lr_scale=1.0, learning_rate=rate))
    callback.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"loss": value})
        seen.append(rate * callback.model.lr_scale)
    return seen


def keras_rates(arguments, values, rate=0.5):
    keras = pytest.importorskip("keras")
    callback = keras.callbacks.ReduceLROnPlateau(**arguments)
    callback.set_model(types.SimpleNamespace(optimizer=types.SimpleNamespace(learning_rate=rate)))
    callback.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"loss": value})
        seen.append(callback.model.optimizer.learning_rate)
    return seen


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("cooldown", [0, 1, 3])
@pytest.mark.parametrize("min_lr", [0.0, 0.05])
def test_decisions_equal_keras(mode, cooldown, min_lr):
    rng = np.random.RandomState(cooldown)
    for patience, min_delta, factor in [(0, 0, 0.5), (1, 0.125, 0.1), (2, -0.125, 0.3), (3, 1e-4, 0.5)]:
        values = [float(value) for value in rng.randint(0, 9, 20) / 8]  # exact, also in Keras' float32
        arguments = {
            "monitor": "loss", "mode": mode, "cooldown": cooldown, "patience": patience, "min_delta": min_delta,
            "factor": factor, "min_lr": min_lr,
        }  # fmt: skip
        np.testing.assert_allclose(scales(arguments, values), keras_rates(arguments, values), rtol=1e-6)


def test_nan_is_never_better():
    nan = float("nan")
    assert scales({"monitor": "loss", "mode": "min", "patience": 2, "factor": 0.5}, [nan, nan, 1.0]) == [
        0.5,
        0.25,
        0.25,
    ]


def fitted(rows, callback, optimizer, epochs=3):
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer=optimizer)
    history = model.fit(rows, rows[:, :1], epochs=epochs, callbacks=callback, verbose=0)
    return model, history.history


@pytest.mark.parametrize("optimizer", [optax.adamw(1e-3), optax.chain(optax.clip(1.0), optax.sgd(0.1)), "adam"])
def test_every_optimizer_is_slowed_down(rows, optimizer):
    model, history = fitted(rows, ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=9), optimizer)
    assert model.lr_scale == 0.25 and history["lr_scale"] == [1.0, 1.0, 0.5]


def test_the_least_rate_holds_for_the_product(rows, capsys):
    callback = ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=9, min_lr=0.25, verbose=1)
    model, history = fitted(rows, callback, 1.0, epochs=4)
    assert model.lr_scale * model.learning_rate == 0.25 and history["learning_rate"] == [1.0] * 4
    assert capsys.readouterr().out == "Epoch 2: the updates are multiplied by 0.25 from now on.\n"


def test_a_rate_of_zero_cannot_be_reduced():
    arguments = {"monitor": "loss", "mode": "min", "patience": 1, "min_lr": 0.1}
    assert scales(arguments, [1.0, 1.0, 1.0], rate=0.0) == [0.0, 0.0, 0.0]


def test_a_least_rate_for_a_hidden_one_is_an_error_before_the_first_step(rows):
    with pytest.raises(ValueError, match=r"`min_lr=0.1`\. The optimizer has no single.*inject_hyperparams"):
        fitted(rows, ReduceLROnPlateau("loss", min_lr=0.1), optax.sgd(0.1))


def test_a_fit_that_never_validated_is_a_warning(rows):
    with pytest.warns(UserWarning, match="ReduceLROnPlateau watches `val_loss`. No epoch was validated"):
        fitted(rows, ReduceLROnPlateau(), "sgd", epochs=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": 1.0}, "`factor=1.0`. The updates are multiplied by it"),
        ({"factor": 0}, "Give a number above 0 and below 1"),
        ({"min_lr": -0.1}, "`min_lr=-0.1`. It is a learning rate"),
        ({"patience": -1}, "`patience=-1`. It counts epochs"),
        ({"cooldown": 0.5}, "`cooldown=0.5`. It counts epochs"),
        ({"mode": "down"}, "`mode='down'`. The modes are"),
    ],
)
def test_arguments_out_of_range_are_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        ReduceLROnPlateau(**arguments)
