"""Simple recurrent layers, LSTM, GRU, and both directions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nn

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
STEPS = np.array([[True, True, False, False], [True] * 4])


@pytest.mark.parametrize("kind", [nn.SimpleRNN, nn.LSTM, nn.GRU])
def test_steps_that_are_not_there_change_nothing(kind):
    layer = kind(3)
    parameters, _ = layer.init(jax.random.key(0), X)
    outputs, _ = layer.apply(parameters, {}, X, mask=STEPS)
    shorter, _ = layer.apply(parameters, {}, X[:1, :2])
    np.testing.assert_allclose(outputs[:1], shorter, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [nn.SimpleRNN, nn.LSTM, nn.GRU])
def test_a_sequence_may_be_read_in_two_calls(kind):
    layer = kind(3, return_state=True)
    parameters, _ = layer.init(jax.random.key(0), X)
    (_, *states), _ = layer.apply(parameters, {}, X[:, :2])
    in_two, _ = layer.apply(parameters, {}, X[:, 2:], initial_state=states)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), in_two, layer.apply(parameters, {}, X)[0])


def test_only_the_forget_gate_of_an_lstm_begins_open():
    def bias(**options):
        parameters, _ = nn.LSTM(1, kernel_initializer=0.0, recurrent_initializer=0.0, **options).init(
            jax.random.key(0), X
        )
        return parameters["bias"].tolist()

    assert bias() == [0, 1, 0, 0]
    assert bias(bias_initializer=elegy.initializers.Constant(5)) == [5, 1, 5, 5]
    assert bias(bias_initializer=np.arange(4.0, dtype="float32")) == [0, 1, 2, 3]
    assert bias(unit_forget_bias=False) == [0, 0, 0, 0]


def test_dropout_forgets_the_same_inputs_in_all_steps_while_training_only():
    layer = nn.SimpleRNN(1, activation=None, kernel_initializer=1.0, recurrent_initializer=0.0, dropout=0.5)
    layer.return_sequences = True
    ones = np.ones((8, 3, 1), "float32")
    parameters, _ = layer.init(jax.random.key(0), ones)
    outputs, _ = layer.apply(parameters, {}, ones, training=True, key=jax.random.key(1))
    assert set(outputs[:, 0, 0].tolist()) == {0, 2} and (outputs == outputs[:, :1]).all()
    assert (layer.apply(parameters, {}, ones)[0] == 1).all()
    recurrent = nn.SimpleRNN(
        1, activation=None, kernel_initializer=0.0, recurrent_initializer=1.0, recurrent_dropout=0.5
    )
    states, _ = recurrent.apply(
        {**parameters, "recurrent_kernel": jnp.ones((1, 1)), "kernel": jnp.zeros((1, 1))},
        {},
        ones,
        initial_state=np.ones((8, 1), "float32"),
        training=True,
        key=jax.random.key(1),
    )
    assert set(states.ravel().tolist()) == {0, 8}


def test_both_directions_are_merged():
    layer = nn.Bidirectional(nn.SimpleRNN(2), None)
    parameters, _ = layer.init(jax.random.key(0), X)

    @jax.jit
    def outputs(parameters):
        found = {}
        for layer.merge_mode in (None, "sum", "mul", "ave"):
            found[str(layer.merge_mode)], _ = layer.apply(parameters, {}, X)
        return found

    found = outputs(parameters)
    first, second = found.pop("None")
    expected = {"sum": first + second, "mul": first * second, "ave": (first + second) / 2}
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found, expected)


def test_both_directions_take_their_states_and_may_be_different_layers():
    layer = nn.Bidirectional(
        nn.LSTM(2, return_state=True), backward_layer=nn.GRU(3, return_state=True, go_backwards=True)
    )
    key = jax.random.key(0)
    outputs, _ = jax.eval_shape(lambda: layer.apply(*layer.init(key, X), X))
    assert jax.tree.map(jnp.shape, outputs) == ((2, 5), (2, 2), (2, 2), (2, 3))
    same, states = nn.Bidirectional(nn.SimpleRNN(2)), [np.ones((2, 2), "float32")] * 2
    parameters, _ = same.init(key, X)
    compiled = jax.jit(lambda states: same.apply(parameters, {}, X[:, :0], initial_state=states)[0])
    assert compiled([states[0], 2 * states[1]]).tolist() == [[1, 1, 2, 2]] * 2


def test_made_in_a_call_both_directions_are_found_again():
    class Net(elegy.Module):
        def call(self, x):
            return nn.Bidirectional(nn.SimpleRNN(2))(x)

    net = Net()
    np.testing.assert_allclose(net(X), net(X))


@pytest.mark.parametrize("options", [{"param_dtype": jnp.bfloat16}, {"dtype": jnp.bfloat16}])
def test_it_computes_in_the_dtype_of_its_parameters_or_in_its_own(options):
    layer = nn.GRU(2, **options)
    parameters, _ = jax.eval_shape(layer.init, jax.random.key(0), X)
    assert parameters["kernel"].dtype == options.get("param_dtype", jnp.float32)
    assert jax.eval_shape(layer.apply, parameters, {}, X)[0].dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.LSTM(0), ValueError, r"`LSTM` was given units=0\."),
        (lambda: nn.GRU(2)(X[0]), ValueError, r"`GRU` was called with f32\[4,3\]\. It takes three axes"),
        (
            lambda: nn.GRU(2, stateful=True),
            ValueError,
            r"`GRU` was given stateful=True\. .*\. Write `return_state=True`",
        ),
        (lambda: nn.GRU(2, activation="tan"), ValueError, r"activation='tan'\. It knows: .*\. Did you mean `tanh`"),
        (lambda: nn.GRU(2, recurrent_activation=3), ValueError, r"recurrent_activation=3\. It knows"),
        (lambda: nn.LSTM(2, recurrent_activation="gate"), ValueError, r"recurrent_activation='gate'\."),
        (lambda: nn.LSTM(2, with_bias=False), TypeError, r"`with_bias=`, .*\. Here it is called `use_bias`"),
        (lambda: nn.LSTM(2, seed=1), TypeError, r"`seed=`, which does not exist\. .* Leave it out"),
        (lambda: nn.LSTM(2, recurrent_dropout=-1), ValueError, r"given recurrent_dropout=-1"),
        (lambda: nn.LSTM(2, kernel_initializer="zeros"), ValueError, r"given kernel_initializer='zeros'"),
        (lambda: nn.LSTM(2, use_bias=False, bias_initializer=0.0), ValueError, r"With use_bias=False"),
        (lambda: nn.GRU(2, reset_after=1), ValueError, r"given reset_after=1\. It is a switch"),
        (
            lambda: nn.GRU(2)(X, mask=STEPS[:, :3]),
            ValueError,
            r"`GRU` was given a mask bool\[2,3\] for f32\[2,4,6\]\. .*its shape is \(2, 4\)\. Give such a mask",
        ),
        (
            lambda: nn.LSTM(2)(X, initial_state=np.ones((2, 2))),
            ValueError,
            r"given initial_state=\['f32\[2,2\]'\]\. Its states are 2 of shape \(2, 2\).*\. Give such",
        ),
        (lambda: nn.Bidirectional(nn.Linear(2)), TypeError, r"given a Linear as `layer`\. .*\. Give a `SimpleRNN"),
        (lambda: nn.Bidirectional(nn.GRU(2), "concatenate"), ValueError, r"merge_mode='concatenate'.*mean `concat`"),
        (
            lambda: nn.Bidirectional(nn.GRU(2), backward_layer=nn.GRU(2)),
            ValueError,
            r"`backward_layer` with go_backwards=False\. It reads the other way.*\. Set",
        ),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, error, message):
    with pytest.raises(error, match=message):
        make()
