"""Strings become losses; two of them by the shapes of labels and outputs."""

import jax
import numpy as np
import pytest

from elegy import losses
from elegy.losses._strings import BY_NAME, resolve_loss


@pytest.mark.parametrize("name", [*BY_NAME, "MSE", "MeanSquaredError", "BinaryCrossentropy"])
def test_a_string_is_a_loss_of_that_name_whatever_the_shapes(name):
    loss = resolve_loss(name, None, None)
    assert isinstance(loss, losses.Loss) and loss.name == name


KERAS = {"kldivergence": "KLDivergence"}  # what is typed, where it is no lower case
OURS = {"cce", "ctc"}  # `keras.losses.get` does not know the one; the other takes sequences


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - OURS))
def test_keras_means_the_same_by_the_string(name):
    y_true = np.array([0, 1]) if name.startswith("sparse") else np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    y_pred = np.array([[0.7, 0.3], [0.2, 0.8]], "float32")
    keras = pytest.importorskip("keras")
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        expected = np.mean(keras.losses.get(KERAS.get(name, name))(y_true, y_pred))
    np.testing.assert_allclose(resolve_loss(name, y_true, y_pred)(y_true=y_true, y_pred=y_pred), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        ((4,), (4,), "BinaryCrossentropy"),
        ((4, 1), (4, 1), "BinaryCrossentropy"),
        ((4,), (4, 1), "BinaryCrossentropy"),
        ((4, 3), (4, 3), "CategoricalCrossentropy"),
        ((4, 7, 3), (4, 7, 3), "CategoricalCrossentropy"),
        ((4,), (4, 3), "SparseCategoricalCrossentropy"),
        ((4, 1), (4, 3), "SparseCategoricalCrossentropy"),
        ((4, 7), (4, 7, 3), "SparseCategoricalCrossentropy"),
    ],
)
@pytest.mark.parametrize("name", ["crossentropy", "ce"])
def test_shapes_choose_the_crossentropy(name, y_true, y_pred, kind):
    loss = resolve_loss(name, jax.ShapeDtypeStruct(y_true, np.int32), jax.ShapeDtypeStruct(y_pred, np.float32))
    assert type(loss).__name__ == kind and loss.name == name


def test_before_shapes_are_known_only_the_name_is_checked():
    assert resolve_loss("crossentropy", None, None) is None


def test_an_unknown_string_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r'The loss "huberr" was asked for\. .*mse, .*Did you mean `huber`\?'):
        resolve_loss("huberr", None, None)


def test_a_structure_of_outputs_cannot_choose():
    with pytest.raises(ValueError, match=r"`y_pred` is dict, not arrays\. Use a loss with `on=`"):
        resolve_loss("crossentropy", np.zeros(3, int), {"a": np.zeros((3, 2))})
