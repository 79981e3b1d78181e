"""What is compiled, how often, and by whom; counted, never timed."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

import elegy
from elegy.compiling import Ahead, Program

ROOT = {"PYTHONPATH": str(Path(__file__).parent.parent)}
X = np.random.default_rng(0).normal(size=(10, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


@pytest.fixture
def compiled():
    """The names of the programs that are compiled while a test runs."""
    names: list[str] = []

    def note(event, seconds, fun_name="", **_):
        if event.endswith("backend_compile_duration"):
            names.append(fun_name)

    jax.monitoring.register_event_duration_secs_listener(note)
    yield names
    jax.monitoring.unregister_event_duration_listener(note)


def perceptron():
    layers = [elegy.nn.Linear(4), jax.nn.relu, elegy.nn.Linear(1)]
    return elegy.Model(elegy.nn.Sequential(*layers), loss="mse", metrics=["mae"], optimizer="adam")


def test_a_first_fit_compiles_what_it_runs_once_and_no_operation_by_itself(compiled):
    elegy.compiling.cpu_options()  # asks the compiler once in a process
    compiled.clear()
    model = perceptron()
    model.fit(X, Y, batch_size=4, epochs=2, validation_data=(X[:6], Y[:6]), verbose=0)
    first = {"make"}  # values; the optimizer's slots are only filled
    training, testing = {"train_many_0", "train", "results_True"}, {"test_many_0", "test", "results_False"}
    assert sorted(compiled) == sorted(f"jit({name})" for name in first | training | testing)
    compiled.clear()
    model.fit(X, Y, batch_size=4, epochs=2, validation_data=(X[:6], Y[:6]), verbose=0)
    assert compiled == []


def test_only_what_a_fit_is_known_to_need_is_compiled(compiled):
    model = perceptron()
    model.init(X, Y)
    compiled.clear()
    never = {"validation_data": (X, Y), "validation_freq": 3}
    model.fit(X, Y, batch_size=4, steps_per_epoch=1, epochs=2, verbose=0, **never)
    assert sorted(compiled) == ["jit(results_True)", "jit(train_many_0)"]


def test_the_step_is_traced_once_for_the_check_and_for_all_programs():
    calls = []

    class Noted(elegy.Module):
        def call(self, x):
            calls.append(elegy.is_training())
            return elegy.nn.Linear(1)(x)

    model = elegy.Model(Noted(), loss=elegy.losses.MeanSquaredError(), optimizer="adam")
    model.init(X, Y)
    calls.clear()
    model.fit(X, Y, batch_size=10, verbose=0)
    assert calls == []  # `init` has checked the step, and what it traced is what is compiled
    model.fit(X, Y, batch_size=4, verbose=0)
    assert calls.count(True) <= 4  # two more forms: each looked at, and traced


def test_programs_are_compiled_by_threads_that_end():
    names, ahead = [], Ahead()
    program = Program(jax.jit(lambda x: names.append(threading.current_thread().name) or 2 * x), ahead)
    with ahead:
        shape = program(jax.ShapeDtypeStruct((3,), "float32"))
    assert (shape.shape, names) == ((3,), ["MainThread"])  # user code runs where it always runs
    np.testing.assert_array_equal(program(np.ones(3, "float32")), np.full(3, 2))
    assert names == ["MainThread"]
    for thread in threading.enumerate():
        if thread.name.startswith("elegy-compiles"):
            thread.join(timeout=60)
            assert not thread.is_alive()


def test_what_compiling_raises_is_raised_by_the_call():
    ahead = Ahead()
    program = Program(jax.jit(lambda x: x + 1, compiler_options={"no_such_option": True}), ahead)
    with ahead:
        program(np.ones(2, "float32"))
    with pytest.raises(jax.errors.JaxRuntimeError, match="no_such_option"):
        program(np.ones(2, "float32"))


def test_an_optimizer_that_reads_the_numbers_begins_without_a_program():
    def init(parameters):
        return {"largest": max(float(np.abs(leaf).max()) for leaf in jax.tree.leaves(parameters))}

    reading = optax.GradientTransformation(init, lambda updates, state, parameters=None: (updates, state))
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer=reading)
    state = model.init(X, Y)
    assert state.optimizer["**"]["largest"] == np.abs(state.parameters["w"]).max()


CACHED = """
import sys, jax, numpy as np
found = {"hits": 0, "misses": 0}
def note(event, **_):
    for what in found:
        found[what] += event.endswith(f"cache_{what}")
jax.monitoring.register_event_listener(note)
import elegy
x = np.linspace(0, 1, 30, dtype="float32").reshape(10, 3)
model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="adam", compilation_cache=sys.argv[1])
model.fit(x, x[:, :1], batch_size=4, verbose=0)
model.evaluate(x, x[:, :1], verbose=0)
model.predict(x, verbose=0)
assert jax.config.jax_compilation_cache_dir is None and jax.config.jax_persistent_cache_min_compile_time_secs == 1.0
print(found["hits"], found["misses"], np.asarray(model.parameters["w"]).tobytes().hex())
"""


def test_a_second_process_compiles_nothing_and_gets_the_same_bits(tmp_path):
    def run():
        child = [sys.executable, "-c", CACHED, str(tmp_path / "cache")]
        done = subprocess.run(child, capture_output=True, text=True, check=False, env={**os.environ, **ROOT})
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    first, second = run(), run()
    assert first[0] == "0" and int(first[1]) >= 8
    assert second == [first[1], "0", first[2]]


@pytest.mark.parametrize(("folder", "error"), [(3, TypeError), (__file__, ValueError)])
def test_a_cache_that_is_no_folder_is_refused(folder, error):
    with pytest.raises(error, match=r"Give a (path|folder)"):
        elegy.Model(elegy.nn.Linear(1), compilation_cache=folder)
