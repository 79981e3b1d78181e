"""What every source keeps: each row once, named alike, exact whatever the batches, and going on where it was."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import data

from .table import Counted, Row, contract

X = np.linspace(-1, 1, 14, dtype="float32").reshape(7, 2)
Y = X[:, :1] - X[:, 1:]
WEIGHTS = np.array([1, 2, 0, 1, 0, 3, 1], "float32")
TWICE = [np.concatenate([values, values]) for values in (X, Y, WEIGHTS)]
CUTS = (slice(0, 3), slice(3, 6), slice(6, 7))


class Batches:
    """A sequence of batches."""

    def __len__(self):
        return len(CUTS)

    def __getitem__(self, number):
        return X[CUTS[number]], Y[CUTS[number]], WEIGHTS[CUTS[number]]


SAMPLES = [{"x": X[i], "y_true": Y[i], "sample_weight": WEIGHTS[i]} for i in range(7)]


class Samples(data.Dataset):
    """The seven rows one by one."""

    def __len__(self):
        return len(SAMPLES)

    def __getitem__(self, index):
        return SAMPLES[index]


def batches():
    return iter([Batches()[number] for number in range(3)])


OPEN = {"it_pickles": "what iterates is the user's, and opened by a function made for it"}

# `make()` makes a source of the seven rows in order, in batches of three.
ROWS = {
    "elegy.data.ArraySource": Row(
        lambda: data.ArraySource({"x": X, "y_true": Y, "sample_weight": WEIGHTS}, batch_size=3)
    ),
    "elegy.data.as_source, elegy.data.Source, elegy.data.Position": Row(
        lambda: data.as_source(X, Y, WEIGHTS, batch_size=3)
    ),
    "elegy.data.Batch": Row(lambda: data.as_source(data.Batch(x=X, y_true=Y, sample_weight=WEIGHTS), batch_size=3)),
    "elegy.data.SequenceSource": Row(lambda: data.as_source(Batches())),
    "elegy.data.DataLoader": Row(lambda: data.DataLoader(SAMPLES, 3)),
    "elegy.data.Dataset": Row(lambda: data.as_source(Samples(), batch_size=3)),
    "elegy.data.StreamSource": Row(lambda: data.as_source(batches), exempt=OPEN),
    "elegy.data.validation_split": Row(
        lambda: data.as_source(*data.validation_split(*TWICE, fraction=0.5)[1], batch_size=3)
    ),
    "elegy.data.endless, elegy.data.is_stream": Row(
        lambda: data.as_source(
            lambda: (batch for (_, batch), _ in zip(data.endless(data.as_source(batches), 0), CUTS, strict=False))
        ),
        exempt=OPEN,
    ),
}


@pytest.fixture(scope="module")
def loss():
    return Counted(lambda y_true, y_pred: jnp.mean(jnp.abs(y_true - y_pred), -1))


@pytest.fixture(scope="module")
def model(loss):
    """One model for all: its metric is the weighted mean of the absolute differences."""
    return elegy.Model(lambda x: x[:, :1], loss={"mae": loss}, metrics="mae", optimizer="sgd")


EXPECTED = float(np.sum(WEIGHTS * np.abs(Y - X[:, :1])[:, 0]) / WEIGHTS.sum())


@contract(ROWS)
def test_batches_of_uneven_sizes_are_exact(model, row):
    assert model.evaluate(row.make(), verbose=0)["mae"] == pytest.approx(EXPECTED, rel=1e-6)


@contract(ROWS)
def test_rows_of_weight_zero_count_for_nothing(row):
    rows = [batch["x"][batch["sample_weight"] > 0] for batch in row.make().batches(0)]
    np.testing.assert_array_equal(np.concatenate(rows), X[WEIGHTS > 0])


@contract(ROWS)
def test_structure_and_dtypes_are_the_same_for_each_batch(row):
    seen = list(row.make().batches(0))
    assert [len(batch["x"]) for batch in seen] == [3, 3, 1]
    assert len({(jax.tree.structure(batch), *(leaf.dtype for leaf in jax.tree.leaves(batch))) for batch in seen}) == 1


@contract(ROWS)
def test_peeking_takes_nothing_away(row):
    source = row.make()
    first = source.peek()
    jax.tree.map(np.testing.assert_array_equal, first, next(source.batches(0)))


@pytest.mark.filterwarnings("ignore:.*is a stream without positions")
@contract(ROWS)
def test_it_goes_on_where_it_was(row):
    source, again = row.make(), row.make()
    begun = source.batches(0)
    next(begun)
    again.restore(source.position())
    rest = [batch["x"] for batch in again.batches(0)]
    np.testing.assert_array_equal(np.concatenate(rest), X[3:])


@contract(ROWS)
def test_it_is_compiled_once(model, loss, row):
    model.evaluate(row.make(), verbose=0)
    before = loss.traces
    model.evaluate(row.make(), verbose=0)
    assert loss.traces == before


@contract(ROWS)
def test_jit_equals_eager(model, row):
    eager = elegy.Model(lambda x: x[:, :1], metrics="mae", run_eagerly=True)
    assert eager.evaluate(row.make(), verbose=0)["mae"] == pytest.approx(EXPECTED, rel=1e-6)


@contract(ROWS)
def test_it_pickles(row):
    again = pickle.loads(pickle.dumps(row.make()))
    np.testing.assert_array_equal(np.concatenate([batch["x"] for batch in again.batches(0)]), X)
