"""Files that are there as a whole or not at all, whatever ends the program while they are written."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file beside `path`, which takes its place when the block ends without an error.

    Args:
        path: the file to write; what it held stays until then. A link is followed.

    Yields:
        The file to write to, in the same folder.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "notes.txt"
        >>> with written_whole(file) as draft:
        ...     _ = draft.write_text("all of it")
        >>> file.read_text()
        'all of it'
    """
    file = Path(os.path.realpath(path))
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        yield draft
        with open(draft, "rb+") as written:
            os.fsync(written.fileno())  # else the new name may reach the disk before the bytes do
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
