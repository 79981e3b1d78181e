"""What a loss means: exact quotients (L1), batch axes (L2), weights (L3, L4), injected arrays (L5), paths (L7)."""

import warnings

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy

W = np.array([0.5, 0.0, 2.0, 1.0, 1.0, 3.0, 0.25, 0.25], np.float32)


def evaluate(loss, x, y=None, module=lambda x: x, **kwargs):
    return elegy.Model(module, loss=loss).evaluate(x, y, verbose=0, **kwargs)


class Reduced(elegy.Loss):
    def call(self, y_pred):
        return y_pred


@pytest.mark.parametrize("batch_size", [1, 3, 4, 8])
@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum_over_batch_size", lambda v: (W[:, None] * v).mean()),
        ("none", lambda v: (W[:, None] * v).mean()),
        ("mean_with_sample_weight", lambda v: (W[:, None] * v).sum() / np.broadcast_to(W[:, None], v.shape).sum()),
        ("sum", lambda v: (W[:, None] * v).sum()),
    ],
)
def test_each_reduction_is_exact_whatever_the_batches(rows, batch_size, reduction, expected):
    logs = evaluate(Reduced(reduction=reduction), rows, sample_weight=W, batch_size=batch_size)
    assert logs["reduced_loss"] == pytest.approx(expected(rows), rel=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_a_masked_pair_divides_by_the_mask(rows, batch_size):
    mask = (rows > 0.4).astype("float32")
    logs = evaluate(
        lambda x, y_pred: (y_pred, (x > 0.4).astype(jnp.float32)), rows, batch_size=batch_size, sample_weight=W
    )
    assert logs["loss"] == pytest.approx((W[:, None] * mask * rows).sum() / mask.sum(), rel=1e-5)


def test_a_scalar_counts_as_a_mean_over_the_samples(rows):
    assert evaluate(lambda y_pred: y_pred.mean(), rows, batch_size=3)["loss"] == pytest.approx(rows.mean(), rel=1e-6)


def test_a_vector_without_a_batch_axis_averages_over_batches(rows):
    logs = evaluate(lambda y_pred: jnp.array([1.0, 2.0, 6.0]) + 0 * y_pred.sum(), rows, batch_size=3)
    assert logs["loss"] == pytest.approx(3.0)


def test_nothing_over_nothing_is_zero_with_a_zero_gradient(rows):
    model = elegy.Model(
        elegy.nn.Linear(1), loss=elegy.losses.MeanSquaredError("mean_with_sample_weight"), optimizer="sgd"
    )
    before = model.init(rows, rows[:, :1]).parameters["w"]
    history = model.fit(rows, rows[:, :1], sample_weight=np.zeros(8), verbose=0)
    assert history.history["loss"] == [0.0]
    np.testing.assert_array_equal(before, model.parameters["w"])


def test_a_list_of_values_is_an_error_since_only_dicts_partition(rows):
    with pytest.raises(TypeError, match=r"only|or a dict of parts"):
        evaluate(lambda y_pred: [y_pred, y_pred, y_pred], rows)


def test_weight_multiplies_the_numerator_also_as_a_schedule(rows):
    loss = elegy.losses.MeanSquaredError(weight=lambda step: jnp.where(step < 2, 1.0, 3.0))
    history = elegy.Model(lambda x: x, loss=loss, optimizer=optax.sgd(0.0)).fit(
        rows, rows + 1, batch_size=4, epochs=2, verbose=0
    )
    assert history.history["loss"] == pytest.approx([1.0, 3.0], rel=1e-5)


def test_parameters_inside_a_loss_are_an_error(rows):
    class Learns(elegy.Loss):
        def call(self, y_pred):
            return y_pred * self.add_parameter("scale", initializer=1.0, trainable=True)

    with pytest.raises(ValueError, match=r"A loss keeps no arrays"):
        evaluate(Learns(), rows)
    with pytest.raises(ValueError, match=r"never trained"):
        evaluate(lambda y_pred: elegy.nn.Linear(1)(y_pred), rows)


# L2
@pytest.mark.parametrize(
    ("name", "loss", "expected"),
    [
        ("per sample", lambda y_pred: y_pred.mean(-1), lambda x: (W * x.mean(-1)).mean()),
        ("per element", lambda y_pred: y_pred, lambda x: (W[:, None] * x).mean()),
        ("batch axis last", lambda y_pred: y_pred.T, lambda x: (W[:, None] * x).mean()),
        ("per class", lambda y_pred: y_pred.mean(0), lambda x: x.mean()),
        ("scalar of parameters", lambda parameters: jnp.float32(5), lambda x: 5.0),
        (
            "pairs of samples",
            lambda y_pred: jnp.einsum("ij,kj->ik", y_pred, y_pred),
            lambda x: (W[:, None] * (x @ x.T)).mean(),
        ),
    ],
)
def test_which_axis_is_the_batch_is_found_out(rows, name, loss, expected):
    assert evaluate(loss, rows, sample_weight=W)["loss"] == pytest.approx(expected(rows), rel=1e-5), name


def test_a_square_of_batch_and_classes_is_not_guessed():
    x = np.arange(9, dtype="float32").reshape(3, 3)
    logs = evaluate(lambda y_pred: y_pred.mean(0), x, sample_weight=np.array([1.0, 0.0, 0.0]))
    assert logs["loss"] == pytest.approx(x.mean())


def test_a_function_that_insists_on_its_batch_size_is_assumed_to_lead_with_it(rows):
    logs = evaluate(lambda y_pred: jnp.reshape(y_pred, (8, 3)).mean(-1), rows, sample_weight=W)
    assert logs["loss"] == pytest.approx((W * rows.mean(-1)).mean(), rel=1e-5)


def test_a_plain_function_that_names_sample_weight_weighs_itself(rows):
    logs = evaluate(lambda y_pred, sample_weight: y_pred.mean(-1) * sample_weight**2, rows, sample_weight=W)
    assert logs["loss"] == pytest.approx((W**2 * rows.mean(-1)).mean(), rel=1e-5)


def test_a_loss_class_that_names_sample_weight_is_weighted_all_the_same(rows):
    class Looks(elegy.Loss):
        def call(self, y_pred, sample_weight):
            return y_pred.mean(-1) + 0 * sample_weight

    assert evaluate(Looks(), rows, sample_weight=W)["loss"] == pytest.approx((W * rows.mean(-1)).mean(), rel=1e-5)


@pytest.mark.parametrize("place", ["module", "loss", "metric"])
def test_silent_broadcasts_of_two_batches_are_an_error_naming_both_shapes(rows, place):
    def broadcasts(x):
        return jnp.mean((x[:, 0] - x[:, :1]) ** 2)

    parts = {
        "module": {"module": lambda x: x + broadcasts(x), "loss": elegy.losses.MeanAbsoluteError()},
        "loss": {"module": lambda x: x, "loss": lambda y_pred: broadcasts(y_pred)},
        "metric": {"module": lambda x: x, "metrics": lambda y_pred: broadcasts(y_pred), "loss": lambda y_pred: y_pred},
    }[place]
    with pytest.raises(ValueError, match=r"\(8,\) and \(8, 1\)"):
        elegy.Model(**parts).evaluate(rows, rows, verbose=0)


def test_built_ins_refuse_labels_of_another_rank(rows):
    with pytest.raises(ValueError, match=r"\[8\].*\[8,1\]|\(8,\).*\(8, 1\)"):
        evaluate("mse", rows[:, :1], rows[:, 0])


# L3
def test_a_scalar_of_outputs_with_weights_warns_once_naming_it(rows):
    def mine(y_true, y_pred):
        return jnp.mean(y_true - y_pred)

    model = elegy.Model(lambda x: x, loss=mine)
    with pytest.warns(UserWarning, match=r"loss `mine` returns a scalar"):
        model.evaluate(rows, rows, sample_weight=W, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.evaluate(rows, rows, sample_weight=W, batch_size=2, verbose=0)


def test_a_regularizer_with_weights_does_not_warn(rows):
    loss = [elegy.losses.MeanSquaredError(), elegy.regularizers.GlobalL2(), lambda parameters: jnp.float32(1)]
    evaluate(loss, rows, rows[:, :1], module=elegy.nn.Linear(1), sample_weight=W)


# L4
def two_heads(x):
    return {"a": x, "b": 2 * x}


def test_weights_per_output_go_to_losses_with_on_and_a_missing_one_is_one(rows):
    mse = elegy.losses.MeanSquaredError
    labels = {"a": rows + 1, "b": 2 * rows + 1}
    logs = evaluate([mse(on="a"), mse(on="b")], rows, labels, module=two_heads, sample_weight={"a": W})
    assert logs["mean_squared_error_loss"] == pytest.approx(W.mean(), rel=1e-5)
    assert logs["mean_squared_error_loss_1"] == pytest.approx(1.0, rel=1e-5)


def test_weights_per_output_need_on(rows):
    with pytest.raises(ValueError, match=r"on="):
        evaluate(lambda y_pred: y_pred["a"], rows, module=two_heads, sample_weight={"a": W})


LABELS = np.array([0, 1, 2, 1, 0, 2, 2, 1])


@pytest.mark.parametrize("kind", ["sparse", "one-hot", "binary"])
def test_class_weight_multiplies_the_values_of_its_class_in_training_only(kind):
    logits = np.random.RandomState(1).randn(8, 3).astype("float32")
    weights = {1: 3.0} if kind == "binary" else {1: 3.0, 2: 0.5}
    if kind == "sparse":
        loss, y = elegy.losses.SparseCategoricalCrossentropy(from_logits=True), LABELS
        values = optax.softmax_cross_entropy_with_integer_labels(logits, LABELS)
        w = np.array([1.0, 3.0, 0.5])[LABELS]
    elif kind == "one-hot":
        loss, y = elegy.losses.CategoricalCrossentropy(from_logits=True), np.eye(3, dtype="float32")[LABELS]
        values = optax.softmax_cross_entropy_with_integer_labels(logits, LABELS)
        w = np.array([1.0, 3.0, 0.5])[LABELS]
    else:
        logits = logits[:, :1]
        loss, y = elegy.losses.BinaryCrossentropy(from_logits=True), (LABELS[:, None] > 0).astype("float32")
        values = optax.sigmoid_binary_cross_entropy(logits, y)[:, 0]
        w = np.where(y[:, 0] > 0.5, 3.0, 1.0)
    model = elegy.Model(lambda x: x, loss=loss, optimizer=optax.sgd(0.0))
    history = model.fit(logits, y, class_weight=weights, sample_weight=W, batch_size=3, verbose=0).history
    assert history["loss"][0] == pytest.approx(float(np.mean(W * w * values)), rel=1e-4)
    assert model.evaluate(logits, y, verbose=0)["loss"] == pytest.approx(float(np.mean(values)), rel=1e-4)


def test_class_weight_that_nobody_uses_is_an_error(rows):
    with pytest.raises(ValueError, match=r"No loss or metric of the model asks for it"):
        elegy.Model(lambda x: x, loss=elegy.losses.MeanSquaredError(), optimizer="sgd").fit(
            rows, rows, class_weight={0: 1.0}, verbose=0
        )


def test_class_weight_per_output():
    cross = elegy.losses.SparseCategoricalCrossentropy
    logits = np.zeros((8, 3), np.float32)
    model = elegy.Model(
        lambda x: {"a": x, "b": x},
        loss=[cross(from_logits=True, on="a"), cross(from_logits=True, on="b")],
        optimizer=optax.sgd(0.0),
    )
    y = {"a": LABELS, "b": LABELS}
    history = model.fit(logits, y, class_weight={"a": {0: 2.0, 1: 2.0, 2: 2.0}}, verbose=0).history
    assert history["sparse_categorical_crossentropy_loss"][0] == pytest.approx(2 * np.log(3), rel=1e-5)
    assert history["sparse_categorical_crossentropy_loss_1"][0] == pytest.approx(np.log(3), rel=1e-5)


# L5
def test_gradients_flow_through_injected_parameters(rows):
    model = elegy.Model(
        elegy.nn.Linear(1, w_init=jnp.ones),
        loss=lambda parameters: jnp.sum(parameters["w"] ** 2),
        optimizer=optax.sgd(0.25),
    )
    model.train_on_batch(rows)
    np.testing.assert_allclose(model.parameters["w"], 0.5)


def test_gradients_flow_through_injected_states(rows):
    class Keeps(elegy.Module):
        def call(self, x):
            w = self.add_parameter("w", initializer=3.0)
            self.add_parameter("kept", initializer=0.0, trainable=False)
            self.update_parameter("kept", w**2)
            return x

    model = elegy.Model(Keeps(), loss=lambda states: states["kept"], optimizer=optax.sgd(0.1))
    model.train_on_batch(rows)
    assert float(model.parameters["w"]) == pytest.approx(3 - 0.1 * 6)


def test_half_precision_outputs_reach_losses_as_float32_and_integer_labels_stay(rows):
    seen = {}

    def loss(y_true, y_pred):
        seen.update(y_true=y_true.dtype, y_pred=y_pred.dtype)
        return y_pred

    evaluate(loss, rows, np.arange(8, dtype="uint8"), module=lambda x: x.astype(jnp.bfloat16))
    assert seen == {"y_true": jnp.uint8, "y_pred": jnp.float32}


# L7
def test_bind_points_any_argument_at_any_path(rows):
    loss = elegy.bind(elegy.losses.MeanSquaredError(weight=2.0), y_true="x", y_pred="y_pred.decoded[0]")
    logs = evaluate(loss, rows, module=lambda x: {"decoded": [x + 3, x]})
    assert logs["mean_squared_error_loss"] == pytest.approx(18.0, rel=1e-5)


def test_bind_serves_metrics_functions_and_parameters(rows):
    norm = elegy.bind(lambda v: jnp.sum(v**2), v="parameters/w")
    model = elegy.Model(
        elegy.nn.Linear(2, w_init=jnp.ones), metrics=[norm, elegy.bind(elegy.metrics.Mean(), y_pred="x")]
    )
    logs = model.evaluate(rows, verbose=0)
    assert logs["lambda"] == 6.0 and logs["mean"] == pytest.approx(rows.mean(), rel=1e-6)


def test_bind_refuses_an_argument_and_a_path_that_are_not_there(rows):
    with pytest.raises(elegy.InjectionError, match=r"points `y_tru`.*Did you mean `y_true`"):
        elegy.bind(elegy.losses.MeanSquaredError(), y_tru="x")
    with pytest.raises(KeyError, match=r"It has: a, b"):
        evaluate(elegy.bind(elegy.losses.MeanSquaredError(), y_true="x", y_pred="y_pred/c"), rows, module=two_heads)


# L8
def test_a_changed_attribute_is_never_ignored(rows, caplog):
    loss = elegy.losses.Huber(delta=1.0)
    model = elegy.Model(lambda x: x, loss=loss)
    before = model.evaluate(rows, rows + 3, verbose=0)["loss"]
    loss.delta = 2.0
    after = model.evaluate(rows, rows + 3, verbose=0)["loss"]
    assert (before, after) == pytest.approx((2.5, 4.0), rel=1e-5)
    assert "delta` changed from 1.0 to 2.0" in caplog.text


def test_a_live_weight_changes_without_compiling_anew(rows, caplog):
    loss = elegy.losses.MeanSquaredError()
    model = elegy.Model(lambda x: x, loss=loss, optimizer=optax.sgd(0.0))
    first = model.fit(rows, rows + 1, verbose=0).history["loss"][0]
    loss.weight = 5.0
    assert model.fit(rows, rows + 1, verbose=0).history["loss"][0] == pytest.approx(5 * first)
    assert caplog.text == ""
