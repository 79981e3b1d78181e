"""`Model(precision="bfloat16")`: modules compute in bfloat16, and nothing outside of them does."""

import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jax.extend.core import ClosedJaxpr, Jaxpr

import elegy
from elegy.losses import SparseCategoricalCrossentropy
from elegy.nn import BatchNormalization, Linear

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(48, 6)).astype("float32")
Y = (X @ GENERATOR.normal(size=(6, 3)).astype("float32")).argmax(-1).astype("int32")
FIT = {"batch_size": 16, "shuffle": False, "verbose": 0}


class Net(elegy.Module):
    def call(self, x):
        x = jax.nn.relu(Linear(8)(x))
        elegy.add_loss("size", 1e-3 * jnp.square(x).mean(-1))
        elegy.add_metric("alive", (x > 0).mean(-1, dtype=x.dtype))
        return Linear(3)(x)


class Guest(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.hidden, self.out = nnx.Linear(6, 8, rngs=rngs), nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.relu(self.hidden(x)))


def pair():
    def init(key, x):
        first, second = jax.random.split(key)
        return {"a": 0.4 * jax.random.normal(first, (6, 8)), "b": 0.4 * jax.random.normal(second, (8, 3))}

    return init, lambda parameters, x: jax.nn.relu(x @ parameters["a"]) @ parameters["b"]


MODULES = {
    "elegy": (Net, True),
    "function": (lambda: lambda x: Linear(3)(jax.nn.relu(Linear(8)(x))), True),
    "pair": (pair, True),
    "nnx": (Guest, True),
    "equinox": (lambda: eqx.nn.MLP(6, 3, 8, 1, key=jax.random.key(0)), False),
}


def model_of(name="elegy", *, precision="bfloat16", optimizer="adam", **options):
    make, batched = MODULES[name]
    loss = SparseCategoricalCrossentropy(from_logits=True)
    return elegy.Model(make(), loss, "accuracy", optimizer, precision=precision, batched=batched, **options)


def dtypes(tree):
    return {str(leaf.dtype) for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating)}


def products(jaxpr):
    """The dtypes of both operands of every matrix product, at any depth."""
    found = []
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "dot_general":
            found.append({str(operand.aval.dtype) for operand in eqn.invars})
        inner = [
            part for value in eqn.params.values() for part in (value if isinstance(value, (list, tuple)) else [value])
        ]
        for part in inner:
            if isinstance(part, (ClosedJaxpr, Jaxpr)):
                found += products(part.jaxpr if isinstance(part, ClosedJaxpr) else part)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_every_matrix_product_of_a_train_step_is_in_bfloat16(name):
    model = model_of(name)
    state, batch = model.init(X, Y), elegy.Batch(x=X, y_true=Y)
    found = products(jax.make_jaxpr(model.train_step)(state, batch).jaxpr)
    assert len(found) >= 5 and all(operands == {"bfloat16"} for operands in found)
    after, logs = jax.eval_shape(model.train_step, state, batch)
    assert dtypes((after.parameters, after.optimizer, after.states, logs)) <= {"float32"}


def test_losses_metrics_and_callbacks_see_float32():
    seen = {}

    def watched(x, y_true, y_pred, parameters, intermediates):
        parts = {"x": x, "y_true": y_true, "y_pred": y_pred, "parameters": parameters, "intermediates": intermediates}
        seen.update({name: {str(leaf.dtype) for leaf in jax.tree.leaves(part)} for name, part in parts.items()})
        return y_pred[:, 0]

    told = {}

    def keep(gradients, updates, y_pred):
        told.update(gradients=dtypes(gradients), updates=dtypes(updates), y_pred=dtypes(y_pred))

    model = elegy.Model(Net(), SparseCategoricalCrossentropy(from_logits=True), watched, "sgd", precision="bfloat16")
    model.fit(X, Y, callbacks=elegy.callbacks.LambdaCallback(on_train_batch_end=keep), **FIT)
    floats = ("x", "y_pred", "parameters", "intermediates")
    assert seen == {**{name: {"float32"} for name in floats}, "y_true": {"int32"}}
    assert told == {name: {"float32"} for name in ("gradients", "updates", "y_pred")}


def test_a_small_problem_is_learned_about_as_well_as_in_float32():
    def last_loss(precision):
        model = model_of(precision=precision, optimizer=optax.adam(1e-2))
        return model.fit(X, Y, epochs=15, **FIT).history["loss"][-1]

    exact = last_loss("float32")
    np.testing.assert_allclose(last_loss("bfloat16"), exact, rtol=0.05)
    assert exact < 0.6


def test_gradients_are_those_of_the_module_that_computes_in_bfloat16():
    rows, told = np.array([[1.1, 2.3], [0.7, -1.9]], "float32"), []
    module = Linear(1, with_bias=False, w_init=np.array([[0.3], [-0.7]], "float32"))
    model = elegy.Model(module, lambda y_pred: y_pred[:, 0], optimizer="sgd", precision="bfloat16")
    keep = elegy.callbacks.LambdaCallback(on_train_batch_end=lambda gradients: told.append(gradients["w"]))
    model.fit(rows, verbose=0, shuffle=False, callbacks=keep)
    half = np.asarray(rows, jnp.bfloat16).astype("float32")
    np.testing.assert_allclose(told[0][:, 0], half.mean(0), rtol=1 / 128)
    assert abs(told[0][0, 0] - rows.mean(0)[0]) > 1e-4  # in float32 it would be this


def test_running_statistics_stay_in_float32():
    model = elegy.Model(BatchNormalization(), lambda y_pred: y_pred[:, 0], optimizer="sgd", precision="bfloat16")
    model.fit(X, **FIT)
    assert dtypes(model.states) == {"float32"}


def test_everything_around_works_with_it():
    model = model_of(ema=0.9)
    model.fit(X, Y, nonfinite="skip", **FIT)
    outputs = model.predict(X, verbose=0)
    assert outputs.dtype == np.float32
    shares = jnp.asarray(outputs), jnp.asarray(Y)
    expected = optax.softmax_cross_entropy_with_integer_labels(*shares).mean()
    np.testing.assert_allclose(
        model.evaluate(X, Y, verbose=0)["sparse_categorical_crossentropy_loss"], expected, rtol=1e-3
    )
    np.testing.assert_allclose(model.test_on_batch(X, Y)["sparse_categorical_crossentropy_loss"], expected, rtol=1e-3)
    assert np.isfinite(model.train_on_batch(X, Y)["loss"])
    assert dtypes((model.ema_parameters, model.state)) == {"float32"}


def test_a_step_of_the_users_own_gets_it_from_forward():
    seen = []

    class Own(elegy.Model):
        def train_step(self, state, batch):
            def loss(parameters):
                outputs = self.forward(state, batch, parameters)
                seen.append(outputs.y_pred.dtype)
                return jnp.square(outputs.y_pred).mean(), outputs.state

            gradients, after = jax.grad(loss, has_aux=True)(state.parameters)
            return self.apply_gradients(after, gradients), {}

    model = Own(Linear(1), optimizer="sgd", precision="bfloat16")
    found = products(jax.make_jaxpr(model.train_step)(model.init(X), elegy.Batch(x=X)).jaxpr)
    assert {str(dtype) for dtype in seen} == {"float32"} and all(operands == {"bfloat16"} for operands in found)


def test_summary_shows_what_modules_compute_in_and_copies_keep_it(capsys):
    model = elegy.Model(Linear(1), precision="bfloat16")
    pickle.loads(pickle.dumps(model)).summary(X)
    assert "bf16[32,1]" in capsys.readouterr().out


def test_float32_and_none_change_nothing():
    def program(**options):
        model = elegy.Model(Linear(1), **options)
        return str(jax.make_jaxpr(model.pred_step)(model.init(X), elegy.Batch(x=X)))

    for options in ({"precision": None}, {"precision": "float32"}, {"precision": jnp.float32}):
        assert program(**options) == program()
    assert program(precision=jnp.bfloat16) == program(precision="bfloat16") != program()


def test_float16_is_refused_with_the_reason():
    with pytest.raises(ValueError, match=r'zero in float16.*Give "bfloat16"'):
        elegy.Model(Linear(1), precision="float16")


def test_other_precisions_are_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match="Did you mean `bfloat16`"):
        elegy.Model(Linear(1), precision="bfloat")
