"""`fit(step_logs=True)`: what each step logged, in every plan, fetched many launches at a time."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy._launches import Launch
from elegy._logs import Logs, Ratio
from elegy._plan import Needs, choose_plan
from elegy._step_record import StepRecord
from elegy._told import Told
from elegy.callbacks import LambdaCallback
from elegy.data import as_source

X = np.random.default_rng(0).normal(size=(37, 5)).astype("float32")
Y = X[:, :2].sum(-1, keepdims=True)


def batches():
    for start in range(0, 37, 4):
        yield X[start : start + 4], Y[start : start + 4]


def model_of():
    return elegy.Model(elegy.nn.Linear(1), loss="mse", metrics=["mae"], optimizer="sgd")


def recorded(*data, model=None, **options):
    """The history of a fit that records its steps."""
    return (model or model_of()).fit(*data or (X, Y), **{"verbose": 0, "step_logs": True, **options})


@pytest.mark.parametrize(
    ("execution", "data"), [("single", (X, Y)), ("resident", (X, Y)), ("chunks", (X, Y)), ("chunks", (batches,))]
)
def test_step_logs_are_what_a_batch_hook_is_told(execution, data):
    told = []
    keep = LambdaCallback(on_train_batch_end=lambda logs, step: told.append({"step": step, **logs}))
    size = {"batch_size": 4} if len(data) > 1 else {}
    steps = recorded(*data, execution=execution, callbacks=keep, epochs=2, **size).steps
    assert list(steps) == ["step", "loss", "mse_loss", "mae"] and steps["step"] == list(range(20))
    assert steps == {name: [each[name] for each in told] for name in steps}
    assert all(type(value) is float for value in steps["loss"])


@pytest.mark.parametrize("options", [{}, {"steps_per_execution": 4}])
def test_without_a_hook_the_step_logs_are_each_batchs_own_loss_and_the_running_metric(options):
    frozen = elegy.Model(lambda x: x[:, :1], loss="mse", metrics=["mae"], optimizer="sgd")
    steps = recorded(X, Y, model=frozen, batch_size=4, shuffle=False, **options).steps
    errors = (X[:, :1] - Y)[:, 0]
    np.testing.assert_allclose(steps["loss"], [np.mean(errors[i : i + 4] ** 2) for i in range(0, 37, 4)], rtol=1e-5)
    running = [np.abs(errors[: min(i + 4, 37)]).mean() for i in range(0, 37, 4)]
    np.testing.assert_allclose(steps["mae"], running, rtol=1e-5)


def test_step_logs_count_on_over_fits_and_begin_anew():
    model = model_of()
    first, second = (recorded(X[:8], Y[:8], model=model, batch_size=4) for _ in range(2))
    assert (first.steps["step"], second.steps["step"]) == ([0, 1], [2, 3])


def test_step_logs_are_off_unless_asked_for():
    assert recorded(X[:8], Y[:8], step_logs=False).steps == {}


def test_many_launches_are_fetched_together(monkeypatch):
    fetched, get = [], jax.device_get
    monkeypatch.setattr("elegy._step_record.jax.device_get", lambda tree: fetched.append(len(tree)) or get(tree))
    monkeypatch.setattr("elegy._step_record._WAITING", 8)
    record = StepRecord()
    for step in range(30):
        record.add(step, Told(Logs(loss=Ratio(jnp.float32(step), None)), {}), Launch(elegy.Batch(), 0, 1))
    assert fetched == [8, 8, 8] and record.read()["loss"] == list(range(30))


def test_a_log_called_step_and_logs_of_some_steps_only_keep_their_places():
    record = StepRecord()
    record.add(0, Told(Logs(step=jnp.arange(4.0)), {}), Launch(None, 0, 2))
    record.add(2, Told(Logs(more=jnp.ones(2)), {}), Launch(elegy.Batch(), 0, 1))
    nan = pytest.approx(np.nan, nan_ok=True)
    expected = {"step": [0, 1, 2], "step_1": [0, 1, nan], "more/0": [nan, nan, 1], "more/1": [nan, nan, 1]}
    assert record.read() == expected


def test_a_history_with_step_logs_can_be_pickled():
    history = recorded(X[:8], Y[:8])
    assert pickle.loads(pickle.dumps(history)).steps == history.steps


def plan_of(needs):
    source = as_source(X, batch_size=4)
    return choose_plan(source, source.peek(), needs)


def test_launches_whose_steps_are_recorded_are_bounded_and_follow_the_clock():
    assert plan_of(Needs(told_bytes=12, logged=True)).most == 4096
    assert plan_of(Needs(told_bytes=1 << 24, logged=True)).most == 4
    assert plan_of(Needs(told_bytes=12, logged=True)).fixed is None
