"""What makes no sense is refused when a metric is made, or when it sees its first batch; each in one clear error."""

import jax
import numpy as np
import pytest

from elegy import metrics

SCORES = np.full((4, 3), 0.3, "float32")
CLASSES = np.array([0, 1, 2, 1])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: metrics.Reduce("none"), "A metric is one number of a pass"),
        (lambda: metrics.Reduce("maen"), "Use one of these"),
        (lambda: metrics.TopKCategoricalAccuracy(k=0), "`k=0`. It is a whole number, 1 or more"),
        (lambda: metrics.SparseTopKCategoricalAccuracy(k=True), "`k=True`. It is a whole number"),
        (lambda: metrics.FBetaScore(beta=-1.0), "beta"),
        (lambda: metrics.ReduceConfusionMatrix("true_positive"), "Did you mean `true_positives`"),
        (lambda: metrics.TruePositives(thresholds=[]), "At least one number is needed"),
        (lambda: metrics.AUC(num_thresholds=1), "`num_thresholds=1`. It is a whole number, 2 or more"),
        (lambda: metrics.AUC(curve="roc"), r"`curve='roc'`. It is one of: ROC, PR"),
        (lambda: metrics.AUC(summation_method="middle"), "interpolation, minoring, majoring"),
        (lambda: metrics.AUC(thresholds=[0.5, 3.0]), "compared with probabilities"),
        (lambda: metrics.AUC(num_labels=3), "Give `multi_label=True`"),
        (lambda: metrics.RecallAtPrecision(1.5), "precision"),
        (lambda: metrics.ConfusionMatrix(num_classes=1), "`num_classes=1`. It is a whole number, 2 or more"),
        (lambda: metrics.ConfusionMatrix(normalize="rows"), "It is one of: None, true, pred, all"),
        (lambda: metrics.CohenKappa(weights="square"), "It is one of: None, linear, quadratic"),
        (lambda: metrics.R2Score("mean"), "It is one of: None, uniform_average, variance_weighted_average"),
        (lambda: metrics.BinaryCrossentropy(label_smoothing=1.0), "metric `binary_crossentropy`"),
        (lambda: metrics.Perplexity(from_logits="yes"), "metric `perplexity`"),
        (lambda: metrics.SparseCategoricalCrossentropy(ignore_class=0.5), "metric `sparse_categorical_crossentropy`"),
        (lambda: metrics.CosineSimilarity(axis="last"), "metric `cosine_similarity`"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "words"),
    [
        (metrics.TopKCategoricalAccuracy(), SCORES, SCORES, "`k=5`.* has 3 classes in its last axis"),
        (metrics.SparseTopKCategoricalAccuracy(k=1), CLASSES, SCORES[:, 0], "no axis of classes"),
        (metrics.AUC(multi_label=True), CLASSES, SCORES[:, 0], "any number of labels in the last axis were expected"),
        (metrics.AUC(multi_label=True, num_labels=2), SCORES, SCORES, "where 2 labels in the last axis were expected"),
        (metrics.AUC(label_weights=[1.0]), SCORES, SCORES, "where 1 labels"),
        (metrics.AUC(), SCORES[:, :1], SCORES[:, 0], "differ"),
        (metrics.RecallAtPrecision(0.5, class_id=3), SCORES, SCORES, "`class_id=3`.* has 3 classes"),
        (metrics.ConfusionMatrix(), CLASSES, CLASSES, "does not tell how many classes there are. Give `num_classes=`"),
        (metrics.MeanIoU(num_classes=4), CLASSES, SCORES, "`num_classes=4`.* which decides between 3"),
        (metrics.MatthewsCorrelation(num_classes=3), SCORES[:, 0], SCORES[:, 0], "which decides between 2"),
        (metrics.R2Score(), SCORES, SCORES[:, 0], "differ"),
        (metrics.PearsonCorrelation(), SCORES, SCORES[:, 0], "differ"),
        (metrics.Hinge(), SCORES, SCORES[:, 0], "metric `hinge`.* differ"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(metric, y_true, y_pred, words):
    with pytest.raises(ValueError, match=words):
        metric(y_true=y_true, y_pred=y_pred)


@pytest.mark.parametrize(
    ("metric", "scores", "label", "words"),
    [
        (metrics.SparseTopKCategoricalAccuracy(), (2, 3), 3, "There are 3 classes"),
        (metrics.SparseCategoricalCrossentropy(), (2, 3), -1, "the label -1"),
        (metrics.Perplexity(ignore_class=-1), (2, 3), 7, "the label 7"),
        (metrics.ConfusionMatrix(), (2, 3), 3, "There are 3 classes"),
        (metrics.MeanIoU(ignore_class=255), (2, 3), 254, "the label 254"),
        (metrics.CohenKappa(), (2,), 2, "It compares yes/no labels"),
        (metrics.AUC(), (2,), 2, "It compares yes/no labels"),
        (metrics.PrecisionAtRecall(0.5), (2, 3), 3, "There are 3 classes"),
        (metrics.TrueNegatives(), (2,), -1, "the label -1"),
    ],
)
def test_the_host_check_refuses_labels_out_of_range(metric, scores, label, words):
    with pytest.raises(ValueError, match=words):
        metric.check(y_true=np.array([0, label]), y_pred=jax.ShapeDtypeStruct(scores, "float32"))


def test_the_host_check_of_a_crossentropy_refuses_yes_no_labels_out_of_range():
    with pytest.raises(ValueError, match="the label 2"):
        metrics.BinaryCrossentropy().check(np.array([0, 2]))


@pytest.mark.parametrize("metric", [metrics.MeanIoU(ignore_class=255), metrics.Perplexity(ignore_class=255)])
def test_the_host_check_leaves_out_what_is_ignored(metric):
    metric.check(y_true=np.array([0, 255]), y_pred=jax.ShapeDtypeStruct((2, 3), "float32"))
