"""What a launch of several steps takes its batches from: pytrees on the device, read inside the compiled loop."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from ._sums import pack_sums, unpack_sums
from .data import Batch

Body = Callable[[Any, Any, Any], Any]
"""`(number, carry, batch) -> carry`: what a loop runs for each step, numbered from 0 in every launch.

What a step takes is a `Batch`, or what a feed makes of several.
"""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Held:
    """All rows of the data, on the device; each launch takes its own by their numbers.

    Attributes:
        columns: arrays `(rows, ...)` by name.
        order: int32 `(at least rows + block * size,)`, the rows in the order of this pass; None as they lie.
        extra: columns that every batch gets as they are, like `class_weight`.
        size: rows of a batch.
        block: how many steps' rows are gathered at once.
    """

    columns: Batch
    order: jax.Array | None
    extra: dict[str, Any]
    size: int = dataclasses.field(metadata={"static": True})
    block: int = dataclasses.field(metadata={"static": True})

    def loop(self, first: Any, count: Any, body: Body, carry: Any) -> Any:
        """Run `body` for `count` steps of the pass from step `first` on."""
        if self.block == 1 or self.order is None:
            return jax.lax.fori_loop(
                0, count, lambda number, carry: body(number, carry, self._rows(first + number, 1, self.size)), carry
            )

        def run_block(block: Any, carry: Any) -> Any:
            done = block * self.block
            rows = self._rows(first + done, self.block, self.block, self.size)

            def run_step(number: Any, carry: Any) -> Any:
                return body(done + number, carry, _with(_at(rows, number), self.extra))

            return jax.lax.fori_loop(0, jnp.minimum(self.block, count - done), run_step, carry)

        return jax.lax.fori_loop(0, (count + self.block - 1) // self.block, run_block, carry)

    def _rows(self, step: Any, steps: int, *shape: int) -> Batch:
        """The rows of `steps` steps from `step` on."""
        start, length = step * self.size, steps * self.size

        def take(column: Any) -> Any:
            if self.order is None:
                rows = jax.lax.dynamic_slice_in_dim(column, start, length)
            else:
                numbers = jax.lax.dynamic_slice_in_dim(self.order, start, length)
                rows = column.at[numbers].get(mode="promise_in_bounds")
            return rows.reshape(*shape, *column.shape[1:])

        rows = jax.tree.map(take, self.columns)
        return _with(rows, self.extra) if steps == 1 else rows


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Stacked:
    """Batches of one shape, on the device behind each other.

    Attributes:
        columns: arrays `(steps, rows, ...)` by name; a launch need not use all steps.
        extra: columns that every batch gets as they are, like `class_weight`.
    """

    columns: Batch
    extra: dict[str, Any]

    def loop(self, first: Any, count: Any, body: Body, carry: Any) -> Any:
        """Run `body` for `count` of the batches from number `first` on."""

        def run_step(number: Any, carry: Any) -> Any:
            return body(number, carry, _with(_at(self.columns, first + number), self.extra))

        return jax.lax.fori_loop(0, count, run_step, carry)


class Feed(Protocol):
    """Where a launch takes its batches from; a pytree."""

    def loop(self, first: Any, count: Any, body: Body, carry: Any) -> Any:
        """Run `body` for `count` batches from number `first` on."""
        ...


class Rare(NamedTuple):
    """Steps that come now and then among others, in a loop of their own: a branch would cost each of the others.

    Attributes:
        step: `(carry, batch) -> (carry, told)`, like the usual one.
        usual: `carry -> int32 scalar`, how many usual steps come before the next such step.
    """

    step: Callable[[Any, Batch], tuple[Any, Any]]
    usual: Callable[[Any], Any]


def run_many(
    step: Callable[[Any, Batch], tuple[Any, Any]],
    carry: Any,
    feed: Feed,
    first: Any,
    count: Any,
    capacity: int,
    rare: Rare | None = None,
) -> tuple[Any, Any]:
    """Run `step` for `count` batches; one compilation serves every first step and every count.

    Args:
        step: `(carry, batch) -> (carry, told)`.
        carry: what one step hands on to the next.
        feed: where the batches come from.
        first: int32 scalar, the first step of the launch in the feed.
        count: int32 scalar, how many steps.
        capacity: how many steps' `told` are kept; 0 keeps none.
        rare: steps that come now and then instead.

    Returns:
        The carry after the last step, and what the steps told, stacked `(capacity, ...)`; None if nothing is kept.
    """
    kept = None
    if capacity:
        shapes: list[Any] = []

        def look(number: Any, carry: Any, batch: Batch) -> Any:
            shapes.append(jax.eval_shape(step, carry, batch)[1])
            return carry

        jax.eval_shape(lambda carry: feed.loop(jnp.int32(0), jnp.int32(1), look, carry), carry)
        kept = jax.tree.map(lambda leaf: jnp.zeros((capacity, *leaf.shape), leaf.dtype), shapes[0])

    sums, rest = pack_sums(_strong(carry))

    def run(step: Callable[[Any, Batch], tuple[Any, Any]], done: Any, count: Any, held: Any) -> Any:
        def body(number: Any, held: tuple[Any, Any, Any], batch: Batch) -> tuple[Any, Any, Any]:
            sums, rest, kept = held
            carry = unpack_sums(sums, rest)
            after, told = step(carry, batch)
            after = as_before(after, carry)
            if capacity:
                kept = jax.tree.map(lambda buffer, value: buffer.at[done + number].set(value), kept, told)
            return *pack_sums(after), kept

        return feed.loop(first + done, count, body, held)

    def run_both(place: tuple[Any, Any], rare: Rare) -> tuple[Any, Any]:
        done, (sums, rest, kept) = place
        usual = jnp.minimum(rare.usual(unpack_sums(sums, rest)), count - done)
        held = run(step, done, usual, (sums, rest, kept))
        done = done + usual
        now = jnp.minimum(1, count - done)
        return done + now, run(rare.step, done, now, held)

    if rare is None:
        sums, rest, kept = run(step, 0, count, (sums, rest, kept))
    else:
        both = functools.partial(run_both, rare=rare)
        start = jnp.zeros_like(count), (sums, rest, kept)
        _, (sums, rest, kept) = jax.lax.while_loop(lambda place: place[0] < count, both, start)
    return unpack_sums(sums, rest), kept


def as_before(after: Any, before: Any) -> Any:
    """What a step made in the dtypes of what it got: a loop can hand on nothing else."""
    return jax.tree.map(lambda new, old: jnp.asarray(new, jnp.asarray(old).dtype), after, before)


def _at(stacked: Batch, number: Any) -> Batch:
    return jax.tree.map(lambda leaf: jax.lax.dynamic_index_in_dim(leaf, number, keepdims=False), stacked)


def _with(batch: Batch, extra: dict[str, Any]) -> Batch:
    return Batch(**batch, **extra) if extra else batch


def _strong(tree: Any) -> Any:
    """The same arrays without weak types, which no step hands on."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.asarray(leaf).dtype), tree)
