"""What every layer and hook keeps: two pure functions, the same when compiled, mapped, pickled, and in batches."""

import functools
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nets, nn

from .table import Counted, Row, close, contract, part, types

IMAGES = np.random.default_rng(0).normal(size=(3, 4, 4, 2)).astype("float32")
SEQUENCES = IMAGES.reshape(3, 8, 4)
CLASSES = np.array([[1, 4], [0, 2], [3, 3]])
KEY = jax.random.key(5)


class Hooked(elegy.Module):
    """The hooks for arrays and keys."""

    def call(self, x, training):
        w = elegy.add_parameter("w", (), initializer=jnp.ones)
        seen = elegy.add_parameter("seen", (), jnp.int32, initializer=0, trainable=False)
        if elegy.is_training():
            x = x + jax.random.normal(elegy.next_rng_key(), x.shape, x.dtype)
            elegy.update_parameter("seen", seen + int(training))
        return w * x


class Adding(elegy.Module):
    """The hooks for losses, metrics and summaries."""

    def call(self, x):
        elegy.add_loss("size", jnp.mean(jnp.square(x)))
        elegy.add_metric("mean", jnp.mean(x))
        elegy.add_summary("values", x)
        return x


class Remat(elegy.Module):
    def call(self, x):
        return elegy.remat(nn.Linear(3))(x)


class Scan(elegy.Module):
    def call(self, x):
        return elegy.scan(nn.Linear(x.shape[-1]), length=2)(x)


class Vmap(elegy.Module):
    def call(self, x):
        return elegy.vmap(nn.Linear(3))(x)


class Chained(elegy.Module):
    def call(self, x):
        return nn.sequential(nn.Linear(3), jax.nn.relu)(x)


class Translating(elegy.Module):
    def call(self, x):
        return nn.Transformer(2, 2, num_encoder_layers=1, num_decoder_layers=1, output_size=3)(x, x)


def recurrent():
    """One of each kind; orthogonal first values would take long to compile."""
    options = {"return_sequences": True, "recurrent_initializer": elegy.initializers.RandomNormal()}
    layers = nn.LSTM(2, **options), nn.GRU(2, dropout=0.2, **options), nn.SimpleRNN(2, recurrent_dropout=0.2, **options)
    return nn.Sequential(nn.Bidirectional(layers[0]), *layers[1:])


def scaled(x):
    return x * elegy.add_parameter("factor", initializer=2.0)


Scaled = elegy.to_module(scaled)


def pooled(axes):
    names = f"SpatialDropout{axes}D", f"GlobalAveragePooling{axes}D", f"GlobalMaxPooling{axes}D"
    dropout, average, largest = (getattr(nn, name) for name in names)
    return [dropout(0.5), average(keepdims=True), largest()]


# `make()` makes the layer; `given` is what it is called with.
ROWS = {
    "elegy.nn.Linear": Row(lambda: nn.Linear(3), IMAGES),
    "elegy.nn.Conv2D": Row(lambda: nn.Conv2D(3, 2), IMAGES),
    "elegy.nn.BatchNormalization": Row(nn.BatchNormalization, IMAGES),
    "elegy.nn.LayerNormalization": Row(nn.LayerNormalization, IMAGES),
    "elegy.nn.Dropout": Row(lambda: nn.Dropout(0.5), IMAGES),
    "elegy.nn.Embedding": Row(lambda: nn.Embedding(5, 2), CLASSES),
    "elegy.nn.Embedding one-hot": Row(lambda: nn.Embedding(5, 2, lookup_style="ONE_HOT"), CLASSES),
    "elegy.nn.Flatten": Row(nn.Flatten, IMAGES),
    "elegy.nn.Conv1D, elegy.nn.DepthwiseConv1D, elegy.nn.Conv1DTranspose, elegy.nn.Reshape": Row(
        lambda: nn.Sequential(
            [nn.Reshape((8, 4)), nn.Conv1D(2, 2), nn.DepthwiseConv1D(2), nn.Conv1DTranspose(3, 2, stride=2)]
        ),
        IMAGES,
    ),
    "elegy.nn.DepthwiseConv2D, elegy.nn.Conv2DTranspose": Row(
        lambda: nn.Sequential([nn.DepthwiseConv2D(2, stride=2), nn.Conv2DTranspose(3, 2, stride=2)]), IMAGES
    ),
    "elegy.nn.Conv3D, elegy.nn.Conv3DTranspose": Row(
        lambda: nn.Sequential([nn.Reshape((2, 2, 4, 2)), nn.Conv3D(2, 2), nn.Conv3DTranspose(2, 2)]), IMAGES
    ),
    "elegy.nn.GroupNormalization, elegy.nn.InstanceNormalization, elegy.nn.RMSNormalization": Row(
        lambda: nn.Sequential([nn.GroupNormalization(2), nn.InstanceNormalization(), nn.RMSNormalization()]), IMAGES
    ),
    "elegy.nn.SpatialDropout1D, elegy.nn.GlobalAveragePooling1D, elegy.nn.GlobalMaxPooling1D": Row(
        lambda: nn.Sequential([nn.Reshape((8, 4)), *pooled(1)]), IMAGES
    ),
    "elegy.nn.AvgPool, elegy.nn.SpatialDropout2D, elegy.nn.GlobalAveragePooling2D, elegy.nn.GlobalMaxPooling2D": Row(
        lambda: nn.Sequential([nn.AvgPool(2), *pooled(2)]), IMAGES
    ),
    "elegy.nn.SpatialDropout3D, elegy.nn.GlobalAveragePooling3D, elegy.nn.GlobalMaxPooling3D": Row(
        lambda: nn.Sequential([nn.Reshape((2, 2, 4, 2)), *pooled(3)]), IMAGES
    ),
    "elegy.nn.sequential": Row(Chained, IMAGES),
    "elegy.nn.MaxPool": Row(lambda: nn.MaxPool(2), IMAGES),
    "elegy.nn.Sequential": Row(lambda: nn.Sequential([nn.BatchNormalization(), nn.Flatten(), nn.Dropout(0.2)]), IMAGES),
    "elegy.nn.Sequential function": Row(
        lambda: nn.Sequential(lambda: [nn.Linear(3), jax.nn.relu]), IMAGES, {"it_pickles": "a lambda does not pickle"}
    ),
    "elegy.nn.MultiHeadAttention, elegy.nn.Transformer, elegy.nn.TransformerEncoder, "
    "elegy.nn.TransformerEncoderLayer, elegy.nn.TransformerDecoder, elegy.nn.TransformerDecoderLayer": Row(
        Translating, SEQUENCES
    ),
    "elegy.nn.SimpleRNN, elegy.nn.GRU, elegy.nn.LSTM, elegy.nn.Bidirectional": Row(recurrent, SEQUENCES),
    "elegy.nets.MLP": Row(lambda: nets.MLP([3, 2]), IMAGES),
    "elegy.nets.ResNet, elegy.nets.ResNetBlock, elegy.nets.BottleneckResNetBlock, elegy.nets.ResNet18, "
    "elegy.nets.ResNet34, elegy.nets.ResNet50, elegy.nets.ResNet101, elegy.nets.ResNet152, elegy.nets.ResNet200": Row(
        lambda: nn.Sequential(nets.BottleneckResNetBlock(1, strides=2), nets.ResNet([1], nets.ResNetBlock, True, 2)),
        IMAGES,
    ),
    "elegy.add_parameter, elegy.update_parameter, elegy.is_training, elegy.next_rng_key": Row(Hooked, IMAGES),
    "elegy.add_loss, elegy.add_metric, elegy.add_summary": Row(Adding, IMAGES),
    "elegy.remat": Row(Remat, IMAGES),
    "elegy.scan": Row(Scan, IMAGES),
    "elegy.vmap": Row(Vmap, IMAGES),
    "elegy.to_module": Row(lambda: Scaled(), IMAGES),
}

pytestmark = pytest.mark.usefixtures("strict_kernels")


@functools.cache
def prepared(make):
    """Once for each way to make a layer: it, its arrays, its compiled application, and how often that is traced."""
    layer, x = make(), next(row.given for row in ROWS.values() if row.make is make)
    counted = Counted(functools.partial(applied, layer))
    return layer, layer.init(KEY, x), jax.jit(counted, static_argnames="training"), counted


def applied(layer, parameters, states, x, key, *, training):
    return layer.apply(parameters, states, x, training=training, key=key)


def ready(row):
    return prepared(row.make)


@contract(ROWS)
def test_init_is_pure_and_the_call_by_itself_keeps_its_arrays(row):
    layer, variables, _, _ = ready(row)
    close(variables, row.make().init(KEY, row.given))
    layer(row.given)
    assert types((layer.parameters, layer.states)) == types(variables)


@contract(ROWS)
def test_jit_equals_eager(row):
    layer, variables, program, _ = ready(row)
    for training in (True, False):
        eager = applied(layer, *variables, row.given, KEY, training=training)
        close(program(*variables, row.given, KEY, training=training), eager, rtol=1e-4)


@contract(ROWS)
def test_states_keep_their_structure_and_dtypes_so_that_it_is_compiled_once(row):
    _, (parameters, states), program, counted = ready(row)
    before, traced = types(states), []
    for _ in range(3):
        _, states = program(parameters, states, row.given, KEY, training=True)
        traced.append(counted.traces)
    assert types(states) == before and len(set(traced)) == 1


@contract(ROWS)
def test_it_runs_under_vmap(row):
    layer, _, program, _ = ready(row)

    def outputs(key):
        return program(*layer.init(key, row.given), row.given, key, training=True)

    keys = jax.random.split(KEY, 2)
    together = jax.vmap(outputs)(keys)
    for number in range(2):
        close(part(together, number), outputs(keys[number]), rtol=1e-4)


@contract(ROWS)
def test_batches_of_uneven_sizes_give_the_same_rows(row):
    _, variables, program, _ = ready(row)
    whole, _ = program(*variables, row.given, KEY, training=False)
    parts = [program(*variables, row.given[rows], KEY, training=False)[0] for rows in (slice(2), slice(2, None))]
    close(jnp.concatenate(parts), whole, rtol=1e-4)


@contract(ROWS)
def test_rows_of_weight_zero_count_for_nothing(row):
    _, (parameters, states), program, _ = ready(row)

    def gradients(x, weights):
        def total(parameters):
            outputs, _ = program(parameters, states, x, KEY, training=False)
            return jnp.sum(jnp.mean(outputs.reshape(len(x), -1), -1) * weights)

        return jax.grad(total)(parameters)

    close(gradients(row.given, jnp.array([1.0, 1.0, 0.0])), gradients(row.given[:2], jnp.ones(2)), rtol=1e-4)


@contract(ROWS)
def test_arrays_are_float32_by_default_or_counters(row):
    assert {leaf.dtype.name for leaf in jax.tree.leaves(ready(row)[1])} <= {"float32", "int32"}


@contract(ROWS)
def test_it_pickles(row):
    layer = row.make()
    layer(row.given)
    again = pickle.loads(pickle.dumps(layer))
    close(again(row.given, training=False), layer(row.given, training=False))
