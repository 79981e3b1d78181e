"""The focal crossentropies: what they have in common with those without focus, class weights, options."""

import jax
import numpy as np
import pytest

from elegy import losses
from elegy.losses import BinaryFocalCrossentropy, CategoricalFocalCrossentropy

ONE_HOT = np.eye(3, dtype="float32")[[0, 2, 1]]
LOGITS = np.array([[2.0, 3.0, -5.0], [0.1, 50.0, 1e4], [3.0, -1e4, 0.4]], "float32")
SCORES = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]], "float32")
KINDS = [BinaryFocalCrossentropy, CategoricalFocalCrossentropy]


@pytest.mark.parametrize(("from_logits", "y_pred"), [(True, LOGITS), (False, SCORES)])
def test_without_focus_they_are_crossentropies_also_with_class_weights(from_logits, y_pred):
    given = {"y_true": ONE_HOT, "y_pred": y_pred, "class_weight": {1: 5.0}}
    binary = BinaryFocalCrossentropy(gamma=0.0, from_logits=from_logits)(**given)
    np.testing.assert_allclose(binary, losses.BinaryCrossentropy(from_logits=from_logits)(**given), rtol=1e-5)
    categorical = CategoricalFocalCrossentropy(alpha=1.0, gamma=0.0, from_logits=from_logits)(**given)
    np.testing.assert_allclose(categorical, losses.CategoricalCrossentropy(from_logits=from_logits)(**given), rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_slopes_are_finite_at_loud_logits_whatever_the_focus(kind, gamma):
    loss = kind(gamma=gamma, from_logits=True)
    assert np.all(np.isfinite(jax.grad(lambda logits: loss(y_true=ONE_HOT, y_pred=logits))(LOGITS)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("option", "value"), [("gamma", -1.0), ("alpha", -0.1), ("alpha", "1"), ("from_logits", 1)])
def test_options_out_of_range_are_refused(kind, option, value):
    with pytest.raises(ValueError, match=rf"loss `mine` was given `{option}="):
        kind(**{option: value}, name="mine")


@pytest.mark.parametrize("option", [{"alpha": 1.5}, {"apply_class_balancing": "yes"}, {"label_smoothing": 1}])
def test_shares_and_switches_of_the_binary_form_are_such(option):
    with pytest.raises(ValueError, match=rf"loss `binary_focal_crossentropy` was given `{next(iter(option))}="):
        losses.binary_focal_crossentropy(ONE_HOT, SCORES, **option)


def test_alpha_has_one_number_for_each_class():
    with pytest.raises(ValueError, match=r"was given `alpha` for 2 classes\. `y_pred` has 3\."):
        losses.categorical_focal_crossentropy(ONE_HOT, SCORES, alpha=[0.5, 1.0])


def test_a_label_that_is_not_finite_is_named_with_its_row():
    with pytest.raises(ValueError, match=r"loss `binary_focal_crossentropy` was given the label nan, in row 1\."):
        BinaryFocalCrossentropy().check(np.array([[0.0], [np.nan]]))
