"""One test for each sentence of the guide that promises something; the sentence stands above the test."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy

LR0 = {"optimizer": optax.sgd(0.0)}


def column(v):
    return v.sum(-1, keepdims=True)


class Dense(elegy.Module):
    def __init__(self, size):
        self.size = size

    def call(self, x):
        return elegy.nn.Linear(self.size)(x)


def fit_once(model, x, y=None, **kwargs):
    return {name: values[-1] for name, values in model.fit(x, y, batch_size=4, verbose=0, **kwargs).history.items()}


# "Losses and metrics that combine multiple outputs with multiple labels."
def test_a_loss_combines_several_outputs_with_several_labels(rows):
    def joint(y_true, y_pred):
        return jnp.sum(y_true["a"] * y_pred["b"] + y_true["b"] * y_pred["a"], axis=-1)

    outputs, labels = {"a": rows, "b": 2 * rows}, {"a": rows + 1, "b": rows + 2}
    model = elegy.Model(lambda x: {"a": x, "b": 2 * x}, loss=joint, metrics=joint)
    expected = np.mean(np.sum(labels["a"] * outputs["b"] + labels["b"] * outputs["a"], -1))
    logs = model.evaluate(rows, labels, verbose=0)
    assert logs["joint_loss"] == pytest.approx(expected, rel=1e-5)
    assert logs["joint"] == pytest.approx(expected, rel=1e-5)


# "A single loss/metric based on multiple outputs"
def test_a_single_loss_may_look_at_all_outputs(rows):
    model = elegy.Model(lambda x: (x, 3 * x), loss=lambda y_pred: jnp.mean((y_pred[0] - y_pred[1]) ** 2, -1))
    assert model.evaluate(rows, verbose=0)["loss"] == pytest.approx(np.mean((2 * rows) ** 2), rel=1e-5)


# "Losses and metrics that depend on other variables such as inputs, parameters, states, etc."
def test_a_loss_depends_on_inputs_parameters_and_states(rows):
    def everything(x, parameters, states):
        return jnp.mean(x) + jnp.sum(parameters["linear"]["b"]) + states["count"]

    class Counting(elegy.Module):
        def call(self, x):
            self.add_parameter("count", initializer=7.0, trainable=False)
            return elegy.nn.Linear(1, b_init=jnp.ones)(x)

    model = elegy.Model(Counting(), loss=everything, metrics=everything)
    logs = model.evaluate(rows, verbose=0)
    assert logs["loss"] == pytest.approx(rows.mean() + 1 + 7, rel=1e-5)
    assert logs["everything"] == pytest.approx(logs["loss"])


# "a dependency injection mechanism that allows the user to express complex functions by simply declaring the variables
# to use by their name"
@pytest.mark.parametrize("kind", ["loss", "metrics"])
def test_the_order_of_argument_names_does_not_matter(rows, kind):
    one = elegy.Model(lambda x: x, **{kind: lambda y_true, y_pred: (y_pred - 2 * y_true).mean(-1)})
    other = elegy.Model(lambda x: x, **{kind: lambda y_pred, y_true: (y_pred - 2 * y_true).mean(-1)})
    assert one.evaluate(rows, rows + 1, verbose=0) == other.evaluate(rows, rows + 1, verbose=0)


NAMES = "x y_true y_pred sample_weight class_weight training parameters states".split()


# The table of the names that are available.
@pytest.mark.parametrize("kind", ["loss", "metrics"])
def test_losses_and_metrics_may_ask_for_each_of_the_eight_names(rows, kind):
    seen = {}

    def asks(x, y_true, y_pred, sample_weight, class_weight, training, parameters, states):
        seen.update({name: seen.get(name, value) for name, value in locals().items()})
        return jnp.mean(y_pred, -1)

    model = elegy.Model(Dense(1), **{kind: asks})
    model.evaluate(rows, rows, sample_weight=np.ones(8), verbose=0)
    assert [name for name in seen if name in NAMES] == NAMES
    assert seen["training"] is False and seen["class_weight"] is None and seen["sample_weight"].shape == (8,)


# "parameters: The learnable parameters of the model", "states: The non-learnable parameters of the model"
def test_parameters_learn_and_states_do_not(rows):
    class Normalized(elegy.Module):
        def call(self, x):
            return elegy.nn.Linear(1)(elegy.nn.BatchNormalization()(x))

    state = elegy.Model(Normalized()).init(rows)
    leaves = {
        "/".join(str(k.key) for k in path).split("/")[-1] for path, _ in jax.tree.leaves_with_path(state.parameters)
    }
    kept = {"/".join(str(k.key) for k in path).split("/")[-1] for path, _ in jax.tree.leaves_with_path(state.states)}
    assert leaves == {"scale", "offset", "w", "b"}
    assert kept == {"average", "hidden", "counter"}


# "the parameter name "x" will bare no special meaning in that context"
def test_the_name_x_means_nothing_to_a_module(rows):
    tuple_model = elegy.Model(lambda a, x: a - x)
    np.testing.assert_allclose(tuple_model.predict((rows, 3 * rows), verbose=0), -2 * rows, rtol=1e-6)


# "If x is simply an array it will be passed directly"
def test_an_array_is_passed_directly(rows):
    class SomeModule:
        def call(self, m):
            return column(m)

    np.testing.assert_allclose(elegy.Model(SomeModule()).predict(rows, verbose=0), column(rows), rtol=1e-5)


# "If x is a tuple, then x will be expanded positional arguments"
def test_a_tuple_is_expanded_to_positional_arguments(rows):
    class SomeModule:
        def call(self, m, n):
            return column(m) - 2 * column(n)

    got = elegy.Model(SomeModule()).predict((rows, rows + 1), verbose=0)
    np.testing.assert_allclose(got, column(rows) - 2 * column(rows + 1), rtol=1e-4)


# "the module will have define exactly as many arguments as there are inputs"
@pytest.mark.parametrize("inputs", [1, 3])
def test_a_tuple_of_another_length_is_an_error(rows, inputs):
    model = elegy.Model(lambda m, n: m + n)
    with pytest.raises(TypeError, match="It takes: m, n"):
        model.predict((rows,) * inputs, verbose=0)


# "Here only n and o are requested by name ... the variable m with the content of a is safely ignored."
def test_a_dict_is_expanded_by_name_and_the_rest_is_ignored(rows):
    class SomeModule:
        def call(self, n, o):
            return n - 2 * o

    got = elegy.Model(SomeModule()).predict({"m": rows, "n": 2 * rows, "o": 3 * rows}, verbose=0)
    np.testing.assert_allclose(got, -4 * rows, rtol=1e-5)


# "If you want to request all the available inputs you can use **kwargs."
def test_kwargs_of_a_module_receive_all_keys_of_x_and_nothing_else(rows):
    seen = []

    def everything(**kwargs):
        seen.append(sorted(kwargs))
        return kwargs["m"]

    elegy.Model(everything).predict({"m": rows, "n": rows}, verbose=0)
    assert seen[-1] == ["m", "n"]


class MSE(elegy.Loss):
    def call(self, y_true, y_pred):
        return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


# "Here the input y is passed as y_true to MSE."
def test_y_is_passed_as_y_true(rows):
    logs = fit_once(elegy.Model(lambda x: x, loss=MSE(), **LR0), rows, rows + 2)
    assert logs == pytest.approx({"loss": 4.0, "mse_loss": 4.0}, rel=1e-5)


# "Notice thanks to this we didn't have to define y on the fit method."
def test_a_loss_on_x_needs_no_y(rows):
    class AutoEncoderLoss(elegy.Loss):
        def call(self, x, y_pred):
            return jnp.mean(jnp.square(x - y_pred), axis=-1)

    logs = fit_once(elegy.Model(lambda x: x + 3, loss=AutoEncoderLoss(), **LR0), rows)
    assert logs == pytest.approx({"loss": 9.0, "auto_encoder_loss": 9.0}, rel=1e-5)


# "just use the previous definition of MSE and define y=X_train"
def test_y_equal_to_x_gives_the_same_as_a_loss_on_x(rows):
    by_y = elegy.Model(Dense(3), loss=MSE()).evaluate(rows, rows, verbose=0)["loss"]
    by_bind = elegy.Model(Dense(3), loss=elegy.bind(MSE(), y_true="x")).evaluate(rows, verbose=0)["loss"]
    assert by_y == pytest.approx(by_bind, rel=1e-6)


class SomeComplexFunction(elegy.Loss):
    def call(self, x, y_true, y_pred, parameters):
        ones = jnp.ones(x.shape[0])
        return {"a": ones, "b": 2 * ones, "c": 3 * ones}


PARTS = {f"some_complex_function_loss/{part}": value for part, value in {"a": 1.0, "b": 2.0, "c": 3.0}.items()}


# "Elegy will use this information to show you each loss separate in the logs / Tensorboard / History with the names"
def test_parts_of_a_loss_are_shown_separately_in_the_history(rows):
    history = elegy.Model(Dense(1), loss=SomeComplexFunction(), **LR0).fit(rows, rows, verbose=0).history
    assert {name: values[0] for name, values in history.items()} == {"loss": 6.0, **PARTS}
    assert list(history) == ["loss", *PARTS]


# "Each individual loss will still be subject to the sample_weight and reduction behavior as specified"
@pytest.mark.parametrize(
    ("reduction", "factor"), [("sum_over_batch_size", 0.5), ("mean_with_sample_weight", 1.0), ("sum", 4.0)]
)
def test_every_part_is_weighted_and_reduced(rows, reduction, factor):
    model = elegy.Model(Dense(1), loss=SomeComplexFunction(reduction=reduction, weight=2.0))
    logs = model.evaluate(rows, rows, sample_weight=np.full(8, 0.5), verbose=0)
    assert logs == pytest.approx({"loss": 12 * factor, **{k: 2 * factor * v for k, v in PARTS.items()}})


# "The Model's constructor loss argument can accept a single Loss, a list or dict of losses, and even nested structures"
@pytest.mark.parametrize(
    "structure", [MSE(), [MSE(), MSE()], {"p": MSE()}, {"p": [MSE(), {"r": MSE()}]}, (MSE(), None, [MSE()])]
)
def test_a_loss_may_be_any_nest(rows, structure):
    count = str(structure).count("MSE object")
    logs = elegy.Model(lambda x: x, loss=structure).evaluate(rows, rows + 1, verbose=0)
    assert logs["loss"] == pytest.approx(count, rel=1e-5)


# "y_true will contain the entire structure passed to y. y_pred will contain the entire structure output by the Module."
@pytest.mark.parametrize("kind", ["loss", "metrics"])
def test_whole_structures_reach_losses_and_metrics(rows, kind):
    def depth(y_true, y_pred):
        assert set(y_true) == {"label", "other"} and isinstance(y_true["other"], tuple)
        assert isinstance(y_pred, dict) and isinstance(y_pred["heads"], tuple)
        return y_pred["heads"][1][:, 0] - y_true["other"][0][:, 0]

    model = elegy.Model(lambda x: {"heads": (x, 5 * x)}, **{kind: depth})
    logs = model.evaluate(rows, {"label": rows, "other": (rows,)}, verbose=0)
    assert logs["depth_loss" if kind == "loss" else "depth"] == pytest.approx(4 * rows[:, 0].mean(), rel=1e-5)


# "each Loss optionally filter / index the y_true and y_pred arguments based on a string key (for dicts) or integer key
# (for tuples) in the constructor's on parameter"
@pytest.mark.parametrize(
    ("on", "wrap"), [("a", lambda v: {"a": v, "b": 9 * v}), (0, lambda v: (v, 9 * v)), (-2, lambda v: (v, 9 * v))]
)
@pytest.mark.parametrize("kind", ["loss", "metrics"])
def test_on_picks_a_part_of_labels_and_outputs(rows, on, wrap, kind):
    consumer = elegy.losses.MeanSquaredError(on=on) if kind == "loss" else elegy.metrics.MeanSquaredError(on=on)
    model = elegy.Model(lambda x: wrap(x), **{kind: consumer})
    logs = model.evaluate(rows, wrap(rows + 1), verbose=0)
    assert logs["mean_squared_error" + "_loss" * (kind == "loss")] == pytest.approx(1.0, rel=1e-5)


# "This is almost exactly how Keras behaves"; "roughly equivalent to manually indexing y_true and y_pred"
def test_on_and_weight_equal_indexing_by_hand(rows):
    bce, mse = elegy.losses.BinaryCrossentropy, elegy.losses.MeanSquaredError
    labels = {"key_a": (column(rows) > 1.5).astype("float32"), "key_b": column(rows)}

    class MyModule:
        def call(self, x):
            return {"key_a": jax.nn.sigmoid(elegy.nn.Linear(1)(x)), "key_b": elegy.nn.Linear(1)(x)}

    def total(loss):
        model = elegy.Model(MyModule(), loss=loss, optimizer=optax.sgd(0.1))
        return model.fit(rows, labels, batch_size=8, verbose=0).history["loss"][-1]

    by_on = total([bce(on="key_a", weight=10.0), mse(on="key_b", weight=1.0)])
    by_hand = total(
        [
            lambda y_true, y_pred: bce(weight=10.0)(y_true=y_true["key_a"], y_pred=y_pred["key_a"]),
            lambda y_true, y_pred: mse(weight=1.0)(y_true=y_true["key_b"], y_pred=y_pred["key_b"]),
        ]
    )
    assert by_on == pytest.approx(by_hand, abs=1e-5)


# "Elegy doesn't support the loss_weights parameter as defined in keras.compile."
def test_loss_weights_is_refused_with_what_to_write():
    with pytest.raises(TypeError, match=r"loss_weights.*weight=10\.0"):
        elegy.Model(lambda x: x, loss="mse", loss_weights={"a": 1.0})


class Accuracy(elegy.Metric):
    def call(self, y_true, y_pred):
        total = self.add_parameter("total", initializer=0, trainable=False)
        count = self.add_parameter("count", initializer=0, trainable=False)
        total += jnp.sum(y_true == y_pred)
        count += y_true.size
        self.update_parameter("total", total)
        self.update_parameter("count", count)
        return total / count


# "Elegy metrics are cumulative so they update their internal state on every step."
def test_the_guides_accuracy_accumulates_by_itself():
    accuracy = Accuracy()
    first = accuracy(y_true=jnp.array([1, 1, 1, 1]), y_pred=jnp.array([0, 1, 1, 1]))
    second = accuracy(y_true=jnp.array([1, 1, 1, 1]), y_pred=jnp.array([1, 0, 0, 0]))
    assert (float(first), float(second)) == (0.75, 0.5)


# "Metrics can hold state."
@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_the_guides_accuracy_is_exact_through_a_model(batch_size):
    x = np.array([0, 1, 1, 1, 1, 0, 0, 0])
    model = elegy.Model(lambda x: x, metrics=Accuracy(), loss=lambda y_pred: 0.0 * y_pred, optimizer=optax.sgd(0.0))
    history = model.fit(x, np.ones(8, int), batch_size=batch_size, epochs=2, verbose=0).history
    assert history["accuracy"] == [0.5, 0.5]
    assert model.evaluate(x, np.ones(8, int), batch_size=batch_size, verbose=0)["accuracy"] == 0.5


def test_the_examples_of_the_specification_run_unedited():
    blocks = (Path(__file__).parent / "specification_examples.md").read_text()
    code = re.search(r"```python\n(.*?)```", blocks, re.DOTALL)
    assert code is not None
    exec(compile(code.group(1), "specification_examples.md", "exec"), {})
