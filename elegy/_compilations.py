"""The compilations of a model: how many there were, and what is said about one that nobody expects."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

from ._bounded import Bounded
from ._why import Form, form_of, why

MOST_PROGRAMS = 64
"""How many programs a model keeps. A fit with validation, callbacks and a smaller last batch needs about ten; a hook
that is made anew for each fit would add two each time, and a compiled step takes megabytes."""

MOST_FORMS = 64
"""For how many shapes a program is kept: more than there are buckets of lengths in practice, and still bounded."""

_COMPARED = 8  # forms that a new one is compared with; each has the types of all arrays of a model

_FIRST = "it is the first one for this plan, these callbacks and what is frozen"
_DROPPED = "nothing that it depends on changed here, but it was dropped, or settings of JAX changed"


@dataclasses.dataclass(frozen=True)
class _Watch:
    """Who is told while a verb runs, and what it may do.

    Attributes:
        say: told a line; None if nobody is.
        role: over which data it runs.
        rows: of a full batch there; None if that is not known.
        smaller: the programs that were compiled for a smaller batch.
        most: how many programs it may compile; None is any number.
        end: the count at which that is reached.
    """

    say: Callable[[str], Any] | None = None
    role: str = ""
    rows: int | None = None
    smaller: set[Any] = dataclasses.field(default_factory=set)
    most: int | None = None
    end: float = math.inf


class Compilations:
    """Learns of each program just before it is traced and compiled, and of nothing in between.

    Attributes:
        count: how many programs were compiled.
    """

    def __init__(self) -> None:
        self.count = 0
        self._known: Bounded[Any, list[Form]] = Bounded(MOST_PROGRAMS)
        self._changed: dict[Any, str] = {}
        self._watch = _Watch()

    def during(
        self, say: Callable[[str], Any], rows: int, most: int | None = None
    ) -> contextlib.AbstractContextManager[None]:
        """A verb runs, by itself or in a callback of another one: what is compiled without need is told.

        Args:
            say: told a line.
            rows: of a full batch.
            most: how many programs it may compile; None allows as many as the verb around it.
        """
        outer = self._watch
        limit = (outer.most, outer.end) if most is None else (most, self.count + most)
        return self._watching(_Watch(say, "", rows, set(), *limit))

    def over(self, role: str, rows: int) -> contextlib.AbstractContextManager[None]:
        """A part of the verb runs over other data, whose shapes are its own.

        Args:
            role: which data.
            rows: of a full batch.
        """
        return self._watching(dataclasses.replace(self._watch, role=role, rows=rows))

    def forget(self, change: str) -> None:
        """All programs were dropped.

        Args:
            change: why, as a clause.
        """
        self._changed = dict.fromkeys(self._known, change)

    def note(self, program: tuple[Any, ...], arguments: tuple[Any, ...]) -> None:
        """Count a program that is about to be compiled, and tell of it if it was compiled before for something else.

        Args:
            program: what tells programs apart; its last part is a name, or begins with one.
            arguments: of the call that needs it.

        Raises:
            RuntimeError: the verb that runs may not compile so many.
        """
        watch = self._watch
        place, form = (program, watch.role), form_of(arguments)
        known = self._known[place] if place in self._known else []
        change = self._changed.pop(place, None)
        cause = change or why(form, known)
        name = program[-1] if isinstance(program[-1], str) else program[-1][0]
        if self.count >= watch.end:
            raise RuntimeError(
                f"`fit(max_compilations={watch.most})` was given. One more program, `{name}`, would be compiled: "
                f"{cause or (_DROPPED if known else _FIRST)}. Keep to the shapes, dtypes and configuration of before, "
                "or allow more."
            )
        self.count += 1
        is_expected = _is_last_batch(place, form, watch) or change is not None  # of a change the log has told
        if cause is not None and not is_expected and watch.say is not None:
            watch.say(f"compiled `{name}` again: {cause}")
        self._known[place] = [*(other for other in known if other != form), form][-_COMPARED:]

    @contextlib.contextmanager
    def _watching(self, watch: _Watch) -> Iterator[None]:
        outer, self._watch = self._watch, watch
        try:
            yield
        finally:
            self._watch = outer


def _is_last_batch(place: Any, form: Form, watch: _Watch) -> bool:
    """Whether this is a smaller batch, of which a verb has one kind for each program."""
    if form.rows is None or watch.rows is None or form.rows >= watch.rows:
        return False
    is_first = place not in watch.smaller
    watch.smaller.add(place)
    return is_first
