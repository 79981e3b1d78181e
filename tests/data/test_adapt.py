"""What becomes which source, and what cannot be added to a source from outside."""

import numpy as np
import pytest

from elegy.data import ArraySource, SequenceSource, StreamSource, as_source, is_stream


def numbers(count=7, size=3):
    for start in range(0, count, size):
        yield np.arange(start, min(start + size, count))


class Loader:
    """Begins anew at each `iter`, as data loaders do."""

    def __iter__(self):
        """A new pass."""
        return numbers()

    def __len__(self):
        """Batches of a pass."""
        return 3


class Indexed(Loader):
    """Gives batches by index as well."""

    def __getitem__(self, index):
        """A batch."""
        return np.ones(2)


STREAMS = {"iterator": lambda: numbers(), "factory": lambda: numbers, "loader": lambda: Loader()}


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.ones(2), ArraySource),
        ([np.ones(2)], ArraySource),
        ({"a": [1, 2]}, ArraySource),
        (numbers(), StreamSource),
        (numbers, StreamSource),
        (Loader(), StreamSource),
        (Indexed(), SequenceSource),
    ],
)
def test_each_kind_of_data_has_its_source(x, kind):
    assert type(as_source(x)) is kind


def test_y_given_as_array_and_as_column_is_an_error():
    with pytest.raises(ValueError, match="`y` was asked for as an array and as the column `label`"):
        as_source({"a": np.ones(2)}, np.ones(2), y_column="label")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"y": np.ones(3)}, r"`y` was asked for together with `x`, a generator.*Let each batch be \(x, y\)"),
        ({"sample_weight": np.ones(3)}, "`sample_weight` was asked for together"),
        ({"batch_size": 4}, "leave `batch_size` out"),
        ({"shuffle": "batch"}, "leave `shuffle` out"),
        ({"drop_remainder": True}, "Let the loader itself leave out its last batch"),
    ],
)
def test_what_cannot_reach_a_stream_is_an_error(options, match):
    with pytest.raises(ValueError, match=match):
        as_source(numbers(), **options)


def test_a_source_is_returned_as_it_is_and_takes_nothing_from_outside():
    source = as_source(numbers)
    assert as_source(source) is source
    with pytest.raises(ValueError, match="`y` was asked for together with `x`, a StreamSource"):
        as_source(source, y="label")
    with pytest.raises(ValueError, match="`batch_size` was asked for together"):
        as_source(source, batch_size=3)


def test_streams_are_told_from_arrays():
    assert all(is_stream(make()) for make in STREAMS.values())
    assert not any(is_stream(x) for x in (np.ones(2), [1], {"a": 1}, (1,), "a", None, int))
