"""Every metric has the value of Keras, scikit-learn or SciPy: weights, masks, uneven batches, logits, bfloat16."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from elegy import metrics

from .table import Row, contract, missing, ordinary

keras = pytest.importorskip("keras")

RANDOM = np.random.default_rng(7)
TARGETS = RANDOM.normal(scale=2, size=(12, 3)).astype("float32")
OUTPUTS = TARGETS + RANDOM.normal(size=(12, 3)).astype("float32")
POSITIVE, ALSO_POSITIVE = np.abs(TARGETS) + 0.1, np.abs(OUTPUTS) + 0.1
YES_NO = RANDOM.integers(0, 2, (12, 3))
CLASSES = RANDOM.integers(0, 3, 12)
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
SCORES = RANDOM.uniform(0.01, 0.99, (12, 3)).astype("float32")  # do not sum to 1
SOFT = RANDOM.dirichlet([1, 1, 1], 12).astype("float32")
LOGITS = RANDOM.normal(scale=3, size=(12, 3)).astype("float32")
CHOSEN = LOGITS.argmax(axis=1)
WEIGHTS = RANDOM.random(12).astype("float32")
MASK = np.where(RANDOM.random(12) < 0.4, 0, 1).astype("float32")


def of_keras(ours, y_true, y_pred, name=None, theirs=None, **further):
    """A metric that Keras has under its own name, with the same options or with `theirs`."""
    kind, options = ours.func.__name__, ours.keywords if theirs is None else theirs

    def reference(y_true, y_pred, weight):
        metric = getattr(keras.metrics, name or kind)(**options)
        with ordinary():
            metric.update_state(y_true, y_pred, weight)
            return np.asarray(metric.result())

    return Row(ours, reference, y_true, y_pred, **further)


def of_function(ours, y_true, y_pred, reference):
    """A metric that is compared with a function of labels, outputs and weights."""
    labels = np.int32 if y_true.dtype.kind == "i" else np.float32
    return Row(ours, lambda t, p, w: reference(np.asarray(t, labels), np.asarray(p, "float32"), w), y_true, y_pred)


def per_label(score):
    """One score for each column, averaged."""
    return lambda t, p, w: np.mean([score(t[:, i], p[:, i], w) for i in range(t.shape[1])])


def pearson(t, p, w):
    if w is None:
        return scipy.stats.pearsonr(t, p)[0]
    covariance = np.cov(np.stack([t, p]).astype("float64"), aweights=w, ddof=0)
    return covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])


def adjusted(t, p, w):
    rows = len(t) if w is None else np.count_nonzero(w)
    return 1 - (1 - sklearn.metrics.r2_score(t, p, sample_weight=w)) * (rows - 1) / (rows - 3)


def overlap(t, p, w, labels=(0, 1, 2)):
    return sklearn.metrics.jaccard_score(t, p.astype(int), labels=labels, average="macro", sample_weight=w)


def surprise(t, p, w):
    return sklearn.metrics.log_loss(t, p / p.sum(axis=1, keepdims=True), labels=[0, 1, 2], sample_weight=w)


def specific(score, **options):
    """A score of scikit-learn, of the classes that scores choose."""
    return lambda t, p, w: score(t, p.argmax(axis=-1) if p.ndim > 1 else p, sample_weight=w, **options)


def made(kind, **options):
    return functools.partial(getattr(metrics, kind), **options)


ROWS = {
    "elegy.metrics.Accuracy": of_keras(made("Accuracy"), CLASSES, CHOSEN),
    "elegy.metrics.BinaryAccuracy": of_keras(made("BinaryAccuracy"), YES_NO, SCORES),
    "elegy.metrics.BinaryAccuracy logits": of_keras(made("BinaryAccuracy", threshold=0), YES_NO, LOGITS),
    "elegy.metrics.CategoricalAccuracy": of_keras(made("CategoricalAccuracy"), ONE_HOT, LOGITS),
    "elegy.metrics.SparseCategoricalAccuracy": of_keras(made("SparseCategoricalAccuracy"), CLASSES, LOGITS),
    "elegy.metrics.TopKCategoricalAccuracy": of_keras(made("TopKCategoricalAccuracy", k=2), ONE_HOT, LOGITS),
    "elegy.metrics.SparseTopKCategoricalAccuracy": of_keras(
        made("SparseTopKCategoricalAccuracy", k=2), CLASSES, LOGITS
    ),
    "elegy.metrics.SparseTopKCategoricalAccuracy sorted": of_keras(
        made("SparseTopKCategoricalAccuracy", k=2, from_sorted_ids=True), CLASSES, np.argsort(-LOGITS, axis=1)
    ),
    "elegy.metrics.MeanSquaredError": of_keras(made("MeanSquaredError"), TARGETS, OUTPUTS),
    "elegy.metrics.MeanAbsoluteError": of_keras(made("MeanAbsoluteError"), TARGETS, OUTPUTS),
    "elegy.metrics.RootMeanSquaredError": of_keras(made("RootMeanSquaredError"), TARGETS, OUTPUTS),
    "elegy.metrics.BinaryCrossentropy": of_keras(made("BinaryCrossentropy"), YES_NO, SCORES),
    "elegy.metrics.BinaryCrossentropy logits": of_keras(
        made("BinaryCrossentropy", from_logits=True, label_smoothing=0.2), YES_NO, LOGITS
    ),
    "elegy.metrics.CategoricalCrossentropy": of_keras(made("CategoricalCrossentropy"), ONE_HOT, SCORES),
    "elegy.metrics.CategoricalCrossentropy logits": of_keras(
        made("CategoricalCrossentropy", from_logits=True, label_smoothing=0.2), ONE_HOT, LOGITS
    ),
    "elegy.metrics.SparseCategoricalCrossentropy": of_keras(made("SparseCategoricalCrossentropy"), CLASSES, SCORES),
    "elegy.metrics.SparseCategoricalCrossentropy logits": of_keras(
        made("SparseCategoricalCrossentropy", from_logits=True), CLASSES, LOGITS
    ),
    "elegy.metrics.SparseCategoricalCrossentropy ignored": of_function(
        made("SparseCategoricalCrossentropy", ignore_class=1),
        CLASSES,
        SOFT,
        lambda t, p, w: surprise(t[t != 1], p[t != 1], None if w is None else w[t != 1]),
    ),
    "elegy.metrics.Perplexity": of_function(
        made("Perplexity"), CLASSES, SOFT, lambda t, p, w: np.exp(surprise(t, p, w))
    ),
    "elegy.metrics.MeanAbsolutePercentageError": of_keras(made("MeanAbsolutePercentageError"), POSITIVE, ALSO_POSITIVE),
    "elegy.metrics.MeanSquaredLogarithmicError": of_keras(made("MeanSquaredLogarithmicError"), POSITIVE, ALSO_POSITIVE),
    "elegy.metrics.LogCoshError": of_keras(made("LogCoshError"), TARGETS, OUTPUTS),
    "elegy.metrics.CosineSimilarity": of_keras(made("CosineSimilarity"), TARGETS, OUTPUTS),
    "elegy.metrics.KLDivergence": of_keras(made("KLDivergence"), ONE_HOT, SOFT),
    "elegy.metrics.Poisson": of_keras(made("Poisson"), POSITIVE, ALSO_POSITIVE),
    "elegy.metrics.Hinge": of_keras(made("Hinge"), YES_NO, OUTPUTS),
    "elegy.metrics.SquaredHinge": of_keras(made("SquaredHinge"), YES_NO, OUTPUTS),
    "elegy.metrics.CategoricalHinge": of_keras(made("CategoricalHinge"), ONE_HOT, OUTPUTS),
    "elegy.metrics.Precision": of_keras(made("Precision"), YES_NO, SCORES),
    "elegy.metrics.Recall": of_keras(made("Recall", thresholds=[0.3, 0.6]), YES_NO, SCORES),
    "elegy.metrics.F1": of_function(
        made("F1", average="macro"), CLASSES, LOGITS, specific(sklearn.metrics.f1_score, average="macro")
    ),
    **{
        f"elegy.metrics.FBetaScore {average}": of_function(
            made("FBetaScore", average=average, beta=2.0),
            CLASSES,
            LOGITS,
            specific(sklearn.metrics.fbeta_score, beta=2, average=average),
        )
        for average in (None, "micro", "macro", "weighted")
    },
    "elegy.metrics.FBetaScore threshold": of_keras(
        made("FBetaScore", beta=0.5, threshold=0.4, average="weighted"), YES_NO, SCORES
    ),
    "elegy.metrics.TruePositives": of_keras(made("TruePositives"), YES_NO, SCORES),
    "elegy.metrics.FalsePositives": of_keras(made("FalsePositives", thresholds=[0.2, 0.8]), YES_NO, SCORES),
    "elegy.metrics.TrueNegatives": of_keras(made("TrueNegatives"), YES_NO, SCORES),
    "elegy.metrics.FalseNegatives": of_keras(made("FalseNegatives", thresholds=0.7), YES_NO, SCORES),
    "elegy.metrics.ReduceConfusionMatrix": of_keras(
        made("ReduceConfusionMatrix", reduction="true_negatives"), YES_NO, SCORES, name="TrueNegatives", theirs={}
    ),
    "elegy.metrics.AUC": of_keras(made("AUC"), YES_NO, SCORES),
    "elegy.metrics.AUC exact": of_function(
        made("AUC", num_thresholds=2000),
        YES_NO,
        SCORES,
        lambda t, p, w: sklearn.metrics.roc_auc_score(
            t.ravel(), p.ravel(), sample_weight=None if w is None else np.repeat(w, 3)
        ),
    ),
    "elegy.metrics.AUC logits": of_keras(made("AUC", from_logits=True), YES_NO, LOGITS),
    "elegy.metrics.AUC labels": of_keras(made("AUC", multi_label=True, label_weights=[1.0, 2.0, 3.0]), YES_NO, SCORES),
    "elegy.metrics.AUC weighted": of_keras(
        made("AUC", thresholds=[0.9, 0.15, 0.5], label_weights=[1.0, 2.0, 3.0]), YES_NO, SCORES
    ),
    "elegy.metrics.AUC precision": of_keras(made("AUC", curve="PR"), YES_NO, SCORES),
    "elegy.metrics.AUC precision of labels": of_keras(made("AUC", curve="PR", multi_label=True), YES_NO, SCORES),
    "elegy.metrics.AUC minoring": of_keras(made("AUC", curve="PR", summation_method="minoring"), YES_NO, SCORES),
    "elegy.metrics.AUC majoring": of_keras(made("AUC", summation_method="majoring"), YES_NO, SCORES),
    "elegy.metrics.SensitivityAtSpecificity": of_keras(
        made("SensitivityAtSpecificity", specificity=0.6), YES_NO, SCORES
    ),
    "elegy.metrics.SpecificityAtSensitivity": of_keras(
        made("SpecificityAtSensitivity", sensitivity=0.6), YES_NO, SCORES
    ),
    "elegy.metrics.PrecisionAtRecall": of_keras(made("PrecisionAtRecall", recall=0.6), YES_NO, SCORES),
    "elegy.metrics.RecallAtPrecision": of_keras(made("RecallAtPrecision", precision=0.6), YES_NO, SCORES),
    "elegy.metrics.RecallAtPrecision class": of_keras(
        made("RecallAtPrecision", precision=0.5, class_id=1), YES_NO, SCORES
    ),
    **{
        f"elegy.metrics.ConfusionMatrix {normalize}": of_function(
            made("ConfusionMatrix", normalize=normalize),
            CLASSES,
            LOGITS,
            specific(sklearn.metrics.confusion_matrix, normalize=normalize),
        )
        for normalize in (None, "true", "pred", "all")
    },
    "elegy.metrics.MeanIoU": of_function(made("MeanIoU", num_classes=3), CLASSES, CHOSEN, overlap),
    "elegy.metrics.MeanIoU ignored": of_function(
        made("MeanIoU", num_classes=3, ignore_class=0),
        CLASSES,
        CHOSEN,
        lambda t, p, w: overlap(t[t > 0], p[t > 0], None if w is None else w[t > 0], labels=(1, 2)),
    ),
    "elegy.metrics.MatthewsCorrelation": of_function(
        made("MatthewsCorrelation"), CLASSES, LOGITS, specific(sklearn.metrics.matthews_corrcoef)
    ),
    "elegy.metrics.MatthewsCorrelation binary": of_function(
        made("MatthewsCorrelation", threshold=0.4),
        YES_NO[:, 0],
        SCORES[:, 0],
        lambda t, p, w: sklearn.metrics.matthews_corrcoef(t, p > 0.4, sample_weight=w),
    ),
    **{
        f"elegy.metrics.CohenKappa {weights}": of_function(
            made("CohenKappa", weights=weights),
            CLASSES,
            LOGITS,
            specific(sklearn.metrics.cohen_kappa_score, weights=weights),
        )
        for weights in (None, "linear", "quadratic")
    },
    "elegy.metrics.R2Score": of_keras(made("R2Score"), TARGETS, OUTPUTS),
    "elegy.metrics.R2Score each": of_keras(made("R2Score", class_aggregation=None), TARGETS, OUTPUTS),
    "elegy.metrics.R2Score variance": of_function(
        made("R2Score", class_aggregation="variance_weighted_average"),
        TARGETS,
        OUTPUTS,
        lambda t, p, w: sklearn.metrics.r2_score(t, p, sample_weight=w, multioutput="variance_weighted"),
    ),
    "elegy.metrics.R2Score adjusted": of_function(
        made("R2Score", num_regressors=2), TARGETS[:, 0], OUTPUTS[:, 0], adjusted
    ),
    "elegy.metrics.PearsonCorrelation": of_function(made("PearsonCorrelation"), TARGETS, OUTPUTS, per_label(pearson)),
    "elegy.metrics.Mean": of_function(
        made("Mean"), CLASSES, OUTPUTS, lambda t, p, w: np.average(p.mean(axis=1), weights=w)
    ),
    "elegy.metrics.Sum": of_function(
        made("Sum"), CLASSES, OUTPUTS, lambda t, p, w: np.sum(p * (1 if w is None else w[:, None]))
    ),
    "elegy.metrics.Reduce": of_function(
        made("Reduce", reduction="sum_over_batch_size"),
        CLASSES,
        OUTPUTS,
        lambda t, p, w: np.mean(p * (1 if w is None else w[:, None])),
    ),
}
WITHOUT = {
    "elegy.metrics.Metric": "the base of them all, which computes nothing",
    "elegy.metrics.OnHost": "it calls the function that it is given",
}


def value_after(row, *batches):
    """Our value after some batches, run eagerly."""
    metric = row.ours()
    for y_true, y_pred, weight in batches:
        value = metric(y_true=y_true, y_pred=y_pred, sample_weight=weight)
    return value


def test_every_metric_has_a_row_or_a_reason():
    assert missing(metrics, ROWS, WITHOUT) == set()


@contract(ROWS)
def test_the_value_is_equal(row):
    value = value_after(row, (row.y_true, row.y_pred, None))
    row.close("the_value_is_equal", value, row.theirs(row.y_true, row.y_pred, None))


@contract(ROWS)
def test_weighted_over_uneven_batches_it_is_that_of_all_rows(row):
    batches = [(row.y_true[rows], row.y_pred[rows], WEIGHTS[rows]) for rows in np.split(np.arange(12), [5, 10])]
    expected = row.theirs(row.y_true, row.y_pred, WEIGHTS)
    row.close("weighted_over_uneven_batches_it_is_that_of_all_rows", value_after(row, *batches), expected)


@contract(ROWS)
def test_what_is_masked_does_not_count(row):
    y_pred = row.y_pred.copy()
    if y_pred.dtype.kind == "f":
        y_pred[MASK == 0] = np.nan
    value = value_after(row, (row.y_true, y_pred, MASK))
    row.close("what_is_masked_does_not_count", value, row.theirs(row.y_true, row.y_pred, MASK))


@contract(ROWS)
def test_bfloat16_is_equal(row):
    y_true, y_pred = (
        jnp.asarray(values, jnp.bfloat16) if values.dtype.kind == "f" else values for values in (row.y_true, row.y_pred)
    )
    value = value_after(row, (y_true, y_pred, None))
    assert value.dtype == jnp.float32
    row.close("bfloat16_is_equal", value, row.theirs(y_true, y_pred, None), 2e-2)
