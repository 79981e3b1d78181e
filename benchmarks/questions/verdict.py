"""Does obeying the verdict line of a fit make it faster? Two built runs do what theirs says."""

import contextlib
import io
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import elegy

from ..measure import Finding, Pace, by_turns, ratio, seconds_of

ROWS, FEATURES, BATCH = 3200, 8, 32
WAIT = 2e-3  # seconds for each batch
LINE = re.compile(r"^(\w+)-bound: .*?; (.+)$", re.MULTILINE)


class Source:
    """Batches that are waited for one by one; and the arrays that they come from."""

    def __init__(self) -> None:
        self.x = np.random.default_rng(0).normal(size=(ROWS, FEATURES)).astype("float32")
        self.y = self.x.sum(-1, keepdims=True)

    def __call__(self) -> Iterator[Any]:
        for start in range(0, ROWS, BATCH):
            time.sleep(WAIT)
            yield self.x[start : start + BATCH], self.y[start : start + BATCH]


def verdict(pace: Pace) -> list[Finding]:
    source = Source()
    arrays = {"x": source.x, "y": source.y, "batch_size": BATCH}
    short, long = {"epochs": 4}, {"epochs": 60}  # a verdict needs a tenth of a second
    return [
        _obeyed("input", {"x": source, **short}, {"give arrays, or a loader that reads ahead": arrays | short}, pace),
        _obeyed(
            "dispatch",
            {**arrays, **long, "execution": "single"},
            {'leave out `execution="single"`': arrays | long},
            pace,
        ),
    ]


def _obeyed(bound: str, given: dict[str, Any], obeying: dict[str, dict[str, Any]], pace: Pace) -> Finding:
    """How many times as fast a fit is once it does what its verdict says.

    Args:
        bound: what the fit is built to be bound by.
        given: its arguments.
        obeying: by what a verdict may tell the arguments that obey it.
        pace: how carefully is measured.

    Raises:
        RuntimeError: the verdict is another one.
    """
    fit = _fit_of()
    fit(given)  # compiles
    found, advice = _verdict_in(fit(given))
    if found != bound or advice not in obeying:
        raise RuntimeError(f"A fit that is {bound}-bound was told that it is {found}-bound; {advice}.")
    better = obeying[advice]
    fit(better)
    acts = {
        "as built": lambda: seconds_of(lambda: fit(given)),
        "obeying": lambda: seconds_of(lambda: fit(better)),
    }
    what = f"a fit that was told `{bound}-bound: ...; {advice}`, against the same that obeys"
    return Finding(what, ratio(by_turns(acts, pace.repeats), "as built", "obeying"), 1.1, at_least=True)


def _verdict_in(told: str) -> tuple[str, str]:
    """What a fit was bound by, and what would help."""
    lines = LINE.findall(told)
    return lines[-1] if lines else ("nothing", "no line was printed")


def _fit_of() -> Callable[[dict[str, Any]], str]:
    """A function that fits one small model with these arguments, and returns what was printed."""
    network = elegy.nn.Sequential([elegy.nn.Linear(4) for _ in range(8)] + [elegy.nn.Linear(1)])
    model = elegy.Model(network, loss="mse", optimizer="adam")

    def fit(given: dict[str, Any]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as told:
            model.fit(**given, verbose=2)
        return told.getvalue()

    return fit
