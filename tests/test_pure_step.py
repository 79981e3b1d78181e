"""The step is a pure function: it runs eagerly, under vmap and scan, and sharded, and gives the same numbers."""

import os
import subprocess
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.nn import BatchNormalization, Dropout, Linear


class Accuracy(elegy.Metric):
    def call(self, y_true, y_pred):
        total = self.add_parameter("total", initializer=0)
        count = self.add_parameter("count", initializer=0)
        total += jnp.sum(y_true == y_pred.argmax(-1))
        count += y_true.size
        self.update_parameter("total", total)
        self.update_parameter("count", count)
        return total / count


class Parts(elegy.Loss):
    def call(self, y_true, y_pred):
        values = optax.softmax_cross_entropy_with_integer_labels(y_pred, y_true)
        return {"cross": values, "size": 0.01 * jnp.mean(y_pred**2, -1)}


class Net(elegy.Module):
    # No bias before the normalization: its gradient is rounding noise, which Adam blows up.
    def call(self, x):
        return Linear(10)(Dropout(0.2)(jax.nn.relu(BatchNormalization()(Linear(32, with_bias=False)(x)))))


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x[:640] / 16).astype("float32"), y[:640].astype("int32")


def make(seed=42, **kwargs):
    metrics = [Accuracy(), elegy.metrics.SparseCategoricalAccuracy()]
    return elegy.Model(Net(), loss=Parts(), metrics=metrics, optimizer=optax.adam(1e-3), seed=seed, **kwargs)


def batches_of(x, y, steps):
    return {"x": jnp.stack(np.split(x, 20)[:steps]), "y_true": jnp.stack(np.split(y, 20)[:steps])}


def assert_close(a, b, tolerance=1e-5):
    for p, q in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(p, q, atol=tolerance, rtol=tolerance)


def step(model):
    def stepped(state, batch):
        state, logs = model.train_step(state, batch)
        return state.advance(logs), logs

    return stepped


def test_twenty_steps_of_two_seeds_under_vmap_equal_two_fits(digits):
    x, y = digits
    model = make()
    states = [
        make(seed).init(
            x,
            y,
        )
        for seed in (1, 2)
    ]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    stacked, _ = jax.lax.scan(jax.vmap(step(model), in_axes=(0, None)), stacked, batches_of(x, y, 20))
    for number, seed in enumerate((1, 2)):
        fitted = make(seed)
        fitted.fit(x, y, batch_size=32, shuffle=False, verbose=0)
        assert_close([leaf[number] for leaf in jax.tree.leaves(stacked.parameters)], jax.tree.leaves(fitted.parameters))


def test_ten_steps_inside_scan_equal_ten_steps(digits):
    x, y = digits
    model, fitted = make(), make()
    state = model.init(x, y)
    state, logs = jax.lax.scan(step(model), state, batches_of(x, y, 10))
    history = fitted.fit(x[:320], y[:320], batch_size=32, shuffle=False, verbose=0).history
    assert_close(state.parameters, fitted.parameters)
    assert_close(state.states, fitted.states)
    assert float(logs["accuracy"].value[-1]) == pytest.approx(history["accuracy"][0], abs=1e-6)
    assert (list(logs) == list(history) and logs["loss"].value.shape == ()) or logs["parts_loss/cross"].terms[0][
        0
    ].shape == (10,)


def test_running_eagerly_equals_jit_over_ten_steps(digits):
    x, y = digits
    logs = {}
    for eager in (False, True):
        model = make(run_eagerly=eager)
        logs[eager] = model.fit(x[:320], y[:320], batch_size=32, verbose=0).history
        logs[eager]["parameters"] = model.parameters
    assert_close(logs[True], logs[False])


def test_a_batch_sharded_over_eight_devices_gives_the_same_twenty_steps():
    program = textwrap.dedent(
        """
        import importlib.util, sys
        import jax, jax.numpy as jnp, numpy as np
        from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
        from sklearn.datasets import load_digits

        spec = importlib.util.spec_from_file_location("test_pure_step", sys.argv[1])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        x, y = load_digits(return_X_y=True)
        x, y = (x[:640] / 16).astype("float32"), y[:640].astype("int32")
        model = module.make()
        start = model.init(x, y)
        mesh = Mesh(np.array(jax.devices()), ("data",))
        assert len(jax.devices()) == 8
        split, whole = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
        single = jax.jit(module.step(model))
        sharded = jax.jit(module.step(model), in_shardings=(whole, split), out_shardings=(whole, whole))
        one, many = start, jax.device_put(start, whole)
        for i in range(20):
            batch = {"x": x[32 * i : 32 * i + 32], "y_true": y[32 * i : 32 * i + 32]}
            one, _ = single(one, batch)
            many, _ = sharded(many, jax.device_put(batch, split))
            jax.block_until_ready(many)  # one sharded launch in flight: more starve each other on CPU
        module.assert_close(one.parameters, many.parameters)
        module.assert_close(one.sums, many.sums, 1e-4)
        print("equal")
        """
    )
    env = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", program, __file__], capture_output=True, text=True, env=env, timeout=300
    )
    assert done.stdout.strip() == "equal", done.stderr[-2000:]


def test_the_training_step_is_compiled_once(digits, caplog):
    x, y = digits
    model = make()
    with jax.log_compiles():
        model.fit(x[:320], y[:320], batch_size=32, epochs=3, verbose=0)
    begun = [r.getMessage() for r in caplog.records if r.getMessage().startswith("Compiling jit")]  # a thread ends it
    assert sum("jit(train_many_0)" in message for message in begun) == 1
    caplog.clear()
    with jax.log_compiles():
        model.fit(x[:320], y[:320], batch_size=32, epochs=2, verbose=0)
    assert [r.getMessage() for r in caplog.records if r.getMessage().startswith("Compiling jit")] == []


def test_the_module_is_traced_once_for_each_purpose(digits):
    traces = []

    def counted(x):
        traces.append(x.shape)
        return Linear(10)(x)

    model = elegy.Model(counted, loss="sparse_categorical_crossentropy", optimizer="sgd")
    x, y = digits
    model.fit(x[:64], y[:64], batch_size=32, epochs=3, verbose=0)
    # Initialization in two modes, shapes of the outputs, the step, and the probe with more samples.
    assert len(traces) == 5
