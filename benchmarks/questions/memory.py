"""How much memory a fit needs, and `predict` to a writer; each in a fresh process."""

import inspect
import math

import elegy

from ..child import BATCH, FEATURES
from ..measure import Finding, Pace, by_turns, child
from ..works import WORKS, Work

WORKS_FITTED = ("mlp", "large-mlp", "lm")
ROWS = 1_000_000


def memory(pace: Pace) -> list[Finding]:
    found = []
    for name in WORKS_FITTED:
        work = WORKS[name].scaled(pace.scale)
        words = {runner: ("memory", runner, name, str(work.steps)) for runner in ("elegy", "scan-by-step")}
        marks = by_turns({runner: lambda w=w: child(*w) for runner, w in words.items()}, min(pace.repeats, 3))
        state = state_bytes(work)
        pairs = zip(marks["elegy"], marks["scan-by-step"], strict=True)
        what = f"peak memory of a fit ({name}) less one copy of the state, against the hand-written scan"
        found.append(Finding(what, [(ours - state) / theirs for ours, theirs in pairs], 1.15))
    return found


def writer(pace: Pace) -> list[Finding]:
    if "writer" not in inspect.signature(elegy.Model.predict).parameters:
        return []
    rows = max(20 * BATCH, round(ROWS * pace.scale))
    grown = by_turns({"writer": lambda: child("writer", str(rows))}, min(pace.repeats, 3))["writer"]
    batch = 4 * FEATURES * BATCH
    what = f"`predict` of {rows:,} rows to a writer: memory grows, in batches"
    return [Finding(what, [value / batch for value in grown], 3.0, unit=" batches")]


def state_bytes(work: Work) -> int:
    """Parameters and the two slots that adam keeps of each."""

    def size(values: dict) -> int:
        return sum(size(v) if isinstance(v, dict) else math.prod(v.shape) * 4 for v in values.values())

    return 3 * size(work.initial())
