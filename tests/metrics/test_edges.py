"""At the edges every metric has a finite and documented value: certain probabilities, one class only, no spread."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest

from elegy import metrics

NO, YES = np.zeros(4, "float32"), np.ones(4, "float32")
HALVES = np.array([0.2, 0.9, 0.4, 0.6], "float32")
CERTAIN = np.array([0.0, 1.0, 1.0, 0.0], "float32")
EMPTY_CLASS = (np.array([0, 0, 1, 1]), np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.9, 0.0], [0.3, 0.7, 0.0]]))
SURPRISED = -np.log(1e-7)


@pytest.mark.parametrize(
    ("kind", "y_true", "y_pred", "expected"),
    [
        (metrics.AUC, NO, HALVES, 0.0),
        (metrics.AUC, YES, HALVES, 0.0),
        (metrics.AUC, CERTAIN, CERTAIN, 1.0),
        (functools.partial(metrics.AUC, curve="PR"), NO, HALVES, 0.0),
        (functools.partial(metrics.AUC, curve="PR"), YES, HALVES, 1.0),
        (functools.partial(metrics.SensitivityAtSpecificity, 0.5), YES, HALVES, 0.0),
        (functools.partial(metrics.PrecisionAtRecall, 0.5), NO, HALVES, 0.0),
        (metrics.BinaryCrossentropy, YES, NO, SURPRISED),
        (metrics.BinaryCrossentropy, CERTAIN, CERTAIN, 0.0),
        (metrics.Perplexity, np.array([1]), np.array([[1.0, 0.0]]), 1e7),
        (metrics.KLDivergence, np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]), SURPRISED),
        (metrics.FBetaScore, *EMPTY_CLASS, [2 / 3, 0.8, 0.0]),
        (metrics.MeanIoU, *EMPTY_CLASS, (1 / 2 + 2 / 3) / 2),
        (metrics.MatthewsCorrelation, NO, CERTAIN, 0.0),
        (metrics.CohenKappa, YES, YES, 0.0),
        (metrics.R2Score, 0.1 * YES, HALVES, 0.0),
        (metrics.R2Score, 0.1 * YES, 0.1 * YES, 1.0),
        (functools.partial(metrics.R2Score, "variance_weighted_average"), 0.1 * YES, HALVES, 0.0),
        (functools.partial(metrics.R2Score, num_regressors=3), HALVES, HALVES[::-1].copy(), -2.065421),
        (metrics.PearsonCorrelation, 0.1 * YES, HALVES, 0.0),
        (metrics.CosineSimilarity, np.zeros((1, 2), "float32"), np.ones((1, 2), "float32"), 0.0),
    ],
)
def test_at_an_edge_the_value_is_the_documented_one(kind, y_true, y_pred, expected):
    y_pred = np.asarray(y_pred, "float32")
    np.testing.assert_allclose(kind()(y_true=y_true, y_pred=y_pred), expected, rtol=1e-5, atol=1e-5)


def test_a_million_bfloat16_values_are_summed_in_full():
    ones = jnp.ones(10**6, jnp.bfloat16)
    assert float(metrics.Sum()(ones)) == 10**6
    assert float(metrics.MeanAbsoluteError()(y_true=ones, y_pred=0.5 * ones)) == 0.5


@pytest.mark.parametrize("kind", [metrics.R2Score, metrics.PearsonCorrelation])
def test_an_offset_that_dwarfs_the_spread_changes_little(kind, value_after, cut):
    random = np.random.default_rng(0)
    y_true = random.normal(size=(500, 1)).astype("float32")
    y_pred = y_true + random.normal(scale=0.5, size=(500, 1)).astype("float32")
    far_true, far_pred = (np.float32(4096) + values for values in (y_true, y_pred))  # float32 keeps 11 bits of them
    expected = value_after(kind(), [(y_true, y_pred)])
    np.testing.assert_allclose(value_after(kind(), cut(far_true, far_pred)), expected, rtol=1e-3)


def test_equal_targets_of_many_batches_have_no_spread():
    metric = metrics.R2Score()
    for size in (3, 7, 5):
        value = metric(y_true=np.full(size, 0.1, "float32"), y_pred=np.linspace(0, 1, size, dtype="float32"))
    assert float(value) == 0.0


@pytest.mark.parametrize("kind", [metrics.TopKCategoricalAccuracy, metrics.SparseTopKCategoricalAccuracy])
def test_of_equal_scores_the_first_ones_rank_higher(kind):
    labels = np.arange(3)
    y_true = np.eye(3, dtype="float32")[labels] if kind is metrics.TopKCategoricalAccuracy else labels
    assert float(kind(k=1)(y_true=y_true, y_pred=np.zeros((3, 3), "float32"))) == pytest.approx(1 / 3)


def test_a_score_that_is_no_number_is_never_among_the_best_unless_all_are():
    scores = np.array([[np.nan, 1.0, 2.0]], "float32")
    assert float(metrics.SparseTopKCategoricalAccuracy(k=2)(y_true=np.array([0]), y_pred=scores)) == 0.0
    assert float(metrics.SparseTopKCategoricalAccuracy(k=3)(y_true=np.array([0]), y_pred=scores)) == 0.0


def test_scores_on_a_threshold_are_not_above_it():
    thresholds = np.linspace(0, 1, 200, dtype="float32")
    cells = metrics.SensitivityAtSpecificity(0.5).update(
        metrics.SensitivityAtSpecificity(0.5).empty(), np.ones(200), thresholds
    )
    np.testing.assert_array_equal(cells.value[1], [1] * 200 + [0])
