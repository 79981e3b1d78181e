"""Any callable is a module (M1), and how `x` is bound to its call (M2)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.nn import Linear


def shapes(model, x):
    return jax.tree.map(jnp.shape, model.init(x).parameters)


def test_a_plain_class_trains_the_modules_it_creates_while_called(rows):
    class Plain:
        def call(self, x):
            return Linear(1)(jnp.tanh(Linear(4)(x)))

    model = elegy.Model(Plain(), loss="mse", optimizer="sgd")
    before = model.init(rows, rows[:, :1]).parameters["linear_1"]["w"]
    model.fit(rows, rows[:, :1], verbose=0)
    assert shapes(model, rows) == {"linear": {"w": (4, 1), "b": (1,)}, "linear_1": {"w": (3, 4), "b": (4,)}}
    assert not np.allclose(before, model.parameters["linear_1"]["w"])


def test_a_plain_class_with_dunder_call_and_modules_in_attributes(rows):
    class Plain:
        def __init__(self):
            self.encoder = Linear(2)

        def __call__(self, x):
            return self.encoder(x)

    assert shapes(elegy.Model(Plain()), rows) == {"encoder": {"w": (3, 2), "b": (2,)}}


def test_a_function_may_use_a_module_from_outside(rows):
    linear = Linear(2)
    model = elegy.Model(lambda x: linear(x))
    assert shapes(model, rows) == {"linear": {"w": (3, 2), "b": (2,)}}
    np.testing.assert_allclose(linear.w, model.module and model.parameters["linear"]["w"])


def test_a_pair_of_functions_is_a_module(rows):
    def init(key, x):
        return {"w": jax.random.normal(key, (x.shape[-1], 1))}

    model = elegy.Model((init, lambda parameters, x: x @ parameters["w"]), loss="mse", optimizer="sgd")
    model.fit(rows, rows[:, :1], verbose=0)
    np.testing.assert_allclose(model.predict(rows, verbose=0), rows @ model.parameters["w"], rtol=1e-5)


def test_the_parameters_of_a_pair_may_be_any_tree(rows):
    def init(key, x):
        return [(jnp.ones((x.shape[-1], 4)), jnp.zeros(4)), jnp.ones(4)], (jnp.int32(0),)

    def apply(layers, x, *, states):
        ((w, b), last), (calls,) = layers, states
        return (x @ w + b) @ last, (calls + 1,)

    model = elegy.Model((init, apply), loss=lambda y_pred: y_pred, optimizer="sgd")
    model.fit(rows, batch_size=len(rows), verbose=0)
    assert jax.tree.map(jnp.shape, model.parameters) == {"0": {"0": (3, 4), "1": (4,)}, "1": (4,)}
    assert model.states.keys() == {"0"} and int(model.states["0"]) == 1
    rate = model.state.optimizer["**"].hyperparams["learning_rate"]
    np.testing.assert_allclose(model.parameters["0"]["1"], -rate * np.ones(4), rtol=1e-5)


def test_the_parameters_of_a_pair_may_be_one_array(rows):
    model = elegy.Model((lambda key, x: jnp.ones(x.shape[-1]), lambda w, x: x @ w))
    np.testing.assert_allclose(model.predict(rows, verbose=0), rows.sum(-1), rtol=1e-5)
    assert list(model.parameters) == ["0"]


def test_a_pair_may_ask_for_training_key_and_states(rows):
    def init(key, x):
        return {}, {"calls": jnp.int32(0)}

    def apply(parameters, x, *, training, key, states):
        return x + jax.random.normal(key) * training, {"calls": states["calls"] + training}

    model = elegy.Model((init, apply), loss=lambda y_pred: y_pred, optimizer="sgd")
    model.fit(rows, batch_size=4, epochs=3, verbose=0)
    assert int(model.states["calls"]) == 6
    np.testing.assert_allclose(model.predict(rows, verbose=0), rows)


@pytest.mark.parametrize(
    ("module", "match"), [(Linear, r"`Linear\(\.\.\.\)`, with"), (3, "neither `call` nor"), ("net", "str was given")]
)
def test_what_is_no_module_is_an_error(module, match):
    with pytest.raises(TypeError, match=match):
        elegy.Model(module)


def test_training_is_never_filled_from_x(rows):
    class Asks(elegy.Module):
        def call(self, m, n, training):
            return m - n if training else m + n

    model = elegy.Model(Asks())
    with pytest.raises(TypeError, match="`training` is never filled from `x`"):
        model.predict((rows, rows, rows), verbose=0)
    np.testing.assert_allclose(model.predict((rows, rows), verbose=0), 2 * rows)


def test_a_list_of_arrays_is_positional_and_a_list_of_numbers_is_one_array(rows):
    np.testing.assert_allclose(elegy.Model(lambda m, n: m - n).predict([rows, rows], verbose=0), 0 * rows)
    np.testing.assert_allclose(elegy.Model(lambda m: 2 * m).predict([[1, 2], [3, 4]], verbose=0), [[2, 4], [6, 8]])


def test_optional_inputs_keep_their_defaults(rows):
    np.testing.assert_allclose(elegy.Model(lambda m, n=2.0: m * n).predict({"m": rows}, verbose=0), 2 * rows)


def test_a_missing_input_is_named(rows):
    with pytest.raises(
        TypeError, match=r"asks for `image`, which `x` does not have. It has: imagee.*Did you mean `imagee`"
    ):
        elegy.Model(lambda image: image).predict({"imagee": rows}, verbose=0)


def test_a_namedtuple_is_passed_whole(rows):
    class Graph(NamedTuple):
        nodes: np.ndarray
        edges: np.ndarray

    model = elegy.Model(lambda graph: graph.nodes + graph.edges)
    np.testing.assert_allclose(model.predict(Graph(rows, rows), verbose=0), 2 * rows)


def test_a_key_training_of_a_dict_wins_over_the_flag(rows):
    model = elegy.Model(lambda m, training: m * training)
    np.testing.assert_allclose(model.predict({"m": rows, "training": 5 * np.ones_like(rows)}, verbose=0), 5 * rows)


@pytest.mark.parametrize("name", ["y_true", "sample_weight", "parameters"])
def test_a_module_may_not_ask_for_what_losses_see(rows, name):
    namespace = {}
    exec(f"def module(m, {name}): return m", namespace)
    with pytest.raises(TypeError, match="inputs and `training` only"):
        elegy.Model(namespace["module"]).predict(rows, verbose=0)


def test_training_is_true_in_fit_and_false_elsewhere_for_everybody(rows):
    seen = []

    def module(x, training):
        seen.append(("module", training))
        return x

    def loss(y_pred, training):
        seen.append(("loss", training))
        return y_pred

    def metric(y_pred, training):
        seen.append(("metric", training))
        return y_pred

    model = elegy.Model(module, loss=loss, metrics=metric, optimizer="sgd")
    model.train_on_batch(rows)
    assert {("loss", True), ("metric", True), ("module", True)} <= set(seen)
    seen.clear()
    model.evaluate(rows, verbose=0)
    model.predict(rows, verbose=0)
    assert set(seen) == {("module", False), ("loss", False), ("metric", False)}
