"""The networks as plain functions of their parameters, for the loops that are written by hand."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax

from .works import Work


def network(work: Work, canonical: bool = False) -> Any:
    """The function `(parameters, x) -> scores` of a work.

    Args:
        work: what is trained.
        canonical: convolve in the layout that XLA knows also inside loops on CPU, forward and backward.
    """
    conv = canonical_conv if canonical else plain_conv
    apply = {"mlp": mlp, "two_heads": two_heads, "decoder": functools.partial(decoder, work)}
    return apply.get(work.network, functools.partial(conv_net, conv))


def dense(layer: Any, x: jax.Array) -> jax.Array:
    return x @ layer["w"] + layer["b"]


def mlp(parameters: Any, x: jax.Array) -> jax.Array:
    *hidden, head = (parameters[f"layer_{number}"] for number in range(len(parameters)))
    for layer in hidden:
        x = jax.nn.relu(dense(layer, x))
    return dense(head, x)


def two_heads(parameters: Any, x: jax.Array) -> dict[str, jax.Array]:
    x = jax.nn.relu(dense(parameters["body"], x))
    return {side: dense(parameters[side], x) for side in ("left", "right")}


def conv_net(conv: Any, parameters: Any, x: jax.Array) -> jax.Array:
    x = jax.nn.relu(conv(x, parameters["conv_1"]["w"], 1) + parameters["conv_1"]["b"])
    x = jax.nn.relu(conv(x, parameters["conv_2"]["w"], 2) + parameters["conv_2"]["b"])
    x = jax.nn.relu(dense(parameters["hidden"], x.reshape(len(x), -1)))
    return dense(parameters["head"], x)


def norm(layer: Any, x: jax.Array) -> jax.Array:
    centred = x - x.mean(-1, keepdims=True)
    variance = jnp.square(centred).mean(-1, keepdims=True)
    return centred * lax.rsqrt(variance + 1e-5) * layer["scale"] + layer["offset"]


def decoder(work: Work, parameters: Any, x: jax.Array) -> jax.Array:
    x = parameters["words"]["embeddings"][x] + parameters["places"]["embeddings"]
    for number in range(work.layers):
        block = parameters[f"block_{number}"]
        x = x + dense(block["mixed"], attend(work, dense(block["query_key_value"], norm(block["norm_1"], x))))
        x = x + dense(block["narrow"], jax.nn.gelu(dense(block["wide"], norm(block["norm_2"], x))))
    return dense(parameters["head"], norm(parameters["norm"], x))


def attend(work: Work, projected: jax.Array) -> jax.Array:
    """Causal attention over queries, keys and values that lie side by side on the last axis."""
    heads = (*projected.shape[:-1], work.heads, work.width // work.heads)
    query, key, value = (part.reshape(heads) for part in jnp.split(projected, 3, axis=-1))
    mixed = jax.nn.dot_product_attention(query, key, value, is_causal=True)
    return mixed.reshape(*projected.shape[:-1], work.width)


_DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def plain_conv(x: jax.Array, w: jax.Array, stride: int) -> jax.Array:
    return lax.conv_general_dilated(x, w, (stride, stride), "SAME", dimension_numbers=_DIMENSIONS)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def canonical_conv(x: jax.Array, w: jax.Array, stride: int) -> jax.Array:
    """A convolution whose gradients are convolutions in the same layout, behind transposes that are written out.

    Those that JAX makes have other dimension numbers, for which XLA has no fast kernel inside of a loop on CPU: a scan
    over them would take 20 times as long, and nothing could be learned from a comparison with it.
    """
    return plain_conv(x, w, stride)


def _forward(x: jax.Array, w: jax.Array, stride: int) -> tuple[jax.Array, Any]:
    return plain_conv(x, w, stride), (x, w)


def _backward(stride: int, saved: Any, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, w = saved
    strides, axes = (stride, stride), (0, 1)
    before = [pads[0] for pads in lax.padtype_to_pads(x.shape[1:3], w.shape[:2], strides, "SAME")]
    reach = [(gradient.shape[axis + 1] - 1) * stride + 1 for axis in axes]  # of the gradient, dilated by the stride
    around_g = [(w.shape[a] - 1 - before[a], x.shape[a + 1] + before[a] - reach[a]) for a in axes]
    around_x = [(before[a], w.shape[a] - 1 + reach[a] - x.shape[a + 1] - before[a]) for a in axes]
    flipped = w[::-1, ::-1].swapaxes(2, 3)
    to_x = lax.conv_general_dilated(
        gradient, flipped, (1, 1), around_g, lhs_dilation=strides, dimension_numbers=_DIMENSIONS
    )
    to_w = lax.conv_general_dilated(
        x.transpose(3, 1, 2, 0),
        gradient.transpose(1, 2, 0, 3),
        (1, 1),
        around_x,
        rhs_dilation=strides,
        dimension_numbers=_DIMENSIONS,
    )
    return to_x, to_w.transpose(1, 2, 0, 3)


canonical_conv.defvjp(_forward, _backward)


def logs_of(scores: Any, labels: Any) -> tuple[jax.Array, jax.Array]:
    """The sum of the heads' mean crossentropies, and each head's accuracy."""
    pairs = list(zip(jax.tree.leaves(scores), jax.tree.leaves(labels), strict=True))
    loss = sum(optax.softmax_cross_entropy_with_integer_labels(s, y).mean() for s, y in pairs)
    return jnp.asarray(loss), jnp.stack([(s.argmax(-1) == y).mean() for s, y in pairs])
