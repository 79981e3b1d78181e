"""The tables of a run, as Markdown."""

import os
import platform
import statistics
from collections.abc import Callable, Iterable
from importlib import metadata

import jax

from .fits import Fits
from .measure import Finding, Pace, Times, ratio
from .runners import TITLES, version
from .works import WORKS

INTRODUCTION = """# Speed

Written by `make bench`; [benchmarks](../benchmarks/README.md) says what is trained, who trains it, and how it is
measured. All figures are ratios within one run, medians with the least and the largest round in brackets.
"""
README = ("elegy", "loop", "scan", "keras-best", "nnx", "equinox", "torch", "lightning")
"""Who is in the README's table."""
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"


def report(
    fits: list[Fits], cold: dict[str, Times], singles: list[Finding], promised: list[Finding], pace: Pace
) -> str:
    """The whole page; parts that were not measured are left out."""
    names = dict.fromkeys(runner for fit in fits for runner in fit.times)
    names.update(dict.fromkeys(runner for times in cold.values() for runner in times))
    parts = [INTRODUCTION, machine(names, pace)]
    if fits:
        parts += [
            "## Training, warm\n",
            "How many times as long as Elegy's `fit` with its defaults; above 1 it is faster.\n",
        ]
        parts.append(table([fit.work.title for fit in fits], [fit.times for fit in fits]))
        parts.append(left_out(fits))
    if promised:
        parts += ["## What was set out to be reached: training\n", limits(promised)]
    if cold:
        title = "From the first import to the end of the first epoch, in fresh processes; else as above.\n"
        parts += ["## Training, cold\n", title, table([WORKS[name].title for name in cold], list(cold.values()))]
    if singles:
        parts += ["## Single questions\n", limits(singles)]
    return "\n".join(part for part in parts if part) + "\n"


def filled(readme: str, fits: list[Fits], pace: Pace) -> str:
    """The README with a short form of the warm table between its two marks.

    Raises:
        ValueError: a mark is not there.
    """
    start, end = readme.index(BEGIN) + len(BEGIN), readme.index(END)
    rows = [{runner: fit.times[runner] for runner in README if runner in fit.times} for fit in fits]
    parts = [
        "How many times as long as Elegy's `fit` a warm epoch takes; above 1 Elegy is faster. Medians, written by "
        "`make bench`;\n[all figures](docs/speed.md), also cold starts and memory.\n",
        table([fit.work.title for fit in fits], rows, median),
        machine(dict.fromkeys(runner for times in rows for runner in times), pace),
    ]
    return readme[:start] + "\n" + "\n".join(parts) + readme[end:]


def machine(runners: Iterable[str], pace: Pace) -> str:
    libraries = dict.fromkeys(["jax " + metadata.version("jax"), *map(version, runners)])
    device = f", {jax.devices()[0].device_kind}" if jax.default_backend() != "cpu" else ""
    return (
        f"Python {platform.python_version()} on {platform.machine()} with {os.cpu_count()} cores{device}; "
        f"{', '.join(libraries)}; {pace.repeats} rounds, each fit at least {pace.seconds:g} s"
        f"{'' if pace.scale == 1 else f'; works scaled by {pace.scale:g}'}.\n"
    )


def table(titles: list[str], rows: list[Times], show: Callable[[list[float]], str] | None = None) -> str:
    """Works down, runners across; everything next to Elegy, or to the first runner where that was not asked for.

    `show` writes the ratios of a cell; by default as `spread` does.
    """
    runners = list(dict.fromkeys(runner for times in rows for runner in times))
    base = "elegy" if "elegy" in runners else runners[0]
    shown = [runner for runner in runners if runner != base] or [base]
    lines = [f"| against {TITLES[base]} | " + " | ".join(TITLES[runner] for runner in shown) + " |"]
    lines.append("|---|" + "--:|" * len(shown))
    for title, times in zip(titles, rows, strict=True):
        cells = [(show or spread)(ratio(times, runner, base)) if runner in times else "" for runner in shown]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def limits(findings: list[Finding]) -> str:
    lines = ["| | measured | wanted | reached |", "|---|--:|--:|---|"]
    for finding in findings:
        wanted = "" if finding.limit is None else f"{'≥' if finding.at_least else '≤'} {finding.limit:g}{finding.unit}"
        reached = {None: "", True: "yes", False: "**no**"}[finding.holds]
        lines.append(f"| {finding.what} | {spread(finding.values, finding.unit)} | {wanted} | {reached} |")
    return "\n".join(lines) + "\n"


def left_out(fits: list[Fits]) -> str:
    reasons = dict.fromkeys(f"{TITLES[name]}: {why}" for fit in fits for name, why in fit.missing.items())
    return f"Left out: {'; '.join(reasons)}.\n" if reasons else ""


def median(values: list[float]) -> str:
    return f"{statistics.median(values):.2f}x"


def spread(values: list[float], unit: str = "x") -> str:
    return f"{statistics.median(values):.2f}{unit} ({min(values):.2f} to {max(values):.2f})"
