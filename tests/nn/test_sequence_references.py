"""Attention and recurrent layers have the outputs and gradients of Keras, masks and states included."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn

keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(2, 4, 3)).astype("float32")
MEMORY = DRAW.normal(size=(2, 5, 6)).astype("float32")
STEPS = np.array([[True, True, True, True], [False, True, False, True]])
STATE = DRAW.normal(size=(2, 3)).astype("float32")
NAMES = ("kernel", "recurrent_kernel", "bias")


def close(ours, theirs):
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), ours, theirs)


def gradients(function, *args):
    """Outputs, and the gradients for all arguments of a sum in which each output counts differently."""

    def total(*args):
        outputs = function(*args)
        flat = jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(outputs)])
        return jnp.sum(flat * jnp.cos(jnp.arange(flat.size, dtype=flat.dtype))), outputs

    found, outputs = jax.jit(jax.grad(total, tuple(range(len(args))), has_aux=True))(*args)
    return outputs, found


def drawn(layer, *inputs):
    """Arrays for a layer; other values than first ones, so that biases are not zero."""
    shapes, _ = jax.eval_shape(layer.init, jax.random.key(0), *inputs)
    return jax.tree.map(lambda leaf: 0.5 * DRAW.normal(size=leaf.shape).astype("float32"), shapes)


def compared(ours, theirs, lists, **inputs):
    """Compare two layers; `lists` puts our arrays into the order of Keras'."""

    def expected(arrays, x):
        return theirs.stateless_call(lists(arrays), theirs.non_trainable_variables, x, **inputs)[0]

    parameters = drawn(ours, X)
    found = gradients(lambda parameters, x: ours.apply(parameters, {}, x, **inputs)[0], parameters, X)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        theirs.build(X.shape)
        close(found, gradients(expected, parameters, X))


def listed(arrays):
    return [arrays[name] for name in NAMES if name in arrays]


def pair(kind, **options):
    """Our layer, and Keras' one, which need not draw first values."""
    drawing_nothing = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
    return getattr(nn, kind)(3, **options), getattr(keras.layers, kind)(3, **options, **drawing_nothing)


@pytest.mark.parametrize(
    ("kind", "options", "inputs"),
    [
        ("SimpleRNN", {}, {"mask": STEPS, "initial_state": STATE}),
        ("SimpleRNN", {"activation": "relu", "return_sequences": True, "go_backwards": True, "use_bias": False}, {}),
        ("LSTM", {"return_sequences": True, "return_state": True}, {"mask": STEPS}),
        ("LSTM", {"go_backwards": True, "unroll": True}, {"mask": STEPS, "initial_state": [STATE, 2 * STATE]}),
        ("GRU", {"return_sequences": True, "go_backwards": True}, {"mask": STEPS, "initial_state": STATE}),
        ("GRU", {"reset_after": False, "recurrent_activation": "hard_sigmoid"}, {}),
    ],
)
def test_recurrent_layers(kind, options, inputs):
    compared(*pair(kind, **options), listed, **inputs)


@pytest.mark.parametrize("options", [{"return_sequences": True}, {"return_state": True, "merge_mode": "mul"}])
def test_bidirectional(options):
    merging = {"merge_mode": options.pop("merge_mode", "concat")}
    forwards, theirs = pair("GRU", **options)
    compared(
        nn.Bidirectional(forwards, **merging),
        keras.layers.Bidirectional(theirs, **merging),
        lambda arrays: listed(arrays["forward_layer"]) + listed(arrays["backward_layer"]),
        mask=STEPS,
    )


KEYS = np.array([[[True, True, False, True, True]], [[True, False, True, True, False]]])
PAIRS = DRAW.random((2, 4, 5)) < 0.7
PAIRS[..., 0] = True


@pytest.mark.parametrize(
    ("mask", "causal", "returned"),
    [(None, True, False), (KEYS, False, False), (PAIRS, True, False), (PAIRS, True, True)],
)
def test_attention_to_another_sequence(mask, causal, returned):
    ours = nn.MultiHeadAttention(4, 2, output_size=7, causal=causal, return_attn_coef=returned)
    theirs = keras.layers.MultiHeadAttention(2, 4, output_shape=7)
    parameters = drawn(ours, X, MEMORY)

    def lists(arrays):
        """Keras has biases for queries, keys and values too; its kernels are `(features, heads, size)`."""
        kernels = [jnp.swapaxes(arrays[f"{name}_kernel"], 0, 1) for name in ("query", "key", "value")]
        with_biases = [array for kernel in kernels for array in (kernel, jnp.zeros((2, 4)))]
        return [*with_biases, arrays["projection_kernel"], arrays["projection_bias"]]

    def expected(arrays, x, memory):
        options = {"attention_mask": mask, "use_causal_mask": causal, "return_attention_scores": returned}
        variables = lists(arrays), theirs.non_trainable_variables
        return theirs.stateless_call(*variables, x, memory, **options)[0]

    found = gradients(lambda arrays, *xs: ours.apply(arrays, {}, *xs, mask=mask)[0], parameters, X, MEMORY)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        theirs.build(X.shape, MEMORY.shape)
        close(found, gradients(expected, parameters, X, MEMORY))
