"""A stream that makes `fit` wait for each batch as long as its step takes: do both happen at once?"""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

from ..measure import Finding, Pace, by_turns, seconds_of, seconds_of_unit, unseen_terminal
from ..runners.elegy_fit import initialize, make_model
from ..works import WORKS, Work

SECONDS = 3e-3
STEPS = 200


class Stream:
    """Batches of a work, each after a wait; iterating begins anew."""

    def __init__(self, work: Work, seconds: float) -> None:
        self._work, self._seconds = work, seconds
        self._x, self._y = work.data()

    def __call__(self) -> Iterator[Any]:
        for start in range(0, self._work.rows, self._work.batch):
            if self._seconds:
                time.sleep(self._seconds)
            yield self._x[start : start + self._work.batch], self._y[start : start + self._work.batch]


def stream(pace: Pace) -> list[Finding]:
    work = dataclasses.replace(work_of_three_milliseconds(), steps=STEPS).scaled(pace.scale)
    slow, ready = Stream(work, SECONDS), Stream(work, 0)
    fit = fit_of(work)
    fit(ready, 1)
    acts = {
        "both": lambda: seconds_of(lambda: fit(slow, 1)),
        "step": lambda: seconds_of(lambda: fit(ready, 1)),
        "wait": lambda: seconds_of(lambda: sum(1 for _ in slow())),
    }
    times = by_turns(acts, pace.repeats)
    rounds = zip(times["both"], times["step"], times["wait"], strict=True)
    step, wait = (1e3 * min(times[name]) / work.steps for name in ("step", "wait"))
    what = f"a stream that waits {wait:.1f} ms for each batch, with a step of {step:.1f} ms: the larger alone is 1"
    return [Finding(what, [both / max(step, wait) for both, step, wait in rounds], 1.15)]


def fit_of(work: Work) -> Any:
    """A function `(stream, epochs)` that fits one model."""
    model = make_model(work)
    initialize(model, work, *work.data())

    def fit(source: Stream, epochs: int) -> None:
        with unseen_terminal():
            model.fit(source, epochs=epochs, verbose=1)

    return fit


def work_of_three_milliseconds() -> Work:
    """The large MLP with as many rows a batch as this machine does in the time."""
    work = dataclasses.replace(WORKS["large-mlp"], batch=256, steps=50)
    for _ in range(2):
        source, fit = Stream(work, 0), fit_of(work)
        fit(source, 1)
        step = seconds_of_unit(lambda epochs, fit=fit, source=source: fit(source, epochs), 2.0) / work.steps
        work = dataclasses.replace(work, batch=max(32, round(work.batch * SECONDS / step / 32) * 32))
    return work
