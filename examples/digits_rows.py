"""Classify handwritten digits row by row, as sequences of eight steps, with a GRU that reads from both ends."""

import argparse

import numpy as np
import optax
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import elegy


class RowReader(elegy.Module):
    """The last outputs of both directions tell the digit."""

    def call(self, x):
        return elegy.nn.Linear(10)(elegy.nn.Bidirectional(elegy.nn.GRU(48))(x))


def load(seed):
    """1,797 sequences of 8 rows with 8 pixels: 80% to train, 20% to test."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    return (x, y), (x_test, y_test)


def train(seed, epochs, verbose="auto"):
    """The accuracy on sequences that were never seen."""
    (x, y), test = load(seed)
    model = elegy.Model(
        RowReader(),
        loss=elegy.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=elegy.metrics.SparseCategoricalAccuracy(name="accuracy"),
        optimizer=optax.adam(5e-3),
        seed=seed,
    )
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=verbose)
    return model.evaluate(*test, verbose=0)["accuracy"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments.add_argument("--epochs", type=int, default=12)
    options = arguments.parse_args()

    accuracies = [train(seed, options.epochs) for seed in options.seeds]
    print("seed  test accuracy")
    for seed, accuracy in zip(options.seeds, accuracies, strict=True):
        print(f"{seed:>4}  {accuracy:.2%}")
    print(f"mean  {np.mean(accuracies):.2%}")


if __name__ == "__main__":
    main()
