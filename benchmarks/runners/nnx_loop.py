"""Flax NNX: the loop of its documentation, and the fastest that its documentation names."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from ..networks import attend, logs_of
from ..works import LEARNING_RATE, Work
from . import Rows, Run

RNGS = nnx.Rngs(0)
NAMES = {"w": "kernel", "b": "bias", "scale": "scale", "offset": "bias", "embeddings": "embedding"}


class MLP(nnx.Module):
    def __init__(self, work: Work) -> None:
        self.last = len(work.sizes) - 2
        for number in range(self.last + 1):
            setattr(self, f"layer_{number}", nnx.Linear(*work.sizes[number : number + 2], rngs=RNGS))

    def __call__(self, x: jax.Array) -> jax.Array:
        for number in range(self.last):
            x = nnx.relu(getattr(self, f"layer_{number}")(x))
        return getattr(self, f"layer_{self.last}")(x)


class TwoHeads(nnx.Module):
    def __init__(self, work: Work) -> None:
        inputs, hidden, left, right = work.sizes
        self.body = nnx.Linear(inputs, hidden, rngs=RNGS)
        self.left, self.right = nnx.Linear(hidden, left, rngs=RNGS), nnx.Linear(hidden, right, rngs=RNGS)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        x = nnx.relu(self.body(x))
        return {"left": self.left(x), "right": self.right(x)}


class ConvNet(nnx.Module):
    def __init__(self, work: Work) -> None:
        self.conv_1 = nnx.Conv(1, 32, (3, 3), rngs=RNGS)
        self.conv_2 = nnx.Conv(32, 64, (3, 3), strides=(2, 2), rngs=RNGS)
        self.hidden, self.head = nnx.Linear(14 * 14 * 64, 128, rngs=RNGS), nnx.Linear(128, 10, rngs=RNGS)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.relu(self.conv_2(nnx.relu(self.conv_1(x))))
        return self.head(nnx.relu(self.hidden(x.reshape(len(x), -1))))


class Block(nnx.Module):
    def __init__(self, work: Work) -> None:
        self.work, width = work, work.width
        self.norm_1, self.norm_2 = (nnx.LayerNorm(width, epsilon=1e-5, rngs=RNGS) for _ in range(2))
        self.query_key_value = nnx.Linear(width, 3 * width, rngs=RNGS)
        self.mixed = nnx.Linear(width, width, rngs=RNGS)
        self.wide, self.narrow = nnx.Linear(width, 4 * width, rngs=RNGS), nnx.Linear(4 * width, width, rngs=RNGS)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x + self.mixed(attend(self.work, self.query_key_value(self.norm_1(x))))
        return x + self.narrow(nnx.gelu(self.wide(self.norm_2(x))))


class Decoder(nnx.Module):
    def __init__(self, work: Work) -> None:
        self.layers = work.layers
        self.words = nnx.Embed(work.vocabulary, work.width, rngs=RNGS)
        self.places = nnx.Embed(work.sequence, work.width, rngs=RNGS)
        for number in range(work.layers):
            setattr(self, f"block_{number}", Block(work))
        self.norm = nnx.LayerNorm(work.width, epsilon=1e-5, rngs=RNGS)
        self.head = nnx.Linear(work.width, work.vocabulary, rngs=RNGS)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.words(x) + self.places(jnp.arange(x.shape[1]))
        for number in range(self.layers):
            x = getattr(self, f"block_{number}")(x)
        return self.head(self.norm(x))


NETWORKS = {"mlp": MLP, "two_heads": TwoHeads, "conv_net": ConvNet, "decoder": Decoder}


def _train_step(model: Any, optimizer: Any, metrics: Any, x: Any, y: Any) -> None:
    def loss_of(model: Any) -> Any:
        return logs_of(model(x), y)

    (loss, accuracies), gradients = nnx.value_and_grad(loss_of, has_aux=True)(model)
    metrics.update(loss=loss, **{f"accuracy_{number}": value for number, value in enumerate(accuracies)})
    optimizer.update(model, gradients)


def setup(work: Work) -> Run:
    """`nnx.jit` over the objects, `nnx.Optimizer`, `nnx.MultiMetric`."""
    rows, (model, optimizer, metrics), reset = _made(work)
    step = nnx.jit(_train_step)

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        reset()
        logs: list[float] = []
        for _ in range(epochs):
            metrics.reset()
            for chosen in rows.batches(shuffle):
                step(model, optimizer, metrics, *rows.take(chosen))
            logs = [float(value) for value in metrics.compute().values()]
        return logs

    return run


def setup_split(work: Work) -> Run:
    """The objects are split once, before the loop, and put together inside the compiled step."""
    rows, objects, reset = _made(work)

    def stepped(definition: Any, state: Any, x: Any, y: Any) -> Any:
        merged = nnx.merge(definition, state)
        _train_step(*merged, x, y)
        return nnx.state(merged)

    step = jax.jit(stepped, static_argnums=0, donate_argnums=1)

    def run(epochs: int, shuffle: bool = True) -> list[float]:
        reset()
        logs: list[float] = []
        for _ in range(epochs):
            objects[2].reset()
            definition, state = nnx.split(objects)
            for chosen in rows.batches(shuffle):
                state = step(definition, state, *rows.take(chosen))
            nnx.update(objects, state)
            logs = [float(value) for value in objects[2].compute().values()]
        return logs

    return run


def _made(work: Work) -> tuple[Rows, Any, Any]:
    rows = Rows(work)
    model = NETWORKS[work.network](work)
    _fill(model, work.initial())
    optimizer = nnx.Optimizer(model, optax.adam(LEARNING_RATE), wrt=nnx.Param)
    accuracies = {f"accuracy_{n}": nnx.metrics.Average(f"accuracy_{n}") for n in range(rows.heads)}
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), **accuracies)
    initial = jax.tree.map(jnp.copy, nnx.state((model, optimizer)))

    def reset() -> None:
        nnx.update((model, optimizer), jax.tree.map(jnp.copy, initial))

    return rows, (model, optimizer, metrics), reset


def _fill(module: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            _fill(getattr(module, name), value)
        else:
            getattr(module, NAMES[name])[...] = jnp.array(value)
