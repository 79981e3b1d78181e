"""The text of a progress line: count, bar, time and logs, cut to the width there is."""

import dataclasses
from collections.abc import Mapping

BAR_CELLS = 20
_SHORTEST_BAR = 5

# Pieces of a line, each with a style in the words of rich; joined they are the plain text.
Pieces = list[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class Glyphs:
    """What bars are drawn with.

    Attributes:
        full: a finished cell.
        half: a half finished cell.
        rest: a cell to come.
        more: stands for what was cut off.
    """

    full: str = "━"
    half: str = "╸"
    rest: str = "━"
    more: str = "…"


ASCII = Glyphs(full="=", half=">", rest=".", more="...")
COLOURLESS = Glyphs(rest="─")


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far an epoch or a pass is.

    Attributes:
        done: steps so far.
        total: all steps; None if unknown.
        seconds: time left while it runs, time spent at its end; None if nothing is known.
        seconds_per_step: time of a step; None if nothing is known.
        logs: values to show.
        note: what else goes on, like `validating 3`.
        waiting: the share of the time that was spent waiting for data; None if nothing is known.
    """

    done: int
    total: int | None
    seconds: float | None = None
    seconds_per_step: float | None = None
    logs: Mapping[str, float] = dataclasses.field(default_factory=dict)
    note: str = ""
    waiting: float | None = None


def bar_line(progress: Progress, *, width: int | None = None, glyphs: Glyphs = Glyphs()) -> Pieces:
    """A line with a bar: `12/100 ━━╸━━━━━ 3s 20ms/step - loss: 0.1234`.

    Args:
        progress: what to show.
        width: columns there are. The bar shrinks, then logs are left out at the end, until the line fits; None
            shows everything.
        glyphs: what the bar is drawn with.

    Returns:
        The pieces of the line.
    """
    times = _times(progress)
    head = (_count(progress), "bold")
    after = "".join(f" {part}" for part in times)
    logs = [f" - {part}" for part in _logs(progress)]
    cells = BAR_CELLS if progress.total else 0
    if width is not None:
        room = width - len(head[0]) - len(after)
        cells = _cells(cells, room, logs, glyphs.more)
        logs = _fitting(logs, room - cells - bool(cells), glyphs.more)
    bar = [(" ", ""), *_bar(progress, cells, glyphs)] if cells else []
    pieces = [head, *bar, (after, "cyan"), ("".join(logs), "")]
    return pieces if width is None else _cut(pieces, width)


def text_line(progress: Progress) -> str:
    """A line without a bar: `100/100 - 3s - 20ms/step - loss: 0.1234`."""
    return " - ".join([_count(progress), *_times(progress), *_logs(progress)])


def _count(progress: Progress) -> str:
    if progress.total is None:
        return f"{progress.done}/Unknown"
    return f"{progress.done:>{len(str(progress.total))}}/{progress.total}"


def _times(progress: Progress) -> list[str]:
    seconds = [] if progress.seconds is None else [duration(progress.seconds)]
    step = [] if progress.seconds_per_step is None else [f"{step_time(progress.seconds_per_step)}/step"]
    waiting = [] if progress.waiting is None else [f"{progress.waiting:.0%} waiting for data"]
    return seconds + step + waiting


def _logs(progress: Progress) -> list[str]:
    note = [progress.note] if progress.note else []
    return note + [f"{name}: {number(value)}" for name, value in progress.logs.items()]


def duration(seconds: float) -> str:
    """`3s`, `1:05` or `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"


def step_time(seconds: float) -> str:
    """`2s`, `20ms` or `150us`."""
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{1e3 * seconds:.0f}ms" if seconds >= 1e-3 else f"{1e6 * seconds:.0f}us"


def number(value: float) -> str:
    """Four digits: `0.1234`, `1.2340e-05`."""
    plain = value == 0 or 1e-3 <= abs(value) < 1e6
    return f"{value:.4f}" if plain else f"{value:.4e}"


def _bar(progress: Progress, cells: int, glyphs: Glyphs) -> Pieces:
    share = min(1.0, progress.done / progress.total) if progress.total else 0.0
    halves = int(2 * cells * share)
    done = glyphs.full * (halves // 2) + glyphs.half * (halves % 2)
    return [(done, "green"), (glyphs.rest * (cells - len(done)), "bright_black")]


def _cells(most: int, room: int, logs: list[str], more: str) -> int:
    """How long a bar may be: all logs go before it, and at least the first one does."""
    left = room - sum(map(len, logs)) - 1
    if left >= _SHORTEST_BAR:
        return min(most, left)
    first = len(logs[0]) + len(more) + 1 if logs else 0
    return min(most, _SHORTEST_BAR) if room - first - 1 >= _SHORTEST_BAR else 0


def _fitting(logs: list[str], room: int, more: str) -> list[str]:
    """As many whole logs as fit, and a sign that there are more."""
    if sum(map(len, logs)) <= room:
        return logs
    kept: list[str] = []
    for log in logs:
        if sum(map(len, kept)) + len(log) + len(more) + 1 > room:
            break
        kept.append(log)
    return [*kept, f" {more}"]


def _cut(pieces: Pieces, width: int) -> Pieces:
    cut: Pieces = []
    for text, style in pieces:
        cut.append((text[:width], style))
        width -= len(cut[-1][0])
    return cut
