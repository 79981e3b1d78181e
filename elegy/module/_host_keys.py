"""Keys of known numbers, made on the host: bit by bit those of JAX, for which it would compile programs."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

_IMPL = "threefry2x32"
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)


def is_known(key: Any) -> bool:
    """Whether the words of a key can be read now, and its generator is the one that is written down here."""
    return not isinstance(key, Tracer) and str(jax.random.key_impl(key)) == _IMPL


def words_of(key: jax.Array) -> np.ndarray:
    """The words of a known key, uint32 `(2,)`."""
    return np.asarray(jax.random.key_data(key))


def key_of(words: np.ndarray) -> jax.Array:
    """The key, or keys, that words `(..., 2)` make."""
    return jax.random.wrap_key_data(jax.device_put(words), impl=_IMPL)


def folded(words: np.ndarray, *numbers: int | Sequence[int] | np.ndarray) -> np.ndarray:
    """The words after `jax.random.fold_in` of each of the numbers in turn.

    Args:
        words: uint32 `(2,)`.
        *numbers: uint32 each; a sequence makes words for each of its numbers, `(n, 2)`.

    Example:
        >>> words = folded(np.array([0, 42], np.uint32), 7)
        >>> bool((words == jax.random.key_data(jax.random.fold_in(jax.random.key(42), 7))).all())
        True

    Reference:
        Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011.
    """
    first, second = words
    for number in numbers:
        first, second = _threefry(first, second, np.asarray(number, np.uint32))
    return np.stack([first, second], axis=-1)


def _threefry(first: Any, second: Any, number: np.ndarray) -> tuple[Any, Any]:
    """One block of the generator, for the counter `(0, number)`."""
    keys = (first, second, first ^ second ^ _PARITY)
    with np.errstate(over="ignore"):  # numbers of 32 bits, as they are meant to be
        x, y = np.zeros_like(number) + first, number + second
        for turn in range(5):
            for places in _ROTATIONS[turn % 2]:
                x = x + y
                y = x ^ (y << np.uint32(places) | y >> np.uint32(32 - places))
            x, y = x + keys[(turn + 1) % 3], y + keys[(turn + 2) % 3] + np.uint32(turn + 1)
    return x, y
