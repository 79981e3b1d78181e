"""Tests of `EarlyStopping`: the same decisions as Keras, a direction that is asked for, and the best epoch restored."""

import dataclasses
import os
import signal

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

import elegy
from elegy._logs import LazyLogs
from elegy.callbacks import CallbackList, EarlyStopping, LambdaCallback, Stop


@dataclasses.dataclass(frozen=True)
class State:
    parameters: float
    states: float
    optimizer: float
    ema: object = None


class Model:
    """What the callback needs of a model; its arrays count the epochs."""

    def __init__(self):
        self.stop_training = False
        self.state = State(-1.0, -1.0, -1.0)

    def better(self, name):
        return {"loss": "lower", "accuracy": "higher"}.get(name.removeprefix("val_"))

    def get_weights(self):
        return [np.float32(self.state.parameters)]

    def set_weights(self, weights):
        self.state = State(float(weights[0]), float(weights[0]), self.state.optimizer)


def run(callback, epochs, model=None):
    """Epochs with these logs, until it stops; returns the model and the last answer."""
    model = model or Model()
    callbacks, answer = CallbackList(callback, model=model), None
    callbacks.call("on_train_begin", logs={})
    for epoch, logs in enumerate(epochs):
        model.state = State(float(epoch), float(epoch), float(epoch))
        answer = callbacks.call("on_epoch_end", epoch=epoch, logs=LazyLogs(logs), run=None)
        if isinstance(answer, Stop):
            break
    callbacks.call("on_train_end", logs={})
    return model, answer


def losses(*values):
    return [{"loss": value} for value in values]


def test_it_stops_after_the_patience_and_says_why():
    callback = EarlyStopping("loss", patience=2)
    model, answer = run(callback, losses(3.0, 1.0, 2.0, 2.0, 0.0))
    assert answer == Stop("`loss` has not improved for 2 epochs; the best was 1 in epoch 2")
    assert (callback.stopped_epoch, callback.best, callback.best_epoch, callback.wait) == (3, 1.0, 1, 2)
    assert model.stop_training


def test_it_goes_on_while_it_gets_better():
    callback = EarlyStopping("loss")
    _, answer = run(callback, losses(3.0, 2.0, 1.0))
    assert answer is None and callback.stopped_epoch == 0


def keras_run(arguments, values):
    keras = pytest.importorskip("keras")
    callback, model = keras.callbacks.EarlyStopping(**arguments), Model()
    model.metrics = []
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.state = State(float(epoch), float(epoch), float(epoch))
        callback.on_epoch_end(epoch, {arguments["monitor"]: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return callback.stopped_epoch, callback.best, callback.best_epoch, callback.wait, model.state.parameters


@pytest.mark.parametrize("restore", [False, True])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("baseline", [None, 0.5])
@pytest.mark.parametrize("start_from_epoch", [0, 3])
def test_decisions_equal_keras(restore, mode, baseline, start_from_epoch):
    rng = np.random.RandomState(start_from_epoch)
    for patience, min_delta in [(0, 0), (1, 0.1), (2, -0.1), (3, 0)]:
        values = [float(v) for v in rng.rand(10).round(1)]
        arguments = {
            "monitor": "loss", "mode": mode, "baseline": baseline, "patience": patience, "min_delta": min_delta,
            "restore_best_weights": restore, "start_from_epoch": start_from_epoch,
        }  # fmt: skip
        callback = EarlyStopping(**arguments)
        model, _ = run(callback, losses(*values))
        ours = callback.stopped_epoch, callback.best, callback.best_epoch, callback.wait, model.state.parameters
        assert ours == keras_run(arguments, values)


@pytest.mark.parametrize(("monitor", "best"), [("loss", 1.0), ("accuracy", 3.0), ("val_accuracy", 3.0)])
def test_the_direction_is_asked_of_the_metric(monitor, best):
    callback = EarlyStopping(monitor, patience=9)
    run(callback, [{monitor: value} for value in (2.0, 1.0, 3.0)])
    assert callback.best == best


def test_a_log_without_a_direction_is_an_error_that_names_the_choices():
    with pytest.raises(
        ValueError, match=r'`perplexity` with `mode="auto"`.*Give `mode="min"` if lower is better, or `mode="max"`'
    ):
        run(EarlyStopping("perplexity"), [{"perplexity": 1.0}])


def test_a_given_mode_wins_over_the_metric():
    callback = EarlyStopping("accuracy", mode="min", patience=9)
    run(callback, [{"accuracy": 2.0}, {"accuracy": 1.0}])
    assert callback.best == 1.0


def test_a_missing_log_is_an_error_at_the_end_of_the_first_epoch():
    message = "watches `acuracy`, which this fit does not log. The logs are: loss, accuracy.*Did you mean `accuracy`"
    with pytest.raises(ValueError, match=message):
        run(EarlyStopping("acuracy"), [{"loss": 1.0, "accuracy": 0.5}])


def test_a_missing_validation_log_is_an_error_when_others_are_there():
    with pytest.raises(ValueError, match=r"The logs are: loss, val_loss.*Did you mean `val_loss`"):
        run(EarlyStopping("val_los"), [{"loss": 1.0, "val_loss": 0.5}])


def test_epochs_without_validation_are_skipped():
    callback = EarlyStopping("val_loss", patience=1)
    epochs = [{"loss": 1.0}, {"loss": 1.0, "val_loss": 2.0}, {"loss": 1.0}, {"loss": 1.0, "val_loss": 3.0}]
    run(callback, epochs)
    assert (callback.best_epoch, callback.stopped_epoch, callback.wait) == (1, 3, 1)


def test_a_fit_that_never_validated_is_a_warning():
    with pytest.warns(UserWarning, match="watches `val_loss`. No epoch was validated"):
        run(EarlyStopping(), losses(1.0, 2.0))


def test_the_best_epoch_is_restored_after_a_stop():
    model, _ = run(EarlyStopping("loss", patience=2, restore_best_weights=True), losses(3.0, 1.0, 2.0, 2.0))
    assert model.state == State(parameters=1.0, states=1.0, optimizer=3.0)


def test_the_best_epoch_is_restored_when_the_fit_ends_by_itself():
    model, answer = run(EarlyStopping("loss", patience=9, restore_best_weights=True), losses(3.0, 1.0, 2.0))
    assert answer is None and model.state == State(1.0, 1.0, 2.0)


def fit(rows, last):
    """A fit that gets worse after its second epoch, and by epoch its parameters; `last` runs at each epoch's end."""
    model = elegy.Model(elegy.nn.Linear(1, w_init=jnp.zeros), loss="mse", optimizer=optax.sgd(0.1))
    seen = []

    def note(epoch, logs, run):
        seen.append(np.asarray(run.state.parameters["w"]))
        logs["loss"] = [0.5, 0.25, 1.0, 2.0][epoch]

    callbacks = [
        LambdaCallback(on_epoch_end=note),
        EarlyStopping("loss", patience=9, restore_best_weights=True),
        LambdaCallback(on_epoch_end=last),
    ]
    model.fit(rows, rows[:, :1], epochs=4, callbacks=callbacks, verbose=0)
    return model, seen


def test_the_best_epoch_is_restored_after_ctrl_c(rows):
    model, seen = fit(rows, lambda epoch: os.kill(os.getpid(), signal.SIGINT) if epoch == 2 else None)
    assert len(seen) == 3 and model.history.interrupted
    np.testing.assert_array_equal(model.parameters["w"], seen[1])
    np.testing.assert_array_equal(model.module.w, seen[1])


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_the_best_epoch_is_restored_when_an_exception_ends_the_fit(rows, error):
    kept = {}

    def fail(epoch, run):
        kept[epoch], kept["model"] = np.asarray(run.state.parameters["w"]), run.model
        if epoch == 3:
            raise error

    with pytest.raises(error):
        fit(rows, fail)
    np.testing.assert_array_equal(kept["model"].parameters["w"], kept[1])
    assert (kept[1] != kept[3]).any() and int(kept["model"].state.step) == 4


def test_the_best_epoch_is_restored_when_a_launch_itself_fails(rows):
    kept = {}

    def use_up(epoch, run):
        kept[epoch], kept["model"] = np.asarray(run.state.parameters["w"]), run.model
        if epoch == 3:
            jax.tree.map(lambda leaf: leaf.delete(), run.private().parameters)  # as a donating launch that fails does
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(rows, use_up)
    np.testing.assert_array_equal(kept["model"].parameters["w"], kept[1])


def test_nothing_is_restored_unless_asked():
    assert run(EarlyStopping("loss", patience=1), losses(1.0, 2.0))[0].state == State(1.0, 1.0, 1.0)


def test_nan_is_never_the_best():
    callback = EarlyStopping("loss", patience=3, restore_best_weights=True)
    model, _ = run(callback, losses(float("nan"), 2.0, float("nan")))
    assert (callback.best, callback.wait, model.state.parameters) == (2.0, 1, 1.0)


def test_only_nan_stops_and_restores_nothing():
    model, answer = run(EarlyStopping("loss", patience=2, restore_best_weights=True), losses(*[float("nan")] * 5))
    assert answer == Stop("`loss` has not improved for 2 epochs; none was a number")
    assert model.state == State(1.0, 1.0, 1.0)


def test_an_instance_serves_a_second_fit():
    callback = EarlyStopping("loss", patience=1)
    run(callback, losses(1.0, 2.0))
    _, answer = run(callback, losses(5.0, 4.0, 3.0))
    assert (answer, callback.best, callback.stopped_epoch) == (None, 3.0, 0)


def test_a_subclass_that_drops_the_answer_still_stops():
    class Logged(EarlyStopping):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)

    model, _ = run(Logged("loss", patience=1), losses(1.0, 2.0))
    assert model.stop_training


@pytest.mark.parametrize("verbose", [0, 1])
def test_verbose_prints_what_happened(capsys, verbose):
    run(EarlyStopping("loss", patience=1, verbose=verbose, restore_best_weights=True), losses(1.0, 2.0))
    expected = "Epoch 2: early stopping\nRestoring the weights of the best epoch: 1.\n"
    assert capsys.readouterr().out == expected * verbose


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "maximum"}, "`mode='maximum'`. The modes are: auto, min, max.*Did you mean `max`"),
        ({"patience": -1}, "`patience=-1`. It counts epochs"),
        ({"patience": 1.5}, "`patience=1.5`"),
        ({"start_from_epoch": -2}, "`start_from_epoch=-2`"),
    ],
)
def test_arguments_out_of_range_are_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**arguments)


def test_a_metric_object_as_monitor_is_an_error():
    with pytest.raises(TypeError, match="It watches a log by its name"):
        EarlyStopping(monitor=len)
