"""Metrics as Keras users type them: a string becomes a metric, where needed by the shapes of labels and outputs."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from .._errors import did_you_mean, listing, short_type
from .._names import snake_case
from ._accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from ._aggregate import Mean, Sum
from ._agreement import CohenKappa, MatthewsCorrelation, MeanIoU
from ._auc import AUC
from ._confusion import names_classes
from ._confusion_matrix import ConfusionMatrix
from ._cosine_similarity import CosineSimilarity
from ._counts import FalseNegatives, FalsePositives, TrueNegatives, TruePositives
from ._crossentropies import BinaryCrossentropy, CategoricalCrossentropy, Perplexity, SparseCategoricalCrossentropy
from ._distance import LogCoshError, MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError
from ._divergence import KLDivergence, Poisson
from ._fbeta_score import FBetaScore
from ._hinge import CategoricalHinge, Hinge, SquaredHinge
from ._metric import Metric
from ._pearson_correlation import PearsonCorrelation
from ._precision_recall import F1, Precision, Recall
from ._r2_score import R2Score
from ._relative_distance import MeanAbsolutePercentageError, MeanSquaredLogarithmicError
from ._top_k import SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy


def resolve_metric(name: str, y_true: Any, y_pred: Any) -> Metric | None:
    """The metric that a string stands for.

    "accuracy" and "acc", "crossentropy" and "ce" are chosen by shapes: one score, `(batch, 1)` or `(batch,)`, is
    binary; labels with one axis less than the scores, or with a last axis of length 1, are class numbers; others are
    one-hot. For accuracies, integer outputs of the labels' shape are classes already and are compared as they are.

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
    key = next((known for known in BY_NAME if known.replace("_", "") == key.replace("_", "")), key)
    if key in BY_SHAPE:
        return None if y_true is None or y_pred is None else _chosen(name, key, y_true, y_pred)(name=name)
    if key not in BY_NAME:
        names = (*BY_SHAPE, *BY_NAME)
        raise ValueError(
            f'The metric "{name}" was asked for. The names are: {listing(names)}. '
            "Use one of these, a metric, or a function of `y_true` and `y_pred`." + did_you_mean(key, names)
        )
    return BY_NAME[key](name=name)


BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")

BY_NAME: dict[str, Callable[..., Metric]] = {
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "precision": Precision,
    "recall": Recall,
    "f1": F1,
    "fbeta_score": FBetaScore,
    "auc": AUC,
    "true_positives": TruePositives,
    "false_positives": FalsePositives,
    "true_negatives": TrueNegatives,
    "false_negatives": FalseNegatives,
    "confusion_matrix": ConfusionMatrix,
    "mean_iou": MeanIoU,
    "matthews_correlation": MatthewsCorrelation,
    "cohen_kappa": CohenKappa,
    "mean": Mean,
    "sum": Sum,
    "mse": MeanSquaredError,
    "mean_squared_error": MeanSquaredError,
    "rmse": RootMeanSquaredError,
    "root_mean_squared_error": RootMeanSquaredError,
    "mae": MeanAbsoluteError,
    "mean_absolute_error": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "logcosh": LogCoshError,
    "log_cosh": LogCoshError,
    "log_cosh_error": LogCoshError,
    "r2_score": R2Score,
    "pearson_correlation": PearsonCorrelation,
    "cosine_similarity": CosineSimilarity,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "categorical_hinge": CategoricalHinge,
    "kld": KLDivergence,
    "kl_divergence": KLDivergence,
    "poisson": Poisson,
    "bce": BinaryCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "cce": CategoricalCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "perplexity": Perplexity,
}

# By what the outputs are the accuracy and the crossentropy.
_FOR_SCORES: dict[str, tuple[Callable[..., Metric], Callable[..., Metric]]] = {
    "yes/no": (BinaryAccuracy, BinaryCrossentropy),
    "scores": (SparseCategoricalAccuracy, SparseCategoricalCrossentropy),
    "one-hot": (CategoricalAccuracy, CategoricalCrossentropy),
}


def _chosen(name: str, key: str, y_true: Any, y_pred: Any) -> Callable[..., Metric]:
    is_accuracy = key in ("accuracy", "acc")
    if not hasattr(y_true, "shape") or not hasattr(y_pred, "shape"):
        like = "SparseCategoricalAccuracy" if is_accuracy else "SparseCategoricalCrossentropy"
        raise ValueError(
            f'The metric "{name}" is chosen by shapes. `y_true` is {short_type(y_true)} and `y_pred` is '
            f"{short_type(y_pred)}, not arrays. Use a metric with `on=`, like `{like}(on=...)`."
        )
    is_class = not jnp.issubdtype(y_pred.dtype, jnp.inexact) and tuple(y_pred.shape) == tuple(y_true.shape)
    if is_accuracy and is_class:
        return Accuracy
    kind = "scores" if names_classes(y_true, y_pred) else "one-hot"
    kind = "yes/no" if len(y_pred.shape) < 2 or y_pred.shape[-1] == 1 else kind
    return _FOR_SCORES[kind][0 if is_accuracy else 1]
