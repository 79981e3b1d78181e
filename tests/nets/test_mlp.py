"""The multilayer perceptron, and what networks refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nets

X = np.array([[1.0, -2.0]], "float32")


def test_it_has_an_activation_between_its_layers_only():
    mlp = nets.MLP([2, 1], w_init=jnp.ones)
    parameters, _ = mlp.init(jax.random.key(0), X)
    assert mlp.apply(parameters, {}, X)[0].tolist() == [[0]]
    mlp.activation = None
    assert mlp.apply(parameters, {}, X)[0].tolist() == [[-2]]


def test_it_keeps_its_parameters_in_param_dtype():
    parameters, _ = jax.eval_shape(nets.MLP([2], param_dtype=jnp.bfloat16, with_bias=False).init, jax.random.key(0), X)
    assert parameters["linear"] == {"w": jax.ShapeDtypeStruct((2, 2), jnp.bfloat16)}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nets.MLP(8), ValueError, r"`MLP` was given features=8\. It takes a number for each .*\. Give a list"),
        (lambda: nets.MLP([]), ValueError, r"given features=\[\]"),
        (lambda: nets.MLP([0]), ValueError, r"given features=0\."),
        (lambda: nets.MLP([2], activation="rel"), ValueError, r"activation='rel'.*Did you mean `relu`"),
        (lambda: nets.MLP([2], "relu", with_bias=2), ValueError, r"given with_bias=2\. It is a switch"),
        (lambda: nets.MLP(hidden_sizes=[2], features=[2]), TypeError, r"Here it is called `features`"),
        (lambda: nets.ResNet(3, nets.ResNetBlock), ValueError, r"`ResNet` was given stages=3"),
        (lambda: nets.ResNet([1], "basic"), TypeError, r"given a str as `block_type`\. .*\. Give a class"),
        (lambda: nets.ResNet([1], nets.ResNetBlock, num_classes=2), TypeError, r"it is called `output_size`"),
        (lambda: nets.ResNet18(output_size=0), ValueError, r"given output_size=0"),
        (lambda: nets.ResNetBlock(4, strides=(1, 2, 3)), ValueError, r"`ResNetBlock` was given strides=\(1, 2, 3\)"),
        (lambda: nets.ResNetBlock(4).init(jax.random.key(0), X), ValueError, r"`Conv2D` at `conv2_d` was called"),
    ],
)
def test_bad_input_is_an_error_that_names_the_network(make, error, message):
    with pytest.raises(error, match=message):
        make()
