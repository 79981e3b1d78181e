"""Embeddings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn

MATRIX = np.arange(12, dtype="float32").reshape(4, 3)
IDS = np.array([[0, 3], [1, 1]])
STYLES = pytest.mark.parametrize("style", ["ARRAY_INDEX", "ONE_HOT"])


@STYLES
def test_each_id_gives_its_row(style):
    layer = nn.Embedding(embedding_matrix=MATRIX, lookup_style=style)
    np.testing.assert_array_equal(layer(IDS), MATRIX[IDS])
    assert layer.embeddings.shape == (4, 3)


@STYLES
def test_gradients_add_up_over_equal_ids(style):
    layer = nn.Embedding(4, 3, lookup_style=style)
    parameters, _ = layer.init(jax.random.key(0), IDS)
    gradient = jax.grad(lambda p: layer.apply(p, {}, IDS)[0].sum())(parameters)["embeddings"]
    np.testing.assert_array_equal(gradient, np.array([1, 2, 0, 1])[:, None] * np.ones((1, 3)))


@STYLES
def test_an_id_outside_of_the_vocabulary_gives_nan(style):
    outputs = np.asarray(nn.Embedding(4, 3, lookup_style=style)(np.array([-1, 4, 2])))
    assert np.isnan(outputs).all(1).tolist() == [True, True, False]


@STYLES
def test_small_integers_and_a_lower_dtype_work(style):
    layer = nn.Embedding(300, 2, lookup_style=style, dtype=jnp.bfloat16)
    assert layer(np.array([200], "uint8")).dtype == jnp.bfloat16
    assert not jnp.isnan(layer(np.array([200], "uint8"))).any()


def test_first_values_come_from_the_initializer():
    layer = nn.Embedding(4, 3, w_init=jnp.ones)
    assert layer(IDS).tolist() == np.ones((2, 2, 3)).tolist()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Embedding(0, 3), r"`Embedding` was given vocab_size=0\."),
        (lambda: nn.Embedding(3), r"`Embedding` was given embed_dim=None\."),
        (
            lambda: nn.Embedding(5, 3, MATRIX),
            r"of shape \(4, 3\)\. With vocab_size=5 and embed_dim=3 .*\. Leave the two",
        ),
        (lambda: nn.Embedding(embedding_matrix=MATRIX[0]), r"`embedding_matrix` of shape \(3,\)"),
        (
            lambda: nn.Embedding(4, 3, MATRIX, w_init=jnp.ones),
            r"given both `embedding_matrix` and `w_init`\. .*\. Leave",
        ),
        (
            lambda: nn.Embedding(4, 3, lookup_style="one_hot"),
            r"It knows: ARRAY_INDEX, ONE_HOT\..*Did you mean `ONE_HOT`",
        ),
    ],
)
def test_bad_arguments_are_an_error_that_names_the_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_ids_that_are_no_integers_are_an_error():
    with pytest.raises(
        TypeError, match=r"`Embedding` was called with f32\[1\]\. It looks rows up by integers\. Convert"
    ):
        nn.Embedding(4, 3)(jnp.ones(1))
