"""How things are measured: by turns within one run, medians, ratios round by round."""

import contextlib
import dataclasses
import io
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Times = dict[str, list[float]]
"""By name the seconds of each round."""


@dataclasses.dataclass(frozen=True)
class Pace:
    """How carefully is measured.

    Attributes:
        seconds: how long one measurement is at least.
        repeats: how many there are of each.
        scale: the share of a work's steps that an epoch has.
    """

    seconds: float = 2.0
    repeats: int = 5
    scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class Finding:
    """One comparison.

    Attributes:
        what: what is compared, in words.
        values: one ratio (or difference in `unit`) a round.
        limit: what the median has to reach; None if nothing is promised.
        at_least: whether the limit is a lower one.
        unit: of the values, `x` for ratios.
    """

    what: str
    values: list[float]
    limit: float | None = None
    at_least: bool = False
    unit: str = "x"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def holds(self) -> bool | None:
        """Whether the limit is kept; None if there is none."""
        if self.limit is None:
            return None
        return self.median >= self.limit if self.at_least else self.median <= self.limit


class _Terminal(io.TextIOBase):
    """A terminal that nobody looks at, so that bars do all that they do, and the output stays readable."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def unseen_terminal() -> Iterator[None]:
    """Standard output is a terminal, and thrown away."""
    before = os.environ.get("TERM"), os.environ.get("COLUMNS")
    os.environ.update(TERM="xterm-256color", COLUMNS="120")
    try:
        with contextlib.redirect_stdout(_Terminal()):
            yield
    finally:
        for name, value in zip(("TERM", "COLUMNS"), before, strict=True):
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def seconds_of(act: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def by_turns(acts: Mapping[str, Callable[[], float]], repeats: int) -> Times:
    """What each of several measurements returns, in `repeats` rounds of all of them.

    A machine is not equally fast all the time; what is compared is measured side by side, and nobody always first.
    """
    times: Times = {name: [] for name in acts}
    for number in range(repeats):
        for name in sorted(acts, reverse=bool(number % 2)):
            times[name].append(acts[name]())
    return times


def warm(acts: Mapping[str, Callable[[int], Any]], pace: Pace) -> Times:
    """Seconds of one unit of several works, such as an epoch; each measurement has as many as fill its time.

    Args:
        acts: functions of the number of units; each is run once before it is timed.
        pace: how carefully is measured.
    """
    for act in acts.values():
        act(1)
    units = {name: math.ceil(pace.seconds / seconds_of_unit(act, pace.seconds)) for name, act in acts.items()}

    def timed(name: str) -> Callable[[], float]:
        return lambda: seconds_of(lambda: acts[name](units[name])) / units[name]

    return by_turns({name: timed(name) for name in acts}, pace.repeats)


def seconds_of_unit(act: Callable[[int], Any], seconds: float) -> float:
    """How long one unit takes, from a measurement that is long enough to be near the truth."""
    units = 1
    while True:
        taken = seconds_of(lambda units=units: act(units))
        if taken > seconds / 10 or units > 10_000:
            return taken / units
        units *= 10


def fastest(runs: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """The fastest of several functions `run(epochs)` that do the same."""
    times = warm({str(number): run for number, run in enumerate(runs)}, Pace(seconds=0.3, repeats=3))
    return runs[int(quickest(times))]


def quickest(times: Times) -> str:
    """The name with the smallest median."""
    return min(times, key=lambda name: statistics.median(times[name]))


def ratio(times: Times, slow: str, quick: str) -> list[float]:
    """Round by round, how many times as long `slow` takes as `quick`."""
    return [a / b for a, b in zip(times[slow], times[quick], strict=True)]


def child(*words: str) -> float:
    """What `python -m benchmarks.child WORDS` reports: a fresh process, nothing compiled, nothing imported.

    Byte code is warm from the second time on, as it is for users, also where the environment forbids to write it.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", *words],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"`benchmarks.child {' '.join(words)}` failed:\n{done.stderr}")
    return float(done.stdout.splitlines()[-1])


def say(text: str) -> None:
    """Tell how far a run is, apart from its tables."""
    print(text, file=sys.stderr, flush=True)
