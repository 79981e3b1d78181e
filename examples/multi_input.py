"""Two inputs by name: the halves of a digit, as a dict `x`; a third key is there and not asked for."""

import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

import elegy


class TwoHalves(elegy.Module):
    def call(self, upper, lower):
        upper = jax.nn.relu(elegy.nn.Linear(64, name="upper")(upper))
        lower = jax.nn.relu(elegy.nn.Linear(64, name="lower")(lower))
        both = jax.nn.relu(elegy.nn.Linear(64)(jnp.concatenate([upper, lower], axis=-1)))
        return elegy.nn.Linear(10)(both)


def load():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    test = [i % 5 == 0 for i in range(len(x))]
    train = [not t for t in test]

    def halves(rows):
        return {"upper": x[rows, :32], "lower": x[rows, 32:], "whole": x[rows]}

    return (halves(train), y[train]), (halves(test), y[test])


def train(epochs, verbose="auto"):
    """The accuracy on held-out rows."""
    (x, y), test = load()
    model = elegy.Model(
        TwoHalves(),
        loss=elegy.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics="accuracy",
        optimizer=optax.adam(1e-3),
    )
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=verbose)
    return model.evaluate(*test, verbose=0)["accuracy"]


if __name__ == "__main__":
    print(f"{train(epochs=20):.1%} of held-out rows")
