"""What every metric keeps: pure verbs of fixed shape that merge, trace, vectorise and pickle."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sklearn.metrics

import elegy
from elegy import metrics
from elegy._inject import Offer
from elegy.metrics import Metric
from elegy.metrics._metric import empty_state, updated_state

from .table import Counted, Row, close, contract, log_name, types

RANDOM = np.random.default_rng(3)
SCORES = RANDOM.random((12, 3)).astype("float32")
CLASSES = RANDOM.integers(0, 3, 12).astype("int32")
YES_NO = RANDOM.integers(0, 2, (12, 3)).astype("int32")
WEIGHTS = RANDOM.random(12).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
OF_CLASSES, OF_YES_NO, OF_NUMBERS = (CLASSES, SCORES), (YES_NO, SCORES), (SCORES[::-1].copy(), SCORES)
OF_ONE_HOT = (ONE_HOT, SCORES)


class Hooked(Metric):
    """A metric of a user, written with hooks."""

    better = "higher"

    def call(self, y_pred, sample_weight=None):
        total = self.add_parameter("total", initializer=0.0)
        weight = jnp.ones(y_pred.shape[0], jnp.float32) if sample_weight is None else sample_weight
        total = total + jnp.sum(jnp.asarray(y_pred)[:, 0] * weight)
        self.update_parameter("total", total)
        return total


def named(*classes):
    """The key of metrics that share all verbs, of which the first one is run."""
    return ", ".join(f"elegy.metrics.{name}" for name in classes)


HOOKS = {"merged_states_are_the_state_of_all_rows": "hooks do not say how a metric's arrays combine"}
HOOKS |= {"an_empty_state_changes_nothing_when_merged": HOOKS["merged_states_are_the_state_of_all_rows"]}

# `make(**options)` makes the metric, with the options that all metrics have; `given` are 12 labels and 12 outputs.
HOST = {
    name: "in the compiled program it has neither a state nor a value"
    for name in (
        "structure_shapes_and_dtypes_stay_from_step_to_step",
        "weights_that_are_all_zero_give_zero",
        "it_runs_under_vmap",
    )
}

ROWS = {
    "elegy.metrics.Metric": Row(Hooked, OF_NUMBERS, HOOKS),
    "elegy.metrics.OnHost": Row(
        lambda **o: metrics.OnHost(sklearn.metrics.top_k_accuracy_score, better="higher", **o), OF_CLASSES, HOST
    ),
    "elegy.metrics.Accuracy": Row(metrics.Accuracy, (CLASSES, CLASSES[::-1].copy())),
    "elegy.metrics.BinaryAccuracy": Row(metrics.BinaryAccuracy, OF_YES_NO),
    "elegy.metrics.CategoricalAccuracy": Row(metrics.CategoricalAccuracy, OF_ONE_HOT),
    "elegy.metrics.SparseCategoricalAccuracy": Row(metrics.SparseCategoricalAccuracy, OF_CLASSES),
    "elegy.metrics.MeanSquaredError": Row(metrics.MeanSquaredError, OF_NUMBERS),
    "elegy.metrics.MeanAbsoluteError": Row(metrics.MeanAbsoluteError, OF_NUMBERS),
    "elegy.metrics.Mean": Row(metrics.Mean, OF_CLASSES),
    "elegy.metrics.Sum": Row(metrics.Sum, OF_CLASSES),
    "elegy.metrics.Precision": Row(metrics.Precision, OF_YES_NO),
    "elegy.metrics.Precision top_k": Row(lambda **o: metrics.Precision(top_k=2, **o), OF_CLASSES),
    "elegy.metrics.Recall thresholds": Row(lambda **o: metrics.Recall(thresholds=[0.3, 0.6], **o), OF_YES_NO),
    "elegy.metrics.Recall class": Row(lambda **o: metrics.Recall(class_id=1, **o), OF_CLASSES),
    "elegy.metrics.F1 macro": Row(lambda **o: metrics.F1(average="macro", **o), OF_CLASSES),
    "elegy.metrics.F1 weighted": Row(lambda **o: metrics.F1(average="weighted", **o), OF_YES_NO),
    "elegy.metrics.F1 each": Row(lambda **o: metrics.F1(average=None, **o), OF_CLASSES),
    "elegy.metrics.FBetaScore": Row(metrics.FBetaScore, OF_CLASSES),
    "elegy.metrics.Reduce": Row(lambda **o: metrics.Reduce("mean_with_sample_weight", **o), OF_CLASSES),
    named("SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy"): Row(
        lambda **o: metrics.SparseTopKCategoricalAccuracy(k=2, **o), OF_CLASSES
    ),
    named("TruePositives", "TrueNegatives", "ReduceConfusionMatrix"): Row(
        lambda **o: metrics.TruePositives(thresholds=[0.3, 0.6], **o), OF_YES_NO
    ),
    named("FalsePositives", "FalseNegatives"): Row(metrics.FalsePositives, OF_CLASSES),
    "elegy.metrics.AUC": Row(metrics.AUC, OF_YES_NO),
    "elegy.metrics.AUC labels": Row(lambda **o: metrics.AUC(curve="PR", multi_label=True, **o), OF_CLASSES),
    named("RecallAtPrecision", "PrecisionAtRecall", "SensitivityAtSpecificity", "SpecificityAtSensitivity"): Row(
        lambda **o: metrics.RecallAtPrecision(0.4, class_id=1, **o), OF_CLASSES
    ),
    "elegy.metrics.ConfusionMatrix": Row(metrics.ConfusionMatrix, OF_CLASSES),
    named("MatthewsCorrelation", "MeanIoU", "CohenKappa"): Row(metrics.MatthewsCorrelation, OF_ONE_HOT),
    "elegy.metrics.RootMeanSquaredError": Row(metrics.RootMeanSquaredError, OF_NUMBERS),
    named("LogCoshError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "Poisson"): Row(
        metrics.LogCoshError, OF_NUMBERS
    ),
    named("KLDivergence", "CategoricalHinge", "CategoricalCrossentropy"): Row(metrics.KLDivergence, OF_ONE_HOT),
    named("BinaryCrossentropy", "Hinge", "SquaredHinge"): Row(metrics.BinaryCrossentropy, OF_YES_NO),
    "elegy.metrics.SparseCategoricalCrossentropy": Row(
        lambda **o: metrics.SparseCategoricalCrossentropy(ignore_class=1, **o), OF_CLASSES
    ),
    "elegy.metrics.Perplexity": Row(metrics.Perplexity, OF_CLASSES),
    "elegy.metrics.CosineSimilarity": Row(metrics.CosineSimilarity, OF_NUMBERS),
    "elegy.metrics.R2Score": Row(metrics.R2Score, OF_NUMBERS),
    "elegy.metrics.PearsonCorrelation": Row(metrics.PearsonCorrelation, OF_NUMBERS),
}

LOWER = ("Error", "entropy", "Perplexity", "Hinge", "Divergence", "Poisson", "FalsePositives", "FalseNegatives")

strict = pytest.mark.usefixtures("strict_kernels")


def offer(y_true, y_pred, weights=None):
    return Offer({"y_true": jnp.asarray(y_true), "y_pred": jnp.asarray(y_pred), "sample_weight": weights})


def empty(metric, *batch):
    return empty_state(metric, offer(*batch), who="the metric")


def updated(metric, state, *batch):
    return updated_state(metric, state, offer(*batch), who="the metric")


def state_after(metric, *batch):
    return updated(metric, empty(metric, *batch), *batch)


def cut(row, rows, weights=None):
    """Some rows of what a metric is given."""
    return (*(values[rows] for values in row.given), None if weights is None else weights[rows])


@strict
@contract(ROWS)
def test_merged_states_are_the_state_of_all_rows(row):
    metric = row.make()
    first, second = (state_after(metric, *cut(row, rows, WEIGHTS)) for rows in (slice(5), slice(5, None)))
    close(metric.compute(metric.merge(first, second)), metric.compute(state_after(metric, *row.given, WEIGHTS)))


@strict
@contract(ROWS)
def test_two_updates_are_one_update_with_all_rows(row):
    metric = row.make()
    state = state_after(metric, *cut(row, slice(5), WEIGHTS))
    together = updated(metric, state, *cut(row, slice(5, None), WEIGHTS))
    close(metric.compute(together), metric.compute(state_after(metric, *row.given, WEIGHTS)))


@strict
@contract(ROWS)
def test_an_empty_state_changes_nothing_when_merged(row):
    metric = row.make()
    state = state_after(metric, *row.given)
    merged = metric.merge(empty(metric, *row.given), state)
    np.testing.assert_array_equal(metric.compute(merged), metric.compute(state))


@strict
@contract(ROWS)
def test_jit_equals_eager(row):
    def value(y_true, y_pred, weights):
        return metric.compute(state_after(metric, y_true, y_pred, weights))

    metric = row.make()
    close(jax.jit(value)(*row.given, WEIGHTS), value(*row.given, jnp.asarray(WEIGHTS)))


@strict
@contract(ROWS)
def test_structure_shapes_and_dtypes_stay_from_step_to_step(row):
    metric = row.make()
    before = empty(metric, *row.given, WEIGHTS)
    after = updated(metric, before, *row.given, WEIGHTS)
    assert types(before) == types(after) == types(updated(metric, after, *row.given, WEIGHTS))
    assert {leaf.dtype for leaf in jax.tree.leaves((before, after))} == {np.dtype("float32")}


@strict
@contract(ROWS)
def test_it_is_compiled_once(row):
    metric = row.make()
    counted = Counted(lambda state, y_true, y_pred, weights: updated(metric, state, y_true, y_pred, weights))
    program, state = jax.jit(counted), jax.tree.map(jnp.asarray, empty(metric, *row.given, WEIGHTS))
    for _ in range(3):
        state = program(state, *row.given, WEIGHTS)
    assert counted.traces == 1


@strict
@contract(ROWS)
def test_the_initial_state_can_be_made_from_shapes_alone(row):
    metric = row.make()
    y_true, y_pred = (jax.ShapeDtypeStruct(values.shape, values.dtype) for values in row.given)
    given = Offer({"y_true": y_true, "y_pred": y_pred, "sample_weight": None})
    made = empty_state(metric, given, who="the metric")
    assert jax.tree.map(jnp.shape, made) == jax.tree.map(jnp.shape, state_after(metric, *row.given))


@strict
@contract(ROWS)
def test_rows_of_weight_zero_count_for_nothing(row):
    metric, weights = row.make(), np.repeat([1.0, 0.0], [7, 5]).astype("float32")
    value = metric.compute(state_after(metric, *row.given, weights))
    close(value, metric.compute(state_after(metric, *cut(row, slice(7)))))


@strict
@contract(ROWS)
def test_weights_that_are_all_zero_give_zero(row):
    metric = row.make()
    value = metric.compute(state_after(metric, *row.given, np.zeros(12, "float32")))
    np.testing.assert_array_equal(value, np.zeros_like(value))


@strict
@contract(ROWS)
def test_it_runs_under_vmap(row):
    metric, (y_true, y_pred) = row.make(), row.given
    several = jnp.stack([jnp.asarray(y_pred), jnp.flip(jnp.asarray(y_pred), axis=0)])
    values = jax.vmap(lambda one: metric.compute(state_after(metric, y_true, one)))(several)
    close(values, jnp.stack([metric.compute(state_after(metric, y_true, one)) for one in several]))


@strict
@contract(ROWS)
def test_it_pickles(row):
    metric = row.make()
    copy = pickle.loads(pickle.dumps(metric))
    expected = metric.compute(state_after(metric, *row.given))
    np.testing.assert_array_equal(copy.compute(state_after(copy, *row.given)), expected)


@pytest.fixture(scope="module")
def logs():
    """By batch size the logs of one model that has every metric, each on its own part of the outputs."""
    named = {log_name(key): row for key, row in ROWS.items()}
    y, x = ({name: row.given[which] for name, row in named.items()} for which in (0, 1))
    model = elegy.Model(lambda inputs: inputs, metrics=[row.make(on=name, name=name) for name, row in named.items()])
    data = elegy.Batch(x={"inputs": x}, y_true=y, sample_weight=WEIGHTS)
    return {size: model.evaluate(data, batch_size=size, verbose=0) for size in (5, 12)}


@contract(ROWS)
def test_batches_of_uneven_sizes_are_exact(logs, key, row):
    del row
    names = [name for name in logs[5] if name == log_name(key) or name.startswith(log_name(key) + "/")]
    assert names and [logs[5][name] for name in names] == pytest.approx([logs[12][name] for name in names], rel=1e-5)


@contract(ROWS)
def test_it_says_which_direction_is_better(key, row):
    direction = {"lower": LOWER, None: ("Mean", "Sum", "Reduce", "ConfusionMatrix")}
    names = [name.split()[0].removeprefix("elegy.metrics.") for name in key.split(", ")]
    expected = [next((way for way, ends in direction.items() if name.endswith(ends)), "higher") for name in names]
    assert row.make().better == expected[0]
    assert [getattr(metrics, name).better for name in names[1:]] == expected[1:]
