"""The accuracies: the values of Keras, weights, the documented squeeze, and what is refused."""

import jax
import numpy as np
import pytest

from elegy.metrics import Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy

RANDOM = np.random.default_rng(0)
SCORES = RANDOM.random((9, 3)).astype("float32")
CLASSES = RANDOM.integers(0, 3, 9)
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
YES_NO = RANDOM.integers(0, 2, (9, 3))
WEIGHTS = RANDOM.random(9).astype("float32")

TABLE = [
    (Accuracy, {}, CLASSES, RANDOM.integers(0, 3, 9)),
    (BinaryAccuracy, {}, YES_NO, SCORES),
    (BinaryAccuracy, {"threshold": 0.3}, YES_NO[:, :1], SCORES[:, :1]),
    (CategoricalAccuracy, {}, ONE_HOT, SCORES),
    (SparseCategoricalAccuracy, {}, CLASSES, SCORES),
    (SparseCategoricalAccuracy, {}, CLASSES[:, None], SCORES),
    (SparseCategoricalAccuracy, {}, YES_NO, RANDOM.random((9, 3, 2)).astype("float32")),
]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize(("kind", "config", "y_true", "y_pred"), TABLE)
def test_over_uneven_batches_the_value_is_that_of_keras(
    kind, config, y_true, y_pred, weights, keras_result, value_after, cut
):
    expected = keras_result(kind.__name__, y_true, y_pred, weights, **config)
    np.testing.assert_allclose(value_after(kind(**config), cut(y_true, y_pred, weights)), expected, rtol=1e-6)


def test_the_value_is_that_of_all_batches_since_the_last_reset():
    accuracy = Accuracy()
    first = accuracy(y_true=np.array([1, 1, 1, 1]), y_pred=np.array([0, 1, 1, 1]))
    second = accuracy(y_true=np.array([1, 1, 1, 1]), y_pred=np.array([1, 0, 0, 0]))
    accuracy.reset()
    third = accuracy(y_true=np.array([1, 1]), y_pred=np.array([1, 1]))
    assert (first, second, third) == (0.75, 0.5, 1.0)


def test_arguments_may_be_given_by_position():
    assert float(Accuracy()(np.array([1, 2]), np.array([1, 3]))) == 0.5


def test_on_picks_one_output():
    accuracy = Accuracy(on="digit")
    y_true, y_pred = {"digit": np.array([1, 2])}, {"digit": np.array([1, 3]), "other": np.zeros(2)}
    assert float(accuracy(y_true=y_true, y_pred=y_pred)) == 0.5


def test_one_weight_for_each_element_counts_elements_apart():
    y_true, y_pred = np.array([[1, 0], [0, 1]]), np.array([[0.9, 0.9], [0.9, 0.9]], "float32")
    value = BinaryAccuracy()(y_true=y_true, y_pred=y_pred, sample_weight=np.array([[3.0, 1.0], [0.0, 0.0]], "float32"))
    assert float(value) == 0.75


def test_bool_labels_and_low_precision_scores_are_welcome():
    y_pred = jax.numpy.array([0.9, 0.2, 0.7], "bfloat16")
    assert float(BinaryAccuracy()(y_true=np.array([True, False, False]), y_pred=y_pred)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("kind", [Accuracy, BinaryAccuracy, CategoricalAccuracy])
def test_labels_against_a_column_are_refused_with_both_shapes(kind):
    with pytest.raises(ValueError, match=r"\(4,\) and \(4, 1\) differ"):
        kind()(y_true=np.zeros(4), y_pred=np.zeros((4, 1)))


def test_accuracy_of_scores_names_the_class_that_is_meant():
    with pytest.raises(ValueError, match=r"Use `SparseCategoricalAccuracy\(\)`"):
        Accuracy()(y_true=CLASSES, y_pred=SCORES)


def test_one_column_is_no_choice_between_classes():
    with pytest.raises(ValueError, match=r"Use `BinaryAccuracy\(\)`"):
        CategoricalAccuracy()(y_true=np.zeros((4, 1)), y_pred=np.zeros((4, 1)))
    with pytest.raises(ValueError, match="binary form"):
        SparseCategoricalAccuracy()(y_true=np.zeros(4, int), y_pred=np.zeros((4, 1)))


def test_class_labels_that_are_floats_are_refused():
    with pytest.raises(ValueError, match=r"given `y_true` f32\[4\]. Class labels are whole numbers"):
        SparseCategoricalAccuracy()(y_true=np.zeros(4, "float32"), y_pred=np.zeros((4, 3)))


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"`sample_weight` f32\[3\]"):
        Accuracy()(y_true=CLASSES, y_pred=CLASSES, sample_weight=WEIGHTS[:3])


def test_the_host_check_refuses_labels_out_of_range():
    scores = jax.ShapeDtypeStruct((2, 3), "float32")
    SparseCategoricalAccuracy().check(np.array([0, 2]), scores)
    with pytest.raises(ValueError, match=r"label 3\. There are 3 classes, numbered 0 to 2"):
        SparseCategoricalAccuracy().check(np.array([0, 3]), scores)
    with pytest.raises(ValueError, match=r"label -1\. It compares yes/no labels"):
        BinaryAccuracy().check(np.array([-1, 1]))
