"""The loss of connectionist temporal classification, as a function and as a loss."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .._errors import short_type
from .._labels import check_labels, require_integers
from .._names import name_of
from .._on import On
from .._reduce import Reduction
from ._loss import Loss
from ._operands import as_array, as_floating
from ._options import require_index


def ctc(
    y_true: Any, y_pred: Any, *, target_length: Any = None, output_length: Any = None, mask_index: int = 0
) -> jax.Array:
    """How unlikely a sequence of labels is, whichever frames say which label; for speech and handwriting.

    The negative logarithm of the summed probability of all alignments: a frame says a label or nothing (`mask_index`),
    repetitions are merged, and what says nothing is dropped.

    Args:
        y_true: class numbers, integers, `(batch, labels)`; padded at the end with `mask_index`, which is no label.
        y_pred: logits, `(batch, frames, classes)`.
        target_length: None, or how many labels count, integers, `(batch,)`.
        output_length: None for all, or how many frames count, integers, `(batch,)`.
        mask_index: the class that says nothing.

    Returns:
        One value for each sample, `(batch,)`; about 1e5 where there are more labels than the frames can say.

    Raises:
        ValueError: the labels are no integers, shapes do not fit, or `mask_index` is no class.

    Example:
        >>> frames = jnp.zeros((1, 2, 2))  # each says a label or nothing, with probability 1/2
        >>> float(jnp.exp(-ctc(jnp.array([[1]]), frames))[0].round(4))  # "1-", "-1" and "11"
        0.75

    Reference:
        Graves et al., Connectionist Temporal Classification, ICML 2006.
    """
    return CTC(mask_index=mask_index).call(y_true, y_pred, target_length, output_length)


class CTC(Loss):
    """How unlikely a sequence of labels is, whichever frames say which label; for speech and handwriting.

    The negative logarithm of the summed probability of all alignments, then reduced over samples: a frame says a label
    or nothing (`mask_index`), repetitions are merged, and what says nothing is dropped. Lengths are columns of the
    batch with these names, `elegy.Batch(x=..., y_true=..., output_length=...)`, or others through `elegy.bind`.

    Args:
        reduction: a `Reduction` or its string; None means `sum_over_batch_size`.
        weight: a factor on the reduced value: a number or a schedule of the step.
        on: which part of `y_true` and `y_pred` this loss sees.
        mask_index: the class that says nothing.
        name: how logs call it; `ctc` by default.

    Raises:
        ValueError: `mask_index` is no whole number.

    Example:
        >>> loss = CTC()
        >>> round(float(loss(y_true=jnp.array([[1]]), y_pred=jnp.zeros((1, 2, 2)))), 4)
        0.2877

    Reference:
        Graves et al., Connectionist Temporal Classification, ICML 2006.
    """

    batch_axis: ClassVar[int | None] = 0

    def __init__(
        self,
        reduction: Reduction | str | None = None,
        weight: float | Callable[[Any], Any] | None = None,
        on: On = None,
        *,
        mask_index: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight, on, name=name)
        self.mask_index = require_index(f"loss `{name_of(self)}`", "mask_index", mask_index)

    def call(self, y_true: Any, y_pred: Any, target_length: Any = None, output_length: Any = None) -> jax.Array:
        """The values before sample weights and reduction.

        Args:
            y_true: class numbers, integers, `(batch, labels)`, padded at the end with `mask_index`.
            y_pred: logits, `(batch, frames, classes)`.
            target_length: None, or how many labels count, `(batch,)`.
            output_length: None for all, or how many frames count, `(batch,)`.

        Returns:
            `(batch,)`.

        Raises:
            ValueError: the labels are no integers, shapes do not fit, or `mask_index` is no class.
        """
        who = f"loss `{name_of(self)}`"
        labels, logits = as_array(who, "y_true", y_true), as_floating(as_array(who, "y_pred", y_pred))
        _require_sequences(who, labels, logits)
        _require_class(who, self.mask_index, logits.shape[-1])
        labels = labels.astype(jnp.int32)
        padding = labels == self.mask_index if target_length is None else _after(who, target_length, labels)
        silence = jnp.zeros(logits.shape[:2], bool) if output_length is None else _after(who, output_length, logits)
        are_classes = jnp.all(padding | ((labels >= 0) & (labels < logits.shape[-1])), axis=1)
        padding, silence = padding.astype(logits.dtype), silence.astype(logits.dtype)
        values = _of_alignments(logits, silence, labels, padding, blank_id=self.mask_index)
        return jnp.where(are_classes, values, jnp.nan)  # the kernel would take others for certain

    def check(self, y_true: Any, y_pred: Any, target_length: Any = None) -> None:
        """Refuse labels that are no class numbers, or that follow padding, on the host.

        Args:
            y_true: labels as a NumPy array, `(rows, labels)`.
            y_pred: the outputs, `(batch, frames, classes)`, of which only the shape is read.
            target_length: None, or how many labels count, `(rows,)`; others are not looked at.

        Raises:
            ValueError: a label is no integer or out of range, or there is one behind padding.
        """
        who, labels = f"loss `{name_of(self)}`", np.asarray(y_true)
        if target_length is not None:
            places, length = np.arange(labels.shape[1]), np.asarray(target_length)[:, None]
            labels = np.where(places < length, labels, self.mask_index)
        check_labels(who, labels, y_pred.shape[-1])
        says_nothing = labels == self.mask_index
        behind = np.argwhere(says_nothing[:, :-1] & ~says_nothing[:, 1:])
        if len(behind):
            row = behind[0][0]
            raise ValueError(
                f"{who} was given the labels {labels[row].tolist()}, in row {row}. The label {self.mask_index} says "
                "nothing (`mask_index`) and pads at the end only. Number the labels without it, and move padding there."
            )


# Compiled by itself: called eagerly, its loop over the frames would be compiled anew each time.
_of_alignments = jax.jit(optax.losses.ctc_loss, static_argnames="blank_id")


def _require_sequences(who: str, labels: jax.Array, logits: jax.Array) -> None:
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise ValueError(
            f"{who} was given `y_true` {short_type(labels)} and `y_pred` {short_type(logits)}. The shapes "
            f"{labels.shape} and {logits.shape} are not those of `(batch, labels)` and `(batch, frames, classes)`. "
            "Give a row of class numbers, and a row of logits for each frame."
        )
    require_integers(who, labels)


def _require_class(who: str, mask_index: int, classes: int) -> None:
    if not 0 <= mask_index < classes:
        raise ValueError(
            f"{who} was given `mask_index={mask_index}`. There are {classes} classes, numbered 0 to {classes - 1}. "
            "Name the one that says nothing."
        )


def _after(who: str, length: Any, rows: jax.Array) -> jax.Array:
    """Which places of the second axis lie after each row's length."""
    length = jnp.asarray(length)
    if length.shape != rows.shape[:1]:
        raise ValueError(
            f"{who} was given lengths {short_type(length)} for {short_type(rows)}. There is one for each of the "
            f"{rows.shape[0]} rows. Give them the shape `(batch,)`."
        )
    return jnp.arange(rows.shape[1], dtype=jnp.int32)[None, :] >= length.astype(jnp.int32)[:, None]
