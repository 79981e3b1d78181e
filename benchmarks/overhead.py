"""What `fit` costs on top of a jitted loop written by hand: the same maths, interleaved, medians."""

import argparse
import os
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

import elegy

BATCH = 32


def make_data(rows):
    """Random images of 784 pixels in ten classes; what they show does not matter here."""
    generator = np.random.default_rng(0)
    return generator.random((rows, 784), "float32"), generator.integers(0, 10, rows).astype("int32")


def make_model():
    return elegy.Model(
        elegy.nn.Sequential([elegy.nn.Linear(128), jax.nn.relu, elegy.nn.Linear(10)]),
        loss=elegy.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=elegy.metrics.SparseCategoricalAccuracy(),
        optimizer=optax.adam(1e-3),
    )


class HandWritten:
    """The loop that somebody would write who trains this one model and nothing else."""

    def __init__(self, parameters):
        self.optimizer = optax.adam(1e-3)
        b1, w1, b2, w2 = map(jnp.copy, jax.tree.leaves(parameters))  # JAX sorts by name: layer by layer, b before w
        self.parameters = {"w1": w1, "b1": b1, "w2": w2, "b2": b2}
        self.slots = self.optimizer.init(self.parameters)
        self.generator = np.random.default_rng(0)
        self.step = jax.jit(self._step, donate_argnums=(0, 1, 2))

    def _step(self, parameters, slots, sums, x, y):
        def loss_of(p):
            scores = jax.nn.relu(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
            return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean(), scores

        (loss, scores), gradients = jax.value_and_grad(loss_of, has_aux=True)(parameters)
        updates, slots = self.optimizer.update(gradients, slots, parameters)
        right = jnp.sum(scores.argmax(-1) == y)
        return optax.apply_updates(parameters, updates), slots, (sums[0] + loss * len(y), sums[1] + right)

    def fit(self, x, y, *, epochs, shuffle=True):
        logs = []
        for _ in range(epochs):
            order = self.generator.permutation(len(x)) if shuffle else np.arange(len(x))
            sums = (jnp.float32(0), jnp.int32(0))
            for start in range(0, len(x), BATCH):
                rows = order[start : start + BATCH]
                self.parameters, self.slots, sums = self.step(self.parameters, self.slots, sums, x[rows], y[rows])
            logs.append([float(total) / len(x) for total in sums])  # reading waits for the epoch
        return logs


def make_pair(x, y):
    """A model and a loop that begin with the same numbers; shown to do the same maths."""
    model = make_model()
    loop = HandWritten(model.init(x[:BATCH], y[:BATCH]).parameters)
    ours = model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0).history
    theirs = loop.fit(x, y, epochs=1, shuffle=False)[0]
    np.testing.assert_allclose([ours["loss"][0], ours["sparse_categorical_accuracy"][0]], theirs, rtol=1e-3)
    return model, loop


def seconds_per_step(train, steps):
    begin = time.perf_counter()
    train()
    return (time.perf_counter() - begin) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=12_800)
    parser.add_argument("--epochs", type=int, default=5, help="of one measurement")
    parser.add_argument("--repeats", type=int, default=9, help="how many measurements of each; at least 5")
    options = parser.parse_args()
    x, y = make_data(options.rows)
    model, loop = make_pair(x, y)
    steps = options.epochs * -(-options.rows // BATCH)
    times = {"fit": [], "hand-written loop": []}
    for repeat in range(max(options.repeats, 5)):
        trains = {
            "fit": lambda: model.fit(x, y, batch_size=BATCH, epochs=options.epochs, verbose=0),
            "hand-written loop": lambda: loop.fit(x, y, epochs=options.epochs),
        }
        for name in sorted(trains, reverse=bool(repeat % 2)):  # neither always goes first
            times[name].append(seconds_per_step(trains[name], steps))
    report(times, steps)


def report(times, steps):
    print(f"784-128-10 MLP, batch {BATCH}, {steps} steps a measurement, {os.cpu_count()} cores, JAX {jax.__version__}")
    for name, seconds in times.items():
        low, middle, high = (1e6 * f(seconds) for f in (min, statistics.median, max))
        print(f"{name:>18}: {middle:7.1f} us a step (median of {len(seconds)}; {low:.1f} to {high:.1f})")
    pairs = [ours / theirs for ours, theirs in zip(*times.values(), strict=True)]
    ratio = statistics.median(times["fit"]) / statistics.median(times["hand-written loop"])
    print(f"{'ratio':>18}: {ratio:.3f} (of medians; pair by pair {min(pairs):.3f} to {max(pairs):.3f})")


if __name__ == "__main__":
    main()
