"""What is trained: the data, the sizes and the initial values, in NumPy alone, so that every library gets the same."""

import dataclasses
import functools
import math
from typing import Any

import numpy as np

LEARNING_RATE = 1e-3


@dataclasses.dataclass(frozen=True)
class Work:
    """One network on one set of data.

    Attributes:
        title: as tables show it.
        network: which definition a runner takes: "mlp", "two_heads", "conv_net" or "decoder".
        batch: rows a batch.
        steps: batches an epoch.
        sizes: features in, hidden widths, classes out (MLPs); classes of each head (two heads).
        tolerance: how far the losses of two runners may differ relatively.
    """

    title: str
    network: str
    batch: int
    steps: int
    sizes: tuple[int, ...] = ()
    width: int = 0
    layers: int = 0
    heads: int = 0
    sequence: int = 0
    vocabulary: int = 0
    tolerance: float = 1e-3

    @property
    def rows(self) -> int:
        return self.batch * self.steps

    def scaled(self, factor: float) -> "Work":
        """The same work with fewer steps an epoch, for quick checks."""
        return dataclasses.replace(self, steps=max(2, math.ceil(self.steps * factor)))

    def data(self) -> tuple[np.ndarray, Any]:
        """Rows and class numbers that can be learned, though not without errors; labels by head if there are two."""
        return _data(self)

    def initial(self) -> dict[str, Any]:
        """Initial values by layer: `w` of shape (in, out) or (height, width, in, out), `b`, `scale`, `offset`."""
        return _INITIAL[self.network](self, np.random.default_rng(1))


WORKS = {
    "logistic": Work("logistic regression, 10 features, batch 32", "mlp", 32, 3000, (10, 2)),
    "mlp": Work("784-128-10 MLP, batch 32", "mlp", 32, 1800, (784, 128, 10)),
    "large-mlp": Work("784-1024-10 MLP, batch 1024", "mlp", 1024, 20, (784, 1024, 10)),
    "conv-net": Work("conv net, 28x28x1, batch 64", "conv_net", 64, 90, tolerance=2e-2),
    "lm": Work(
        "decoder LM, width 128, batch 16", "decoder", 16, 40,
        width=128, layers=2, heads=4, sequence=64, vocabulary=1000,
    ),
    "two-heads": Work("MLP with two heads, batch 32", "two_heads", 32, 1000, (128, 128, 10, 5)),
    "large-lm": Work(
        "decoder LM, width 768, batch 32", "decoder", 32, 40,
        width=768, layers=8, heads=12, sequence=256, vocabulary=8192, tolerance=1e-2,
    ),
}  # fmt: skip

USUAL = tuple(name for name in WORKS if name != "large-lm")
"""The works that a machine without an accelerator can do; `large-lm` is there to fill a GPU."""


@functools.lru_cache(maxsize=1)  # all runners of a work share them
def _data(work: Work) -> tuple[np.ndarray, Any]:
    return _DATA[work.network](work, np.random.default_rng(0))


def _labels(x: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """The classes of a random linear teacher, one in ten of them wrong."""
    flat = x.reshape(len(x), -1)
    right = (flat @ generator.normal(size=(flat.shape[1], classes)).astype("float32")).argmax(-1)
    wrong = generator.integers(0, classes, len(x))
    return np.where(generator.random(len(x)) < 0.1, wrong, right).astype("int32")


def _vectors(work: Work, generator: np.random.Generator) -> tuple[np.ndarray, Any]:
    x = generator.normal(size=(work.rows, work.sizes[0])).astype("float32")
    return x, _labels(x, work.sizes[-1], generator)


def _vectors_of_two_kinds(work: Work, generator: np.random.Generator) -> tuple[np.ndarray, Any]:
    x = generator.normal(size=(work.rows, work.sizes[0])).astype("float32")
    return x, {"left": _labels(x, work.sizes[2], generator), "right": _labels(x, work.sizes[3], generator)}


def _images(work: Work, generator: np.random.Generator) -> tuple[np.ndarray, Any]:
    x = generator.normal(size=(work.rows, 28, 28, 1)).astype("float32")
    return x, _labels(x, 10, generator)


def _texts(work: Work, generator: np.random.Generator) -> tuple[np.ndarray, Any]:
    """Each word has one successor; one word in ten is any word."""
    successor = generator.permutation(work.vocabulary)
    words = np.empty((work.rows, work.sequence + 1), "int32")
    words[:, 0] = generator.integers(0, work.vocabulary, work.rows)
    for place in range(work.sequence):
        surprise = generator.random(work.rows) < 0.1
        anything = generator.integers(0, work.vocabulary, work.rows)
        words[:, place + 1] = np.where(surprise, anything, successor[words[:, place]])
    return words[:, :-1].copy(), words[:, 1:].copy()


def _dense(generator: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
    w = generator.normal(size=(inputs, outputs)) / math.sqrt(inputs)
    return {"w": w.astype("float32"), "b": np.zeros(outputs, "float32")}


def _mlp_values(work: Work, generator: np.random.Generator) -> dict[str, Any]:
    pairs = zip(work.sizes[:-1], work.sizes[1:], strict=True)
    return {f"layer_{number}": _dense(generator, *pair) for number, pair in enumerate(pairs)}


def _two_heads_values(work: Work, generator: np.random.Generator) -> dict[str, Any]:
    inputs, hidden, left, right = work.sizes
    shapes = {"body": (inputs, hidden), "left": (hidden, left), "right": (hidden, right)}
    return {name: _dense(generator, *shape) for name, shape in shapes.items()}


def _conv_net_values(work: Work, generator: np.random.Generator) -> dict[str, Any]:
    def conv(inputs: int, outputs: int) -> dict[str, np.ndarray]:
        flat = _dense(generator, 9 * inputs, outputs)
        return {"w": flat["w"].reshape(3, 3, inputs, outputs), "b": flat["b"]}

    return {
        "conv_1": conv(1, 32),
        "conv_2": conv(32, 64),
        "hidden": _dense(generator, 14 * 14 * 64, 128),
        "head": _dense(generator, 128, 10),
    }


def _decoder_values(work: Work, generator: np.random.Generator) -> dict[str, Any]:
    width = work.width

    def norm() -> dict[str, np.ndarray]:
        return {"scale": np.ones(width, "float32"), "offset": np.zeros(width, "float32")}

    def table(rows: int) -> dict[str, np.ndarray]:
        return {"embeddings": (0.02 * generator.normal(size=(rows, width))).astype("float32")}

    values: dict[str, Any] = {"words": table(work.vocabulary), "places": table(work.sequence)}
    for number in range(work.layers):
        values[f"block_{number}"] = {
            "norm_1": norm(),
            "query_key_value": _dense(generator, width, 3 * width),
            "mixed": _dense(generator, width, width),
            "norm_2": norm(),
            "wide": _dense(generator, width, 4 * width),
            "narrow": _dense(generator, 4 * width, width),
        }
    return values | {"norm": norm(), "head": _dense(generator, width, work.vocabulary)}


_DATA = {"mlp": _vectors, "two_heads": _vectors_of_two_kinds, "conv_net": _images, "decoder": _texts}
_INITIAL = {
    "mlp": _mlp_values,
    "two_heads": _two_heads_values,
    "conv_net": _conv_net_values,
    "decoder": _decoder_values,
}
