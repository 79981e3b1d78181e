"""What callbacks ask hooks for by name: the values, what they cost, and errors before the first step."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy import Callback, InjectionError
from elegy.callbacks import LambdaCallback as Lambda
from elegy.nn import BatchNormalization, Linear


def mse(y_true, y_pred):
    return jnp.square(y_true - y_pred).mean(-1)


def model(base=elegy.Model, **kwargs):
    return base(Linear(1), **{"loss": mse, "optimizer": optax.sgd(0.5), "seed": 0, **kwargs})


def fit(trained, rows, *callbacks, **kwargs):
    """Two steps an epoch, in order."""
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **kwargs}
    return trained.fit(rows, rows[:, :1], callbacks=list(callbacks), **options).history


def at_step(function):
    return Lambda(on_train_batch_end=function)


def output(parameters, x):
    return np.asarray(x) @ np.asarray(parameters["w"]) + np.asarray(parameters["b"])


def assert_close(tree, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6), tree, expected)


class OwnStep(elegy.Model):
    """A step that has no metrics."""

    def train_step(self, state, batch):
        def total(parameters):
            outputs = self.forward(state, batch, parameters)
            return self.losses(outputs, batch)

        gradients, logs = jax.grad(total, has_aux=True)(state.parameters)
        return self.apply_gradients(state, gradients), logs


class OwnStepWithMetrics(elegy.Model):
    """A step that gives its outputs and gradients to `update_metrics`."""

    def train_step(self, state, batch):
        def total(parameters):
            outputs = self.forward(state, batch, parameters)
            return self.losses(outputs, batch)[0], outputs

        gradients, outputs = jax.grad(total, has_aux=True)(state.parameters)
        _, logs = self.losses(outputs, batch)
        after = self.apply_gradients(outputs.state, gradients)
        return self.update_metrics(after, outputs, batch, logs, gradients=gradients)[0], logs


class StepInsideGrad(elegy.Model):
    """A step whose metrics are updated in the function that is differentiated."""

    def train_step(self, state, batch):
        def total(parameters):
            outputs = self.forward(state, batch, parameters)
            loss, logs = self.losses(outputs, batch)
            return loss, (self.update_metrics(outputs.state, outputs, batch, logs)[0], logs)

        gradients, (after, logs) = jax.grad(total, has_aux=True)(state.parameters)
        return self.apply_gradients(after, gradients), logs


@pytest.mark.parametrize("eager", [False, True])
def test_y_pred_of_a_step_comes_from_the_parameters_before_it(rows, eager):
    seen = []
    keep = at_step(lambda x, y_true, y_pred, parameters: seen.append((x, y_true, y_pred, parameters)))
    fit(model(run_eagerly=eager), rows, keep, epochs=2)
    assert len(seen) == 4
    for number, (x, y_true, y_pred, parameters) in enumerate(seen):
        batch = rows[4 * (number % 2) :][:4]
        np.testing.assert_array_equal(x, batch)
        np.testing.assert_array_equal(y_true, batch[:, :1])
        np.testing.assert_allclose(y_pred, output(parameters, batch), rtol=1e-5)


def test_gradients_are_those_of_jax_and_updates_what_the_optimizer_made_of_them(rows):
    seen = []
    fit(model(), rows, at_step(lambda gradients, updates, parameters: seen.append((gradients, updates, parameters))))
    for (gradients, updates, parameters), x in zip(seen, (rows[:4], rows[4:]), strict=True):
        expected = jax.grad(lambda p, x=x: mse(x[:, :1], x @ p["w"] + p["b"]).mean())(parameters)
        assert_close(gradients, expected)
        assert_close(updates, jax.tree.map(lambda g: -0.5 * g, gradients))


def test_the_numbers_of_a_step_are_those_that_its_losses_saw(rows):
    seen = []
    keep = at_step(lambda step, epoch, training, sample_weight: seen.append((step, epoch, training, sample_weight)))
    fit(model(), rows, keep, epochs=2)
    assert seen == [(0, 0, True, None), (1, 0, True, None), (2, 1, True, None), (3, 1, True, None)]


def test_losses_are_offered_by_log_name_and_states_as_the_forward_left_them(rows):
    seen = []
    trained = elegy.Model(BatchNormalization(), loss=lambda y_pred: y_pred, optimizer="sgd")
    keep = at_step(lambda losses, states, logs: seen.append((dict(losses), dict(logs), states)))
    trained.fit(rows, batch_size=4, callbacks=keep, verbose=0)
    losses, logs, states = seen[-1]
    assert losses == logs and list(losses) == ["loss", "lambda_loss"]
    jax.tree.map(np.testing.assert_array_equal, states, trained.states)


def test_columns_of_a_named_batch_and_weights_are_offered(rows):
    seen = []
    batch = elegy.Batch(x=rows, y_true=rows[:, :1], sample_weight=np.ones(8, np.float32), place=np.arange(8))
    keep = at_step(lambda place, sample_weight: seen.append((place, sample_weight)))
    model().fit(batch, batch_size=4, shuffle=False, callbacks=keep, verbose=0)
    np.testing.assert_array_equal([place for place, _ in seen], [[0, 1, 2, 3], [4, 5, 6, 7]])
    np.testing.assert_array_equal(seen[0][1], np.ones(4))


def test_outputs_of_modules_and_summaries_are_offered_as_arrays(rows):
    def watched(x):
        hidden = Linear(2, name="hidden")(x)
        elegy.add_summary("activations", hidden)
        return Linear(1)(hidden)

    seen, trained = [], elegy.Model(watched, loss=mse, optimizer="sgd")
    keep = at_step(lambda intermediates, summaries: seen.append((intermediates, summaries)))
    fit(trained, rows, keep)
    trained.evaluate(
        rows, rows[:, :1], verbose=0, callbacks=Lambda(on_test_batch_end=lambda summaries: seen.append(summaries))
    )
    intermediates, summaries = seen[0]
    np.testing.assert_array_equal(intermediates["hidden"], summaries["activations"])
    assert list(intermediates) == ["hidden", "linear"] and seen[-1]["activations"].shape == (8, 2)


def test_what_was_handed_out_survives_later_steps(rows):
    seen, ends = [], []
    asks = at_step(lambda parameters, states, gradients: seen.append((parameters, states, gradients)))
    end = Lambda(on_epoch_end=lambda parameters, step: ends.append((parameters, np.int32(step))))
    trained = model()
    fit(trained, rows, asks, end, epochs=3)
    fit(trained, rows)
    assert len(jax.device_get((seen, ends))[0]) == 6
    assert [step for _, step in ends] == [2, 4, 6]


def test_several_callbacks_ask_for_different_names_and_nothing_else_changes(rows):
    first, second = [], []
    plain, asked = model(), model()
    expected = fit(plain, rows, epochs=2, batch_size=3, validation_split=0.25)
    one, two = at_step(lambda y_pred: first.append(y_pred)), at_step(lambda batch, losses: second.append(losses))
    assert fit(asked, rows, one, two, epochs=2, batch_size=3, validation_split=0.25, verbose=1) == expected
    assert len(first) == len(second) == 4
    assert_close(asked.parameters, plain.parameters)


def test_a_step_returns_only_what_somebody_asks_for(rows):
    trained = model()
    fit(trained, rows, at_step(lambda batch, logs: None))
    state, batch = trained.state, elegy.Batch(x=rows, y_true=rows[:, :1])
    programs = trained._trainer.programs
    plain, asked = (programs.told(state, batch, True, state.metrics, names) for names in ((), ("y_pred",)))
    assert plain.asked == {}
    assert {name: value.shape for name, value in asked.asked.items()} == {"y_pred": (8, 1)}


def test_a_program_with_asked_names_is_compiled_once(rows, caplog):
    trained, keep = model(), at_step(lambda y_pred: None)
    with jax.log_compiles():
        fit(trained, rows, keep, epochs=2)
        fit(trained, rows, keep)
    begun = [r.getMessage() for r in caplog.records if r.getMessage().startswith("Compiling jit")]  # a thread ends it
    names = ("train_many_128_y_pred", "train_many_128")
    assert [sum(f"jit({name})" in m for m in begun) for name in names] == [1, 0]


def test_a_default_is_used_for_what_there_is_not(rows):
    seen = []
    fit(model(OwnStep), rows, at_step(lambda y_pred=None, nothing=3, states=4: seen.append((y_pred, nothing, states))))
    assert seen == [(None, 3, 4), (None, 3, 4)]


def test_kwargs_get_the_arguments_of_keras_and_the_run(rows):
    seen = []
    fit(model(), rows, at_step(lambda **every: seen.append(sorted(every))), at_step(lambda y_pred: None))
    assert seen == [["batch", "logs", "run"]] * 2


def test_hooks_around_the_steps_get_the_arrays_as_they_are_then(rows):
    begin, end = [], []
    trained = model()
    first = trained.init(rows, rows[:, :1]).parameters
    at_begin, at_end = (lambda parameters: begin.append(parameters)), (lambda parameters: end.append(parameters))
    fit(trained, rows, Lambda(on_train_begin=at_begin, on_train_end=at_end))
    jax.tree.map(np.testing.assert_array_equal, (begin[0], end[0]), (first, trained.parameters))


def test_a_callback_sees_the_arrays_that_the_one_before_it_set(rows):
    seen = []

    def reset(run, parameters):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        run.model.state = dataclasses.replace(run.state, parameters=zeros)

    fit(model(), rows, Lambda(on_epoch_end=reset), Lambda(on_epoch_end=lambda parameters: seen.append(parameters)))
    assert float(abs(seen[0]["w"]).sum()) == 0.0


def test_evaluation_offers_its_outputs(rows):
    seen, flags, trained = [], [], model()
    keep = Lambda(on_test_batch_end=lambda x, y_pred, parameters: seen.append((x, y_pred, parameters)))
    flag = Lambda(on_test_batch_end=lambda training: flags.append(training))
    fit(trained, rows, keep, validation_data=(rows[:3], rows[:3, :1]))
    trained.evaluate(rows, rows[:, :1], batch_size=5, callbacks=[keep, flag], verbose=0)
    assert [len(x) for x, *_ in seen] == [3, 5, 3] and flags == [False, False]
    for x, y_pred, parameters in seen:
        np.testing.assert_allclose(y_pred, output(parameters, x), rtol=1e-5)


def test_prediction_offers_its_batch_and_outputs(rows):
    seen, trained = [], model()
    keep = Lambda(on_predict_batch_end=lambda x, y_pred, class_weight: seen.append((x, y_pred, class_weight)))
    predicted = trained.predict(rows, batch_size=4, callbacks=keep, verbose=0)
    np.testing.assert_array_equal(np.concatenate([x for x, *_ in seen]), rows)
    np.testing.assert_array_equal(np.concatenate([y_pred for _, y_pred, _ in seen]), predicted)
    assert [weight for *_, weight in seen] == [None, None]


def test_a_hook_that_the_verb_does_not_call_is_not_checked(rows):
    class Both(Callback):
        def on_train_batch_end(self, batch, gradients, place): ...

        def on_predict_batch_end(self, batch, y_pred): ...

    assert model().predict(rows, callbacks=Both(), verbose=0).shape == (8, 1)


def test_an_own_step_offers_what_it_gives_to_update_metrics(rows):
    seen = []
    fit(model(OwnStepWithMetrics), rows, at_step(lambda y_pred, gradients: seen.append((y_pred, gradients))))
    assert [(y_pred.shape, set(gradients)) for y_pred, gradients in seen] == [((4, 1), {"w", "b"})] * 2


@pytest.mark.parametrize(
    ("base", "hook", "message"),
    [
        (elegy.Model, lambda logs, y_prd: 0, r"`on_train_batch_end` of .* asks for `y_prd`.*x, y_true.*mean `y_pred`"),
        (elegy.Model, lambda logs, inputs: 0, "Here `inputs` is called `x`"),
        (
            elegy.Model,
            lambda logs, place: 0,
            r"`place`, which this hook does not have\. It has: run, batch, logs",
        ),
        (OwnStep, lambda y_pred: 0, r"`y_pred`, which this `train_step` does not have.*self\.update_metrics\(state"),
        (OwnStepWithMetrics, lambda updates: 0, r"`updates`, which this `train_step` does not have.*updates=\.\.\."),
        (StepInsideGrad, lambda y_pred: 0, "`update_metrics` was called inside a JAX transformation"),
    ],
)
def test_an_unknown_name_is_an_error_before_the_first_step(rows, base, hook, message, caplog):
    trained = model(base)
    with jax.log_compiles(), pytest.raises(InjectionError, match=message):
        fit(trained, rows, at_step(hook))
    assert int(trained.state.step) == 0
    assert not [r for r in caplog.records if "XLA compilation of jit(train" in r.getMessage()]


def test_a_misspelled_name_is_not_taken_for_the_logs(rows):
    with pytest.raises(InjectionError, match=r"asks for `y_prd`.*Did you mean `y_pred`"):
        fit(model(), rows, at_step(lambda batch, y_prd: None))


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (Lambda(on_test_batch_end=lambda y_true: None), "asks for `y_true`.*Give labels"),
        (Lambda(on_test_batch_end=lambda gradients: None), "asks for `gradients`.*in training only"),
        (Lambda(on_test_end=lambda run: None), "asks for `run`, which this hook does not have"),
        (Lambda(on_test_end=lambda y_pred: None), "asks for `y_pred`, which this hook does not have"),
    ],
)
def test_what_an_evaluation_does_not_have_is_an_error_before_it(rows, callback, message):
    with pytest.raises(InjectionError, match=message):
        elegy.Model(Linear(1), loss=lambda y_pred: y_pred).evaluate(rows, callbacks=callback, verbose=0)


def test_a_prediction_has_no_labels(rows):
    with pytest.raises(InjectionError, match=r"asks for `y_true`.*Give labels"):
        model().predict(rows, callbacks=Lambda(on_predict_batch_end=lambda y_true: None), verbose=0)
