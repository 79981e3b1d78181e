"""Multi-head attention."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nn

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(2, 4, 3)).astype("float32")
MEMORY = DRAW.normal(size=(2, 5, 6)).astype("float32")


def test_a_query_that_sees_nothing_gets_zeros_and_finite_gradients():
    mask = np.array([[True] * 5, [False] * 5])
    attention = nn.MultiHeadAttention(2, 2, use_projection_bias=False)
    parameters, _ = attention.init(jax.random.key(0), X, MEMORY)

    def total(parameters, x):
        outputs, _ = attention.apply(parameters, {}, x, MEMORY, mask=mask)
        return jnp.sum(outputs), outputs

    gradients, outputs = jax.jit(jax.grad(total, (0, 1), has_aux=True))(parameters, X)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert outputs[0].any() and not outputs[1].any()


def test_a_mask_means_the_same_with_two_three_and_four_axes():
    mask = np.array([[True, False, True, True, False], [False, True, True, False, True]])
    attention = nn.MultiHeadAttention(2, 2)
    parameters, _ = attention.init(jax.random.key(0), X, MEMORY)
    masks = mask, mask[:, None], mask[:, None, None], np.broadcast_to(mask[:, None, None], (2, 2, 4, 5))
    outputs = jax.jit(lambda: [attention.apply(parameters, {}, X, MEMORY, mask=mask)[0] for mask in masks])()
    for other in outputs[1:]:
        np.testing.assert_allclose(other, outputs[0], rtol=1e-6)


def test_coefficients_add_up_to_one_and_are_zero_where_nothing_may_be_seen():
    mask = np.array([[True, True, False, False], [False] * 4])
    attention = nn.MultiHeadAttention(2, 3, return_attn_coef=True, causal=True)
    parameters, _ = attention.init(jax.random.key(0), X)
    (_, coefficients), _ = jax.jit(attention.apply)(parameters, {}, X, mask=mask)
    assert coefficients.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(coefficients[0].sum(-1), 1, rtol=1e-6)
    assert not coefficients[0, :, :, 2:].any() and not coefficients[0, :, 0, 1].any() and not coefficients[1].any()


def test_coefficients_are_dropped_while_training_only():
    attention, plain = nn.MultiHeadAttention(2, 2, dropout=0.5), nn.MultiHeadAttention(2, 2)
    parameters, _ = attention.init(jax.random.key(0), X)

    @jax.jit
    def outputs(key):
        training, _ = attention.apply(parameters, {}, X, training=True, key=key)
        return training, attention.apply(parameters, {}, X)[0], plain.apply(parameters, {}, X)[0]

    training, evaluated, expected = outputs(jax.random.key(1))
    np.testing.assert_allclose(evaluated, expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(training, expected, atol=1e-3)


@pytest.mark.parametrize("options", [{"param_dtype": jnp.bfloat16}, {"dtype": jnp.bfloat16}])
def test_it_computes_in_the_dtype_of_its_parameters_or_in_its_own(options):
    for returned in (False, True):
        layer = nn.MultiHeadAttention(2, 2, return_attn_coef=returned, **options)
        parameters, _ = jax.eval_shape(layer.init, jax.random.key(0), X)
        assert parameters["query_kernel"].dtype == options.get("param_dtype", jnp.float32)
        outputs, _ = jax.eval_shape(layer.apply, parameters, {}, X)
        assert {leaf.dtype for leaf in jax.tree.leaves(outputs)} == {jnp.dtype(jnp.bfloat16)}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.MultiHeadAttention(2, 2)(X[0]), ValueError, r"f32\[4,3\]\. It takes three axes, .*\. Reshape"),
        (lambda: nn.MultiHeadAttention(2, 2)(X[..., :0]), ValueError, r"f32\[2,4,0\]\. Its last axis, .* is empty"),
        (lambda: nn.MultiHeadAttention(2, 2)(X, MEMORY[:1]), ValueError, r"key f32\[1,5,6\] .*same batch.*\. Give"),
        (lambda: nn.MultiHeadAttention(2, 2)(X, MEMORY, X), ValueError, r"one value for each key\. Give sequences"),
        (
            lambda: nn.MultiHeadAttention(2, 2)(X, mask=np.ones((3, 4), bool)),
            ValueError,
            r"a mask bool\[3,4\]\. It takes \(2, 2, 4, 4\) .*, \(2, 4, 4\), or \(2, 4\).*`mask\[None\]`",
        ),
        (lambda: nn.MultiHeadAttention(2, 2)(X, mask=np.ones(4, bool)), ValueError, r"a mask bool\[4\]\. It takes"),
        (lambda: nn.MultiHeadAttention(2, 2)(X, mask=np.ones((2, 4))), TypeError, r"is boolean.*\. Write .*mask != 0"),
        (lambda: nn.MultiHeadAttention(0, 2), ValueError, r"head_size=0\."),
        (lambda: nn.MultiHeadAttention(2, 2, dropout=1), ValueError, r"dropout=1\. It is the probability"),
        (
            lambda: nn.MultiHeadAttention(2, 2, key_dim=2),
            TypeError,
            r"`key_dim=`, which .*\. Here it is called `head_size`",
        ),
        (lambda: nn.MultiHeadAttention(2, 2, w_init=jnp.ones), TypeError, r"it is called `kernel_initializer`"),
        (lambda: nn.MultiHeadAttention(2, 2, drop=1), TypeError, r"`drop=`, which .*\. Leave it out\. Did you mean"),
        (
            lambda: nn.MultiHeadAttention(2, 2, use_projection_bias=False, bias_initializer=jnp.ones),
            ValueError,
            r"With use_projection_bias=False there is no such parameter",
        ),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(call, error, message):
    with pytest.raises(error, match=rf"`MultiHeadAttention` was (given|called).*{message}"):
        call()


def test_inside_a_network_an_error_names_the_path():
    class Net(elegy.Module):
        def call(self, x):
            return nn.TransformerEncoder(lambda: nn.TransformerEncoderLayer(2, 2), 1)(x, mask=np.ones((5, 4), bool))

    where = "transformer_encoder/transformer_encoder_layer/multi_head_attention"
    with pytest.raises(ValueError, match=rf"`MultiHeadAttention` at `{where}` was given a mask bool\[5,4\]"):
        Net().init(jax.random.key(0), X)
