"""What every loss and regularizer keeps: finite, float32, one value a sample, exact, pure."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import losses, regularizers
from elegy.losses import Loss

from .table import Counted, Row, close, contract, log_name

CORNERS = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], "float32")
ONE_HOT = np.array([[1, 0], [1, 0], [0, 1]])
CLASSES = ONE_HOT[:, 1]
CONTINUOUS = {"y_true": ONE_HOT, "y_pred": CORNERS}
SPARSE = {"y_true": CLASSES, "y_pred": CORNERS}
SEQUENCES = {"y_true": np.array([[1, 0], [1, 1], [0, 0]]), "y_pred": np.stack([CORNERS, -CORNERS], axis=1)}
LOUD = 1e4 * CORNERS
WEIGHTS = np.array([1.0, 2.0, 0.5], "float32")
PARAMETERS = {"parameters": {"linear": {"w": np.array([[1.0, -2.0]], "float32"), "b": np.array([0.5], "float32")}}}


class Own(Loss):
    def call(self, y_true, y_pred):
        y_true, y_pred = (jnp.asarray(values, jnp.float32) for values in (y_true, y_pred))
        return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


# `make(**options)` makes the loss, with the options that all losses have; `given` is what it is called with. A key with
# a class and a function stands for both.
PER_SAMPLE = {
    "elegy.losses.Loss": Row(Own, CONTINUOUS),
    "elegy.losses.MeanSquaredError, elegy.losses.mean_squared_error": Row(losses.MeanSquaredError, CONTINUOUS),
    "elegy.losses.MeanAbsoluteError, elegy.losses.mean_absolute_error": Row(losses.MeanAbsoluteError, CONTINUOUS),
    "elegy.losses.MeanAbsolutePercentageError, elegy.losses.mean_absolute_percentage_error": Row(
        losses.MeanAbsolutePercentageError, CONTINUOUS
    ),
    "elegy.losses.MeanSquaredLogarithmicError, elegy.losses.mean_squared_logarithmic_error": Row(
        losses.MeanSquaredLogarithmicError, CONTINUOUS
    ),
    "elegy.losses.Huber, elegy.losses.huber": Row(losses.Huber, CONTINUOUS),
    "elegy.losses.LogCosh, elegy.losses.log_cosh": Row(losses.LogCosh, CONTINUOUS),
    "elegy.losses.Poisson, elegy.losses.poisson": Row(losses.Poisson, CONTINUOUS),
    "elegy.losses.CosineSimilarity, elegy.losses.cosine_similarity": Row(losses.CosineSimilarity, CONTINUOUS),
    "elegy.losses.Hinge, elegy.losses.hinge": Row(losses.Hinge, CONTINUOUS),
    "elegy.losses.SquaredHinge, elegy.losses.squared_hinge": Row(losses.SquaredHinge, CONTINUOUS),
    "elegy.losses.CategoricalHinge, elegy.losses.categorical_hinge": Row(losses.CategoricalHinge, CONTINUOUS),
    "elegy.losses.KLDivergence, elegy.losses.kl_divergence": Row(losses.KLDivergence, CONTINUOUS),
    "elegy.losses.Dice, elegy.losses.dice": Row(losses.Dice, CONTINUOUS),
    "elegy.losses.Tversky, elegy.losses.tversky": Row(losses.Tversky, CONTINUOUS),
    "elegy.losses.BinaryCrossentropy, elegy.losses.binary_crossentropy": Row(losses.BinaryCrossentropy, CONTINUOUS),
    "elegy.losses.BinaryFocalCrossentropy, elegy.losses.binary_focal_crossentropy": Row(
        losses.BinaryFocalCrossentropy, CONTINUOUS
    ),
    "elegy.losses.CategoricalCrossentropy, elegy.losses.categorical_crossentropy": Row(
        losses.CategoricalCrossentropy, CONTINUOUS
    ),
    "elegy.losses.CategoricalFocalCrossentropy, elegy.losses.categorical_focal_crossentropy": Row(
        losses.CategoricalFocalCrossentropy, CONTINUOUS
    ),
    "elegy.losses.SparseCategoricalCrossentropy, elegy.losses.sparse_categorical_crossentropy": Row(
        losses.SparseCategoricalCrossentropy, SPARSE
    ),
    "elegy.losses.CTC, elegy.losses.ctc": Row(losses.CTC, SEQUENCES),
    "elegy.losses.CategoricalCrossentropy zeros": Row(
        losses.CategoricalCrossentropy, {**CONTINUOUS, "y_pred": 0 * CORNERS}
    ),
    "elegy.losses.SparseCategoricalCrossentropy zeros": Row(
        losses.SparseCategoricalCrossentropy, {**SPARSE, "y_pred": 0 * CORNERS}
    ),
    "elegy.losses.CosineSimilarity zeros": Row(losses.CosineSimilarity, {**CONTINUOUS, "y_pred": 0 * CORNERS}),
    "elegy.losses.Dice zeros": Row(losses.Dice, {**CONTINUOUS, "y_pred": 0 * CORNERS}),
    "elegy.losses.BinaryCrossentropy logits": Row(
        lambda **o: losses.BinaryCrossentropy(from_logits=True, **o), {**CONTINUOUS, "y_pred": LOUD}
    ),
    "elegy.losses.BinaryFocalCrossentropy logits": Row(
        lambda **o: losses.BinaryFocalCrossentropy(from_logits=True, **o), {**CONTINUOUS, "y_pred": LOUD}
    ),
    "elegy.losses.CategoricalCrossentropy logits": Row(
        lambda **o: losses.CategoricalCrossentropy(from_logits=True, **o), {**CONTINUOUS, "y_pred": LOUD}
    ),
    "elegy.losses.CategoricalFocalCrossentropy logits": Row(
        lambda **o: losses.CategoricalFocalCrossentropy(gamma=0.5, from_logits=True, **o),
        {**CONTINUOUS, "y_pred": LOUD},
    ),
    "elegy.losses.SparseCategoricalCrossentropy logits": Row(
        lambda **o: losses.SparseCategoricalCrossentropy(from_logits=True, **o), {**SPARSE, "y_pred": LOUD}
    ),
}
OVER_PARAMETERS = {
    "elegy.regularizers.GlobalL1": Row(lambda **o: regularizers.GlobalL1(0.1, **o), PARAMETERS),
    "elegy.regularizers.GlobalL2": Row(lambda **o: regularizers.GlobalL2(0.1, **o), PARAMETERS),
    "elegy.regularizers.GlobalL1L2": Row(lambda **o: regularizers.GlobalL1L2(0.1, 0.2, **o), PARAMETERS),
}
ROWS = {**PER_SAMPLE, **OVER_PARAMETERS}

strict = pytest.mark.usefixtures("strict_kernels")


def rows_of(row, rows):
    """What the loss is given, cut to some rows of the batch; parameters have none."""
    return {name: value if name == "parameters" else value[rows] for name, value in row.given.items()}


@strict
@contract({key: row for key, row in PER_SAMPLE.items() if "," in key})
def test_the_function_has_the_values_of_the_class_before_reduction(key, row):
    function = getattr(losses, key.rpartition(".")[2])
    np.testing.assert_array_equal(function(**row.given), row.make().call(**row.given))


@strict
@contract(ROWS)
def test_jit_equals_eager(row):
    loss = row.make()
    close(jax.jit(lambda given: loss(**given))(row.given), loss(**row.given), rtol=1e-6)


@strict
@contract(ROWS)
def test_structure_and_dtype_are_the_same_for_each_batch(row):
    values = [row.make().call(**rows_of(row, slice(None, size))) for size in (1, 2, 3)]
    assert {value.dtype.name for value in values} == {"float32"}
    assert [value.shape for value in values] == ([()] * 3 if "parameters" in row.given else [(1,), (2,), (3,)])


@strict
@contract(ROWS)
def test_rows_of_weight_zero_count_for_nothing(row):
    loss = row.make(reduction="sum")
    weighted = loss(**row.given, sample_weight=np.array([1.0, 1.0, 0.0], "float32"))
    close(weighted, loss(**rows_of(row, slice(None, 2))), rtol=1e-6)


@strict
@contract(ROWS)
def test_the_sums_of_two_batches_are_that_of_both(row):
    loss, whole = row.make(reduction="sum"), row.make(reduction="sum")(**row.given, sample_weight=WEIGHTS)
    parts = [loss(**rows_of(row, rows), sample_weight=WEIGHTS[rows]) for rows in (slice(None, 2), slice(2, None))]
    close(parts[0] if "parameters" in row.given else sum(parts), whole, rtol=1e-6)


@strict
@contract(ROWS)
def test_it_is_compiled_once(row):
    loss = row.make()
    counted = Counted(lambda given, weight: loss(**given, sample_weight=weight))
    program = jax.jit(counted)
    for number in range(3):
        program(row.given, number * WEIGHTS)
    assert counted.traces == 1


@strict
@contract(ROWS)
def test_it_pickles(row):
    loss = row.make()
    assert float(pickle.loads(pickle.dumps(loss))(**row.given)) == float(loss(**row.given))


@strict
@contract(ROWS)
def test_it_runs_under_vmap(row):
    loss, name = row.make(), next(name for name in row.given if name != "y_true")
    several = jax.tree.map(lambda leaf: jnp.stack([leaf, 0.5 * leaf]), row.given[name])
    together = jax.vmap(lambda one: loss(**{**row.given, name: one}))(several)
    apart = [loss(**{**row.given, name: jax.tree.map(lambda leaf, n=n: leaf[n], several)}) for n in range(2)]
    close(together, jnp.stack(apart), rtol=1e-6)


class Scaled(elegy.Module):
    """Its parameter is what regularizers look at."""

    def call(self, inputs):
        scale = elegy.add_parameter("scale", (), initializer=jnp.ones)
        return scale * inputs


# What has a reference is compared with it over uneven batches, in tests/references.
WITHOUT_REFERENCE = {"elegy.losses.Loss": PER_SAMPLE["elegy.losses.Loss"], **OVER_PARAMETERS}


@pytest.fixture(scope="module")
def logs():
    """By batch size the logs of one model that has these losses."""
    every = [row.make(name=log_name(key) + "_loss") for key, row in WITHOUT_REFERENCE.items()]
    model = elegy.Model(Scaled(), loss=every)
    data = elegy.Batch(x=CORNERS, y_true=ONE_HOT, sample_weight=WEIGHTS)
    return {size: model.evaluate(data, batch_size=size, verbose=0) for size in (2, 3)}


@contract(WITHOUT_REFERENCE)
def test_batches_of_uneven_sizes_are_exact(logs, key, row):
    del row
    name = log_name(key) + "_loss"
    assert logs[2][name] == pytest.approx(logs[3][name], rel=1e-5)


@strict
@contract(PER_SAMPLE)
def test_value_and_gradient_are_finite_at_the_corners(row):
    loss, y_true = row.make(), row.given["y_true"]
    value, gradient = jax.value_and_grad(lambda p: loss(y_true=y_true, y_pred=p))(jnp.asarray(row.given["y_pred"]))
    assert np.isfinite(value) and np.all(np.isfinite(gradient))


@strict
@contract(PER_SAMPLE)
def test_weights_that_are_all_zero_give_zero_and_move_nothing(row):
    loss, nothing = row.make(reduction="mean_with_sample_weight"), np.zeros(3, "float32")
    value, gradient = jax.value_and_grad(lambda p: loss(y_true=row.given["y_true"], y_pred=p, sample_weight=nothing))(
        jnp.asarray(row.given["y_pred"])
    )
    assert float(value) == 0.0 and not np.any(gradient)


@strict
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.int32])
@contract(PER_SAMPLE)
def test_lower_precisions_are_computed_in_float32(row, dtype):
    loss, y_true, y_pred = row.make(), row.given["y_true"], jnp.asarray(row.given["y_pred"]).astype(dtype)
    values = loss.call(y_true, y_pred)
    assert values.dtype == jnp.float32
    np.testing.assert_allclose(values, loss.call(y_true, y_pred.astype(jnp.float32)), rtol=1e-6)


@strict
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "bool"])
@contract(PER_SAMPLE)
def test_the_integer_type_of_labels_does_not_matter(row, dtype):
    loss, y_true, y_pred = row.make(), row.given["y_true"], row.given["y_pred"]
    np.testing.assert_array_equal(loss.call(y_true.astype(dtype), y_pred), loss.call(y_true.astype("int32"), y_pred))


@contract({key: row for key, row in ROWS.items() if isinstance(row.make, type) and row.make.__module__ != __name__})
def test_the_batch_axis_is_declared_beside_the_call(row):
    assert vars(row.make)["batch_axis"] == 0 and "call" in vars(row.make)


BUILT_IN = {key: row for key, row in PER_SAMPLE.items() if key != "elegy.losses.Loss"}


@strict
@contract(BUILT_IN)
def test_arguments_of_another_number_of_axes_are_refused(row):
    y_true, y_pred = row.given["y_true"], row.given["y_pred"]
    y_true = y_true[..., None, None] if y_true.ndim == 1 else y_true[..., None]
    with pytest.raises(ValueError, match=rf"loss `.*\({y_true.shape[0]}, .*\(3, 2"):
        row.make()(y_true=y_true, y_pred=y_pred)


@strict
@contract(BUILT_IN)
def test_a_structure_of_outputs_is_refused_with_the_way_to_choose(row):
    loss, y_true, y_pred = row.make(), row.given["y_true"], row.given["y_pred"]
    with pytest.raises(ValueError, match=r"`y_pred` is a dict of a, b\. Choose a part with `on=`"):
        loss(y_true=y_true, y_pred={"a": y_pred, "b": y_pred})
    with pytest.raises(ValueError, match=r"`y_pred` is a tuple of 2 values"):
        loss(y_true=y_true, y_pred=(y_pred, y_pred))
    with pytest.raises(ValueError, match="`y_true` is None"):
        loss(y_true=None, y_pred=y_pred)


@strict
@contract(PER_SAMPLE)
def test_on_picks_one_output_and_weight_multiplies(row):
    y_true, y_pred = row.given["y_true"], row.given["y_pred"]
    heavy = row.make(weight=3.0, on="a")
    expected = 3.0 * row.make()(y_true=y_true, y_pred=y_pred)
    np.testing.assert_allclose(heavy(y_true={"a": y_true}, y_pred={"a": y_pred}), expected, rtol=1e-6)
