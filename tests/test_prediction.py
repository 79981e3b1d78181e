"""`predict`: in the right order, with a bounded number of batches under way, to arrays or to a writer."""

import jax
import numpy as np
import pytest

import elegy
from elegy.callbacks import LambdaCallback, ProgressBar
from elegy.data import ArraySource

X = np.arange(20, dtype="float32").reshape(10, 2)
ROWS = np.arange(2202, dtype="float32").reshape(1101, 2)  # more than a chunk: 275 batches of four, and one of one


def nested(x):
    return {"twice": 2 * x, "rest": [x[:, 0], (x.astype("int32"),)]}


def assert_nested(got, x):
    jax.tree.map(np.testing.assert_array_equal, got, jax.tree.map(np.asarray, nested(x)))


def stream():
    for start in range(0, 10, 4):
        yield X[start : start + 4]


def written(x, module=nested, **options):
    """What a writer gets."""
    parts = []
    assert elegy.Model(module).predict(x, writer=parts.append, verbose=0, **options) is None
    return parts


@pytest.mark.parametrize(("data", "options"), [(X, {"batch_size": 4}), (X, {"batch_size": 32}), (stream, {})])
def test_arrays_and_streams_give_all_rows_in_the_modules_structure(data, options):
    assert_nested(elegy.Model(nested).predict(data, verbose=0, **options), X)


@pytest.mark.parametrize(("data", "options"), [(X, {"batch_size": 4}), (stream, {})])
def test_a_writer_gets_each_batch_in_order(data, options):
    parts = written(data, **options)
    assert [len(part["twice"]) for part in parts] == [4, 4, 2]
    assert_nested(jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts), X)
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(parts))


@pytest.mark.parametrize(("data", "options"), [(X, {"batch_size": 4}), (stream, {})])
@pytest.mark.parametrize(("steps", "rows"), [(2, 8), (3, 10), (9, 10)])
def test_steps_limit_the_batches(data, options, steps, rows):
    assert elegy.Model(lambda x: x).predict(data, steps=steps, verbose=0, **options).shape == (rows, 2)
    assert sum(map(len, written(data, lambda x: x, steps=steps, **options))) == rows


def test_chunks_of_arrays_give_all_rows_and_a_writer_each_batch():
    model, parts = elegy.Model(nested), []
    for steps, rows in ((None, 1101), (275, 1100), (270, 1080), (2, 8), (300, 1101)):
        assert_nested(model.predict(ROWS, 4, 0, steps=steps), ROWS[:rows])
        parts.clear()
        model.predict(ROWS, 4, 0, steps=steps, writer=parts.append)
        assert [len(part["twice"]) for part in parts] == [4] * (rows // 4) + [1] * (rows % 4)
        assert_nested(jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts), ROWS[:rows])


class Launches(ProgressBar):
    """A bar that only counts."""

    def on_launch_end(self, steps_done, read_logs, waiting=None):
        self.counted = [*getattr(self, "counted", []), steps_done]


def launches_of_a_prediction(x, *callbacks):
    bar = Launches(0)
    elegy.Model(lambda x: x).predict(x, 4, 0, callbacks=[bar, *callbacks])
    return len(bar.counted)


def test_arrays_run_in_launches_of_many_batches_unless_a_hook_acts_on_each():
    ends = []
    each = LambdaCallback(on_predict_batch_end=lambda y_pred: ends.append(len(y_pred)))
    assert launches_of_a_prediction(ROWS) < 276
    assert launches_of_a_prediction(ROWS, each) == 276
    assert ends == [4] * 275 + [1]
    assert launches_of_a_prediction(X) == 3  # would not fill a chunk


def test_the_result_belongs_to_the_caller():
    model = elegy.Model(lambda x: x)
    got = model.predict(X, batch_size=4, verbose=0)
    assert got.flags.owndata and got.flags.writeable
    got += 1
    np.testing.assert_array_equal(model.predict(X, verbose=0), X)


def test_the_next_batches_are_prepared_and_run_before_a_result_is_taken():
    events = []

    def data():
        for number in range(5):
            events.append(f"read {number}")
            yield X[number : number + 1]

    elegy.Model(lambda x: x).predict(data(), writer=lambda y: events.append(f"write {int(y[0, 0]) // 2}"), verbose=0)
    expected = "read 0,read 1,read 2,write 0,read 3,write 1,read 4,write 2,write 3,write 4"
    assert ",".join(events) == expected


def test_memory_does_not_grow_with_the_data():
    model, alive = elegy.Model(lambda x: 2 * x), []
    batch = X[:4]
    others = {id(array) for array in jax.live_arrays()}

    def count(outputs):
        alive.append(sum(array.shape == batch.shape and id(array) not in others for array in jax.live_arrays()))

    model.predict((batch for _ in range(20)), writer=count, verbose=0)
    assert len(alive) == 20 and max(alive[10:]) <= max(alive[:10]) <= 4


def test_hooks_at_the_begin_and_end_of_a_batch_alternate():
    calls = []
    hooks = {
        f"on_predict_{when}": lambda *args, when=when, **kwargs: calls.append(when)
        for when in ("begin", "batch_begin", "batch_end", "end")
    }
    elegy.Model(lambda x: x).predict(
        X, 4, 0, callbacks=LambdaCallback(**hooks), writer=lambda y: calls.append("written")
    )
    assert calls == ["begin", *["batch_begin", "written", "batch_end"] * 3, "end"]


def test_hooks_get_what_belongs_to_their_batch():
    seen = []
    keep = LambdaCallback(on_predict_batch_end=lambda batch, x, y_pred: seen.append((batch, x, y_pred)))
    elegy.Model(lambda x: x + 1).predict(stream, callbacks=keep, verbose=0)
    assert [batch for batch, *_ in seen] == [0, 1, 2]
    for _, x, y_pred in seen:
        np.testing.assert_array_equal(y_pred, x + 1)


def test_a_writer_that_fails_ends_the_prediction_with_its_own_error():
    told = []
    keep = LambdaCallback(on_exception=lambda exception: told.append(str(exception)))

    def full(outputs):
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left") as caught:
        elegy.Model(lambda x: x).predict(X, 4, 0, callbacks=keep, writer=full)
    assert told == ["no space left"] and caught.traceback[-1].name == "full"


def test_a_writer_that_cannot_be_called_is_an_error_before_anything_runs():
    with pytest.raises(TypeError, match=r"`predict\(writer='out\.npy'\)` was called.*Give a function"):
        elegy.Model(lambda x: 1 / 0).predict(X, writer="out.npy", verbose=0)


def test_an_output_without_a_batch_axis_is_named_with_a_writer_too():
    with pytest.raises(ValueError, match=r"`y_pred\['sum'\]` is f32\[2\] for a batch of 10"):
        written(X, lambda x: {"all": x, "sum": x.sum(0)})
    with pytest.raises(ValueError, match=r"`y_pred` is f32\[2\] for a batch of 4"):
        written(ROWS, lambda x: x.sum(0), batch_size=4)


def test_batches_whose_rows_differ_need_a_writer():
    lengths = [X[:4], X[:4, :1]]
    with pytest.raises(ValueError, match=r"A batch is f32\[4,1\], and those before have rows of shape \(2,\)"):
        elegy.Model(lambda x: x).predict(iter(lengths), verbose=0)
    assert [part.shape for part in written(iter(lengths), lambda x: x)] == [(4, 2), (4, 1)]


def test_batches_of_another_structure_need_a_writer():
    def either(x):
        return x if len(x) == 4 else [x]

    with pytest.raises(ValueError, match=r"The first batch gave .*, a later one .*writer="):
        elegy.Model(either).predict(X, 4, 0)


def test_a_dtype_that_holds_all_batches_is_taken():
    got = elegy.Model(lambda x: x).predict(iter([np.arange(2), np.full(1, 0.5)]), verbose=0)
    np.testing.assert_array_equal(got, [0, 1, 0.5])


def test_a_source_that_promises_too_few_rows_loses_none():
    class Modest(ArraySource):
        samples = 3

    assert elegy.Model(lambda x: x).predict(Modest({"x": X}, batch_size=3), verbose=0).shape == (10, 2)


def test_a_source_of_its_own_without_batches_is_an_error():
    class Empty(ArraySource):
        def batches(self, data_pass):
            return iter(())

    with pytest.raises(ValueError, match="The data had no batch"):
        elegy.Model(lambda x: x).predict(Empty({"x": X}), verbose=0)


def test_outputs_without_arrays_keep_their_structure():
    assert elegy.Model(lambda x: {"nothing": None}).predict(X, verbose=0) == {"nothing": None}


def test_an_eager_model_predicts_the_same():
    assert_nested(elegy.Model(nested, run_eagerly=True).predict(X, 4, 0), X)
