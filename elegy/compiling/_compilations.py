"""The compilations of a model: how many there were, and what is said about one that nobody expects."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from .._bounded import Bounded
from ._why import Form, form_of, why

MOST_PROGRAMS = 64
"""How many programs a model keeps. A fit with validation, callbacks and a smaller last batch needs about ten; a hook
that is made anew for each fit would add two each time, and a compiled step takes megabytes."""

MOST_FORMS = 64
"""For how many shapes a program is kept: more than there are buckets of lengths in practice, and still bounded."""

_FIRST = "it is the first one for this plan, these callbacks and what is frozen"
_DROPPED = "nothing that it depends on changed here, but it was dropped, or settings of JAX changed"


class Compilations:
    """Learns of each program just before it is traced and compiled, and of nothing in between.

    Args:
        most: how many programs are remembered.

    Attributes:
        count: how many programs were compiled.
    """

    def __init__(self, most: int = MOST_PROGRAMS) -> None:
        self.count = 0
        self._known: Bounded[Any, list[Form]] = Bounded(most)
        self._changed: dict[Any, str] = {}
        self._smaller: set[Any] = set()
        self._say: Callable[[str], Any] | None = None
        self._role = ""
        self._rows: int | None = None
        self._most: int | None = None
        self._begun = 0

    @contextlib.contextmanager
    def during(self, say: Callable[[str], Any], rows: int, most: int | None = None) -> Iterator[None]:
        """A verb runs: what is compiled without need is told.

        Args:
            say: told a line.
            rows: of a full batch.
            most: how many programs it may compile; None allows any number.
        """
        self._say, self._most, self._begun = say, most, self.count
        self._smaller = set()
        try:
            with self.over("", rows):
                yield
        finally:
            self._say, self._most = None, None

    @contextlib.contextmanager
    def over(self, role: str, rows: int) -> Iterator[None]:
        """A pass over other data runs, whose shapes are its own.

        Args:
            role: which data.
            rows: of a full batch.
        """
        before = self._role, self._rows
        self._role, self._rows = role, rows
        try:
            yield
        finally:
            self._role, self._rows = before

    def forget(self, change: str) -> None:
        """All programs were dropped.

        Args:
            change: why, as a clause.
        """
        self._changed = dict.fromkeys(self._known, change)

    def note(self, program: Any, arguments: tuple[Any, ...]) -> None:
        """Count a program that is about to be compiled, and tell of it if it was compiled before for something else.

        Args:
            program: what tells programs apart; its last part is a name, or begins with one.
            arguments: of the call that needs it.

        Raises:
            RuntimeError: the verb that runs may not compile so many.
        """
        place, form = (program, self._role), form_of(arguments)
        known = self._known[place] if place in self._known else []
        change = self._changed.pop(place, None)
        cause = change or why(form, known)
        name = program[-1] if isinstance(program[-1], str) else program[-1][0]
        if self._most is not None and self.count - self._begun >= self._most:
            raise RuntimeError(
                f"`fit(max_compilations={self._most})` was given. One more program, `{name}`, would be compiled: "
                f"{cause or (_DROPPED if known else _FIRST)}. Keep to the shapes, dtypes and configuration of before, "
                "or allow more."
            )
        self.count += 1
        if known and cause and not change and not self._is_last_batch(place, form) and self._say is not None:
            self._say(f"compiled `{name}` again: {cause}")
        self._known[place] = [*(other for other in known if other != form), form][-MOST_FORMS:]

    def _is_last_batch(self, place: Any, form: Form) -> bool:
        """Whether this is a smaller batch, of which each pass has one kind at most."""
        is_first = place not in self._smaller
        if form.rows is None or self._rows is None or form.rows >= self._rows:
            return False
        self._smaller.add(place)
        return is_first
