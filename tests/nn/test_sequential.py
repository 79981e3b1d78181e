"""Layers one after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nn

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def layers():
    return [nn.Linear(5), jax.nn.relu, nn.Linear(2)]


def expected(first, last):
    return np.maximum(X @ np.asarray(first.w) + np.asarray(first.b), 0) @ np.asarray(last.w) + np.asarray(last.b)


@pytest.mark.parametrize("make", [lambda: nn.Sequential(layers()), lambda: nn.Sequential(tuple(layers()))])
def test_a_list_of_layers_runs_in_order(make):
    net = make()
    outputs = net(X)
    np.testing.assert_allclose(outputs, expected(net.layers[0], net.layers[2]), rtol=1e-4, atol=1e-5)
    assert list(net.parameters["layers"]) == ["0", "2"]


def test_layers_may_be_given_one_by_one():
    net = nn.Sequential(*layers())
    np.testing.assert_allclose(net(X), expected(net.layers[0], net.layers[2]), rtol=1e-4, atol=1e-5)


def test_a_function_makes_its_layers_once():
    net = nn.Sequential(lambda: [nn.Linear(5), jax.nn.relu, nn.Linear(2)])
    np.testing.assert_allclose(net(X), expected(net.linear, net.linear_1), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(net(X), net(X))


def test_the_first_layer_gets_all_arguments():
    net = nn.Sequential(lambda a, b, scale: (a + b) * scale, nn.Flatten())
    assert net(jnp.ones((1, 2)), jnp.ones((1, 2)), scale=3).tolist() == [[6.0, 6.0]]


def test_one_layer_is_no_function_that_makes_layers():
    np.testing.assert_array_equal(nn.Sequential(jax.nn.relu)(X), np.maximum(X, 0))
    assert nn.Sequential(nn.Linear(2))(X).shape == (4, 2)


def test_without_layers_the_input_passes():
    np.testing.assert_array_equal(nn.Sequential([])(X), X)


def test_training_reaches_every_layer_that_names_it():
    seen = []

    def spy(x, training):
        seen.append(training)
        return x

    net = nn.Sequential(nn.Dropout(0.9), spy, nn.Sequential(lambda: [nn.Dropout(0.9), spy]))
    np.testing.assert_array_equal(net.apply({}, {}, X, training=False)[0], X)
    assert seen[-2:] == [False, False]
    assert (np.asarray(net(X, training=True)) == 0).any()
    assert seen[-1] is True


def test_training_given_by_a_parent_wins():
    class Net(elegy.Module):
        def __init__(self):
            self.inner = nn.Sequential([nn.Dropout(0.9)])

        def call(self, x):
            return self.inner(x, training=False)

    np.testing.assert_array_equal(Net()(X, training=True), X)


def test_it_trains_with_dropout_and_batch_normalization_inside_a_model():
    net = nn.Sequential(
        lambda: [nn.Linear(16), nn.BatchNormalization(), jax.nn.relu, nn.Dropout(0.1), nn.Linear(2), jax.nn.softmax]
    )
    x = np.random.default_rng(1).normal(size=(128, 2)).astype("float32")
    y = (x[:, 0] > x[:, 1]).astype("int32")
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        loss = elegy.losses.SparseCategoricalCrossentropy()
        model = elegy.Model(net, loss=loss, metrics="accuracy", optimizer="adam")
        model.fit(x, y, epochs=40, batch_size=32, verbose=0)
        assert model.evaluate(x, y, verbose=0)["accuracy"] > 0.9
    assert model.states["batch_normalization"]["mean_ema"]["counter"] == 160


def test_a_class_is_an_error():
    with pytest.raises(
        TypeError, match=r"the class `Linear` as layer 1\. A layer is an instance\. Write `Linear\(\.\.\.\)`"
    ):
        nn.Sequential(jax.nn.relu, nn.Linear)


def test_what_cannot_be_called_is_an_error():
    with pytest.raises(
        TypeError, match=r"`Sequential` was given a int as layer 0\. A layer is a module or a function\. Give"
    ):
        nn.Sequential([3])
    with pytest.raises(TypeError, match=r"It returned a Linear\. Let it return a list"):
        nn.Sequential(lambda: nn.Linear(2))(X)


def test_the_function_runs_layers_as_children_of_the_call_and_hands_training_on():
    class Net(elegy.Module):
        def call(self, x, training):
            return nn.sequential(nn.Linear(3), nn.Dropout(0.5), jnp.abs)(x, training=training)

    net, x = Net(), np.ones((8, 2), "float32")
    parameters, states = net.init(jax.random.key(0), x)
    assert list(parameters) == ["linear"]
    zeros = [(net.apply(parameters, states, x, training=t, key=jax.random.key(1))[0] == 0).sum() for t in (True, False)]
    assert zeros[0] > 3 and zeros[1] == 0


def test_what_is_no_layer_is_an_error_of_the_function_too():
    with pytest.raises(TypeError, match=r"`sequential` was given the class `Linear` as layer 0\. .* Write `Linear"):
        nn.sequential(nn.Linear)
