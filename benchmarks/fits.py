"""The table of fits: every runner on every work, warm, with the check that all of them do the same."""

import dataclasses
import gc
import statistics
from collections.abc import Iterable

import jax
import numpy as np

from .measure import Finding, Pace, Times, quickest, ratio, say, warm
from .runners import TITLES, Missing, Run, load
from .works import WORKS, Work

HAND_WRITTEN = ("loop", "scan")
OURS = ("elegy", "elegy-single", "elegy-no-rewrite")

# What `fit` has to reach on CPU, by work: times as fast as the better hand-written one, and as the loop.
BEST = {"logistic": 0.88, "mlp": 0.95, "large-mlp": 0.95, "conv-net": 1.3, "lm": 1.4, "two-heads": 0.95}
LOOP = {"logistic": 8.0, "mlp": 1.45, "large-mlp": 1.0, "conv-net": 1.4, "lm": 2.0, "two-heads": 1.6}
NO_REWRITE = {"conv-net": 0.93, "lm": 0.93}
OTHERS = 1.03
OTHERS_ON_LARGE_MLP = 1.0
SLOW_LOOP = 30e-6  # a step of the logistic regression's loop; only one that takes so long can be beaten eight times


@dataclasses.dataclass(frozen=True)
class Fits:
    """The times of one work: seconds a step, by runner and round."""

    name: str
    work: Work
    times: Times
    missing: dict[str, str]


def measure(name: str, runners: Iterable[str], pace: Pace) -> Fits:
    """Time a work with several runners by turns, after showing that they compute the same.

    Raises:
        AssertionError: two runners come to different losses or accuracies.
    """
    work = WORKS[name].scaled(pace.scale)
    runs: dict[str, Run] = {}
    missing: dict[str, str] = {}
    for runner in runners:
        say(f"  {runner}")
        try:
            runs[runner] = load(runner)(work)
        except Missing as error:
            missing[runner] = str(error)
    require_same(work, runs)
    epochs = warm(runs, pace)
    times = {runner: [seconds / work.steps for seconds in row] for runner, row in epochs.items()}
    del runs
    jax.clear_caches()
    gc.collect()
    return Fits(name, work, times, missing)


def require_same(work: Work, runs: dict[str, Run]) -> None:
    """Two epochs in a fixed order, from the same initial values, end with the same loss and accuracies."""
    logs = {runner: run(2, shuffle=False) for runner, run in runs.items()}
    for runner, found in logs.items():
        first = next(iter(logs))
        np.testing.assert_allclose(
            found[0], logs[first][0], rtol=work.tolerance, err_msg=f"{work.title}: the loss of {runner} and {first}"
        )
        np.testing.assert_allclose(
            found[1:], logs[first][1:], atol=2e-2, err_msg=f"{work.title}: accuracies of {runner} and {first}"
        )


def findings(fits: Fits) -> list[Finding]:
    """What was promised of `fit` on this work, as far as it was measured."""
    name, times = fits.name, fits.times
    best = quickest({runner: times[runner] for runner in HAND_WRITTEN if runner in times} or times)
    found = []
    if "elegy" in times and all(runner in times for runner in HAND_WRITTEN):
        found.append(_finding(fits, best, "elegy", BEST.get(name), f"the better hand-written one ({best})"))
    if "elegy-no-rewrite" in times and name in NO_REWRITE and all(runner in times for runner in HAND_WRITTEN):
        what = f"the better hand-written one ({best}), with `rewrite=False`"
        found.append(_finding(fits, best, "elegy-no-rewrite", NO_REWRITE[name], what))
    if "elegy" not in times:
        return found
    for runner in times:
        if runner not in (*OURS, "scan"):
            found.append(_finding(fits, runner, "elegy", _limit(fits, runner), TITLES[runner]))
    return found


def _limit(fits: Fits, runner: str) -> float | None:
    if runner == "loop":
        beatable = fits.name != "logistic" or statistics.median(fits.times["loop"]) >= SLOW_LOOP
        return LOOP.get(fits.name) if beatable else None
    return OTHERS_ON_LARGE_MLP if fits.name == "large-mlp" and runner != "torch" else OTHERS


def _finding(fits: Fits, slow: str, quick: str, limit: float | None, against: str) -> Finding:
    promised = limit if jax.default_backend() == "cpu" else None
    return Finding(f"{fits.work.title}: against {against}", ratio(fits.times, slow, quick), promised, at_least=True)
