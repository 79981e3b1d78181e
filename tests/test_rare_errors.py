"""Errors that hardly anybody meets: each says what was asked, what is there, and what to do."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import elegy
from elegy import data
from elegy.nn import Linear

X = np.ones((4, 3), "float32")


def model(module=None, **options):
    return elegy.Model(module or Linear(1), **{"loss": "mse", "optimizer": "sgd", **options})


def fit(**options):
    return model(**options).fit(X, X[:, :1], verbose=0)


def changed_module():
    trained = model(nnx.Linear(3, 1, rngs=nnx.Rngs(0)))
    trained.fit(X, X[:, :1], verbose=0)
    trained.module.kernel.set_value(jnp.ones((5, 1)))
    trained.predict(X, verbose=0)


def scheduled_rate():
    schedule = optax.constant_schedule(0.1)
    scheduled = model(optimizer=optax.inject_hyperparams(optax.sgd)(learning_rate=schedule))
    scheduled.init(X, X[:, :1])
    scheduled.learning_rate = 0.5


def stepping(result):
    """A fit whose step returns something else."""

    class Mine(elegy.Model):
        def train_step(self, state, batch):
            return result(state)

    Mine(Linear(1), loss="mse", optimizer="sgd").fit(X, X[:, :1], verbose=0)


def without_optimizer():
    untrained = elegy.Model(Linear(1))
    state = untrained.init(X)
    untrained.apply_gradients(state, state.parameters)


def several_rates():
    several = model(optimizer={"w": "sgd", "b": "adam"})
    several.init(X, X[:, :1])
    return several.learning_rate


class Metric(elegy.Metric):
    """Its `call` is given when it is made."""

    def __init__(self, call):
        super().__init__()
        self.written = call

    def call(self, y_pred):
        return self.written(self, y_pred)


def metric(call):
    def run():
        measure = Metric(call)
        return measure(y_pred=X), measure(y_pred=X)

    return run


def adding_later(metric, y_pred):
    metric.calls = getattr(metric, "calls", 0) + 1
    for number in range(min(metric.calls, 9)):
        metric.add_parameter(f"a{number}", initializer=0.0)
    return 0.0


def growing(metric, y_pred):
    total = metric.add_parameter("total", initializer=0.0)
    metric.update_parameter("total", jnp.stack([total, total]) if jnp.ndim(total) == 0 else total)
    return 0.0


class Module(elegy.Module):
    """Its `call` is given when it is made."""

    label = "a class attribute"

    def __init__(self, call):
        self.written = call

    def call(self, x):
        return self.written(x)


def module(call):
    return lambda: Module(call)(X)


def twice(first, second):
    """One parameter declared in two ways in one call."""

    def call(x):
        elegy.add_parameter("w", (), **first)
        return x * elegy.add_parameter("w", (), **second)

    return module(call)


def other_inputs():
    layer = Linear(1)
    layer(X)
    layer.init(jax.random.key(0), X[:, :2])


def updating(value):
    def call(x):
        elegy.add_parameter("seen", (2,), initializer=0.0, trainable=False)
        elegy.update_parameter("seen", value)
        return x

    return module(call)


class Unreadable:
    shape, dtype, ndim = (4, 3), np.dtype("float32"), 2

    def __array__(self, *args, **kwargs):
        raise RuntimeError("it lies elsewhere")


class Nothing:
    """A source without batches."""

    repeatable = True

    def batches(self, data_pass):
        return iter(())


class Optax:
    """What holds a transformation."""

    tx = optax.sgd(0.1)


CASES = {
    "an array of another shape on the module": (changed_module, ValueError, "Set an array of the same shape"),
    "bind to no path": (lambda: elegy.bind(lambda y_pred: y_pred, y_pred=3), TypeError, "A path is a string"),
    "stray brackets": (lambda: elegy.bind(lambda y_pred: y_pred, y_pred="a[b]"), ValueError, "is no path"),
    "a path below a value": (
        lambda: elegy.bind(lambda y_pred: y_pred, y_pred="y_pred.a.b")(y_pred={"a": 3}),
        KeyError,
        "nothing below it",
    ),
    "an optimizer without patterns": (lambda: model(optimizer={}), ValueError, "has no pattern"),
    "a learning rate below 0": (lambda: model(optimizer=-1.0), ValueError, "Raise it"),
    "a train state": (lambda: model(optimizer=Optax()), TypeError, "Give the transformation alone"),
    "an optimizer that is none": (lambda: model(optimizer=optax.adam), TypeError, "with the call"),
    "an unknown optimizer": (lambda: model(optimizer="adm"), ValueError, "Did you mean `adam`"),
    "several learning rates": (several_rates, ValueError, "has several"),
    "a learning rate that a schedule sets": (scheduled_rate, ValueError, "sets it anew at every step"),
    "no optimizer": (without_optimizer, ValueError, "The model has no optimizer"),
    "a step without logs": (lambda: stepping(lambda state: state), TypeError, "returns a pair"),
    "a step with a list of logs": (lambda: stepping(lambda state: (state, [1])), TypeError, "Logs are a mapping"),
    "a log that is no scalar": (lambda: stepping(lambda state: (state, {"a": X})), TypeError, "Reduce it first"),
    "weights by output without `on`": (
        lambda: elegy.losses.MeanSquaredError()(X, X, sample_weight={"a": X[:, 0]}),
        ValueError,
        "looks at no single output",
    ),
    "labels and a column": (lambda: data.as_source(X, X, y_column="b"), ValueError, "Leave one out"),
    "two columns": (lambda: data.as_source({"a": X}, "a", y_column="b"), ValueError, "Both name the same thing"),
    "data that cannot be read": (lambda: data.as_source(Unreadable()).peek(), ValueError, "could not be read"),
    "passes without batches": (lambda: next(data.endless(Nothing(), 0)), ValueError, "Neither has a batch"),
    "a loss without `call`": (lambda: elegy.Loss().call(), TypeError, "has no `call`"),
    "a metric without `call`": (lambda: elegy.Metric().call(), TypeError, "neither `call` nor the"),
    "a module without `call`": (lambda: elegy.Module()(X), TypeError, "has no `call`"),
    "a metric that adds an array later": (metric(adding_later), ValueError, "Add every array in each call"),
    "a metric that updates what it has not": (
        metric(lambda metric, y_pred: metric.update_parameter("total", 0.0)),
        ValueError,
        "Call `add_parameter` first",
    ),
    "a metric's array of changing shape": (metric(growing), ValueError, "total"),
    "a metric's hook outside its call": (
        lambda: Metric(None).add_parameter("a"),
        ValueError,
        "The metric is not running",
    ),
    "a hook outside of calls": (lambda: elegy.add_parameter("w"), ValueError, "No module's call runs"),
    "a module's hook outside its call": (lambda: Linear(1).add_parameter("w"), ValueError, "Its call does not run"),
    "two children of one name": (
        module(lambda x: Linear(1, name="a")(x) + Linear(1, name="a")(x)),
        ValueError,
        "makes two children",
    ),
    "a module that updates what it has not": (
        module(lambda x: elegy.update_parameter("none", x)),
        ValueError,
        "Call `add_parameter` first",
    ),
    "a random seed that is none": (lambda: elegy.RNG(-1), ValueError, "A seed is an integer"),
    "other inputs than before": (other_inputs, ValueError, "Reset the module"),
    "an initial value that is computed": (
        lambda: jax.jit(lambda y: Module(lambda x: x * elegy.add_parameter("w", initializer=y))(X))(1.0),
        ValueError,
        "computed in the call",
    ),
    "an integer that learns": (twice({"dtype": jnp.int32}, {}), ValueError, "Only floats have"),
    "a parameter named like an attribute": (
        module(lambda x: x * elegy.add_parameter("label", ())),
        ValueError,
        "Choose another name",
    ),
    "a parameter declared twice": (twice({"trainable": False}, {"trainable": True}), ValueError, "keeps both"),
    "an initializer that asks for a key where there is none": (
        metric(lambda metric, y_pred: metric.add_parameter("a", (2,), initializer=jax.nn.initializers.normal())),
        ValueError,
        "asks for a key",
    ),
    "an initializer of another shape": (
        module(lambda x: x * elegy.add_parameter("w", (3,), initializer=lambda shape, dtype: jnp.ones(5))),
        ValueError,
        "It made",
    ),
    "a child made of a computed array": (
        module(lambda x: Linear(1, b_init=jnp.sum(x))(x)),
        ValueError,
        "takes fixed values",
    ),
    "a state of another shape": (updating(np.zeros(3)), ValueError, "A state keeps its shape"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_rare_mistake_gets_a_clear_error(case):
    run, kind, match = CASES[case]
    with pytest.raises(kind, match=match) as caught:
        run()
    assert str(caught.value).count(".") >= 2


def test_a_batch_whose_step_fails_leaves_what_was_learned():
    failing = []

    def loss(y_pred):
        if failing:
            raise RuntimeError("no more")
        return y_pred

    trained = elegy.Model(Linear(1), loss=loss, optimizer="sgd", run_eagerly=True)
    trained.train_on_batch(X)
    before = jax.device_get(trained.state.parameters)
    failing.append(True)
    with pytest.raises(RuntimeError, match="no more"):
        trained.train_on_batch(X)
    jax.tree.map(np.testing.assert_array_equal, trained.state.parameters, before)


def test_weights_that_are_not_there_are_named(tmp_path):
    saved = model()
    saved.init(X)
    with pytest.raises(FileNotFoundError, match="There is no such file"):
        saved.load_weights(tmp_path / "none.safetensors")
    with pytest.raises(FileNotFoundError, match="Make it first"):
        saved.save_weights(tmp_path / "nowhere" / "weights.safetensors")
