"""The CTC loss: lengths, padding, what it refuses, what it checks on the host."""

import jax
import numpy as np
import pytest

import elegy
from elegy.losses import CTC, ctc

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(2, 6, 4)).astype("float32")
LABELS = np.array([[1, 2, 2], [3, 1, 0]])


def test_frames_behind_a_length_do_not_count():
    other = LOGITS.copy()
    other[1, 4:] = 9.0
    lengths = np.array([6, 4])
    values = ctc(LABELS, LOGITS, output_length=lengths)
    np.testing.assert_array_equal(ctc(LABELS, other, output_length=lengths), values)
    assert values[0] == ctc(LABELS, LOGITS)[0] and values[1] != ctc(LABELS, LOGITS)[1]


def test_labels_behind_a_length_do_not_count_whatever_they_are():
    padded = np.array([[1, 2, 2], [3, 1, -1]])
    np.testing.assert_allclose(ctc(padded, LOGITS, target_length=np.array([3, 2])), ctc(LABELS, LOGITS), rtol=1e-6)
    CTC().check(padded, LOGITS, np.array([3, 2]))


def test_another_class_may_say_nothing():
    rolled = np.roll(LOGITS, -1, axis=-1)
    values = ctc(np.where(LABELS == 0, 3, LABELS - 1), rolled, mask_index=3)
    np.testing.assert_allclose(values, ctc(LABELS, LOGITS), rtol=1e-5)


def test_more_labels_than_frames_are_unlikely_but_finite():
    given = {"y_true": LABELS, "output_length": np.array([2, 2])}
    value, slope = jax.value_and_grad(lambda logits: CTC()(y_pred=logits, **given))(LOGITS)
    assert 1e4 < value < 1e6 and np.all(np.isfinite(slope))


def test_a_model_finds_the_lengths_among_the_columns_of_the_batch():
    lengths = np.array([6, 4])
    data = elegy.Batch(x=LOGITS, y_true=LABELS, output_length=lengths)
    logs = elegy.Model(lambda x: x, loss=CTC()).evaluate(data, verbose=0)
    assert logs["ctc_loss"] == pytest.approx(float(ctc(LABELS, LOGITS, output_length=lengths).mean()), rel=1e-5)


@pytest.mark.parametrize("label", [-1, 4])
def test_a_label_out_of_range_is_refused_on_the_host_and_nan_in_a_step(label):
    wrong = np.array([[1, label, 2], [3, 1, 0]])
    with pytest.raises(ValueError, match=rf"loss `ctc` was given the label {label}\. There are 4 classes"):
        CTC().check(wrong, LOGITS)
    np.testing.assert_array_equal(np.isnan(ctc(wrong, LOGITS)), [True, False])


def test_a_label_behind_padding_is_named_with_its_row():
    with pytest.raises(ValueError, match=r"was given the labels \[1, 0, 2\], in row 1\. The label 0 says nothing"):
        CTC().check(np.array([[1, 2, 0], [1, 0, 2]]), LOGITS)


@pytest.mark.parametrize(("labels", "logits"), [(LABELS[0], LOGITS), (LABELS, LOGITS[0]), (LABELS[:1], LOGITS)])
def test_other_shapes_than_sequences_are_refused(labels, logits):
    with pytest.raises(ValueError, match=r"are not those of `\(batch, labels\)` and `\(batch, frames, classes\)`"):
        ctc(labels, logits)


def test_labels_are_integers():
    with pytest.raises(ValueError, match=r"loss `ctc` was given `y_true` f32\[2,3\]\. Class labels are whole numbers"):
        ctc(LABELS.astype("float32"), LOGITS)


def test_there_is_one_length_for_each_row():
    with pytest.raises(ValueError, match=r"was given lengths .*\[3\] for .*each of the 2 rows"):
        ctc(LABELS, LOGITS, output_length=np.array([6, 4, 2]))


@pytest.mark.parametrize("index", [-1, 4])
def test_what_says_nothing_is_a_class(index):
    with pytest.raises(ValueError, match=rf"`mask_index={index}`\. There are 4 classes"):
        ctc(LABELS, LOGITS, mask_index=index)
