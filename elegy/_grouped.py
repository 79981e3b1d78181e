"""The batches of updates, for `Model(accumulate=...)`: a feed whose steps are groups of batches, and its launches."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._feed import Body, Feed, Stacked
from ._launches import Launch, Length, Resident, Singles
from .data import Batch


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Stretch:
    """Batches of one shape that lie behind each other in a feed.

    Attributes:
        feed: where they are.
        first: int32 scalar, the number of the first one in the feed.
        count: int32 scalar, how many there are.
    """

    feed: Feed
    first: Any
    count: Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Group:
    """The batches of one update; what they have in common is not their shape.

    Attributes:
        stretches: the batches in order.
    """

    stretches: tuple[Stretch, ...]

    def loop(self, body: Body, carry: Any) -> Any:
        """Run `body` for each of the batches, numbered from 0."""
        done: Any = 0
        for stretch in self.stretches:

            def run(number: Any, carry: Any, batch: Batch, before: Any = done) -> Any:
                return body(before + number, carry, batch)

            carry = stretch.feed.loop(stretch.first, stretch.count, run, carry)
            done = done + stretch.count
        return carry


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Grouped:
    """A feed whose steps take groups of batches.

    Attributes:
        stretches: one stretch, which is cut into groups, the last of which may be smaller; or the several stretches of
            a single group.
        size: the batches of a group.
    """

    stretches: tuple[Stretch, ...]
    size: int = dataclasses.field(metadata={"static": True})

    def loop(self, first: Any, count: Any, body: Body, carry: Any) -> Any:
        """Run `body` for `count` groups from number `first` on."""
        return jax.lax.fori_loop(
            0, count, lambda number, carry: body(number, carry, self._group(first + number)), carry
        )

    def _group(self, number: Any) -> Group:
        whole, *others = self.stretches
        if others:
            return Group(self.stretches)
        done = number * self.size
        return Group((Stretch(whole.feed, whole.first + done, jnp.minimum(self.size, whole.count - done)),))


class GroupedLaunches:
    """Launches of updates, each of which takes a number of batches; the last one of an epoch may take fewer.

    Updates whose batches lie in one feed run in one launch. A group that goes on in another feed, since a batch has
    another shape or a pass of the data ends, is a launch by itself; which groups do so follows from the data alone.

    Args:
        batches: launches of the same batches, one step each.
        size: how many batches an update takes.
    """

    def __init__(self, batches: Singles | Resident, size: int) -> None:
        self._batches = batches
        self._size = size

    @property
    def next_pass(self) -> int:
        """The pass that a following fit begins with."""
        return self._batches.next_pass

    @property
    def exhausted(self) -> bool:
        """Whether the data ended before an epoch did."""
        return self._batches.exhausted

    def epoch(self, length: Length) -> Iterator[Launch]:
        """The launches of one epoch."""
        size, begun = self._size, list[tuple[Feed, int, int]]()

        def missing() -> int:
            return size - sum(count for *_, count in begun)

        # So many batches that no group has to go on in the next launch because this one was full.
        for feed, first, count in self._batches.epoch(lambda: (length() - 1) * size + missing()):
            feed, first = (_stack_of(feed), 0) if isinstance(feed, Batch) else (feed, first)
            if begun:
                taken = min(missing(), count)
                begun.append((feed, first, taken))
                first, count = first + taken, count - taken
                if not missing():
                    yield _launch(begun, size)
                    begun.clear()
            if whole := count - count % size:
                yield _launch([(feed, first, whole)], size)
            if count % size:
                begun.append((feed, first + whole, count % size))
        if begun:
            yield _launch(begun, size)

    def forms(self, epochs: int) -> list[Launch]:
        """See `Singles.forms`: groups of one shape; others are compiled when they come."""
        first = self._batches.forms(epochs)[0].feed
        return [] if isinstance(first, Batch) else [Launch(Grouped((_abstract_stretch(first),), self._size), 0, 1)]


def group_like(batch: Any, size: int) -> Group:
    """A group of so many batches of one shape, in abstract form.

    Args:
        batch: one of them, or its shapes.
        size: how many.
    """
    stacked = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape), leaf.dtype), batch)
    return Group((_abstract_stretch(Stacked(stacked, {})),))


def _abstract_stretch(feed: Feed) -> Stretch:
    number = jax.ShapeDtypeStruct((), jnp.int32)
    return Stretch(feed, number, number)


def _launch(stretches: list[tuple[Feed, int, int]], size: int) -> Launch:
    updates = -(-sum(count for *_, count in stretches) // size)
    numbers = jax.device_put([(np.int32(first), np.int32(count)) for _, first, count in stretches])
    made = (Stretch(feed, *pair) for (feed, *_), pair in zip(stretches, numbers, strict=True))
    return Launch(Grouped(tuple(made), size), 0, updates)


def _stack_of(batch: Batch) -> Stacked:
    """One batch as a feed."""
    return jax.device_put(Stacked(jax.tree.map(lambda leaf: np.asarray(leaf)[None], batch), {}))
