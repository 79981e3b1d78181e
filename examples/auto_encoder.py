"""Compress digits to eight numbers, twice: with a loss that asks for `x` only, and with a built-in loss and `bind`."""

import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

import elegy


class AutoEncoder(elegy.Module):
    def __init__(self, size):
        self.size = size

    def call(self, x):
        code = elegy.nn.Linear(self.size, name="code")(jax.nn.gelu(elegy.nn.Linear(128)(x)))
        decoded = elegy.nn.Linear(x.shape[-1])(jax.nn.gelu(elegy.nn.Linear(128)(code)))
        return {"code": code, "decoded": decoded}


class ReconstructionLoss(elegy.Loss):
    """No labels anywhere: the target is the input."""

    def call(self, x, y_pred):
        return jnp.mean(jnp.square(x - y_pred["decoded"]), axis=-1)


LOSSES = {
    "a loss on x": ReconstructionLoss(),
    "bind": elegy.bind(elegy.losses.MeanSquaredError(), y_true="x", y_pred="y_pred.decoded"),
}


def load():
    x, _ = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    return x[:1437], x[1437:]


def train(loss, epochs, verbose="auto"):
    """The error on held-out rows as a share of their variance."""
    x, x_test = load()
    model = elegy.Model(AutoEncoder(8), loss=loss, optimizer=optax.adam(2e-3))
    model.fit(x, batch_size=64, epochs=epochs, verbose=verbose)
    return model.evaluate(x_test, verbose=0)["loss"] / float(jnp.mean(jnp.var(x_test, axis=0)))


if __name__ == "__main__":
    for name, loss in LOSSES.items():
        print(f"{name}: the error is {train(loss, epochs=30):.1%} of the variance")
