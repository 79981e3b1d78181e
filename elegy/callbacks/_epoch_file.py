"""A text file that gains something with every epoch, and stays readable whatever happens in between."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._atomic import written_whole


def record(epoch: int, logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """What there is to write about an epoch: its number from 0, and its logs as Python floats."""
    return {"epoch": epoch, **{name: float(value) for name, value in (logs or {}).items()}}


def append_text(path: Path, text: str) -> None:
    """Add text at the end of a file: all of it, or if that fails (a full disk) nothing.

    Args:
        path: the file; it is made if it is not there.
        text: ends with the end of a line.
    """
    with open(path, "ab+", buffering=0) as file:  # with a buffer, the rest of it would be written when it is closed
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - 1, 0))
        if file.read(1) not in (b"", b"\n"):  # somebody else wrote the last line, or a kill cut it off
            text = "\n" + text
        rest = text.encode("utf-8")
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(end)
            raise


def replace_text(path: Path, text: str) -> None:
    """Put text in the place of what a file holds; its folder is made if it is not there.

    Args:
        path: the file.
        text: the new content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="")


def read_text(path: Path) -> str:
    """What a file holds; nothing if it is not there."""
    return path.read_bytes().decode("utf-8") if path.exists() else ""
