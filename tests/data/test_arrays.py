"""Arrays: every row once a pass, an order from seed and pass alone, positions that are exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elegy.data import Position, Source, as_source, endless


def rows(source, data_pass=0):
    return [batch["x"].tolist() for batch in source.batches(data_pass)]


def flat(batches):
    return [row for batch in batches for row in batch]


SHUFFLES = st.sampled_from([False, True, "batch"])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), SHUFFLES, st.integers(0, 3))
def test_a_pass_holds_every_row_exactly_once(count, batch_size, shuffle, data_pass):
    source = as_source(np.arange(count), batch_size=batch_size, shuffle=shuffle)
    batches = rows(source, data_pass)
    assert sorted(flat(batches)) == list(range(count))
    assert all(len(batch) == batch_size for batch in batches[:-1]) and len(batches) == source.steps


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), SHUFFLES, st.data())
def test_a_restored_offset_continues_with_the_rows_that_are_left(count, batch_size, shuffle, data):
    offset = data.draw(st.integers(0, count))
    source = as_source(np.arange(count), batch_size=batch_size, shuffle=shuffle, seed=(1, 2))
    whole = flat(rows(source, 3))
    fresh = as_source(np.arange(count), batch_size=batch_size, shuffle=shuffle, seed=(1, 2))
    fresh.restore(Position(3, offset))
    assert flat(rows(fresh, 3)) == whole[offset:]
    assert flat(rows(fresh, 3)) == whole


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(1, 8), st.integers(1, 12))
def test_a_restored_position_repeats_the_very_batches_that_would_have_followed(count, batch_size, taken):
    batches = endless(as_source(np.arange(count), batch_size=batch_size, shuffle=True), 0)
    position = [next(batches) for _ in range(taken)][-1][0]
    following = [next(batches)[1]["x"].tolist() for _ in range(5)]
    fresh = as_source(np.arange(count), batch_size=batch_size, shuffle=True)
    fresh.restore(position)
    again = endless(fresh, position.data_pass)
    assert [next(again)[1]["x"].tolist() for _ in range(5)] == following


def test_array_sources_keep_the_protocol():
    source = as_source(np.arange(5), batch_size=2)
    assert isinstance(source, Source)
    assert (source.samples, source.steps, source.batch_size, source.repeatable) == (5, 3, 2, True)


def test_the_same_seed_gives_the_same_order_and_another_pass_or_seed_another():
    orders = [
        rows(as_source(np.arange(50), shuffle=True, seed=seed), data_pass)
        for seed, data_pass in [((0, 7), 0), ((0, 7), 0), ((0, 7), 1), ((0, 8), 0), ((7, 0), 0)]
    ]
    assert orders[0] == orders[1]
    assert all(orders[0] != order for order in orders[2:])


def test_the_order_neither_reads_nor_moves_the_global_generator():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = rows(as_source(np.arange(20), shuffle=True))
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.random.seed(1)
    assert rows(as_source(np.arange(20), shuffle=True)) == first


def test_shuffling_batches_keeps_neighbours_together_and_the_partial_batch_last():
    batches = rows(as_source(np.arange(23), batch_size=5, shuffle="batch"))
    assert all(np.array_equal(np.diff(batch), np.ones(len(batch) - 1)) for batch in batches)
    assert batches[-1] == [20, 21, 22] and batches != sorted(batches)


def test_all_columns_are_cut_and_shuffled_together():
    x = {"a": np.arange(9), "b": (np.arange(9) * 2, [np.arange(9)[:, None]])}
    for batch in as_source(x, np.arange(9) * 3, np.arange(9) + 1, batch_size=4, shuffle=True).batches(0):
        a = batch["x"]["a"]
        np.testing.assert_array_equal(batch["x"]["b"][0], 2 * a)
        np.testing.assert_array_equal(batch["x"]["b"][1][0][:, 0], a)
        np.testing.assert_array_equal(batch["y_true"], 3 * a)
        np.testing.assert_array_equal(batch["sample_weight"], a + 1)


def test_only_columns_that_were_given_are_there():
    assert list(as_source(np.ones(3)).peek()) == ["x"]
    assert list(as_source(np.ones(3), sample_weight=np.ones(3)).peek()) == ["x", "sample_weight"]


def test_drop_remainder_leaves_out_the_smaller_last_batch():
    source = as_source(np.arange(7), batch_size=3, drop_remainder=True)
    assert rows(source) == [[0, 1, 2], [3, 4, 5]]
    assert (source.samples, source.steps, source.position()) == (6, 2, Position(1, 0))


def test_drop_remainder_that_leaves_nothing_is_an_error():
    with pytest.raises(ValueError, match=r"only 2 rows, so no batch would be left"):
        as_source(np.arange(2), batch_size=3, drop_remainder=True)


def test_a_batch_size_beyond_the_data_is_one_batch():
    assert rows(as_source(np.arange(3), batch_size=10)) == [[0, 1, 2]]


def test_the_batch_size_is_32_or_follows_from_the_steps():
    assert as_source(np.ones(100)).batch_size == 32
    assert as_source(np.ones(100), steps=3).batch_size == 34
    assert as_source(np.ones(100), steps=3, batch_size=5).batch_size == 5


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, 2.0, True, "8"])
def test_a_batch_size_that_counts_nothing_is_an_error(batch_size):
    with pytest.raises(ValueError, match=r"`batch_size=.*Give an integer `>= 1`"):
        as_source(np.ones(3), batch_size=batch_size)


@pytest.mark.parametrize("steps", [0, 1.5])
def test_steps_that_count_nothing_are_an_error(steps):
    with pytest.raises(ValueError, match="`steps="):
        as_source(np.ones(3), steps=steps)


@pytest.mark.parametrize("shuffle", ["rows", 1, None])
def test_an_unknown_shuffle_is_an_error(shuffle):
    with pytest.raises(ValueError, match="The choices are True, False and 'batch'"):
        as_source(np.ones(3), shuffle=shuffle)


@pytest.mark.parametrize("seed", [(0, 2**32), (-1, 0), (1, 2, 3)])
def test_a_seed_that_is_not_two_words_is_an_error(seed):
    with pytest.raises(ValueError, match="A seed is two integers"):
        as_source(np.ones(3), seed=seed)


def test_positions_count_samples_and_move_on_to_the_next_pass():
    source = as_source(np.arange(5), batch_size=2)
    positions = [source.position() for _ in source.batches(4)]
    assert positions == [Position(4, 2), Position(4, 4), Position(5, 0)]


def test_a_position_beyond_the_data_is_an_error():
    with pytest.raises(ValueError, match=r"Position\(data_pass=0, offset=6\) was asked for. `x` has 5 rows"):
        as_source(np.arange(5)).restore(Position(0, 6))


def test_a_restored_offset_belongs_to_its_pass_only():
    source = as_source(np.arange(5), batch_size=2)
    source.restore(Position(1, 2))
    assert rows(source, 0) == [[0, 1], [2, 3], [4]]


def test_peek_shows_the_first_rows_and_takes_nothing():
    source = as_source(np.arange(5), batch_size=2)
    assert source.peek()["x"].tolist() == [0, 1]
    assert source.position() == Position(0, 0) and len(rows(source)) == 3


def test_check_sees_the_whole_columns_once():
    seen = []
    source = as_source(np.arange(5), np.arange(5), batch_size=2)
    source.check(seen.append)
    list(source.batches(0))
    assert len(seen) == 1 and seen[0]["y_true"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_an_error(bad):
    with pytest.raises(ValueError, match=r"`sample_weight`.* 1 of its values are NaN or infinite, the first in row 2"):
        as_source(np.ones(3), np.ones(3), np.array([1, 1, bad]))


def test_weights_may_be_a_dict_and_become_floating():
    weights = as_source(np.ones(2), sample_weight={"a": np.array([1, 2]), "b": [True, False]}).peek()["sample_weight"]
    assert weights["a"].dtype == weights["b"].dtype == np.float32


def test_a_dict_of_weights_is_checked_too():
    with pytest.raises(ValueError, match="NaN or infinite"):
        as_source(np.ones(2), sample_weight={"a": [1.0, np.nan]})
