"""Tests of `Monitor`: one log, and which way of it is better."""

import numpy as np
import pytest

import elegy
from elegy.callbacks import EarlyStopping
from elegy.callbacks._monitor import Monitor, require_epochs


class Fitness(elegy.Metric):
    better = "higher"

    def call(self, y_pred):
        return {"left": y_pred.mean(), "right": y_pred.mean()}


@pytest.fixture
def model(rows):
    metrics = [elegy.metrics.Precision(), elegy.metrics.Recall(), lambda precision, recall: precision, Fitness()]
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, metrics=metrics, optimizer="sgd")
    model.evaluate(rows, np.ones_like(rows), verbose=0)
    return model


@pytest.mark.parametrize(
    ("name", "direction"),
    [("loss", -1), ("val_loss", -1), ("precision", 1), ("val_recall", 1), ("val_fitness/left", 1)],
)
def test_the_metric_says_which_way_is_better(model, name, direction):
    watched = Monitor("EarlyStopping", name)
    assert watched.value({name: 0.5}, model) == 0.5
    assert watched.is_better(0.5 + direction, than=0.5) and not watched.is_better(0.5 - direction, than=0.5)


def test_a_metric_that_says_nothing_is_an_error_naming_the_choices(model):
    with pytest.raises(ValueError, match=r'watches `lambda` with `mode="auto"`.*`mode="min"` if lower is better'):
        Monitor("EarlyStopping", "lambda").value({"lambda": 0.5}, model)


def test_logs_of_named_validation_sets_go_the_way_of_their_log(model):
    watched = Monitor("EarlyStopping", "val_far_off_recall")
    watched.value({"loss": 1.0, "recall": 0.5, "val_far_off_loss": 1.0, "val_far_off_recall": 0.5}, model)
    assert watched.is_better(0.6, than=0.5)


def test_the_name_of_a_log_that_only_ends_like_a_metric_says_nothing(model):
    logs = {"loss": 1.0, "recall": 0.5, "val_loss": 1.0, "val_inverse_recall": 0.5}
    with pytest.raises(ValueError, match="`val_inverse_recall` with"):
        Monitor("EarlyStopping", "val_inverse_recall").value(logs, model)


@pytest.mark.parametrize("name", ["val_fitness.left", "val_fitness/left"])
def test_dots_and_slashes_mean_the_same(model, name):
    assert Monitor("EarlyStopping", name).value({"val_loss": 1.0, "val_fitness/left": 0.25}, model) == 0.25


def test_a_log_need_not_be_a_path():
    assert Monitor("EarlyStopping", "[my log]", "min").value({"a": 1.0, "[my log]": 2.0}, None) == 2.0


def test_it_may_be_missing_later_but_not_at_first():
    watched = Monitor("EarlyStopping", "f1", "max")
    with pytest.raises(ValueError, match=r"EarlyStopping watches `f1`, which this fit does not log"):
        watched.value({"loss": 1.0}, None)
    watched.value({"f1": 1.0}, None)
    assert watched.value({"loss": 1.0}, None) is None


@pytest.mark.parametrize("count", [-1, 1.5, True, "3", None])
def test_epochs_are_whole_numbers(count):
    with pytest.raises(ValueError, match=r"EarlyStopping got `patience=.*It counts epochs"):
        require_epochs("EarlyStopping", patience=count)


def test_a_fit_goes_the_way_of_the_metric(rows):
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", metrics=elegy.metrics.Precision(), optimizer="sgd")
    stopping = EarlyStopping("val_precision", patience=9)
    labels = np.ones((8, 1), "float32")
    history = model.fit(rows, labels, validation_data=(rows, labels), epochs=2, callbacks=stopping, verbose=0)
    assert stopping.best == max(history.history["val_precision"])
