"""Who owns arrays, and when (M6)."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.nn import Linear

Lambda = elegy.callbacks.LambdaCallback


def model_of(module=None, **kwargs):
    return elegy.Model(Linear(1) if module is None else module, loss="mse", optimizer=optax.sgd(0.1), **kwargs)


def test_what_leaves_the_model_is_never_donated(rows):
    model = model_of()
    kept = model.init(rows, rows[:, :1])
    during = []
    model.fit(
        rows,
        rows[:, :1],
        epochs=3,
        callbacks=[Lambda(on_epoch_end=lambda epoch, logs: during.append(model.parameters))],
        verbose=0,
    )
    model.train_on_batch(rows, rows[:, :1])
    model.fit(rows, rows[:, :1], verbose=0)
    values = [np.asarray(tree["w"]) for tree in (kept.parameters, *during)]
    assert len({value.tobytes() for value in values}) == 4


def test_the_users_module_holds_the_trained_values_after_fit(rows):
    module = Linear(1)
    model = model_of(module)
    model.fit(rows, rows[:, :1], verbose=0)
    np.testing.assert_array_equal(module.w, model.parameters["w"])
    model.train_on_batch(rows, rows[:, :1])
    np.testing.assert_array_equal(model.module.w, model.parameters["w"])


def test_values_already_on_the_module_are_kept(rows):
    encoder = Linear(3)
    encoder(rows)
    pretrained = np.asarray(encoder.w)
    model = model_of(lambda x: Linear(1)(encoder(x)))
    np.testing.assert_array_equal(model.init(rows, rows[:, :1]).parameters["linear_1"]["w"], pretrained)


def test_an_array_set_on_the_module_between_fits_wins(rows):
    module = Linear(1)
    model = model_of(module)
    model.fit(rows, rows[:, :1], verbose=0)
    module.set_parameters({"w": jnp.full((3, 1), 7.0)})
    np.testing.assert_allclose(model.predict(rows, verbose=0), 7 * rows.sum(-1, keepdims=True) + module.b, rtol=1e-5)
    module.w = jnp.zeros((3, 1))
    assert float(jnp.abs(model.predict(rows, verbose=0) - module.b).max()) == 0.0


def test_an_exception_hands_back_the_last_finished_launch(rows):
    model = model_of()

    def fail(epoch, logs):
        if epoch == 1:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        model.fit(rows, rows[:, :1], batch_size=4, epochs=5, callbacks=[Lambda(on_epoch_end=fail)], verbose=0)
    assert int(model.state.step) == 4
    np.testing.assert_array_equal(model.module.w, model.parameters["w"])
    assert model.fit(rows, rows[:, :1], verbose=0).epoch == [0]


def test_a_launch_that_fails_leaves_the_newest_copy_that_was_kept(rows):
    def host(step):
        if step >= 5:
            raise RuntimeError("launch failed")
        return np.float32(0)

    def loss(y_pred, step):
        return y_pred + jax.pure_callback(host, jax.ShapeDtypeStruct((), jnp.float32), step)

    model = elegy.Model(Linear(1), loss=loss, optimizer=optax.sgd(0.1))
    read = Lambda(on_epoch_end=lambda epoch, logs: model.state and None)
    with pytest.raises(Exception, match="launch failed"):
        model.fit(rows, batch_size=4, epochs=9, callbacks=[read], verbose=0)
    assert int(model.state.step) == 4
    np.testing.assert_array_equal(model.module.w, model.parameters["w"])


def test_a_fit_after_a_failed_fit_works(rows):
    model = elegy.Model(Linear(1), loss=lambda y_tru: y_tru, optimizer="sgd")
    with pytest.raises(elegy.InjectionError, match="Did you mean `y_true`"):
        model.fit(rows, rows, verbose=0)
    with pytest.raises(ValueError, match="ardinality"):
        model_of().fit(rows, rows[:3], verbose=0)
    good = model_of()
    with pytest.raises(ValueError):
        good.fit(rows, rows[:, 0], verbose=0)
    assert good.fit(rows, rows[:, :1], verbose=0).epoch == [0]


def test_training_continues_where_the_last_fit_ended(rows):
    once, twice = model_of(), model_of()
    once.fit(rows, rows[:, :1], epochs=4, batch_size=4, verbose=0)
    for _ in range(2):
        twice.fit(rows, rows[:, :1], epochs=2, batch_size=4, verbose=0)
    np.testing.assert_array_equal(once.parameters["w"], twice.parameters["w"])


def test_reset_starts_from_the_same_initial_values(rows):
    model = model_of()
    first = model.init(rows, rows[:, :1]).parameters["w"]
    model.fit(rows, rows[:, :1], verbose=0)
    model.reset()
    assert model.history is None
    np.testing.assert_array_equal(model.init(rows, rows[:, :1]).parameters["w"], first)


def test_weights_come_back_from_a_file_and_differences_are_listed(rows, tmp_path):
    model, other, wider = model_of(), model_of(seed=1), model_of(Linear(2))
    model.fit(rows, rows[:, :1], verbose=0)
    path = model.save_weights(tmp_path / "weights.safetensors")
    other.init(rows, rows[:, :1])
    other.load_weights(path)
    np.testing.assert_array_equal(other.predict(rows, verbose=0), model.predict(rows, verbose=0))
    wider.init(rows, rows[:, :2])
    with pytest.raises(ValueError, match=r"`parameters/w` is f32\[3,1\] in the file and f32\[3,2\] in the model"):
        wider.load_weights(path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        wider.load_weights(tmp_path / "missing")


def test_scalars_come_back_from_a_file_as_scalars(rows, tmp_path):
    model = model_of(elegy.nn.BatchNormalization())
    model.init(rows, rows)
    model.load_weights(model.save_weights(tmp_path / "weights.safetensors"))
    assert model.states["mean_ema"]["counter"].shape == ()


def test_asking_for_arrays_before_there_are_any_says_what_to_do():
    with pytest.raises(ValueError, match=r"Call `model\.init\(x\)` or `fit` first"):
        _ = model_of().parameters


def test_an_array_set_on_the_module_is_there_when_the_module_is_read(rows):
    model = model_of()
    model.init(rows, rows[:, :1])
    model.module.set_parameters({"w": jnp.full((3, 1), 7.0)})
    model.module.b = jnp.full((1,), 2.0)
    assert float(model.module.w[0, 0]) == 7.0
    np.testing.assert_allclose(model.predict(rows, verbose=0), 7 * rows.sum(-1, keepdims=True) + 2, rtol=1e-5)


def test_a_part_of_the_module_that_was_reset_begins_anew_and_the_rest_goes_on(rows):
    network = elegy.nn.Sequential([Linear(2), Linear(1)])
    model = elegy.Model(network, loss="mse", optimizer=optax.sgd(0.1, momentum=0.9))
    first = model.init(rows, rows[:, :1]).parameters["layers"]
    model.fit(rows, rows[:, :1], epochs=2, verbose=0)
    trained = model.state
    model.module.layers[1].reset()
    assert "1" not in model.module.parameters["layers"]
    after = model.init(rows, rows[:, :1])
    np.testing.assert_array_equal(after.parameters["layers"]["1"]["w"], first["1"]["w"])
    np.testing.assert_array_equal(after.parameters["layers"]["0"]["w"], trained.parameters["layers"]["0"]["w"])
    slots = [after.optimizer["**"][0].trace["layers"][number]["w"] for number in "01"]
    assert np.any(slots[0]) and not np.any(slots[1])


def test_a_reset_module_may_come_back_in_another_size(rows):
    module = elegy.nn.Sequential([Linear(2), Linear(1)])
    model = model_of(module)
    model.fit(rows, rows[:, :1], verbose=0)
    module.layers[0].output_size = 5
    module.reset()
    model.fit(rows, rows[:, :1], verbose=0)
    assert model.parameters["layers"]["0"]["w"].shape == (3, 5)


def test_a_copy_of_a_module_trains_alone(rows):
    module = Linear(1)
    module(rows)
    other = copy.deepcopy(module)
    model_of(module).fit(rows, rows[:, :1], verbose=0)
    assert (np.asarray(module.w) != np.asarray(other.w)).any()
