"""`When`: one way to say how often something happens, by steps, epochs, time or share of a fit."""

import dataclasses
import math
import re
from typing import Any

import numpy as np

from ._errors import did_you_mean, listing

# By word the unit it belongs to, and how many of that unit it is.
_WORDS = {
    **dict.fromkeys(("step", "steps", "batch", "batches"), ("steps", 1)),
    **dict.fromkeys(("epoch", "epochs"), ("epochs", 1)),
    **dict.fromkeys(("s", "sec", "second", "seconds"), ("s", 1)),
    **dict.fromkeys(("min", "minute", "minutes"), ("s", 60)),
    **dict.fromkeys(("h", "hour", "hours"), ("s", 3600)),
    **dict.fromkeys(("day", "days"), ("s", 86400)),
    "%": ("%", 1),
}
_SHOWN = ("steps", "epochs", "s", "min", "h", "days", "%")
_TEXT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)?\s*([^\W\d]+|%)?\s*")
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True, init=False, repr=False)
class When:
    """How often something happens while a model trains: `"500 steps"`, `"10 min"`, `"2 epochs"`, `"5%"`, `"epoch"`.

    It is a value without memory: who uses it counts, and keeps how often it has come. It comes at every multiple of
    its amount, so that nothing drifts when somebody looks late.

    Args:
        every: an amount and its unit: `steps` (or `batches`), `epochs`, `s`, `min`, `h`, `days`, or `%` of the fit. A
            unit without an amount counts as one. A number alone takes `number` as its unit.
        number: the unit of a number alone; None refuses one.

    Attributes:
        amount: above 0; whole for steps and epochs, at most 100 for `%`.
        unit: `steps`, `epochs`, `s` or `%`.

    Raises:
        TypeError: `every` is neither text nor a number.
        ValueError: it cannot be read, or the amount is out of range.

    Example:
        >>> When("10 min"), When(500, number="steps"), When("epoch") == When("1 epoch")
        (When('600 s'), When('500 steps'), True)
        >>> When("500 steps").times(step=1499, epoch=3, seconds=9.5, share=0.1)
        2
    """

    amount: float
    unit: str

    def __init__(self, every: "str | float | When", *, number: str | None = None) -> None:
        if isinstance(every, When):
            amount, unit = every.amount, every.unit
        else:
            amount, word = _read(every, number)
            unit, size = _WORDS[word]
            amount *= size
        _check(every, amount, unit)
        object.__setattr__(self, "amount", int(amount) if amount == int(amount) else amount)
        object.__setattr__(self, "unit", unit)

    def times(self, *, step: float, epoch: float, seconds: float, share: float) -> int:
        """How often it has come since the start; it is due when this has grown since somebody last acted.

        Args:
            step: training steps done.
            epoch: epochs done.
            seconds: time spent.
            share: how much of the fit is done, from 0 to 1.
        """
        done = {"steps": step, "epochs": epoch, "s": seconds, "%": 100 * share}[self.unit]
        return math.floor(done / self.amount + _ROUNDING)

    def __str__(self) -> str:
        """In words that make the same value again."""
        unit = self.unit.removesuffix("s") if self.amount == 1 and self.unit != "s" else self.unit
        return f"{self.amount:.15g}{'' if unit == '%' else ' '}{unit}"

    def __repr__(self) -> str:
        return f"When({str(self)!r})"


def _read(every: Any, number: str | None) -> tuple[float, str]:
    """The amount, and the word for its unit."""
    if isinstance(every, (int, float, np.integer, np.floating)) and not isinstance(every, bool):
        amount, word = float(every), None
    elif isinstance(every, str):
        found = _TEXT.fullmatch(every)
        if not found or not every.strip():
            raise ValueError(f'"{every}" was given as a time. {_advice()}{did_you_mean(every, _WORDS)}')
        amount, word = float(found[1] or 1), found[2]
    else:
        raise TypeError(f"{every!r} was given as a time. It is neither text nor a number. {_advice()}")
    word = word or number
    if word is None:
        raise ValueError(f"{every!r} was given as a time. A number alone does not say what it counts. {_advice()}")
    if word not in _WORDS:
        raise ValueError(
            f'"{every}" was given as a time. `{word}` is no unit; there are: {listing(_SHOWN)}. '
            f"Use one of these.{did_you_mean(word, _WORDS)}"
        )
    return amount, word


def _check(every: Any, amount: float, unit: str) -> None:
    if not 0 < amount < math.inf or (unit == "%" and amount > 100):
        most = ", at most 100%" if unit == "%" else ""
        raise ValueError(f"{every!r} was given as a time. An amount is above 0 and finite{most}. {_advice()}")
    if unit in ("steps", "epochs") and amount != int(amount):
        raise ValueError(
            f'{every!r} was given as a time. Only whole {unit} are counted. Give a whole number, or a share like "5%".'
        )


def _advice() -> str:
    return 'Write it like "500 steps", "10 min", "2 epochs", "5%" or "epoch".'
