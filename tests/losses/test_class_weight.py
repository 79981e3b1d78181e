"""Class weights: they multiply values in training, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy.losses import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from elegy.losses._class_weight import class_weights

LABELS = np.array([0, 1, 2, 1])
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]], "float32")
SURPRISE = -np.log(PROBABILITIES[np.arange(4), LABELS])
CLASS_WEIGHT = {1: 3.0, 2: 0.5}
WEIGHTED = SURPRISE * [1.0, 3.0, 0.5, 3.0]

CHOICES = [
    (SparseCategoricalCrossentropy, LABELS),
    (SparseCategoricalCrossentropy, LABELS[:, None]),
    (CategoricalCrossentropy, np.eye(3)[LABELS]),
]


@pytest.mark.parametrize(("kind", "y_true"), CHOICES)
@pytest.mark.parametrize("from_logits", [False, True])
def test_each_value_is_multiplied_and_the_denominator_stays(kind, y_true, from_logits):
    y_pred = np.log(PROBABILITIES) if from_logits else PROBABILITIES
    value = kind(from_logits=from_logits)(y_true=y_true, y_pred=y_pred, class_weight=CLASS_WEIGHT)
    np.testing.assert_allclose(value, WEIGHTED.sum() / 4, rtol=1e-5)


@pytest.mark.parametrize(("kind", "y_true"), CHOICES)
def test_they_do_not_count_in_evaluation(kind, y_true):
    value = kind()(y_true=y_true, y_pred=PROBABILITIES, class_weight=CLASS_WEIGHT, training=False)
    np.testing.assert_allclose(value, SURPRISE.mean(), rtol=1e-5)


def test_they_compose_with_sample_weights():
    weights = np.array([1.0, 0.0, 2.0, 0.5], "float32")
    loss = SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
    value = loss(y_true=LABELS, y_pred=PROBABILITIES, sample_weight=weights, class_weight=CLASS_WEIGHT)
    np.testing.assert_allclose(value, (weights * WEIGHTED).sum() / weights.sum(), rtol=1e-5)


def test_binary_labels_are_weighed_element_by_element():
    y_true, y_pred = np.array([[1, 0], [0, 0]]), np.array([[0.8, 0.4], [0.3, 0.1]], "float32")
    surprise = -np.log(np.where(y_true == 1, y_pred, 1 - y_pred))
    value = BinaryCrossentropy()(y_true=y_true, y_pred=y_pred, class_weight={1: 5.0})
    np.testing.assert_allclose(value, (surprise * [[5, 1], [1, 1]]).mean(), rtol=1e-5)


def test_the_class_is_read_before_labels_are_smoothed():
    y_true, y_pred = np.array([[0.6], [0.4]]), np.array([[0.5], [0.5]])  # smoothed by 0.9 both are nearly 0.5
    loss = BinaryCrossentropy(label_smoothing=0.9, reduction="none")
    np.testing.assert_allclose(
        loss(y_true=y_true, y_pred=y_pred, class_weight={1: 10.0}), np.log(2) * np.array([10, 1])
    )


def test_one_output_of_several_has_its_own():
    loss = SparseCategoricalCrossentropy(on="a")
    both = {"y_true": {"a": LABELS, "b": LABELS}, "y_pred": {"a": PROBABILITIES, "b": PROBABILITIES}}
    np.testing.assert_allclose(loss(**both, class_weight={"a": CLASS_WEIGHT}), WEIGHTED.mean(), rtol=1e-5)
    np.testing.assert_allclose(loss(**both, class_weight={"b": CLASS_WEIGHT}), SURPRISE.mean(), rtol=1e-5)
    np.testing.assert_allclose(loss(**both, class_weight=CLASS_WEIGHT), WEIGHTED.mean(), rtol=1e-5)


def test_traced_weights_need_no_new_compilation():
    traced = jax.jit(lambda weights: class_weights("loss `f`", jnp.array([0, 1, 1]), weights, 2))
    np.testing.assert_array_equal(traced({1: jnp.float32(2)}), [1, 2, 2])
    np.testing.assert_array_equal(traced({1: jnp.float32(5)}), [1, 5, 5])
    assert traced._cache_size() == 1


def test_keys_may_be_numpy_or_whole_floats_and_none_may_be_listed():
    labels = jnp.array([0, 1])
    np.testing.assert_array_equal(class_weights("loss `f`", labels, {np.int64(1): 2, 0.0: 3}, 2), [3, 2])
    np.testing.assert_array_equal(class_weights("loss `f`", labels, {}, 2), [1, 1])


@pytest.mark.parametrize("key", [3, -1, "cat", 0.5])
def test_what_is_no_class_is_refused(key):
    with pytest.raises(ValueError, match=r"There are 3 classes, numbered 0 to 2"):
        SparseCategoricalCrossentropy()(y_true=LABELS, y_pred=PROBABILITIES, class_weight={key: 2.0})


def test_weights_per_output_need_on():
    with pytest.raises(ValueError, match=r"`class_weight` per output, for a\. .*Give it `on=`"):
        SparseCategoricalCrossentropy()(y_true=LABELS, y_pred=PROBABILITIES, class_weight={"a": {1: 2.0}})


def test_a_list_of_class_weights_is_refused():
    with pytest.raises(TypeError, match="`class_weight` of type list"):
        SparseCategoricalCrossentropy()(y_true=LABELS, y_pred=PROBABILITIES, class_weight=[1.0, 2.0, 1.0])
