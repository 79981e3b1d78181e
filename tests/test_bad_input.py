"""Bad input gets an error in three sentences before anything is compiled, and loses nothing."""

import numpy as np
import optax
import pytest

import elegy
from elegy.losses import MeanSquaredError, SparseCategoricalCrossentropy
from elegy.nn import Linear

X, Y = np.ones((4, 3), np.float32), np.ones((4, 1), np.float32)


def model(**kwargs):
    return elegy.Model(Linear(1), **{"loss": "mse", "optimizer": "sgd", **kwargs})


def fit(x=X, y=Y, *, loss="mse", **kwargs):
    return model(loss=loss).fit(x, y, verbose=0, **kwargs)


def fit_labels(y, **kwargs):
    classifier = elegy.Model(Linear(3), loss=SparseCategoricalCrossentropy(from_logits=True), optimizer="sgd")
    return classifier.fit(X, y, verbose=0, **kwargs)


def stream_labels(y):
    classifier = elegy.Model(Linear(3), loss=SparseCategoricalCrossentropy(from_logits=True), optimizer="sgd")
    return classifier.fit(iter([(X, y)]), verbose=0)


def only_without_a_mapping():
    one = model()
    return one.apply_gradients(one.init(X, Y), one.parameters, only="w")


CASES = {
    "unknown injected name": (
        lambda: fit(loss=lambda y_tru: y_tru),
        TypeError,
        r"asks for `y_tru`.*It has: x.*Did you mean `y_true`",
    ),
    "former name": (lambda: fit(loss=lambda preds: preds), TypeError, r"`preds` is called `y_pred`"),
    "wrong on": (
        lambda: elegy.Model(lambda a: {"a": a}, loss=MeanSquaredError(on="b")).evaluate({"a": X}, {"a": X}, verbose=0),
        KeyError,
        r"on='b'.*It has: a\.",
    ),
    "lengths differ": (lambda: fit(X, Y[:3]), ValueError, "ardinality"),
    "empty data": (lambda: fit(X[:0], Y[:0]), ValueError, "empty"),
    "labels out of range": (lambda: fit_labels(np.array([0, 1, 3, 2])), ValueError, "3"),
    "labels out of range in a stream": (lambda: stream_labels(np.array([0, 1, -1, 2])), ValueError, "-1"),
    "float labels": (lambda: fit_labels(Y[:, 0]), ValueError, "whole numbers"),
    "ranks differ": (lambda: fit(X, Y[:, 0]), ValueError, "shape"),
    "no loss": (lambda: elegy.Model(Linear(1), optimizer="sgd").fit(X, Y, verbose=0), ValueError, "no loss"),
    "no optimizer": (lambda: elegy.Model(Linear(1), loss="mse").fit(X, Y, verbose=0), ValueError, "no optimizer"),
    "neither": (lambda: elegy.Model(Linear(1)).fit(X, Y, verbose=0), ValueError, "no loss and no optimizer"),
    "nothing to evaluate": (lambda: elegy.Model(Linear(1)).evaluate(X), ValueError, "neither a loss nor metrics"),
    "unknown loss": (lambda: model(loss="mean_squared"), ValueError, "[Dd]id you mean"),
    "unknown metric": (lambda: model(metrics=["acuracy"]), ValueError, "Did you mean `accuracy`"),
    "unknown optimizer": (lambda: model(optimizer="adamm"), ValueError, "Did you mean `adam`"),
    "optimizer not called": (lambda: model(optimizer=optax.adam), TypeError, "with the call"),
    "optimizer of a wrong type": (lambda: model(optimizer=[1]), TypeError, "list"),
    "negative learning rate": (lambda: model(optimizer=-1.0), ValueError, "above 0"),
    "NaN in weights": (lambda: fit(sample_weight=np.array([1, np.nan, 1, 1])), ValueError, "NaN|finite"),
    "loss class": (lambda: model(loss=MeanSquaredError), TypeError, r"MeanSquaredError\(\.\.\.\)`, with parentheses"),
    "metric class": (lambda: model(metrics=[elegy.metrics.Mean]), TypeError, "with parentheses"),
    "a number as loss": (lambda: model(loss=3), TypeError, "value of type int"),
    "callback class": (lambda: fit(callbacks=[elegy.callbacks.TerminateOnNaN]), TypeError, "TerminateOnNaN"),
    "batch size 0": (lambda: fit(batch_size=0), ValueError, "batch_size=0"),
    "fractional epochs": (lambda: fit(epochs=1.5), ValueError, r"epochs=1\.5"),
    "negative initial epoch": (lambda: fit(initial_epoch=-1), ValueError, "initial_epoch"),
    "validation_split on a stream": (lambda: fit(iter([(X, Y)]), None, validation_split=0.5), ValueError, "split"),
    "validation_split of 1": (lambda: fit(validation_split=1.0), ValueError, "split"),
    "validation_freq 0": (lambda: fit(validation_data=(X, Y), validation_freq=0), ValueError, "validation_freq"),
    "validation data of 4": (lambda: fit(validation_data=(X, Y, Y, Y)), ValueError, "4 values"),
    "validation steps without data": (lambda: fit(validation_steps=3), ValueError, "nothing to validate on"),
    "validation frequency without data": (lambda: fit(validation_freq=2), ValueError, "nothing to validate on"),
    "an iterator to validate on twice": (
        lambda: fit(epochs=2, validation_data=iter([(X, Y)])),
        ValueError,
        "a function that makes a new iterator",
    ),
    "strings as data": (lambda: fit(np.array(["a", "b"]), Y[:2]), ValueError, "[Ss]tr|number"),
    "objects as data": (lambda: fit(object(), Y), ValueError, "to_numpy|object"),
    "y with a generator": (lambda: fit(iter([(X, Y)]), Y), ValueError, "`y`"),
    "unknown verbose": (lambda: model().fit(X, Y, verbose=7), ValueError, "verbose"),
    "unknown nonfinite": (lambda: fit(nonfinite="ignore"), ValueError, "nonfinite"),
    "unknown reduction": (lambda: MeanSquaredError(reduction="avg"), ValueError, "reductions are"),
    "unknown shuffle": (lambda: fit(shuffle="rows"), ValueError, "shuffle"),
    "class weight list": (lambda: fit_labels(np.zeros(4, int), class_weight=[1, 2]), TypeError, "maps classes"),
    "negative class weight": (lambda: fit_labels(np.zeros(4, int), class_weight={0: -1.0}), ValueError, "at least 0"),
    "weights of a wrong shape": (lambda: fit(sample_weight=np.ones((4, 7))), ValueError, "sample_weight"),
    "weights for an unknown output": (lambda: fit(sample_weight={"a": np.ones(4)}), ValueError, "`a`"),
    "compile": (lambda: model().compile("adam"), TypeError, "from the start"),
    "loss_weights": (lambda: model(loss_weights=[1]), TypeError, "weight=10"),
    "weighted_metrics": (lambda: model(weighted_metrics=[]), TypeError, "metrics="),
    "eager": (lambda: model(eager=True), TypeError, "run_eagerly=True"),
    "return_dict": (lambda: model().evaluate(X, Y, return_dict=False), TypeError, "always returns a dict"),
    "inputs": (lambda: model().fit(inputs=X, labels=Y), TypeError, "called `x`"),
    "a typo in fit": (lambda: fit(epoch=3), TypeError, "Did you mean `epochs`"),
    "a pattern without parameters": (
        lambda: model(optimizer={"encoder/*": "sgd", "**": "adam"}).fit(X, Y, verbose=0),
        ValueError,
        "names no parameter",
    ),
    "a parameter without pattern": (lambda: model(optimizer={"w": "sgd"}).fit(X, Y, verbose=0), ValueError, "`b`"),
    "only without a mapping": (only_without_a_mapping, ValueError, "has the patterns"),
    "one batch of a stream": (lambda: model().train_on_batch(iter([X])), ValueError, "One batch"),
    "wiring without data": (lambda: model().wiring(), ValueError, "no data"),
    "a loss without return": (lambda: fit(loss=lambda y_pred: None), TypeError, "returned None"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_a_clear_error(case):
    run, kind, match = CASES[case]
    with pytest.raises(kind, match=match) as caught:
        run()
    assert not isinstance(caught.value, (IndexError, StopIteration, AssertionError))
    assert str(caught.value).count(".") >= 2


def test_a_warning_is_not_an_error_for_a_stream_that_ends(tmp_path):
    assert fit(iter([(X, Y)]), None).epoch == [0]


def test_eager_and_other_words_of_the_past_are_all_refused():
    for word in ("inputs", "preds", "target", "rng"):
        with pytest.raises(TypeError, match="does not exist"):
            model(**{word: 1})
