"""What broke in Elegy 0.3.0, and must not break again: one sentence each (specification 2.4 and 0.3)."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.nn import BatchNormalization, Dropout, Embedding, LayerNormalization, Linear


class Private(elegy.Module):
    def __init__(self):
        self._linear = Linear(1)

    def call(self, x):
        return self._linear(x)


class Shared(elegy.Module):
    def __init__(self):
        self.encoder = self.again = Linear(1)

    def call(self, x):
        return self.encoder(x) + self.again(x)


def model_of(module, optimizer="sgd"):
    return elegy.Model(module, loss="mse", optimizer=optimizer)


def test_an_exception_inside_a_compiled_fit_poisons_nothing(rows):
    def fails(y_pred):
        raise RuntimeError("inside the step")

    def dropout(x):
        return Linear(1)(Dropout(0.5)(x))

    with pytest.raises(RuntimeError, match="inside the step"):
        elegy.Model(dropout, loss=fails, optimizer="sgd").fit(rows, verbose=0)
    assert model_of(dropout).fit(rows, rows[:, :1], verbose=0).epoch == [0]
    assert np.isfinite(Dropout(0.5)(rows)).all()


def test_reset_twice_and_a_call_after_it_work(rows):
    module = Private()
    first = module(rows)
    module.reset()
    module.reset()
    assert not module.initialized
    np.testing.assert_array_equal(module(rows), first)


def test_a_submodule_under_two_attributes_is_counted_and_updated_once():
    x = np.ones((2, 30), "float32")
    model = elegy.Model(Shared(), loss=lambda y_pred: y_pred.mean(-1), optimizer=optax.sgd(0.5))
    model.fit(x, verbose=0)
    assert model.module.parameters_size() == 31
    assert jax.tree.map(jnp.shape, model.parameters) == {"encoder": {"b": (1,), "w": (30, 1)}}
    np.testing.assert_array_equal(model.module.encoder.b, [-1.0])  # one step of 0.5 along the gradient 2


def test_modules_under_private_names_are_trained_and_saved(rows, tmp_path):
    model, other = model_of(Private()), model_of(Private())
    before = model.init(rows, rows[:, :1]).parameters["_linear"]["w"]
    model.fit(rows, rows[:, :1], verbose=0)
    assert (model.parameters["_linear"]["w"] != before).any()
    other.init(rows, rows[:, :1])
    other.load_weights(model.save_weights(tmp_path / "weights.safetensors"))
    np.testing.assert_array_equal(other.module._linear.w, model.module._linear.w)


def test_freezing_a_submodule_after_the_optimizer_state_exists_works_with_adam(rows):
    model = model_of(elegy.nn.Sequential([Linear(2), Linear(1)]), "adam")
    model.fit(rows, rows[:, :1], verbose=0)
    model.module.layers[0].trainable = False
    before = model.parameters["layers"]
    model.fit(rows, rows[:, :1], verbose=0)
    np.testing.assert_array_equal(model.parameters["layers"]["0"]["w"], before["0"]["w"])
    assert (model.parameters["layers"]["1"]["w"] != before["1"]["w"]).any()


@pytest.mark.parametrize("is_called", [True, False])
def test_a_module_can_be_pickled_before_and_after_its_first_call(rows, is_called):
    module = Private()
    if is_called:
        module(rows)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(module))(rows), module(rows))


def test_batch_normalization_may_be_called_first_without_training(rows):
    np.testing.assert_allclose(BatchNormalization()(rows, training=False), rows, rtol=1e-4)


def test_an_embedding_is_constructed_anywhere():
    assert Embedding(5, 3)(np.array([0, 4])).shape == (2, 3)


def test_layer_normalization_over_another_axis_has_parameters_of_that_axis(rows):
    module = LayerNormalization(axis=0)
    module(rows)
    assert {leaf.shape for leaf in jax.tree.leaves(module.parameters)} == {(8,)}


def test_a_step_does_not_walk_the_modules():
    class Watched:
        reads = 0

        def __init__(self):
            self.linear = Linear(1)

        def __getattribute__(self, name):
            Watched.reads += 1
            return super().__getattribute__(name)

        def call(self, x):
            return self.linear(x)

    x, counts = np.ones((20, 3), "float32"), []
    model = model_of(Watched())
    model.fit(x, x[:, :1], batch_size=1, steps_per_epoch=1, verbose=0)
    for steps in (1, 20):
        before = Watched.reads
        model.fit(x, x[:, :1], batch_size=1, steps_per_epoch=steps, verbose=0)
        counts.append(Watched.reads - before)
    assert counts[0] == counts[1]


def test_construction_builds_outside_a_call_and_finds_inside_one(rows):
    class Makes(elegy.Module):
        def call(self, x):
            self.seen = Linear(2)
            return self.seen(x)

    module = Makes()
    module(rows)
    first = module.seen
    module(rows)
    assert module.seen is first and Linear(2) is not Linear(2)


def test_nothing_random_is_shared_by_two_models(rows):
    def trained(others):
        model = elegy.Model(lambda x: Linear(1)(Dropout(0.5)(x)), loss="mse", optimizer="sgd", seed=1)
        for _ in range(others):
            Dropout(0.5)(rows)
        model.fit(rows, rows[:, :1], verbose=0)
        return model.parameters["linear"]["w"]

    np.testing.assert_array_equal(trained(0), trained(2))
