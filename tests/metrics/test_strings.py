"""Strings as Keras users type them."""

import jax
import numpy as np
import pytest

from elegy import metrics
from elegy.metrics._strings import resolve_metric


def array(shape, dtype="float32"):
    return jax.ShapeDtypeStruct(shape, dtype)


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        (array((8, 1)), array((8, 1))),
        (array((8,), "int32"), array((8, 10))),
        (array((8, 1), "int32"), array((8, 10))),
        (array((8, 10)), array((8, 10))),
        (array((8, 5), "int32"), array((8, 5, 10))),
        (array((8, 5, 10)), array((8, 5, 10))),
    ],
)
def test_accuracy_is_chosen_by_shapes_as_keras_does(y_true, y_pred, keras_accuracy):
    for name in ("accuracy", "acc"):
        assert type(resolve_metric(name, y_true, y_pred)).__name__ == keras_accuracy(y_true, y_pred)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        (array((8, 1)), array((8, 1)), "BinaryCrossentropy"),
        (array((8,), "int32"), array((8, 10)), "SparseCategoricalCrossentropy"),
        (array((8, 10)), array((8, 10)), "CategoricalCrossentropy"),
    ],
)
def test_crossentropy_is_chosen_by_shapes_and_divides_by_the_weights(y_true, y_pred, kind):
    chosen = resolve_metric("crossentropy", y_true, y_pred)
    assert type(chosen) is getattr(metrics, kind)


def test_every_class_has_its_own_name_as_a_string():
    needs = {"Metric", "OnHost", "Reduce", "ReduceConfusionMatrix"}
    needs |= {name for name in vars(metrics) if "At" in name}
    for kind in vars(metrics).values():
        if isinstance(kind, type) and kind.__name__ not in needs and kind is not metrics.Accuracy:
            assert type(resolve_metric(kind().name or kind.__name__, array((8, 3)), array((8, 3)))) is kind


def test_one_score_without_an_axis_is_binary():
    assert type(resolve_metric("accuracy", array((8,), "int32"), array((8,)))).__name__ == "BinaryAccuracy"


def test_outputs_that_are_classes_already_are_compared():
    chosen = resolve_metric("accuracy", array((8,), "int32"), array((8,), "int32"))
    assert type(chosen).__name__ == "Accuracy"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mse", "MeanSquaredError"),
        ("MSE", "MeanSquaredError"),
        ("mae", "MeanAbsoluteError"),
        ("mean_absolute_error", "MeanAbsoluteError"),
        ("binary_accuracy", "BinaryAccuracy"),
        ("BinaryAccuracy", "BinaryAccuracy"),
        ("categorical_accuracy", "CategoricalAccuracy"),
        ("sparse_categorical_accuracy", "SparseCategoricalAccuracy"),
        ("precision", "Precision"),
        ("recall", "Recall"),
        ("f1", "F1"),
        ("F1", "F1"),
        ("mean", "Mean"),
        ("sum", "Sum"),
        ("AUC", "AUC"),
        ("MeanIoU", "MeanIoU"),
        ("r2_score", "R2Score"),
        ("KLDivergence", "KLDivergence"),
        ("kl_divergence", "KLDivergence"),
        ("FBetaScore", "FBetaScore"),
        ("rmse", "RootMeanSquaredError"),
        ("binary_crossentropy", "BinaryCrossentropy"),
    ],
)
def test_a_name_stands_for_its_class_and_stays_as_typed(name, kind):
    chosen = resolve_metric(name, array((8, 1)), array((8, 1)))
    assert (type(chosen).__name__, chosen.name) == (kind, name)


def test_a_name_can_be_checked_before_shapes_are_known():
    assert resolve_metric("accuracy", None, None) is None
    assert type(resolve_metric("mse", None, None)).__name__ == "MeanSquaredError"


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r'"acuracy" was asked for.*Did you mean `accuracy`\?'):
        resolve_metric("acuracy", None, None)


def test_accuracy_of_several_outputs_points_to_on():
    for name, advice in {"accuracy": "SparseCategoricalAccuracy", "ce": "SparseCategoricalCrossentropy"}.items():
        with pytest.raises(ValueError, match=rf"Use a metric with `on=`, like `{advice}\(on"):
            resolve_metric(name, {"a": np.zeros(2)}, {"a": np.zeros(2)})
