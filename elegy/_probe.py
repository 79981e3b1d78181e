"""Finding out which axes of a value belong to the batch, and which operations broadcast two batches silently."""

import contextlib
import itertools
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax

# JAX warns of a rank promotion once per shape and process, because its trace caches are global: a batch size at which a
# probe met one that pairs samples would stay silent the next time. Every other size is used again, so that models that
# come and go leave nothing new in those caches.
_spent_sizes: set[int] = set()


class TwoBatchesError(ValueError):
    """Two values were broadcast against each other along their batch axes."""


def abstract(tree: Any) -> Any:
    """The shapes and dtypes of a tree of arrays; other leaves stay."""
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) if hasattr(leaf, "dtype") else leaf, tree
    )


def resized(batch: Any, samples: int, size: int) -> Any:
    """The abstract batch with `size` samples instead of `samples`."""

    def resize(leaf: Any) -> Any:
        if not hasattr(leaf, "shape"):
            return leaf
        shape = (size, *leaf.shape[1:]) if leaf.shape[:1] == (samples,) else leaf.shape
        return jax.ShapeDtypeStruct(shape, leaf.dtype)

    return jax.tree.map(resize, batch)


def fresh_size(samples: int, *trees: Any) -> int:
    """A multiple of `samples` that is no dimension of the trees, and at which JAX still warns of every promotion."""
    seen = {size for tree in trees for leaf in jax.tree.leaves(tree) for size in getattr(leaf, "shape", ())}
    sizes = (samples * factor for factor in itertools.count(3))
    return next(size for size in sizes if size not in seen and size not in _spent_sizes)


def batch_axes(samples: int, value: Any, grown: Any | None, one_more: Callable[[], Any | None]) -> tuple[int, ...]:
    """Which axes of `value` grow with the number of samples.

    Args:
        samples: the batch size at which `value` was made.
        value: an array, or its abstract form.
        grown: the same value with more samples, or None if it could not be made.
        one_more: makes it with one sample more, or None.

    Returns:
        The axes, in order. If nothing can be found out, the first axis counts as the batch when it has its length.
    """
    if not value.shape:
        return ()
    if grown is not None and len(grown.shape) == len(value.shape):
        axes = tuple(axis for axis, (a, b) in enumerate(zip(value.shape, grown.shape, strict=True)) if a != b)
        if axes or value.shape[0] != samples:
            return axes
    elif grown is not None:
        return ()
    if value.shape[0] != samples:
        return ()
    longer = one_more()
    return () if longer is not None and longer.shape[:1] == (samples,) else (0,)


@contextlib.contextmanager
def refuse_two_batches(size: int, samples: int, who: str) -> Iterator[None]:
    """Turn an implicit rank promotion whose result has two batch axes into an error that names both shapes.

    Args:
        size: the batch size of the probe.
        samples: the batch size that the error should show.
        who: the consumer whose code runs.

    Raises:
        TwoBatchesError: such a promotion happened.
    """
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught, jax.numpy_rank_promotion("warn"):
            warnings.simplefilter("always")
            yield
    finally:  # what runs may fail after it was warned of
        promoted = [shapes for warning in caught if (shapes := _promoted_shapes(str(warning.message))) is not None]
        pairs = [shapes for shapes in promoted if _has_two_batches(shapes, size)]
        _spent_sizes.update([size] if pairs else [])
    for shapes in pairs:
        shown = [f"({', '.join(str(samples if d == size else d) for d in s)}{',' * (len(s) == 1)})" for s in shapes]
        raise TwoBatchesError(
            f"{who} combines values of the shapes {' and '.join(shown)}. Broadcasting pairs every sample with every "
            "other one, which is hardly meant. Give both the same shape, for example with `reshape` or `[..., 0]`."
        )


def _promoted_shapes(message: str) -> list[tuple[int, ...]] | None:
    if "rank promotion" not in message:
        return None
    found = re.findall(r"\(([\d, ]*)\)", message.split("on shapes")[-1].split(".")[0])
    return [tuple(int(d) for d in dims.split(",") if d.strip()) for dims in found]


def _has_two_batches(shapes: list[tuple[int, ...]], size: int) -> bool:
    rank = max((len(shape) for shape in shapes), default=0)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return sum(any(shape[axis] == size for shape in padded) for axis in range(rank)) > 1


class AxisProbe:
    """Which axes of each loss and metric value are the batch's, for one shape of batch.

    Args:
        samples: the batch size of the program.
        big: a multiple of it that no dimension has (`fresh_size`).
        evaluate: makes, abstractly, every probed value at a batch size: by consumer the parts by name; consumers that
            fail at that size are left out.
    """

    def __init__(self, samples: int, big: int, evaluate: Callable[[int], dict[str, dict[str, Any]]]) -> None:
        self._samples = samples
        self._big = big
        self._evaluate = evaluate
        self._shapes: dict[int, dict[str, dict[str, Any]]] = {}

    def refuse_broadcasts(self) -> None:
        """Run everything once with more samples; two batches that are broadcast against each other are an error.

        Raises:
            TwoBatchesError: there are such.
        """
        self._at(self._big)

    def axes(self, key: str, part: str, value: Any) -> tuple[int, ...]:
        """The batch axes of one part of the consumer `key`."""
        return batch_axes(
            self._samples,
            value,
            self._at(self._big).get(key, {}).get(part),
            lambda: self._at(self._samples + 1).get(key, {}).get(part),
        )

    def _at(self, size: int) -> dict[str, dict[str, Any]]:
        if size not in self._shapes:
            self._shapes[size] = self._evaluate(size)
        return self._shapes[size]
