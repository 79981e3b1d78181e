"""Epoch logs do not depend on how rows are cut into batches; equal seeds give equal bits, whatever the clock does."""

import itertools
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import elegy
from elegy.nn import Dropout, Linear

ROWS = 24
X = np.random.RandomState(0).randn(ROWS, 3).astype("float32")
Y = np.random.RandomState(1).randint(0, 4, ROWS)


def parts(y_true, y_pred):
    return {"square": jnp.mean(y_pred**2, -1), "gap": (y_pred[:, 0] - y_true, (y_true > 0).astype(jnp.float32))}


def everything():
    cross = elegy.losses.SparseCategoricalCrossentropy
    metrics = [
        "accuracy",
        elegy.metrics.F1(average="macro"),
        elegy.metrics.Mean(),
        lambda y_pred: y_pred.max(-1),
        cross(from_logits=True, reduction="mean_with_sample_weight"),
    ]
    loss = [
        cross(from_logits=True),
        parts,
        elegy.regularizers.GlobalL2(),
        elegy.losses.SparseCategoricalCrossentropy(True, "sum", name="sum"),
    ]
    return elegy.Model(Linear(4), loss=loss, metrics=metrics, optimizer=optax.sgd(0.0))


MODEL = everything()


def cut(order):
    """The rows in batches of the sizes drawn."""
    starts = np.cumsum([0, *order])
    return [slice(a, b) for a, b in itertools.pairwise(starts)]


@st.composite
def partitions(draw):
    sizes = []
    while sum(sizes) < ROWS:
        sizes.append(draw(st.sampled_from([1, 2, 5, 8, 11])))
    sizes[-1] -= sum(sizes) - ROWS
    return sizes


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sizes=partitions(), weights=st.lists(st.floats(0, 4, width=16), min_size=ROWS, max_size=ROWS), train=st.booleans()
)
def test_any_cut_and_any_weights_give_the_same_epoch_logs(sizes, weights, train):
    w = np.array(weights, np.float32)
    batches = [(X[part], Y[part], w[part]) for part in cut(sizes)]
    if train:
        whole = MODEL.fit(X, Y, sample_weight=w, batch_size=ROWS, shuffle=False, verbose=0).history
        parts = MODEL.fit(iter(batches), verbose=0).history
    else:
        whole = MODEL.evaluate(X, Y, sample_weight=w, batch_size=ROWS, verbose=0)
        parts = MODEL.evaluate(iter(batches), verbose=0)
    assert list(whole) == list(parts)
    for name in whole:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_random_sleeps_in_the_loader_change_no_bit():
    def train(sleepy):
        def loader():
            random = np.random.RandomState(3)
            for part in cut([7, 7, 7, 3]):
                if sleepy:
                    time.sleep(random.rand() / 100)
                yield X[part], Y[part]

        model = elegy.Model(
            lambda x: Linear(4)(Dropout(0.3)(x)),
            loss=elegy.losses.SparseCategoricalCrossentropy(True),
            optimizer="adam",
        )
        history = model.fit(loader, epochs=3, verbose=0).history
        return history, jax.tree.leaves(model.parameters)

    (calm, a), (sleepy, b) = train(False), train(True)
    assert calm == sleepy and all((p == q).all() for p, q in zip(a, b, strict=True))


def test_sums_stay_exact_over_many_steps():
    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer=optax.sgd(0.0))
    x = np.full(3000, 0.1, np.float32)
    x[0] = 2**20
    history = model.fit(x, batch_size=1, shuffle=False, verbose=0).history
    assert history["loss"][0] == pytest.approx(np.mean(x.astype("float64")), rel=1e-12)


def test_a_buffer_that_a_loader_fills_again_is_copied():
    def reusing():
        buffer = np.empty((6, 3), np.float32)
        for start in range(0, ROWS, 6):
            buffer[:] = X[start : start + 6]
            yield buffer

    model = elegy.Model(lambda x: x, loss=lambda y_pred: y_pred.mean(-1))
    assert model.evaluate(reusing, verbose=0)["loss"] == pytest.approx(X.mean(), abs=1e-6)
