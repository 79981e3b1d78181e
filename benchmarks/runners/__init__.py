"""Who trains: one file a library, each with `setup(work) -> run`; see `Run`."""

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from ..works import Work

Run = Callable[..., list[float]]
"""`run(epochs, shuffle=True)` trains from the initial values and returns `[loss, *accuracies]` of the last epoch.

When it returns, everything is computed. What is compiled is kept between two runs.
"""

# By name: the file, its function, and the distribution whose version is shown.
RUNNERS = {
    "elegy": ("elegy_fit", "setup", "elegy"),
    "elegy-single": ("elegy_fit", "setup_single", "elegy"),
    "elegy-no-rewrite": ("elegy_fit", "setup_no_rewrite", "elegy"),
    "loop": ("loop", "setup", "jax"),
    "scan": ("scan", "setup", "jax"),
    "scan-by-step": ("scan", "by_step", "jax"),
    "keras": ("keras_fit", "setup", "keras"),
    "keras-best": ("keras_fit", "setup_best", "keras"),
    "nnx": ("nnx_loop", "setup", "flax"),
    "nnx-split": ("nnx_loop", "setup_split", "flax"),
    "equinox": ("equinox_loop", "setup", "equinox"),
    "torch": ("torch_loop", "setup", "torch"),
    "torch-usual": ("torch_loop", "setup_usual", "torch"),
    "lightning": ("lightning_fit", "setup", "lightning"),
}
TITLES = {
    "elegy": "Elegy `fit`",
    "elegy-single": '`execution="single"`',
    "elegy-no-rewrite": "`rewrite=False`",
    "loop": "hand-written loop",
    "scan": "hand-written scan",
    "scan-by-step": "hand-written scan",
    "keras": "Keras",
    "keras-best": "Keras, best setting",
    "nnx": "NNX, as documented",
    "nnx-split": "NNX, split once",
    "equinox": "Equinox loop",
    "torch": "PyTorch loop",
    "torch-usual": "PyTorch loop",
    "lightning": "Lightning",
}
USUAL = tuple(name for name in RUNNERS if name not in ("scan-by-step", "torch-usual"))
"""Who is measured warm."""
COLD = ("elegy", "loop", "scan-by-step", "keras", "nnx", "equinox", "torch-usual", "lightning")
"""Who is measured cold: not who first looks for its best setting."""


class Missing(Exception):
    """A runner cannot run here; the message says what it lacks."""


def load(name: str) -> Callable[[Work], Run]:
    """The setup of a runner.

    Raises:
        Missing: its library is not installed, or what it needs of it is not there.
    """
    file, function, _ = RUNNERS[name]
    try:
        return getattr(importlib.import_module(f"{__name__}.{file}"), function)
    except ModuleNotFoundError as error:
        raise Missing(f"{error.name} is not installed") from error


def version(name: str) -> str:
    """The library of a runner and its version, such as `keras 3.15.1`."""
    library = RUNNERS[name][2]
    try:
        return f"{library} {importlib.metadata.version(library)}"
    except importlib.metadata.PackageNotFoundError:
        return library


class Rows:
    """The rows of a work on the host, and the order in which an epoch takes them."""

    def __init__(self, work: Work) -> None:
        self.x, self.y = work.data()
        self.heads = len(jax.tree.leaves(self.y))
        self._shape = work.steps, work.batch
        self._generator = np.random.default_rng(0)

    def batches(self, shuffle: bool) -> np.ndarray:
        """The row numbers of each batch of an epoch, `(steps, batch)`."""
        rows = self._shape[0] * self._shape[1]
        return (self._generator.permutation(rows) if shuffle else np.arange(rows)).reshape(self._shape)

    def take(self, chosen: np.ndarray) -> tuple[Any, Any]:
        return self.x[chosen], jax.tree.map(lambda column: column[chosen], self.y)
