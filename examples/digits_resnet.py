"""Classify handwritten digits with a small residual network: blocks from `elegy.nets`, put together as one likes."""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import elegy


class SmallResNet(elegy.Module):
    """Three blocks with 16, 32 and 64 filters on images of 8x8, 4x4 and 2x2 pixels."""

    def call(self, x):
        x = elegy.nn.Conv2D(16, 3, with_bias=False)(x)
        x = jax.nn.relu(elegy.nn.BatchNormalization(decay_rate=0.9)(x))
        x = elegy.nets.ResNetBlock(16)(x)
        x = elegy.nets.ResNetBlock(32, strides=2)(x)
        x = elegy.nets.ResNetBlock(64, strides=2)(x)
        return elegy.nn.Linear(10)(jnp.mean(x, axis=(1, 2)))


def load(seed):
    """1,797 images of 8x8 pixels: 80% to train, 20% to test."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    return (x, y), (x_test, y_test)


def train(seed, epochs, verbose="auto"):
    """The accuracy on images that were never seen."""
    (x, y), test = load(seed)
    steps = epochs * -(-len(x) // 64)
    model = elegy.Model(
        SmallResNet(),
        loss=elegy.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=elegy.metrics.SparseCategoricalAccuracy(name="accuracy"),
        optimizer=optax.adam(optax.cosine_decay_schedule(5e-3, steps)),
        seed=seed,
    )
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=verbose)
    return model.evaluate(*test, verbose=0)["accuracy"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments.add_argument("--epochs", type=int, default=10)
    options = arguments.parse_args()

    accuracies = [train(seed, options.epochs) for seed in options.seeds]
    print("seed  test accuracy")
    for seed, accuracy in zip(options.seeds, accuracies, strict=True):
        print(f"{seed:>4}  {accuracy:.2%}")
    print(f"mean  {np.mean(accuracies):.2%}")


if __name__ == "__main__":
    main()
