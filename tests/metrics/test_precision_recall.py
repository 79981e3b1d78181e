"""Precision, recall and F1: Keras' thresholds, top_k and class_id; scikit-learn's averages."""

import jax
import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from elegy.metrics import F1, Precision, Recall

RANDOM = np.random.default_rng(2)
SCORES = RANDOM.random((40, 4)).astype("float32")
CLASSES = RANDOM.integers(0, 3, 40)  # class 3 never occurs
YES_NO = RANDOM.integers(0, 2, (40, 4))
WEIGHTS = RANDOM.random(40).astype("float32")
KINDS = [Precision, Recall, F1]

KERAS = [
    {},
    {"thresholds": 0.7},
    {"thresholds": [0.2]},
    {"thresholds": [0.2, 0.5, 0.9]},
    {"top_k": 2},
    {"top_k": 2, "thresholds": [0.5, 0.8]},
    {"class_id": 1},
    {"class_id": 3, "top_k": 1},
]


def sklearn_scores(y_true, y_pred, average, weights=None):
    options = {} if average == "micro" and y_pred.ndim == 1 else {"labels": range(4)}
    return precision_recall_fscore_support(
        y_true, y_pred, average=average, sample_weight=weights, zero_division=0, **options
    )[:3]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("config", KERAS)
@pytest.mark.parametrize("kind", [Precision, Recall])
def test_over_uneven_batches_the_value_is_that_of_keras(kind, config, weights, keras_result, value_after, cut):
    expected = keras_result(kind.__name__, YES_NO, SCORES, weights, **config)
    actual = value_after(kind(**config), cut(YES_NO, SCORES, weights))
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
def test_f1_of_several_labels_is_that_of_keras(average, keras_result, value_after, cut):
    expected = keras_result("F1Score", YES_NO, SCORES, threshold=0.5, average=average)
    np.testing.assert_allclose(value_after(F1(average=average), cut(YES_NO, SCORES)), expected, rtol=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("place", range(3), ids=["precision", "recall", "f1"])
def test_class_numbers_are_averaged_as_scikit_learn_does(place, average, weights, value_after, cut):
    expected = sklearn_scores(CLASSES, SCORES.argmax(axis=1), average, weights)[place]
    actual = value_after(KINDS[place](average=average), cut(CLASSES, SCORES, weights))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("place", range(3), ids=["precision", "recall", "f1"])
def test_several_labels_are_averaged_as_scikit_learn_does(place, average, value_after, cut):
    expected = sklearn_scores(YES_NO, SCORES > 0.5, average, WEIGHTS)[place]
    actual = value_after(KINDS[place](average=average), cut(YES_NO, SCORES, WEIGHTS))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("place", range(3), ids=["precision", "recall", "f1"])
def test_one_yes_no_score_is_scored_as_scikit_learn_does(place, value_after, cut):
    y_true, y_pred = YES_NO[:, 0], SCORES[:, 0]
    expected = precision_recall_fscore_support(y_true, y_pred > 0.5, average="binary")[place]
    np.testing.assert_allclose(value_after(KINDS[place](), cut(y_true, y_pred)), expected, rtol=1e-6)


def test_class_numbers_with_a_last_axis_of_one_mean_the_same():
    plain = F1(average="macro")(y_true=CLASSES, y_pred=SCORES)
    assert float(F1(average="macro")(y_true=CLASSES[:, None], y_pred=SCORES)) == float(plain)


def test_top_k_finds_a_class_number_among_the_best():
    best = np.argsort(-SCORES, axis=1)[:, :2]
    expected = np.mean([label in row for label, row in zip(CLASSES, best, strict=True)])
    assert float(Recall(top_k=2)(y_true=CLASSES, y_pred=SCORES)) == pytest.approx(expected)


def test_a_threshold_decides_about_class_numbers_when_it_is_given():
    scores = np.array([[0.4, 0.35, 0.25], [0.6, 0.3, 0.1]], "float32")
    assert float(Recall(threshold=0.5)(y_true=np.array([0, 0]), y_pred=scores)) == 0.5


def test_tokens_are_pooled_and_take_the_weight_of_their_row():
    labels, scores = CLASSES.reshape(10, 4), SCORES.reshape(10, 4, 4)
    expected = sklearn_scores(CLASSES, SCORES.argmax(axis=1), "macro", np.repeat(WEIGHTS[:10], 4))[2]
    value = F1(average="macro")(y_true=labels, y_pred=scores, sample_weight=WEIGHTS[:10])
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_one_weight_for_each_score_counts_scores_apart():
    weights = RANDOM.random((40, 4)).astype("float32")
    expected = precision_recall_fscore_support(
        YES_NO.ravel(), SCORES.ravel() > 0.5, average="binary", sample_weight=weights.ravel()
    )[0]
    assert float(Precision()(y_true=YES_NO, y_pred=SCORES, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)


def test_several_thresholds_and_classes_give_a_table():
    value = Precision(thresholds=[0.2, 0.5, 0.8], average=None)(y_true=YES_NO, y_pred=SCORES)
    np.testing.assert_allclose(value[1], Precision(average=None)(y_true=YES_NO, y_pred=SCORES))
    assert value.shape == (3, 4)


def test_thresholds_may_be_an_array():
    assert Precision(thresholds=np.linspace(0, 1, 5)).thresholds == (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_found_is_zero(kind):
    assert float(kind()(y_true=np.zeros(3, int), y_pred=np.zeros(3, "float32"))) == 0.0


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"threshold": 0.5, "thresholds": 0.5}, "Give one of them"),
        ({"thresholds": []}, "At least one number is needed"),
        ({"top_k": 0}, "`top_k=0`. It is a whole number, 1 or more"),
        ({"class_id": -1}, "`class_id=-1`. It is a whole number, 0 or more"),
        ({"average": "makro"}, "Did you mean `macro`"),
        ({"average": None, "class_id": 1}, "One class leaves nothing to average over"),
        ({"on": 0.7}, "Write `threshold=0.7`"),
    ],
)
def test_a_constructor_that_makes_no_sense_is_refused(config, words):
    with pytest.raises(ValueError, match=words):
        Precision(**config)


@pytest.mark.parametrize(
    ("config", "y_true", "y_pred", "words"),
    [
        ({}, np.zeros(4), np.zeros((4, 1)), r"\(4,\) and \(4, 1\) differ"),
        ({"average": "macro"}, np.zeros(4), np.zeros(4), r"`y_pred` is f32\[4\], which has no axis of classes"),
        ({"class_id": 3}, np.zeros((4, 3)), np.zeros((4, 3)), "`class_id=3`.* has 3 classes in its last axis"),
        ({"top_k": 4}, np.zeros((4, 3)), np.zeros((4, 3)), "`top_k=4`.* has 3 classes"),
        ({"top_k": 1}, np.zeros(4), np.zeros(4), "`top_k=1`.* no axis of classes"),
        ({}, np.zeros(4, "float32"), np.zeros((4, 3)), "Class labels are whole numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(config, y_true, y_pred, words):
    with pytest.raises(ValueError, match=words):
        Recall(**config)(y_true=y_true, y_pred=y_pred)


def test_the_host_check_refuses_labels_out_of_range():
    with pytest.raises(ValueError, match=r"label 4\. There are 4 classes, numbered 0 to 3"):
        F1().check(np.array([0, 4]), jax.ShapeDtypeStruct((2, 4), "float32"))
    with pytest.raises(ValueError, match=r"label 2\. It compares yes/no labels"):
        F1().check(np.array([0, 2]), jax.ShapeDtypeStruct((2,), "float32"))
