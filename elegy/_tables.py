"""Plain tables for terminals, files and notebooks."""

import dataclasses


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


def render(table: Table) -> str:
    """The table as text: columns apart, numbers to the right, a rule below the header.

    Example:
        >>> table = Table("name", "size")
        >>> table.add("linear", "12")
        >>> print(render(table).rstrip())
        name    size
        ────────────
        linear    12
    """
    columns = list(zip(table.header, *table.rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(_is_number(cell) for cell in column[1:]) and len(column) > 1 for column in columns]

    def line(cells: tuple[str, ...]) -> str:
        padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)]
        return "  ".join(padded).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(table.header), rule, *map(line, table.rows)]) + "\n"


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


def _is_number(cell: str) -> bool:
    return cell.split(" ")[0].replace(",", "").replace(".", "").isdigit()
