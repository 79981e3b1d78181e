"""Modules of Flax NNX are trained as they are."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen, nnx

import elegy
from elegy.interop import as_functional
from elegy.module import TRAIN, domain_key

X = np.random.RandomState(0).randn(12, 3).astype("float32")
Y = X.sum(-1, keepdims=True)
Lambda = elegy.callbacks.LambdaCallback


class Net(nnx.Module):
    """Two layers in a list, with a normalization and a dropout between them."""

    def __init__(self, rate=0.5, seed=0):
        rngs = nnx.Rngs(seed)
        self.layers = nnx.List([nnx.Linear(3, 4, rngs=rngs), nnx.Linear(4, 1, rngs=rngs)])
        self.norm = nnx.BatchNorm(4, momentum=0.9, rngs=rngs)
        self.dropout = nnx.Dropout(rate, rngs=rngs)

    def __call__(self, x):
        return self.layers[1](self.dropout(nnx.relu(self.norm(self.layers[0](x)))))


class Drop(nnx.Module):
    """What a dropout leaves of its input."""

    def __init__(self, rngs=None):
        self.scale = nnx.Param(jnp.ones(()))
        self.dropout = nnx.Dropout(0.5, rngs=rngs or nnx.Rngs(0))

    def __call__(self, x):
        return self.dropout(self.scale * x)


class Calls(nnx.Module):
    """A layer, and whatever else a test needs in its call."""

    def __init__(self, call, **attributes):
        self.linear = linear()
        for name, value in attributes.items():
            setattr(self, name, value)
        self.more = call

    def __call__(self, x):
        return self.linear(x) + self.more(self)


def linear():
    return nnx.Linear(3, 1, rngs=nnx.Rngs(0))


def model_of(module, loss="mse", optimizer=None, **options):
    return elegy.Model(module, loss=loss, optimizer=optimizer or optax.sgd(0.1), **options)


def fit(model, epochs=2, **options):
    return model.fit(X, Y, **{"batch_size": 4, "epochs": epochs, "shuffle": False, "verbose": 0, **options})


def fitted(module, **options):
    model = model_of(module, **options)
    fit(model)
    return model


def frozen_model(module, patterns):
    """A model whose parameters under the patterns do not learn."""
    model = model_of(module)
    model.freeze(*patterns)
    return model


def test_importing_elegy_does_not_import_flax():
    code = "import sys, elegy; sys.exit('flax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_module_is_trained_as_by_a_loop_of_nnx():
    ours, theirs = Net(rate=0.0), Net(rate=0.0)
    fitted(ours)
    optimizer = nnx.Optimizer(theirs, optax.sgd(0.1), wrt=nnx.Param)
    for batch in [0, 4, 8] * 2:
        x, y = X[batch : batch + 4], Y[batch : batch + 4]
        optimizer.update(theirs, nnx.grad(lambda module, x=x, y=y: jnp.square(module(x) - y).mean())(theirs))
    for a, b in zip(jax.tree.leaves(nnx.state(ours)), jax.tree.leaves(nnx.state(theirs)), strict=True):
        if a.dtype == jnp.float32:
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_evaluation_is_that_of_nnx():
    net = Net()
    model = fitted(net)
    evaluated = nnx.merge(*nnx.split(net))
    evaluated.eval()
    np.testing.assert_allclose(model.predict(X, verbose=0), evaluated(X), rtol=1e-5)
    assert (net.dropout.deterministic, net.norm.use_running_average) == (False, False)


def test_paths_are_those_of_the_attributes():
    state = model_of(Net()).init(X, Y)
    assert jax.tree.map(jnp.shape, state.parameters) == {
        "layers": {"0": {"bias": (4,), "kernel": (3, 4)}, "1": {"bias": (1,), "kernel": (4, 1)}},
        "norm": {"bias": (4,), "scale": (4,)},
    }
    assert jax.tree.map(jnp.shape, state.states) == {"norm": {"mean": (4,), "var": (4,)}}


def test_variables_of_any_type_are_states():
    class Mine(nnx.Variable):
        pass

    def call(module):
        module.count[...] += 1
        module.cache.set_value({"last": module.count[...], "pair": (jnp.zeros(2), jnp.ones(1))})
        return 0

    cache = nnx.Cache({"last": jnp.zeros((), int), "pair": (jnp.zeros(2), jnp.zeros(1))})
    net = Calls(call, count=Mine(0), cache=cache, seen=nnx.Intermediate(jnp.ones(3)))
    model = fitted(net)
    assert jax.tree.map(jnp.shape, model.states) == {"cache": {"last": (), "pair": {"0": (2,), "1": (1,)}}, "count": ()}
    assert (int(net.count[...]), int(net.cache.get_value()["last"])) == (6, 6)
    assert isinstance(net.cache.get_value()["pair"], tuple)


def test_variables_that_are_references_are_set_in_place():
    net = linear()
    net.kernel = nnx.Param(jnp.ones((3, 1)), ref=True)
    reference = net.kernel.get_raw_value()
    model = fitted(net)
    np.testing.assert_array_equal(reference[...], model.parameters["kernel"])
    assert net.kernel.get_raw_value() is reference


def test_what_a_call_sets_in_a_parameter_holds_for_that_call():
    class Halved(nnx.Module):
        def __init__(self):
            self.w = nnx.Param(jnp.ones(3))

        def __call__(self, x):
            self.w[...] = self.w[...] / 2
            return x * self.w

    model = model_of(Halved())
    np.testing.assert_allclose([model.predict(X, verbose=0) for _ in range(2)], [X / 2, X / 2])
    np.testing.assert_array_equal(model.parameters["w"], np.ones(3))


# ---- random keys ----


def mask(step=0, seed=42, rngs=None):
    """What a dropout leaves of ones in one training step."""
    functional = as_functional(Drop(rngs))
    ones = np.ones((200, 200), "float32")
    key = domain_key(np.array([0, seed], np.uint32), TRAIN, step)
    return functional.apply({"scale": jnp.ones(())}, {}, ones, key=key, training=True).outputs


def test_half_of_the_units_stay_and_each_step_has_others():
    first, second = mask(step=0) > 0, mask(step=1) > 0
    assert 0.48 < first.mean() < 0.52
    assert 0.48 < second.mean() < 0.52
    assert 0.48 < (first == second).mean() < 0.52


def test_keys_follow_from_the_seed_and_not_from_the_streams():
    used = nnx.Rngs(7)
    for _ in range(3):
        used.dropout()
    np.testing.assert_array_equal(mask(), mask(rngs=used))
    assert (mask() != mask(seed=1)).any()


def test_each_step_of_a_fit_has_a_mask_of_its_own():
    model = model_of(Drop(), loss=lambda y_pred: y_pred, optimizer=optax.sgd(0.0))
    losses = [float(model.train_on_batch(np.ones((50, 3), "float32"))["loss"]) for _ in range(3)]
    assert len(set(losses)) == 3


def test_two_fits_with_dropout_give_equal_bits_and_leave_the_streams_alone():
    drops = Drop(), Drop()
    for drop in drops:
        model_of(drop).fit(X, X, batch_size=4, verbose=0)
    assert drops[0].scale[...] == drops[1].scale[...] != 1.0
    assert int(drops[0].dropout.rngs.count[...]) == 0


def test_two_dropouts_and_two_calls_of_one_have_masks_of_their_own():
    def call(module):
        ones = jnp.ones(64)
        drawn = [module.a(ones), module.a(ones), module.b(ones)]
        return sum((jnp.abs(p - q).max() > 0).astype(float) for p, q in zip(drawn, drawn[1:] + drawn[:1], strict=True))

    net = Calls(call, a=nnx.Dropout(0.5, rngs=nnx.Rngs(0)), b=nnx.Dropout(0.5, rngs=nnx.Rngs(0)))
    net.linear.kernel = nnx.Param(jnp.zeros((3, 1)))
    assert float(model_of(net, loss=lambda y_pred: y_pred).train_on_batch(X)["loss"]) == 3.0


def test_layers_that_are_scanned_have_keys_of_their_own():
    @nnx.split_rngs(splits=2)
    @nnx.vmap
    def make(rngs):
        return Drop(rngs)

    @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
    def scan(x, layer):
        return layer(x)

    net = Calls(lambda module: scan(jnp.ones(4096), module.drops).mean(), drops=make(nnx.Rngs(0)))
    net.linear.kernel = nnx.Param(jnp.zeros((3, 1)))
    kept = float(model_of(net, loss=lambda y_pred: y_pred).train_on_batch(X)["loss"]) / 4
    assert abs(kept - 0.25) < 0.05  # were the masks equal, it would be a half


# ---- calls ----


def test_a_call_may_ask_for_training():
    class Asks(nnx.Module):
        def __call__(self, x, *, training):
            return x + training

    model = model_of(Asks(), loss=lambda y_pred, x: y_pred - x)
    assert float(model.train_on_batch(X)["loss"]) == 1.0
    np.testing.assert_array_equal(model.predict(X, verbose=0), X)


def test_inputs_are_bound_as_for_every_module():
    class Two(nnx.Module):
        def __call__(self, left, right):
            return left - 2 * right

    model = elegy.Model(Two())
    np.testing.assert_allclose(model.predict((X, X), verbose=0), -X)
    np.testing.assert_allclose(model.predict({"right": X, "left": 0 * X, "more": X}, verbose=0), -2 * X)
    with pytest.raises(elegy.InjectionError, match=r"module `two` was called with 1 input\. It takes: left, right"):
        model.predict(X, verbose=0)


def test_a_method_is_a_module():
    net = Net()
    model = model_of(net.layers[0].__call__, loss=lambda y_pred: y_pred)
    model.fit(X, verbose=0)
    np.testing.assert_array_equal(net.layers[0].kernel[...], model.parameters["kernel"])


def test_a_shared_module_is_one():
    shared = nnx.Linear(3, 3, rngs=nnx.Rngs(0))
    net = Calls(lambda module: module.again(module.first(X[:4])).mean(), first=shared, again=shared)
    model = model_of(net)
    fit(model)
    assert sorted(model.parameters) == ["again", "linear"]
    assert net.first is net.again
    np.testing.assert_array_equal(net.first.kernel[...], model.parameters["again"]["kernel"])


def test_losses_may_ask_for_parameters_and_states():
    def loss(parameters, states):
        return jnp.square(parameters["layers"]["0"]["kernel"]).sum() + 0 * states["norm"]["mean"].sum()

    net = Net()
    expected = np.square(net.layers[0].kernel[...]).sum()
    np.testing.assert_allclose(model_of(net, loss=loss).evaluate(X, verbose=0)["loss"], expected, rtol=1e-5)


def test_an_optimizer_may_be_chosen_by_path():
    net = Calls(lambda module: module.layers[0](X[:1]), layers=nnx.List([linear()]))
    model = model_of(net, optimizer={"layers/0/*": optax.set_to_zero(), "**": optax.sgd(0.1)})
    before = np.asarray(net.linear.kernel[...])
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.module.layers[0].kernel[...], before)
    assert (net.linear.kernel[...] != before).any()


def test_steps_are_traced_once_and_not_again_by_a_second_fit():
    traces = []
    net = Calls(lambda module: traces.append(1) or 0)
    model = model_of(net)
    fit(model, epochs=1, batch_size=12)
    once = len(traces)
    fit(model, epochs=50, batch_size=12)
    assert len(traces) == once


def test_eager_steps_give_the_same_and_see_what_changed():
    models = [model_of(Calls(lambda net: net.term, term=0.5), run_eagerly=is_eager) for is_eager in (True, False)]
    eager, compiled = (float(model.train_on_batch(X, Y)["loss"]) for model in models)
    assert abs(eager - compiled) < 1e-6
    before = models[0].predict_on_batch(X)
    models[0].module.term = 1.5
    np.testing.assert_allclose(models[0].predict_on_batch(X), before + 1, rtol=1e-5)


def test_a_changed_attribute_compiles_anew_and_says_so(caplog):
    net = Calls(lambda module: module.parts["term"], parts={"term": 0.5})
    model = fitted(net)
    before = model.predict(X, verbose=0)
    assert not caplog.messages
    net.parts["term"] = 1.5
    np.testing.assert_allclose(model.predict(X, verbose=0), before + 1, rtol=1e-5)
    assert caplog.messages == [
        "`module/parts/term` changed from 0.5 to 1.5 since the step was compiled; it is compiled anew."
    ]


def test_an_array_that_is_no_variable_is_a_constant():
    net = Calls(lambda module: module.table.sum(), table=jnp.zeros(3))
    model = fitted(net)
    before = model.predict(X, verbose=0)
    net.table = jnp.ones(3)
    np.testing.assert_allclose(model.predict(X, verbose=0), before + 3, rtol=1e-5)


# ---- freezing ----


def test_a_frozen_normalization_uses_and_keeps_its_statistics():
    net = Net(rate=0.0)
    net.norm.mean[...] = jnp.full(4, 0.5)
    model = frozen_model(net, ("norm/*",))
    predicted = model.predict(X, verbose=0)
    loss = float(model.train_on_batch(X, Y)["loss"])
    np.testing.assert_allclose(loss, np.square(predicted - Y).mean(), rtol=1e-5)
    fit(model)
    np.testing.assert_array_equal(model.module.norm.mean[...], np.full(4, 0.5))


def test_a_frozen_module_rests_whatever_its_call_is_told():
    class Told(nnx.Module):
        def __init__(self):
            self.norm = nnx.BatchNorm(3, rngs=nnx.Rngs(0))

        def __call__(self, x):
            return self.norm(x, use_running_average=False)

    frozen, learning = frozen_model(Told(), ("norm",)), model_of(Told())
    for model in (frozen, learning):
        model.train_on_batch(X, X)
    np.testing.assert_array_equal(frozen.states["norm"]["mean"], np.zeros(3))
    assert (learning.states["norm"]["mean"] != 0).all()


def test_a_frozen_dropout_and_a_frozen_root_rest():
    class Asks(nnx.Module):
        def __init__(self):
            self.layers = nnx.List([nnx.Linear(3, 3, rngs=nnx.Rngs(0))])
            self.scale = nnx.Param(jnp.ones(()))

        def __call__(self, x, training):
            return self.scale * x + training

    drop = frozen_model(Drop(), ("**",))
    assert float(drop.train_on_batch(X, X)["loss"]) == 0.0
    assert float(frozen_model(Asks(), ("scale",)).train_on_batch(X, X)["loss"]) == 0.0
    assert float(frozen_model(Asks(), ("layers",)).train_on_batch(X, X)["loss"]) == 1.0


# ---- what is captured ----


class Sows(nnx.Module, pytree=False):
    act = staticmethod(nnx.relu)

    def __init__(self):
        self.parts = nnx.Dict(a=nnx.Linear(3, 2, rngs=nnx.Rngs(0)), b=nnx.Linear(2, 1, rngs=nnx.Rngs(0)))

    def __call__(self, x):
        for part in self.parts.values():
            x = part(x)
        self.sow(nnx.Intermediate, "features", x)
        return self.act(x)


def applied(module, **options):
    state = elegy.Model(module).init(X)
    return as_functional(module).apply(state.parameters, state.states, X, key=None, training=True, **options)


def test_outputs_of_modules_and_what_they_sow_are_captured_by_path():
    net = Sows()
    made = applied(net, capture=True)
    a = net.parts.a(X)
    expected = {"": nnx.relu(net.parts.b(a)), "parts/a": a, "parts/b": net.parts.b(a), "features": (net.parts.b(a),)}
    assert made.extras.intermediates.keys() == expected.keys()
    jax.tree.map(np.testing.assert_array_equal, dict(made.extras.intermediates), expected)
    assert type(net) is Sows
    assert type(net.parts.a) is nnx.Linear


def test_losses_may_ask_for_the_outputs_of_modules():
    net = Sows()
    model = model_of(net, loss=lambda intermediates: jnp.abs(intermediates["parts/a"]))
    expected = np.abs(net.parts.a(jnp.asarray(X))).mean()
    np.testing.assert_allclose(float(model.train_on_batch(X)["loss"]), expected, rtol=1e-5)


def test_nothing_is_kept_without_capture_and_nothing_from_before():
    net = Sows()
    with pytest.warns(DeprecationWarning, match="sow"):
        net(X)
    assert applied(net).extras.intermediates == {}
    assert len(applied(net, capture=True).extras.intermediates["features"]) == 1


def test_outputs_inside_a_transform_are_left_out():
    net = Calls(lambda module: jax.vmap(lambda row: module.inner(row))(X), inner=linear())
    assert applied(net, capture=True).extras.intermediates.keys() == {"", "linear"}


def test_a_summary_shows_what_modules_return(capsys):
    net = Net()
    elegy.Model(net).summary(X)
    assert "layers/0  f32[12,4]" in capsys.readouterr().out


# ---- whose arrays they are ----


def test_the_users_object_holds_the_trained_values():
    net = Net()
    kernel = net.layers[0].kernel
    model = fitted(net)
    assert model.module is net
    assert net.layers[0].kernel is kernel
    np.testing.assert_array_equal(kernel[...], model.parameters["layers"]["0"]["kernel"])
    np.testing.assert_array_equal(net.norm.mean[...], model.states["norm"]["mean"])


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_users_object_holds_the_trained_values_after_an_exception(error):
    def fail(epoch, logs):
        if epoch == 1:
            raise error

    net = Net()
    model = model_of(net)
    with pytest.raises(error):
        fit(model, epochs=5, callbacks=Lambda(on_epoch_end=fail))
    assert int(model.state.step) == 6
    np.testing.assert_array_equal(net.norm.mean[...], model.states["norm"]["mean"])
    assert (net.norm.mean[...] != 0).all()


def test_values_on_the_object_are_kept_and_those_set_between_fits_count():
    net = linear()
    net.kernel[...] = jnp.full((3, 1), 2.0)
    model = model_of(net)
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * Y, atol=1e-5)
    fit(model)
    net.kernel[...] = jnp.full((3, 1), 7.0)
    np.testing.assert_allclose(model.predict(X, verbose=0), 7 * Y + net.bias[...], atol=1e-4)


def test_arrays_on_the_object_are_never_donated():
    net = linear()
    model = model_of(net)
    first = net.kernel[...]
    model.train_on_batch(X, Y)
    trained = model.module.kernel[...]
    model.train_on_batch(X, Y)
    assert len({np.asarray(array).tobytes() for array in (first, trained, model.module.kernel[...])}) == 3


def test_reset_gives_back_the_values_with_which_training_began():
    net = linear()
    net.kernel[...] = jnp.full((3, 1), 2.0)
    model = model_of(net)
    net.kernel[...] = jnp.full((3, 1), 3.0)
    first = fit(model).history["loss"]
    model.reset()
    np.testing.assert_array_equal(net.kernel[...], np.full((3, 1), 3.0))
    assert fit(model).history["loss"] == first


def test_weights_are_saved_and_loaded(tmp_path):
    nets = Net(seed=0), Net(seed=1)
    model, other = map(elegy.Model, nets)
    model.init(X)
    other.init(X)
    other.load_weights(model.save_weights(tmp_path / "weights.safetensors"))
    np.testing.assert_array_equal(other.module.layers[0].kernel[...], nets[0].layers[0].kernel[...])


# ---- errors ----


class Silent(nnx.Module):
    def encode(self, x):
        return x


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nnx.Linear, r"class `Linear` was given.*`Linear\(\.\.\.\)`, with parentheses"),
        (lambda: Silent(), "`Silent` of `flax.nnx` .* no `__call__`; its methods are: encode. Give one of these"),
        (lambda: nnx.Rngs(0), "A `Rngs` of `flax.nnx` was given as a module. It is no `nnx.Module`"),
        (lambda: linen.Dense(1), r"`Dense` of `flax` .* Give it as a pair of functions `\(init, apply\)`"),
    ],
)
def test_what_is_no_module_is_an_error(make, match):
    with pytest.raises(TypeError, match=match):
        elegy.Model(make())


def test_an_optimizer_of_nnx_is_an_error():
    optimizer = nnx.Optimizer(linear(), optax.sgd(0.1), wrt=nnx.Param)
    with pytest.raises(TypeError, match=r"given a `Optimizer`, .*`optimizer=that_one\.tx`"):
        elegy.Model(linear(), loss="mse", optimizer=optimizer)


def makes(module):
    module.late = nnx.BatchStat(jnp.zeros(2))
    return 0


def removes(module):
    del module.count
    return 0


def grows(module):
    module.count.set_value(jnp.zeros(3))
    return 0


def refines(module):
    module.count.set_value(jnp.ones(2) / 3)
    return 0


def nests(module):
    module.count.set_value({"a": jnp.zeros(2, int)})
    return 0


def replaces(module):
    module.table = module.table + 1
    return 0


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (makes, "module `calls` makes `late` while it is called, a variable of type `BatchStat`.*in `__init__`"),
        (removes, "module `calls` removes `count` while it is called"),
        (grows, r"sets `count` to f32\[3\] while it is called. Before the call it is i32\[2\]"),
        (refines, r"sets `count` to f32\[2\] .* it is i32\[2\]. A state keeps its shape and dtype"),
        (nests, r"sets `count` to nothing while it is called"),
        (replaces, "sets `table` while it is called, which is no variable.*`nnx.Variable`"),
    ],
)
def test_a_call_keeps_the_structure_of_its_module(call, match):
    net = Calls(call, count=nnx.Variable(jnp.zeros(2, int)), table=jnp.zeros(1))
    with pytest.raises(ValueError, match=match):
        model_of(net).fit(X, Y, verbose=0)
    assert set(vars(net)) >= {"count", "table"}
    assert not hasattr(net, "late")


def test_a_state_keeps_its_dtype_where_the_new_value_fits():
    def call(module):
        module.total.set_value(jnp.asarray(1, jnp.int8))
        return 0

    model = fitted(Calls(call, total=nnx.Variable(jnp.zeros(()))))
    assert model.states["total"].dtype == jnp.float32


@pytest.mark.parametrize("value", ["text", jax.ShapeDtypeStruct((2,), jnp.float32)])
def test_a_variable_without_an_array_is_an_error(value):
    net = Calls(lambda module: 0, label=nnx.Variable(value))
    with pytest.raises(ValueError, match=f"variable `label` holds a {type(value).__name__}.*arrays"):
        model_of(net).init(X, Y)


def test_other_variables_than_at_the_start_need_a_reset():
    net = Calls(lambda module: 0)
    model = fitted(net)
    net.late = nnx.Param(jnp.zeros(2))
    with pytest.raises(ValueError, match=r"has `late` among its parameters.* Call `model\.reset\(\)`"):
        model.predict(X, verbose=0)
    model.reset()
    assert fit(model).epoch == [0, 1]
