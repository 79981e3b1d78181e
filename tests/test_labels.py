"""The shared checks of labels and shapes."""

import jax
import numpy as np
import pytest

from elegy._labels import check_binary_labels, check_labels, class_labels, require_same_shape, squeeze_labels


def test_equal_shapes_pass_and_others_are_named():
    require_same_shape("loss `f`", np.zeros((2, 3)), jax.ShapeDtypeStruct((2, 3), "float32"))
    with pytest.raises(ValueError, match=r"^loss `f` was given .*\(2,\) and \(2, 1\) differ"):
        require_same_shape("loss `f`", np.zeros(2), np.zeros((2, 1)))


@pytest.mark.parametrize(
    ("labels", "scores", "squeezed"),
    [((5,), (5, 3), (5,)), ((5, 1), (5, 3), (5,)), ((5, 4, 1), (5, 4, 3), (5, 4)), ((1,), (1,), (1,))],
)
def test_only_a_last_axis_of_one_beside_scores_is_squeezed(labels, scores, squeezed):
    assert squeeze_labels(np.zeros(labels), np.zeros(scores)).shape == squeezed


def test_class_labels_must_have_one_axis_less_than_scores():
    with pytest.raises(ValueError, match=r"\(5, 2\) and \(5, 3\) do not fit"):
        class_labels("loss `f`", np.zeros((5, 2), int), np.zeros((5, 3)))


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_out_of_range_is_named(label):
    with pytest.raises(ValueError, match=f"label {label}. There are 3 classes, numbered 0 to 2"):
        check_labels("loss `f`", np.array([0, label, 2]), 3)


def test_labels_that_are_no_integers_are_refused():
    with pytest.raises(ValueError, match="Class labels are whole numbers"):
        check_labels("loss `f`", np.array([0.0, 1.0]), 3)


def test_empty_labels_pass():
    check_labels("loss `f`", np.zeros(0, int), 3)
    check_binary_labels("loss `f`", np.zeros(0))


def test_yes_no_labels_may_be_smoothed_but_not_signed():
    check_binary_labels("loss `f`", np.array([0.05, 0.95]))
    with pytest.raises(ValueError, match="label -1"):
        check_binary_labels("loss `f`", np.array([-1, 1]))
