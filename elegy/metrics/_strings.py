"""Metrics as Keras users type them: a string becomes a metric, where needed by the shapes of labels and outputs."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from .._errors import did_you_mean, listing, short_type
from .._names import snake_case
from ._accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from ._aggregate import Mean, Sum
from ._confusion import names_classes
from ._distance import MeanAbsoluteError, MeanSquaredError
from ._metric import Metric
from ._precision_recall import F1, Precision, Recall


def resolve_metric(name: str, y_true: Any, y_pred: Any) -> Metric | None:
    """The metric that a string stands for.

    "accuracy" and "acc" are chosen by shapes: one score, `(batch, 1)` or `(batch,)`, is binary; labels with one axis
    less than the scores, or with a last axis of length 1, are class numbers; others are one-hot. Integer outputs of the
    labels' shape are classes already and are compared as they are.

    Args:
        name: the string; capitals and class names are fine (`"MSE"`, `"BinaryAccuracy"`).
        y_true: labels, arrays or their abstract form. None: not known yet, so that only the name is checked.
        y_pred: outputs, likewise.

    Returns:
        A metric whose name is the string as typed; None if the shapes choose and are not known yet.

    Raises:
        ValueError: an unknown string, or outputs that are no array.

    Example:
        >>> import numpy as np
        >>> type(resolve_metric("accuracy", np.zeros(2, int), np.zeros((2, 10)))).__name__
        'SparseCategoricalAccuracy'
    """
    key = snake_case(name)
    if key in BY_SHAPE:
        return None if y_true is None or y_pred is None else _accuracy_for(name, y_true, y_pred)(name=name)
    if key not in BY_NAME:
        names = (*BY_SHAPE, *BY_NAME)
        raise ValueError(
            f'The metric "{name}" was asked for. The names are: {listing(names)}. '
            "Use one of these, a metric, or a function of `y_true` and `y_pred`." + did_you_mean(key, names)
        )
    return BY_NAME[key](name=name)


BY_SHAPE = ("accuracy", "acc")

BY_NAME: dict[str, Callable[..., Metric]] = {
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "precision": Precision,
    "recall": Recall,
    "f1": F1,
    "mean": Mean,
    "sum": Sum,
    "mse": MeanSquaredError,
    "mean_squared_error": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mean_absolute_error": MeanAbsoluteError,
}


def _accuracy_for(name: str, y_true: Any, y_pred: Any) -> Callable[..., Metric]:
    if not hasattr(y_true, "shape") or not hasattr(y_pred, "shape"):
        raise ValueError(
            f'The metric "{name}" is chosen by shapes. `y_true` is {short_type(y_true)} and `y_pred` is '
            f"{short_type(y_pred)}, not arrays. Use a metric with `on=`, like `SparseCategoricalAccuracy(on=...)`."
        )
    if not jnp.issubdtype(y_pred.dtype, jnp.inexact) and tuple(y_pred.shape) == tuple(y_true.shape):
        return Accuracy
    if len(y_pred.shape) < 2 or y_pred.shape[-1] == 1:
        return BinaryAccuracy
    return SparseCategoricalAccuracy if names_classes(y_true, y_pred) else CategoricalAccuracy
