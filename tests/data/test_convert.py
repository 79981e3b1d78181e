"""What users hold becomes arrays of at most 32 bits, or an error that says what to write."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from elegy.data import as_source


def column(x):
    return as_source(x).peek()["x"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("float64", "float32"), ("int64", "int32"), ("uint64", "uint32"), ("complex128", "complex64")]
    + [(name, name) for name in ("uint8", "int8", "int16", "bool", "float16", "float32", "int32")],
)
def test_64_bits_are_narrowed_and_everything_else_stays(given, kept):
    assert column(np.ones(3, given)).dtype == kept


def test_bfloat16_stays():
    assert column(jnp.ones(3, jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1])
def test_an_integer_that_does_not_fit_is_an_error(value):
    with pytest.raises(ValueError, match=r"`x` was asked for as int32.*does not fit"):
        as_source(np.array([0, value]))


def test_a_float_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match=r"float32.*does not fit"):
        as_source(np.array([1e300]))


def test_the_largest_and_smallest_integers_that_fit_are_kept():
    np.testing.assert_array_equal(column(np.array([2**31 - 1, -(2**31)])), [2**31 - 1, -(2**31)])


def test_a_nested_list_of_numbers_is_one_array():
    np.testing.assert_array_equal(column([[1, 2], [3, 4], [5, 6]]), [[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(column([(1, 2), (3, 4)]), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(column([np.float32(1), jnp.array(2.0)]), [1, 2])


def test_a_list_of_arrays_stays_a_list_of_columns():
    x = column([np.ones((3, 2)), [1, 2, 3]])
    assert isinstance(x, list) and [leaf.shape for leaf in x] == [(3, 2), (3,)]


def test_a_nested_structure_is_kept():
    x = column({"a": (np.ones(3), [np.zeros((3, 1))]), "b": None})
    assert x["b"] is None
    assert jax.tree.map(lambda leaf: leaf.shape, x) == {"a": ((3,), [(3, 1)]), "b": None}


class Pair(NamedTuple):
    """Two inputs."""

    left: object
    right: object


def test_a_namedtuple_stays_one():
    assert column(Pair(np.ones(3), [1, 2, 3])).right.tolist() == [1, 2, 3]


@jax.tree_util.register_dataclass
@dataclass
class Image:
    """An input with two fields."""

    pixels: object
    mask: object


def test_a_registered_dataclass_stays_one():
    x = column(Image(pixels=np.ones((3, 2)), mask=np.ones(3)))
    assert isinstance(x, Image) and x.pixels.dtype == np.float32


def test_an_unregistered_dataclass_is_an_error():
    @dataclass
    class Loose:
        pixels: object

    with pytest.raises(ValueError, match=r"`x` was asked for as data. Its type Loose is neither"):
        as_source(Loose(np.ones(3)))


def test_jax_arrays_become_numpy_once():
    source = as_source(jnp.arange(4.0), batch_size=2)
    assert all(type(batch["x"]) is np.ndarray for batch in source.batches(0))


def test_numeric_pandas_objects_are_converted():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": [True, False]})
    np.testing.assert_array_equal(column(frame), np.array([[1, 0.5, 1], [2, 1.5, 0]], np.float32))
    np.testing.assert_array_equal(column(pd.Series([1, 2])), [1, 2])
    assert column(pd.Series([1, 2], dtype="Int64")).dtype == np.int32


def test_pandas_columns_that_are_not_numbers_are_named():
    with pytest.raises(ValueError, match=r"columns name hold .*Encode or drop"):
        as_source(pd.DataFrame({"age": [1], "name": ["a"]}))


def test_missing_values_in_pandas_are_an_error():
    with pytest.raises(ValueError, match="missing values"):
        as_source(pd.Series([1, None], dtype="Int64"))


class Table:
    """A foreign table."""

    def __len__(self):
        """The rows."""
        return 2

    def __getitem__(self, index):
        """A row."""
        return index

    def to_numpy(self):
        """The array."""
        return np.zeros(2)


class Tensor:
    """A foreign array, such as another framework's."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.shape, self.dtype = self.values.shape, self.values.dtype

    def __array__(self, dtype=None, copy=None):
        """The array."""
        return self.values


def test_a_foreign_table_is_told_to_use_to_numpy():
    with pytest.raises(ValueError, match=r"Its type Table is neither.*Write `\.to_numpy\(\)`"):
        as_source(Table())


def test_a_foreign_array_is_read():
    np.testing.assert_array_equal(column((Tensor([1.0, 2.0]),))[0], [1, 2])


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (np.array(["a", "b"]), r"It holds str\[2\], not numbers. Encode"),
        (np.array([object(), 1]), r"It holds object\[2\], not numbers"),
        (np.array(["2020-01-01"], "datetime64[D]"), "not numbers"),
        (["a", "b"], r"`x\[0\]` was asked for as data. It is a string"),
        ({"image": ["a"]}, r"`x/image\[0\]` was asked for as data. It is a string"),
        ("data.csv", "It is a string"),
        (None, "It is None. Give arrays"),
        (3.0, "neither|single number"),
        ((1.0, 2.0), r"`x\[0\]` .*single number 1.0"),
        (np.float32(3), "without a first axis"),
        ([[1, 2], [3]], "different lengths. Pad"),
        ([2**70], "does not fit"),
        ([], "It is empty"),
        (np.zeros((0, 3)), r"It is empty: Batch\(x=f32\[0,3\]\). Give at least one row"),
        ({}, "It is empty"),
        (list, "It is the class list where an instance belongs"),
        (object(), "neither an array nor a stream"),
        (np.ma.masked_array([1, 2], [True, False]), r"masked array.*\.filled\(0\)"),
        (jax.random.split(jax.random.key(0)), "random keys and not numbers"),
    ],
)
def test_what_is_not_numbers_is_an_error_that_says_what_to_write(x, match):
    with pytest.raises(ValueError, match=match):
        as_source(x)


def test_lengths_that_differ_are_an_error_naming_both():
    with pytest.raises(ValueError, match=r"cardinality is ambiguous: x has 3 rows \(f32\[3,2\]\); y has 4 rows"):
        as_source(np.ones((3, 2)), np.ones(4))


def test_lengths_that_differ_inside_a_dict_are_an_error():
    with pytest.raises(ValueError, match="cardinality"):
        as_source({"a": np.ones(3), "b": np.ones(4)})


def test_errors_name_the_role_of_the_data():
    with pytest.raises(ValueError, match="`validation_data: x` was asked for as data"):
        as_source(np.array(["a"]), role="validation_data")
