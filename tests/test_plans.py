"""How passes run: every plan gives the same numbers, and any cut into launches the same bits."""

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy._launches import Chunks, Resident, Singles
from elegy._pace import Pace
from elegy._plan import Needs, Plan, choose_plan
from elegy.callbacks import LambdaCallback
from elegy.data import as_source

X = np.random.default_rng(0).normal(size=(37, 5)).astype("float32")
Y = X[:, :2].sum(-1, keepdims=True)
WEIGHT = np.linspace(0, 2, 37, dtype="float32")


class Net(elegy.Module):
    def call(self, x):
        x = elegy.nn.Linear(8)(x)
        x = jax.nn.relu(elegy.nn.BatchNormalization()(x))
        return elegy.nn.Linear(1)(elegy.nn.Dropout(0.3)(x))


def trained(execution, data=(X, Y, WEIGHT), *, epochs=3, callbacks=None, **options):
    model = elegy.Model(Net(), loss="mse", metrics=["mae"], optimizer=optax.adam(1e-2))
    x, *rest = data if isinstance(data, tuple) else (data,)
    named = dict(zip(("y", "sample_weight"), rest, strict=False))
    options = {"batch_size": 4, **options} if rest else options
    options = {"epochs": epochs, "verbose": 0, "execution": execution, "callbacks": callbacks, **options}
    history = model.fit(x, **named, **options)
    return model, history.history


def assert_alike(one, other, rtol=1e-5):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-6), one[0].parameters, other[0].parameters
    )
    assert one[1].keys() == other[1].keys()
    for name, values in one[1].items():
        np.testing.assert_allclose(values, other[1][name], rtol=1e-4, err_msg=name)


def assert_same_bits(one, other):
    for a, b in zip(jax.tree.leaves(one[0].state), jax.tree.leaves(other[0].state), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one[1] == other[1]


def batches():
    for start in range(0, 37, 4):
        yield X[start : start + 4], Y[start : start + 4], WEIGHT[start : start + 4]


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_every_plan_gives_what_single_steps_give(shuffle):
    validation = {"validation_data": (X[:9], Y[:9]), "shuffle": shuffle}
    single = trained("single", **validation)
    for execution in ("resident", "chunks"):
        assert_alike(trained(execution, **validation), single)


def test_a_stream_in_chunks_gives_what_single_steps_give():
    assert_alike(trained("chunks", batches), trained("single", batches))


def test_epochs_of_a_fixed_number_of_steps_roll_over_the_passes():
    one, other = (trained(execution, steps_per_epoch=7, epochs=4) for execution in ("resident", "single"))
    assert_alike(one, other)
    assert int(one[0].state.data_pass) == int(other[0].state.data_pass) == 3


@pytest.mark.parametrize(("execution", "data"), [("resident", (X, Y, WEIGHT)), ("chunks", batches)])
def test_any_cut_into_launches_gives_the_same_bits(execution, data):
    whole = trained(execution, data)
    for steps in (1, 3, 100):
        assert_same_bits(trained(execution, data, steps_per_execution=steps), whole)


def test_class_weights_and_columns_reach_the_loop():
    def weighted(y_true, y_pred, class_weight, offset):
        return class_weight[1] * jnp.square(y_true - y_pred + offset)[:, 0]

    def logs(execution):
        model = elegy.Model(elegy.nn.Linear(1), loss=weighted, optimizer="sgd")
        data = elegy.Batch(x=X, y_true=Y, offset=Y)
        return model.fit(data, class_weight={1: 2.0}, batch_size=4, verbose=0, execution=execution).history["loss"]

    np.testing.assert_allclose(logs("resident"), logs("single"), rtol=1e-5)


def test_fields_that_an_own_step_changes_are_carried_through_the_loop():
    class Own(elegy.Model):
        def train_step(self, state, batch):
            state, logs = super().train_step(state, batch)
            return dataclasses.replace(state, live={**state.live, "lr_scale": 0.5 * state.live["lr_scale"]}), logs

    model = Own(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
    model.fit(X[:16], Y[:16], batch_size=4, verbose=0, execution="resident")
    assert model.lr_scale == 0.5**4


def test_one_compilation_serves_all_lengths_and_fits():
    traced = []

    def network(x):
        traced.append(x.shape)
        return elegy.nn.Linear(1)(x)

    model = elegy.Model(network, loss="mse", optimizer="sgd")
    model.fit(X[:36], Y[:36], batch_size=4, verbose=0, steps_per_execution=2)
    count = len(traced)
    for steps in (1, 5, 9):
        model.fit(X[:36], Y[:36], batch_size=4, verbose=0, steps_per_execution=steps)
    assert len(traced) == count


def test_batch_hooks_are_told_each_steps_own_logs_after_the_launch():
    def losses(execution):
        told = []
        keep = LambdaCallback(on_train_batch_end=lambda batch, logs, step: told.append((batch, step, logs["loss"])))
        trained(execution, callbacks=keep, epochs=2)
        return told

    resident, single = losses("resident"), losses("single")
    assert [entry[:2] for entry in resident] == [entry[:2] for entry in single]
    np.testing.assert_allclose([loss for *_, loss in resident], [loss for *_, loss in single], rtol=1e-4)


def test_a_stop_takes_effect_at_the_end_of_a_launch_that_the_clock_did_not_choose():
    stop = LambdaCallback(on_train_batch_end=lambda batch: elegy.Stop("enough") if batch == 3 else None)
    ends = {int(trained("resident", callbacks=stop, steps_per_execution=5)[0].state.step) for _ in range(3)}
    assert ends == {5}


@pytest.mark.parametrize("data", ["stream", "arrays"])
def test_neither_the_loaders_nor_the_compilers_time_changes_a_bit(monkeypatch, data):
    submit, x = ThreadPoolExecutor.submit, np.tile(X, (6, 1))

    def run(seed):
        random = np.random.default_rng(seed)

        def late(pool, function, *args):
            return submit(pool, lambda: (time.sleep(random.uniform(0, 0.05)), function(*args))[1])

        def slow():
            for start in range(0, len(x), 4):
                time.sleep(random.uniform(0, 1e-3))
                yield x[start : start + 4], x[start : start + 4, :1]

        monkeypatch.setattr(ThreadPoolExecutor, "submit", late)
        stop = LambdaCallback(
            on_train_batch_end=lambda batch, epoch: elegy.Stop("37") if batch == 37 and epoch else None
        )
        given = slow if data == "stream" else (x, x[:, :1])
        return trained("auto", given, epochs=2, callbacks=[stop], validation_data=(X, X[:, :1]))

    one, other = run(1), run(2)
    assert_same_bits(one, other)
    assert 38 <= int(one[0].state.step) - 56 <= 56


def test_the_steps_themselves_move_nothing_between_host_and_device():
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
    model.fit(X[:36], Y[:36], batch_size=4, verbose=0)
    programs, feed = model._trainer.programs, Resident(as_source(X[:36], Y[:36], batch_size=4), {}, None, 0, block=1)
    launch = next(iter(feed.epoch(lambda: 9)))
    state = jax.tree.map(jnp.copy, model.state)
    with jax.transfer_guard("disallow"):
        after, *_ = programs.train_many(state, *launch)
    assert int(after.step) == int(model.state.step) + 9


# ---- the choice ----

NOTHING = Needs()


def plan(data, needs=NOTHING, **asked):
    source = as_source(data, batch_size=4) if isinstance(data, np.ndarray) else as_source(data)
    return choose_plan(source, source.peek(), needs, **asked)


def test_data_that_fits_stays_on_the_device_and_streams_come_in_chunks(monkeypatch):
    assert (plan(X).kind, plan(batches).kind) == ("resident", "chunks")
    monkeypatch.setattr("elegy._plan.memory_budget", lambda: 100)
    assert str(plan(X)) == "chunks: 740 B of data are more than 100 B, a quarter of the memory"


@pytest.mark.parametrize("singles", ["the model runs eagerly", "a callback acts between the steps"])
def test_whoever_must_act_between_steps_gets_single_steps(singles):
    assert plan(X, Needs(singles)) == Plan("single", singles, 1, 1)
    with pytest.raises(ValueError, match=f"Single steps are needed: {singles}"):
        plan(X, Needs(singles), execution="resident")
    with pytest.raises(ValueError, match="steps_per_execution=8"):
        plan(X, Needs(singles), steps_per_execution=8)


def test_what_callbacks_are_told_of_a_launch_is_bounded():
    assert plan(X, Needs(None, True, 1 << 24)).most == 4
    assert plan(X, Needs(None, True, 1 << 24)).fixed == 4


def test_a_stream_cannot_stay_on_the_device():
    with pytest.raises(ValueError, match="The data is a stream"):
        trained("resident", batches)


def test_an_unknown_execution_is_an_error_with_the_nearest_one():
    with pytest.raises(ValueError, match="Did you mean `resident`"):
        trained("residents")


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True])
def test_steps_per_execution_is_a_count(wrong):
    with pytest.raises(ValueError, match="steps_per_execution"):
        trained("auto", steps_per_execution=wrong)


# ---- launches ----


def counts(launches, length):
    return [launch.count for launch in launches.epoch(lambda: length)]


def test_launches_never_reach_over_a_pass_or_an_epoch():
    source = as_source(X, batch_size=4)
    assert counts(Resident(source, {}, None, 0, block=1), 4) == [4, 4, 1, 1]
    rolling = Resident(source, {}, 12, 0, block=1)
    assert [counts(rolling, 100), counts(rolling, 100)] == [[9, 1, 2], [7, 1, 4]]


def test_the_order_of_the_next_pass_is_made_before_the_last_launch_is_waited_for():
    source = as_source(X, Y, batch_size=4, shuffle=True)
    made, order = [], source.order
    source.order = lambda number: made.append(number) or order(number)
    launches = Resident(source, {}, None, 3, block=1, epochs=2)
    assert [len(made) for _ in launches.epoch(lambda: 5)] == [1, 1, 1] and made == [3, 4]
    assert launches.next_pass == 4
    assert [len(made) for _ in launches.epoch(lambda: 5)] == [2, 2, 2] and launches.next_pass == 5


def test_a_restored_position_is_where_a_resident_pass_begins():
    source = as_source(X, batch_size=4, shuffle=True)
    source.restore(elegy.data.Position(2, 6))
    expected = next(source.batches(2))
    source.restore(elegy.data.Position(2, 6))
    launch = next(iter(Resident(source, {}, None, 2, block=2).epoch(lambda: 1)))
    seen = launch.feed.loop(0, 1, lambda number, carry, batch: batch["x"], jnp.zeros((4, 5)))
    np.testing.assert_array_equal(seen, expected["x"])


def test_batches_of_another_shape_run_by_themselves_in_their_place():
    stream = [X[:4], X[4:8], X[8:10], X[10:14]]
    launches = list(Chunks(as_source(lambda: iter(stream)), {}, None, 0, capacity=8).epoch(lambda: 8))
    assert [launch.count for launch in launches] == [2, 1, 1]
    assert [isinstance(launch.feed, elegy.Batch) for launch in launches] == [False, True, False]


def test_data_that_ends_early_says_so():
    singles = Singles(as_source(iter([X[:4]])), {}, 3, 0)
    with pytest.warns(UserWarning, match="The data ended after 1"):
        assert counts(singles, 1) == [1]
    assert singles.exhausted


def test_launches_grow_to_a_tenth_of_a_second_and_never_past_the_longest():
    pace = Pace(most=50)
    for _ in range(8):
        pace.launched(pace.length(), jnp.int32(0))
    pace.settle()
    assert pace.length() == 50
    assert Pace(most=50, fixed=7).length() == 7


@pytest.mark.parametrize(("fresh_bytes", "steps"), [(0, 100), (16 << 20, 209), (1 << 30, 500)])
def test_launches_are_longer_where_each_needs_much_memory_anew(fresh_bytes, steps):
    now = [0.0]
    pace = Pace(most=10_000, hurries=False, clock=lambda: now[0])
    for _ in range(6):
        count = pace.length()
        pace.launched(count, jnp.int32(0), fresh_bytes)
        now[0] += 1e-3 * count
    assert pace.length() == pytest.approx(steps, abs=1)


def test_a_device_without_work_is_not_kept_waiting_for_a_long_launch():
    now = [0.0]
    kinds = [{}, {"fixed": 7}, {"hurries": False}]
    paces = [Pace(most=50, clock=lambda: now[0], **kind) for kind in kinds]
    for pace in paces * 8:
        pace.launched(pace.length(), jnp.int32(0).block_until_ready())
    assert [pace.length() for pace in paces] == [50, 7, 50]
    now[0] += 0.02  # in which the source made a few batches
    assert [pace.length() for pace in paces] == [1, 7, 50]


@pytest.mark.parametrize(("kind", "length"), [("resident", 50), ("chunks", 1)])
def test_only_batches_that_are_collected_can_be_late(kind, length):
    pace = Plan(kind, "", 50).pace()
    for _ in range(8):
        pace.launched(pace.length(), jnp.int32(0).block_until_ready())
    time.sleep(0.03)  # as between two epochs
    assert pace.length() == length


# ---- one line ----


@pytest.mark.parametrize("verbose", [1, 2])
def test_a_line_before_the_first_epoch_tells_the_plan_and_the_reason(verbose, capsys):
    trained("auto", epochs=2, verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "resident: 1.0 kB of data lie on the device, 10 steps an epoch"
    assert lines[1].startswith("Epoch 1/2") and sum("resident" in line for line in lines) == 1


@pytest.mark.parametrize("options", [{"verbose": 0}, {"verbose": 1, "epochs": 0}])
def test_a_silent_fit_and_one_without_epochs_tell_no_plan(options, capsys):
    trained("auto", **options)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("chosen", "steps", "line"),
    [
        (Plan("chunks", "the data is a stream", 256), None, "chunks: the data is a stream"),
        (Plan("chunks", "asked for", 8, 8), 1800, "chunks: asked for, 1,800 steps an epoch, 8 a launch"),
        (Plan("single", "asked for", 1, 1), 1, "single: asked for, 1 step an epoch"),
    ],
)
def test_the_line_says_what_is_known(chosen, steps, line):
    assert chosen.in_words(steps) == line
