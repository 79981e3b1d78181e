"""Indexed collections of batches: shuffled by seed and pass, gone back to without a replay."""

import warnings

import numpy as np
import pytest

from elegy.data import Position, Source, as_source

SIZES = (3, 1, 4, 2)


class Uneven:
    """Batches of different sizes; remembers which were loaded."""

    def __init__(self):
        self.loaded = []

    def __len__(self):
        """Batches."""
        return len(SIZES)

    def __getitem__(self, index):
        """Batch by index."""
        self.loaded.append(index)
        start = sum(SIZES[:index])
        x = np.arange(start, start + SIZES[index])
        return x, x % 2


def rows(source, data_pass=0):
    return [batch["x"].tolist() for batch in source.batches(data_pass)]


def flat(batches):
    return [row for batch in batches for row in batch]


def test_a_sequence_gives_its_batches_by_index():
    source = as_source(Uneven())
    assert isinstance(source, Source) and (source.samples, source.steps, source.batch_size) == (None, 4, None)
    assert rows(source) == [[0, 1, 2], [3], [4, 5, 6, 7], [8, 9]]
    assert (source.samples, source.batch_size, source.position()) == (10, 3, Position(1, 0))


def test_a_sequence_shuffles_its_batches_by_seed_and_pass():
    orders = [rows(as_source(Uneven(), shuffle=True, seed=(0, 1)), data_pass) for data_pass in (0, 0, 1, 2, 3)]
    assert orders[0] == orders[1] and any(order != orders[0] for order in orders[2:])
    assert all(sorted(flat(order)) == list(range(10)) for order in orders)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("offset", range(11))
def test_a_sequence_goes_back_to_any_offset_without_a_warning(offset, shuffle):
    whole = flat(rows(as_source(Uneven(), shuffle=shuffle), 2))
    source = as_source(Uneven(), shuffle=shuffle)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source.restore(Position(2, offset))
    assert flat(rows(source, 2)) == whole[offset:]


def test_batches_whose_size_is_known_are_not_loaded_to_go_back():
    data = Uneven()
    source = as_source(data)
    rows(source)
    data.loaded.clear()
    source.restore(Position(1, 8))
    assert rows(source, 1) == [[8, 9]] and data.loaded == [3]


def test_a_position_beyond_the_sequence_is_an_error():
    source = as_source(Uneven())
    source.restore(Position(0, 11))
    with pytest.raises(ValueError, match="has only 10 samples in a pass"):
        rows(source)


def test_peek_loads_the_first_batch_once():
    data = Uneven()
    source = as_source(data)
    assert source.peek() is source.peek() and data.loaded == [0] and source.batch_size == 3


def test_check_sees_every_batch():
    seen = []
    source = as_source(Uneven())
    source.check(seen.append)
    rows(source)
    assert [len(batch["x"]) for batch in seen] == list(SIZES)


def test_a_length_that_promises_too_much_is_an_error_and_no_index_error():
    class Short(Uneven):
        def __getitem__(self, index):
            return [np.ones(2)][index]

    with pytest.raises(ValueError, match=r"asked for batch 1. Its length is 4, but it raised IndexError"):
        rows(as_source(Short()))


def test_an_empty_sequence_is_an_error():
    class Empty(Uneven):
        def __len__(self):
            return 0

    with pytest.raises(ValueError, match="its length is 0"):
        as_source(Empty())


def test_y_beside_a_sequence_is_an_error():
    with pytest.raises(ValueError, match="`y` was asked for together with `x`, a Uneven"):
        as_source(Uneven(), np.ones(10))
