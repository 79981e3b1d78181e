"""Layers equal those of Keras on the same weights: outputs, and the gradients for inputs and weights."""

import numpy as np
import pytest

from elegy import nn

keras = pytest.importorskip("keras")
layers = keras.layers

RNG = np.random.default_rng(0)
ROWS, SEQUENCES, IMAGES, VOLUMES = (
    RNG.normal(1, 2, size=shape).astype("float32") for shape in ((4, 3), (2, 7, 4), (2, 5, 4, 4), (1, 3, 4, 3, 2))
)
BIAS = {"b_init": np.array([1.0, -2.0], "float32")}
AFFINE = {"scale_init": np.array([1, 2, 0.5, -1], "float32"), "offset_init": np.array([0, 1, -1, 2], "float32")}
SQUARE = np.arange(1.0, 17.0, dtype="float32").reshape(4, 4)

# Ours, theirs, the input, our names of their variables in order, and what the call is told.
TABLE = {
    "Linear": (nn.Linear(2, **BIAS), layers.Dense(2), SEQUENCES, ["w", "b"]),
    "Linear without bias": (nn.Linear(2, with_bias=False), layers.Dense(2, use_bias=False), ROWS, ["w"]),
    "Conv1D": (nn.Conv1D(2, 3, 2, **BIAS), layers.Conv1D(2, 3, 2, padding="same"), SEQUENCES, ["w", "b"]),
    "Conv1D causal": (
        nn.Conv1D(2, 3, rate=2, padding="causal"),
        layers.Conv1D(2, 3, dilation_rate=2, padding="causal"),
        SEQUENCES,
        ["w", "b"],
    ),
    "Conv2D": (nn.Conv2D(2, (3, 2), (2, 1)), layers.Conv2D(2, (3, 2), (2, 1), padding="same"), IMAGES, ["w", "b"]),
    "Conv2D dilated": (
        nn.Conv2D(2, (3, 2), rate=2, padding="VALID", with_bias=False),
        layers.Conv2D(2, (3, 2), dilation_rate=2, use_bias=False),
        IMAGES,
        ["w"],
    ),
    "Conv2D in groups": (
        nn.Conv2D(4, 2, groups=2),
        layers.Conv2D(4, 2, groups=2, padding="same"),
        IMAGES,
        ["w", "b"],
    ),
    "Conv3D": (nn.Conv3D(2, 2, **BIAS), layers.Conv3D(2, 2, padding="same"), VOLUMES, ["w", "b"]),
    "Conv1DTranspose": (
        nn.Conv1DTranspose(2, 3, 2, "VALID"),
        layers.Conv1DTranspose(2, 3, 2),
        SEQUENCES,
        ["w", "b"],
    ),
    "Conv2DTranspose": (
        nn.Conv2DTranspose(2, (3, 2), (2, 3), **BIAS),
        layers.Conv2DTranspose(2, (3, 2), (2, 3), padding="same"),
        IMAGES,
        ["w", "b"],
    ),
    "Conv3DTranspose": (
        nn.Conv3DTranspose(2, 2, 2),
        layers.Conv3DTranspose(2, 2, 2, padding="same"),
        VOLUMES,
        ["w", "b"],
    ),
    "DepthwiseConv1D": (
        nn.DepthwiseConv1D(3),
        layers.DepthwiseConv1D(3, padding="same"),
        SEQUENCES,
        ["w", "b"],
    ),
    "DepthwiseConv2D": (
        nn.DepthwiseConv2D((2, 3), 2, padding="VALID", depth_multiplier=2),
        layers.DepthwiseConv2D((2, 3), 2, depth_multiplier=2),
        IMAGES,
        ["w", "b"],
    ),
    "MaxPool": (nn.MaxPool(3, 2, "SAME"), layers.MaxPooling2D(3, 2, "same"), IMAGES, []),
    "MaxPool of windows": (nn.MaxPool((3, 2), (1, 2)), layers.MaxPooling2D((3, 2), (1, 2)), IMAGES, []),
    "MaxPool by its own size": (nn.MaxPool(2), layers.MaxPooling1D(2), SEQUENCES, []),
    "AvgPool": (nn.AvgPool(3, 2, "SAME"), layers.AveragePooling2D(3, 2, "same"), IMAGES, []),
    "AvgPool of volumes": (nn.AvgPool(2), layers.AveragePooling3D(2), VOLUMES, []),
    "GlobalAveragePooling1D": (
        nn.GlobalAveragePooling1D(),
        layers.GlobalAveragePooling1D(),
        SEQUENCES,
        [],
        {"mask": np.arange(14).reshape(2, 7) % 3 > 0},
    ),
    "GlobalMaxPooling2D": (
        nn.GlobalMaxPooling2D("channels_first", keepdims=True),
        layers.GlobalMaxPooling2D("channels_first", keepdims=True),
        IMAGES,
        [],
    ),
    "GlobalAveragePooling3D": (nn.GlobalAveragePooling3D(), layers.GlobalAveragePooling3D(), VOLUMES, []),
    "BatchNormalization that trains": (
        nn.BatchNormalization(**AFFINE),
        layers.BatchNormalization(epsilon=1e-5),
        SEQUENCES,
        ["scale", "offset"],
        {"training": True},
    ),
    "BatchNormalization": (
        nn.BatchNormalization(**AFFINE),
        layers.BatchNormalization(epsilon=1e-5),
        SEQUENCES,
        ["scale", "offset"],
        {"training": False},
    ),
    "LayerNormalization": (
        nn.LayerNormalization(**AFFINE),
        layers.LayerNormalization(epsilon=1e-5),
        SEQUENCES,
        ["scale", "offset"],
    ),
    "LayerNormalization of two axes": (
        nn.LayerNormalization((2, 3), scale_init=SQUARE),
        layers.LayerNormalization((2, 3), epsilon=1e-5),
        IMAGES,
        ["scale", "offset"],
    ),
    "GroupNormalization": (
        nn.GroupNormalization(2, **AFFINE),
        layers.GroupNormalization(2, epsilon=1e-5),
        IMAGES,
        ["scale", "offset"],
    ),
    "InstanceNormalization": (
        nn.InstanceNormalization(**AFFINE),
        layers.GroupNormalization(-1, epsilon=1e-5),
        IMAGES,
        ["scale", "offset"],
    ),
    "RMSNormalization": (
        nn.RMSNormalization(scale_init=AFFINE["scale_init"]),
        layers.RMSNormalization(epsilon=1e-6),
        SEQUENCES,
        ["scale"],
    ),
}


@pytest.mark.parametrize("key", TABLE)
def test_it_has_the_outputs_and_gradients_of_keras(against_keras, key):
    ours, theirs, x, names, *told = TABLE[key]
    against_keras(ours, theirs, x, names, **(told[0] if told else {}))
