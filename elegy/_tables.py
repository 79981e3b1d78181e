"""Plain tables for terminals, files and notebooks."""

import dataclasses
import html
import sys
from collections.abc import Sequence

_NARROWEST = 12


@dataclasses.dataclass
class Table:
    """A table under construction.

    Attributes:
        header: the names of the columns.
        rows: the cells, as text.
    """

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def __init__(self, *header: str) -> None:
        self.header = header
        self.rows = []

    def add(self, *cells: str) -> None:
        """Append a row."""
        self.rows.append(cells)


def render(table: Table, width: int | None = None) -> str:
    """The table as text: columns apart, numbers to the right, a rule below the header.

    Args:
        table: what to show.
        width: how wide a line may be; the widest columns of words are cut in the middle to fit. None cuts nothing.

    Example:
        >>> table = Table("name", "size")
        >>> table.add("linear", "12")
        >>> print(render(table).rstrip())
        name    size
        ────────────
        linear    12
    """
    right = _numeric(table)
    widths = [max(map(len, column)) for column in zip(table.header, *table.rows, strict=True)]
    while width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        widest = max((w, number) for number, w in enumerate(widths) if not right[number])[1]
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1

    def line(cells: tuple[str, ...]) -> str:
        fitted = [_shortened(cell, w) for cell, w in zip(cells, widths, strict=True)]
        padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(fitted, widths, right, strict=True)]
        return "  ".join(padded).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(table.header), rule, *map(line, table.rows)]) + "\n"


def render_html(table: Table, below: Sequence[str] = ()) -> str:
    """The table as HTML, for notebooks.

    Args:
        table: what to show.
        below: lines of text that follow it.

    Example:
        >>> table = Table("name", "size")
        >>> table.add("a<b", "12")
        >>> print(render_html(table))
        <table><tr><th style="text-align: left">name</th><th style="text-align: right">size</th></tr>
        <tr><td style="text-align: left">a&lt;b</td><td style="text-align: right">12</td></tr></table>
    """
    sides = ["right" if is_right else "left" for is_right in _numeric(table)]

    def line(cells: tuple[str, ...], tag: str) -> str:
        shown = zip(cells, sides, strict=True)
        return "".join(f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>' for cell, side in shown)

    lines = [line(table.header, "th"), *(line(row, "td") for row in table.rows)]
    rows = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table>{rows}</table>" + "".join(f"<div>{html.escape(text)}</div>" for text in below)


def say(text: str) -> None:
    """Print a text; lines and dots become plain where the standard output cannot show them."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = text.replace("─", "-").replace("…", "~")
    print(text)


def bytes_in_words(count: int) -> str:
    """A number of bytes as people read it.

    Example:
        >>> bytes_in_words(407080)
        '407.1 kB'
    """
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _numeric(table: Table) -> list[bool]:
    """Which columns hold numbers."""
    return [bool(column) and all(map(_is_number, column)) for column in _columns(table)]


def _columns(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.header)


def _shortened(cell: str, width: int) -> str:
    """A cell with its middle left out where it is too long: how a path begins and ends says most."""
    if len(cell) <= width:
        return cell
    end = (width - 1) * 2 // 3
    return f"{cell[: width - 1 - end]}…{cell[-end:]}"


def _is_number(cell: str) -> bool:
    return cell.split(" ")[0].replace(",", "").replace(".", "").isdigit()
