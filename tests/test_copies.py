"""Copies and pickles of a Model go on exactly as the original would, and by themselves."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.nn import Dropout, Linear

Lambda = elegy.callbacks.LambdaCallback
COPIES = [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
each_copy = pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle"])


class Made(elegy.Module):
    """Children made by the call, one of them random."""

    def call(self, x):
        return Linear(1)(Dropout(0.5)(Linear(4)(x)))


class Plain:
    def __init__(self):
        self.encoder = Linear(2)

    def call(self, x):
        return Linear(1)(self.encoder(x))


def function(x):
    return Linear(1)(jnp.tanh(Linear(2)(x)))


def first(key, x):
    return {"w": jax.random.normal(key, (x.shape[-1], 1))}, {"calls": jnp.int32(0)}


def then(parameters, x, states):
    return x @ parameters["w"], {"calls": states["calls"] + 1}


class Steady(elegy.Model):
    """A model with something of its own."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.note = "mine"


def model_of(module, metrics=None, optimizer="sgd", **kwargs):
    return elegy.Model(module, loss="mse", metrics=metrics, optimizer=optimizer, **kwargs)


def same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


@each_copy
@pytest.mark.parametrize("make", [Made, Plain, lambda: function, lambda: (first, then)])
def test_a_copy_goes_on_with_equal_bits(rows, copied, make):
    model = model_of(make(), elegy.metrics.MeanAbsoluteError(), "adam", seed=3)
    model.fit(rows, rows[:, :1], epochs=2, batch_size=4, verbose=0)
    other = copied(model)
    same(model.state, other.state)
    logs = [m.fit(rows, rows[:, :1], epochs=2, batch_size=4, verbose=0).history for m in (model, other)]
    assert logs[0] == logs[1]
    same(model.state, other.state)


@each_copy
def test_a_copy_made_before_there_are_arrays_begins_alike(rows, copied):
    model = model_of(Made(), seed=3)
    model.freeze("linear")
    other = copied(model)
    same(model.init(rows, rows[:, :1]), other.init(rows, rows[:, :1]))
    assert other.frozen == ("linear",)


@each_copy
@pytest.mark.parametrize("make", [Made, Plain, lambda: function])
def test_two_copies_are_independent(rows, copied, make):
    model = model_of(make())
    model.fit(rows, rows[:, :1], verbose=0)
    other, before = copied(model), jax.tree.map(np.asarray, model.parameters)
    other.fit(rows, rows[:, :1], verbose=0)
    same(model.parameters, before)
    model.fit(rows, rows[:, :1], verbose=0)
    same(model.parameters, other.parameters)


@each_copy
def test_the_copys_module_holds_its_arrays_and_takes_others(rows, copied):
    model = model_of(Made())
    model.fit(rows, rows[:, :1], verbose=0)
    other = copied(model)
    assert other.module is not model.module
    other.module.linear.w = jnp.zeros((4, 1))
    assert not np.any(other.init(rows, rows[:, :1]).parameters["linear"]["w"])
    assert np.any(model.init(rows, rows[:, :1]).parameters["linear"]["w"])


@each_copy
def test_an_array_set_just_before_the_copy_wins_in_it(rows, copied):
    model = model_of(Made())
    model.fit(rows, rows[:, :1], verbose=0)
    model.module.linear.w = jnp.zeros((4, 1))
    assert not np.any(copied(model).init(rows, rows[:, :1]).parameters["linear"]["w"])


@each_copy
def test_frozen_parts_stay_frozen(rows, copied):
    model = model_of(Made())
    model.freeze("linear_1")
    model.fit(rows, rows[:, :1], verbose=0)
    model.module.linear.trainable = False
    other = copied(model)
    assert other.frozen == ("linear_1", "linear")
    before = other.parameters
    other.fit(rows, rows[:, :1], verbose=0)
    same(before, other.parameters)


@each_copy
def test_metrics_of_single_batches_go_on_in_the_copy(rows, copied):
    model = model_of(Linear(1), elegy.metrics.MeanAbsoluteError())
    first = dict(model.test_on_batch(rows, rows[:, :1]))
    other = copied(model)
    logs = [dict(m.test_on_batch(0 * rows, rows[:, :1])) for m in (model, other)]
    name = "mean_absolute_error"
    assert logs[0] == logs[1]
    assert logs[0][name] == pytest.approx((first[name] + rows[:, 0].mean()) / 2)


@each_copy
def test_a_copy_from_inside_a_fit_holds_the_state_of_that_moment(rows, copied):
    model, kept = model_of(Linear(1)), []
    model.fit(
        rows,
        rows[:, :1],
        epochs=3,
        verbose=0,
        callbacks=[Lambda(on_epoch_end=lambda epoch: kept.append(copied(model)))],
    )
    assert [int(other.state.step) for other in kept] == [1, 2, 3]
    kept[0].fit(rows, rows[:, :1], initial_epoch=1, epochs=3, verbose=0)
    same(kept[0].parameters, model.parameters)


@each_copy
def test_a_subclass_is_copied_with_what_it_has_of_its_own(rows, copied):
    model = Steady(Linear(1), loss="mse", optimizer="sgd")
    history = model.fit(rows, rows[:, :1], verbose=0)
    other = copied(model)
    assert (type(other), other.note, other.history.history) == (Steady, "mine", history.history)


def test_what_pickle_cannot_carry_is_an_error_of_pickle(rows):
    model = model_of(lambda x: x)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(model)
    assert copy.deepcopy(model).predict(rows, verbose=0).shape == (8, 3)
