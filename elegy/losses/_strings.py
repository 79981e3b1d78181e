"""Losses as Keras users type them: a string becomes a loss, where needed by the shapes of labels and outputs."""

from typing import Any

from .._errors import did_you_mean, listing, short_type
from .._names import snake_case
from ._binary_crossentropy import BinaryCrossentropy
from ._binary_focal_crossentropy import BinaryFocalCrossentropy
from ._categorical_crossentropy import CategoricalCrossentropy
from ._categorical_focal_crossentropy import CategoricalFocalCrossentropy
from ._categorical_hinge import CategoricalHinge
from ._cosine_similarity import CosineSimilarity
from ._ctc import CTC
from ._dice import Dice
from ._hinge import Hinge
from ._huber import Huber
from ._kl_divergence import KLDivergence
from ._log_cosh import LogCosh
from ._loss import Loss
from ._mean_absolute_error import MeanAbsoluteError
from ._mean_absolute_percentage_error import MeanAbsolutePercentageError
from ._mean_squared_error import MeanSquaredError
from ._mean_squared_logarithmic_error import MeanSquaredLogarithmicError
from ._poisson import Poisson
from ._sparse_categorical_crossentropy import SparseCategoricalCrossentropy
from ._squared_hinge import SquaredHinge
from ._tversky import Tversky


def resolve_loss(name: str, y_true: Any, y_pred: Any) -> Loss | None:
    """The loss that a string stands for, with its default options: crossentropies take probabilities.

    "crossentropy" and "ce" are chosen by shapes: one score, `(batch, 1)` or `(batch,)`, is binary; labels with one axis
    less than the scores, or with a last axis of length 1, are class numbers; others are one-hot.

    Args:
        name: the string; capitals and class names are fine (`"MSE"`, `"BinaryCrossentropy"`).
        y_true: labels, arrays or their abstract form. None: not known yet, so that only the name is checked.
        y_pred: outputs, likewise.

    Returns:
        A loss whose name is the string as typed; None if the shapes choose and are not known yet.

    Raises:
        ValueError: an unknown string, or outputs that are no array.

    Example:
        >>> import numpy as np
        >>> type(resolve_loss("crossentropy", np.zeros(2, int), np.zeros((2, 10)))).__name__
        'SparseCategoricalCrossentropy'
    """
    key = snake_case(name)
    if key in BY_SHAPE:
        return None if y_true is None or y_pred is None else _crossentropy_for(name, y_true, y_pred)(name=name)
    if key not in BY_NAME:
        names = (*BY_SHAPE, *BY_NAME)
        raise ValueError(
            f'The loss "{name}" was asked for. The names are: {listing(names)}. '
            "Use one of these, a loss, or a function of `y_true` and `y_pred`." + did_you_mean(key, names)
        )
    return BY_NAME[key](name=name)


BY_SHAPE = ("crossentropy", "ce")

BY_NAME: dict[str, type[Loss]] = {
    "mse": MeanSquaredError,
    "mean_squared_error": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mean_absolute_error": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "huber": Huber,
    "log_cosh": LogCosh,
    "poisson": Poisson,
    "cosine_similarity": CosineSimilarity,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "categorical_hinge": CategoricalHinge,
    "kld": KLDivergence,
    "kldivergence": KLDivergence,
    "kl_divergence": KLDivergence,
    "bce": BinaryCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "cce": CategoricalCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "binary_focal_crossentropy": BinaryFocalCrossentropy,
    "categorical_focal_crossentropy": CategoricalFocalCrossentropy,
    "dice": Dice,
    "tversky": Tversky,
    "ctc": CTC,
}


def _crossentropy_for(name: str, y_true: Any, y_pred: Any) -> type[Loss]:
    if not hasattr(y_true, "shape") or not hasattr(y_pred, "shape"):
        raise ValueError(
            f'The loss "{name}" is chosen by shapes. `y_true` is {short_type(y_true)} and `y_pred` is '
            f"{short_type(y_pred)}, not arrays. Use a loss with `on=`, like `SparseCategoricalCrossentropy(on=...)`."
        )
    axes = len(y_pred.shape)
    if axes < 2 or y_pred.shape[-1] == 1:
        return BinaryCrossentropy
    is_sparse = len(y_true.shape) == axes - 1 or (len(y_true.shape) == axes and y_true.shape[-1] == 1)
    return SparseCategoricalCrossentropy if is_sparse else CategoricalCrossentropy
