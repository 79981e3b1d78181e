"""Writes `docs/picture.svg`, what a terminal shows while the README's example runs: `python docs/picture.py`."""

import ast
import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

ROOT = Path(__file__).parent.parent
COLUMNS = 100
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# Rich's own format loads a font from a host; here the reader's own is used.
FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    font-size: {char_height}px; line-height: {line_height}px; white-space: pre;
}}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(setup: str, session: str) -> str:
    """An SVG of a terminal in which `session` runs.

    Args:
        setup: Python code that runs before, unseen.
        session: Python code whose statements are shown, each followed by what it prints.
    """
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor")
    namespace = {"__name__": "readme"}
    exec(compile(setup, "setup", "exec"), namespace)
    for statement in ast.parse(session).body:
        source = ast.get_source_segment(session, statement) or ""
        console.print(Syntax(f">>> {source}", "pycon", background_color="default"))
        with terminal() as screen:
            exec(compile(source, "session", "exec"), namespace)
        for line in shown(screen.getvalue()):
            console.print(Text.from_ansi(line), overflow="fold")
    return console.export_svg(title="", code_format=FORMAT, unique_id="elegy")


class Screen(io.StringIO):
    """What is printed, kept; to who asks, a terminal."""

    def isatty(self) -> bool:
        """Whether it is one."""
        return True


@contextlib.contextmanager
def terminal() -> Iterator[Screen]:
    """The standard output is a terminal with colours, whose text can be had."""
    before = dict(os.environ)
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(COLUMNS)}
    try:
        with contextlib.redirect_stdout(Screen()) as screen:
            yield screen
    finally:
        os.environ.clear()
        os.environ |= before


def shown(text: str) -> list[str]:
    """The lines of a terminal as they are in the end: without what was drawn over."""
    return [line.rpartition("\r")[2].removeprefix("\x1b[2K") for line in text.rstrip("\n").split("\n")] if text else []


def main() -> None:
    """Run the README's first block unseen, and the second in the picture."""
    setup, session = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))[:2]
    (ROOT / "docs" / "picture.svg").write_text(picture(setup, session), encoding="utf-8")


if __name__ == "__main__":
    main()
