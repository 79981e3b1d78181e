"""What the options of metrics are checked with when a metric is made."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._errors import did_you_mean, listing


def whole_number(name: str, argument: str, number: Any, least: int) -> int:
    """The number as an `int`.

    Args:
        name: of the metric.
        argument: how the argument is called.
        number: what it was given.
        least: the smallest that is allowed.

    Raises:
        ValueError: it is no whole number, or too small.

    Example:
        >>> whole_number("auc", "num_thresholds", 200, least=2)
        200
    """
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
        raise ValueError(
            f"The metric `{name}` was given `{argument}={number!r}`. It is a whole number, {least} or more. "
            "Give such a number, or leave it out."
        )
    return int(number)


def optional_whole_number(name: str, argument: str, number: Any, least: int) -> int | None:
    """Like `whole_number`, but None stays."""
    return None if number is None else whole_number(name, argument, number, least)


def one_of(name: str, argument: str, choice: Any, choices: Sequence[Any]) -> Any:
    """The choice, if it is among the choices.

    Args:
        name: of the metric.
        argument: how the argument is called.
        choice: what it was given.
        choices: what may be given.

    Raises:
        ValueError: it is none of them.

    Example:
        >>> one_of("auc", "curve", "PR", ("ROC", "PR"))
        'PR'
    """
    if choice not in choices:
        raise ValueError(
            f"The metric `{name}` was given `{argument}={choice!r}`. It is one of: {listing(map(str, choices))}. "
            "Use one of these." + did_you_mean(str(choice), [str(c) for c in choices])
        )
    return choice


def levels(name: str, thresholds: float | Sequence[float] | None) -> tuple[float, ...] | None:
    """Thresholds as numbers; None stays.

    Args:
        name: of the metric.
        thresholds: one or several.

    Raises:
        ValueError: there is none, or one that is no number.

    Example:
        >>> levels("precision", [0.2, 0.5])
        (0.2, 0.5)
    """
    if thresholds is None:
        return None
    numbers = tuple(float(level) for level in np.ravel(np.asarray(thresholds)))
    if not numbers or any(math.isnan(number) for number in numbers):
        raise ValueError(
            f"The metric `{name}` was given the thresholds {list(numbers)}. At least one number is needed. "
            "Leave the argument out for 0.5."
        )
    return numbers
