"""Where progress is drawn: a terminal line that is redrawn in place, or plain lines for files and pipes."""

import sys
from collections.abc import Sequence
from typing import Any

# How the parts of a bar look: counts, the full part, the empty part, time and logs.
_STYLES = ("bold", "green", "dim", "")


def is_terminal() -> bool:
    """Whether standard output is a terminal that nothing else draws on."""
    out = sys.stdout
    return out is not None and out.isatty() and not hasattr(out, "rich_proxied_file")


def fill_character() -> str:
    """The character that bars are drawn with, in an encoding that may lack the line."""
    try:
        "━".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "="
    return "━"


class Screen:
    """Shows one line that changes, and then keeps it.

    On a terminal rich redraws the line in place, cut to the terminal's width; what others print meanwhile goes above it. No
    thread runs: the line changes only when `show` is called. Elsewhere only the kept line is written, without control codes.
    """

    def __init__(self) -> None:
        self._live: Any = None
        self._console: Any = None

    def show(self, parts: Sequence[str]) -> None:
        """Redraw the line in place; nothing happens off a terminal.

        Args:
            parts: what `bar_line` made.
        """
        if self._live is None:
            if not is_terminal():
                return
            from rich.console import Console
            from rich.live import Live

            self._console = Console(highlight=False)
            self._live = Live(console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop")
            self._live.start()
        self._live.update(_text(parts), refresh=True)

    def keep(self, parts: Sequence[str]) -> None:
        """Write the line for good, in full."""
        live = self.close()
        if not live and not is_terminal():
            print("".join(parts), flush=True)
            return
        if self._console is None:
            from rich.console import Console

            self._console = Console(highlight=False)
        self._console.print(_text(parts), soft_wrap=True)

    def close(self) -> bool:
        """Take the changing line away; tells whether there was one."""
        if self._live is None:
            return False
        self._live.stop()
        self._live = None
        return True


def _text(parts: Sequence[str]) -> Any:
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis", end="\n")
    for part, style in zip(parts, _STYLES, strict=True):
        text.append(part, style=style)
    return text
