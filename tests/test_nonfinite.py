"""What a fit does about losses and gradients that are NaN or infinite (F8)."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy.nn import BatchNormalization

X = np.linspace(-1, 1, 8, dtype="float32")[:, None]
BROKEN = np.where(np.arange(8)[:, None] == 5, np.float32("nan"), X)  # in the third of four batches
SKIP = {"batch_size": 2, "shuffle": False, "nonfinite": "skip", "verbose": 0}


class Scale(elegy.Module):
    def call(self, x):
        return x * self.add_parameter("w", initializer=1.0)


def half_square(y_pred):
    return jnp.square(y_pred[:, 0]) / 2


def by_hand(x, optimizer):
    """`w` and the losses of finite batches of `w * x`, with Optax."""
    w, state, losses = jnp.float32(1), optimizer.init(jnp.float32(1)), []
    for batch in x.reshape(4, 2):
        if np.isfinite(batch).all():
            losses.append(np.mean((float(w) * batch) ** 2) / 2)
            updates, state = optimizer.update(jnp.float32(np.mean(float(w) * batch**2)), state, w)
            w = w + updates
    return float(w), losses


@pytest.mark.parametrize("execution", ["resident", "chunks", "single"])
def test_a_step_that_is_not_finite_is_left_out_of_everything(execution):
    model = elegy.Model(Scale(), loss=half_square, optimizer=optax.adam(0.1), metrics=lambda x: x[:, 0])
    history = model.fit(BROKEN, execution=execution, **SKIP).history
    w, losses = by_hand(BROKEN, optax.adam(0.1))
    np.testing.assert_allclose(model.parameters["w"], w, rtol=1e-5)
    np.testing.assert_allclose(history["loss"], [np.mean(losses)], rtol=1e-5)
    np.testing.assert_allclose(history["lambda"], [np.mean(np.delete(X, [4, 5]))], rtol=1e-5)
    assert history["skipped_steps"] == [1.0] and int(model.state.step) == 4


def test_states_are_kept_by_a_skipped_step():
    def after(x, **fit):
        model = elegy.Model(BatchNormalization(), loss=half_square, optimizer="sgd")
        model.fit(x, shuffle=False, verbose=0, **fit)
        return model.states

    jax.tree.map(
        np.testing.assert_array_equal,
        after(BROKEN[4:], batch_size=2, nonfinite="skip"),
        after(BROKEN[6:], batch_size=2),
    )


def test_gradients_that_are_not_finite_skip_a_step_whose_loss_is():
    def root(y_pred):
        return jnp.sqrt(jnp.abs(y_pred[:, 0]))  # at 0 the slope is infinite

    model = elegy.Model(Scale(), loss=root, optimizer=optax.chain(optax.clip(1.0), optax.sgd(0.1)))
    history = model.fit(np.array([[0.0], [1.0]], "float32"), **{**SKIP, "batch_size": 1}).history
    np.testing.assert_allclose(model.parameters["w"], 1 - 0.1 * 0.5, rtol=1e-6)
    assert history["skipped_steps"] == [1.0] and history["loss"] == [1.0]


def test_an_epoch_of_skipped_steps_has_no_loss_and_the_next_has_one():
    model = elegy.Model(Scale(), loss=half_square, optimizer="sgd")
    history = model.fit(BROKEN[4:], steps_per_epoch=1, epochs=2, **SKIP).history
    assert np.isnan(history["loss"][0]) and np.isfinite(history["loss"][1])
    assert history["skipped_steps"] == [1.0, 0.0]


def test_callbacks_see_the_loss_of_a_skipped_step():
    seen = []
    watch = elegy.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(dict(logs)))
    elegy.Model(Scale(), loss=half_square, optimizer="sgd").fit(BROKEN, callbacks=[watch], **SKIP)
    assert [np.isnan(logs["loss"]) for logs in seen] == [False, False, True, False]
    assert [logs["skipped_steps"] for logs in seen] == [0, 0, 1, 0]


def test_skipping_ends_with_its_fit_and_compiles_nothing_twice():
    traces = []

    def loss(y_pred):
        traces.append(None)
        return half_square(y_pred)

    model = elegy.Model(Scale(), loss=loss, optimizer="sgd")
    assert "skipped_steps" in model.fit(X, **SKIP).history
    assert "skipped_steps" not in model.fit(X, batch_size=2, shuffle=False, verbose=0).history
    before = len(traces)
    assert list(model.fit(X, **SKIP).history) == ["loss", "loss_1", "skipped_steps", "learning_rate"]
    assert len(traces) == before
    model.train_on_batch(BROKEN)
    assert np.isnan(model.parameters["w"])


class Own(elegy.Model):
    """A step of its own that logs no `loss`."""

    logged = "objective"

    def train_step(self, state, batch):
        value, slope = jax.value_and_grad(lambda w: jnp.mean(jnp.square(w * batch["x"])) / 2)(state.parameters["w"])
        return self.apply_gradients(state, {"w": slope}), {self.logged: value}


def test_own_steps_are_skipped_for_the_gradients_that_they_apply():
    model = Own(Scale(), optimizer=optax.adam(0.1))
    history = model.fit(BROKEN, **SKIP).history
    w, losses = by_hand(BROKEN, optax.adam(0.1))
    np.testing.assert_allclose(model.parameters["w"], w, rtol=1e-5)
    np.testing.assert_allclose(history["objective"], [np.mean(losses)], rtol=1e-5)


def test_a_log_called_like_the_number_of_skipped_steps_is_an_error():
    model = Own(Scale(), optimizer="sgd")
    model.logged = "skipped_steps"
    with pytest.raises(ValueError, match="has a log `skipped_steps` of its own"):
        model.fit(X, **SKIP)


def test_own_steps_that_tell_nothing_cannot_be_skipped():
    class Silent(elegy.Model):
        def train_step(self, state, batch):
            return state, {"rows": jnp.float32(1)}

    with pytest.raises(ValueError, match="neither calls `apply_gradients` nor logs `loss`"):
        Silent(Scale(), optimizer="sgd").fit(X, **SKIP)


def test_gradients_applied_inside_a_transformation_cannot_be_skipped():
    class Inner(elegy.Model):
        def train_step(self, state, batch):
            return jax.jit(lambda state: self.apply_gradients(state, state.parameters))(state), {"loss": 0.0}

    with pytest.raises(ValueError, match="inside a JAX transformation"):
        Inner(Scale(), optimizer="sgd").fit(X, **SKIP)


@pytest.mark.parametrize("execution", ["auto", "single"])
def test_stop_ends_the_fit_and_the_history_says_why(execution):
    model = elegy.Model(Scale(), loss=half_square, optimizer="sgd")
    history = model.fit(BROKEN, batch_size=2, shuffle=False, epochs=9, nonfinite="stop", execution=execution, verbose=0)
    assert history.stop_reason == "The loss became NaN or infinite at step 2."
    assert history.epoch == [0] and int(model.state.step) == 4


def test_stop_does_not_wait_for_the_end_of_an_epoch():
    model = elegy.Model(Scale(), loss=half_square, optimizer="sgd")
    model.fit(BROKEN, batch_size=2, shuffle=False, steps_per_epoch=50, nonfinite="stop", execution="single", verbose=0)
    assert int(model.state.step) == 4  # one launch after the broken one


def test_a_history_tells_the_reason_of_a_stop():
    stop = elegy.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: elegy.Stop("good enough"))
    model = elegy.Model(Scale(), loss=half_square, optimizer="sgd")
    assert model.fit(X, epochs=3, callbacks=[stop], verbose=0).stop_reason == "good enough"
    assert model.fit(X, verbose=0).stop_reason is None
