"""Tests of `TerminateOnNaN`: the fit ends at the first loss that is no number."""

import jax.numpy as jnp
import pytest

from elegy._logs import LazyLogs, Ratio
from elegy.callbacks import CallbackList, TerminateOnNaN


def after_step(loss, params=None):
    callbacks = CallbackList(TerminateOnNaN(), params=params)
    callbacks.call("on_train_begin", logs={})
    callbacks.call("on_epoch_begin", epoch=1, logs={})
    return callbacks, callbacks.call(
        "on_train_batch_end", batch=6, logs=LazyLogs({"loss": Ratio(jnp.float32(loss), 2.0)})
    )


@pytest.mark.parametrize("loss", ["nan", "inf", "-inf"])
def test_a_loss_that_is_no_number_stops_and_names_epoch_and_batch(loss):
    _, stop = after_step(float(loss))
    assert stop.reason == f"the loss is {loss} in epoch 2, batch 7 (counted from 1)"


def test_a_finite_loss_goes_on():
    assert after_step(3.0)[1] is None


def test_logs_without_a_loss_go_on():
    assert TerminateOnNaN().on_train_batch_end(0, {"accuracy": 1.0}) is None


def test_the_model_is_told_too():
    model = type("Model", (), {"stop_training": False})()
    callback = TerminateOnNaN()
    callback.set_model(model)
    callback.on_train_batch_end(0, {"loss": float("nan")})
    assert model.stop_training


@pytest.mark.parametrize(("verbose", "printed"), [(1, "The fit ended: the loss is nan in epoch 2"), (0, "")])
def test_the_reason_is_printed_unless_silent(capsys, verbose, printed):
    callbacks, _ = after_step(float("nan"), {"verbose": verbose})
    callbacks.call("on_train_end", logs={})
    assert capsys.readouterr().out.startswith(printed) and bool(printed) == bool(verbose)
