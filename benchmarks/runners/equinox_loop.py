"""The loop of Equinox' documentation: modules of one sample, `filter_jit`, `filter_value_and_grad`."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..networks import attend, logs_of
from ..works import LEARNING_RATE, Work
from . import Rows, Run

KEY = jax.random.key(0)


class MLP(eqx.Module):
    layers: list[eqx.nn.Linear]

    def __init__(self, work: Work, values: Any) -> None:
        self.layers = [_linear(layer) for layer in values.values()]

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers[:-1]:
            x = jax.nn.relu(layer(x))
        return self.layers[-1](x)


class TwoHeads(eqx.Module):
    body: eqx.nn.Linear
    left: eqx.nn.Linear
    right: eqx.nn.Linear

    def __init__(self, work: Work, values: Any) -> None:
        self.body, self.left, self.right = (_linear(values[name]) for name in ("body", "left", "right"))

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        x = jax.nn.relu(self.body(x))
        return {"left": self.left(x), "right": self.right(x)}


class ConvNet(eqx.Module):
    conv_1: eqx.nn.Conv2d
    conv_2: eqx.nn.Conv2d
    hidden: eqx.nn.Linear
    head: eqx.nn.Linear

    def __init__(self, work: Work, values: Any) -> None:
        self.conv_1, self.conv_2 = _conv(values["conv_1"], 1), _conv(values["conv_2"], 2)
        # Channels come first here, so the rows of the first dense layer lie in another order.
        w = values["hidden"]["w"].reshape(14, 14, 64, 128).transpose(2, 0, 1, 3).reshape(-1, 128)
        self.hidden, self.head = _linear({**values["hidden"], "w": w}), _linear(values["head"])

    def __call__(self, x: jax.Array) -> jax.Array:
        x = jax.nn.relu(self.conv_2(jax.nn.relu(self.conv_1(x.transpose(2, 0, 1)))))
        return self.head(jax.nn.relu(self.hidden(x.reshape(-1))))


class Block(eqx.Module):
    norm_1: eqx.nn.LayerNorm
    norm_2: eqx.nn.LayerNorm
    query_key_value: eqx.nn.Linear
    mixed: eqx.nn.Linear
    wide: eqx.nn.Linear
    narrow: eqx.nn.Linear
    work: Work = eqx.field(static=True)

    def __init__(self, work: Work, values: Any) -> None:
        self.work = work
        self.norm_1, self.norm_2 = _norm(values["norm_1"]), _norm(values["norm_2"])
        self.query_key_value, self.mixed = _linear(values["query_key_value"]), _linear(values["mixed"])
        self.wide, self.narrow = _linear(values["wide"]), _linear(values["narrow"])

    def __call__(self, x: jax.Array) -> jax.Array:
        projected = jax.vmap(lambda row: self.query_key_value(self.norm_1(row)))(x)
        x = x + jax.vmap(self.mixed)(attend(self.work, projected))
        return x + jax.vmap(lambda row: self.narrow(jax.nn.gelu(self.wide(self.norm_2(row)))))(x)


class Decoder(eqx.Module):
    words: eqx.nn.Embedding
    places: eqx.nn.Embedding
    blocks: list[Block]
    norm: eqx.nn.LayerNorm
    head: eqx.nn.Linear

    def __init__(self, work: Work, values: Any) -> None:
        self.words = eqx.nn.Embedding(weight=jnp.array(values["words"]["embeddings"]))
        self.places = eqx.nn.Embedding(weight=jnp.array(values["places"]["embeddings"]))
        self.blocks = [Block(work, values[f"block_{number}"]) for number in range(work.layers)]
        self.norm, self.head = _norm(values["norm"]), _linear(values["head"])

    def __call__(self, x: jax.Array) -> jax.Array:
        x = jax.vmap(self.words)(x) + jax.vmap(self.places)(jnp.arange(len(x)))
        for block in self.blocks:
            x = block(x)
        return jax.vmap(lambda row: self.head(self.norm(row)))(x)


NETWORKS = {"mlp": MLP, "two_heads": TwoHeads, "conv_net": ConvNet, "decoder": Decoder}


def setup(work: Work) -> Run:
    rows, optimizer = Rows(work), optax.adam(LEARNING_RATE)

    @eqx.filter_jit
    def step(model: Any, slots: Any, sums: Any, x: Any, y: Any) -> Any:
        @eqx.filter_value_and_grad(has_aux=True)
        def gradients_of(model: Any) -> Any:
            return logs_of(jax.vmap(model)(x), y)

        (loss, accuracies), gradients = gradients_of(model)
        updates, slots = optimizer.update(gradients, slots, model)
        return eqx.apply_updates(model, updates), slots, sums + jnp.stack([loss, *accuracies])

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        model = NETWORKS[work.network](work, work.initial())
        slots = optimizer.init(eqx.filter(model, eqx.is_inexact_array))
        logs: Any = []
        for _ in range(epochs):
            sums = jnp.zeros(1 + rows.heads)
            for chosen in rows.batches(shuffle):
                model, slots, sums = step(model, slots, sums, *rows.take(chosen))
            logs = np.asarray(sums) / work.steps  # reading waits for the epoch
        return [float(log) for log in logs]

    return run


def _linear(layer: Any) -> eqx.nn.Linear:
    made = eqx.nn.Linear(*layer["w"].shape, key=KEY)
    return _with(made, jnp.array(layer["w"].T), jnp.array(layer["b"]))


def _conv(layer: Any, stride: int) -> eqx.nn.Conv2d:
    made = eqx.nn.Conv2d(*layer["w"].shape[2:], 3, stride, padding="SAME", key=KEY)
    return _with(made, jnp.array(layer["w"].transpose(3, 2, 0, 1)), jnp.array(layer["b"][:, None, None]))


def _norm(layer: Any) -> eqx.nn.LayerNorm:
    return _with(eqx.nn.LayerNorm(len(layer["scale"])), jnp.array(layer["scale"]), jnp.array(layer["offset"]))


def _with(module: Any, weight: jax.Array, bias: jax.Array) -> Any:
    return eqx.tree_at(lambda m: (m.weight, m.bias), module, (weight, bias))
