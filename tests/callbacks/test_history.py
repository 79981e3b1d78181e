"""Tests of `History`: one list of floats per log."""

from elegy._logs import LazyLogs, Ratio
from elegy.callbacks import CallbackList, History


def recorded(*epochs):
    history = History()
    callbacks = CallbackList(history, params={"verbose": 0, "epochs": len(epochs), "steps": 4})
    callbacks.call("on_train_begin", logs={})
    for epoch, logs in enumerate(epochs):
        callbacks.call("on_epoch_end", epoch=epoch, logs=logs, run=None)
    return history


def test_values_are_python_floats_in_the_order_of_the_logs():
    history = recorded(LazyLogs({"loss": Ratio(1.0, 4.0), "accuracy": 0.5}), LazyLogs({"loss": 0.125, "accuracy": 1.0}))
    assert list(history.history.items()) == [("loss", [0.25, 0.125]), ("accuracy", [0.5, 1.0])]
    assert all(type(value) is float for values in history.history.values() for value in values)


def test_validation_logs_exist_only_for_validated_epochs():
    history = recorded({"loss": 3.0}, {"loss": 2.0, "val_loss": 4.0}, {"loss": 1.0})
    assert history.history == {"loss": [3.0, 2.0, 1.0], "val_loss": [4.0]}


def test_epochs_and_params_are_those_of_the_fit():
    history = recorded({"loss": 3.0}, {"loss": 2.0})
    assert history.epoch == [0, 1]
    assert history.params == {"verbose": 0, "epochs": 2, "steps": 4}
    assert history.interrupted is False


def test_a_second_fit_starts_an_empty_record():
    history = recorded({"loss": 3.0})
    CallbackList(history).call("on_train_begin", logs={})
    assert history.history == {} and history.epoch == []


def test_repr_shows_the_newest_values():
    history = recorded({"loss": 3.0}, {"loss": 0.123456})
    history.interrupted = True
    assert repr(history) == "History(epochs=2, loss=0.1235, interrupted=True)"


def test_repr_of_an_empty_history():
    assert repr(History()) == "History(epochs=0)"
