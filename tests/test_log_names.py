"""How logs call losses and metrics: every row of the table of log names, once for losses and once for metrics."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.losses import MeanAbsoluteError, MeanSquaredError

MSE, MAE = MeanSquaredError, MeanAbsoluteError


class N(elegy.Loss):
    def call(self, y_true, y_pred):
        return {"a": jnp.mean(jnp.square(y_true - y_pred), -1)}


class FooLoss(N):
    pass


class Nested(elegy.Loss):
    def call(self, y_pred):
        return {"a": {"b": y_pred[:, 0], "c": y_pred[:, 1]}}


def my_fn(y_pred):
    return jnp.mean(y_pred, -1)


def my_parts(y_pred):
    return {"a": my_fn(y_pred), "b": my_fn(y_pred)}


def names(rows, **kwargs):
    return list(elegy.Model(lambda x: x, **kwargs).evaluate(rows, rows, verbose=0))


LOSSES = [
    (MSE(), ["mean_squared_error_loss"]),
    ([MSE(), MSE(), MSE()], ["mean_squared_error_loss", "mean_squared_error_loss_1", "mean_squared_error_loss_2"]),
    ({"p": MSE(), "q": MAE()}, ["p_loss/mean_squared_error", "q_loss/mean_absolute_error"]),
    (
        {"p": [MSE(), MSE()], "q": {"r": MAE()}},
        ["p_loss/mean_squared_error", "p_loss/mean_squared_error_1", "q_loss/r/mean_absolute_error"],
    ),
    ([{"p": MSE()}, {"p": MSE()}], ["p_loss/mean_squared_error", "p_loss/mean_squared_error_1"]),
    ({"my_loss": MSE()}, ["my_loss/mean_squared_error"]),
    (MSE(name="foo_loss"), ["foo_loss"]),
    (MSE(name="foo"), ["foo_loss"]),
    (FooLoss(), ["foo_loss/a"]),
    (my_fn, ["my_fn_loss"]),
    ([lambda y_pred: my_fn(y_pred), lambda y_pred: my_fn(y_pred)], ["lambda_loss", "lambda_loss_1"]),
    ({"z": my_fn}, ["z_loss/my_fn"]),
    (N(), ["n_loss/a"]),
    ([N(), N()], ["n_loss/a", "n_loss/a_1"]),
    ({"k": N()}, ["k_loss/n/a"]),
    (Nested(), ["nested_loss/a/b", "nested_loss/a/c"]),
    ("mse", ["mse_loss"]),
    ([None, MSE(), None], ["mean_squared_error_loss"]),
]

METRICS = [
    (elegy.metrics.Mean(), ["mean"]),
    ([elegy.metrics.Mean(), elegy.metrics.Mean()], ["mean", "mean_1"]),
    ({"p": elegy.metrics.Mean()}, ["p/mean"]),
    ({"q": [elegy.metrics.Sum()]}, ["q/sum"]),
    (my_fn, ["my_fn"]),
    (lambda y_pred: my_fn(y_pred), ["lambda"]),
    (my_parts, ["my_parts/a", "my_parts/b"]),
    ([my_parts, my_parts], ["my_parts/a", "my_parts/b", "my_parts/a_1", "my_parts/b_1"]),
    (elegy.metrics.Mean(name="loss"), ["loss_1"]),
    (elegy.metrics.Mean(name="mean_squared_error_loss"), ["mean_squared_error_loss_1"]),
    (MAE(), ["mean_absolute_error"]),
    ({"k": N()}, ["k/n/a"]),
    (Nested(), ["nested/a/b", "nested/a/c"]),
    (["mae", None], ["mae"]),
]


@pytest.mark.parametrize(("loss", "expected"), LOSSES)
def test_losses_are_named(rows, loss, expected):
    assert names(rows, loss=loss) == ["loss", *expected]


@pytest.mark.parametrize(("metrics", "expected"), METRICS)
def test_metrics_are_named(rows, metrics, expected):
    assert names(rows, loss=MSE(), metrics=metrics) == ["loss", "mean_squared_error_loss", *expected]


def test_regularizers_are_named(rows):
    r = elegy.regularizers
    expected = ["l2_regularization_loss", "l1_regularization_loss", "global_l1_l2_loss"]
    model = elegy.Model(elegy.nn.Linear(1), loss=[r.GlobalL2(), r.GlobalL1(), r.GlobalL1L2(l1=0.1)])
    assert list(model.evaluate(rows, verbose=0)) == ["loss", *expected]


def test_validation_logs_have_a_prefix_and_nothing_leaks(rows):
    model = elegy.Model(elegy.nn.Linear(3), loss=[MSE(), N()], metrics=elegy.metrics.Mean(), optimizer=optax.sgd(0.1))
    history = model.fit(rows, rows, validation_data=(rows, rows), verbose=0).history
    training = ["loss", "mean_squared_error_loss", "n_loss/a", "mean"]
    assert list(history) == [*training, *(f"val_{name}" for name in training)]


def test_the_total_is_always_there(rows):
    assert elegy.Model(lambda x: x, metrics=my_fn).evaluate(rows, verbose=0)["loss"] == 0.0


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "MSE": "mse", "MLP": "mlp", "F1": "f1", "ABTest": "abtest", "HTTPServer": "httpserver",
        "GlobalL1L2": "global_l1_l2", "Conv2D": "conv2_d", "MyMSELoss": "my_mseloss",
    }.items(),
)  # fmt: skip
def test_class_names_become_snake_case(name, expected):
    assert elegy.Model(
        lambda x: x, metrics=type(name, (elegy.Metric,), {"call": lambda self, y_pred: y_pred})()
    ).evaluate(np.ones((2, 1)), verbose=0) == {"loss": 0.0, expected: 1.0}
