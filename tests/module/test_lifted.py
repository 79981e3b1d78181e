"""`elegy.remat`, `elegy.scan` and `elegy.vmap` inside calls, as whole modules, and by themselves."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.module import Module, as_functional
from elegy.module._overlay import running_overlay
from elegy.module._scope import running_scope
from elegy.nn import BatchNormalization, Dropout, Linear, Sequential

KEY = jax.random.key(0)


class Block(Module):
    """Children, a state, a key and every hook."""

    traces = 0

    def __init__(self, rate=0.0):
        self.rate = rate

    def call(self, x):
        Block.traces += 1
        n = self.add_parameter("n", initializer=0, trainable=False)
        if elegy.is_training():
            self.update_parameter("n", n + 1)
        elegy.add_loss("size", jnp.mean(x))
        elegy.add_metric("mean", jnp.mean(x))
        elegy.add_summary("x", x)
        return Dropout(self.rate)(jnp.tanh(Linear(x.shape[-1])(x)))


class Around(Module):
    """One block under a transform, between children of its own."""

    def __init__(self, transform, **options):
        self.transform, self.options = transform, options

    def call(self, x):
        x = Linear(4)(x)
        x = self.transform(Block(), **self.options)(x)
        return Linear(2)(x)


def run(module, x, training=True, parameters=None, key=KEY, **options):
    """The application of a module to arrays from a fixed key, compiled."""
    functional = as_functional(module)
    made = functional.init(KEY, x)
    given = made.parameters if parameters is None else parameters
    return jax.jit(lambda p: functional.apply(p, made.states, x, key=key, training=training, **options))(given)


def shapes(tree):
    return jax.tree.map(jnp.shape, tree)


def one_layer(x):
    return Linear(2)(x)


def loop(parameters, x, length):
    """The blocks of `Around`, written by hand."""
    x = x @ parameters["linear"]["w"] + parameters["linear"]["b"]
    entered = []
    for layer in range(length):
        entered.append(x)
        w, b = (parameters["block"]["linear"][name][layer] for name in "wb")
        x = jnp.tanh(x @ w + b)
    return x @ parameters["linear_1"]["w"] + parameters["linear_1"]["b"], jnp.stack(entered)


def test_remat_changes_neither_names_nor_numbers(rows):
    plain, lifted = Around(lambda block: block), Around(elegy.remat)
    expected, found = run(plain, rows), run(lifted, rows)
    assert shapes(plain.init(KEY, rows)) == shapes(lifted.init(KEY, rows))
    assert jax.tree.structure(expected) == jax.tree.structure(found)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), expected, found)


def test_remat_keeps_nothing_of_the_block_for_the_gradient(rows):
    module = Around(elegy.remat)
    parameters, states = module.init(KEY, rows)
    program = jax.make_jaxpr(jax.grad(lambda p: module.apply(p, states, rows)[0].sum()))(parameters)
    assert "remat" in str(program) or "checkpoint" in str(program)


def test_remat_of_a_function_makes_children_of_the_running_module(rows):
    def network(x, training):
        return elegy.remat(lambda x, flag: Dropout(0.5)(Linear(2)(x)) if flag else Linear(2)(x))(x, training)

    functional = as_functional(network)
    made = functional.init(KEY, rows)
    assert list(made.parameters) == ["linear"]
    plain = as_functional(lambda x: Dropout(0.5)(Linear(2)(x)))
    for part in (functional, plain):
        outputs = part.apply(made.parameters, {}, rows, key=KEY, training=True).outputs
    lifted = functional.apply(made.parameters, {}, rows, key=KEY, training=True).outputs
    np.testing.assert_allclose(lifted, outputs, rtol=1e-6)


def test_children_after_a_lifted_function_are_numbered_behind_its_own(rows):
    functional = as_functional(lambda x: Linear(2)(elegy.remat(lambda x: Linear(4)(Linear(3)(x)))(x)))
    made = functional.init(KEY, rows)
    # numbered when they are constructed: the outermost first, then 4, then 3
    sizes = {name: part["b"].size for name, part in made.parameters.items()}
    assert sizes == {"linear": 2, "linear_1": 4, "linear_2": 3}
    assert functional.apply(made.parameters, {}, rows, key=KEY, training=True).outputs.shape == (8, 2)


def test_scan_stacks_parameters_and_states_at_the_paths_of_the_block(rows):
    parameters, states = Around(elegy.scan, length=3).init(KEY, rows)
    assert shapes(parameters["block"]) == {"linear": {"w": (3, 4, 4), "b": (3, 4)}}
    assert shapes(states) == {"block": {"n": (3,)}}
    assert len(np.unique(parameters["block"]["linear"]["w"])) == 3 * 4 * 4


def test_scan_is_the_loop_over_layers(rows):
    module = Around(elegy.scan, length=3)
    parameters, _ = module.init(KEY, rows)
    applied = run(module, rows)
    expected, entered = loop(parameters, rows, 3)
    np.testing.assert_allclose(applied.outputs, expected, rtol=1e-5)
    np.testing.assert_array_equal(applied.states["block"]["n"], [1, 1, 1])
    np.testing.assert_allclose(applied.extras.losses["size_loss"][0], entered.mean((1, 2)).sum(), rtol=1e-5)
    np.testing.assert_allclose(applied.extras.metrics["block/mean"], entered.mean(), rtol=1e-5)
    np.testing.assert_allclose(applied.extras.summaries["block/x"], entered, rtol=1e-5)


def test_gradients_flow_through_a_scan_of_remat(rows):
    module = Around(lambda block: elegy.scan(elegy.remat(block, prevent_cse=False), length=3))
    parameters, states = module.init(KEY, rows)
    found = jax.jit(jax.grad(lambda p: module.apply(p, states, rows)[0].sum()))(parameters)
    expected = jax.grad(lambda p: loop(p, rows, 3)[0].sum())(parameters)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), found, expected)


def test_each_layer_and_each_call_of_a_scan_draws_numbers_of_its_own():
    class Noise(Module):
        def call(self, carry, _):
            return carry, jax.random.uniform(elegy.next_rng_key())

    def network(x):
        noise = elegy.scan(Noise(), length=4)
        return noise(x, None)[1], noise(x, None)[1]

    numbers = np.array(run(network, jnp.zeros(())).outputs)
    assert len(np.unique(numbers)) == 8


def test_a_scan_that_shares_its_module_is_a_recurrent_network(rows):
    class Cell(Module):
        def call(self, carry, x):
            n = self.add_parameter("n", initializer=0, trainable=False)
            self.update_parameter("n", n + 1)
            carry = jnp.tanh(Linear(2)(jnp.concatenate([carry, x])))
            return carry, carry[0]

    def network(x):
        return elegy.scan(Cell(), module_axis=None)(jnp.zeros(2), x)

    applied = run(network, rows)
    parameters = as_functional(network).init(KEY, rows).parameters["cell"]["linear"]
    carry, firsts = np.zeros(2, "float32"), []
    for row in rows:
        carry = np.tanh(np.concatenate([carry, row]) @ parameters["w"] + parameters["b"])
        firsts.append(carry[0])
    np.testing.assert_allclose(applied.outputs[0], carry, rtol=1e-4)
    np.testing.assert_allclose(applied.outputs[1], firsts, rtol=1e-4)
    assert int(applied.states["cell"]["n"]) == 8


def test_what_a_scanned_function_makes_belongs_to_each_round_and_what_it_finds_to_all(rows):
    def network(x):
        outside = Linear(3)
        x = outside(x)
        return elegy.scan(lambda x, scale: outside(Linear(3)(x)) * scale, length=2)(x, scale=0.5)

    parameters = as_functional(network).init(KEY, rows).parameters
    assert shapes(parameters) == {
        "linear": {"w": (3, 3), "b": (3,)},
        "stacked": {"linear": {"w": (2, 3, 3), "b": (2, 3)}},
    }
    x, first, each = rows @ parameters["linear"]["w"], parameters["linear"]["w"], parameters["stacked"]["linear"]["w"]
    expected = x @ each[0] @ first / 2 @ each[1] @ first / 2
    np.testing.assert_allclose(run(network, rows).outputs, expected, rtol=1e-4)


def test_scans_in_scans_stack_twice(rows):
    class Outer(Module):
        def call(self, x):
            return elegy.scan(Block(), length=2)(x)

    def network(x):
        return elegy.scan(Outer(), length=3, reverse=True, unroll=2)(x)

    applied = run(network, rows)
    assert shapes(applied.states) == {"outer": {"block": {"n": (3, 2)}}}
    assert applied.extras.summaries["outer/block/x"].shape == (3, 2, 8, 3)
    w, b = (as_functional(network).init(KEY, rows).parameters["outer"]["block"]["linear"][name] for name in "wb")
    x = rows
    for outer in (2, 1, 0):
        for inner in range(2):
            x = np.tanh(x @ w[outer, inner] + b[outer, inner])
    np.testing.assert_allclose(applied.outputs, x, rtol=1e-4)


def test_outputs_inside_a_scan_are_captured_stacked(rows):
    captured = run(Around(elegy.scan, length=3), rows, capture=True).extras.intermediates
    assert shapes(dict(captured)) == {
        "linear": (8, 4),
        "block/linear": (3, 8, 4),
        "block/dropout": (3, 8, 4),
        "block": (3, 8, 4),
        "linear_1": (8, 2),
    }


def test_a_state_that_turns_from_integer_to_float_may_be_scanned(rows):
    class Total(Module):
        def call(self, x):
            total = self.add_parameter("total", initializer=0, trainable=False)
            self.update_parameter("total", total + x.mean())
            return x

    applied = run(lambda x: elegy.scan(Total(), length=2)(elegy.scan(Total(name="one"), 2, module_axis=None)(x)), rows)
    np.testing.assert_allclose(applied.states["total"]["total"], [rows.mean()] * 2, rtol=1e-5)
    np.testing.assert_allclose(applied.states["one"]["total"], 2 * rows.mean(), rtol=1e-5)


def test_48_blocks_are_traced_as_often_as_4_and_make_no_larger_program(rows):
    def size_and_traces(length):
        module = Sequential([elegy.scan(Block(), length=length)])
        parameters, states = module.init(KEY, rows)
        Block.traces = 0
        program = jax.make_jaxpr(jax.grad(lambda p: module.apply(p, states, rows)[0].sum()))(parameters)
        return str(program).count("\n"), Block.traces

    assert size_and_traces(48) == size_and_traces(4)
    assert size_and_traces(4)[1] == 1


def test_a_scan_trains_in_a_model(rows):
    module = Sequential([elegy.scan(Block(rate=0.5), length=3), Linear(1)])
    model = elegy.Model(module, loss="mse", optimizer="sgd")
    history = model.fit(rows, rows[:, :1], epochs=1, batch_size=4, verbose=0).history
    assert {"loss", "mse_loss", "size_loss", "layers/0/mean"} <= set(history)
    np.testing.assert_array_equal(module.layers[0].target.n, [2, 2, 2])
    assert module.parameters["layers"]["0"]["linear"]["w"].shape == (3, 3, 3)


def test_a_frozen_scan_does_not_train(rows):
    frozen = run(Around(elegy.scan, length=3), rows, frozen=("block/linear",)).states["block"]["n"]
    np.testing.assert_array_equal(frozen, [1, 1, 1])
    normalize = elegy.scan(BatchNormalization(), length=2)
    assert run(normalize, rows, frozen=("**",)).states["mean_ema"]["counter"].tolist() == [0, 0]


def test_a_scan_may_be_a_whole_model(rows):
    model = elegy.Model(elegy.scan(Block(), length=3), loss="mse", optimizer="sgd")
    model.fit(rows, rows, epochs=1, verbose=0)
    assert model.parameters["linear"]["w"].shape == (3, 3, 3)
    assert model.module.target.n.tolist() == [1, 1, 1]


def test_a_scan_called_by_itself_keeps_states_and_draws_new_numbers(rows):
    layers = elegy.scan(Block(rate=0.5), length=3)
    first, second = layers(rows), layers(rows)
    assert not np.array_equal(first, second)
    assert layers.target.n.tolist() == [2, 2, 2]
    np.testing.assert_array_equal(layers(rows, training=False), layers(rows, training=False))
    assert layers.target.n.tolist() == [2, 2, 2]


def test_a_function_under_a_transform_may_be_called_by_itself(rows):
    layers = elegy.scan(lambda x: Linear(3)(x), length=2)
    np.testing.assert_array_equal(layers(rows), layers(rows))
    assert shapes(layers.root.parameters) == {"stacked": {"linear": {"w": (2, 3, 3), "b": (2, 3)}}}


def test_vmap_shares_a_module_and_gives_each_part_its_own_numbers(rows):
    def network(x):
        return elegy.vmap(lambda row: Dropout(0.5)(Linear(16, with_bias=False)(row)))(x)

    applied = run(network, jnp.ones((4, 3)))
    w = as_functional(network).init(KEY, rows).parameters["linear"]["w"]
    kept = applied.outputs != 0
    np.testing.assert_allclose(applied.outputs, np.where(kept, 2 * jnp.ones((4, 3)) @ w, 0), rtol=1e-4)
    assert len(np.unique(kept, axis=0)) == 4


def test_vmap_makes_an_ensemble(rows):
    def network(x):
        return elegy.vmap(Block(), in_axes=None, axis_size=5, module_axis=0)(x)

    applied = run(network, rows)
    parameters = as_functional(network).init(KEY, rows).parameters["block"]["linear"]
    expected = np.tanh(np.einsum("ni,kio->kno", rows, parameters["w"]) + parameters["b"][:, None])
    np.testing.assert_allclose(applied.outputs, expected, rtol=1e-4)
    assert applied.states["block"]["n"].tolist() == [1] * 5
    np.testing.assert_allclose(applied.extras.losses["size_loss"][0], 5 * rows.mean(), rtol=1e-5)
    np.testing.assert_allclose(applied.extras.metrics["block/mean"], rows.mean(), rtol=1e-5)


def test_vmap_maps_named_arrays_and_keeps_plain_values(rows):
    def network(x):
        return elegy.vmap(lambda a, *, b, sign: sign * (a + b), in_axes=[1], out_axes=1)(x, b=x.T, sign=-1)

    np.testing.assert_allclose(run(network, rows).outputs, -2 * rows, rtol=1e-6)


def test_a_shared_state_may_be_updated_with_what_is_the_same_for_all_parts(rows):
    class Mean(Module):
        def call(self, x):
            self.add_parameter("mean", (3,), trainable=False)
            self.update_parameter("mean", jax.lax.pmean(x, "rows"))
            return x

    states = run(lambda x: elegy.vmap(Mean(), axis_name="rows")(x), rows).states
    np.testing.assert_allclose(states["mean"]["mean"], rows.mean(0), rtol=1e-5)


def test_pairs_with_masks_keep_their_own_quotient_in_each_round(rows):
    class Masked(Module):
        def call(self, carry, x):
            elegy.add_loss("masked", (x, x > 0.5))
            elegy.add_metric("masked", (x, x > 0.5))
            return carry, None

    extras = run(lambda x: elegy.scan(Masked())(jnp.zeros(()), x)[0], rows).extras
    terms = extras.losses["masked_loss"]
    assert len(terms) == 8
    np.testing.assert_array_equal(terms[3][0], rows[3])
    values, count = extras.metrics["masked/masked"]
    np.testing.assert_allclose((values * count).sum() / count.sum(), rows[rows > 0.5].mean(), rtol=1e-5)


def test_configuration_of_a_lifted_module_is_seen(rows):
    model = elegy.Model(elegy.scan(Block(), length=2))
    before = model.predict(rows, verbose=0)
    model.module.target.rate = 0.9
    np.testing.assert_array_equal(model.predict(rows, verbose=0), before)


def test_modules_with_lifted_parts_are_copied_and_pickled_with_their_arrays(rows):
    module = Sequential([elegy.scan(Block(), length=2), elegy.remat(Linear(2))])
    expected = module(rows, training=False)
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert copied.layers[0].target is not module.layers[0].target
        np.testing.assert_allclose(copied(rows, training=False), expected, rtol=1e-6)
    alone = elegy.remat(one_layer)
    expected = alone(rows)
    with elegy.RNG(7):  # from which new arrays would be others
        np.testing.assert_allclose(pickle.loads(pickle.dumps(alone))(rows), expected, rtol=1e-6)


def test_what_is_no_array_inside_a_transform_is_not_captured(rows):
    class Words(Module):
        def call(self, x):
            return x, "words"

    applied = run(lambda x: elegy.remat(lambda x: Words()(x)[0])(x), rows, capture=True)
    assert dict(applied.extras.intermediates) == {}


def test_a_module_may_call_itself_under_a_transform(rows):
    class Deep(Module):
        def call(self, x, depth=2):
            x = Linear(3)(x)
            return elegy.remat(self)(x, depth - 1) if depth else x

    parameters, states = Deep().init(KEY, rows)
    assert list(parameters) == ["linear"]
    w, b = parameters["linear"]["w"], parameters["linear"]["b"]
    expected = ((rows @ w + b) @ w + b) @ w + b
    np.testing.assert_allclose(Deep().apply(parameters, states, rows)[0], expected, rtol=1e-4)


def test_jit_inside_a_call_is_a_part_of_it(rows):
    functional = as_functional(lambda x: elegy.jit(Linear(2))(x))
    assert list(functional.init(KEY, rows).parameters) == ["linear"]


@pytest.mark.parametrize(
    ("lifted", "error", "match"),
    [
        (lambda: elegy.scan(Linear, length=2), TypeError, r"given the class `Linear`.*Write `Linear\(\.\.\.\)`"),
        (lambda: elegy.remat(3), TypeError, "`elegy.remat` was given a int. That cannot be called"),
        (lambda: elegy.scan(Linear(3), length=0), ValueError, "length=0.*whole number from 1 on"),
        (lambda: elegy.scan(Linear(3), length=2, module_axis=1), ValueError, "module_axis=1.*Give 0 or None"),
        (lambda: elegy.vmap(Linear(3), module_axis=1), ValueError, "module_axis=1.*Give 0 or None"),
    ],
)
def test_a_transform_of_what_cannot_be_transformed_is_an_error(lifted, error, match):
    with pytest.raises(error, match=match):
        lifted()


@pytest.mark.parametrize(
    ("network", "error", "match"),
    [
        (lambda x: elegy.scan(Linear(3))(x), ValueError, "no length and `xs` with no arrays.*Give `length=`"),
        (lambda x: elegy.scan(Linear(3), 2)(x, x), ValueError, r"length=2 and `xs` with f32\[8,3\]"),
        (lambda x: elegy.scan(Linear(3))(x, 1.0), ValueError, "a scalar among `xs`"),
        (lambda x: elegy.scan(Linear(3), 2)(x, x, x), TypeError, "called with 3 arguments"),
        (lambda x: elegy.scan(lambda c, x: c)(x, x), ValueError, r"a round returned a f32\[8,3\].*`\(carry, y\)`"),
        (lambda x: elegy.scan(Linear(2), 2)(x), ValueError, r"from f32\[8,3\] to f32\[8,2\].*Keep shape and dtype"),
        (lambda x: elegy.scan(lambda c: (c, c), 2)(x), ValueError, r"changes the carry from .* the same structure"),
        (lambda x: elegy.vmap(BatchNormalization(), axis_name=None)(x[None]), ValueError, "which all parts share"),
    ],
)
def test_a_lifted_call_that_does_not_fit_is_an_error(rows, network, error, match):
    with pytest.raises(error, match=match):
        as_functional(network).init(KEY, rows)


def test_a_parameter_that_all_rounds_share_cannot_be_updated(rows):
    class Moves(Module):
        def call(self, x):
            w = self.add_parameter("w")
            self.update_parameter("w", w + 1)
            return x + w

    with pytest.raises(ValueError, match="updates the parameter `moves/w`, which all rounds share"):
        run(lambda x: elegy.scan(Moves(), 2, module_axis=None)(x), rows)


def test_a_block_cannot_be_scanned_and_called_plainly(rows):
    def network(x):
        block = Linear(3)
        return block(elegy.scan(block, length=2)(x))

    with pytest.raises(ValueError, match=r"adds `w` with shape \(3, 3\).*it had \(2, 3, 3\)"):
        as_functional(network).init(KEY, rows)


def test_an_error_inside_a_lifted_body_comes_through_and_leaves_no_scope(rows):
    class Fails(Module):
        def call(self, x):
            Linear(3)(x)
            raise RuntimeError("inside")

    for lifted in (elegy.remat(Fails()), elegy.scan(Fails(), 2), elegy.vmap(Fails())):
        with pytest.raises(RuntimeError, match="inside"):
            lifted(rows)
        assert running_scope() is None and running_overlay() is None
        assert not lifted.root.initialized
    with pytest.raises(ValueError, match="vmap got inconsistent sizes"):
        elegy.vmap(lambda a, b: a + b)(rows, rows[:2])


def test_a_raw_transform_inside_a_lifted_body_is_still_an_error(rows):
    functional = as_functional(lambda x: elegy.scan(lambda x: jax.checkpoint(lambda x: Dropout(0.5)(x))(x), 2)(x))
    with pytest.raises(ValueError, match=r"asks for a random key inside a JAX transform.*`elegy\.remat`"):
        functional.init(KEY, rows)
