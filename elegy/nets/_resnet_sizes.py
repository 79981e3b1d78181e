"""Residual networks of the published sizes."""

from typing import Any

import jax.numpy as jnp

from ._resnet import ResNet
from ._resnet_blocks import BottleneckResNetBlock, ResNetBlock


def ResNet18(
    lowres: bool = False,
    output_size: int = 1000,
    name: str | None = None,
    dtype: Any = None,
    param_dtype: Any = jnp.float32,
) -> ResNet:
    """A `ResNet` of 18 layers, 11.7 million parameters with 1000 outputs; arguments as there.

    Args:
        lowres: for small images, such as those of CIFAR-10.
        output_size: number of outputs, such as classes.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.

    Example:
        >>> import elegy
        >>> elegy.nets.ResNet18().stages
        (2, 2, 2, 2)
    """
    return ResNet((2, 2, 2, 2), ResNetBlock, lowres, output_size, name, dtype, param_dtype)


def ResNet34(
    lowres: bool = False,
    output_size: int = 1000,
    name: str | None = None,
    dtype: Any = None,
    param_dtype: Any = jnp.float32,
) -> ResNet:
    """A `ResNet` of 34 layers, 21.8 million parameters with 1000 outputs; arguments as there.

    Args:
        lowres: for small images, such as those of CIFAR-10.
        output_size: number of outputs, such as classes.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.

    Example:
        >>> import elegy
        >>> elegy.nets.ResNet34().stages
        (3, 4, 6, 3)
    """
    return ResNet((3, 4, 6, 3), ResNetBlock, lowres, output_size, name, dtype, param_dtype)


def ResNet50(
    lowres: bool = False,
    output_size: int = 1000,
    name: str | None = None,
    dtype: Any = None,
    param_dtype: Any = jnp.float32,
) -> ResNet:
    """A `ResNet` of 50 layers, 25.6 million parameters with 1000 outputs; arguments as there.

    Args:
        lowres: for small images, such as those of CIFAR-10.
        output_size: number of outputs, such as classes.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.

    Example:
        >>> import elegy
        >>> elegy.nets.ResNet50().stages
        (3, 4, 6, 3)
    """
    return ResNet((3, 4, 6, 3), BottleneckResNetBlock, lowres, output_size, name, dtype, param_dtype)


def ResNet101(
    lowres: bool = False,
    output_size: int = 1000,
    name: str | None = None,
    dtype: Any = None,
    param_dtype: Any = jnp.float32,
) -> ResNet:
    """A `ResNet` of 101 layers, 44.5 million parameters with 1000 outputs; arguments as there.

    Args:
        lowres: for small images, such as those of CIFAR-10.
        output_size: number of outputs, such as classes.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.

    Example:
        >>> import elegy
        >>> elegy.nets.ResNet101().stages
        (3, 4, 23, 3)
    """
    return ResNet((3, 4, 23, 3), BottleneckResNetBlock, lowres, output_size, name, dtype, param_dtype)


def ResNet152(
    lowres: bool = False,
    output_size: int = 1000,
    name: str | None = None,
    dtype: Any = None,
    param_dtype: Any = jnp.float32,
) -> ResNet:
    """A `ResNet` of 152 layers, 60.2 million parameters with 1000 outputs; arguments as there.

    Args:
        lowres: for small images, such as those of CIFAR-10.
        output_size: number of outputs, such as classes.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.

    Example:
        >>> import elegy
        >>> elegy.nets.ResNet152().stages
        (3, 8, 36, 3)
    """
    return ResNet((3, 8, 36, 3), BottleneckResNetBlock, lowres, output_size, name, dtype, param_dtype)


def ResNet200(
    lowres: bool = False,
    output_size: int = 1000,
    name: str | None = None,
    dtype: Any = None,
    param_dtype: Any = jnp.float32,
) -> ResNet:
    """A `ResNet` of 200 layers, 64.7 million parameters with 1000 outputs; arguments as there.

    Args:
        lowres: for small images, such as those of CIFAR-10.
        output_size: number of outputs, such as classes.
        name: its name below its parent.
        dtype: the dtype that it computes in and returns; None is that of its parameters.
        param_dtype: the dtype that its parameters are kept in.

    Example:
        >>> import elegy
        >>> elegy.nets.ResNet200().stages
        (3, 24, 36, 3)
    """
    return ResNet((3, 24, 36, 3), BottleneckResNetBlock, lowres, output_size, name, dtype, param_dtype)
