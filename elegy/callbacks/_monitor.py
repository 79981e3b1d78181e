"""Watch one log: read it, know which way is better, and say early what does not fit."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._errors import did_you_mean, listing
from .._paths import slashed

_MODES = ("auto", "min", "max")


class Monitor:
    """A log that is watched, and what counts as an improvement of it.

    Args:
        who: how errors call the callback that watches.
        name: the log's name; `.` and `/` mean the same. A `val_` name is looked at in the epochs that were validated.
        mode: "min" if the log should fall, "max" if it should rise; "auto" asks the model's losses and metrics.
        min_delta: how much better counts as better; its sign does not matter.

    Raises:
        TypeError: the name is no text.
        ValueError: the mode does not exist.

    Example:
        >>> watched = Monitor("EarlyStopping", "loss", "min", min_delta=0.1)
        >>> watched.value({"loss": 0.5}, model=None)
        0.5
        >>> watched.is_better(0.45, than=0.5), watched.is_better(0.3, than=0.5), watched.is_better(0.3, than=None)
        (False, True, True)
    """

    def __init__(self, who: str, name: str, mode: str = "auto", *, min_delta: float = 0.0) -> None:
        if mode not in _MODES:
            raise ValueError(
                f"{who} got `mode={mode!r}`. The modes are: {listing(_MODES)}. Use one of these."
                + did_you_mean(str(mode), _MODES)
            )
        if not isinstance(name, str):
            raise TypeError(f'{who} got `monitor={name!r}`. It watches a log by its name. Write `monitor="val_loss"`.')
        self.name = name
        self._who = who
        self._mode = mode
        self._min_delta = abs(min_delta)
        self.reset()

    def reset(self, *, seen: bool = False) -> None:
        """Start anew.

        Args:
            seen: whether the log was there in an earlier part of the fit.
        """
        self._sign = {"min": 1.0, "max": -1.0}.get(self._mode)
        self._seen = seen
        self._unvalidated = False

    def value(self, logs: Mapping[str, Any], model: Any) -> float | None:
        """The value of the log; None if this epoch does not have it for a good reason.

        Args:
            logs: the logs of an epoch.
            model: knows the direction of its losses and metrics.

        Raises:
            ValueError: this fit has no such log, or nobody knows its direction.
        """
        name = self._in(logs)
        if name is not None:
            self._seen = True
            self._sign = self._sign or self._declared_sign(name, logs, model)
            return float(logs[name])
        validated = any(log.startswith("val_") for log in logs)
        if self.name.startswith("val_") and not validated:
            self._unvalidated = True
        elif not self._seen:
            raise ValueError(
                f"{self._who} watches `{self.name}`, which this fit does not log. The logs are: {listing(logs)}. "
                f"Give one of these as `monitor=`.{did_you_mean(self.name, logs)}"
            )
        return None

    def is_better(self, value: float, *, than: float | None) -> bool:
        """Whether a value is an improvement; NaN never is, and anything else is better than None."""
        if math.isnan(value):
            return False
        sign = self._sign or 1.0
        return than is None or sign * value + self._min_delta < sign * than

    def warn_if_unseen(self) -> None:
        """At the end of a fit: say it if no epoch was validated, so that there was nothing to watch."""
        if self._unvalidated and not self._seen:
            warnings.warn(
                f"{self._who} watches `{self.name}`. No epoch was validated, so it never looked at anything. "
                "Give `validation_data=` or `validation_split=`, or watch another log.",
                stacklevel=3,
            )

    def _in(self, logs: Mapping[str, Any]) -> str | None:
        """The log's name as the fit writes it."""
        if self.name in logs:
            return self.name
        return next((log for log in logs if slashed(log) == slashed(self.name)), None)

    def _declared_sign(self, name: str, logs: Mapping[str, Any], model: Any) -> float:
        better = None
        if model is not None:
            better = next(filter(None, map(model.better, (name, *_without_set(name, logs)))), None)
        if better is None:
            raise ValueError(
                f'{self._who} watches `{name}` with `mode="auto"`. No loss or metric says whether that log '
                'should rise or fall. Give `mode="min"` if lower is better, or `mode="max"` if higher is.'
            )
        return 1.0 if better == "lower" else -1.0


def require_epochs(who: str, **counts: Any) -> None:
    """Raise unless all are whole numbers from 0.

    Args:
        who: how the error calls the callback.
        **counts: by argument a number of epochs.

    Raises:
        ValueError: one is not.
    """
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
            raise ValueError(f"{who} got `{name}={count!r}`. It counts epochs. Give a whole number from 0.")


def _without_set(name: str, logs: Mapping[str, Any]) -> list[str]:
    """What a log of a named validation set, `val_<set>_<log>`, may be called in training."""
    parts = name.removeprefix("val_").split("_")
    if not name.startswith("val_"):
        return []
    splits = [("_".join(parts[:end]), "_".join(parts[end:])) for end in range(1, len(parts))]
    return [log for named_set, log in splits if log in logs and ("loss" not in logs or f"val_{named_set}_loss" in logs)]
