"""Tests of `CSVLogger`: a table that any reader of CSV understands, whatever an epoch logs."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import elegy
from elegy._logs import LazyLogs
from elegy.callbacks import CallbackList, CSVLogger


def logged(callback, *epochs, first=0):
    callback.on_train_begin()
    for epoch, logs in enumerate(epochs, first):
        callback.on_epoch_end(epoch, logs)
    return callback


def test_pandas_reads_what_a_fit_logged(rows, tmp_path):
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
    path, data = tmp_path / "deep" / "log.csv", (rows, rows[:, :1])
    history = model.fit(
        *data, validation_data=data, validation_freq=2, epochs=3, callbacks=CSVLogger(path), verbose=0
    ).history
    table = pd.read_csv(path)
    assert list(table) == ["epoch", *history] and list(table["epoch"]) == [0, 1, 2]
    assert list(table["loss"]) == history["loss"]
    assert list(table["val_loss"].isna()) == [True, False, True] and table["val_loss"][1] == history["val_loss"][0]


def test_arrays_on_the_device_are_numbers(tmp_path):
    logs = {"loss": jnp.float32(0.5), "accuracy": np.float32(0.25)}
    logged(CSVLogger(tmp_path / "a"), logs, LazyLogs(logs))
    assert (tmp_path / "a").read_text() == "epoch,loss,accuracy\n0,0.5,0.25\n1,0.5,0.25\n"


def test_later_logs_become_columns_and_missing_ones_are_na(tmp_path):
    logged(CSVLogger(tmp_path / "a", separator=";"), {"a": 1.0}, {"b,c": 2.0}, {"a": float("nan"), "b,c": float("inf")})
    assert (tmp_path / "a").read_text() == "epoch;a;b,c\n0;1.0;NA\n1;NA;2.0\n2;nan;inf\n"


def test_names_with_separators_and_quotes_survive(tmp_path):
    logged(CSVLogger(tmp_path / "a"), {'x,"y"\n': 1.0}, {"z": 2.0})
    assert list(pd.read_csv(tmp_path / "a")) == ["epoch", 'x,"y"\n', "z"]


def test_a_new_fit_replaces_the_table_with_its_first_row(tmp_path):
    callback = logged(CSVLogger(tmp_path / "a"), {"a": 1.0})
    callback.on_train_begin()
    assert (tmp_path / "a").read_text() == "epoch,a\n0,1.0\n"
    logged(callback, {"b": 2.0})
    assert (tmp_path / "a").read_text() == "epoch,b\n0,2.0\n"


def test_append_goes_on_with_the_table(tmp_path):
    logged(CSVLogger(tmp_path / "a", append=True), {"a": 1.0, "b": 2.0})
    logged(CSVLogger(tmp_path / "a", append=True), {"b": 3.0}, {"c": 4.0}, first=1)
    assert (tmp_path / "a").read_text() == "epoch,a,b,c\n0,1.0,2.0,NA\n1,NA,3.0,NA\n2,NA,NA,4.0\n"


def test_a_line_that_was_cut_off_does_not_spoil_the_next_one(tmp_path):
    (tmp_path / "a").write_text("epoch,a\n0,1.0\n1,")
    logged(CSVLogger(tmp_path / "a", append=True), {"a": 2.0}, first=2)
    assert list(pd.read_csv(tmp_path / "a")["epoch"]) == [0, 1, 2]


def test_a_table_that_vanished_is_begun_anew(tmp_path):
    callback = logged(CSVLogger(tmp_path / "a"), {"a": 1.0})
    (tmp_path / "a").unlink()
    callback.on_epoch_end(1, {"a": 2.0})
    assert (tmp_path / "a").read_text() == "epoch,a\n1,2.0\n"


def test_rows_of_epochs_that_are_run_again_are_dropped(tmp_path):
    callback = logged(CSVLogger(tmp_path / "a"), {"a": 1.0}, {"a": 2.0})
    state = callback.state()
    callback.on_epoch_end(2, {"a": 3.0, "b": 4.0})
    again = CSVLogger(tmp_path / "a")
    again.on_train_begin()
    again.restore(state)
    again.on_epoch_end(2, {"a": 5.0})
    assert state == {"rows": 2} and (tmp_path / "a").read_text() == "epoch,a,b\n0,1.0,NA\n1,2.0,NA\n2,5.0,NA\n"


def test_before_the_first_row_nothing_is_kept(tmp_path):
    (tmp_path / "a").write_text("epoch,a\n0,1.0\n")
    callback = logged(CSVLogger(tmp_path / "a"))
    assert callback.state() == {"rows": 0}
    callback.restore({"rows": 0})
    callback.on_epoch_end(0, {"b": 2.0})
    assert (tmp_path / "a").read_text() == "epoch,b\n0,2.0\n"


def test_a_file_that_is_no_log_is_left_alone_with_one_warning(tmp_path):
    (tmp_path / "a").write_text("my,notes\n")
    callbacks = CallbackList(CSVLogger(tmp_path / "a", append=True))
    callbacks.call("on_train_begin", logs={})
    with pytest.warns(UserWarning, match=r"It has no column `epoch`, but: my, notes") as warned:
        for epoch in range(3):
            callbacks.call("on_epoch_end", epoch=epoch, logs={"a": 1.0})
    assert len(warned) == 1 and (tmp_path / "a").read_text() == "my,notes\n"


@pytest.mark.parametrize("separator", ["", ", ", None])
def test_a_separator_is_one_character(separator):
    with pytest.raises(TypeError, match=r"got `separator=.*Give one character"):
        CSVLogger("a", separator)
