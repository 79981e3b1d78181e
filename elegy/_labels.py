"""Labels and shapes: the checks that losses and metrics share, and the one documented squeeze of class labels."""

from typing import Any

import numpy as np

from ._errors import short_type


def require_same_shape(name: str, y_true: Any, y_pred: Any) -> None:
    """Refuse labels and outputs of different shapes; nothing is broadcast silently.

    Args:
        name: how errors call the consumer, like "loss `mse`".
        y_true: labels, an array or its abstract form.
        y_pred: outputs, likewise.

    Raises:
        ValueError: the shapes differ; the message names both.

    Example:
        >>> require_same_shape("loss `mse`", np.zeros((2, 1)), np.zeros((2, 1)))
    """
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name} was given `y_true` {short_type(y_true)} and `y_pred` {short_type(y_pred)}. "
            f"Their shapes {tuple(y_true.shape)} and {tuple(y_pred.shape)} differ, and it compares element by element. "
            "Give both the same shape, for example with `reshape` or `[..., 0]`."
        )


def squeeze_labels(y_true: Any, y_pred: Any) -> Any:
    """Class labels without a last axis of length 1, where `y_pred` has one score for each class.

    Args:
        y_true: class labels, `(batch, *d)` or `(batch, *d, 1)`.
        y_pred: scores, `(batch, *d, classes)`.

    Returns:
        The labels, `(batch, *d)`; unchanged unless they have as many axes as `y_pred` and a last one of length 1.

    Example:
        >>> squeeze_labels(np.zeros((2, 1)), np.zeros((2, 3))).shape
        (2,)
    """
    squeezable = len(y_true.shape) == len(y_pred.shape) > 1 and y_true.shape[-1] == 1
    return y_true[..., 0] if squeezable else y_true


def class_labels(name: str, y_true: Any, y_pred: Any) -> Any:
    """Integer class labels that fit the scores; the squeeze of `squeeze_labels` is applied.

    Args:
        name: how errors call the consumer.
        y_true: class labels, `(batch, *d)` or `(batch, *d, 1)`, integers.
        y_pred: scores, `(batch, *d, classes)`, at least two classes.

    Returns:
        The labels, `(batch, *d)`.

    Raises:
        ValueError: the labels are no integers, the shapes do not fit, or there is one class only.

    Example:
        >>> class_labels("loss `ce`", np.array([[1], [0]]), np.zeros((2, 3)))
        array([1, 0])
    """
    require_integers(name, y_true)
    labels = squeeze_labels(y_true, y_pred)
    if len(y_pred.shape) < 1 or tuple(labels.shape) != tuple(y_pred.shape[:-1]):
        raise ValueError(
            f"{name} was given `y_true` {short_type(y_true)} and `y_pred` {short_type(y_pred)}. The shapes "
            f"{tuple(y_true.shape)} and {tuple(y_pred.shape)} do not fit: scores have one axis more than class labels. "
            "Give labels of shape `(batch,)` and scores of shape `(batch, classes)`."
        )
    if y_pred.shape[-1] < 2:
        raise ValueError(
            f"{name} was given `y_true` {short_type(y_true)} and `y_pred` {short_type(y_pred)}. One output is no "
            "choice between classes. Give one output per class, or use the binary form."
        )
    return labels


def check_labels(name: str, y_true: Any, num_classes: int) -> None:
    """Refuse labels that are no numbers of classes; reads the values, so it runs on the host.

    Args:
        name: how errors call the consumer.
        y_true: class labels, a NumPy array of any shape.
        num_classes: how many classes there are; labels are `0` to `num_classes - 1`.

    Raises:
        ValueError: a label is out of range, or the labels are no integers.

    Example:
        >>> check_labels("loss `ce`", np.array([0, 2]), 3)
    """
    require_integers(name, y_true)
    labels = np.asarray(y_true)
    if labels.size == 0:
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise ValueError(
            f"{name} was given the label {low if low < 0 else high}. There are {num_classes} classes, numbered 0 to "
            f"{num_classes - 1}. Correct the labels, or give the module one output for each class."
        )


def check_binary_labels(name: str, y_true: Any) -> None:
    """Refuse yes/no labels outside of 0 to 1; reads the values, so it runs on the host.

    Args:
        name: how errors call the consumer.
        y_true: labels, a NumPy array of any shape; 0 and 1, or anything between, of which more than 0.5 counts as yes.

    Raises:
        ValueError: a label is below 0 or above 1.

    Example:
        >>> check_binary_labels("metric `binary_accuracy`", np.array([0, 1, 1]))
    """
    labels = np.asarray(y_true)
    if labels.size == 0:
        return
    low, high = labels.min(), labels.max()
    if low < 0 or high > 1:
        raise ValueError(
            f"{name} was given the label {low if low < 0 else high}. It compares yes/no labels, which are 0 or 1. "
            "Map the labels to 0 and 1, or give the module one output for each class."
        )


def require_integers(name: str, y_true: Any) -> None:
    """Refuse class labels that are no integers.

    Args:
        name: how errors call the consumer.
        y_true: labels, an array or its abstract form.

    Raises:
        ValueError: they are not.

    Example:
        >>> require_integers("loss `ctc`", np.array([1, 2]))
    """
    if np.dtype(y_true.dtype).kind not in "biu":
        raise ValueError(
            f"{name} was given `y_true` {short_type(y_true)}. Class labels are whole numbers. Convert them with "
            "`y.astype(np.int32)`; for one-hot labels use the categorical form."
        )
