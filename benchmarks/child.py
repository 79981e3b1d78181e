"""What is measured in a process of its own, where nothing is imported, compiled or allocated yet.

`python -m benchmarks.child first RUNNER WORK STEPS` prints the seconds from the first import to the end of so many
steps; `import NAMES` the seconds that imports take; `memory RUNNER WORK STEPS` how many bytes a fit of two such epochs
adds to the high-water mark of memory; `writer ROWS` how many bytes `predict` of so many rows adds to it.
"""

import dataclasses
import importlib
import sys
import time
from pathlib import Path

BATCH = 20_000
FEATURES = 64


def first(runner: str, name: str, steps: str) -> float:
    from .works import WORKS

    work = dataclasses.replace(WORKS[name], steps=int(steps))
    work.data()  # is there before anything is timed
    begin = time.perf_counter()
    from .runners import load

    load(runner)(work)(1)
    return time.perf_counter() - begin


def imports(*names: str) -> float:
    begin = time.perf_counter()
    for name in names:
        importlib.import_module(name)
    return time.perf_counter() - begin


def memory(runner: str, name: str, steps: str) -> float:
    import jax

    from .runners import load
    from .works import WORKS

    setup = load(runner)
    jax.devices()
    before = high_water_mark()
    setup(dataclasses.replace(WORKS[name], steps=int(steps)))(2)
    return high_water_mark() - before


def writer(rows: str) -> float:
    import numpy as np

    import elegy

    x = np.ones((int(rows), FEATURES), "float32")
    model = elegy.Model(elegy.nn.Linear(FEATURES))
    model.predict(x[: 10 * BATCH], batch_size=BATCH, verbose=0, writer=lambda outputs: None)
    before = high_water_mark()
    model.predict(x, batch_size=BATCH, verbose=0, writer=lambda outputs: None)
    return high_water_mark() - before


def high_water_mark() -> int:
    """The most memory that this process has had, in bytes; not that of the process which started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


QUESTIONS = {"first": first, "import": imports, "memory": memory, "writer": writer}

if __name__ == "__main__":
    print(QUESTIONS[sys.argv[1]](*sys.argv[2:]))
