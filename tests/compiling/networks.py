"""Networks of every library as `(parameters, function of parameters and images)`, with what the rules look for."""

import equinox as eqx
import flax.linen as linen
import jax
import jax.numpy as jnp
from flax import nnx

import elegy

KEY = jax.random.key(0)
IMAGES = jax.random.normal(jax.random.key(1), (8, 16, 16, 3))
TOKENS = jax.random.normal(jax.random.key(2), (2, 6, 16))


def ours():
    """Strides, groups, overlapping pooling."""
    layers = [
        elegy.nn.Conv2D(16, 3),
        jax.nn.relu,
        elegy.nn.Conv2D(16, 3, stride=2),
        elegy.nn.MaxPool(3, 2, padding="SAME"),
        elegy.nn.Flatten(),
        elegy.nn.Linear(70),
    ]
    model = elegy.Model(elegy.nn.Sequential(layers))
    state = model.init(IMAGES)
    return state.parameters, lambda p, x: model.forward(state, {"x": x}, p, training=False).y_pred


class LinenNetwork(linen.Module):
    """Groups, a depthwise convolution, a transposed one, both kinds of pooling."""

    @linen.compact
    def __call__(self, x):
        x = linen.Conv(16, (3, 3))(x)
        x = linen.relu(linen.Conv(16, (3, 3), strides=(2, 2), feature_group_count=2)(x))
        x = linen.Conv(16, (5, 5), feature_group_count=16)(linen.avg_pool(x, (3, 3), padding="SAME"))
        x = linen.ConvTranspose(16, (4, 4), strides=(2, 2))(linen.max_pool(x, (2, 2), (2, 2)))
        return linen.Dense(70)(x.reshape(len(x), -1))


def linen_images():
    """The Linen network."""
    network = LinenNetwork()
    return network.init(KEY, IMAGES), network.apply


def linen_attention():
    """Attention: products with kernels of three axes."""
    network = linen.MultiHeadDotProductAttention(num_heads=2)
    return network.init(KEY, TOKENS), lambda p, x: network.apply(p, x).reshape(len(x), -1)


def nnx_images():
    """Dilation, a transposed convolution, average pooling that overlaps."""
    rngs = nnx.Rngs(0)
    layers = [
        nnx.Conv(3, 16, (3, 3), kernel_dilation=2, rngs=rngs),
        jax.nn.relu,
        nnx.ConvTranspose(16, 16, (3, 3), strides=(2, 2), rngs=rngs),
        lambda x: nnx.avg_pool(x, (3, 3), (2, 2)),
        nnx.Conv(16, 16, (3, 3), strides=(2, 2), rngs=rngs),
        lambda x: x.reshape(len(x), -1),
        nnx.Linear(1024, 70, rngs=rngs),
    ]
    graph, parameters, rest = nnx.split(nnx.Sequential(*layers), nnx.Param, ...)
    return parameters, lambda p, x: nnx.merge(graph, p, rest)(x)


def equinox_images():
    """Channels first, mapped over the batch."""
    keys = jax.random.split(KEY, 4)
    layers = [
        eqx.nn.Conv2d(3, 16, 3, padding=1, key=keys[0]),
        eqx.nn.Lambda(jax.nn.relu),
        eqx.nn.Conv2d(16, 16, 3, stride=2, padding=1, key=keys[1]),
        eqx.nn.Conv2d(16, 16, 3, groups=16, padding=1, key=keys[2]),
        eqx.nn.MaxPool2d(2, 2),
        eqx.nn.Lambda(jnp.ravel),
        eqx.nn.Linear(256, 70, key=keys[3]),
    ]
    parameters, rest = eqx.partition(eqx.nn.Sequential(layers), eqx.is_array)
    return parameters, lambda p, x: jax.vmap(eqx.combine(p, rest))(x.transpose(0, 3, 1, 2))


NETWORKS = {
    "ours": (ours, IMAGES),
    "Linen": (linen_images, IMAGES),
    "Linen, attention": (linen_attention, TOKENS),
    "NNX": (nnx_images, IMAGES),
    "Equinox": (equinox_images, IMAGES),
}
