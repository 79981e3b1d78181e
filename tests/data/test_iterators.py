"""Streams: iterators run once, loaders and factories begin anew, nothing that was looked at is lost."""

import warnings

import numpy as np
import pytest

from elegy.data import Position, Source, as_source, endless


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


def rows(source, data_pass=0):
    return [batch["x"].tolist() for batch in source.batches(data_pass)]


STREAMS = {"iterator": lambda: numbers(), "factory": lambda: numbers, "loader": lambda: Loader()}


@pytest.mark.parametrize("kind", STREAMS)
def test_every_stream_keeps_the_protocol_and_gives_every_batch(kind):
    source = as_source(STREAMS[kind]())
    assert isinstance(source, Source) and source.samples is None and source.batch_size is None
    assert rows(source) == [[0, 1, 2], [3, 4, 5], [6]]
    assert source.batch_size == 3


@pytest.mark.parametrize("kind", STREAMS)
def test_peek_loses_no_batch(kind):
    source = as_source(STREAMS[kind]())
    assert source.peek()["x"].tolist() == source.peek()["x"].tolist() == [0, 1, 2]
    assert source.batch_size == 3 and source.position() == Position(0, 0)
    assert rows(source) == [[0, 1, 2], [3, 4, 5], [6]]


def test_peek_opens_no_second_iterator():
    opened = []
    source = as_source(lambda: opened.append(1) or numbers())
    source.peek()
    rows(source)
    assert len(opened) == 1
    rows(source, 1)
    source.peek()
    assert len(opened) == 2


def test_loaders_and_factories_repeat_and_iterators_do_not():
    assert [as_source(make()).repeatable for make in STREAMS.values()] == [False, True, True]
    source = as_source(Loader())
    assert rows(source, 0) == rows(source, 1) and source.steps == 3


def test_a_loader_that_refuses_to_tell_its_length_has_none():
    class Endless(Loader):
        def __len__(self):
            raise TypeError

    assert as_source(Endless()).steps is None


def test_an_iterator_goes_on_where_it_is():
    source = as_source(numbers())
    next(source.batches(0))
    assert rows(source, 1) == [[3, 4, 5], [6]] and rows(source, 2) == []


def test_endless_rolls_over_the_passes_and_tells_the_position_after_each_batch():
    batches = endless(as_source(Loader()), 5)
    positions = [next(batches)[0] for _ in range(4)]
    assert positions == [Position(5, 3), Position(5, 6), Position(5, 7), Position(6, 3)]


def test_endless_ends_with_an_iterator():
    assert len(list(endless(as_source(numbers()), 0))) == 3


def test_the_position_after_a_pass_is_the_next_pass():
    source = as_source(numbers)
    rows(source, 2)
    assert source.position() == Position(3, 0)


@pytest.mark.parametrize("offset", range(8))
def test_a_factory_is_replayed_to_any_offset_with_a_warning(offset):
    source = as_source(numbers)
    if offset:
        with pytest.warns(UserWarning, match=f"{offset} samples are loaded again and skipped"):
            source.restore(Position(1, offset))
    else:
        source.restore(Position(1, 0))
    rest = [row for batch in rows(source, 1) for row in batch]
    assert rest == list(range(offset, 7)) and source.position() == Position(2, 0)


def test_a_restored_position_at_the_end_leads_endless_to_the_next_pass():
    source = as_source(numbers)
    with pytest.warns(UserWarning):
        source.restore(Position(1, 7))
    assert next(endless(source, 1))[0] == Position(2, 3)


def test_a_position_beyond_the_stream_is_an_error():
    source = as_source(numbers)
    with pytest.warns(UserWarning):
        source.restore(Position(0, 8))
    with pytest.raises(ValueError, match=r"go on after 8 samples of a pass. The pass has only 7"):
        rows(source)


def test_a_new_iterator_skips_forward_with_a_warning():
    source = as_source(numbers())
    source.peek()
    with pytest.warns(UserWarning, match="4 samples"):
        source.restore(Position(2, 4))
    assert rows(source, 2) == [[4, 5], [6]]


def test_an_iterator_cannot_go_back():
    source = as_source(numbers())
    batches = source.batches(0)
    next(batches), next(batches)
    with pytest.raises(ValueError, match=r"cannot go back. Give a function that returns a new iterator"):
        source.restore(Position(0, 3))


def test_an_iterator_restored_to_where_it_is_warns_of_nothing():
    source = as_source(numbers())
    next(source.batches(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source.restore(source.position())
    assert rows(source) == [[3, 4, 5], [6]]


@pytest.mark.parametrize("empty", [lambda: iter([]), lambda: lambda: iter([]), lambda: set()])
def test_an_empty_stream_is_an_error_and_no_stop_iteration(empty):
    with pytest.raises(ValueError, match="It is empty"):
        as_source(empty()).peek()
    with pytest.raises(ValueError, match="It is empty"):
        rows(as_source(empty()))


def test_a_factory_that_returns_the_same_iterator_again_is_an_error():
    iterator = numbers()
    source = as_source(lambda: iterator)
    rows(source, 0)
    with pytest.raises(ValueError, match="must return a new iterator at each call"):
        rows(source, 1)


def test_a_factory_that_needs_arguments_is_an_error():
    with pytest.raises(ValueError, match=r"It needs some: missing a required argument: 'path'. Wrap it"):
        as_source(lambda path: numbers())


def test_a_factory_that_returns_arrays_is_an_error():
    with pytest.raises(ValueError, match=r"It returned tuple. Return an iterator"):
        as_source(lambda: (np.ones(2), np.ones(2))).peek()


def test_weights_that_are_not_finite_name_their_batch():
    ones = np.ones(2)
    source = as_source(iter([(ones, ones, ones), (ones, ones, [1, np.nan])]))
    with pytest.raises(ValueError, match=r"in batch 1 \(counted from 0\). 1 of its values are NaN.*row 1"):
        rows(source)


def test_check_sees_every_batch_just_before_it_is_handed_out():
    seen = []
    source = as_source(numbers)
    source.check(lambda batch: seen.append(batch["x"].tolist()))
    source.peek()
    assert seen == []
    batches = source.batches(0)
    next(batches)
    assert seen == [[0, 1, 2]]
    list(batches)
    assert len(seen) == 3


def test_an_error_of_a_check_is_told_its_batch():
    def refuse_six(batch):
        if 6 in batch["x"]:
            raise ValueError("six")

    source = as_source(numbers)
    source.check(refuse_six)
    with pytest.raises(ValueError, match="six") as caught:
        rows(source)
    assert "batch 2" in caught.value.__notes__[0]


def test_a_restored_position_is_told_before_the_first_batch_is_taken():
    source = as_source(numbers)
    with pytest.warns(UserWarning):
        source.restore(Position(1, 3))
    source.batches(1)
    assert source.position() == Position(1, 3)


def test_a_loader_may_fill_the_same_buffer_again():
    def reuse(buffer):
        for value in range(3):
            buffer[:] = value
            yield buffer, (buffer,)

    batches = list(as_source(reuse(np.zeros(2, np.float32))).batches(0))
    assert [batch["x"].tolist() for batch in batches] == [[0, 0], [1, 1], [2, 2]]
    assert batches[0]["y_true"][0].tolist() == [0, 0]
