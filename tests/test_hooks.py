"""What modules add by hooks: losses, metrics and summaries in logs, history and objective; outputs of submodules."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 1.0]], np.float32)
Y = X.sum(-1, keepdims=True)
WEIGHT = np.array([1.0, 0.0, 2.0, 1.0, 3.0], np.float32)


def mse(y_true, y_pred):
    return jnp.square(y_true - y_pred).mean(-1)


def model_of(call, loss=mse, metrics=None, **options):
    return elegy.Model(call, loss=loss, metrics=metrics, optimizer=optax.sgd(0.0), **options)


def logs_of(call, weight=None, loss=mse, metrics=None, **options):
    model = model_of(call, loss, metrics, **options)
    return model.evaluate(X, Y, batch_size=2, sample_weight=weight, verbose=0)


def adding(hook, name, value):
    """A module with two numbers as outputs that adds `value(x)` under `name`."""

    def network(x):
        hook(name, value(x))
        return x[:, :1]

    return network


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_hook_values_reach_history_in_training_and_validation(run_eagerly):
    def network(x):
        elegy.add_loss("activity", x.mean(-1))
        elegy.add_metric("size", x.max(-1))
        elegy.add_summary("gate", x[-1, 0])
        return elegy.nn.Linear(1)(x)

    model = model_of(network, run_eagerly=run_eagerly)
    history = model.fit(X, Y, batch_size=2, shuffle=False, verbose=0, validation_data=(X[:1], Y[:1])).history
    names = ["loss", "mse_loss", "activity_loss", "size", "gate"]
    assert list(history) == [*names, *(f"val_{name}" for name in names)]
    np.testing.assert_allclose(history["activity_loss"], X.mean(), rtol=1e-6)
    np.testing.assert_allclose(history["size"], X.max(-1).mean(), rtol=1e-6)
    assert (history["gate"], history["val_gate"]) == ([9.0], [1.0])
    np.testing.assert_allclose(history["loss"][0], history["mse_loss"][0] + history["activity_loss"][0], rtol=1e-6)


def test_values_with_a_batch_axis_are_weighted_and_scalars_are_not():
    def network(x):
        elegy.add_loss("rows", x[:, 0])
        elegy.add_loss("one", 0.5)
        elegy.add_metric("mean", x[:, 0])
        return x[:, :1]

    logs = logs_of(network, WEIGHT)
    np.testing.assert_allclose(logs["rows_loss"], (WEIGHT * X[:, 0]).sum() / 5, rtol=1e-6)
    np.testing.assert_allclose(logs["mean"], np.average(X[:, 0], weights=WEIGHT), rtol=1e-6)
    assert logs["one_loss"] == 0.5


def test_equal_names_add_each_with_its_own_quotient():
    class Part(elegy.Module):
        def call(self, x):
            elegy.add_loss("shared", x)
            return x

    def network(x):
        elegy.add_loss("shared", (x, x > 2))
        return Part()(Part()(x))[:, :1]

    expected = 2 * X.mean() + X[X > 2].mean()
    np.testing.assert_allclose(logs_of(network)["shared_loss"], expected, rtol=1e-6)


def test_a_name_that_ends_in_loss_has_no_second_suffix():
    assert logs_of(adding(elegy.add_loss, "bar_loss", lambda x: 1.0))["bar_loss"] == 1.0


def test_a_dict_partitions():
    logs = logs_of(adding(elegy.add_loss, "kl", lambda x: {"a": 1.0, "b": {"c": 2.0}}))
    assert (logs["kl_loss/a"], logs["kl_loss/b/c"]) == (1.0, 2.0)


def test_a_clash_with_a_loss_or_metric_gets_a_number():
    def size(y_pred):
        return y_pred

    def network(x):
        elegy.add_loss("mse", 3.0)
        elegy.add_metric("size", 4.0)
        elegy.add_summary("size", 5.0)
        return x[:, :1]

    logs = logs_of(network, metrics=size)
    assert (logs["mse_loss_1"], logs["size_1"], logs["size_2"]) == (3.0, 4.0, 5.0)


def test_metrics_and_summaries_are_named_by_the_path_of_their_module():
    class Inner(elegy.Module):
        def call(self, x):
            elegy.add_metric("size", 1.0)
            elegy.add_metric("size", 2.0)
            elegy.add_summary("first", x)
            return x

    class Outer(elegy.Module):
        def call(self, x):
            return Inner()(x)[:, :1]

    logs = logs_of(Outer())
    assert list(logs) == ["loss", "mse_loss", "inner/size", "inner/size_1", "inner/first"]
    np.testing.assert_allclose(logs["inner/first"], X[4:].mean(), rtol=1e-6)  # of the last batch


def test_hook_losses_are_differentiated():
    def network(x):
        w = elegy.add_parameter("w", initializer=2.0)
        elegy.add_loss("decay", w**2)
        return w * x[:, :1]

    model = elegy.Model(network, optimizer=optax.sgd(0.25))
    model.fit(X, batch_size=5, verbose=0)
    assert float(model.parameters["w"]) == 1.0  # 2 - 0.25 * 2 * 2


def test_a_model_without_losses_of_its_own_trains_on_those_of_its_modules():
    history = elegy.Model(adding(elegy.add_loss, "a", lambda x: x), optimizer="sgd").fit(X, verbose=0).history
    assert list(history) == ["loss", "a_loss", "learning_rate"]


def test_a_model_without_any_loss_says_so():
    with pytest.raises(ValueError, match="It has no loss"):
        elegy.Model(adding(elegy.add_metric, "a", lambda x: x), optimizer="sgd").fit(X, verbose=0)


def test_hook_losses_exist_in_no_prediction_but_in_train_on_batch():
    model = model_of(adding(elegy.add_loss, "a", lambda x: x[:, 0]))
    assert model.predict(X, verbose=0).shape == (5, 1)
    assert model.train_on_batch(X, Y)["a_loss"] == 5.0


def test_own_steps_have_hook_losses_and_metrics_too():
    class Own(elegy.Model):
        def train_step(self, state, batch):
            outputs = self.forward(state, batch)
            _, logs = self.losses(outputs, batch, only="a_loss")
            state, running = self.update_metrics(outputs.state, outputs, batch, logs)
            return state, {**logs, **running}

    def network(x):
        elegy.add_loss("a", x[:, 0])
        elegy.add_metric("m", x[:, 1])
        return x[:, :1]

    logs = Own(network, loss=mse, optimizer="sgd").train_on_batch(X, Y)
    assert dict(logs) == {"loss": 5.0, "a_loss": 5.0, "m": pytest.approx(4.2)}


def test_metrics_may_ask_for_hook_losses_by_name():
    def doubled(losses):
        return 2 * losses["a_loss"]

    assert logs_of(adding(elegy.add_loss, "a", lambda x: 1.5), metrics=doubled)["doubled"] == 3.0


def test_hooks_that_run_in_training_only_are_absent_from_evaluation():
    def network(x, training):
        if training:
            elegy.add_loss("a", 1.0)
            elegy.add_metric("m", 1.0)
        return x[:, :1]

    history = model_of(network).fit(X, Y, verbose=0, validation_split=0.4).history
    assert list(history) == ["loss", "mse_loss", "a_loss", "m", "val_loss", "val_mse_loss"]


def test_one_program_serves_all_steps_with_hooks():
    traced = []

    def network(x):
        traced.append(None)
        elegy.add_metric("m", x.mean(-1))
        elegy.add_summary("s", x)
        return x[:, :1]

    model = model_of(network)
    model.fit(X[:4], Y[:4], batch_size=2, verbose=0)
    count = len(traced)
    model.fit(X[:4], Y[:4], batch_size=2, epochs=3, verbose=0)
    assert len(traced) == count


@pytest.mark.parametrize("hook", [elegy.add_loss, elegy.add_metric, elegy.add_summary])
def test_a_hook_outside_a_call_says_where_it_belongs(hook):
    with pytest.raises(ValueError, match="No module's call runs"):
        hook("a", 1.0)


@pytest.mark.parametrize("hook", [elegy.add_loss, elegy.add_metric, elegy.add_summary])
def test_a_hook_inside_a_raw_transform_names_the_lifted_form(hook):
    with pytest.raises(ValueError, match=r"calls `add_\w+\('a', ...\)` inside a JAX transform.*elegy.remat"):
        logs_of(lambda x: jax.checkpoint(adding(hook, "a", jnp.sum))(x))


@pytest.mark.parametrize(("name", "value"), [(3, 1.0), ("", 1.0)])
def test_a_hook_wants_a_name(name, value):
    with pytest.raises(TypeError, match="the name first"):
        logs_of(adding(elegy.add_metric, name, lambda x: value))


@pytest.mark.parametrize("value", ["text", [1.0, 2.0], None, (1.0, 2.0)])
def test_a_hook_wants_numbers(value):
    with pytest.raises(TypeError, match=r"Give a number|returns an array|returned None"):
        logs_of(adding(elegy.add_loss, "a", lambda x: value))


def test_outside_a_model_a_context_collects_what_hooks_add():
    class Part(elegy.Module):
        def call(self, x):
            elegy.add_loss("a", x)
            elegy.add_metric("m", x)
            elegy.add_summary("s", x)
            return x

    part = Part()
    part(X)  # nobody collects
    with elegy.hooks_context() as hooks:
        part(X)
        part(X)
    np.testing.assert_allclose(hooks.losses["a_loss"], 2 * X.mean(), rtol=1e-6)
    np.testing.assert_allclose(hooks.metrics["m"], X.mean(), rtol=1e-6)
    np.testing.assert_array_equal(hooks.summaries["s"], X)


def test_values_do_not_leak_from_a_raw_transform_into_a_context_around_it():
    class Part(elegy.Module):
        def call(self, x):
            elegy.add_loss("a", x)
            return x

    part = Part()
    part(X)
    with elegy.hooks_context() as hooks, pytest.raises(ValueError, match=r"would leak out.*elegy\.jit"):
        jax.jit(part)(X)
    assert hooks.losses == {}


def test_losses_and_metrics_ask_for_the_outputs_of_submodules_by_path():
    class Net(elegy.Module):
        def call(self, x):
            return elegy.nn.Linear(1, name="head")(elegy.nn.Linear(3, name="encoder")(x))

    def sparsity(intermediates):
        return jnp.abs(intermediates["encoder"]).mean(-1)

    second = elegy.bind(lambda y_pred: y_pred[:, 1], y_pred="intermediates.encoder")
    model = model_of(Net(), loss=[mse, sparsity], metrics={"second": second})
    logs = model.evaluate(X, Y, batch_size=2, verbose=0)
    w, b = (np.asarray(model.parameters["encoder"][name]) for name in ("w", "b"))
    np.testing.assert_allclose(logs["sparsity_loss"], np.abs(X @ w + b).mean(), rtol=1e-5)
    np.testing.assert_allclose(logs["second/lambda"], (X @ w + b)[:, 1].mean(), rtol=1e-5)


def test_outputs_of_submodules_are_differentiated():
    class Net(elegy.Module):
        def call(self, x):
            return elegy.nn.Linear(1, name="a", with_bias=False, w_init=lambda shape, dtype: jnp.ones(shape, dtype))(x)

    model = elegy.Model(Net(), loss=lambda intermediates: intermediates["a"][:, 0], optimizer=optax.sgd(1.0))
    model.fit(X, batch_size=5, verbose=0)
    np.testing.assert_allclose(model.parameters["a"]["w"][:, 0], 1 - X.mean(0), rtol=1e-6)


def test_an_unknown_submodule_is_an_error_that_lists_them():
    consumer = elegy.bind(lambda y_pred: y_pred, y_pred="intermediates.lineer")
    with pytest.raises(KeyError, match=r"It has: linear\..*Did you mean `linear`"):
        logs_of(lambda x: elegy.nn.Linear(1)(x), loss=consumer)
