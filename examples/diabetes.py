"""A regression on few rows: how far diabetes goes on in a year, next to scikit-learn's ridge regression."""

import math

import jax
import numpy as np
import optax
from sklearn.datasets import load_diabetes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split

import elegy

BATCH = 32


class Network(elegy.Module):
    """A line, and what a small network adds to it."""

    def call(self, x):
        hidden = jax.nn.tanh(elegy.nn.Linear(16, name="hidden")(x))
        return elegy.nn.Linear(1, name="line")(x) + elegy.nn.Linear(1, name="bend")(hidden)


def load(seed):
    """442 patients, 10 measurements each: 80% to train, 20% to test; scaled by means and spreads of the former."""
    x, y = load_diabetes(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x, y[:, None], test_size=0.2, random_state=seed)

    def scaled(values, rows):
        return ((values - rows.mean(0)) / rows.std(0)).astype("float32")

    return (scaled(x, x), scaled(y, y)), (scaled(x_test, x), scaled(y_test, y))


def train(seed, epochs, verbose="auto"):
    """R2 on rows that training never saw: the network's, and that of scikit-learn's RidgeCV."""
    (x, y), test = load(seed)
    model = elegy.Model(
        Network(),
        loss=[
            elegy.losses.MeanSquaredError(),
            elegy.regularizers.GlobalL2(0.003, only="line/w", name="line"),
            elegy.regularizers.GlobalL2(0.03, only=["hidden/w", "bend/w"], name="bend"),
        ],
        metrics=elegy.metrics.R2Score(name="r2"),
        optimizer=optax.adam(optax.cosine_decay_schedule(1e-2, epochs * math.ceil(len(x) / BATCH))),
        seed=seed,
    )
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=verbose)
    ridge = RidgeCV(alphas=np.logspace(-3, 3, 13)).fit(x, y[:, 0])
    return model.evaluate(*test, verbose=0)["r2"], ridge.score(test[0], test[1][:, 0])


def main():
    scores = np.array([train(seed, epochs=40, verbose=0) for seed in range(3)])
    for seed, (ours, ridge) in enumerate(scores):
        print(f"split and seed {seed}: R2 {ours:.3f}, RidgeCV {ridge:.3f}")
    print("mean: R2 {:.3f}, RidgeCV {:.3f}".format(*scores.mean(0)))


if __name__ == "__main__":
    main()
