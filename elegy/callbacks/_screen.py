"""Where a progress line goes: redrawn in place on a terminal or in a notebook, only its end to a pipe or a file."""

import sys
from typing import Any, Protocol

from ._progress_line import ASCII, COLOURLESS, Glyphs, Pieces

_NOTEBOOK_COLUMNS = 100


class Screen(Protocol):
    """What a progress bar draws on."""

    redraws: bool
    """Whether a line that will change again can be shown."""

    @property
    def columns(self) -> int:
        """How many columns a line may have to stay on one row."""
        ...

    @property
    def glyphs(self) -> Glyphs:
        """What bars are drawn with."""
        ...

    def draw(self, pieces: Pieces) -> None:
        """Show a line in place of the one that is shown."""
        ...

    def finish(self, pieces: Pieces) -> None:
        """Show a line in place of the one that is shown, and keep it."""
        ...

    def clear(self) -> None:
        """Take the line away, so that others can print."""
        ...

    def keep(self) -> None:
        """Keep the line as it is, and go to the next one."""
        ...


def open_screen(console: Any = None) -> Screen:
    """The screen behind a rich console, or behind the standard output as it is now.

    Args:
        console: a `rich.console.Console`; None looks at the standard output.
    """
    if console is None:
        if not is_terminal():
            return TextScreen(redraws="ipykernel" in sys.modules)
        from rich.console import Console  # takes a while, so only who draws on a terminal pays for it

        console = Console(force_jupyter=False)
    if console.is_terminal and not console.is_dumb_terminal:
        return TerminalScreen(console)
    return TextScreen(file=console.file)


def is_terminal() -> bool:
    """Whether the standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


class TerminalScreen:
    """A terminal, through rich; one write a redraw, no thread, and nothing to undo if the program dies.

    Args:
        console: a `rich.console.Console` on a terminal.
    """

    redraws = True

    def __init__(self, console: Any) -> None:
        self._console = console
        self._is_open = False

    @property
    def columns(self) -> int:
        """The width less one: some terminals wrap as soon as the last column is filled."""
        return self._console.width - 1

    @property
    def glyphs(self) -> Glyphs:
        """What the terminal can show."""
        if not _can_show(self._console.encoding):
            return ASCII
        return COLOURLESS if self._console.no_color or not self._console.color_system else Glyphs()

    def draw(self, pieces: Pieces) -> None:
        """Show a line in place of the one that is shown."""
        self._write(pieces, end="")
        self._is_open = True

    def finish(self, pieces: Pieces) -> None:
        """Show a line in place of the one that is shown, and keep it."""
        self._write(pieces, end="\n")
        self._is_open = False

    def clear(self) -> None:
        """Take the line away, so that others can print."""
        if self._is_open:
            self._write([], end="")
            self._is_open = False

    def keep(self) -> None:
        """Keep the line as it is, and go to the next one."""
        if self._is_open:
            self._console.print()
            self._is_open = False

    def _write(self, pieces: Pieces, *, end: str) -> None:
        from rich.control import Control
        from rich.segment import ControlType
        from rich.text import Text

        with self._console:  # collects, then writes once
            if self._is_open:
                self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
            self._console.print(Text.assemble(*pieces), end=end, soft_wrap=True, highlight=False)


class TextScreen:
    """A pipe, a file, or a notebook: plain text without control codes.

    Args:
        file: where to write; None is the standard output of the moment.
        redraws: whether a carriage return starts the line anew, as in notebooks.
    """

    columns = _NOTEBOOK_COLUMNS

    def __init__(self, file: Any = None, *, redraws: bool = False) -> None:
        self.redraws = redraws
        self._file = file
        self._shown = 0

    @property
    def glyphs(self) -> Glyphs:
        """What the file's encoding has."""
        encoding = getattr(self._file or sys.stdout, "encoding", None)
        return COLOURLESS if _can_show(encoding or "utf-8") else ASCII

    def draw(self, pieces: Pieces) -> None:
        """Show a line in place of the one that is shown."""
        self._write(pieces, end="")
        self._shown = len(_plain(pieces))

    def finish(self, pieces: Pieces) -> None:
        """Show a line in place of the one that is shown, and keep it."""
        self._write(pieces, end="\n")
        self._shown = 0

    def clear(self) -> None:
        """Take the line away, so that others can print."""
        if self._shown:
            self._write([], end="\r")
            self._shown = 0

    def keep(self) -> None:
        """Keep the line as it is, and go to the next one."""
        if self._shown:
            print(file=self._file, flush=True)
            self._shown = 0

    def _write(self, pieces: Pieces, *, end: str) -> None:
        start = "\r" if self._shown else ""
        print(start + _plain(pieces).ljust(self._shown), end=end, file=self._file, flush=True)


def _plain(pieces: Pieces) -> str:
    return "".join(text for text, _ in pieces)


def _can_show(encoding: str) -> bool:
    glyphs = Glyphs()
    try:
        (glyphs.full + glyphs.half + glyphs.more + COLOURLESS.rest).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
