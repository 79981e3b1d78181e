"""Every loss, as function and as class, has the values and gradients of Keras: weights, masks, reductions, options."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import losses
from elegy.losses import Loss

from ..contracts.table import log_name
from .table import Row, contract, missing, ordinary

keras = pytest.importorskip("keras")

RANDOM = np.random.default_rng(0)
TARGETS, OUTPUTS = RANDOM.normal(scale=2, size=(2, 6, 5, 3)).astype("float32")
YES_NO = RANDOM.integers(0, 2, (6, 5, 3))
CLASSES = RANDOM.integers(0, 3, (6, 5))
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
SCORES = RANDOM.uniform(0.01, 0.99, (6, 5, 3)).astype("float32")  # do not sum to 1
SOFT = RANDOM.dirichlet([1, 1, 1], (6, 5)).astype("float32")
LOGITS = RANDOM.normal(scale=5, size=(6, 5, 3)).astype("float32")
CORNERS = np.where(RANDOM.random((6, 5, 3)) < 0.5, 0, 1).astype("float32")
CORNERS[..., 0] = 1 - CORNERS[..., 1]  # no row is all zero
LOUD = np.where(CORNERS > 0, 1e4, -1e4).astype("float32")
WEIGHTS = RANDOM.random(6).astype("float32")
OF_POSITIONS = np.linspace(0, 2, 30, dtype="float32").reshape(6, 5)
MASK = RANDOM.random((6, 5)) < 0.6
TEXTS = np.array([[1, 2], [1, 1], [2, 0], [2, 1], [1, 0], [0, 0]])
SMOOTHED, OF_LOGITS = {"label_smoothing": 0.2}, {"from_logits": True}


def row(kind, function, y_true, y_pred, options=None, **further):
    """A loss that has the names and arguments of Keras; `ours` and `theirs` make the class, or the function."""

    def make(library, is_class=True, **common):
        if is_class:
            return getattr(library, kind)(**options or {}, **common)
        return functools.partial(getattr(library, function), **options or {})

    return Row(functools.partial(make, losses), functools.partial(make, keras.losses), y_true, y_pred, **further)


CTC_OF_KERAS = jax.jit(keras.losses.ctc)  # called eagerly, its loop would be compiled anew each time


def ctc_of_keras(is_class=True, **common):
    if not is_class:
        return CTC_OF_KERAS
    loss = keras.losses.CTC(**common)
    loss.fn = CTC_OF_KERAS
    return loss


BINARY = ("BinaryCrossentropy", "binary_crossentropy")
CATEGORICAL = ("CategoricalCrossentropy", "categorical_crossentropy")
SPARSE = ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy")
FOCAL = ("BinaryFocalCrossentropy", "binary_focal_crossentropy")
FOCALS = ("CategoricalFocalCrossentropy", "categorical_focal_crossentropy")
AT_CORNERS = {"exempt": {"the_gradient_is_equal": "where probabilities are cut off the slope is 0 or 1e7"}}
BY_SAMPLE = "it has one value a sample, and no position has its own"
A_SAMPLE = {"what_is_masked_does_not_count": BY_SAMPLE, "weights_of_positions_are_equal": BY_SAMPLE}
MASKED_ITSELF = {"what_is_masked_does_not_count": "only the class of it knows its own mask, and has no second one"}

ROWS = {
    "elegy.losses.MeanSquaredError": row("MeanSquaredError", "mean_squared_error", TARGETS, OUTPUTS),
    "elegy.losses.MeanSquaredError integers": row("MeanSquaredError", "mean_squared_error", YES_NO, OUTPUTS),
    "elegy.losses.MeanAbsoluteError": row("MeanAbsoluteError", "mean_absolute_error", TARGETS, OUTPUTS),
    "elegy.losses.MeanAbsolutePercentageError": row(
        "MeanAbsolutePercentageError", "mean_absolute_percentage_error", TARGETS, OUTPUTS
    ),
    "elegy.losses.MeanSquaredLogarithmicError": row(
        "MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", TARGETS, OUTPUTS
    ),
    "elegy.losses.Huber": row("Huber", "huber", TARGETS, OUTPUTS),
    "elegy.losses.Huber delta": row("Huber", "huber", TARGETS, OUTPUTS, {"delta": 0.3}),
    "elegy.losses.LogCosh": row("LogCosh", "log_cosh", TARGETS, OUTPUTS),
    "elegy.losses.Poisson": row("Poisson", "poisson", YES_NO, SCORES),
    "elegy.losses.CosineSimilarity": row("CosineSimilarity", "cosine_similarity", TARGETS, OUTPUTS),
    "elegy.losses.Hinge": row("Hinge", "hinge", YES_NO, OUTPUTS),
    "elegy.losses.Hinge signs": row("Hinge", "hinge", 2 * YES_NO - 1, OUTPUTS),
    "elegy.losses.SquaredHinge": row("SquaredHinge", "squared_hinge", YES_NO, OUTPUTS),
    "elegy.losses.CategoricalHinge": row("CategoricalHinge", "categorical_hinge", ONE_HOT, OUTPUTS),
    "elegy.losses.KLDivergence": row("KLDivergence", "kl_divergence", SOFT, SCORES),
    "elegy.losses.KLDivergence corners": row("KLDivergence", "kl_divergence", ONE_HOT, CORNERS, **AT_CORNERS),
    "elegy.losses.BinaryCrossentropy": row(*BINARY, YES_NO, SCORES),
    "elegy.losses.BinaryCrossentropy corners": row(*BINARY, YES_NO, CORNERS, **AT_CORNERS),
    "elegy.losses.BinaryCrossentropy smoothed": row(*BINARY, YES_NO, SCORES, SMOOTHED),
    "elegy.losses.BinaryCrossentropy logits": row(*BINARY, YES_NO, LOGITS, OF_LOGITS),
    "elegy.losses.BinaryCrossentropy loud": row(*BINARY, YES_NO, LOUD, OF_LOGITS | SMOOTHED),
    "elegy.losses.BinaryFocalCrossentropy": row(*FOCAL, YES_NO, SCORES),
    "elegy.losses.BinaryFocalCrossentropy corners": row(*FOCAL, YES_NO, CORNERS, **AT_CORNERS),
    "elegy.losses.BinaryFocalCrossentropy balanced": row(
        *FOCAL, YES_NO, SCORES, SMOOTHED | {"apply_class_balancing": True, "alpha": 0.7, "gamma": 0.5}
    ),
    "elegy.losses.BinaryFocalCrossentropy logits": row(
        *FOCAL, YES_NO, LOGITS / 5, OF_LOGITS | SMOOTHED | {"apply_class_balancing": True}
    ),
    "elegy.losses.CategoricalCrossentropy": row(*CATEGORICAL, ONE_HOT, SCORES),
    "elegy.losses.CategoricalCrossentropy corners": row(*CATEGORICAL, ONE_HOT, CORNERS, **AT_CORNERS),
    "elegy.losses.CategoricalCrossentropy smoothed": row(*CATEGORICAL, ONE_HOT.astype(int), SCORES, SMOOTHED),
    "elegy.losses.CategoricalCrossentropy logits": row(*CATEGORICAL, ONE_HOT, LOGITS, OF_LOGITS),
    "elegy.losses.CategoricalCrossentropy loud": row(*CATEGORICAL, SOFT, LOUD, OF_LOGITS),
    "elegy.losses.CategoricalFocalCrossentropy": row(*FOCALS, ONE_HOT, SCORES),
    "elegy.losses.CategoricalFocalCrossentropy corners": row(*FOCALS, ONE_HOT, CORNERS, **AT_CORNERS),
    "elegy.losses.CategoricalFocalCrossentropy smoothed": row(
        *FOCALS, ONE_HOT, SCORES, SMOOTHED | {"alpha": [0.2, 0.7, 1.0], "gamma": 0.5}
    ),
    "elegy.losses.CategoricalFocalCrossentropy logits": row(*FOCALS, ONE_HOT, LOGITS / 5, OF_LOGITS),
    "elegy.losses.SparseCategoricalCrossentropy": row(*SPARSE, CLASSES, SCORES),
    "elegy.losses.SparseCategoricalCrossentropy corners": row(*SPARSE, CLASSES, CORNERS, **AT_CORNERS),
    "elegy.losses.SparseCategoricalCrossentropy logits": row(*SPARSE, CLASSES, LOGITS, OF_LOGITS),
    "elegy.losses.SparseCategoricalCrossentropy loud": row(*SPARSE, CLASSES, LOUD, OF_LOGITS),
    "elegy.losses.SparseCategoricalCrossentropy ignored": row(
        *SPARSE, CLASSES, SCORES, {"ignore_class": 1}, exempt=MASKED_ITSELF
    ),
    "elegy.losses.Dice": row("Dice", "dice", YES_NO, SCORES, {"axis": -1}),
    "elegy.losses.Dice samples": row("Dice", "dice", YES_NO, SCORES, {"axis": (1, 2)}, exempt=A_SAMPLE),
    "elegy.losses.Tversky": row("Tversky", "tversky", YES_NO, SCORES, {"axis": -1, "alpha": 0.7, "beta": 0.3}),
    "elegy.losses.CTC": dataclasses.replace(row("CTC", "ctc", TEXTS, LOGITS, exempt=A_SAMPLE), theirs=ctc_of_keras),
}
WITHOUT = {
    "elegy.losses.Loss": "the base of them all, which computes nothing",
    "elegy.losses.Reduction": "how they are reduced",
}


def given(row):
    return {"y_true": row.y_true, "y_pred": row.y_pred}


def reference(row, y_true, y_pred, sample_weight=None, mask=None, **common):
    """What the class of Keras says, given one weight a value, since it divides by the sum of those it is given."""
    with ordinary():
        if sample_weight is not None:
            values = jax.eval_shape(row.ours(is_class=False), y_true, y_pred)
            aligned = sample_weight.reshape(sample_weight.shape + (1,) * (values.ndim - sample_weight.ndim))
            sample_weight = np.broadcast_to(aligned, values.shape)
        y_pred = jnp.asarray(y_pred)
        if mask is not None:
            keras.src.backend.set_keras_mask(y_pred, jnp.asarray(mask))
        return row.theirs(**common)(y_true, y_pred, sample_weight)


def test_every_loss_has_a_row_or_a_reason():
    functions = {name for name in missing(losses, {}, {}) if name.islower()}
    compared = {row.ours(is_class=False).func.__name__ for row in ROWS.values()}
    assert missing(losses, ROWS, WITHOUT) == functions == compared


@contract(ROWS)
def test_the_function_is_equal(row):
    values = row.ours(is_class=False)(**given(row))
    with ordinary():
        row.close("the_function_is_equal", values, row.theirs(is_class=False)(**given(row)))


def compare(row, column, weights):
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight", "none"):
        value = row.ours(reduction=reduction)(**given(row), sample_weight=weights)
        row.close(column, value, reference(row, **given(row), sample_weight=weights, reduction=reduction))


@contract(ROWS)
def test_the_class_is_equal(row):
    compare(row, "the_class_is_equal", None)


@contract(ROWS)
def test_weights_of_samples_are_equal(row):
    compare(row, "weights_of_samples_are_equal", WEIGHTS)


@contract(ROWS)
def test_weights_of_positions_are_equal(row):
    compare(row, "weights_of_positions_are_equal", OF_POSITIONS)


class Masked(Loss):
    """A loss whose values count where the mask says so."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, y_true, y_pred, mask):
        return self.function(y_true, y_pred), mask


@contract(ROWS)
def test_what_is_masked_does_not_count(row):
    for weights in (None, OF_POSITIONS):
        value = Masked(row.ours(is_class=False))(**given(row), mask=MASK, sample_weight=weights)
        expected = reference(row, **given(row), mask=MASK, sample_weight=weights)
        row.close("what_is_masked_does_not_count", value, expected)


@contract(ROWS)
def test_the_gradient_is_equal(row):
    gradient = jax.grad(lambda y_pred: row.ours()(y_true=row.y_true, y_pred=y_pred, sample_weight=WEIGHTS))(row.y_pred)
    theirs = jax.grad(lambda y_pred: reference(row, row.y_true, y_pred, WEIGHTS))(row.y_pred)
    row.close("the_gradient_is_equal", gradient, theirs)


@contract(ROWS)
def test_bfloat16_is_equal(row):
    y_pred = jnp.asarray(row.y_pred, jnp.bfloat16)
    y_true = jnp.asarray(row.y_true, jnp.bfloat16) if row.y_true.dtype.kind == "f" else row.y_true
    value = row.ours()(y_true=y_true, y_pred=y_pred)
    assert value.dtype == jnp.float32
    row.close("bfloat16_is_equal", value, reference(row, y_true, y_pred), 2e-2)


UNEVEN = {key: row for key, row in ROWS.items() if " " not in key or key.endswith(" ignored")}  # one of each class


@pytest.fixture(scope="module")
def logs():
    """The logs of one model that has every loss, each on its own part of the outputs, over batches of 4 and 2 rows."""
    named = {log_name(key): row for key, row in UNEVEN.items()}
    inputs, y_true = ({name: getattr(row, each) for name, row in named.items()} for each in ("y_pred", "y_true"))
    model = elegy.Model(lambda inputs: inputs, loss=[row.ours(on=name, name=name) for name, row in named.items()])
    data = elegy.Batch(x={"inputs": inputs}, y_true=y_true, sample_weight=WEIGHTS)
    return model.evaluate(data, batch_size=4, verbose=0)


@contract(UNEVEN)
def test_over_uneven_batches_it_is_that_of_all_rows(logs, key, row):
    value = logs[f"{log_name(key)}_loss"]
    expected = reference(row, **given(row), sample_weight=WEIGHTS)
    row.close("over_uneven_batches_it_is_that_of_all_rows", value, expected)
