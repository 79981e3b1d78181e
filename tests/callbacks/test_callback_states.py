"""A fit that is cut in two, its model's and its callbacks' states carried over, is the whole fit."""

import numpy as np
import optax
import pytest

import elegy
from elegy.callbacks import CallbackList, EarlyStopping, LambdaCallback, ReduceLROnPlateau


def fit(rows, callback, *, epochs, first=0, state=None, saved=None):
    """A fit that overshoots; returns the model, its logs, and by epoch what a checkpoint would hold."""
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer=optax.sgd(0.4, momentum=0.5))
    callbacks, held = CallbackList(callback), {}
    if state is not None:
        model.init(rows, rows[:, :1])
        model.state = state
    around = LambdaCallback(
        on_train_begin=lambda logs: callbacks.restore(saved or {}),
        on_epoch_end=lambda epoch, run: held.update({epoch: (run.state, callbacks.state())}),
    )
    data = (rows, rows[:, :1])
    history = model.fit(
        *data, batch_size=4, initial_epoch=first, epochs=epochs, callbacks=[callback, around], verbose=0
    )
    return model, history.history, held


def make_stopping():
    return EarlyStopping("loss", patience=4, min_delta=0.01, restore_best_weights=True)


def make_reducing():
    return ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=0.02, cooldown=1)


@pytest.mark.parametrize("make", [make_stopping, make_reducing])
@pytest.mark.parametrize("cut", [1, 4, 8])
def test_two_halves_are_a_whole(rows, make, cut):
    model, logs, held = fit(rows, make(), epochs=12)
    assert len(logs["loss"]) > cut
    state, saved = held[cut - 1]
    second = fit(rows, make(), epochs=12, first=cut, state=state, saved=saved)
    assert second[1] == {name: values[cut:] for name, values in logs.items()}
    np.testing.assert_array_equal(second[0].parameters["w"], model.parameters["w"])
    assert second[0].lr_scale == model.lr_scale


def test_the_fits_compared_do_what_they_are_compared_for(rows):
    model, logs, held = fit(rows, make_stopping(), epochs=12)
    last = len(logs["loss"]) - 1
    assert 8 < last < 11 and (np.asarray(model.parameters["w"]) != held[last][0].parameters["w"]).any()
    assert fit(rows, make_reducing(), epochs=12)[0].lr_scale < 0.5


def leaves(state):
    return [leaf for value in state.values() for leaf in (leaves(value) if isinstance(value, dict) else [value])]


def test_states_are_numbers_and_arrays_in_nested_dicts(rows):
    _, _, held = fit(rows, make_stopping(), epochs=2)
    state = held[1][1]["early_stopping"]
    assert list(state) == ["best", "best_epoch", "wait", "parameters", "states"]
    assert all(isinstance(leaf, (int, float)) or hasattr(leaf, "dtype") for leaf in leaves(state))
