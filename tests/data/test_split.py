"""The last rows are kept for validation, before anything is shuffled."""

import numpy as np
import pytest

from elegy.data import Batch, as_source, validation_split


@pytest.mark.parametrize(("count", "fraction"), [(10, 0.2), (11, 0.3), (5, 0.5), (3, 0.1)])
def test_the_last_rows_are_kept_for_validation(count, fraction):
    x = np.arange(count)
    (train, _, _), (kept, _, _) = validation_split(x, fraction=fraction)
    cut = int(np.floor(count * (1 - fraction)))
    np.testing.assert_array_equal(train, x[:cut])
    np.testing.assert_array_equal(kept, x[cut:])


def test_nested_x_labels_and_weights_are_cut_alike():
    x = {"a": np.arange(4), "b": (np.arange(4), [[1], [2], [3], [4]])}
    train, kept = validation_split(x, [0, 1, 2, 3], {"out": np.ones(4)}, fraction=0.5)
    assert kept[0]["b"][1].tolist() == [[3], [4]] and kept[1].tolist() == [2, 3] and kept[2]["out"].shape == (2,)
    assert train[0]["b"][0].tolist() == [0, 1]


def test_a_named_batch_is_cut_in_all_its_columns():
    (train, _, _), (kept, y, _) = validation_split(Batch(x=np.arange(4), mask=np.ones(4, bool)), fraction=0.25)
    assert isinstance(kept, Batch) and kept["mask"].shape == (1,) and train["x"].tolist() == [0, 1, 2] and y is None


def test_a_label_by_name_stays_one():
    data = {"image": np.arange(4), "label": np.arange(4)}
    _, kept = validation_split(data, "label", fraction=0.5)
    assert as_source(*kept).peek()["y_true"].tolist() == [2, 3]


def test_none_stays_none():
    assert validation_split(np.arange(4), fraction=0.5)[0][1:] == (None, None)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan"), True, "0.2", None])
def test_a_fraction_out_of_its_range_is_an_error(fraction):
    with pytest.raises(ValueError, match=r"`validation_split=.*Give a number between 0 and 1"):
        validation_split(np.arange(4), fraction=fraction)


@pytest.mark.parametrize("stream", [iter([1]), lambda: iter([1])])
def test_a_stream_cannot_be_split(stream):
    with pytest.raises(ValueError, match=r"`validation_split=0.2` .*a stream whose rows cannot be split"):
        validation_split(stream, fraction=0.2)


def test_a_part_without_rows_is_an_error():
    with pytest.raises(ValueError, match="`x` has 1 rows, of which 0 would train"):
        validation_split(np.arange(1), fraction=0.5)


def test_lengths_that_differ_are_an_error_before_the_cut():
    with pytest.raises(ValueError, match="cardinality"):
        validation_split(np.ones(4), np.ones(5), fraction=0.5)
