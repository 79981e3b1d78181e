"""The order of the rows: a function of seed and pass alone, so that a restarted run sees the same one."""

from typing import Literal

import numpy as np

Shuffle = bool | Literal["batch"]

_ORDER_DOMAIN = 3  # apart from the domains that initialize, train and evaluate, which count 0 to 2


def permutation(count: int, *, seed: tuple[int, int], data_pass: int) -> np.ndarray:
    """The numbers `0..count-1` in the order that belongs to this seed and pass; touches no global generator."""
    key = np.array([(seed[0] << 32) | seed[1], (_ORDER_DOMAIN << 48) | data_pass], np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).permutation(count)


def row_order(
    rows: int, *, batch_size: int, shuffle: Shuffle, seed: tuple[int, int], data_pass: int
) -> np.ndarray | None:
    """The rows of one pass in order: None as they lie, or shuffled singly, or (`"batch"`) by runs of `batch_size`.

    The incomplete last run stays last, so that every batch but the last is full.
    """
    if shuffle is False:
        return None
    if shuffle is True:
        return permutation(rows, seed=seed, data_pass=data_pass)
    full = rows // batch_size
    runs = permutation(full, seed=seed, data_pass=data_pass)[:, None] * batch_size + np.arange(batch_size)
    return np.concatenate([runs.ravel(), np.arange(full * batch_size, rows)])


def seed_words(seed: tuple[int, int]) -> tuple[int, int]:
    """`seed` as two integers that fit a uint32 each."""
    words = tuple(int(word) for word in seed)
    if len(words) != 2 or not all(0 <= word < 2**32 for word in words):
        raise ValueError(
            f"`seed={seed}` was asked for. A seed is two integers from 0 to {2**32 - 1}. "
            f"Write `seed=(high, low)`, the two 32-bit words."
        )
    return words[0], words[1]
