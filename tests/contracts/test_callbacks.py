"""What every callback keeps: the fit learns the same bits with it, compiles nothing more, and it serves again."""

import functools
import http.server
import pickle
import threading

import jax
import numpy as np
import pytest

import elegy
from elegy import callbacks

from .table import Counted, Row, close, contract

X = np.linspace(-1, 1, 12, dtype="float32").reshape(6, 2)
Y = X[:, :1] - X[:, 1:]


class Own(callbacks.Callback):
    def on_epoch_end(self, epoch, logs):
        return {"twice": 2 * logs["loss"]}


class Stopping(callbacks.Callback):
    def on_train_begin(self, logs=None):
        return elegy.Stop("nothing to learn") if self.params["epochs"] > 5 else None


def twice(epoch, logs):
    return {"twice": 2 * logs["loss"]}


def slope(gradients):
    return {"slope": jax.numpy.abs(gradients["w"]).max()}


def constant(epoch, rate):
    return rate


@functools.cache
def server():
    """Where something listens, to the end of the process; it answers whatever it is told."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args): ...

    listening = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{listening.server_port}"


# `make(folder)` makes a callback that ends no fit of two epochs and changes no weights; it may write into the folder.
ROWS = {
    "elegy.callbacks.Callback": Row(lambda folder: Own()),
    "elegy.callbacks.Stop": Row(lambda folder: Stopping()),
    "elegy.callbacks.CallbackList": Row(lambda folder: callbacks.CallbackList(Own()).callbacks[0]),
    "elegy.callbacks.EarlyStopping": Row(lambda folder: callbacks.EarlyStopping("val_loss", patience=9)),
    "elegy.callbacks.History": Row(lambda folder: callbacks.History()),
    "elegy.callbacks.LambdaCallback": Row(lambda folder: callbacks.LambdaCallback(on_epoch_end=twice)),
    "elegy.callbacks.ProgressBar, elegy.callbacks.resolve_verbose": Row(
        lambda folder: callbacks.ProgressBar(callbacks.resolve_verbose(2))
    ),
    "elegy.callbacks.TerminateOnNaN": Row(lambda folder: callbacks.TerminateOnNaN()),
    "elegy.callbacks.CSVLogger": Row(lambda folder: callbacks.CSVLogger(folder / "log.csv")),
    "elegy.callbacks.JSONLinesLogger": Row(lambda folder: callbacks.JSONLinesLogger(folder / "log.jsonl")),
    "elegy.callbacks.LearningRateScheduler": Row(lambda folder: callbacks.LearningRateScheduler(constant)),
    "elegy.callbacks.ModelCheckpoint": Row(lambda folder: callbacks.ModelCheckpoint(folder / "best.safetensors")),
    "elegy.callbacks.ReduceLROnPlateau": Row(lambda folder: callbacks.ReduceLROnPlateau(patience=9)),
    "elegy.callbacks.RemoteMonitor": Row(lambda folder: callbacks.RemoteMonitor(server())),
    "elegy.callbacks.TensorBoard": Row(lambda folder: callbacks.TensorBoard(folder)),
    "elegy.callbacks.Timer": Row(lambda folder: callbacks.Timer("1 h")),
    "elegy.in_step": Row(
        lambda folder: elegy.in_step(slope, every=2),
        exempt={
            "evaluation_and_prediction_give_the_same_with_it": "it runs in training steps, elsewhere it is refused"
        },
    ),
}


def fit(model, *callbacks):
    """The logs and the parameters of a fit of two epochs from the beginning."""
    model.reset()
    history = model.fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), callbacks=list(callbacks), verbose=0)
    return history.history, model.parameters


@pytest.fixture(scope="module")
def loss():
    return Counted(lambda y_true, y_pred: jax.numpy.mean(jax.numpy.square(y_true - y_pred), -1))


@pytest.fixture(scope="module")
def model(loss):
    """One model for all, compiled once."""
    return elegy.Model(elegy.nn.Linear(1), loss={"mse": loss}, optimizer="adam")


@pytest.fixture(scope="module")
def plain(model):
    """The logs and parameters of a fit without callbacks."""
    return fit(model)


@contract(ROWS)
def test_a_fit_learns_the_same_bits_with_it(model, plain, tmp_path, row):
    logs, parameters = fit(model, row.make(tmp_path))
    jax.tree.map(np.testing.assert_array_equal, parameters, plain[1])
    assert {name: logs[name] for name in plain[0]} == plain[0]


@contract(ROWS)
def test_it_lets_nothing_be_compiled_that_was_not(model, loss, plain, tmp_path, row):
    fit(model, row.make(tmp_path))  # a callback may want its own program, once
    before = loss.traces
    fit(model, row.make(tmp_path))
    assert loss.traces - before <= 2  # the looks at shapes that follow a reset


@contract(ROWS)
def test_each_epoch_logs_the_same_names(model, plain, tmp_path, row):
    logs, _ = fit(model, row.make(tmp_path))
    assert {len(values) for values in logs.values()} == {2}


@contract(ROWS)
def test_it_serves_a_second_fit(model, plain, tmp_path, row):
    callback = row.make(tmp_path)
    first, second = (fit(model, callback)[0] for _ in range(2))
    assert first == second


@contract(ROWS)
def test_it_pickles(model, plain, tmp_path, row):
    copy = pickle.loads(pickle.dumps(row.make(tmp_path)))
    assert fit(model, copy)[0].keys() == fit(model, row.make(tmp_path))[0].keys()


@contract(ROWS)
def test_jit_equals_eager(model, plain, tmp_path, row):
    eager = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="adam", run_eagerly=True)
    close(fit(eager, row.make(tmp_path))[1], fit(model, row.make(tmp_path))[1])


@contract(ROWS)
def test_evaluation_and_prediction_give_the_same_with_it(model, plain, tmp_path, row):
    fit(model)
    callback = row.make(tmp_path)
    assert model.evaluate(X, Y, callbacks=callback, verbose=0).items() >= model.evaluate(X, Y, verbose=0).items()
    np.testing.assert_array_equal(model.predict(X, callbacks=callback, verbose=0), model.predict(X, verbose=0))
