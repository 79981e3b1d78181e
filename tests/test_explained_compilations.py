"""What a model says of compilations that nobody expects, how they are limited, and that they do not pile up."""

import jax
import numpy as np
import pytest

import elegy
from elegy._compilations import MOST_PROGRAMS
from elegy.callbacks import LambdaCallback

X = np.linspace(-1, 1, 66, dtype="float32").reshape(22, 3)
Y = X[:, :1]


def model_of(loss="mse"):
    return elegy.Model(elegy.nn.Linear(1), loss=loss, optimizer="sgd")


def fit(model, x=X, y=Y, **options):
    return model.fit(x, y, **{"batch_size": 4, "verbose": 0, **options})


@pytest.fixture(scope="module")
def warm():
    """A model that has been trained with all plans; nothing that is refused later changes it."""
    model = model_of()
    for execution in ("resident", "chunks", "single"):
        fit(model, execution=execution)
    return model


@pytest.mark.parametrize("execution", ["resident", "chunks", "single"])
def test_another_fit_with_the_same_shapes_compiles_nothing(warm, execution):
    fit(warm, execution=execution, max_compilations=0, epochs=2)


@pytest.mark.parametrize(
    ("execution", "changed", "text"),
    [
        ("resident", {"batch_size": 5}, "`train_many`, would be compiled: `batch_size` is 5, it was 4"),
        ("resident", {"x": X[:9], "y": Y[:9]}, r"`x` is f32\[9,3\], it was f32\[22,3\]; `y_true` is f32\[9,1\]"),
        ("single", {"batch_size": 5}, r"`train`, would be compiled: `x` is f32\[5,3\], it was f32\[4,3\]; `y_true`"),
        ("chunks", {"batch_size": 5}, r"`x` is f32\[\d+,5,3\], it was f32\[\d+,4,3\]"),
        ("single", {"x": X.astype("float16")}, r"`x` is f16\[4,3\], it was f32\[4,3\]\. Keep to the shapes"),
        ("single", {"sample_weight": np.ones(22, "float32")}, r"`sample_weight` is new: f32\[4\]"),
        ("single", {"step_logs": True}, "`train_logged`, would be compiled: it is the first one for this plan"),
    ],
)
def test_what_would_be_compiled_without_leave_is_an_error_that_names_the_change(warm, execution, changed, text):
    before = warm.parameters
    with pytest.raises(RuntimeError, match=r"`fit\(max_compilations=0\)` was given\. One more program, .*" + text):
        fit(warm, execution=execution, max_compilations=0, **changed)
    jax.tree.map(np.testing.assert_array_equal, before, warm.parameters)


def test_a_changed_loss_is_named_in_the_log_and_in_the_error(caplog):
    loss = elegy.losses.Huber(delta=1.0)
    model = model_of(loss)
    fit(model, x=X[:8], y=Y[:8])
    loss.weight = 2.0  # a live number, which compiles nothing
    fit(model, x=X[:8], y=Y[:8], max_compilations=0)
    loss.delta = 0.5
    with pytest.raises(RuntimeError, match=r"would be compiled: `loss `huber`/delta` changed from 1\.0 to 0\.5\. Keep"):
        fit(model, x=X[:8], y=Y[:8], max_compilations=0)
    assert "`loss `huber`/delta` changed from 1.0 to 0.5 since the step was compiled" in caplog.text


def test_a_fit_compiles_one_program_for_steps_last_batch_and_logs_and_as_many_for_validation(capsys):
    model = model_of()
    with pytest.raises(RuntimeError, match=r"max_compilations=5\)` was given\. One more program, `results`"):
        fit(model, validation_data=(X, Y), max_compilations=5, verbose=2)
    fit(model, validation_data=(X, Y), max_compilations=1, verbose=2)
    assert "again" not in capsys.readouterr().out


def test_an_unexpected_compilation_is_told_once_and_a_smaller_last_batch_is_none(capsys):
    def lines(act, *args, **options):
        act(*args, verbose=2, **options)
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("compiled")]

    def batches(*sizes):
        return lambda: iter([(X[:size], Y[:size]) for size in sizes])

    model = model_of()
    assert lines(model.fit, batches(6, 6, 3), execution="single") == []
    assert lines(model.fit, batches(7, 7, 2), execution="single") == [
        "compiled `train` again: `x` is f32[7,3], it was f32[6,3]; `y_true` is f32[7,1], it was f32[6,1]"
    ]
    assert lines(model.fit, batches(7, 5, 4, 7), execution="single") == [
        "compiled `train` again: `x` is f32[4,3], it was f32[7,3]; `y_true` is f32[4,1], it was f32[7,1]"
    ]
    assert lines(model.predict, X, batch_size=5) == []
    assert lines(model.predict, X, batch_size=8) == ["compiled `predict` again: `x` is f32[8,3], it was f32[5,3]"]


def test_another_validation_set_is_nothing_unexpected(capsys):
    model = model_of()
    sets = {"small": (X[:8], Y[:8]), "large": (X[:12], Y[:12])}
    fit(model, validation_data=sets, verbose=2)
    model.evaluate(X[:16], Y[:16], batch_size=4, verbose=2)
    assert "compiled" not in capsys.readouterr().out
    model.evaluate(X[:20], Y[:20], batch_size=4, verbose=2)
    assert "compiled `test_many` again: `x` is f32[20,3], it was f32[16,3]" in capsys.readouterr().out


def test_what_a_callback_calls_counts_too(warm):
    unseen = LambdaCallback(on_epoch_end=lambda logs: warm.evaluate(X, Y, batch_size=7, verbose=0) and None)
    with pytest.raises(RuntimeError, match=r"max_compilations=1\)` was given\. One more program, `test`"):
        fit(warm, callbacks=unseen, max_compilations=1)
    fit(warm, max_compilations=0)


def test_programs_for_many_shapes_do_not_pile_up(monkeypatch):
    monkeypatch.setattr("elegy._programs.MOST_FORMS", 4)
    client = jax.devices()[0].client
    model = elegy.Model(lambda x: x + 1)
    model.predict_on_batch(X)
    before = len(client.live_executables())
    for rows in range(1, 16):
        assert model.predict_on_batch(np.zeros((rows, 1), "float32")).shape == (rows, 1)
    assert len(client.live_executables()) - before <= 4


def test_programs_of_many_kinds_do_not_pile_up():
    programs = model_of()._trainer.programs
    for number in range(2 * MOST_PROGRAMS):
        programs._program(("train_many", number), lambda: None)
    assert len(programs._jitted) == MOST_PROGRAMS


@pytest.mark.parametrize("most", [-1, 1.5, True])
def test_the_limit_is_a_whole_number(most):
    with pytest.raises(ValueError, match=r"`max_compilations=.*` was given\. It is a whole number, at least 0"):
        fit(model_of(), max_compilations=most)
