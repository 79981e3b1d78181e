"""One network, two answers: which digit it is, and whether it is odd; a loss for each with `on=` and `weight=`."""

import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

import elegy


class TwoHeads(elegy.Module):
    def call(self, x):
        x = jax.nn.relu(elegy.nn.Linear(256)(x))
        return {"digit": elegy.nn.Linear(10, name="digit")(x), "odd": elegy.nn.Linear(1, name="odd")(x)}


class Agreement(elegy.Loss):
    """The two heads should not contradict each other: a loss over both outputs, in two parts."""

    def call(self, y_pred):
        digits = jax.nn.softmax(y_pred["digit"])
        odd_digits = digits[:, 1::2].sum(-1)
        odd = jax.nn.sigmoid(y_pred["odd"][:, 0])
        return {"gap": jnp.square(odd_digits - odd), "doubt": 0.1 * odd * (1 - odd)}


def load():
    x, y = load_digits(return_X_y=True)
    x, y = (x / 16).astype("float32"), {"digit": y, "odd": (y % 2)[:, None].astype("float32")}

    def pick(rows):
        return x[rows], {name: labels[rows] for name, labels in y.items()}

    return pick([i for i in range(len(x)) if i % 5]), pick(slice(None, None, 5))


def train(epochs, verbose="auto"):
    """The accuracy of each head on held-out rows."""
    (x, y), test = load()
    model = elegy.Model(
        TwoHeads(),
        loss=[
            elegy.losses.SparseCategoricalCrossentropy(from_logits=True, on="digit"),
            elegy.losses.BinaryCrossentropy(from_logits=True, on="odd", weight=0.5),
            Agreement(weight=0.1),
        ],
        metrics={
            "digit": elegy.metrics.SparseCategoricalAccuracy(on="digit", name="accuracy"),
            "odd": elegy.metrics.BinaryAccuracy(threshold=0.0, on="odd", name="accuracy"),
        },
        optimizer=optax.adam(1e-3),
    )
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=verbose)
    logs = model.evaluate(*test, verbose=0)
    return {"digit": logs["digit/accuracy"], "odd": logs["odd/accuracy"]}


if __name__ == "__main__":
    for head, accuracy in train(epochs=30).items():
        print(f"{head}: {accuracy:.1%} of held-out rows")
