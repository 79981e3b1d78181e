"""Losses along axes of their own, and labels that are signs: which axes, which options, and the values at the ends."""

import numpy as np
import pytest

from elegy.losses import CosineSimilarity, Dice, Hinge, KLDivergence, SquaredHinge, Tversky, cosine_similarity, dice

ALONG_AXES = [CosineSimilarity, Dice, Tversky]
IMAGES = np.random.default_rng(0).random((2, 3, 4, 5)).astype("float32")


@pytest.mark.parametrize("kind", ALONG_AXES)
def test_an_axis_leaves_one_value_for_each_place_along_the_others(kind):
    assert kind(axis=-1).call(IMAGES, IMAGES).shape == kind(axis=3).call(IMAGES, IMAGES).shape == (2, 3, 4)
    assert kind(axis=1).call(IMAGES, IMAGES).shape == (2, 4, 5)


@pytest.mark.parametrize("kind", [Dice, Tversky])
def test_regions_have_one_value_a_sample_or_one_a_class(kind):
    assert kind().call(IMAGES, IMAGES).shape == (2,) and kind(axis=[1, 2]).call(IMAGES, IMAGES).shape == (2, 5)


@pytest.mark.parametrize("axis", [0, -4, 4, -5])
@pytest.mark.parametrize("kind", ALONG_AXES)
def test_an_axis_that_is_the_batch_or_does_not_exist_is_refused(kind, axis):
    with pytest.raises(ValueError, match=rf"along `axis={axis}`, and was given `y_pred` f32\[2,3,4,5\]"):
        kind(axis=axis).call(IMAGES, IMAGES)


@pytest.mark.parametrize("kind", [*ALONG_AXES, KLDivergence])
def test_vectors_have_no_axis_but_the_batch(kind):
    with pytest.raises(ValueError, match=r"along .*, and was given `y_pred` f32\[3\]\. The first axis is the batch"):
        kind().call(np.ones(3, "float32"), np.ones(3, "float32"))


@pytest.mark.parametrize("kind", ALONG_AXES)
@pytest.mark.parametrize("axis", [1.0, "1", True, (1, None)])
def test_an_axis_is_a_whole_number(kind, axis):
    with pytest.raises(ValueError, match=r"`axis=.*It is a whole number"):
        kind(axis=axis)


@pytest.mark.parametrize("option", ["alpha", "beta"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), "1", True])
def test_what_mistakes_count_is_at_least_zero(option, value):
    with pytest.raises(ValueError, match=rf"loss `mine` was given `{option}=.*at least 0"):
        Tversky(**{option: value}, name="mine")


def test_tversky_weighs_what_was_missed_by_alpha_and_what_was_mistaken_by_beta():
    true, predicted = np.array([[1, 1, 1, 0]]), np.array([[1, 0, 0, 1]])
    assert float(Tversky(alpha=1.0, beta=0.0)(y_true=true, y_pred=predicted)) == pytest.approx(1 - 1 / 3)
    assert float(Tversky(alpha=0.0, beta=1.0)(y_true=true, y_pred=predicted)) == pytest.approx(1 - 1 / 2)


def test_regions_that_are_equal_are_at_zero_and_two_empty_ones_at_one():
    np.testing.assert_allclose(dice(np.array([[1, 0], [0, 0]]), np.array([[1, 0], [0, 0]])), [0, 1], atol=1e-6)


def test_a_zero_vector_is_at_a_right_angle():
    np.testing.assert_array_equal(cosine_similarity(np.ones((1, 3)), np.zeros((1, 3))), [0])


@pytest.mark.parametrize("kind", [Hinge, SquaredHinge])
def test_a_label_that_is_no_sign_is_named_with_its_row(kind):
    kind().check(np.array([[0], [1], [-1]]))
    with pytest.raises(ValueError, match=r"loss `mine` was given the label 2, in row 1\. It takes yes as 1"):
        kind(name="mine").check(np.array([[0], [2]]))
