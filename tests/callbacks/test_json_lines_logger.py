"""Tests of `JSONLinesLogger`: one valid JSON object an epoch."""

import json
import math

import jax.numpy as jnp
import pandas as pd

import elegy
from elegy.callbacks import JSONLinesLogger


def logged(callback, *epochs, first=0):
    callback.on_train_begin()
    for epoch, logs in enumerate(epochs, first):
        callback.on_epoch_end(epoch, logs)
    return callback


def lines(path):
    def refuse(constant):
        raise ValueError(constant)

    return [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]


def test_a_fit_is_written_line_by_line(rows, tmp_path):
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
    path = tmp_path / "deep" / "log.jsonl"
    history = model.fit(rows, rows[:, :1], epochs=2, callbacks=JSONLinesLogger(path), verbose=0).history
    assert [line["loss"] for line in lines(path)] == history["loss"]
    assert list(pd.read_json(path, lines=True)) == ["epoch", *history]


def test_what_json_does_not_have_is_null(tmp_path):
    logged(JSONLinesLogger(tmp_path / "a"), {"a": math.nan, "b": math.inf, "c": -math.inf, "d": jnp.float32(0.5)})
    assert lines(tmp_path / "a") == [{"epoch": 0, "a": None, "b": None, "c": None, "d": 0.5}]


def test_a_new_fit_begins_anew_and_append_goes_on(tmp_path):
    for append, expected in [(False, [0]), (False, [0]), (True, [0, 0])]:
        logged(JSONLinesLogger(tmp_path / "a", append=append), {"a": 1.0})
        assert [line["epoch"] for line in lines(tmp_path / "a")] == expected


def test_append_begins_a_file_that_is_not_there(tmp_path):
    logged(JSONLinesLogger(tmp_path / "new" / "a", append=True), {"a": 1.0})
    assert lines(tmp_path / "new" / "a") == [{"epoch": 0, "a": 1.0}]


def test_lines_of_epochs_that_are_run_again_are_dropped(tmp_path):
    callback = logged(JSONLinesLogger(tmp_path / "a"), {"a": 1.0})
    state = callback.state()
    callback.on_epoch_end(1, {"a": 2.0})
    again = logged(JSONLinesLogger(tmp_path / "a"))
    again.restore(state)
    again.on_epoch_end(1, {"a": 3.0})
    assert state == {"lines": 1} and [line["a"] for line in lines(tmp_path / "a")] == [1.0, 3.0]
