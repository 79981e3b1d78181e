"""Every loss, as function and as class, has the values of Keras: weights, reductions, options, all in one table."""

import numpy as np
import pytest

from elegy import losses

RANDOM = np.random.default_rng(0)
TARGETS, OUTPUTS = RANDOM.normal(scale=2, size=(2, 6, 5, 3)).astype("float32")
YES_NO = RANDOM.integers(0, 2, (6, 5, 3))
CLASSES = RANDOM.integers(0, 3, (6, 5))
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
SCORES = RANDOM.random((6, 5, 3)).astype("float32")  # do not sum to 1
LOGITS = RANDOM.normal(scale=5, size=(6, 5, 3)).astype("float32")
CORNERS = np.where(RANDOM.random((6, 5, 3)) < 0.5, 0, 1).astype("float32")
CORNERS[..., 0] = 1 - CORNERS[..., 1]  # no row is all zero
LOUD = np.where(CORNERS > 0, 1e4, -1e4).astype("float32")
WEIGHTS = RANDOM.random(6).astype("float32")

TABLE = [
    ("mean_squared_error", "MeanSquaredError", {}, TARGETS, OUTPUTS),
    ("mean_squared_error", "MeanSquaredError", {}, YES_NO, OUTPUTS),
    ("mean_absolute_error", "MeanAbsoluteError", {}, TARGETS, OUTPUTS),
    ("huber", "Huber", {}, TARGETS, OUTPUTS),
    ("huber", "Huber", {"delta": 0.3}, TARGETS, OUTPUTS),
    ("binary_crossentropy", "BinaryCrossentropy", {}, YES_NO, SCORES),
    ("binary_crossentropy", "BinaryCrossentropy", {}, YES_NO, CORNERS),
    ("binary_crossentropy", "BinaryCrossentropy", {"label_smoothing": 0.2}, YES_NO, SCORES),
    ("binary_crossentropy", "BinaryCrossentropy", {"from_logits": True}, YES_NO, LOGITS),
    ("binary_crossentropy", "BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, YES_NO, LOUD),
    ("categorical_crossentropy", "CategoricalCrossentropy", {}, ONE_HOT, SCORES),
    ("categorical_crossentropy", "CategoricalCrossentropy", {}, ONE_HOT, CORNERS),
    ("categorical_crossentropy", "CategoricalCrossentropy", {"label_smoothing": 0.2}, ONE_HOT.astype(int), SCORES),
    ("categorical_crossentropy", "CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS),
    ("categorical_crossentropy", "CategoricalCrossentropy", {"from_logits": True}, SCORES, LOUD),
    ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", {}, CLASSES, SCORES),
    ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", {}, CLASSES[..., None], CORNERS),
    ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, LOGITS),
    ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, LOUD),
]


@pytest.mark.parametrize(("function", "kind", "options", "y_true", "y_pred"), TABLE)
def test_the_function_has_the_values_of_keras(function, kind, options, y_true, y_pred, keras_loss):
    del kind
    for rows in (slice(None), (slice(None), 0)):  # (batch, time, features) and (batch, features)
        values = getattr(losses, function)(y_true[rows], y_pred[rows], **options)
        expected = keras_loss(function, y_true[rows], y_pred[rows], **options)
        np.testing.assert_allclose(values, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize(("function", "kind", "options", "y_true", "y_pred"), TABLE)
def test_the_class_reduces_and_weighs_as_keras(function, kind, options, y_true, y_pred, weights, reduction, keras_loss):
    del function
    row = (slice(None), 0)
    loss = getattr(losses, kind)(**options, reduction=reduction)
    value = loss(y_true=y_true[row], y_pred=y_pred[row], sample_weight=weights)
    expected = keras_loss(kind, y_true[row], y_pred[row], weights, **options, reduction=reduction)
    np.testing.assert_allclose(value, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("function", "kind", "options", "y_true", "y_pred"), TABLE)
def test_one_weight_a_position_weighs_as_keras(function, kind, options, y_true, y_pred, keras_loss):
    del function
    weights = np.linspace(0, 2, 30, dtype="float32").reshape(6, 5)
    value = getattr(losses, kind)(**options)(y_true=y_true, y_pred=y_pred, sample_weight=weights)
    np.testing.assert_allclose(value, keras_loss(kind, y_true, y_pred, weights, **options), rtol=2e-5, atol=2e-6)
