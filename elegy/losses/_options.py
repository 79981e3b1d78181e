"""What the options of losses and regularizers may be, told in the constructor."""

import math
from numbers import Integral, Real
from typing import Any


def require_bool(who: str, name: str, value: Any) -> bool:
    """The value, if it is True or False.

    Raises:
        ValueError: it is not.

    Example:
        >>> require_bool("loss `f`", "from_logits", True)
        True
    """
    if isinstance(value, bool):
        return value
    raise ValueError(f"{who} was given `{name}={value!r}`. It is a switch. Give True or False.")


def require_smoothing(who: str, value: Any) -> float:
    """The label smoothing, if it is in [0, 1).

    Raises:
        ValueError: it is not.

    Example:
        >>> require_smoothing("loss `f`", 0.1)
        0.1
    """
    if is_number(value) and 0 <= value < 1:
        return value
    raise ValueError(
        f"{who} was given `label_smoothing={value!r}`. It is the share of each label that is spread over all classes. "
        "Give a number from 0 up to, but below, 1."
    )


def require_positive(who: str, name: str, value: Any) -> float:
    """The value, if it is a finite number above 0.

    Raises:
        ValueError: it is not.

    Example:
        >>> require_positive("loss `huber`", "delta", 1.0)
        1.0
    """
    if is_number(value) and value > 0:
        return value
    raise ValueError(f"{who} was given `{name}={value!r}`. It is a finite number above 0. Give one.")


def require_at_least_zero(who: str, name: str, value: Any) -> float:
    """The value, if it is a finite number of at least 0.

    Raises:
        ValueError: it is not.

    Example:
        >>> require_at_least_zero("loss `tversky`", "alpha", 0.5)
        0.5
    """
    if is_number(value) and value >= 0:
        return value
    raise ValueError(f"{who} was given `{name}={value!r}`. It is a finite number of at least 0. Give one.")


def require_share(who: str, name: str, value: Any) -> float:
    """The value, if it is a number from 0 to 1.

    Raises:
        ValueError: it is not.

    Example:
        >>> require_share("loss `binary_focal_crossentropy`", "alpha", 0.25)
        0.25
    """
    if is_number(value) and 0 <= value <= 1:
        return value
    raise ValueError(f"{who} was given `{name}={value!r}`. It is a share. Give a number from 0 to 1.")


def require_index(who: str, name: str, value: Any) -> int:
    """The value as an int, if it is a whole number.

    Raises:
        ValueError: it is not.

    Example:
        >>> require_index("loss `cosine_similarity`", "axis", -1)
        -1
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    raise ValueError(f"{who} was given `{name}={value!r}`. It is a whole number. Give one.")


def require_label(who: str, ignore_class: Any) -> int | None:
    """The label that counts for nothing, if it is a whole number or None.

    Raises:
        ValueError: it is neither.

    Example:
        >>> require_label("loss `f`", 255)
        255
    """
    return None if ignore_class is None else require_index(who, "ignore_class", ignore_class)


def require_axes(who: str, axis: Any) -> int | tuple[int, ...] | None:
    """The axes, if they are one whole number, several, or None.

    Raises:
        ValueError: they are not.

    Example:
        >>> require_axes("loss `dice`", [1, 2])
        (1, 2)
    """
    if axis is None:
        return None
    several = isinstance(axis, (tuple, list))
    return tuple(require_index(who, "axis", each) for each in axis) if several else require_index(who, "axis", axis)


def require_penalty(who: str, name: str, value: Any) -> float:
    """The strength of a penalty, if it is a finite number of at least 0.

    Raises:
        ValueError: it is not.

    Example:
        >>> require_penalty("loss `l2_regularization`", "l", 0.01)
        0.01
    """
    if is_number(value) and value >= 0:
        return value
    raise ValueError(
        f"{who} was given `{name}={value!r}`. It is the strength of a penalty, a finite number of at least 0. Give one."
    )


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, of Python or NumPy; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
