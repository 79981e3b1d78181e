"""Transformers: what may see what, and what they are made of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn

DRAW = np.random.default_rng(0)
SRC = DRAW.normal(size=(2, 5, 4)).astype("float32")
TGT = DRAW.normal(size=(2, 3, 4)).astype("float32")
THERE = np.array([[True] * 5, [True, True, True, False, False]])
SMALL = {"num_encoder_layers": 1, "num_decoder_layers": 1, "output_size": 3}


@pytest.fixture(scope="module")
def transformer():
    """The outputs of one by its inputs, compiled."""
    net = nn.Transformer(2, 2, **SMALL)
    parameters, _ = jax.jit(net.init)(jax.random.key(0), SRC, TGT)
    return jax.jit(lambda src, tgt, mask: net.apply(parameters, {}, src, tgt, src_mask=mask)[0])


def test_a_target_does_not_see_what_comes_later(transformer):
    changed = TGT.copy()
    changed[:, 2] += 1
    before, after = (transformer(SRC, tgt, THERE) for tgt in (TGT, changed))
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert not np.allclose(before[:, 2], after[:, 2])


def test_a_source_that_is_not_there_changes_nothing(transformer):
    changed = SRC.copy()
    changed[1, 3:] += 1
    np.testing.assert_array_equal(transformer(SRC, TGT, THERE), transformer(changed, TGT, THERE))
    assert not np.allclose(transformer(SRC, TGT, np.ones_like(THERE)), transformer(changed, TGT, np.ones_like(THERE)))


def test_an_encoder_layer_is_attention_and_two_dense_layers_each_added_and_normalized():
    layer = nn.TransformerEncoderLayer(2, 2, output_size=6, activation="tanh")
    parts = layer.init(jax.random.key(0), SRC)[0]

    @jax.jit
    def outputs(parts):
        def applied(part, name, x):
            return part.apply(parts[name], {}, x)[0]

        x = SRC + applied(nn.MultiHeadAttention(2, 2), "multi_head_attention", SRC)
        x = applied(nn.LayerNormalization(), "layer_normalization", x)
        y = applied(nn.Linear(4), "linear_1", jnp.tanh(applied(nn.Linear(6), "linear", x)))
        x = applied(nn.LayerNormalization(), "layer_normalization_1", x + y)
        return layer.apply(parts, {}, SRC)[0], x

    np.testing.assert_allclose(*outputs(parts), rtol=1e-5, atol=1e-6)


def test_parts_can_be_others():
    net = nn.Transformer(
        2, 2, custom_encoder=lambda: nn.TransformerEncoder(Plain, 2), custom_decoder=lambda: Written(name="decoder")
    )
    parameters, _ = jax.eval_shape(net.init, jax.random.key(0), SRC, TGT)
    assert set(parameters) == {"transformer_encoder", "decoder"} and len(parameters["transformer_encoder"]) == 2


class Plain(nn.Linear):
    def __init__(self):
        super().__init__(4)

    def call(self, x, mask=None):
        return super().call(x)


class Written(nn.Linear):
    def __init__(self, name):
        super().__init__(4, name=name)

    def call(self, tgt, memory, tgt_mask=None, memory_mask=None):
        return super().call(tgt) + jnp.mean(memory, axis=1, keepdims=True)


def test_it_computes_in_the_dtype_of_its_parameters():
    net = nn.Transformer(2, 2, **SMALL, param_dtype=jnp.bfloat16)
    parameters, _ = jax.eval_shape(net.init, jax.random.key(0), SRC, TGT)
    outputs, _ = jax.eval_shape(net.apply, parameters, {}, SRC, TGT)
    assert outputs.dtype == jnp.bfloat16
    assert {leaf.dtype for leaf in jax.tree.leaves(parameters)} == {jnp.dtype(jnp.bfloat16)}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.TransformerEncoderLayer(2, 0), ValueError, r"`TransformerEncoderLayer` was given num_heads=0\."),
        (lambda: nn.TransformerEncoderLayer(2, 2, 0), ValueError, r"given output_size=0\."),
        (lambda: nn.TransformerDecoderLayer(2, 2, nhead=2), TypeError, r"`nhead=`.*\. Here it is called `num_heads`"),
        (lambda: nn.TransformerDecoderLayer(2, 2, dropout=2), ValueError, r"given dropout=2\."),
        (lambda: nn.Transformer(activation="gel"), ValueError, r"activation='gel'\. .*Did you mean `gelu`"),
        (lambda: nn.Transformer(num_encoder_layers=0), ValueError, r"given num_encoder_layers=0\."),
        (lambda: nn.Transformer(2, 2)(SRC[0], TGT[0]), ValueError, r"`Transformer` was called with f32\[5,4\]"),
        (
            lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(2, 2), 2),
            TypeError,
            r"given a TransformerEncoderLayer as `encoder_layer`\. .*\. Write `encoder_layer=lambda: \.\.\.`",
        ),
        (lambda: nn.TransformerDecoder(lambda: None, 0), ValueError, r"`TransformerDecoder` was given num_layers=0"),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, error, message):
    with pytest.raises(error, match=message):
        make()
