"""Three networks that every library makes from the same initial values; a library is added with a set of builders."""

from collections.abc import Callable
from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import elegy

STEPS, ROWS, DECAY = 20, 8, 0.9
rs = np.random.RandomState(0)


def layer(*shape):
    return {"w": rs.randn(*shape).astype("float32") / 2, "b": rs.randn(shape[-1]).astype("float32") / 2}


def normalization(channels):
    return {"scale": 1 + rs.rand(channels).astype("float32"), "offset": rs.rand(channels).astype("float32")}


VALUES = {
    "mlp": {"hidden": layer(3, 8), "output": layer(8, 2)},
    "convolutions": {
        "stem": layer(3, 3, 1, 4),
        "stem_norm": normalization(4),
        "body": layer(3, 3, 4, 4),
        "body_norm": normalization(4),
        "output": layer(4, 2),
    },
    "shared": {"encoder": layer(3, 3), "blocks": [[layer(3, 3), layer(3, 3)], [layer(3, 3)]], "output": layer(3, 2)},
}
INPUTS = {
    name: rs.rand(STEPS, ROWS, *shape).astype("float32")
    for name, shape in {"mlp": (3,), "convolutions": (6, 6, 1), "shared": (3,)}.items()
}
TARGETS = rs.rand(STEPS, ROWS, 2).astype("float32")


# What the networks compute, of whole batches; `net` has the layers under the names of its values.
def run_mlp(net, x):
    return net.output(jax.nn.relu(net.hidden(x)))


def run_convolutions(net, x):
    x = jax.nn.relu(net.stem_norm(net.stem(x)))
    x = jax.nn.relu(net.body_norm(net.body(x)))
    return net.output(x.mean((1, 2)))


def run_shared(net, x):
    x = jnp.tanh(net.again(jnp.tanh(net.encoder(x))))
    for blocks in net.blocks:
        for block in blocks:
            x = x + jnp.tanh(block(x))
    return net.output(x)


RUNS = {"mlp": run_mlp, "convolutions": run_convolutions, "shared": run_shared}


class ElegyNetwork(elegy.Module):
    def __init__(self, run, values):
        super().__init__()
        self.run = run
        for name, made in made_of(values, elegy_layer).items():
            setattr(self, name, made)

    def call(self, x):
        return self.run(self, x)


def elegy_layer(name, values):
    if "scale" in values:
        options = {"scale_init": values["scale"], "offset_init": values["offset"]}
        return elegy.nn.BatchNormalization(decay_rate=DECAY, **options)
    options = {"w_init": values["w"], "b_init": values["b"]}
    if values["w"].ndim == 2:
        return elegy.nn.Linear(values["w"].shape[-1], **options)
    return elegy.nn.Conv2D(4, 3, stride=2 if name == "body" else 1, **options)


class NNXNetwork(nnx.Module):
    def __init__(self, run, values):
        self.run = run
        for name, made in made_of(values, nnx_layer).items():
            setattr(self, name, nnx.List([nnx.List(inner) for inner in made]) if name == "blocks" else made)

    def __call__(self, x):
        return self.run(self, x)


def nnx_layer(name, values):
    rngs = nnx.Rngs(0)
    if "scale" in values:
        made = nnx.BatchNorm(len(values["scale"]), momentum=DECAY, use_fast_variance=False, rngs=rngs)
        arrays = {"scale": values["scale"], "bias": values["offset"]}
    else:
        *window, inputs, outputs = values["w"].shape
        strides = 2 if name == "body" else 1
        made = (
            nnx.Conv(inputs, outputs, window, strides, rngs=rngs) if window else nnx.Linear(inputs, outputs, rngs=rngs)
        )
        arrays = {"kernel": values["w"], "bias": values["b"]}
    for attribute, array in arrays.items():
        setattr(made, attribute, nnx.Param(jnp.asarray(array)))
    return made


class EquinoxNetwork(eqx.Module):
    """Takes one sample; its layers are a dict, since the names of fields belong to the class."""

    run: Callable = eqx.field(static=True)
    layers: dict

    def __init__(self, run, values):
        self.run = run
        self.layers = made_of(values, equinox_layer)
        self.layers.pop("again", None)  # would be a copy

    def __call__(self, x):
        return self.run(SimpleNamespace(**self.layers, again=self.layers.get("encoder")), x)


class EquinoxConvolutions(EquinoxNetwork):
    def __call__(self, x, state):
        net = SimpleNamespace(**self.layers)
        x, state = net.stem_norm(net.stem(x.transpose(2, 0, 1)), state)
        x, state = net.body_norm(net.body(jax.nn.relu(x)), state)
        return net.output(jax.nn.relu(x).mean((1, 2))), state


def equinox_layer(name, values):
    key = jax.random.key(0)
    if "scale" in values:
        made = eqx.nn.BatchNorm(len(values["scale"]), axis_name="batch", momentum=DECAY, mode="batch")
        arrays = (values["scale"], values["offset"])
    elif values["w"].ndim == 2:
        made = eqx.nn.Linear(*values["w"].shape, key=key)
        arrays = (values["w"].T, values["b"])
    else:
        *window, inputs, outputs = values["w"].shape
        made = eqx.nn.Conv2d(inputs, outputs, window, 2 if name == "body" else 1, padding="SAME", key=key)
        arrays = (values["w"].transpose(3, 2, 0, 1), values["b"][:, None, None])
    return eqx.tree_at(lambda layer: (layer.weight, layer.bias), made, tuple(map(jnp.asarray, arrays)))


def equinox_network(name):
    if name == "convolutions":
        return eqx.nn.make_with_state(EquinoxConvolutions)(None, VALUES[name])
    return EquinoxNetwork(RUNS[name], VALUES[name])


def made_of(values, make):
    """By name the layers of a network; where one is named `encoder`, `again` is the same."""
    made = {
        name: [[make(name, leaf) for leaf in inner] for inner in value]
        if isinstance(value, list)
        else make(name, value)
        for name, value in values.items()
    }
    return {**made, "again": made["encoder"]} if "encoder" in made else made


# By library what makes a network of its name, and how `elegy.Model` takes it.
LIBRARIES = {
    "elegy": SimpleNamespace(build=lambda name: ElegyNetwork(RUNS[name], VALUES[name]), options={}),
    "equinox": SimpleNamespace(build=equinox_network, options={"batched": False}),
    "nnx": SimpleNamespace(build=lambda name: NNXNetwork(RUNS[name], VALUES[name]), options={}),
}
