"""Every layer works called by itself, as two pure functions, under jit and under vmap."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nn

IMAGES = np.random.default_rng(0).normal(size=(3, 4, 4, 2)).astype("float32")
LAYERS = {
    "linear": (nn.Linear(3), IMAGES),
    "conv": (nn.Conv2D(3, 2), IMAGES),
    "batch_normalization": (nn.BatchNormalization(), IMAGES),
    "layer_normalization": (nn.LayerNormalization(), IMAGES),
    "dropout": (nn.Dropout(0.5), IMAGES),
    "embedding": (nn.Embedding(5, 2), np.array([[1, 4]])),
    "one_hot_embedding": (nn.Embedding(5, 2, lookup_style="ONE_HOT"), np.array([[1, 4]])),
    "flatten": (nn.Flatten(), IMAGES),
    "max_pool": (nn.MaxPool(2), IMAGES),
    "list": (nn.Sequential([nn.Conv2D(3, 2), nn.BatchNormalization(), nn.Flatten(), nn.Dropout(0.2)]), IMAGES),
    "thunk": (nn.Sequential(lambda: [nn.Conv2D(3, 2), nn.BatchNormalization(), jax.nn.relu]), IMAGES),
}
EVERY = pytest.mark.parametrize("name", LAYERS)
KEY = jax.random.key(5)


def close(ours, theirs):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), ours, theirs)


@EVERY
def test_init_is_pure_and_the_call_by_itself_keeps_its_arrays(name):
    layer, x = LAYERS[name]
    parameters, states = layer.init(KEY, x)
    again = layer.init(KEY, x)
    close((parameters, states), again)
    layer(x)
    assert jax.tree.map(jnp.shape, (layer.parameters, layer.states)) == jax.tree.map(jnp.shape, again)


@EVERY
@pytest.mark.parametrize("training", [True, False])
def test_jit_equals_eager(name, training):
    layer, x = LAYERS[name]
    parameters, states = layer.init(KEY, x)

    def run(parameters, states, x, key):
        return layer.apply(parameters, states, x, training=training, key=key)

    close(jax.jit(run)(parameters, states, x, KEY), run(parameters, states, x, KEY))


@EVERY
def test_vmap_over_seeds_equals_each_seed(name):
    layer, x = LAYERS[name]
    keys = jax.random.split(KEY, 2)

    def run(key):
        parameters, states = layer.init(key, x)
        return layer.apply(parameters, states, x, training=True, key=key)

    together = jax.vmap(run)(keys)
    for number in range(2):
        close(jax.tree.map(lambda leaf, number=number: leaf[number], together), run(keys[number]))


@EVERY
def test_states_keep_their_structure_and_dtypes(name):
    layer, x = LAYERS[name]
    parameters, states = layer.init(KEY, x)
    _, after = layer.apply(parameters, states, x, training=True, key=KEY)
    assert jax.tree.map(jax.typeof, after) == jax.tree.map(jax.typeof, states)


@EVERY
def test_arrays_are_float32_by_default_or_counters(name):
    layer, x = LAYERS[name]
    assert {leaf.dtype.name for leaf in jax.tree.leaves(layer.init(KEY, x))} <= {"float32", "int32"}


@EVERY
def test_a_model_predicts_what_the_layer_gives(name):
    layer, x = LAYERS[name]
    parameters, states = layer.init(KEY, x)
    layer(x)
    layer.set_parameters({**parameters})
    layer.set_parameters({**states})
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        predicted = elegy.Model(layer).predict(x, verbose=0)
    close(predicted, layer.apply(parameters, states, x)[0])


@EVERY
def test_a_layer_pickles_with_its_arrays(name):
    if name == "thunk":
        pytest.skip("a lambda does not pickle")
    layer, x = LAYERS[name]
    layer(x)
    again = pickle.loads(pickle.dumps(layer))
    close(again(x, training=False), layer(x, training=False))
