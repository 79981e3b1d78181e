"""Modules written for one sample, of every kind, are mapped over the batch."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.module import Module, as_functional, update_parameter, with_batches
from elegy.nn import Dropout, Linear

KEY = jax.random.key(0)


class Point(NamedTuple):
    a: object
    b: object


class Running(Module):
    """Keeps what `value` makes of a sample."""

    def __init__(self, value):
        self.value = value

    def call(self, x):
        self.add_parameter("kept", (), initializer=jnp.zeros, trainable=False)
        update_parameter("kept", self.value(x))
        return x


def per_sample(module):
    return with_batches(as_functional(module), batched=False)


def applied(module, x, key=None, training=False):
    functional = per_sample(module)
    made = functional.init(KEY, x)
    return functional.apply(made.parameters, made.states, x, key=key, training=training)


def model_of(module, **options):
    return elegy.Model(module, loss="mse", metrics=["mae"], optimizer=optax.sgd(0.1), **options)


@pytest.mark.parametrize(
    ("function", "pack"),
    [
        (lambda a, b: a.sum() - b.max(), lambda a, b: (a, b)),
        (lambda a, b: a.sum() - b.max(), lambda a, b: {"b": b, "a": a}),
        (lambda point: point.a.sum() - point.b.max(), Point),
    ],
)
def test_every_leaf_of_x_is_mapped(function, pack, rows):
    outputs = applied(function, pack(rows, rows[:, :2])).outputs
    np.testing.assert_allclose(outputs, rows.sum(1) - rows[:, :2].max(1), rtol=1e-6)


def test_a_module_of_one_sample_is_initialized_and_trained_as_one_of_batches(rows):
    models = [model_of(Linear(1), batched=False), model_of(Linear(1))]
    weight = np.arange(8, dtype="float32")
    fits = [m.fit(rows, rows[:, :1], 3, epochs=2, sample_weight=weight, shuffle=False, verbose=0) for m in models]
    assert models[0].parameters["w"].shape == (3, 1)
    np.testing.assert_allclose(fits[0].history["loss"], fits[1].history["loss"], rtol=1e-6)
    np.testing.assert_allclose(fits[0].history["mae"], fits[1].history["mae"], rtol=1e-6)


def test_a_pair_of_functions_is_mapped_too(rows):
    pair = (lambda key, x: {"w": jnp.ones(x.shape)}, lambda parameters, x: parameters["w"] @ x)
    np.testing.assert_allclose(model_of(pair, batched=False).predict(rows, verbose=0), rows.sum(1), rtol=1e-6)


def test_each_sample_has_its_own_key():
    outputs = applied(Dropout(0.5), jnp.ones((2, 64)), key=KEY, training=True).outputs
    assert set(np.unique(outputs)) == {0.0, 2.0}
    assert (outputs[0] != outputs[1]).any()


def test_states_are_the_same_for_all_samples(rows):
    mean = applied(Running(lambda x: jax.lax.pmean(x.mean(), "batch")), rows)
    np.testing.assert_allclose(mean.states["kept"], rows.mean(), rtol=1e-6)
    assert applied(Running(lambda x: 3.0), rows).states["kept"] == 3.0


def test_a_state_that_differs_from_sample_to_sample_is_an_error(rows):
    model = model_of(Running(lambda x: x.sum()), batched=False)
    with pytest.raises(ValueError, match=r"module `running` is written.*`states/kept` would be another.*pmean"):
        model.predict(rows, verbose=0)


def test_initial_values_that_differ_from_sample_to_sample_are_an_error(rows):
    pair = (lambda key, x: {"w": x.mean(), "b": jnp.zeros(())}, lambda parameters, x: x * parameters["w"])
    with pytest.raises(ValueError, match=r"and `parameters/w` would be another"):
        model_of(pair, batched=False).predict(rows, verbose=0)


def test_what_hooks_add_has_the_batch_axis(rows):
    def network(x):
        elegy.add_loss("size", x.sum())
        elegy.add_metric("first", x[0])
        return x

    logs = model_of(network, batched=False).evaluate(rows, rows, verbose=0)
    np.testing.assert_allclose(logs["size_loss"], rows.sum(1).mean(), rtol=1e-6)
    np.testing.assert_allclose(logs["first"], rows[:, 0].mean(), rtol=1e-6)


def test_intermediates_have_the_batch_axis(rows):
    def size(intermediates):
        return intermediates["linear"].sum(-1)

    model = elegy.Model(lambda x: Linear(2)(x), loss=size, batched=False)
    expected = model.predict(rows, verbose=0).sum(-1).mean()
    np.testing.assert_allclose(model.evaluate(rows, verbose=0)["loss"], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("batched", "match"),
    [
        (False, r"names the axis `rows`. It is mapped over the batch along the axis `batch`"),
        (True, r"names the axis `rows`. It takes whole batches.*`Model\(\.\.\., batched=False\)`.*`batch`"),
    ],
)
def test_an_unknown_axis_is_an_error_that_names_ours(batched, match, rows):
    with pytest.raises(ValueError, match=match):
        model_of(lambda x: x - jax.lax.pmean(x, "rows"), batched=batched).predict(rows, verbose=0)


def fail(error):
    raise error


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("error", [ValueError("mine"), NameError("mine")])
def test_errors_of_the_module_itself_pass_through(batched, error, rows):
    with pytest.raises(type(error), match=r"^mine"):
        model_of(lambda x: fail(error), batched=batched).predict(rows, verbose=0)


@pytest.mark.parametrize("x", [None, (np.ones((2, 1)), np.ones((3, 1))), (np.ones(2), 1.0)])
def test_x_without_an_axis_that_all_leaves_share_is_an_error(x):
    with pytest.raises(ValueError, match=r"module `lambda` is mapped over the samples.*without a first axis"):
        per_sample(lambda *x: x).apply({}, {}, x, key=None, training=False)
