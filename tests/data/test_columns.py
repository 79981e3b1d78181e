"""Which part of the data has which name: tuples, mappings, named batches, and columns taken out by name."""

from collections import namedtuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy.data import Batch, as_source


def one(element, **options):
    return as_source(iter([element]), **options).peek()


def test_a_tuple_or_list_of_one_to_three_is_x_y_and_weights():
    a, b, c = np.ones((2, 1)), np.zeros(2), np.ones(2)
    assert list(one((a,))) == ["x"]
    assert list(one([a, b])) == ["x", "y_true"]
    assert list(one((a, b, c))) == ["x", "y_true", "sample_weight"]
    assert list(one((a, None, c))) == ["x", "sample_weight"]
    assert isinstance(one(((a, b), c))["x"], tuple)


def test_a_tuple_of_four_is_an_error():
    with pytest.raises(ValueError, match="a tuple of 4 parts; data not understood"):
        one((np.ones(2),) * 4)


def test_a_namedtuple_is_an_error_that_offers_both_meanings():
    pair = namedtuple("Pair", "left right")(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match=r"namedtuple Pair.*`tuple\(batch\)` or `elegy.Batch\(x=batch\)`"):
        one(pair)


def test_a_mapping_is_x_unless_it_has_x_and_y_true():
    ones = np.ones(2)
    assert list(one({"x": ones, "z": ones})) == ["x"]
    assert list(one({"z": ones, "x": ones, "y_true": ones})) == ["z", "x", "y_true"]
    assert list(one(Batch(x=ones, mask=ones))) == ["x", "mask"]


def test_columns_are_taken_out_of_a_mapping_by_name():
    element = {"image": np.ones((2, 3)), "label": np.arange(2), "w": np.ones(2)}
    batch = one(element, y="label", weight_column="w")
    assert list(batch["x"]) == ["image"] and list(batch) == ["x", "y_true", "sample_weight"]


def test_columns_of_a_named_batch_are_renamed():
    assert list(one(Batch(x=np.ones(2), label=np.ones(2)), y_column="label")) == ["x", "y_true"]


def test_a_column_of_a_tuple_is_an_error():
    with pytest.raises(ValueError, match=r'`y="label"`.*`x` gives tuple, which has no names'):
        one((np.ones(2), np.ones(2)), y="label")


def test_a_missing_column_is_an_error():
    with pytest.raises(KeyError, match="It has: image"):
        one({"image": np.ones(2)}, y="label")


def test_lengths_that_differ_name_their_batch():
    with pytest.raises(ValueError, match=r"in batch 0 .*cardinality is ambiguous: x has 3 rows.*y_true has 2 rows"):
        one((np.ones(3), np.ones(2)))


def test_single_samples_instead_of_batches_are_an_error():
    with pytest.raises(ValueError, match=r"`y_true` was asked for as data. It is the single number 1, without rows"):
        one((np.ones(3), 1))


def test_numpy_batches_are_narrowed_and_jax_batches_stay_on_their_device():
    batch = one((np.ones(2), jnp.ones(2)))
    assert batch["x"].dtype == np.float32 and isinstance(batch["y_true"], jax.Array)


def test_x_and_y_true_in_one_mapping_are_a_named_batch():
    batch = as_source({"x": np.ones(2), "y_true": np.zeros(2), "mask": np.ones(2, bool)}).peek()
    assert isinstance(batch, Batch) and list(batch) == ["x", "y_true", "mask"]


def test_a_batch_names_its_columns_always():
    assert list(as_source(Batch(mask=np.ones(2), x=np.ones(2)), [0, 1]).peek()) == ["mask", "x", "y_true"]


def test_a_mapping_without_both_names_is_all_x():
    batch = as_source({"x": np.ones(2), "z": np.ones(2)}, np.ones(2)).peek()
    assert list(batch) == ["x", "y_true"] and list(batch["x"]) == ["x", "z"]


def test_a_column_given_twice_is_an_error():
    with pytest.raises(ValueError, match="The data already names a column `y_true`"):
        as_source({"x": np.ones(2), "y_true": np.ones(2)}, np.ones(2))


def test_y_and_weights_by_name_are_taken_out_of_the_mapping():
    data = {"image": np.ones((3, 2)), "label": np.arange(3), "w": np.ones(3)}
    batch = as_source(data, y="label", sample_weight="w").peek()
    assert list(batch["x"]) == ["image"] and batch["y_true"].tolist() == [0, 1, 2]
    assert batch["sample_weight"].tolist() == [1, 1, 1] and "label" in data


def test_a_named_column_that_is_not_there_is_an_error_with_the_nearest():
    with pytest.raises(KeyError, match=r"column `lable`. It has: image, label.* Did you mean `label`\?"):
        as_source({"image": np.ones(3), "label": np.ones(3)}, y="lable")


def test_a_named_column_of_an_array_is_an_error():
    with pytest.raises(ValueError, match=r'`y="label"` was asked for.*which has no names'):
        as_source(np.ones(3), y="label")
