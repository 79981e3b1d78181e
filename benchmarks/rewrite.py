"""What the rewrite of steps for CPU gains: the same step with and without it, in single steps and in a loop."""

import argparse
import os
import statistics
import time

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from elegy.compiling import jit

RANDOM = np.random.RandomState(0)
VOCABULARY, SEQUENCE, WIDTH = 1000, 64, 128


class ConvNet(nn.Module):
    """32 3x3, 64 3x3 with stride 2, dense 128."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(32, (3, 3))(x))
        x = nn.relu(nn.Conv(64, (3, 3), strides=(2, 2))(x))
        return nn.Dense(10)(nn.relu(nn.Dense(128)(x.reshape(len(x), -1))))


class PooledNet(nn.Module):
    """The same depth with max pooling and a separable convolution."""

    @nn.compact
    def __call__(self, x):
        x = nn.max_pool(nn.relu(nn.Conv(32, (3, 3))(x)), (2, 2), (2, 2))
        x = nn.relu(nn.Conv(64, (1, 1))(nn.Conv(32, (3, 3), feature_group_count=32)(x)))
        return nn.Dense(10)(nn.max_pool(x, (3, 3), (2, 2)).reshape(len(x), -1))


class Block(nn.Module):
    """Attention and two dense layers."""

    @nn.compact
    def __call__(self, x):
        mask = nn.make_causal_mask(jnp.ones(x.shape[:2]))
        x = x + nn.MultiHeadDotProductAttention(num_heads=4)(nn.LayerNorm()(x), mask=mask)
        return x + nn.Dense(WIDTH)(nn.gelu(nn.Dense(4 * WIDTH)(nn.LayerNorm()(x))))


class Transformer(nn.Module):
    """Two blocks over embedded tokens."""

    @nn.compact
    def __call__(self, tokens):
        x = nn.Embed(VOCABULARY, WIDTH)(tokens) + nn.Embed(SEQUENCE, WIDTH)(jnp.arange(SEQUENCE))
        return nn.Dense(VOCABULARY)(nn.LayerNorm()(Block()(Block()(x))))


def images(count):
    return RANDOM.rand(count, 64, 28, 28, 1).astype("float32"), RANDOM.randint(0, 10, (count, 64))


def texts(count):
    tokens = RANDOM.randint(0, VOCABULARY, (count, 16, SEQUENCE + 1))
    return tokens[:, :, :-1], tokens[:, :, 1:]


WORKS = {"conv net": (ConvNet, images), "pooled net": (PooledNet, images), "transformer": (Transformer, texts)}


class Work:
    """A network with its data, and the four ways to train it, each warm."""

    def __init__(self, name, steps):
        network, data = WORKS[name]
        self.network, self.optimizer = network(), optax.adam(1e-3)
        self.xs, self.ys = map(jnp.asarray, data(steps))
        parameters = self.network.init(jax.random.key(0), self.xs[0])
        self.start = parameters, self.optimizer.init(parameters)
        single = {f"single{suffix}": self.singly(jit(self.step, **options)) for suffix, options in WAYS.items()}
        looped = {f"loop{suffix}": jit(self.loop, **options) for suffix, options in WAYS.items()}
        self.runs = {**single, **looped}
        losses = [self.seconds(run)[1] for run in self.runs.values()]
        np.testing.assert_allclose(losses, losses[0], rtol=2e-2)  # after many steps rounding has grown

    def step(self, state, x, y):
        def loss_of(parameters):
            scores = self.network.apply(parameters, x)
            right = jnp.mean(jnp.argmax(scores, axis=-1) == y)
            return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean(), right

        (loss, right), gradients = jax.value_and_grad(loss_of, has_aux=True)(state[0])
        updates, slots = self.optimizer.update(gradients, state[1], state[0])
        return (optax.apply_updates(state[0], updates), slots), (loss, right)

    def loop(self, state, xs, ys):
        state, logs = jax.lax.scan(lambda state, batch: self.step(state, *batch), state, (xs, ys))
        return state, jax.tree.map(lambda log: log[-1], logs)

    def singly(self, step):
        def train(state, xs, ys):
            for x, y in zip(xs, ys, strict=True):
                state, logs = step(state, x, y)
            return state, logs

        return train

    def seconds(self, run):
        begin = time.perf_counter()
        _, (loss, _) = jax.block_until_ready(run(self.start, self.xs, self.ys))
        return (time.perf_counter() - begin) / len(self.xs), float(loss)


WAYS = {"": {"rewrite": False}, ", rewritten": {"rewrite": True}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=16, help="of one measurement")
    parser.add_argument("--repeats", type=int, default=7, help="how many measurements of each; at least 5")
    parser.add_argument("--work", choices=WORKS, action="append", help="one of the networks; all by default")
    options = parser.parse_args()
    print(f"ms a step, medians; {os.cpu_count()} cores, JAX {jax.__version__}; in brackets: times as fast as `single`")
    print("| work | single | single, rewritten | loop | loop, rewritten |\n|---|--:|--:|--:|--:|")
    for name in options.work or WORKS:
        work = Work(name, options.steps)
        times = {run: [] for run in work.runs}
        for _ in range(max(options.repeats, 5)):
            for run, seconds in times.items():  # by turns, since a machine is not equally fast all the time
                seconds.append(work.seconds(work.runs[run])[0])
        ratios = [statistics.median(a / b for a, b in zip(times["single"], row, strict=True)) for row in times.values()]
        cells = [
            f"{1e3 * statistics.median(row):.2f} ({ratio:.2f})"
            for row, ratio in zip(times.values(), ratios, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
