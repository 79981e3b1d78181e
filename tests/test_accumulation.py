"""`Model(accumulate=k)`: an update from k batches is the update from one batch of all their rows."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.extend.core import ClosedJaxpr, Jaxpr

import elegy
from elegy._grouped import GroupedLaunches, group_like
from elegy._launches import Chunks
from elegy.callbacks import LambdaCallback
from elegy.data import as_source
from elegy.losses import MeanAbsoluteError, MeanSquaredError
from elegy.nn import BatchNormalization, Linear

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(22, 3)).astype("float32")
Y = GENERATOR.normal(size=(22, 1)).astype("float32")
WEIGHT = GENERATOR.uniform(size=22).astype("float32")
ROWS = np.arange(1, 11, dtype="float32")[:, None]
FIT = {"shuffle": False, "verbose": 0}


def network(x):
    hidden = jnp.tanh(Linear(4)(x))
    elegy.add_loss("activity", jnp.square(hidden).mean(-1))
    elegy.add_metric("size", jnp.abs(hidden).mean(-1))
    return Linear(1)(hidden)


def masked(y_true, y_pred):
    return jnp.abs(y_true - y_pred), (y_true > 0).astype(jnp.float32)


def parts(y_pred):
    return {"small": 0.1 * jnp.square(y_pred[:, 0]), "near": jnp.abs(1 - y_pred)}


def decay(parameters):
    return 0.01 * jnp.square(parameters["linear"]["w"]).sum()


def softly(y_true, y_pred):
    return jnp.square(y_true - y_pred), jax.nn.sigmoid(y_pred)  # the denominator learns


def model_of(accumulate):
    losses = [
        MeanSquaredError(),
        MeanAbsoluteError(reduction="mean_with_sample_weight", weight=0.5),
        MeanSquaredError(reduction="sum", weight=0.01, name="summed"),
        masked,
        softly,
        parts,
        decay,
    ]
    return elegy.Model(network, losses, "mae", optax.adam(0.03), accumulate=accumulate)


class Scale(elegy.Module):
    def call(self, x):
        return x * self.add_parameter("w", initializer=1.0)


def half_square(y_pred):
    return jnp.square(y_pred[:, 0]) / 2


def scaled(accumulate, optimizer=None, **options):
    return elegy.Model(Scale(), half_square, None, optimizer or optax.sgd(0.01), accumulate=accumulate, **options)


def by_hand(groups):
    """`w` after each step of SGD on groups of rows."""
    w, path = 1.0, []
    for group in groups:
        w = w - 0.01 * float(np.mean(w * np.square(group)))
        path.append(w)
    return path


def assert_close(a, b, **tolerance):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, **tolerance), a, b)


@pytest.fixture(scope="module")
def large():
    """A model that is trained on batches as large as the groups, and its history."""
    model = model_of(1)
    return model, model.fit(X, Y, sample_weight=WEIGHT, batch_size=12, epochs=3, verbose=0).history


@pytest.fixture(scope="module")
def accumulating():
    """A model whose updates take three batches; who uses it resets it."""
    return model_of(3)


@pytest.mark.parametrize("execution", ["resident", "chunks", "single"])
def test_uneven_groups_equal_the_large_batch_for_every_kind_of_loss(execution, large, accumulating):
    accumulating.reset()
    fit = {"sample_weight": WEIGHT, "batch_size": 4, "epochs": 3, "execution": execution, "verbose": 0}
    history = accumulating.fit(X, Y, **fit).history  # groups of 4 + 4 + 4 and 4 + 4 + 2 rows
    assert_close(accumulating.parameters, large[0].parameters, rtol=1e-5, atol=1e-6)
    assert history.keys() == large[1].keys()
    assert_close(history, large[1], rtol=1e-5)
    assert int(accumulating.state.step) == 6


def test_any_cut_of_launches_gives_the_same_bits_and_compiles_nothing():
    traced = []

    def noted(x):
        traced.append(x.shape)
        return Scale()(x)

    model = elegy.Model(noted, half_square, None, optax.adam(0.1), accumulate=2)

    def trained(steps):
        model.reset()
        model.fit(ROWS, batch_size=1, epochs=2, steps_per_execution=steps, verbose=0)
        return float(model.parameters["scale"]["w"])

    assert len({trained(steps) for steps in (1, 3, 5)}) == 1
    count = len(traced)
    for steps in (1, 3, 5):
        model.fit(ROWS, batch_size=1, epochs=2, steps_per_execution=steps, verbose=0)
    assert len(traced) == count


@pytest.mark.parametrize("execution", ["resident", "single"])
def test_steps_hooks_and_schedules_count_updates_and_an_epoch_ends_a_group(execution):
    told, rates = [], optax.piecewise_constant_schedule(0.01, {2: 0.0})  # the third update does not move any more
    model = scaled(3, optax.sgd(rates))
    keep = LambdaCallback(on_train_batch_end=lambda batch, step, logs: told.append((batch, step, logs["loss"])))
    fit = {"batch_size": 2, "epochs": 2, "callbacks": keep, "execution": execution, "step_logs": True, **FIT}
    history = model.fit(ROWS, **fit)
    groups = [ROWS[:6], ROWS[6:]]
    path = [1.0, *by_hand(groups)]
    path += [path[-1]]
    losses = [path[step] ** 2 * np.mean(groups[step % 2] ** 2) / 2 for step in (0, 1, 2)]
    assert [entry[:2] for entry in told] == [(0, 0), (1, 1), (0, 2), (1, 3)] and history.steps["step"] == [0, 1, 2, 3]
    np.testing.assert_allclose([loss for *_, loss in told[:3]], losses, rtol=1e-5)
    np.testing.assert_allclose(history.steps["loss"][:3], losses, rtol=1e-5)
    np.testing.assert_allclose(model.parameters["w"], path[-1], rtol=1e-5)


@pytest.mark.parametrize("execution", ["chunks", "single"])
def test_batches_of_any_sizes_make_a_group(execution):
    cuts = np.cumsum([3, 3, 1, 2])
    model = scaled(3)
    model.fit(lambda: iter(np.split(ROWS, cuts)), execution=execution, **FIT)
    np.testing.assert_allclose(model.parameters["w"], by_hand([ROWS[:7], ROWS[7:]])[-1], rtol=1e-5)


def test_which_groups_are_launches_by_themselves_follows_from_the_data_and_not_from_the_pace():
    sizes = [*[4] * 7, 2, *[4] * 9, 3, 3, *[4] * 4]
    source = as_source(lambda: (np.ones((size, 1), "float32") for size in sizes))

    def by_themselves(length):
        launches = GroupedLaunches(Chunks(source, {}, None, 0, capacity=18), 3)
        found, number = [], 0
        for launch in launches.epoch(lambda: length):
            found += [number] if len(launch.feed.stretches) > 1 else []
            number += launch.count
        return found, number

    assert [by_themselves(length) for length in (1, 2, 5, 6)] == [([2, 5, 6], 8)] * 4


@pytest.mark.parametrize("execution", ["resident", "chunks"])
def test_a_group_goes_on_over_the_end_of_the_data_where_steps_make_an_epoch(execution):
    model = scaled(2)
    model.fit(ROWS, batch_size=4, steps_per_epoch=2, epochs=2, execution=execution, **FIT)  # passes of 4 + 4 + 2 rows
    groups = [ROWS[:8], np.concatenate([ROWS[8:], ROWS[:4]]), ROWS[4:]]
    expected = by_hand([*groups, groups[0]])
    np.testing.assert_allclose(model.parameters["w"], expected[-1], rtol=1e-5)
    assert int(model.state.step) == 4


def test_batch_size_follows_from_the_steps_of_an_epoch():
    model = scaled(2)
    model.fit(ROWS[:8], steps_per_epoch=2, **FIT)
    np.testing.assert_allclose(model.parameters["w"], by_hand([ROWS[:4], ROWS[4:8]])[-1], rtol=1e-5)


@pytest.mark.parametrize("loss, runs", [(half_square, 3), (softly, 6)])
def test_the_module_runs_once_a_batch_unless_denominators_need_it(loss, runs):
    calls = []

    def counted(x):
        def note(x):
            calls.append(len(x))
            return x

        return Scale()(jax.pure_callback(note, jax.ShapeDtypeStruct(x.shape, x.dtype), x))

    model = elegy.Model(counted, loss, optimizer="sgd", accumulate=3)
    model.fit(ROWS[:6], *([ROWS[:6]] if loss is softly else []), batch_size=2, **FIT)
    assert calls == [2] * runs


def test_running_statistics_go_from_batch_to_batch():
    def statistics(accumulate):
        model = elegy.Model(BatchNormalization(), half_square, None, optax.sgd(0.0), accumulate=accumulate)
        model.fit(X[:20], batch_size=4, **FIT)
        return model.states

    assert_close(statistics(4), statistics(1), rtol=1e-6)


def test_batches_have_random_keys_of_their_own_and_the_first_one_the_steps():
    def noisy(x):
        noise = jax.random.uniform(elegy.next_rng_key(), (1,)) * jnp.ones((x.shape[0], 1))
        elegy.add_metric("noise", noise[:, 0])
        return Scale()(x) + noise

    def mean(accumulate, rows):
        model = elegy.Model(noisy, half_square, None, "sgd", accumulate=accumulate)
        return model.fit(rows, batch_size=2, **FIT).history["noise"][0]

    first = mean(1, ROWS[:2])
    np.testing.assert_allclose(mean(2, ROWS[:2]), first, rtol=1e-6)
    assert abs(mean(2, ROWS[:4]) - first) > 1e-3


def test_an_update_that_is_not_finite_is_skipped_as_a_whole():
    broken = np.where(ROWS == 3, np.float32("nan"), ROWS)  # in the second batch
    model = scaled(3, ema=0.9)
    history = model.fit(broken, batch_size=2, nonfinite="skip", **FIT).history
    np.testing.assert_allclose(model.parameters["w"], by_hand([ROWS[6:]])[-1], rtol=1e-5)
    np.testing.assert_allclose(model.ema_parameters["w"], model.parameters["w"], rtol=1e-6)
    assert history["skipped_steps"] == [1.0] and int(model.state.step) == 2
    np.testing.assert_allclose(history["loss"], np.mean(ROWS[6:] ** 2) / 2, rtol=1e-5)


def test_a_batch_given_by_hand_is_an_update():
    model = scaled(3)
    for rows in (ROWS[:4], ROWS[4:8]):
        model.train_on_batch(rows)
    np.testing.assert_allclose(model.parameters["w"], by_hand([ROWS[:4], ROWS[4:8]])[-1], rtol=1e-5)


def test_the_steps_may_run_eagerly():
    model = scaled(2, run_eagerly=True)
    model.fit(ROWS[:5], batch_size=2, **FIT)
    np.testing.assert_allclose(model.parameters["w"], by_hand([ROWS[:4], ROWS[4:5]])[-1], rtol=1e-5)


def test_frozen_parameters_and_lower_precision_go_along():
    model = elegy.Model(network, MeanSquaredError(), None, optax.sgd(0.1), accumulate=2, precision="bfloat16")
    model.init(X, Y)
    model.freeze("linear/*")
    before = model.parameters
    model.fit(X[:16], Y[:16], batch_size=4, **FIT)
    jax.tree.map(np.testing.assert_array_equal, model.parameters["linear"], before["linear"])
    assert np.abs(model.parameters["linear_1"]["w"] - before["linear_1"]["w"]).max() > 1e-3


def shapes_in(jaxpr):
    """The shapes of all values of a program, at any depth."""
    for eqn in jaxpr.eqns:
        yield from (value.aval.shape for value in (*eqn.invars, *eqn.outvars))
        for part in (p for v in eqn.params.values() for p in (v if isinstance(v, (list, tuple)) else [v])):
            if isinstance(part, (ClosedJaxpr, Jaxpr)):
                yield from shapes_in(part.jaxpr if isinstance(part, ClosedJaxpr) else part)


def test_there_is_one_tree_of_gradients_however_many_batches_there_are():
    model = elegy.Model(Linear(7), [MeanSquaredError(), masked], optimizer="sgd", accumulate=5)
    state, batch = model.init(X, np.repeat(Y, 7, 1)), elegy.Batch(x=X[:2], y_true=np.ones((2, 7), "float32"))
    found = set(shapes_in(jax.make_jaxpr(model.train_step)(state, group_like(batch, 5)).jaxpr))
    assert (5, 2, 3) in found and (3, 7) in found
    assert [shape for shape in found if len(shape) > 2 and shape[-2:] == (3, 7)] == []


def test_callbacks_get_what_an_update_has():
    told = []

    def keep(gradients, updates, parameters, losses):
        told.append((gradients["w"], updates["w"], parameters["w"], losses["loss"]))

    model = scaled(5)
    model.fit(ROWS, batch_size=2, callbacks=LambdaCallback(on_train_batch_end=keep), **FIT)
    square = np.mean(ROWS**2)
    np.testing.assert_allclose(told[0], [square, -0.01 * square, 1.0, square / 2], rtol=1e-5)


def test_callbacks_cannot_get_what_only_its_batches_have():
    watch = LambdaCallback(on_train_batch_end=lambda y_pred: None)
    with pytest.raises(elegy.InjectionError, match=r"asks for `y_pred`.*Model\(accumulate=...\)"):
        scaled(2).fit(ROWS, batch_size=2, callbacks=watch, **FIT)


def test_in_step_hooks_look_into_updates():
    @elegy.in_step(every=2)
    def slope(gradients, largest):
        return {"slope": gradients["w"], "seen": largest}

    def largest(x):
        return x[:, 0]

    model = elegy.Model(Scale(), half_square, largest, optax.sgd(0.0), accumulate=2)
    logs = model.fit(ROWS[:8], batch_size=2, callbacks=[slope], **FIT).history
    np.testing.assert_allclose([logs["slope"][0], logs["seen"][0]], [np.mean(ROWS[4:8] ** 2), 4.5], rtol=1e-5)
    with pytest.raises(elegy.InjectionError, match=r"asks for `y_pred`.*Model\(accumulate=...\)"):
        model.fit(ROWS[:8], batch_size=2, callbacks=[elegy.in_step(lambda y_pred: {"mean": y_pred.mean()})], **FIT)


def test_the_line_about_the_plan_tells_it(capsys):
    scaled(3).fit(ROWS, batch_size=2, shuffle=False, verbose=2)
    assert "2 steps an epoch, 3 batches a step" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, None, "2"])
def test_it_is_a_count(wrong):
    with pytest.raises(ValueError, match=r"accumulate=.* how many batches make one update"):
        scaled(wrong)


def test_a_step_of_the_users_own_makes_its_own_gradients():
    class Own(elegy.Model):
        def train_step(self, state, batch):
            return super().train_step(state, batch)

    Own(Scale(), half_square, accumulate=1)
    with pytest.raises(ValueError, match="has a `train_step` of its own"):
        Own(Scale(), half_square, accumulate=2)


def test_metrics_cannot_ask_for_gradients_that_come_later():
    def norm(gradients):
        return optax.global_norm(gradients)

    with pytest.raises(ValueError, match="The metric `norm` asks for `gradients`"):
        elegy.Model(Scale(), half_square, norm, accumulate=2)
