"""Class labels that count for nothing: in values, in what a mean is divided by, in gradients, on the host."""

import jax
import numpy as np
import pytest

import elegy
from elegy.losses import SparseCategoricalCrossentropy, sparse_categorical_crossentropy

LABELS = np.array([[0, -1], [2, 1], [-1, -1], [1, -1]])
SCORES = np.random.default_rng(0).normal(size=(4, 2, 3)).astype("float32")
COUNTS = LABELS >= 0
VALUES = np.asarray(sparse_categorical_crossentropy(np.maximum(LABELS, 0), SCORES, from_logits=True))


def loss(**options):
    return SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1, **options)


def test_the_function_gives_zero_there():
    values = sparse_categorical_crossentropy(LABELS, SCORES, from_logits=True, ignore_class=-1)
    np.testing.assert_allclose(values, np.where(COUNTS, VALUES, 0), rtol=1e-6)


def test_the_class_is_the_mean_over_those_that_count():
    assert float(loss()(y_true=LABELS, y_pred=SCORES)) == pytest.approx(VALUES[COUNTS].mean(), rel=1e-6)


def test_over_uneven_batches_a_model_logs_the_mean_over_those_that_count():
    logs = elegy.Model(lambda x: x, loss=loss()).evaluate(SCORES, LABELS, batch_size=3, verbose=0)
    assert logs["loss"] == pytest.approx(VALUES[COUNTS].mean(), rel=1e-6)


def test_where_everything_is_ignored_it_is_zero_and_moves_nothing():
    nothing = np.full((4, 2), -1)
    value, slope = jax.value_and_grad(lambda scores: loss()(y_true=nothing, y_pred=scores))(SCORES)
    assert float(value) == 0 and not np.any(slope)


def test_class_weights_and_sample_weights_count_too():
    weights = np.array([1.0, 2.0, 3.0, 0.5], "float32")
    value = loss(reduction="sum")(y_true=LABELS, y_pred=SCORES, class_weight={1: 3.0}, sample_weight=weights)
    expected = (np.where(LABELS == 1, 3.0, 1.0) * COUNTS * VALUES * weights[:, None]).sum()
    assert float(value) == pytest.approx(expected, rel=1e-6)


def test_on_the_host_ignored_labels_pass_and_others_are_named():
    loss().check(LABELS, SCORES)
    with pytest.raises(ValueError, match=r"in row 1, was given the label 5\. There are 3 classes"):
        loss().check(np.array([[0, -1], [5, -1]]), SCORES)


@pytest.mark.parametrize("label", [1.0, True, "1"])
def test_the_ignored_class_is_a_whole_number(label):
    with pytest.raises(ValueError, match=r"`ignore_class=.*It is a whole number"):
        SparseCategoricalCrossentropy(ignore_class=label)
