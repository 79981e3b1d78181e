"""`elegy.in_step`: what runs inside the compiled step now and then, what it sees, what it costs, and what it logs."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy._flat import whole
from elegy.callbacks import CSVLogger, LambdaCallback

X = np.random.default_rng(0).normal(size=(22, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


def model_of(base=elegy.Model, **options):
    return base(elegy.nn.Linear(1), **{"loss": "mse", "optimizer": optax.sgd(0.1), "seed": 0, **options})


def fit(model, *callbacks, **options):
    """Six steps an epoch, the last one smaller."""
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **options}
    return model.fit(X, Y, callbacks=list(callbacks), **options)


@elegy.in_step(every=4)
def sizes(gradients, updates, step):
    return {"slope": norm(gradients), "move": norm(updates), "when": step}


def norm(tree):
    return jnp.linalg.norm(tree["w"])


# ---- what is logged, and when ----


@pytest.mark.parametrize(
    ("execution", "eager"), [("single", True), ("single", False), ("resident", False), ("chunks", False)]
)
def test_an_epoch_logs_the_mean_over_the_steps_that_ran_it_in_every_plan(execution, eager):
    seen = []
    keep = LambdaCallback(on_train_batch_end=lambda gradients, updates: seen.append((norm(gradients), norm(updates))))
    logs = fit(model_of(run_eagerly=eager), sizes, keep, epochs=2, execution=execution).history
    ran = np.array(seen).reshape(2, 6, 2)  # the fourth step of the first epoch; the second and last of the second one
    np.testing.assert_allclose(logs["slope"], [ran[0, 3, 0], ran[1, [1, 5], 0].mean()], rtol=1e-5)
    np.testing.assert_allclose(logs["move"], [ran[0, 3, 1], ran[1, [1, 5], 1].mean()], rtol=1e-4)
    assert logs["when"] == [3, 9] and list(logs) == ["loss", "mse_loss", "slope", "move", "when"]


def test_an_epoch_in_which_it_never_ran_logs_nan_and_a_step_the_newest_value():
    rare = elegy.in_step(lambda step: {"when": step}, every="8 steps")
    history = fit(model_of(), rare, epochs=3, step_logs=True)
    np.testing.assert_array_equal(history.history["when"], [np.nan, 7, 15])
    np.testing.assert_array_equal(history.steps["when"], 7 * [np.nan] + 5 * [7] + 3 * [np.nan] + 3 * [15])


EVERY = {"always": 1, "third": 3, "fifth": 5}
AT = range(1, 19)  # the steps of three epochs, counted from 1


@pytest.mark.parametrize(
    ("execution", "length"), [("resident", None), ("resident", 4), ("chunks", 3), ("single", None)]
)
def test_hooks_of_several_paces_run_in_their_own_steps_however_launches_are_cut(execution, length):
    paces = {name: elegy.in_step(lambda step, name=name: {name: step}, every=every) for name, every in EVERY.items()}
    history = fit(
        model_of(), *paces.values(), epochs=3, step_logs=True, execution=execution, steps_per_execution=length
    )
    for name, every in EVERY.items():
        before = [(step - 1) // 6 * 6 // every for step in AT]  # how often it had run when the epoch began
        newest = [
            np.nan if step // every == n else step // every * every - 1 for step, n in zip(AT, before, strict=True)
        ]
        np.testing.assert_array_equal(history.steps[name], newest)


def test_steps_are_counted_over_several_fits():
    model = model_of()
    assert [fit(model, sizes).history["when"][0] for _ in range(2)] == [3, 9]


def test_without_a_number_it_runs_in_every_step():
    assert fit(model_of(), elegy.in_step(lambda step: {"when": step})).history["when"] == [2.5]


@pytest.mark.parametrize("every", [4, "4 steps", "4 batches", elegy.When("4 steps")])
def test_how_often_is_a_number_of_steps_in_any_form(every):
    assert elegy.in_step(sizes.function, every=every) == elegy.in_step(every=every)(sizes.function) == sizes


def test_names_that_are_taken_get_a_number():
    def named():
        return {"loss": 1, "mae": jnp.int8(2), "learning_rate": True, "own": np.float64(4)}

    model = model_of(metrics=["mae"], optimizer="sgd")
    logs = fit(model, elegy.in_step(named), elegy.in_step(lambda: {"own": 5})).history
    assert list(logs)[3:] == ["loss_1", "mae_1", "learning_rate_1", "own", "own_1", "learning_rate"]
    assert [logs[name][0] for name in list(logs)[3:8]] == [1, 2, 1, 4, 5]


def test_a_skipped_step_does_not_count():
    broken = np.where(np.arange(22)[:, None] == 4, np.float32("nan"), X)
    hook = elegy.in_step(lambda step, y_pred: {"when": step, "y": y_pred.mean()}, every=1)
    logs = model_of().fit(broken, Y, 4, 1, 0, [hook], shuffle=False, nonfinite="skip").history
    assert logs["when"] == [(0 + 2 + 3 + 4 + 5) / 5] and np.isfinite(logs["y"]).all()


def test_loggers_write_it_and_validation_has_none(tmp_path):
    logs = fit(model_of(), sizes, CSVLogger(tmp_path / "log.csv"), validation_data=(X, Y)).history
    header, row = (tmp_path / "log.csv").read_text().splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["when"] == "3.0" and "val_when" not in logs


# ---- what it may ask for ----


def test_it_is_offered_all_that_a_training_step_has():
    asked = "x y_true y_pred sample_weight class_weight training parameters states step epoch key intermediates"
    asked += " losses gradients updates summaries mae place"
    seen = {}
    namespace = {"seen": seen}
    exec(f"def look({', '.join(asked.split())}): seen.update(locals()); return {{'mae_here': mae}}", namespace)

    def module(x):
        elegy.add_summary("inputs", x)
        return elegy.nn.Linear(1, name="last")(x)

    batch = elegy.Batch(x=X, y_true=Y, place=np.arange(22))
    model = elegy.Model(module, loss="mse", metrics=["mae"], optimizer="sgd")
    logs = model.fit(batch, batch_size=22, callbacks=elegy.in_step(namespace["look"]), verbose=0).history
    assert list(seen) == [*asked.split(), "seen"][: len(asked.split())]
    assert list(seen["losses"]) == ["loss", "mse_loss"] and list(seen["summaries"]) == ["inputs"]
    assert seen["place"].shape == (22,) and list(seen["intermediates"]) == ["last"]
    assert seen["training"] is True and seen["key"].dtype == jax.random.key(0).dtype
    assert logs["mae_here"] == logs["mae"]


def test_what_is_lazy_is_made_for_each_that_asks():
    first, second = (elegy.in_step(lambda updates: {"move": norm(updates)}, every=n) for n in (2, 3))
    logs = fit(model_of(), first, second).history
    assert logs["move"][0] > 0 and logs["move_1"][0] > 0


class Watch(elegy.Callback):
    """Looks at one parameter, in steps and after epochs."""

    def __init__(self, path):
        self.path, self.seen = path, []

    @elegy.in_step(every=2)
    def size(self, parameters):
        return {f"{self.path}_size": jnp.abs(parameters[self.path]).max()}

    def on_epoch_end(self, epoch, logs):
        self.seen.append(logs[f"{self.path}_size"])


def test_a_method_of_a_callback_is_one_too():
    watch = Watch("w")
    logs = fit(model_of(), watch, epochs=2).history
    assert watch.seen == logs["w_size"] and logs["w_size"][0] > 0


def test_a_marked_function_can_be_called_as_before():
    assert sizes({"w": jnp.array([3.0, 4.0])}, {"w": jnp.zeros(2)}, step=1)["slope"] == 5 and Watch("w").size(
        {"w": jnp.array([-2.0])}
    ) == {"w_size": 2}


# ---- what it costs ----


def test_it_is_computed_only_in_the_branch_of_its_steps():
    hook = elegy.in_step(lambda updates: {"odd": jnp.sum(jax.lax.erf_inv(updates["w"]))}, every=3)
    model = model_of()
    fit(model, epochs=0)
    programs, state = model._trainer.programs, model.state
    batch = elegy.Batch(x=X, y_true=Y)
    with programs.training_with(skips=False, hooks=(hook,)):
        step = jax.make_jaxpr(programs._inner(True, ()))(state, batch).jaxpr.eqns[0].params["jaxpr"].jaxpr
    branches = [eqn for eqn in step.eqns if eqn.primitive.name == "cond"]
    assert "erf_inv" in str(branches[0]) and len(branches) == 1
    assert all("erf_inv" not in str(eqn) for eqn in step.eqns if eqn is not branches[0])


def test_nothing_moves_between_host_and_device():
    model = model_of()
    fit(model, sizes)
    programs, batch = model._trainer.programs, jax.device_put(elegy.Batch(x=X[:4], y_true=Y[:4]))
    state = jax.tree.map(jnp.copy, model.state)
    with programs.training_with(skips=False, hooks=(sizes,)):
        programs.train(jax.tree.map(jnp.copy, state), batch)
        with jax.transfer_guard("disallow"):
            after, *_ = programs.train(state, batch)
    assert int(whole(after).step) == int(model.state.step) + 1


def test_only_programs_with_it_are_compiled_when_it_comes_and_goes():
    model, programs, traces = model_of(), [], []
    for hooks in ([], [sizes], [], [sizes]):
        fit(model, *hooks, validation_data=(X, Y))
        programs.append(set(model._trainer.programs._jitted))
        traces.append(model._trainer.programs.traces)
    assert programs[0] < programs[1] and traces[1:] == 3 * traces[1:2]
    assert all(sizes in key for _, key in programs[1] - programs[0])


def test_what_it_has_baked_in_is_compared_when_a_fit_begins(caplog):
    model, watch = model_of(), Watch("w")
    fit(model, watch)
    watch.path = "b"
    assert "b_size" in fit(model, watch).history
    assert "`in-step hook `size`/self/path` changed from 'w' to 'b'" in caplog.text


# ---- errors ----


class OwnStep(elegy.Model):
    """A step that offers nothing."""

    def train_step(self, state, batch):
        return state, {"loss": jnp.float32(0)}


@pytest.mark.parametrize(
    ("base", "function", "error", "text"),
    [
        (elegy.Model, lambda gradiants: {}, elegy.InjectionError, "asks for `gradiants`, .*Did you mean `gradients`?"),
        (OwnStep, lambda gradients: {}, elegy.InjectionError, r"which a train step does not have.*update_metrics\("),
        (elegy.Model, lambda x: x, TypeError, r"hook `lambda` returned f32\[4,3\]\. It was asked for logs\. Return a"),
        (elegy.Model, lambda x: {"x": x}, TypeError, r"returned 'x': f32\[4,3\] for the logs\. A log is a name with"),
        (elegy.Model, lambda x: {3: 1.0}, TypeError, "returned 3: float for the logs"),
        (elegy.Model, lambda x: {"a": "b"}, TypeError, "returned 'a': str for the logs"),
        (elegy.Model, lambda x: {"a": 1j * x[0, 0]}, TypeError, r"returned 'a': c64\[\] for the logs"),
    ],
)
def test_what_does_not_fit_is_an_error_before_anything_is_compiled(base, function, error, text):
    model = model_of(base)
    with pytest.raises(error, match=text):
        fit(model, elegy.in_step(function, every=5))
    assert model._trainer.programs._jitted.keys() <= {(frozenset(), ("step", True, elegy.in_step(function, every=5)))}


@pytest.mark.parametrize("every", ["epoch", "10 min", "5%"])
def test_time_and_epochs_are_unknown_to_a_step(every):
    with pytest.raises(ValueError, match=r"knows its number, and neither time nor epochs. Give a number of steps"):
        elegy.in_step(every=every)


def test_what_cannot_be_called_cannot_be_marked():
    with pytest.raises(TypeError, match=r"`in_step` was given 50, which cannot be called.*Write `@elegy.in_step"):
        elegy.in_step(50)


@pytest.mark.parametrize("verb", [elegy.Model.evaluate, elegy.Model.predict])
def test_only_a_fit_has_training_steps(verb):
    model = elegy.Model(elegy.nn.Linear(1), loss=lambda y_pred: y_pred)
    with pytest.raises(TypeError, match=r"in-step hook `sizes` was given as a callback.*Give it to `fit"):
        verb(model, X, callbacks=sizes, verbose=0)
