"""Nothing piles up: not over many calls on one model, nor over many models that come and go."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own, so that what other tests left behind neither hides nor feigns a leak. Before memory is
# measured the C library gives back what was freed and only its arenas keep.
PROGRAM = """
import ctypes, gc, json, threading
import jax, numpy as np, psutil
import elegy

X = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)
traces = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **more: traces.append(event) if event.endswith("jaxpr_trace_duration") else None
)

def use(model):
    model.fit(X, X[:, :1], batch_size=4, verbose=0)
    model.evaluate(X, X[:, :1], verbose=0)
    model.predict(X, verbose=0)

def new():
    return elegy.Model(elegy.nn.Linear(1), loss="mse", metrics="mae", optimizer="adam")

def measured():
    gc.collect()
    getattr(ctypes.CDLL(None), "malloc_trim", lambda pad: 0)(0)
    return {
        "arrays": len(jax.live_arrays()),
        "threads": threading.active_count(),
        "programs": len(jax.devices()[0].client.live_executables()),
        "traces": len(traces),
        "objects": len(gc.get_objects()),
        "megabytes": psutil.Process().memory_info().rss / 2**20,
    }

def after_ten_and_after_all(times, act):
    found = []
    for number in range(1, times + 1):
        act()
        if number in (10, times):
            found.append(measured())
    return found

kept = new()
one = after_ten_and_after_all(200, lambda: use(kept))
fresh = after_ten_and_after_all(50, lambda: use(new()))
print(json.dumps({"one": one, "fresh": fresh}))
"""


@pytest.fixture(scope="module")
def grown():
    """By "one" (200 fits, evaluations and predictions) and "fresh" (50 models) what grew from the tenth to the last."""
    environment = {**os.environ, "XLA_FLAGS": "--xla_backend_optimization_level=0", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=Path(__file__).parent.parent,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return {name: {k: b[k] - a[k] for k in a} for name, (a, b) in json.loads(run.stdout).items()}


@pytest.mark.parametrize("case", ["one", "fresh"])
@pytest.mark.parametrize("what", ["arrays", "threads", "programs"])
def test_what_is_alive_does_not_grow(grown, case, what):
    assert grown[case][what] <= 0


def test_one_model_is_not_traced_again(grown):
    assert grown["one"]["traces"] == 0


@pytest.mark.parametrize("case", ["one", "fresh"])
def test_memory_grows_by_ten_megabytes_at_most(grown, case):
    assert grown[case]["megabytes"] <= 10


@pytest.mark.parametrize("case", ["one", "fresh"])
def test_no_object_stays_behind_each_time(grown, case):
    assert grown[case]["objects"] < 40  # less than one for each model that came and went
