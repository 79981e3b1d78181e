"""Batches keep their columns, their order and their shape under JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy.data import Batch


def test_a_batch_is_an_ordered_mapping_of_its_columns():
    batch = Batch(y_true=1, x=2, mask=3)
    assert list(batch) == ["y_true", "x", "mask"]
    assert batch["x"] == 2 and len(batch) == 3 and batch.get("other") is None


def test_a_batch_cannot_be_changed():
    batch = Batch(x=1)
    with pytest.raises(TypeError):
        batch["x"] = 2  # ty: ignore
    with pytest.raises(AttributeError):
        batch.x = 2  # ty: ignore


def test_a_batch_goes_through_jit_and_keeps_the_order_of_its_columns():
    batch = Batch(y_true=jnp.ones(2), x={"b": jnp.ones(2), "a": jnp.zeros(2)})
    doubled = jax.jit(lambda b: jax.tree.map(lambda leaf: 2 * leaf, b))(batch)
    assert isinstance(doubled, Batch) and list(doubled) == ["y_true", "x"]
    np.testing.assert_array_equal(doubled["x"]["b"], [2, 2])


def test_paths_into_a_batch_show_the_names_of_its_columns():
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(Batch(x=(1, 2), mask=3))]
    assert paths == ["['x'][0]", "['x'][1]", "['mask']"]


def test_repr_shows_short_types():
    assert repr(Batch(x=np.zeros((2, 3), np.float32), y=(np.zeros(2, bool),))) == "Batch(x=f32[2,3], y=(bool[2],))"


def test_a_column_may_be_called_self():
    assert Batch(**{"self": 1})["self"] == 1
