"""What a metric is: four verbs or hooks (T1), fixed dtypes (T2), what logs hold (T3), metrics from metrics."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy

W = np.array([0.5, 0.0, 2.0, 1.0, 1.0, 3.0, 0.25, 0.25], np.float32)


def evaluate(metrics, x, y=None, module=lambda x: x, **kwargs):
    return elegy.Model(module, metrics=metrics).evaluate(x, y, verbose=0, **kwargs)


def norm(tree):
    return jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree)))


class Largest(elegy.Metric):
    """Written with the four verbs."""

    better = "higher"

    def empty(self):
        return jnp.float32(-jnp.inf)

    def update(self, state, y_pred):
        return jnp.maximum(state, y_pred.max())

    def merge(self, a, b):
        return jnp.maximum(a, b)

    def compute(self, state):
        return state


class Hooked(elegy.Metric):
    """Written with hooks: the mean of all outputs."""

    def call(self, y_pred):
        total = self.add_parameter("total", initializer=0)
        count = self.add_parameter("count", initializer=0)
        self.update_parameter("total", total + y_pred.sum())
        self.update_parameter("count", count + y_pred.size)
        return (total + y_pred.sum()) / (count + y_pred.size)


@dataclasses.dataclass
class CluMean:
    """In the style of other libraries."""

    total: jax.Array
    count: jax.Array

    @classmethod
    def empty(cls):
        return cls(jnp.float32(0), jnp.float32(0))

    @classmethod
    def from_model_output(cls, values, **_):
        return cls(values.sum(), jnp.float32(values.size))

    def merge(self, other):
        return CluMean(self.total + other.total, self.count + other.count)

    def compute(self):
        return self.total / self.count


jax.tree_util.register_dataclass(CluMean)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_every_form_of_metric_accumulates_over_uneven_batches(rows, batch_size):
    metrics = {
        "verbs": Largest(),
        "hooks": Hooked(),
        "function": lambda y_pred: y_pred.mean(-1),
        "loss": elegy.losses.MeanSquaredError(),
        "merge": elegy.bind(CluMean, values="y_pred"),
    }
    logs = evaluate(metrics, rows, rows + 2, batch_size=batch_size)
    mean = pytest.approx(rows.mean(), rel=1e-5)
    assert logs["verbs/largest"] == rows.max() and logs["hooks/hooked"] == mean
    assert logs["function/lambda"] == mean and logs["merge/clu_mean"] == mean
    assert logs["loss/mean_squared_error"] == pytest.approx(4.0, rel=1e-5)


def test_a_hook_metric_that_keeps_nothing_is_averaged_over_the_samples(rows):
    class Plain(elegy.Metric):
        def call(self, y_pred):
            return y_pred.mean(-1)

    logs = evaluate(Plain(), rows, sample_weight=W, batch_size=3)
    assert logs["plain"] == pytest.approx((W * rows.mean(-1)).sum() / W.sum(), rel=1e-5)


def test_functions_divide_by_the_weights_and_losses_by_the_count(rows):
    logs = evaluate(
        [lambda y_pred: y_pred.mean(-1), elegy.losses.MeanAbsoluteError()],
        rows,
        0 * rows,
        sample_weight=W,
        batch_size=3,
    )
    assert logs["lambda"] == pytest.approx((W * rows.mean(-1)).sum() / W.sum(), rel=1e-5)
    assert logs["mean_absolute_error"] == pytest.approx((W * rows.mean(-1)).mean(), rel=1e-5)


def test_a_metric_with_hooks_cannot_be_merged():
    with pytest.raises(TypeError, match=r"Override `merge`"):
        Hooked().merge(1, 2)


def test_trainable_state_in_a_metric_is_an_error(rows):
    class Learns(elegy.Metric):
        def call(self, y_pred):
            return self.add_parameter("w", initializer=0.0, trainable=True)

    with pytest.raises(ValueError, match=r"is not trained"):
        evaluate(Learns(), rows)


def test_integer_state_may_become_float(rows):
    metric = Hooked()
    state = metric.empty(y_pred=jax.ShapeDtypeStruct((8, 3), jnp.float32))
    assert state.arrays["total"].dtype == jnp.float32 and state.arrays["count"].dtype == jnp.int32


def test_state_that_changes_its_shape_is_an_error_naming_it(rows):
    class Grows(elegy.Metric):
        def call(self, y_pred):
            seen = self.add_parameter("seen", initializer=0.0)
            self.update_parameter("seen", seen + y_pred)
            return y_pred.mean()

    with pytest.raises(ValueError, match=r"`seen` of metric `grows`.*keeps its shape"):
        evaluate(Grows(), rows)


def test_metrics_reset_with_each_epoch_and_do_not_mix_with_validation(rows):
    model = elegy.Model(
        lambda x: x, metrics=[Hooked(), Largest()], loss=lambda y_pred: y_pred, optimizer=optax.sgd(0.0)
    )
    history = model.fit(rows, validation_data=(10 * rows,), batch_size=3, epochs=3, verbose=0).history
    assert history["hooked"] == pytest.approx([rows.mean()] * 3, rel=1e-5)
    assert history["val_hooked"] == pytest.approx([10 * rows.mean()] * 3, rel=1e-5)
    assert history["largest"] == [rows.max()] * 3


def test_batch_logs_hold_the_steps_own_losses_and_running_metrics(rows):
    seen = []
    record = elegy.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(dict(logs)))
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred.mean(-1), metrics=Hooked(), optimizer=optax.sgd(0.0))
    history = model.fit(rows, batch_size=4, shuffle=False, callbacks=[record], verbose=0).history
    assert [logs["loss"] for logs in seen] == pytest.approx([rows[:4].mean(), rows[4:].mean()], rel=1e-5)
    assert [logs["hooked"] for logs in seen] == pytest.approx([rows[:4].mean(), rows.mean()], rel=1e-5)
    assert history["loss"] == pytest.approx([rows.mean()], rel=1e-5)


def test_verbs_of_one_batch_accumulate_until_reset(rows):
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, metrics=Hooked(), optimizer=optax.sgd(0.0))
    model.train_on_batch(rows[:4])
    assert model.train_on_batch(rows[4:])["hooked"] == pytest.approx(rows.mean(), rel=1e-5)
    model.test_on_batch(rows[:2])
    assert model.test_on_batch(rows[2:])["hooked"] == pytest.approx(rows.mean(), rel=1e-5)
    model.reset_metrics()
    assert model.train_on_batch(rows[:1])["hooked"] == pytest.approx(rows[:1].mean(), rel=1e-5)
    assert model.test_on_batch(rows[:1])["hooked"] == pytest.approx(rows[:1].mean(), rel=1e-5)


def test_a_metric_may_ask_for_other_metrics_by_name():
    def f1(precision, recall):
        return 2 * precision * recall / (precision + recall)

    y, scores = np.array([1.0, 0, 1, 1, 0, 1]), np.array([0.9, 0.8, 0.3, 0.6, 0.2, 0.7])
    metrics = [f1, elegy.metrics.Precision(), elegy.metrics.Recall(), elegy.metrics.F1(name="reference")]
    logs = evaluate(metrics, scores[:, None], y[:, None], batch_size=4)
    assert list(logs) == ["loss", "f1", "precision", "recall", "reference"]
    assert logs["f1"] == pytest.approx(logs["reference"], rel=1e-5)


def test_metrics_that_ask_for_each_other_are_refused_at_construction():
    def a(b):
        return b

    def b(a):
        return a

    with pytest.raises(ValueError, match=r"a -> b -> a ask for each other"):
        elegy.Model(lambda x: x, metrics=[a, b])


def test_metrics_see_losses_gradients_and_updates_in_training_only(rows):
    def gradient_norm(gradients):
        return norm(gradients)

    def update_norm(updates, gradients):
        return norm(updates) / norm(gradients)

    def doubled(losses):
        return 2 * losses["loss"]

    model = elegy.Model(
        elegy.nn.Linear(1), loss="mse", metrics=[gradient_norm, update_norm, doubled], optimizer=optax.sgd(0.5)
    )
    history = model.fit(rows, rows[:, :1], validation_data=(rows, rows[:, :1]), verbose=0).history
    assert history["update_norm"][0] == pytest.approx(0.5, rel=1e-4)
    assert history["doubled"][0] == pytest.approx(2 * history["loss"][0], rel=1e-5)
    assert "val_doubled" in history and "val_gradient_norm" not in history


def test_metrics_follow_on_and_weights_through_the_model(rows):
    model = elegy.Model(lambda x: {"a": x, "b": 0 * x}, metrics=elegy.metrics.MeanSquaredError(on="a"))
    logs = model.evaluate(rows, {"a": 0 * rows, "b": rows}, sample_weight=W, batch_size=3, verbose=0)
    expected = (W * (rows**2).mean(-1)).sum() / W.sum()
    assert logs["mean_squared_error"] == pytest.approx(expected, rel=1e-5)


def test_a_vector_of_results_is_logged_by_index():
    logs = evaluate(elegy.metrics.Recall(average=None), np.eye(3, dtype="float32"), np.arange(3))
    assert logs == {"loss": 0.0, "recall/0": 1.0, "recall/1": 1.0, "recall/2": 1.0}


def test_a_metrics_key_is_its_own_and_changes_nobodys_dropout(rows):
    def noise(key):
        return jax.random.normal(key)

    def train(metrics):
        model = elegy.Model(
            lambda x: elegy.nn.Dropout(0.5)(x), loss=lambda y_pred: y_pred, metrics=metrics, optimizer=optax.sgd(0.0)
        )
        return model.fit(rows, batch_size=4, epochs=2, verbose=0).history

    with_noise = train([noise, elegy.bind(noise, key="key")])
    assert with_noise["loss"] == train(None)["loss"]
    assert with_noise["noise"][0] != with_noise["noise_1"][0]


def test_every_metric_tells_its_better_direction():
    metrics = [Largest(), elegy.metrics.MeanAbsoluteError(), Hooked(), elegy.losses.Huber()]
    model = elegy.Model(lambda x: x, loss="mse", metrics=metrics)
    names = ("loss", "val_loss", "largest", "val_mean_absolute_error", "hooked", "huber")
    assert [model.better(name) for name in names] == ["lower", "lower", "higher", "lower", None, "lower"]
