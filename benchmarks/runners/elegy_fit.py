"""`Model.fit` with its defaults: shuffled, with bar and History."""

import dataclasses
import inspect
from typing import Any

import jax
import optax

import elegy

from ..measure import unseen_terminal
from ..works import LEARNING_RATE, Work
from . import Missing, Run


class MLP(elegy.Module):
    def __init__(self, work: Work) -> None:
        for number, size in enumerate(work.sizes[1:]):
            setattr(self, f"layer_{number}", elegy.nn.Linear(size))
        self.last = len(work.sizes) - 2

    def call(self, x: jax.Array) -> jax.Array:
        for number in range(self.last):
            x = jax.nn.relu(getattr(self, f"layer_{number}")(x))
        return getattr(self, f"layer_{self.last}")(x)


class TwoHeads(elegy.Module):
    def __init__(self, work: Work) -> None:
        self.body, self.left, self.right = map(elegy.nn.Linear, work.sizes[1:])

    def call(self, x: jax.Array) -> dict[str, jax.Array]:
        x = jax.nn.relu(self.body(x))
        return {"left": self.left(x), "right": self.right(x)}


class ConvNet(elegy.Module):
    def __init__(self, work: Work) -> None:
        self.conv_1 = elegy.nn.Conv2D(32, 3)
        self.conv_2 = elegy.nn.Conv2D(64, 3, stride=2)
        self.hidden, self.head = elegy.nn.Linear(128), elegy.nn.Linear(10)

    def call(self, x: jax.Array) -> jax.Array:
        x = jax.nn.relu(self.conv_2(jax.nn.relu(self.conv_1(x))))
        return self.head(jax.nn.relu(self.hidden(x.reshape(len(x), -1))))


class Block(elegy.Module):
    def __init__(self, work: Work) -> None:
        self.work = work
        self.norm_1, self.norm_2 = elegy.nn.LayerNormalization(), elegy.nn.LayerNormalization()
        self.query_key_value, self.mixed = elegy.nn.Linear(3 * work.width), elegy.nn.Linear(work.width)
        self.wide, self.narrow = elegy.nn.Linear(4 * work.width), elegy.nn.Linear(work.width)

    def call(self, x: jax.Array) -> jax.Array:
        heads = (*x.shape[:-1], self.work.heads, self.work.width // self.work.heads)
        projected = jax.numpy.split(self.query_key_value(self.norm_1(x)), 3, axis=-1)
        query, key, value = (part.reshape(heads) for part in projected)
        x = x + self.mixed(jax.nn.dot_product_attention(query, key, value, is_causal=True).reshape(x.shape))
        return x + self.narrow(jax.nn.gelu(self.wide(self.norm_2(x))))


class Decoder(elegy.Module):
    def __init__(self, work: Work) -> None:
        self.layers = work.layers
        self.words = elegy.nn.Embedding(work.vocabulary, work.width)
        self.places = elegy.nn.Embedding(work.sequence, work.width)
        for number in range(work.layers):
            setattr(self, f"block_{number}", Block(work))
        self.norm, self.head = elegy.nn.LayerNormalization(), elegy.nn.Linear(work.vocabulary)

    def call(self, x: jax.Array) -> jax.Array:
        x = self.words(x) + self.places(jax.numpy.arange(x.shape[1]))
        for number in range(self.layers):
            x = getattr(self, f"block_{number}")(x)
        return self.head(self.norm(x))


NETWORKS = {"mlp": MLP, "two_heads": TwoHeads, "conv_net": ConvNet, "decoder": Decoder}


def setup(work: Work) -> Run:
    return _run(work, {}, {})


def setup_single(work: Work) -> Run:
    return _run(work, {}, {"execution": "single"})


def setup_no_rewrite(work: Work) -> Run:
    return _run(work, {"rewrite": False}, {})


def make_model(work: Work, metrics: Any = None, **options: Any) -> elegy.Model:
    """A model that is not yet initialized, with one accuracy a head unless other metrics are given."""
    sides = ("left", "right") if work.network == "two_heads" else (None,)
    accuracies = [elegy.metrics.SparseCategoricalAccuracy(on=side) for side in sides]
    return elegy.Model(
        NETWORKS[work.network](work),
        loss=[elegy.losses.SparseCategoricalCrossentropy(from_logits=True, on=side) for side in sides],
        metrics=accuracies if metrics is None else metrics,
        optimizer=optax.adam(LEARNING_RATE),
        **options,
    )


def initialize(model: elegy.Model, work: Work, x: Any, y: Any) -> elegy.RunState:
    """Give a model the initial values of its work; returns its state."""
    state = model.init(x[: work.batch], jax.tree.map(lambda column: column[: work.batch], y))
    parameters = jax.tree.map(lambda old, new: jax.numpy.array(new), state.parameters, work.initial())
    model.state = dataclasses.replace(state, parameters=parameters)
    return model.state


def _run(work: Work, of_model: dict[str, Any], of_fit: dict[str, Any]) -> Run:
    _require(elegy.Model.__init__, of_model)
    _require(elegy.Model.fit, of_fit)
    x, y = work.data()
    model = make_model(work, **of_model)
    initial = initialize(model, work, x, y)

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        model.state = initial  # which a fit copies
        with unseen_terminal():
            logs = model.fit(x, y, batch_size=work.batch, epochs=epochs, shuffle=shuffle, verbose=1, **of_fit).history
        return [logs["loss"][-1], *(values[-1] for name, values in logs.items() if "accuracy" in name)]

    return run


def _require(function: Any, options: dict[str, Any]) -> None:
    for name in options:
        if name not in inspect.signature(function).parameters:
            raise Missing(f"this version of elegy has no `{name}=`")
