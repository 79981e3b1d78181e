"""Tests of `LearningRateScheduler`: the learning rate of each epoch."""

import jax.numpy as jnp
import optax
import pytest

import elegy
from elegy.callbacks import LearningRateScheduler


def rates(rows, schedule, optimizer=0.5, verbose=0):
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer=optimizer)
    callback = LearningRateScheduler(schedule, verbose)
    history = model.fit(rows, rows[:, :1], epochs=3, callbacks=callback, verbose=0)
    return history.history["learning_rate"]


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch: 0.5 / 2**epoch,
        lambda epoch, learning_rate: learning_rate / 2 if epoch else learning_rate,
        lambda *args: args[1] / 2 if args[0] else args[1],
        lambda epoch, *, factor=2.0: jnp.float32(0.5) / factor**epoch,
        optax.exponential_decay(0.5, 1, 0.5),
    ],
)
def test_a_schedule_sets_the_rate_of_each_epoch(rows, schedule):
    assert rates(rows, schedule) == [0.5, 0.25, 0.125]


def test_verbose_says_it(rows, capsys):
    rates(rows, lambda epoch: 1 + epoch, verbose=1)
    assert capsys.readouterr().out.splitlines()[1] == "Epoch 2: the learning rate is 2."


@pytest.mark.parametrize("schedule", [lambda epoch: 0.5, lambda epoch, learning_rate: 0.5])
def test_a_hidden_rate_is_an_error_that_says_what_to_write(rows, schedule):
    with pytest.raises(ValueError, match=r"The optimizer hides its own.*inject_hyperparams.*`model\.lr_scale`"):
        rates(rows, schedule, optax.sgd(0.1))


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (None, TypeError, "returned NoneType for epoch 0. A learning rate is one number"),
        (jnp.ones(2), TypeError, r"returned f32\[2\]"),
        (True, TypeError, "returned bool"),
        (float("nan"), ValueError, "returned nan for epoch 0"),
    ],
)
def test_what_is_no_rate_is_an_error(value, error, message):
    callback = LearningRateScheduler(lambda epoch: value)
    with pytest.raises(error, match=message):
        callback.on_epoch_begin(0)


def test_what_is_no_schedule_is_an_error():
    with pytest.raises(TypeError, match=r"got `schedule=0.1`. A schedule is a function of the epoch"):
        LearningRateScheduler(0.1)
