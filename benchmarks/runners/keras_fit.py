"""Keras on JAX: `Model.fit` with its defaults, and with what makes it fastest."""

import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras  # the backend has to be chosen before
import numpy as np
from keras import layers, ops

from ..measure import fastest, unseen_terminal
from ..works import LEARNING_RATE, Work
from . import Missing, Run

STEPS_PER_EXECUTION = (1, 8, 64)


def mlp(work: Work, x: Any) -> Any:
    for number, size in enumerate(work.sizes[1:-1]):
        x = layers.Dense(size, activation="relu", name=f"layer_{number}")(x)
    return layers.Dense(work.sizes[-1], name=f"layer_{len(work.sizes) - 2}")(x)


def two_heads(work: Work, x: Any) -> Any:
    x = layers.Dense(work.sizes[1], activation="relu", name="body")(x)
    return {"left": layers.Dense(work.sizes[2], name="left")(x), "right": layers.Dense(work.sizes[3], name="right")(x)}


def conv_net(work: Work, x: Any) -> Any:
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_1")(x)
    x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", name="conv_2")(x)
    x = layers.Dense(128, activation="relu", name="hidden")(layers.Flatten()(x))
    return layers.Dense(10, name="head")(x)


class Attention(layers.Layer):
    """Causal attention over queries, keys and values that lie side by side."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def call(self, projected: Any) -> Any:
        sequence, width = projected.shape[1:]
        projected = ops.reshape(projected, (-1, sequence, 3 * self.heads, width // 3 // self.heads))
        query, key, value = ops.split(projected, 3, axis=2)
        mixed = ops.dot_product_attention(query, key, value, is_causal=True)
        return ops.reshape(mixed, (-1, sequence, width // 3))


class Embedded(layers.Layer):
    """Words and their places."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.words = layers.Embedding(work.vocabulary, work.width, name="words")
        self.places = layers.Embedding(work.sequence, work.width, name="places")

    def call(self, x: Any) -> Any:
        return self.words(x) + self.places(ops.arange(x.shape[1]))


def decoder(work: Work, x: Any) -> Any:
    x = Embedded(work)(x)
    for number in range(work.layers):
        block = f"block_{number}_"
        normed = layers.LayerNormalization(epsilon=1e-5, name=block + "norm_1")(x)
        mixed = Attention(work.heads)(layers.Dense(3 * work.width, name=block + "query_key_value")(normed))
        x = x + layers.Dense(work.width, name=block + "mixed")(mixed)
        normed = layers.LayerNormalization(epsilon=1e-5, name=block + "norm_2")(x)
        wide = ops.gelu(layers.Dense(4 * work.width, name=block + "wide")(normed), approximate=True)
        x = x + layers.Dense(work.width, name=block + "narrow")(wide)
    return layers.Dense(work.vocabulary, name="head")(layers.LayerNormalization(epsilon=1e-5, name="norm")(x))


NETWORKS = {"mlp": mlp, "two_heads": two_heads, "conv_net": conv_net, "decoder": decoder}


def setup(work: Work) -> Run:
    """The defaults, the bar among them."""
    return _run(work, 1, verbose=1)


def setup_best(work: Work) -> Run:
    """The fastest `steps_per_execution`, without a bar."""
    return fastest([_run(work, steps, verbose=0) for steps in STEPS_PER_EXECUTION if steps <= work.steps])


def _run(work: Work, steps_per_execution: int, *, verbose: int) -> Run:
    if keras.backend.backend() != "jax":
        raise Missing(f"Keras runs on {keras.backend.backend()}; set KERAS_BACKEND=jax")
    x, y = work.data()
    model = _model(work, x, steps_per_execution)
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    initial = [np.array(variable) for variable in variables]

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        for variable, value in zip(variables, initial, strict=True):
            variable.assign(value)
        with unseen_terminal():
            fitted = model.fit(x, y, batch_size=work.batch, epochs=epochs, shuffle=shuffle, verbose=verbose)
        logs = fitted.history
        return [logs["loss"][-1], *(logs[name][-1] for name in sorted(logs) if "accuracy" in name)]

    return run


def _model(work: Work, x: np.ndarray, steps_per_execution: int) -> Any:
    inputs = keras.Input(x.shape[1:], dtype=str(x.dtype))
    model = keras.Model(inputs, NETWORKS[work.network](work, inputs))
    _fill(model, work.initial(), "")
    sides = ("left", "right") if work.network == "two_heads" else None

    def each(make: Any) -> Any:
        return {side: make() for side in sides} if sides else make()

    accuracies = each(keras.metrics.SparseCategoricalAccuracy)
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=1e-8),
        loss=each(lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        metrics=accuracies if sides else [accuracies],
        steps_per_execution=steps_per_execution,
    )
    return model


def _fill(model: Any, values: dict[str, Any], prefix: str) -> None:
    by_name = {layer.name: layer for layer in model._flatten_layers()}
    for name, value in values.items():
        if name in by_name or prefix:
            by_name[prefix + name].set_weights(list(value.values()))  # in Keras' order, as they were made
        else:
            _fill(model, value, f"{name}_")
