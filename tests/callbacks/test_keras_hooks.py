"""The hooks of all verbs are called as by Keras: the same ones, in the same order, with the same numbers."""

import functools

import numpy as np
import pytest

import elegy
from elegy.callbacks._hooks import HOOKS

KERAS_HOOKS = {hook: names for hook, names in HOOKS.items() if hook != "on_exception"}
X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")


def recorder(base):
    """A callback that notes each call: the hook, its number if it has one, and whether it has logs with a loss."""
    calls = []

    def noting(hook, names):
        def note(self, *given, **named):
            arguments = dict(zip(names, given, strict=False)) | named
            logs = arguments.pop("logs", None) or {}
            calls.append((hook, arguments, "loss" in logs or "val_loss" in logs))

        return note

    hooks = {hook: noting(hook, names) for hook, names in KERAS_HOOKS.items()}
    return type("Recorder", (base,), hooks)(), calls


@functools.cache
def keras_calls(verb):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    callback, calls = recorder(keras.callbacks.Callback)
    USES[verb](model, callback)
    return calls, callback.params


def our_calls(verb):
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd", run_eagerly=True)
    callback, calls = recorder(elegy.Callback)
    USES[verb](model, callback)
    return calls, callback.params


USES = {
    "fit": lambda model, callback: model.fit(
        X, Y, batch_size=3, initial_epoch=1, epochs=3, callbacks=[callback], verbose=0
    ),
    "fit with validation": lambda model, callback: model.fit(
        X, Y, batch_size=4, epochs=2, validation_data=(X, Y), validation_batch_size=8, callbacks=[callback], verbose=0
    ),
    "fit with validation now and then": lambda model, callback: model.fit(
        X, Y, batch_size=8, epochs=2, validation_data=(X, Y), validation_freq=2, callbacks=[callback], verbose=0
    ),
    "evaluate": lambda model, callback: model.evaluate(X, Y, batch_size=3, callbacks=[callback], verbose=0),
    "predict": lambda model, callback: model.predict(X, batch_size=3, callbacks=[callback], verbose=0),
}


@pytest.mark.parametrize("verb", USES)
def test_calls_and_numbers_are_those_of_keras(verb):
    ours, theirs = our_calls(verb)[0], keras_calls(verb)[0]
    assert [call[:2] for call in ours] == [call[:2] for call in theirs]
    assert [call[0] for call in ours if call[2]] == [call[0] for call in theirs if call[2]]


@pytest.mark.parametrize("verb", ["fit", "evaluate", "predict"])
def test_params_are_those_of_keras(verb):
    assert our_calls(verb)[1] == keras_calls(verb)[1]
