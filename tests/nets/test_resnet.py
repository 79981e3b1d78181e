"""Residual networks."""

import jax
import jax.numpy as jnp
import pytest

from elegy import nets

# Trainable parameters with 1000 outputs: torchvision's, and timm's for 200 layers.
PUBLISHED = {
    "ResNet18": 11_689_512,
    "ResNet34": 21_797_672,
    "ResNet50": 25_557_032,
    "ResNet101": 44_549_160,
    "ResNet152": 60_192_808,
    "ResNet200": 64_673_832,
}


def shapes(net, size):
    """Outputs and parameters, without computing anything."""
    x = jax.ShapeDtypeStruct((2, size, size, 3), jnp.float32)
    parameters, states = jax.eval_shape(net.init, jax.random.key(0), x)
    outputs, _ = jax.eval_shape(net.apply, parameters, states, x)
    return outputs, parameters


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_has_the_published_number_of_parameters_and_an_output_for_each_class(name):
    outputs, parameters = shapes(getattr(nets, name)(), 64)
    assert sum(leaf.size for leaf in jax.tree.leaves(parameters)) == PUBLISHED[name]
    assert outputs.shape == (2, 1000)
