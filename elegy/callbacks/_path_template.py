"""File names with values in them: `weights/{epoch:02d}-{val_loss:.2f}.safetensors`."""

import os
import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._errors import did_you_mean, listing
from .._paths import slashed

_COUNTS = ("epoch", "batch")


class PathTemplate:
    """A path whose braces are filled with an epoch and logs, formatted as Python does.

    Args:
        who: how errors call whose path it is.
        path: the path; `{name}` or `{name:.2f}` stands for a value. A name may be a path like `val_acc/x`.

    Raises:
        ValueError: a brace has no partner or no name, or a format fits no number.

    Example:
        >>> template = PathTemplate("ModelCheckpoint", "{epoch:02d}-{val_acc/x:.2f}.safetensors")
        >>> template.filled({"epoch": 3, "val_acc/x": 0.875}).name
        '03-0.88.safetensors'
    """

    def __init__(self, who: str, path: str | os.PathLike[str]) -> None:
        self.text = os.fspath(path)
        self._who = who
        try:
            self.names = [name for _, name, _, _ in string.Formatter().parse(self.text) if name is not None]
            if "" in self.names:
                raise ValueError("`{}` has no name")
            _formatted(self.text, {slashed(name): 1 if name in _COUNTS else 0.5 for name in self.names})
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"{who} got the path `{self.text}`. It cannot be read as a template: {error}. "
                "Write `{epoch:02d}` or `{val_loss:.2f}` for a value, and `{{` for a brace."
            ) from error

    @property
    def folder(self) -> Path:
        """The deepest folder that does not depend on values."""
        return Path(self.text.split("{")[0] + "x").parent

    def check(self, known: Iterable[str], *, but: str | None = None) -> None:
        """Find out whether all names can be filled in.

        Args:
            known: the names that have a value.
            but: names that begin with this are let pass.

        Raises:
            ValueError: a name is not known.
        """
        known = list(known)
        there = {slashed(name) for name in known}
        for name in self.names:
            if slashed(name) not in there and not (but and name.startswith(but)):
                raise ValueError(
                    f"{self._who} writes to `{self.text}`, which asks for `{name}`. At that moment there are: "
                    f"{listing(known)}. Use one of these.{did_you_mean(name, known)}"
                )

    def filled(self, values: Mapping[str, Any]) -> Path:
        """The path with the values in it; a name without a value is the error of `check`."""
        self.check(values)
        return Path(_formatted(self.text, {slashed(name): values[name] for name in values}))


def _formatted(text: str, values: Mapping[str, Any]) -> str:
    return _Formatter().vformat(text, (), values)


class _Formatter(string.Formatter):
    """Looks names up as a whole, where Python would take `a.b` apart."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        del args
        return kwargs[slashed(field_name)], field_name
