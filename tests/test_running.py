"""How a fit runs: orders (F1), live numbers (F3), callbacks (F4), own steps (F5), data (F6, F9), interruption (F8)."""

import os
import signal
import threading

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.nn import Dropout, Linear

Lambda = elegy.callbacks.LambdaCallback


class Recorder(elegy.Metric):
    """Weighs each batch by its place, so that its value tells the order of the rows."""

    def call(self, x):
        place = self.add_parameter("place", initializer=0.0)
        total = self.add_parameter("total", initializer=0.0)
        weights = place + jnp.arange(x.shape[0])
        self.update_parameter("total", total + jnp.sum(weights * x[:, 0]))
        self.update_parameter("place", place + x.shape[0])
        return total + jnp.sum(weights * x[:, 0])


X = np.arange(16, dtype="float32")[:, None]


def order_model(**kwargs):
    return elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, metrics=Recorder(), optimizer=optax.sgd(0.0), **kwargs)


def test_each_pass_has_its_own_order_also_over_several_fits():
    model = order_model()
    apart = [model.fit(X, batch_size=4, verbose=0).history["recorder"][0] for _ in range(5)]
    together = order_model().fit(X, batch_size=4, epochs=5, verbose=0).history["recorder"]
    assert len(set(apart)) == 5 and apart == together


def test_the_order_follows_from_the_seed_and_initial_epoch_starts_at_its_pass():
    whole = order_model().fit(X, batch_size=4, epochs=4, verbose=0).history["recorder"]
    late = order_model().fit(X, batch_size=4, initial_epoch=2, epochs=4, verbose=0)
    other = order_model(seed=1).fit(X, batch_size=4, epochs=4, verbose=0).history["recorder"]
    assert late.history["recorder"] == whole[2:] and late.epoch == [2, 3]
    assert other != whole


def test_without_shuffling_rows_come_in_their_order():
    expected = float(np.sum(np.arange(16) ** 2))
    assert order_model().fit(X, batch_size=4, shuffle=False, verbose=0).history["recorder"] == [expected]


def test_steps_per_epoch_roll_over_the_passes():
    model = order_model()
    model.fit(X, batch_size=4, steps_per_epoch=3, epochs=4, shuffle=False, verbose=0)
    assert int(model.state.step) == 12 and int(model.state.data_pass) == 3


def test_batch_size_follows_from_steps_per_epoch():
    model = order_model()
    model.fit(X, steps_per_epoch=5, verbose=0)
    assert int(model.state.step) == 5


# M8
def test_equal_seeds_give_equal_bits_and_others_do_not(rows):
    def train(seed):
        model = elegy.Model(lambda x: Linear(1)(Dropout(0.5)(x)), loss="mse", optimizer="adam", seed=seed)
        model.fit(rows, rows[:, :1], batch_size=3, epochs=3, verbose=0)
        return jax.tree.leaves(model.parameters)

    for a, b in zip(train(7), train(7), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(train(7), train(8), strict=True))


def test_a_shared_module_called_twice_has_two_masks(rows):
    dropout = Dropout(0.5)
    model = elegy.Model(
        lambda x: (dropout(jnp.ones_like(x)), dropout(jnp.ones_like(x))),
        loss=lambda y_pred: (y_pred[0] - y_pred[1]) ** 2,
        optimizer=optax.sgd(0.0),
    )
    assert model.fit(rows, verbose=0).history["loss"][0] > 0


def test_a_seed_of_more_than_64_bits_is_an_error():
    with pytest.raises(ValueError, match=r"2\*\*64"):
        elegy.Model(lambda x: x, seed=2**64)
    assert elegy.Model(lambda x: x, seed=2**64 - 1).init(np.ones((1, 1))).seed.tolist() == [2**32 - 1, 2**32 - 1]


# F3
def test_a_callback_changes_a_loss_weight_and_the_learning_rate_scale(rows):
    loss = elegy.losses.MeanSquaredError()
    model = elegy.Model(Linear(1, w_init=jnp.zeros), loss=loss, optimizer=optax.sgd(1.0))

    def change(epoch, logs):
        loss.weight = 10.0
        model.lr_scale = 0.0

    history = model.fit(
        rows, rows[:, :1], batch_size=8, epochs=3, callbacks=Lambda(on_epoch_end=change), verbose=0
    ).history
    assert history["loss"][2] == pytest.approx(history["loss"][1], rel=1e-5)
    assert float(model.state.live["mean_squared_error_loss/weight"]) == 10.0 and model.lr_scale == 0.0


@pytest.mark.parametrize("optimizer", ["adam", 1e-3, optax.inject_hyperparams(optax.sgd)(learning_rate=1e-3)])
def test_a_known_learning_rate_is_logged_and_settable(rows, optimizer):
    model = elegy.Model(Linear(1), loss="mse", optimizer=optimizer)
    model.fit(rows, rows[:, :1], verbose=0)
    model.learning_rate = 0.5
    history = model.fit(rows, rows[:, :1], verbose=0).history
    assert list(history) == ["loss", "mse_loss", "learning_rate"] and history["learning_rate"] == [0.5]


def test_a_hidden_learning_rate_is_no_log_and_setting_it_says_what_to_write(rows):
    model = elegy.Model(Linear(1), loss="mse", optimizer=optax.sgd(1e-3))
    assert "learning_rate" not in model.fit(rows, rows[:, :1], verbose=0).history
    with pytest.raises(ValueError, match=r"optax\.inject_hyperparams.*lr_scale"):
        model.learning_rate = 0.5


# F4
def test_hooks_come_in_keras_order(rows):
    calls = []
    names = (
        "train_begin",
        "train_end",
        "epoch_begin",
        "epoch_end",
        "train_batch_begin",
        "train_batch_end",
        "test_begin",
        "test_end",
        "test_batch_begin",
        "test_batch_end",
    )
    hooks = {f"on_{name}": lambda *args, name=name, **kwargs: calls.append(name) for name in names}
    watch = type("Watch", (elegy.Callback,), {k: lambda self, *a, f=f, logs=None: f() for k, f in hooks.items()})()
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer="sgd")
    model.fit(rows, batch_size=4, validation_data=(rows,), validation_batch_size=8, callbacks=[watch], verbose=0)
    step = ["train_batch_begin", "train_batch_end"]
    test = ["test_begin", "test_batch_begin", "test_batch_end", "test_end"]
    assert calls == ["train_begin", "epoch_begin", *step, *step, *test, "epoch_end", "train_end"]


def test_a_callback_stops_by_answer_and_by_flag(rows):
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer="sgd")
    stop = Lambda(on_epoch_end=lambda epoch, logs: elegy.Stop("enough") if epoch == 1 else None)
    assert model.fit(rows, epochs=9, callbacks=[stop], verbose=0).epoch == [0, 1]

    def flag(epoch, logs):
        model.stop_training = True

    assert model.fit(rows, epochs=9, callbacks=[Lambda(on_epoch_end=flag)], verbose=0).epoch == [0]


def test_a_dict_that_a_hook_answers_joins_the_history(rows):
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer="sgd")
    answer = Lambda(on_epoch_end=lambda epoch, logs: {"twice": 2 * logs["loss"]})
    history = model.fit(rows, callbacks=[answer], verbose=0).history
    assert history["twice"][0] == pytest.approx(2 * history["loss"][0])


def test_early_stopping_restores_the_best_weights(rows):
    model = elegy.Model(Linear(1), loss="mse", optimizer=optax.sgd(5.0))
    best = {}

    def note(epoch, logs, run):
        best[logs["val_loss"]] = np.asarray(run.state.parameters["w"])

    class Note(elegy.Callback):
        def on_epoch_end(self, epoch, logs, run):
            note(epoch, logs, run)

    stopping = elegy.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    history = model.fit(
        rows, rows[:, :1], validation_data=(rows, rows[:, :1]), epochs=20, callbacks=[Note(), stopping], verbose=0
    )
    assert len(history.epoch) < 20
    np.testing.assert_allclose(model.parameters["w"], best[min(best)])
    np.testing.assert_allclose(model.module.w, best[min(best)])


# F5
def test_train_step_may_be_overridden_and_its_logs_are_exact(rows):
    class Mine(elegy.Model):
        def train_step(self, state, batch):
            state, logs = super().train_step(state, batch)
            size = batch["x"].shape[0]
            return state, {
                **logs,
                "double": 2 * logs["loss"],
                "rows": elegy.Ratio(size, None),
                "mean": batch["x"].mean(),
                "last": elegy.Running(batch["x"][-1, 0]),
            }

    model = Mine(lambda x: x, loss=lambda y_pred: y_pred.mean(-1), optimizer=optax.sgd(0.0))
    history = model.fit(rows, batch_size=3, shuffle=False, verbose=0).history
    assert history["double"][0] == pytest.approx(2 * rows.mean(), rel=1e-6)
    assert history["rows"] == [8.0] and history["mean"][0] == pytest.approx(rows.mean(), rel=1e-6)
    assert history["last"] == [rows[-1, 0]]


def test_several_optimizers_advance_alone(rows):
    class Two(elegy.Module):
        def call(self, x):
            return Linear(1, name="generator")(x) + Linear(1, name="critic")(x)

    class Alternate(elegy.Model):
        def train_step(self, state, batch):
            def total(parameters):
                outputs = self.forward(state, batch, parameters)
                loss, logs = self.losses(outputs, batch)
                return loss, (outputs, logs)

            gradients, (outputs, logs) = jax.grad(total, has_aux=True)(state.parameters)
            return self.apply_gradients(outputs.state, gradients, only="generator/*"), logs

    model = Alternate(Two(), loss="mse", optimizer={"generator/*": "sgd", "critic/*": "adam"})
    before = model.init(rows, rows[:, :1]).parameters
    model.fit(rows, rows[:, :1], verbose=0)
    np.testing.assert_array_equal(before["critic"]["w"], model.parameters["critic"]["w"])
    assert (before["generator"]["w"] != model.parameters["generator"]["w"]).any()


def test_losses_may_be_chosen_by_name(rows):
    model = elegy.Model(lambda x: x, loss={"a": lambda y_pred: y_pred, "b": lambda y_pred: 2 * y_pred}, optimizer="sgd")
    state = model.init(rows)
    total, logs = model.losses(model.forward(state, {"x": rows}), {"x": rows}, only="b_loss")
    assert list(logs) == ["loss", "b_loss/lambda"] and float(total) == pytest.approx(2 * rows.mean(), rel=1e-5)
    with pytest.raises(ValueError, match=r"there are: a_loss/lambda, b_loss/lambda"):
        model.losses(model.forward(state, {"x": rows}), {"x": rows}, only="c")


# F6
def test_named_batches_make_their_columns_injectable(rows):
    def masked(y_pred, mask):
        return y_pred, jnp.broadcast_to(mask[:, None], y_pred.shape)

    mask = np.array([1, 1, 0, 0, 1, 0, 0, 1], np.float32)
    model = elegy.Model(lambda x: x, loss=masked, optimizer=optax.sgd(0.0))
    expected = pytest.approx((mask[:, None] * rows).sum() / (3 * mask.sum()), rel=1e-5)
    assert model.fit(elegy.Batch(x=rows, mask=mask), batch_size=3, verbose=0).history["loss"][0] == expected

    def stream():
        yield {"x": rows[:5], "y_true": rows[:5], "mask": mask[:5]}
        yield {"x": rows[5:], "y_true": rows[5:], "mask": mask[5:]}

    assert model.fit(stream, verbose=0).history["loss"][0] == expected


def test_columns_are_taken_out_of_a_mapping(rows):
    model = elegy.Model(lambda image: image, loss="mse", optimizer=optax.sgd(0.0))
    assert model.fit({"image": rows, "label": rows + 1}, y="label", verbose=0).history["loss"][0] == pytest.approx(
        1.0, rel=1e-5
    )


def test_an_iterator_needs_to_know_what_an_epoch_is(rows):
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer="sgd")
    with pytest.raises(ValueError, match=r"steps_per_epoch"):
        model.fit(iter([rows]), epochs=2, verbose=0)
    assert model.fit(iter([rows] * 6), epochs=2, steps_per_epoch=3, verbose=0).epoch == [0, 1]


def test_a_generator_that_ends_early_warns_and_keeps_the_partial_epoch(rows):
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer="sgd")
    with pytest.warns(UserWarning, match=r"ended after 2"):
        history = model.fit(iter([rows] * 5), epochs=3, steps_per_epoch=3, verbose=0)
    assert history.epoch == [0, 1]


def test_several_named_validation_sets(rows):
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer=optax.sgd(0.0))
    history = model.fit(rows, validation_data={"near": (rows,), "far": (10 * rows,)}, verbose=0).history
    assert history["val_far_loss"][0] == pytest.approx(10 * history["val_near_loss"][0], rel=1e-5)


def test_a_function_that_makes_a_stream_validates_every_epoch(rows):
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer=optax.sgd(0.0))

    def stream():
        return iter([rows[:3], rows[3:]])

    history = model.fit(rows, batch_size=4, epochs=2, validation_data=stream, verbose=0).history
    assert history["val_loss"] == pytest.approx([rows.mean()] * 2, rel=1e-6)


def test_a_train_step_of_its_own_may_update_the_metrics(rows):
    class Mine(elegy.Model):
        def train_step(self, state, batch):
            outputs = self.forward(state, batch)
            _, logs = self.losses(outputs, batch)
            state, running = self.update_metrics(outputs.state, outputs, batch, logs)
            return state, {**logs, **running}

    model = Mine(lambda x: x, loss=lambda y_pred: y_pred, metrics=elegy.metrics.Mean())
    history = model.fit(rows, batch_size=3, verbose=0).history
    assert history["mean"][0] == pytest.approx(rows.mean(), rel=1e-6)


def test_validation_split_takes_the_last_rows():
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer=optax.sgd(0.0))
    history = model.fit(X, validation_split=0.25, verbose=0).history
    assert history["loss"] == [X[:12].mean()] and history["val_loss"] == [X[12:].mean()]


@pytest.mark.parametrize(("freq", "count"), [(1, 4), (2, 2), ([1, 4], 2)])
def test_validation_freq(rows, freq, count):
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer="sgd")
    history = model.fit(rows, validation_data=(rows,), validation_freq=freq, epochs=4, verbose=0).history
    assert len(history["val_loss"]) == count and len(history["loss"]) == 4


# F7
def test_predict_returns_the_modules_structure_as_numpy(rows):
    got = elegy.Model(lambda x: {"a": [x, (2 * x,)]}).predict(rows, batch_size=3, verbose=0)
    np.testing.assert_allclose(got["a"][1][0], 2 * rows)
    assert isinstance(got["a"], list) and isinstance(got["a"][0], np.ndarray)


def test_predict_names_an_output_without_a_batch_axis(rows):
    with pytest.raises(ValueError, match=r"`y_pred\['mean'\]` is f32\[\]"):
        elegy.Model(lambda x: {"all": x, "mean": x.mean()}).predict(rows, verbose=0)


def test_validation_uses_the_same_key_in_every_pass(rows):
    def noise(key, y_pred):
        return jax.random.normal(key) + 0 * y_pred

    model = elegy.Model(lambda x: x, loss=noise, optimizer=optax.sgd(0.0))
    history = model.fit(rows, validation_data=(rows,), batch_size=3, epochs=2, verbose=0).history
    assert history["val_loss"][0] == history["val_loss"][1] and history["loss"][0] != history["loss"][1]


# F8
def test_the_first_ctrl_c_finishes_the_launch_and_returns_the_history(rows):
    ended = []
    model = elegy.Model(Linear(1), loss="mse", optimizer="sgd")
    press = Lambda(
        on_epoch_end=lambda epoch, logs: os.kill(os.getpid(), signal.SIGINT) if epoch == 1 else None,
        on_train_end=lambda logs: ended.append(True),
    )
    before = signal.getsignal(signal.SIGINT)
    history = model.fit(rows, rows[:, :1], epochs=9, callbacks=[press], verbose=0)
    assert history.interrupted and history.epoch == [0, 1] and ended == [True]
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_ctrl_c_raises_and_keeps_the_last_finished_launch(rows):
    model = elegy.Model(Linear(1), loss="mse", optimizer="sgd")

    def twice(epoch, logs):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        model.fit(rows, rows[:, :1], batch_size=4, epochs=9, callbacks=[Lambda(on_epoch_end=twice)], verbose=0)
    assert int(model.state.step) == 2
    np.testing.assert_array_equal(model.module.w, model.parameters["w"])


@pytest.mark.parametrize("mode", ["warn", "raise"])
def test_a_loss_that_is_not_finite_is_reported_with_its_step(rows, mode):
    model = elegy.Model(
        lambda x: x, loss=lambda y_pred, step: jnp.where(step == 3, jnp.nan, 1.0) * y_pred, optimizer=optax.sgd(0.0)
    )
    expectation = (
        pytest.warns(UserWarning, match=r"step 3")
        if mode == "warn"
        else pytest.raises(FloatingPointError, match=r"step 3")
    )
    with expectation:
        model.fit(rows, batch_size=2, epochs=3, nonfinite=mode, verbose=0)


def test_a_fit_reports_its_own_first_step_that_is_not_finite(rows):
    def loss(y_pred, step):
        return jnp.where(step == 1, jnp.nan, 1.0) * y_pred

    model = elegy.Model(lambda x: x, loss=loss, optimizer=optax.sgd(0.0))
    with pytest.warns(UserWarning, match="step 1"):
        model.fit(rows, batch_size=4, verbose=0)
    assert model.fit(rows, batch_size=4, nonfinite="raise", verbose=0).epoch == [0]


def test_terminate_on_nan(rows):
    model = elegy.Model(
        lambda x: x, loss=lambda y_pred, step: jnp.where(step == 5, jnp.nan, 1.0) * y_pred, optimizer=optax.sgd(0.0)
    )
    with pytest.warns(UserWarning, match=r"step 5"):
        model.fit(rows, batch_size=2, epochs=9, callbacks=[elegy.callbacks.TerminateOnNaN()], verbose=0)
    assert int(model.state.step) == 8  # the end of the launch in which it was told


def test_fit_works_outside_the_main_thread(rows):
    model = elegy.Model(Linear(1), loss="mse", optimizer="sgd")
    thread = threading.Thread(target=lambda: model.fit(rows, rows[:, :1], verbose=0))
    thread.start()
    thread.join()
    assert int(model.state.step) == 1


# F9, F10
def test_wide_numbers_are_narrowed_and_small_ones_stay():
    seen = {}

    def loss(x, y_true):
        seen.update({name: x[name].dtype.name for name in x}, y=y_true.dtype.name)
        return x["f"]

    x = {"f": np.ones(4), "i": np.arange(4), "u": np.arange(4, dtype="uint8")}
    elegy.Model(lambda f, **rest: f, loss=loss).evaluate(x, np.arange(4), verbose=0)
    assert seen == {"f": "float32", "i": "int32", "u": "uint8", "y": "int32"}
    with pytest.raises(ValueError, match=r"fit"):
        elegy.Model(lambda x: x, loss=lambda y_pred: y_pred).evaluate(np.array([2**40]), verbose=0)


def test_labels_that_are_asked_for_but_not_given_are_an_error_naming_y(rows):
    with pytest.raises(elegy.InjectionError, match=r"asks for `y_true`.*Give labels with `y=`"):
        elegy.Model(lambda x: x, loss="mse").evaluate(rows, verbose=0)
    assert elegy.Model(lambda x: x, loss=lambda y_pred, y_true=None: y_pred).evaluate(rows, verbose=0)["loss"] > 0


def test_kwargs_receive_exactly_the_eight_names_and_further_columns(rows):
    seen = []

    def everything(**kwargs):
        seen.append(set(kwargs))
        return kwargs["y_pred"]

    eight = {"x", "y_true", "y_pred", "sample_weight", "class_weight", "training", "parameters", "states"}
    elegy.Model(lambda x: x, loss=everything).evaluate(rows, verbose=0)
    assert seen[-1] == eight
    elegy.Model(lambda x: x, metrics=everything).evaluate(elegy.Batch(x=rows, mask=rows), verbose=0)
    assert seen[-1] == eight | {"mask"}


class Largest(elegy.Metric):
    """Its value is its state."""

    def empty(self):
        return jnp.float32(0)

    def update(self, state, y_pred):
        return jnp.maximum(state, y_pred.max())

    def merge(self, a, b):
        return jnp.maximum(a, b)

    def compute(self, state):
        return state


def test_logs_may_be_read_long_after_their_step(rows):
    running_logs, batch_logs = [], []

    class Later(elegy.callbacks.ProgressBar):
        def on_launch_end(self, steps_done, read_logs, waiting=None):
            running_logs.append(read_logs())

    keep = Lambda(on_train_batch_end=lambda batch, logs: batch_logs.append(logs))
    test_logs = Lambda(on_test_batch_end=lambda batch, logs: batch_logs.append(logs))
    model = elegy.Model(Linear(1), loss="mse", metrics=Largest(), optimizer="adam")
    model.fit(rows, rows[:, :1], batch_size=2, epochs=2, verbose=0, callbacks=[Later(0)], execution="single")
    model.fit(
        rows, rows[:, :1], batch_size=2, validation_data=(rows, rows[:, :1]), verbose=0, callbacks=[keep, test_logs]
    )
    assert all(logs["learning_rate"] == pytest.approx(1e-3) for logs in running_logs) and len(running_logs) == 8
    assert len(batch_logs) == 8 and all(logs["largest"] >= 0 for logs in batch_logs)
