"""Which class was taken for which: the confusion matrix, as a metric and as what agreement metrics are made of."""

import abc
from typing import Any, Literal

import jax
import jax.numpy as jnp

from .._errors import short_type
from .._labels import check_binary_labels, check_labels, class_labels, require_same_shape, squeeze_labels
from .._names import name_of
from .._on import On
from .._sums import ExactSum, add_to_sum, merge_sums, quotient, sum_value, zero_sum
from ._confusion import names_classes
from ._means import as_floating, full_weight
from ._metric import Metric
from ._options import one_of, optional_whole_number


class AbstractConfusionMetric(Metric, abc.ABC):
    """The four verbs of a metric that is a function of the confusion matrix; a subclass writes `score`."""

    better = "higher"

    def __init__(
        self, num_classes: int | None = None, on: On = None, *, threshold: float = 0.5, name: str | None = None
    ) -> None:
        super().__init__(on, name=name)
        self.num_classes = optional_whole_number(name_of(self), "num_classes", num_classes, least=2)
        self.threshold = threshold
        self.ignore_class: int | None = None

    @abc.abstractmethod
    def score(self, matrix: jax.Array) -> jax.Array:
        """The value of a matrix `(classes, classes)` of weights: rows are labels, columns what was predicted."""

    def empty(self, y_true: Any = None, y_pred: Any = None) -> ExactSum:
        """The state before the first batch.

        Args:
            y_true: labels or their abstract form.
            y_pred: outputs, likewise; where they are scores, they tell how many classes there are.

        Raises:
            ValueError: nothing says how many classes there are, or two things say so differently.
        """
        classes = self._classes(y_true, y_pred)
        return zero_sum((classes, classes))

    def update(self, state: ExactSum, y_true: Any, y_pred: Any, sample_weight: Any = None) -> ExactSum:
        """The state after one more batch; a label or prediction that is no class counts for nothing.

        Args:
            state: the state before.
            y_true: class numbers, integers, `(batch, *d)` or `(batch, *d, 1)`; or one-hot, `(batch, *d, classes)`.
            y_pred: class numbers, integers, `(batch, *d)`; scores of the classes, `(batch, *d, classes)`; or one yes/no
                score, of the shape of `y_true`.
            sample_weight: `(batch,)`, or a shape that is a beginning of `(batch, *d)`.

        Raises:
            ValueError: the shapes do not fit.
        """
        who = f"metric `{name_of(self)}`"
        labels, chosen = _class_numbers(who, y_true, y_pred, self.threshold)
        classes = state.value.shape[0]
        weight = full_weight(sample_weight, labels, who)
        weight = jnp.ones(labels.shape, jnp.float32) if weight is None else weight
        counts = (labels >= 0) & (labels < classes) & (chosen >= 0) & (chosen < classes)
        if self.ignore_class is not None:
            counts = counts & (labels != self.ignore_class)
        places = jnp.where(counts, labels * classes + chosen, 0)
        flat = jnp.zeros((classes * classes,), jnp.float32).at[places].add(jnp.where(counts, weight, 0.0))
        return add_to_sum(state, flat.reshape(classes, classes))

    def merge(self, a: ExactSum, b: ExactSum) -> ExactSum:
        """The state of two sets of batches together."""
        return merge_sums(a, b)

    def compute(self, state: ExactSum) -> jax.Array:
        """The value so far."""
        return self.score(sum_value(state))

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Refuse labels that are no classes, on the host.

        Args:
            y_true: labels as a NumPy array.
            y_pred: outputs, of which shape and dtype count.

        Raises:
            ValueError: a label is out of range.
        """
        who, kind = f"metric `{name_of(self)}`", _kind(y_true, y_pred)
        if kind == "yes/no":
            check_binary_labels(who, y_true)
        elif kind in ("scores", "classes"):
            labels = squeeze_labels(y_true, y_pred) if kind == "scores" else y_true
            counted = labels if self.ignore_class is None else labels[labels != self.ignore_class]
            check_labels(who, counted, self._classes(y_true, y_pred))

    def _classes(self, y_true: Any, y_pred: Any) -> int:
        """How many classes there are, by `num_classes` and by what the outputs tell."""
        told = _told_classes(y_true, y_pred)
        known = {number for number in (told, self.num_classes) if number is not None}
        if not known:
            raise ValueError(
                f"metric `{name_of(self)}` counts class by class. `y_pred` is {short_type(y_pred)}, which does not "
                "tell how many classes there are. Give `num_classes=`."
            )
        if len(known) > 1:
            raise ValueError(
                f"metric `{name_of(self)}` has `num_classes={self.num_classes}`. `y_pred` is {short_type(y_pred)}, "
                f"which decides between {told}. Leave `num_classes` out, or give one score for each class."
            )
        return known.pop()


class ConfusionMatrix(AbstractConfusionMetric):
    """How often each class was taken for each: a matrix whose rows are labels and whose columns are predictions.

    Sums of weights; the logs show the cell of label 1 and prediction 0 as `confusion_matrix/1/0`. Scores decide by the
    highest one; integers are class numbers already.

    Args:
        num_classes: how many classes there are; None: as many as there are scores.
        on: which part of `y_true` and `y_pred` this metric sees.
        normalize: None for sums; "true", "pred" or "all" divide by the sum of the row, of the column, or of all.
        threshold: where there is one score a label, one above it means class 1.
        name: how logs call it; `confusion_matrix` by default.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> y_true, y_pred = jnp.array([0, 1, 1]), jnp.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]])
        >>> ConfusionMatrix()(y_true=y_true, y_pred=y_pred).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """

    better = None

    def __init__(
        self,
        num_classes: int | None = None,
        on: On = None,
        *,
        normalize: Literal["true", "pred", "all"] | None = None,
        threshold: float = 0.5,
        name: str | None = None,
    ) -> None:
        super().__init__(num_classes, on, threshold=threshold, name=name)
        self.normalize = one_of(name_of(self), "normalize", normalize, (None, "true", "pred", "all"))

    def score(self, matrix: jax.Array) -> jax.Array:
        """The matrix, normalized."""
        if self.normalize is None:
            return matrix
        axis = {"true": 1, "pred": 0, "all": None}[self.normalize]
        return quotient(matrix, jnp.broadcast_to(jnp.sum(matrix, axis=axis, keepdims=True), matrix.shape))


def _kind(y_true: Any, y_pred: Any) -> Literal["scores", "classes", "one-hot", "yes/no"]:
    """What labels and outputs are, by shapes and dtypes."""
    if names_classes(y_true, y_pred):
        return "scores"
    if not jnp.issubdtype(y_pred.dtype, jnp.floating):
        return "classes"
    return "one-hot" if len(y_pred.shape) > 1 and y_pred.shape[-1] > 1 else "yes/no"


def _told_classes(y_true: Any, y_pred: Any) -> int | None:
    """How many classes outputs decide between; None if they are class numbers, or not known yet."""
    if y_pred is None:
        return None
    kind = _kind(y_true, y_pred)
    if kind == "yes/no":
        return 2
    return None if kind == "classes" else y_pred.shape[-1]


def _class_numbers(who: str, y_true: Any, y_pred: Any, threshold: float) -> tuple[jax.Array, jax.Array]:
    """Labels and predictions as int32 class numbers of one shape."""
    kind = _kind(y_true, y_pred)
    if kind == "scores":
        return class_labels(who, y_true, y_pred).astype(jnp.int32), jnp.argmax(y_pred, axis=-1).astype(jnp.int32)
    require_same_shape(who, y_true, y_pred)
    if kind == "one-hot":
        return jnp.argmax(y_true, axis=-1).astype(jnp.int32), jnp.argmax(y_pred, axis=-1).astype(jnp.int32)
    if kind == "classes":
        return y_true.astype(jnp.int32), y_pred.astype(jnp.int32)
    return (as_floating(y_true) > 0.5).astype(jnp.int32), (as_floating(y_pred) > threshold).astype(jnp.int32)
