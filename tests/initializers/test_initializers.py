"""Initializers equal those of JAX with the same numbers."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import initializers

KEY = jax.random.key(7)
JAX = jax.nn.initializers

TABLE = [
    (initializers.Zeros(), JAX.zeros),
    (initializers.Ones(), JAX.ones),
    (initializers.Constant(0.3), JAX.constant(0.3)),
    (initializers.RandomNormal(0.2), JAX.normal(0.2)),
    (initializers.TruncatedNormal(0.2), JAX.truncated_normal(0.2)),
    (initializers.RandomUniform(0.0, 3.0), JAX.uniform(3.0)),
    (initializers.VarianceScaling(), JAX.lecun_normal()),
    (initializers.VarianceScaling(2.0), JAX.he_normal()),
    (initializers.VarianceScaling(1.0, "fan_avg", "uniform"), JAX.glorot_uniform()),
    (initializers.VarianceScaling(0.5, "fan_out", "normal"), JAX.variance_scaling(0.5, "fan_out", "normal")),
    (initializers.UniformScaling(1.5), JAX.variance_scaling(2.25, "fan_in", "uniform")),
    (initializers.Orthogonal(2.0), JAX.orthogonal(2.0)),
    (initializers.Orthogonal(axis=0), JAX.orthogonal(column_axis=0)),
]
NAMED = [
    (getattr(initializers, f"{family}{kind}")(), getattr(JAX, f"{family}_{kind}".lower())())
    for family in ("Glorot", "He", "Lecun")
    for kind in ("Uniform", "Normal")
]
ids = [repr(ours) for ours, _ in TABLE]


@pytest.mark.parametrize(("ours", "theirs"), TABLE + NAMED, ids=[repr(ours) for ours, _ in TABLE + NAMED])
def test_an_initializer_equals_that_of_jax(ours, theirs):
    for shape in ((4, 6), (3, 3, 2, 5)):
        np.testing.assert_array_equal(ours(KEY, shape, jnp.float32), theirs(KEY, shape, jnp.float32))


@pytest.mark.parametrize(("ours", "theirs"), TABLE, ids=ids)
def test_an_initializer_has_the_dtype_that_is_asked_for(ours, theirs):
    dtype = jnp.float32 if isinstance(ours, initializers.Orthogonal) else jnp.bfloat16
    assert ours(KEY, (4, 6), dtype).dtype == dtype


@pytest.mark.parametrize(("ours", "theirs"), TABLE, ids=ids)
def test_an_initializer_pickles_and_runs_under_jit(ours, theirs):
    again = pickle.loads(pickle.dumps(ours))
    jitted = jax.jit(lambda key: again(key, (4, 6), jnp.float32))(KEY)
    np.testing.assert_allclose(jitted, ours(KEY, (4, 6), jnp.float32), rtol=1e-5, atol=1e-5)


def test_a_mean_moves_the_values():
    np.testing.assert_allclose(
        initializers.RandomNormal(0.1, 3.0)(KEY, (5,)), initializers.RandomNormal(0.1)(KEY, (5,)) + 3, rtol=1e-6
    )
    np.testing.assert_allclose(
        initializers.TruncatedNormal(0.1, 3.0)(KEY, (5,)), initializers.TruncatedNormal(0.1)(KEY, (5,)) + 3, rtol=1e-6
    )


def test_the_uniform_values_lie_between_the_ends():
    draw = np.asarray(initializers.RandomUniform(-2, -1)(KEY, (1000,)))
    assert -2 <= draw.min() < -1.9
    assert -1.1 < draw.max() < -1


def test_a_constant_may_be_an_array_that_broadcasts():
    assert initializers.Constant(np.array([1, 2]))(KEY, (2, 2)).tolist() == [[1, 2], [1, 2]]


def test_a_constant_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match=r"asked for the shape \(3,\)\. Its constant has the shape \(2,\)\. Give"):
        initializers.Constant(np.array([1, 2]))(KEY, (3,))


def test_equal_numbers_make_equal_initializers():
    assert initializers.RandomNormal(0.1) == initializers.RandomNormal(0.1)
    assert initializers.RandomNormal(0.1) != initializers.RandomNormal(0.2)


def test_a_layer_takes_any_of_them():
    linear = elegy.nn.Linear(3, w_init=initializers.Orthogonal(), b_init=initializers.Constant(0.5))
    linear(jnp.ones((1, 3)))
    np.testing.assert_allclose(linear.w @ linear.w.T, np.eye(3), atol=1e-5)
    assert linear.b.tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: initializers.RandomNormal(-1),
            r"`RandomNormal` was given stddev=-1\. .* Give a number of at least 0\.",
        ),
        (lambda: initializers.TruncatedNormal(-1), r"`TruncatedNormal` was given stddev=-1\."),
        (
            lambda: initializers.RandomUniform(1, 0),
            r"maxval=0\. Its minval is 1, which is larger\. Give `minval` first",
        ),
        (lambda: initializers.VarianceScaling(0), r"`VarianceScaling` was given scale=0\."),
        (lambda: initializers.UniformScaling(-1), r"`UniformScaling` was given scale=-1\."),
        (
            lambda: initializers.VarianceScaling(mode="fanin"),
            r"mode='fanin'\. It knows: .*\. Did|Did you mean `fan_in`\?",
        ),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), r"It knows: truncated_normal, normal, uniform\."),
        (lambda: initializers.VarianceScaling()(KEY, (3,)), r"`VarianceScaling` was asked for the shape \(3,\)\."),
        (lambda: initializers.UniformScaling()(KEY, ()), r"`UniformScaling` was asked for the shape \(\)\."),
        (lambda: initializers.Orthogonal()(KEY, (3,)), r"`Orthogonal` was asked for the shape \(3,\)\."),
        (
            lambda: initializers.Orthogonal(axis=2)(KEY, (3, 3)),
            r"axis=2, which that shape does not have\. Give an axis",
        ),
    ],
)
def test_what_has_no_meaning_is_an_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_identity_passes_inputs_on():
    np.testing.assert_array_equal(initializers.Identity(3.0)(KEY, (2, 4), jnp.float32), 3 * np.eye(2, 4))


@pytest.mark.parametrize(
    ("ours", "shape", "message"),
    [
        (
            initializers.Identity(),
            (3, 3, 2),
            r"`Identity` was asked for the shape \(3, 3, 2\)\. It makes matrices.*\. Use",
        ),
        (initializers.HeNormal(), (3,), r"`HeNormal` was asked for the shape \(3,\)\. It counts inputs and outputs"),
    ],
)
def test_a_shape_without_meaning_is_an_error_that_names_the_initializer(ours, shape, message):
    with pytest.raises(ValueError, match=message):
        ours(KEY, shape, jnp.float32)
