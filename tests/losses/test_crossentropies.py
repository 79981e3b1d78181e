"""The three crossentropies: what they refuse, what they check on the host, how they agree with each other."""

import jax
import numpy as np
import pytest
from sklearn.metrics import log_loss

from elegy.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)

LABELS = np.array([0, 2, 1])
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]], "float32")


def test_class_numbers_and_one_hot_labels_agree_with_scikit_learn():
    expected = log_loss(LABELS, PROBABILITIES, labels=[0, 1, 2])
    assert float(sparse_categorical_crossentropy(LABELS, PROBABILITIES).mean()) == pytest.approx(expected, rel=1e-5)
    one_hot = np.eye(3)[LABELS]
    assert float(categorical_crossentropy(one_hot, PROBABILITIES).mean()) == pytest.approx(expected, rel=1e-5)


def test_probabilities_are_divided_by_their_sum():
    np.testing.assert_allclose(
        sparse_categorical_crossentropy(LABELS, 7 * PROBABILITIES),
        sparse_categorical_crossentropy(LABELS, PROBABILITIES),
        rtol=1e-5,
    )


def test_a_column_of_class_numbers_is_squeezed():
    np.testing.assert_array_equal(
        sparse_categorical_crossentropy(LABELS[:, None], PROBABILITIES),
        sparse_categorical_crossentropy(LABELS, PROBABILITIES),
    )


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_out_of_range_is_nan_in_a_compiled_step(label, from_logits):
    values = jax.jit(lambda y: sparse_categorical_crossentropy(y, PROBABILITIES, from_logits=from_logits))(
        np.array([0, label, 1])
    )
    np.testing.assert_array_equal(np.isnan(values), [False, True, False])


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_out_of_range_is_named_with_its_row(label):
    scores = jax.ShapeDtypeStruct((4, 3), np.float32)
    message = rf"loss `mine`, in row 2, was given the label {label}\. There are 3 classes"
    for labels in (np.array([0, 1, label, 2]), np.array([[0], [1], [label], [7]])):
        with pytest.raises(ValueError, match=message):
            SparseCategoricalCrossentropy(name="mine").check(labels, scores)


def test_labels_in_range_pass_the_check():
    SparseCategoricalCrossentropy().check(LABELS, jax.ShapeDtypeStruct((3, 3), np.float32))
    SparseCategoricalCrossentropy().check(np.zeros(0, int), jax.ShapeDtypeStruct((0, 3), np.float32))


def test_float_labels_are_refused_at_trace_and_on_the_host():
    with pytest.raises(ValueError, match="Class labels are whole numbers"):
        jax.eval_shape(SparseCategoricalCrossentropy().call, LABELS.astype("float32"), PROBABILITIES)
    with pytest.raises(ValueError, match="Class labels are whole numbers"):
        SparseCategoricalCrossentropy().check(LABELS.astype("float32"), PROBABILITIES)


def test_one_hot_labels_do_not_fit_the_sparse_form():
    with pytest.raises(ValueError, match=r"\(3, 3\) and \(3, 3\) do not fit"):
        sparse_categorical_crossentropy(np.eye(3, dtype=int)[LABELS], PROBABILITIES)


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None]])
def test_class_numbers_do_not_fit_the_one_hot_form(labels):
    with pytest.raises(ValueError, match=r"\(3, 3\) are those of class numbers .* Use `SparseCategoricalCrossentropy`"):
        categorical_crossentropy(labels, PROBABILITIES)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_one_output_is_no_choice_between_classes(shape):
    with pytest.raises(ValueError, match="one output for each class, or use `BinaryCrossentropy`"):
        categorical_crossentropy(np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize("label", [np.nan, np.inf])
def test_a_binary_label_that_is_not_finite_is_named_with_its_row(label):
    with pytest.raises(ValueError, match=rf"loss `mine` was given the label {label}, in row 1\. "):
        BinaryCrossentropy(name="mine").check(np.array([[0.0], [label]]))


@pytest.mark.parametrize("labels", [np.array([0, 1]), np.array([[0.1], [0.9]]), np.zeros(0), np.array([True])])
def test_finite_binary_labels_pass_the_check(labels):
    BinaryCrossentropy().check(labels)


@pytest.mark.parametrize("kind", [BinaryCrossentropy, CategoricalCrossentropy])
@pytest.mark.parametrize("smoothing", [-0.1, 1.0, float("nan"), True, "0.1"])
def test_a_smoothing_outside_of_zero_to_one_is_refused(kind, smoothing):
    with pytest.raises(ValueError, match=r"loss `mine` was given `label_smoothing="):
        kind(label_smoothing=smoothing, name="mine")


@pytest.mark.parametrize("function", [binary_crossentropy, categorical_crossentropy])
def test_the_functions_refuse_options_out_of_range(function):
    with pytest.raises(ValueError, match="`label_smoothing=1`"):
        function(PROBABILITIES, PROBABILITIES, label_smoothing=1)
    with pytest.raises(ValueError, match="`from_logits=1`"):
        function(PROBABILITIES, PROBABILITIES, from_logits=1)


@pytest.mark.parametrize("kind", [BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy])
def test_from_logits_is_a_switch(kind):
    with pytest.raises(ValueError, match=r"`from_logits='sum'`\. It is a switch"):
        kind("sum")
