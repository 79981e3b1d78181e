"""Tests of `ModelCheckpoint`: weights on disk, as often as asked, under names with values in them."""

import numpy as np
import optax
import pytest

import elegy
from elegy.callbacks import CallbackList, LambdaCallback, ModelCheckpoint


def model_of(metrics=None):
    return elegy.Model(elegy.nn.Linear(1), loss="mse", metrics=metrics, optimizer=optax.sgd(0.1))


def fit(rows, callback, epochs=2, metrics=None, **arguments):
    """Fits of four steps an epoch."""
    model = model_of(metrics)
    model.fit(rows, rows[:, :1], batch_size=2, epochs=epochs, callbacks=callback, verbose=0, **arguments)
    return model


def names(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_every_epoch_is_saved_under_its_number_from_one(rows, tmp_path):
    model = fit(rows, ModelCheckpoint(tmp_path / "{epoch:02d}.safetensors"))
    assert names(tmp_path) == ["01.safetensors", "02.safetensors"]
    fresh = model_of()
    fresh.init(rows)
    fresh.load_weights(tmp_path / "02.safetensors")
    np.testing.assert_array_equal(fresh.parameters["w"], model.parameters["w"])


def test_logs_and_folders_are_filled_in(rows, tmp_path):
    def halves(y_pred):
        return {"x": 0.5, "y": 0.25}

    path = tmp_path / "deep" / "{epoch}" / "{val_halves/x:.2f}-{val_halves.y:.2f}-{{}}"
    validation = (rows, rows[:, :1])
    fit(rows, ModelCheckpoint(path), metrics=halves, validation_data=validation)
    assert names(tmp_path) == ["deep/1/0.50-0.25-{}", "deep/2/0.50-0.25-{}"]


@pytest.mark.parametrize(
    ("save_freq", "expected"),
    [
        (3, ["1-3", "2-2", "3-1", "3-4"]),
        ("5 batches", ["2-1", "3-2"]),
        (elegy.When("50%"), ["2-2", "3-4"]),
        ("1e-9 s", [f"{epoch}-{batch}" for epoch in (1, 2, 3) for batch in (1, 2, 3, 4)]),
    ],
)
def test_saves_between_epochs_fire_and_know_their_batch(rows, tmp_path, save_freq, expected):
    fit(rows, ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_freq=save_freq), epochs=3)
    assert names(tmp_path) == expected


def test_weights_are_those_of_the_very_step(rows, tmp_path):
    seen = []
    note = LambdaCallback(on_train_batch_end=lambda run: seen.append(np.asarray(run.state.parameters["w"])))
    fit(rows, [ModelCheckpoint(tmp_path / "{batch}", save_freq=3), note], epochs=1)
    model = model_of()
    model.init(rows)
    model.load_weights(tmp_path / "3")
    np.testing.assert_array_equal(model.parameters["w"], seen[2])


def test_saves_after_epochs_look_at_no_step():
    assert not CallbackList(ModelCheckpoint("w", save_freq="2 epochs")).overrides("on_train_batch_end")
    assert CallbackList(ModelCheckpoint("w", save_freq=10)).needs_every_step


def ended(callback, *losses, name="val_loss"):
    """Epochs with these losses."""
    callbacks = CallbackList(callback, model=model_of())
    callback.model.init(np.ones((1, 3), "float32"))
    callbacks.call("on_train_begin", logs={})
    for epoch, loss in enumerate(losses):
        callbacks.call("on_epoch_end", epoch=epoch, logs={name: loss})
    callbacks.call("on_train_end", logs={})


def test_only_the_best_are_saved(tmp_path, capsys):
    callback = ModelCheckpoint(tmp_path / "{epoch}", save_best_only=True, verbose=1)
    ended(callback, float("nan"), 0.5, 0.5, 0.75, 0.25)
    assert names(tmp_path) == ["2", "5"] and callback.best == 0.25
    assert "Epoch 5: saved the weights to" in capsys.readouterr().out


def test_the_best_has_to_beat_the_threshold(tmp_path):
    ended(ModelCheckpoint(tmp_path / "{epoch}", save_best_only=True, initial_value_threshold=0.3), 0.5, 0.25)
    assert names(tmp_path) == ["2"]


def test_the_direction_is_asked_of_the_metric_or_given(tmp_path):
    ended(ModelCheckpoint(tmp_path / "{epoch}", "val_loss", save_best_only=True, mode="max"), 0.25, 0.5)
    assert names(tmp_path) == ["1", "2"]
    with pytest.raises(ValueError, match="ModelCheckpoint watches `f1` with"):
        ended(ModelCheckpoint(tmp_path / "a", "f1", save_best_only=True), 0.5, name="f1")


def test_a_fit_that_never_validated_is_a_warning(rows, tmp_path):
    with pytest.warns(UserWarning, match="ModelCheckpoint watches `val_loss`. No epoch was validated"):
        fit(rows, ModelCheckpoint(tmp_path / "w", save_best_only=True))


def test_what_was_saved_before_counts(tmp_path):
    first, second = (ModelCheckpoint(tmp_path / "{epoch}", save_best_only=True) for _ in range(2))
    ended(first, 0.5)
    second.on_train_begin()
    second.restore(first.state())
    assert second.best == 0.5 and second.state()["schedule"]["epochs"] == 1
    assert "best" not in ModelCheckpoint("w").state()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "{epoch}-{val_acc}"}, r"asks for `val_acc`. At that moment there are: epoch, loss, mse_loss.*val_"),
        ({"path": "{los}", "save_freq": "7 epochs"}, r"writes to `.*`, which asks for `los`.*Did you mean `loss`"),
        ({"path": "{batch}"}, "asks for `batch`. At that moment there are: epoch, loss"),
        ({"path": "{val_loss}", "save_freq": 100}, "asks for `val_loss`. At that moment there are: epoch, batch, loss"),
        ({"path": "a", "monitor": "acc", "save_best_only": True, "save_freq": 100}, "does not log. The logs are: loss"),
        ({"path": "a", "monitor": "acc", "save_best_only": True, "save_freq": "9 epochs"}, "does not log"),
    ],
)
def test_an_unknown_name_is_an_error_before_training_is_lost(rows, tmp_path, arguments, message):
    path = tmp_path / arguments.pop("path")
    with pytest.raises(ValueError, match=message):
        fit(rows, ModelCheckpoint(path, **arguments), validation_data=(rows, rows[:, :1]))


def test_epochs_without_validation_are_no_error_until_they_are_to_be_saved(rows, tmp_path):
    path, arguments = tmp_path / "{val_loss:.1f}", {"validation_data": (rows, rows[:, :1]), "validation_freq": 2}
    fit(rows, ModelCheckpoint(path, save_freq="2 epochs"), **arguments)
    assert len(names(tmp_path)) == 1
    with pytest.raises(ValueError, match="asks for `val_loss`"):
        fit(rows, ModelCheckpoint(path), **arguments)


@pytest.mark.parametrize(("path", "message"), [("file/x/{epoch}", "Nothing can be written to"), ("", "is a folder")])
def test_a_path_that_cannot_be_written_is_an_error_before_the_first_step(rows, tmp_path, path, message):
    (tmp_path / "file").write_text("")
    steps = []
    count = LambdaCallback(on_epoch_begin=lambda epoch: steps.append(epoch))
    with pytest.raises(OSError, match=message):
        fit(rows, [ModelCheckpoint(tmp_path / path), count])
    assert steps == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"period": 2}, TypeError, r'`period=`, which does not exist.*Write `save_freq="2 epochs"`'),
        ({"save_weights_only": True}, TypeError, "It always saves parameters and states"),
        ({"save_best": True}, TypeError, "Did you mean `save_best_only`"),
        ({"monitor": "loss"}, ValueError, r"`monitor='loss'`. Without `save_best_only=True` nothing is compared"),
        ({"mode": "max"}, ValueError, "Without `save_best_only=True`"),
        ({"initial_value_threshold": 0.5}, ValueError, "Without `save_best_only=True`"),
        ({"save_best_only": True, "save_freq": 5}, ValueError, r"`save_freq='5 steps'` and watches `val_loss`"),
        ({"save_freq": "epochz"}, ValueError, "Did you mean `epoch"),
        ({"save_freq": True}, TypeError, "True was given as a time"),
    ],
)
def test_arguments_that_do_not_fit_are_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        ModelCheckpoint("w", **arguments)


def test_an_exception_stops_its_clock(tmp_path):
    callback = ModelCheckpoint(tmp_path / "w", save_freq="1 h")
    callback.on_train_begin()
    callback.on_exception(ValueError())
    assert callback.state() == callback.state()
