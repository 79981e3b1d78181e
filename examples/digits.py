"""Classify handwritten digits: real data, a validation set, and a test set that training never sees."""

import argparse
import time
from pathlib import Path

import jax
import numpy as np
import optax
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import elegy


class ConvNet(elegy.Module):
    """Two convolutions and a dense head; every layer is made where it is used and infers its input shape."""

    def call(self, x):
        x = jax.nn.relu(elegy.nn.BatchNormalization()(elegy.nn.Conv2D(32, (3, 3))(x)))
        x = elegy.nn.MaxPool((2, 2), strides=(2, 2), padding="SAME")(x)
        x = jax.nn.relu(elegy.nn.BatchNormalization()(elegy.nn.Conv2D(64, (3, 3))(x)))
        x = elegy.nn.Dropout(0.3)(elegy.nn.Flatten()(x))
        return elegy.nn.Linear(10)(x)


def load(seed):
    """1,797 images of 8x8 pixels: 64% to train, 16% to validate, 20% to test."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    return (x, y), (x_val, y_val), (x_test, y_test)


def train(seed, epochs, verbose="auto"):
    (x, y), validation, test = load(seed)
    model = elegy.Model(
        ConvNet(),
        loss=elegy.losses.SparseCategoricalCrossentropy(from_logits=True, name="cross"),
        metrics=elegy.metrics.SparseCategoricalAccuracy(name="accuracy"),
        optimizer=optax.adam(3e-3),
        seed=seed,
    )
    stop = elegy.callbacks.EarlyStopping(monitor="val_accuracy", patience=8, restore_best_weights=True)
    start = time.perf_counter()
    model.fit(x, y, batch_size=64, epochs=epochs, validation_data=validation, callbacks=[stop], verbose=verbose)
    seconds = time.perf_counter() - start
    return model, model.evaluate(*test, verbose=0), seconds


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments.add_argument("--epochs", type=int, default=20)
    options = arguments.parse_args()

    for seed in options.seeds:
        model, logs, seconds = train(seed, options.epochs)
        print(
            f"seed {seed}: test accuracy {logs['accuracy']:.2%}, test loss {logs['loss']:.4f}, {seconds:.1f} s "
            "of training\n"
        )

    model.summary(np.zeros((1, 8, 8, 1), np.float32))
    print(f"device: {jax.devices()[0]}")
    print("metrics:", {name: round(value, 4) for name, value in logs.items()})
    print("weights:", model.save_weights(Path("digits.safetensors")).resolve())


if __name__ == "__main__":
    main()
