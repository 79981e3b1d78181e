"""The jit of programs: rules and options on CPU, nothing on other backends, and the switch of the model."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.compiling import _options, cpu_options, jit
from elegy.compiling._jit import default_platform
from tests.compiling.comparing import counted, normal

ROWS = normal(3, 64)


def find(x):
    return jnp.argmax(x, axis=-1)


def test_programs_are_rewritten_unless_that_is_switched_off():
    assert "argmax[" not in str(jit(find).trace(ROWS).jaxpr)
    assert counted(jit(find, rewrite=False), ROWS)["argmax"] == 1
    np.testing.assert_array_equal(jit(find)(ROWS), find(ROWS))


def test_convolutions_are_put_into_their_layout_also_without_the_rest():
    def convolve(x, kernel):
        return jax.lax.conv(x, kernel, (1, 1), "SAME")

    args = normal(1, 2, 4, 4), normal(3, 2, 3, 3)
    assert counted(jit(convolve, rewrite=False), *args)["transpose"] == 3


def test_donated_arguments_are_used_up():
    x = jnp.array(ROWS)
    jit(lambda x: x + 1, donate_argnums=(0,))(x)
    assert x.is_deleted()


def test_other_backends_get_the_plain_program(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert counted(jit(find), ROWS)["argmax"] == 1


def test_the_default_device_decides_what_the_program_is_for(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        assert default_platform() == "cpu"
    with jax.default_device("cpu"):
        assert default_platform() == "cpu"


@pytest.fixture
def asked_anew():
    cpu_options.cache_clear()
    yield
    cpu_options.cache_clear()


def test_options_that_the_compiler_refuses_are_dropped_one_by_one(monkeypatch, asked_anew):
    name, value = "xla_cpu_experimental_ynn_fusion_type", "LIBRARY_FUSION_TYPE_REDUCE"
    candidates = {"xla_no_such_option": True, name: value, "xla_cpu_use_xnnpack": "neither"}
    monkeypatch.setattr(_options, "_CANDIDATES", candidates)
    assert cpu_options() == {name: value}


def test_the_compiler_is_asked_once(asked_anew):
    assert cpu_options() is cpu_options()
    assert set(cpu_options()) <= set(_options._CANDIDATES)


def model(**options):
    layers = [elegy.nn.Conv2D(9, 3, stride=2), jax.nn.relu, elegy.nn.MaxPool(3, 2), elegy.nn.Flatten()]
    return elegy.Model(
        elegy.nn.Sequential([*layers, elegy.nn.Linear(70)]),
        loss=elegy.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=elegy.metrics.SparseCategoricalAccuracy(),
        optimizer=optax.sgd(0.1),
        **options,
    )


def fitted(**options):
    x, y = np.random.RandomState(0).rand(24, 9, 9, 2).astype("float32"), np.arange(24) % 70
    return model(**options).fit(x, y, epochs=2, batch_size=8, verbose=0).history


def test_a_model_learns_the_same_with_and_without():
    switched_off = fitted(rewrite=False)
    for name, values in fitted().items():
        np.testing.assert_allclose(values, switched_off[name], rtol=1e-5)


@pytest.mark.parametrize(("options", "left"), [({}, 0), ({"rewrite": False}, 1)])
def test_the_switch_of_the_model_reaches_its_programs(options, left, monkeypatch, asked_anew):
    monkeypatch.setattr(_options, "_CANDIDATES", {})  # JAX takes them for programs of their own only, not in a trace
    x, y = normal(4, 9, 9, 2), jnp.arange(4)
    ours = model(**options)
    state, batch = ours.init(x, y), {"x": x, "y_true": y}
    found = counted(ours._trainer.programs.train, state, batch)
    assert found["select_and_scatter_add"] == left
    assert found["conv_general_dilated"] >= 2


def test_a_copied_model_keeps_the_switch(monkeypatch, asked_anew):
    monkeypatch.setattr(_options, "_CANDIDATES", {})
    x, y = normal(4, 9, 9, 2), jnp.arange(4)
    ours = copy.deepcopy(model(rewrite=False))
    found = counted(ours._trainer.programs.train, ours.init(x, y), {"x": x, "y_true": y})
    assert found["select_and_scatter_add"] == 1


def test_eager_steps_are_not_rewritten():
    ours = model(run_eagerly=True)
    x, y = normal(4, 9, 9, 2), jnp.arange(4)
    found = counted(ours._trainer.programs.train, ours.init(x, y), {"x": x, "y_true": y})
    assert found["select_and_scatter_add"] == 1
