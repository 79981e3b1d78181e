"""The TensorBoard callback, read back with TensorBoard's own reader."""

import os
import pickle
import socket
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import HISTOGRAMS, EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

import elegy
from elegy.callbacks import LambdaCallback as Lambda
from elegy.callbacks import TensorBoard
from elegy.callbacks._event_file import EventFile
from elegy.nn import Linear


def some_complex_function(y_true, y_pred):
    return {"a": jnp.square(y_true - y_pred).mean(-1), "b": jnp.abs(y_pred).mean(-1)}


def interval(y_pred):
    return jnp.abs(y_pred).mean(-1)


def model(**kwargs):
    options = {"loss": some_complex_function, "metrics": [interval], "optimizer": "adam", "seed": 0, **kwargs}
    return elegy.Model(Linear(1), **options)


@pytest.fixture(scope="module")
def compiled():
    return model()


@pytest.fixture
def trained(compiled):
    """A model as new, whose programs are compiled once for all tests."""
    compiled.reset()
    return compiled


def fit(trained, rows, *callbacks, validated=True, **kwargs):
    """Two steps an epoch."""
    data = {"validation_data": (rows[:3], rows[:3, :1])} if validated else {}
    options = {"batch_size": 4, "epochs": 2, "verbose": 0, **data, **kwargs}
    return trained.fit(rows, rows[:, :1], callbacks=list(callbacks), **options).history


def reader(folder, **kwargs):
    return EventAccumulator(str(folder), **kwargs).Reload()


def curves(folder):
    """By tag the steps and values that TensorBoard shows."""
    read = reader(folder)
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def steps_of(folder, tag="loss"):
    return [step for step, _ in curves(folder)[tag]]


def values_of(folder, tag="loss"):
    return [value for _, value in curves(folder)[tag]]


def test_epochs_are_curves_of_train_and_validation_with_the_names_of_the_logs(trained, rows, tmp_path):
    history = fit(trained, rows, TensorBoard(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["train", "validation"]
    for folder, prefix in (("train", ""), ("validation", "val_")):
        for tag in ("loss", "some_complex_function_loss/a", "some_complex_function_loss/b", "interval"):
            steps, values = zip(*curves(tmp_path / folder)[tag], strict=True)
            assert steps == (0, 1)
            np.testing.assert_allclose(values, history[prefix + tag], rtol=1e-6)
    assert set(curves(tmp_path / "train")) - set(curves(tmp_path / "validation")) == {"learning_rate"}


def test_several_validation_sets_have_folders_of_their_own(trained, rows, tmp_path):
    data = {name: (rows[:size], rows[:size, :1]) for name, size in (("day", 3), ("night_shift", 5))}
    history = fit(trained, rows, TensorBoard(tmp_path), validation_data=data, epochs=1)
    assert sorted(os.listdir(tmp_path)) == ["train", "validation_day", "validation_night_shift"]
    assert values_of(tmp_path / "validation_night_shift") == pytest.approx(history["val_night_shift_loss"])


def test_a_name_that_contains_val_is_no_validation(rows, tmp_path):
    def val_ratio(y_pred):
        return jnp.abs(y_pred).mean(-1)

    fit(model(metrics=[val_ratio, interval]), rows, TensorBoard(tmp_path), validation_freq=2)
    for tag in ("val_ratio", "interval"):
        assert steps_of(tmp_path / "train", tag) == [0, 1]
        assert steps_of(tmp_path / "validation", tag) == [1]


def test_what_callbacks_add_goes_where_its_name_says(trained, rows, tmp_path):
    added = Lambda(on_epoch_end=lambda epoch, logs: {"val_f1": 0.5, "seconds": 2.0})
    fit(trained, rows, added, TensorBoard(tmp_path))
    assert values_of(tmp_path / "validation", "f1") == [0.5, 0.5]
    assert values_of(tmp_path / "train", "seconds") == [2.0, 2.0]


def test_every_step_is_written_with_its_own_losses(trained, rows, tmp_path):
    seen = []
    keep = Lambda(on_train_batch_end=lambda batch, logs: seen.append(dict(logs)))
    fit(trained, rows, keep, TensorBoard(tmp_path, update_freq="batch"))
    train, validation = curves(tmp_path / "train"), curves(tmp_path / "validation")
    for tag in ("loss", "some_complex_function_loss/a", "interval"):
        assert train[tag] == [(step, pytest.approx(logs[tag])) for step, logs in enumerate(seen, start=1)]
        assert [step for step, _ in validation[tag]] == [2, 4]
    assert [step for step, _ in train["learning_rate"]] == [2, 4]


def test_every_nth_step_is_written(trained, rows, tmp_path):
    fit(trained, rows, TensorBoard(tmp_path, update_freq=3), batch_size=2)
    assert steps_of(tmp_path / "train") == [3, 6]
    assert steps_of(tmp_path / "validation") == [4, 8]


@pytest.mark.parametrize(("update_freq", "expected"), [("epoch", [0, 1, 2, 3]), ("batch", [1, 2, 3, 4, 5, 6, 7, 8])])
def test_a_second_fit_goes_on_in_step_numbers(trained, rows, tmp_path, update_freq, expected):
    board = TensorBoard(tmp_path, update_freq=update_freq)
    fit(trained, rows, board)
    fit(trained, rows, board)
    assert steps_of(tmp_path / "train") == expected


def test_a_model_that_was_reset_goes_on_too_and_a_later_first_epoch_is_kept(trained, rows, tmp_path):
    board = TensorBoard(tmp_path, update_freq="batch")
    fit(trained, rows, board, epochs=1)
    trained.reset()
    fit(trained, rows, board, epochs=1)
    assert steps_of(tmp_path / "train") == [1, 2, 3, 4]
    fit(trained, rows, TensorBoard(tmp_path / "later"), initial_epoch=3, epochs=5)
    assert steps_of(tmp_path / "later/train") == [3, 4]


def test_purge_step_hides_what_an_earlier_run_wrote_from_there_on(trained, rows, tmp_path):
    fit(trained, rows, TensorBoard(tmp_path), epochs=4)
    board = TensorBoard(tmp_path, purge_step=2)
    fit(trained, rows, board, initial_epoch=2, epochs=3)
    assert steps_of(tmp_path / "train") == [0, 1, 2]
    fit(trained, rows, board, epochs=1)
    assert steps_of(tmp_path / "train") == [0, 1, 2, 3]


@pytest.mark.parametrize(("update_freq", "steps"), [("epoch", [0, 0]), ("batch", [0, 2])])
def test_an_evaluation_outside_a_fit_is_a_point_of_validation(trained, rows, tmp_path, update_freq, steps):
    board = TensorBoard(tmp_path, update_freq=update_freq)
    first = trained.evaluate(rows, rows[:, :1], callbacks=board, verbose=0)
    fit(trained, rows, board, epochs=1, validated=False)
    second = trained.evaluate(rows, rows[:, :1], callbacks=board, verbose=0)
    assert curves(tmp_path / "validation")["loss"] == [
        (step, pytest.approx(logs["loss"])) for step, logs in zip(steps, (first, second), strict=True)
    ]


def test_nothing_is_added_to_the_steps_of_an_epoch_and_nothing_more_is_fetched(rows, tmp_path, monkeypatch):
    fetches, device_get = [], jax.device_get
    monkeypatch.setattr(jax, "device_get", lambda tree: fetches.append(tree) or device_get(tree))

    def programs_and_fetches(*callbacks):
        fetches.clear()
        trained = model()
        fit(trained, rows, *callbacks)
        return set(trained._trainer.programs._jitted), len(fetches)

    assert programs_and_fetches(TensorBoard(tmp_path)) == programs_and_fetches()


def test_values_are_on_the_disk_when_an_epoch_has_ended(trained, rows, tmp_path):
    seen = []
    look = Lambda(on_epoch_end=lambda epoch, logs: seen.append(len(values_of(tmp_path / "train"))))
    fit(trained, rows, TensorBoard(tmp_path), look)
    assert seen == [1, 2]


@pytest.mark.parametrize("epochs", [1, 2])
def test_files_are_closed_when_a_fit_ends_and_when_it_fails(trained, rows, tmp_path, epochs):
    def fail(epoch, logs):
        if epoch == 1:
            raise RuntimeError("the user's own")

    board = TensorBoard(tmp_path, update_freq="batch")
    try:
        fit(trained, rows, board, Lambda(on_epoch_end=fail), epochs=epochs)
    except RuntimeError as error:
        assert str(error) == "the user's own"
    assert board._files == {}
    assert steps_of(tmp_path / "train") == list(range(1, 2 * epochs + 1))


def test_histograms_show_parameters_and_summaries_every_nth_epoch(rows, tmp_path):
    def watched(x):
        hidden = Linear(2, name="hidden")(x)
        elegy.add_summary("activations", hidden)
        elegy.add_summary("largest", jnp.max(hidden))
        return Linear(1)(hidden)

    trained = elegy.Model(watched, loss=some_complex_function, optimizer="sgd")
    fit(trained, rows, TensorBoard(tmp_path, histogram_freq=2), epochs=4, validated=False)
    read = reader(tmp_path / "train", size_guidance={HISTOGRAMS: 0})
    names = ["hidden/b", "hidden/w", "linear/b", "linear/w"]
    assert read.Tags()["histograms"] == [*(f"parameters/{name}" for name in names), "summaries/activations"]
    steps = [event.step for event in read.Histograms("parameters/hidden/w")]
    histogram = read.Histograms("parameters/hidden/w")[-1].histogram_value
    weights = np.asarray(trained.parameters["hidden"]["w"])
    assert steps == [1, 3] and histogram.num == sum(histogram.bucket) == 6
    shown, expected = [histogram.min, histogram.max, histogram.sum], [weights.min(), weights.max(), weights.sum()]
    np.testing.assert_allclose(shown, expected, rtol=1e-5)
    assert read.Histograms("summaries/activations")[0].histogram_value.num == 8
    assert {"activations", "largest"} <= set(read.Tags()["scalars"])


def test_histograms_and_steps_go_together(trained, rows, tmp_path):
    fit(trained, rows, TensorBoard(tmp_path, update_freq=1, histogram_freq=1), validated=False)
    read = reader(tmp_path / "train", size_guidance={HISTOGRAMS: 0})
    assert steps_of(tmp_path / "train") == [1, 2, 3, 4]
    assert [event.step for event in read.Histograms("parameters/w")] == [2, 4]


def test_a_histogram_leaves_out_what_is_not_finite(tmp_path):
    file = EventFile(str(tmp_path))
    arrays = {"mixed": np.array([1.0, np.nan, -np.inf, 1e30]), "none": np.array([np.nan]), "empty": np.zeros((0, 2))}
    file.histograms({**arrays, "complex": np.array([3 + 4j])}, 0)
    file.close()
    read = reader(tmp_path)
    assert read.Tags()["histograms"] == ["mixed", "complex"]
    assert [read.Histograms(tag)[0].histogram_value.max for tag in ("mixed", "complex")] == [1e30, 5.0]


def session_groups(folder):
    """What the HParams dashboard shows for a folder of runs."""
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
    board = TBContext(data_provider=MultiplexerDataProvider(multiplexer, str(folder)), multiplexer=multiplexer)
    context, request = backend_context.Context(board), RequestContext()
    experiment = context.experiment_from_metadata(
        request, "", True, context.hparams_metadata(request, ""), context.hparams_from_data_provider(request, "", 100)
    )
    asked = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=10, allowed_statuses=api_pb2.Status.values())
    asked.col_params.extend(api_pb2.ColParams(metric=info.name) for info in experiment.metric_infos)
    handler = list_session_groups.Handler(request, context, "", asked)
    return handler.run().session_groups


def test_hyper_parameters_are_shown_with_the_final_metrics(trained, rows, tmp_path):
    histories = []
    for width, name in ((np.int32(1), "one"), (2, "two")):
        board = TensorBoard(tmp_path / name, hparams={"width": width, "optimizer": "adam", "tied": True})
        histories.append(fit(trained, rows, board, epochs=width))
    groups = sorted(session_groups(tmp_path), key=lambda group: group.hparams["width"].number_value)
    for group, history in zip(groups, histories, strict=True):
        assert (group.hparams["optimizer"].string_value, group.hparams["tied"].bool_value) == ("adam", True)
        finals = {(metric.name.group, metric.name.tag): metric.value for metric in group.metric_values}
        assert finals["train", "loss"] == pytest.approx(history["loss"][-1])
        assert finals["validation", "interval"] == pytest.approx(history["val_interval"][-1])


def test_the_default_folder_names_time_host_and_comment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    logdir = TensorBoard(comment="_wide").logdir
    assert logdir.startswith("runs" + os.sep) and logdir.endswith(f"_{socket.gethostname()}_wide")
    assert os.listdir(tmp_path) == []


def test_it_works_eagerly_and_can_be_pickled_before_it_is_used(rows, tmp_path):
    board = pickle.loads(pickle.dumps(TensorBoard(tmp_path, update_freq="batch")))
    fit(model(run_eagerly=True), rows, board, epochs=1)
    assert steps_of(tmp_path / "train") == [1, 2]


def test_an_own_step_without_metrics_is_logged(rows, tmp_path):
    class Own(elegy.Model):
        def train_step(self, state, batch):
            return state, {"distance": jnp.float32(2.0)}

    own = Own(Linear(1), optimizer=optax.sgd(0.1))
    own.fit(rows, callbacks=TensorBoard(tmp_path, update_freq="batch", histogram_freq=1), verbose=0)
    assert curves(tmp_path / "train") == {"distance": [(1, 2.0)]}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"log_dir": "logs"},
            TypeError,
            r"given `log_dir=`, which does not exist\. It takes: logdir.*`logdir=\"logs\"`",
        ),
        ({"write_graph": True}, TypeError, r"model\.summary"),
        ({"write_images": True}, TypeError, "histogram_freq=1"),
        ({"write_steps_per_second": True}, TypeError, "progress bar"),
        ({"profile_batch": 2}, TypeError, r"jax\.profiler\.trace"),
        ({"embeddings_freq": 1}, TypeError, "leave it out"),
        ({"embeddings_metadata": "file"}, TypeError, "leave it out"),
        ({"hparam": {}}, TypeError, "Did you mean `hparams`"),
        ({"logdir": "logs", "comment": "_wide"}, ValueError, "Give one of them"),
        ({"update_freq": "step"}, ValueError, "update_freq='step'"),
        ({"update_freq": 0}, ValueError, "a number of steps from 1"),
        ({"histogram_freq": 1.5}, ValueError, r"`histogram_freq=1\.5`"),
        ({"purge_step": -1}, ValueError, "`purge_step=-1`"),
        ({"hparams": [1]}, TypeError, "`hparams` of type list"),
        ({"hparams": {"layers": [1, 2]}}, TypeError, "hyper-parameter `'layers'` of type list"),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_to_write(arguments, error, message):
    with pytest.raises(error, match=message):
        TensorBoard(**arguments)


def test_a_folder_that_cannot_be_written_is_one_warning_and_ends_no_fit(trained, rows, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(UserWarning, match="TensorBoard") as warned:
        history = fit(trained, rows, TensorBoard(tmp_path / "file" / "logs"), epochs=3)
    assert len(history["loss"]) == 3
    assert len([w for w in warned if "TensorBoard" in str(w.message)]) == 1


def test_without_tensorboardx_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r'pip install "elegy\[tensorboard\]"'):
        TensorBoard("logs")


def test_elegy_imports_no_writer_of_its_own():
    program = "import sys, elegy; print(sorted({'tensorboardX', 'tensorboard', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"
