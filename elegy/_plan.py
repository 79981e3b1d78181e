"""How a pass is run: over data that lies on the device, in chunks of a stream, or step by step; never by the clock."""

import dataclasses
import math
import os
from collections.abc import Mapping
from typing import Any, Literal

import jax
import numpy as np

from ._errors import did_you_mean, listing
from ._grouped import GroupedLaunches
from ._launches import Chunks, Resident, Singles, Slices
from ._pace import Pace
from ._tables import bytes_in_words
from .data import ArraySource, Source

Kind = Literal["resident", "chunks", "single"]
Launches = Singles | Resident | GroupedLaunches

_ASKED_FOR = "asked for"
_KINDS = ("auto", "resident", "chunks", "single")
_BLOCK_BYTES = 1 << 20  # what stays in a core's cache while the block's steps run
_BLOCK_STEPS = 64
_CHUNK_BYTES = 16 << 20
_CHUNK_STEPS = 256
_ONCE_BYTES = 4 << 20  # in cache from the sending to the step, and soon free for the next chunk
_ONCE_STEPS = 8  # chunks of fewer steps gain nothing
_REPLAY_STEPS = 128
_LOGGED_STEPS = 4096
_REPLAY_BYTES = 64 << 20
_REPLAY_WORK = 1 << 29  # a good tenth of a second on a small machine
_LONGEST = 1 << 20


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a pass is run. It follows from sizes and from who is told, so that two runs use the same programs.

    Attributes:
        kind: where the batches of a launch come from.
        why: the reason, in words.
        most: the longest launch in steps; of a chunk also its size.
        fixed: how many steps each launch runs; None follows the time that they take.
        block: how many batches' rows are gathered at once.
        accumulate: how many batches a step takes.
        once: whether chunks are cut out of arrays, of which a single pass is made.
    """

    kind: Kind
    why: str
    most: int
    fixed: int | None = None
    block: int = 1
    accumulate: int = 1
    once: bool = False

    def launches(
        self, source: Any, extra: Mapping[str, Any], steps: int | None, first_pass: int, epochs: int = 1
    ) -> Launches:
        """The launches of epochs over a source; see `Singles` and `Resident`."""
        size = self.accumulate
        batches = self._launches(source, extra, None if steps is None else steps * size, first_pass, epochs)
        return batches if size == 1 else GroupedLaunches(batches, size)

    def _launches(
        self, source: Any, extra: Mapping[str, Any], batches: int | None, first_pass: int, epochs: int
    ) -> Singles | Resident:
        """The launches whose steps take one batch."""
        if self.kind == "resident":
            return Resident(source, extra, batches, first_pass, block=self.block, epochs=epochs)
        if self.kind == "chunks" or self.accumulate > 1:  # the batches of one step are a chunk too
            cut = Slices if self.once else Chunks
            return cut(source, extra, batches, first_pass, capacity=self.most * self.accumulate)
        return Singles(source, extra, batches, first_pass)

    def pace(self) -> Pace:
        """How long its launches are."""
        # Only what is collected can be late; and groups are cut where the data says.
        return Pace(self.most, self.fixed, hurries=self.kind != "resident" and self.accumulate == 1)

    @property
    def is_asked_for(self) -> bool:
        """Whether the user chose it."""
        return self.why == _ASKED_FOR

    def in_words(self, steps: int | None) -> str:
        """What was chosen and why, in a line.

        Args:
            steps: of an epoch, where known.
        """
        epoch = "" if steps is None else f", {steps:,} step{'s' * (steps != 1)} an epoch"
        launch = "" if self.fixed is None or self.kind == "single" else f", {self.fixed:,} a launch"
        update = "" if self.accumulate == 1 else f", {self.accumulate:,} batches a step"
        return f"{self}{epoch}{launch}{update}"

    def __str__(self) -> str:
        return f"{self.kind}: {self.why}"


SINGLE = Plan("single", _ASKED_FOR, 1, 1)


@dataclasses.dataclass(frozen=True)
class Needs:
    """What decides besides the data.

    Attributes:
        singles: why single steps are needed, in words; None if they are not.
        replayed: whether a callback is told of each step afterwards.
        told_bytes: how much a step tells, to callbacks, to the record of the steps, or as outputs.
        work: about how many multiplications a step does, as far as sizes tell: rows times parameters.
        logged: whether the logs of each step are kept.
    """

    singles: str | None = None
    replayed: bool = False
    told_bytes: int = 0
    work: int = 0
    logged: bool = False


def choose_plan(
    source: Source,
    first: Any,
    needs: Needs,
    *,
    execution: str = "auto",
    steps_per_execution: int | None = None,
    accumulate: int = 1,
) -> Plan:
    """The plan for a source.

    Args:
        source: the batches.
        first: one of them.
        needs: what decides besides the data.
        execution: the kind that the user asks for, or "auto".
        steps_per_execution: how many steps each launch runs; None follows the time that they take.
        accumulate: how many batches a step takes.

    Raises:
        ValueError: what is asked for does not fit the data or the callbacks.
    """
    require_execution(execution)
    batch_bytes = _bytes(first)
    most = min(_most_told(needs), steps_per_execution or _LONGEST)
    fixed = most if needs.replayed else steps_per_execution
    kind, why = _kind(source, needs, execution, steps_per_execution)
    if kind == "resident":
        block = max(1, min(_BLOCK_STEPS, _BLOCK_BYTES // max(batch_bytes, 1)))
        block = block if accumulate == 1 else min(block, accumulate)  # what reaches over a group is not used
        return Plan(kind, why, most, fixed, block, accumulate)
    if kind == "chunks":
        chunk = max(1, min(_CHUNK_STEPS, _CHUNK_BYTES // max(batch_bytes * accumulate, 1)))
        return Plan(kind, why, min(most, steps_per_execution or chunk), fixed, accumulate=accumulate)
    return dataclasses.replace(SINGLE, why=why, accumulate=accumulate)


def choose_plan_of_one_pass(source: Source, first: Any, needs: Needs) -> Plan:
    """The plan for a single pass over a source: no row is needed twice, so arrays do not stay on the device.

    Args:
        source: the batches; one pass begins at its begin.
        first: one of them.
        needs: what decides besides the data.
    """
    if needs.singles is not None or type(source) is not ArraySource:
        return choose_plan(source, first, needs)
    size = _bytes(first) + needs.told_bytes
    chunk = min(_CHUNK_STEPS, _ONCE_BYTES // max(size, 1))
    if chunk < _ONCE_STEPS:
        return dataclasses.replace(SINGLE, why=f"{bytes_in_words(size)} a step fill launches of their own")
    if source.samples // source.batch_size < chunk:
        return dataclasses.replace(SINGLE, why="the data does not fill a chunk")
    most = min(_most_told(needs), chunk)
    return Plan("chunks", "each row is needed once", most, most if needs.replayed else None, once=True)


def fills_no_chunk(source: Source) -> bool:
    """Whether all of the data is so little that it lies on the device at no cost."""
    return isinstance(source, ArraySource) and _bytes(source.columns) <= _ONCE_BYTES


def _most_told(needs: Needs) -> int:
    """The longest launch whose steps can all be told of."""
    if not (needs.replayed or needs.logged):
        return _LONGEST
    steps = min(_REPLAY_STEPS, _REPLAY_WORK // max(needs.work, 1)) if needs.replayed else _LOGGED_STEPS
    return max(1, min(steps, _REPLAY_BYTES // max(needs.told_bytes, 1)))


def too_much_told(size: int) -> str | None:
    """Why what a step tells to callbacks cannot be kept for several steps; None if it can.

    Args:
        size: its bytes.
    """
    if size <= _REPLAY_BYTES:
        return None
    return f"callbacks ask for {bytes_in_words(size)} of each step"


def require_execution(execution: str) -> None:
    """Raise unless `execution` is one that exists.

    Raises:
        ValueError: it is not.
    """
    if execution not in _KINDS:
        raise ValueError(
            f"`execution={execution!r}` was given. It is one of: {listing(_KINDS)}. Use one of these."
            + did_you_mean(str(execution), _KINDS)
        )


def _kind(source: Source, needs: Needs, execution: str, steps_per_execution: int | None) -> tuple[Kind, str]:
    if needs.singles is not None:
        if execution in ("resident", "chunks") or (steps_per_execution or 1) > 1:
            asked = f"execution={execution!r}" if execution != "auto" else f"steps_per_execution={steps_per_execution}"
            raise ValueError(
                f"`fit({asked})` was asked for. Single steps are needed: {needs.singles}. "
                'Leave it out, or give `execution="single"`.'
            )
        return "single", needs.singles
    if execution == "single":
        return "single", _ASKED_FOR
    if type(source) is not ArraySource:  # a subclass may make batches of its own
        if execution == "resident":
            raise ValueError(
                '`execution="resident"` was asked for. The data is a stream, of which nobody knows the whole. '
                'Give arrays, or `execution="chunks"`.'
            )
        return "chunks", _ASKED_FOR if execution == "chunks" else "the data is a stream"
    if execution in ("resident", "chunks"):
        return execution, _ASKED_FOR
    size, budget = _bytes(source.columns), memory_budget()
    if size <= budget:
        return "resident", f"{bytes_in_words(size)} of data lie on the device"
    return "chunks", f"{bytes_in_words(size)} of data are more than {bytes_in_words(budget)}, a quarter of the memory"


def memory_budget() -> int:
    """How many bytes of data may stay on the device: a quarter of its memory."""
    device = jax.local_devices()[0]
    limit = (device.memory_stats() or {}).get("bytes_limit") if device.platform != "cpu" else None
    return (limit or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) // 4


def _bytes(tree: Any) -> int:
    arrays = [leaf for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype")]
    return sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in arrays)
