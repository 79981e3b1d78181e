"""What every built-in metric keeps: pure verbs of fixed shape that merge, trace, vectorise and pickle."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy._inject import wants
from elegy.metrics import (
    F1,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    Mean,
    MeanAbsoluteError,
    MeanSquaredError,
    Precision,
    Recall,
    SparseCategoricalAccuracy,
    Sum,
)

RANDOM = np.random.default_rng(3)
SCORES = RANDOM.random((12, 3)).astype("float32")
CLASSES = RANDOM.integers(0, 3, 12).astype("int32")
YES_NO = RANDOM.integers(0, 2, (12, 3)).astype("int32")
WEIGHTS = RANDOM.random(12).astype("float32")

METRICS = {
    "accuracy": (Accuracy(), CLASSES, CLASSES[::-1].copy()),
    "binary": (BinaryAccuracy(), YES_NO, SCORES),
    "categorical": (CategoricalAccuracy(), np.eye(3, dtype="float32")[CLASSES], SCORES),
    "sparse": (SparseCategoricalAccuracy(), CLASSES, SCORES),
    "mse": (MeanSquaredError(), SCORES[::-1].copy(), SCORES),
    "mae": (MeanAbsoluteError(), SCORES[::-1].copy(), SCORES),
    "mean": (Mean(), CLASSES, SCORES),
    "sum": (Sum(), CLASSES, SCORES),
    "precision": (Precision(), YES_NO, SCORES),
    "recall_thresholds": (Recall(thresholds=[0.3, 0.6]), YES_NO, SCORES),
    "precision_top_k": (Precision(top_k=2), CLASSES, SCORES),
    "recall_class": (Recall(class_id=1), CLASSES, SCORES),
    "f1_macro": (F1(average="macro"), CLASSES, SCORES),
    "f1_weighted": (F1(average="weighted"), YES_NO, SCORES),
    "f1_none": (F1(average=None), CLASSES, SCORES),
}

each_metric = pytest.mark.parametrize(("metric", "y_true", "y_pred"), METRICS.values(), ids=METRICS)


def offer(metric, y_true, y_pred, weights=None):
    values = {"y_true": jnp.asarray(y_true), "y_pred": jnp.asarray(y_pred), "sample_weight": weights}
    return {name: values[name] for name in wants(metric.update).names if name in values}


def empty(metric, y_pred):
    return metric.empty(y_pred=jnp.asarray(y_pred)) if "y_pred" in wants(metric.empty).names else metric.empty()


def state_after(metric, *batch):
    return metric.update(empty(metric, batch[1]), **offer(metric, *batch))


@each_metric
def test_merged_states_are_the_state_of_all_rows(metric, y_true, y_pred):
    first = state_after(metric, y_true[:5], y_pred[:5], WEIGHTS[:5])
    second = state_after(metric, y_true[5:], y_pred[5:], WEIGHTS[5:])
    together = metric.update(first, **offer(metric, y_true[5:], y_pred[5:], WEIGHTS[5:]))
    merged = metric.compute(metric.merge(first, second))
    np.testing.assert_allclose(merged, metric.compute(state_after(metric, y_true, y_pred, WEIGHTS)), rtol=1e-6)
    np.testing.assert_allclose(merged, metric.compute(together), rtol=1e-6)


@each_metric
def test_an_empty_state_changes_nothing_when_merged(metric, y_true, y_pred):
    state = state_after(metric, y_true, y_pred)
    merged = metric.merge(empty(metric, y_pred), state)
    np.testing.assert_array_equal(metric.compute(merged), metric.compute(state))


@each_metric
def test_the_compiled_value_is_the_eager_one(metric, y_true, y_pred):
    def value(batch):
        return metric.compute(metric.update(empty(metric, y_pred), **batch))

    batch = offer(metric, y_true, y_pred, jnp.asarray(WEIGHTS))
    np.testing.assert_allclose(jax.jit(value)(batch), value(batch), rtol=1e-6)


@each_metric
def test_structure_shapes_and_dtypes_stay_from_step_to_step(metric, y_true, y_pred):
    before = empty(metric, y_pred)
    after = metric.update(before, **offer(metric, y_true, y_pred, WEIGHTS))
    assert jax.tree.structure(before) == jax.tree.structure(after)
    assert jax.tree.map(jnp.shape, before) == jax.tree.map(jnp.shape, after)
    assert {leaf.dtype for leaf in jax.tree.leaves((before, after))} == {np.dtype("float32")}


@each_metric
def test_the_initial_state_can_be_made_from_shapes_alone(metric, y_true, y_pred):
    shapes = jax.ShapeDtypeStruct(y_pred.shape, y_pred.dtype)
    made = metric.empty(y_pred=shapes) if "y_pred" in wants(metric.empty).names else metric.empty()
    assert jax.tree.map(jnp.shape, made) == jax.tree.map(jnp.shape, state_after(metric, y_true, y_pred))


@each_metric
def test_rows_of_weight_zero_count_for_nothing(metric, y_true, y_pred):
    weights = np.repeat([1.0, 0.0], [7, 5]).astype("float32")
    value = metric.compute(state_after(metric, y_true, y_pred, weights))
    np.testing.assert_allclose(value, metric.compute(state_after(metric, y_true[:7], y_pred[:7])), rtol=1e-6)


@each_metric
def test_weights_that_are_all_zero_give_zero(metric, y_true, y_pred):
    value = metric.compute(state_after(metric, y_true, y_pred, np.zeros(12, "float32")))
    np.testing.assert_array_equal(value, np.zeros_like(value))


@each_metric
def test_several_seeds_run_under_one_vmap(metric, y_true, y_pred):
    several = jnp.stack([jnp.asarray(y_pred), jnp.flip(jnp.asarray(y_pred), axis=0)])
    values = jax.vmap(lambda one: metric.compute(state_after(metric, y_true, one)))(several)
    expected = [metric.compute(state_after(metric, y_true, one)) for one in several]
    np.testing.assert_allclose(values, np.stack(expected), rtol=1e-6)


@each_metric
def test_a_metric_survives_pickling(metric, y_true, y_pred):
    copy = pickle.loads(pickle.dumps(metric))
    expected = metric.compute(state_after(metric, y_true, y_pred))
    np.testing.assert_array_equal(copy.compute(state_after(copy, y_true, y_pred)), expected)


@pytest.mark.parametrize(
    ("direction", "kinds"),
    [
        ("higher", [Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, Precision, Recall, F1]),
        ("lower", [MeanSquaredError, MeanAbsoluteError]),
        (None, [Mean, Sum]),
    ],
)
def test_each_metric_says_which_direction_is_better(direction, kinds):
    assert [kind.better for kind in kinds] == [direction] * len(kinds)
