"""Where the time goes: what a fit is bound by, in built runs that are far from the borders."""

import itertools
import time

import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy._plan import Plan
from elegy._time_spent import TimeSpent
from elegy._verdict import verdict

X = np.ones((2400, 5), "float32")


def last_line(capsys, module, *data, **options):
    model = elegy.Model(module, loss="mse", optimizer="sgd")
    model.fit(*data, **{"verbose": 2, "shuffle": False, **options})
    return capsys.readouterr().out.splitlines()[-1]


def test_a_source_that_sleeps_makes_a_fit_input_bound(capsys):
    def asleep():
        for _ in range(20):
            time.sleep(0.02)
            yield X[:4], X[:4, :1]

    line = last_line(capsys, elegy.nn.Linear(1), asleep, shuffle=True)
    assert line.startswith("input-bound: ") and line.endswith("; give arrays, or a loader that reads ahead")


def test_tiny_single_steps_make_a_fit_dispatch_bound(capsys):
    network = elegy.nn.Sequential([elegy.nn.Linear(2) for _ in range(8)])
    line = last_line(capsys, network, X, X[:, :2], batch_size=2, epochs=6, execution="single")
    assert line.startswith("dispatch-bound: ") and line.endswith('; leave out `execution="single"`')


def test_a_large_product_makes_a_fit_compute_bound(capsys):
    def large(x):
        y = jnp.ones((1024, 1024)) + x.mean()
        for _ in range(12):
            y = jnp.sin(y @ y / 1024)
        return elegy.nn.Linear(1)(x) + y.mean()

    line = last_line(capsys, large, X[:16], X[:16, :1], batch_size=4)
    assert line.startswith("compute-bound: ") and line.endswith("may use the device better")


# ---- the clock ----


def spent_on(place, seconds=1.0):
    spent = TimeSpent(iter([0.0, seconds]).__next__)
    with spent.on(place):
        pass
    return spent


def test_starts_of_launches_that_compile_do_not_count():
    spent, compiled = TimeSpent(itertools.count().__next__), iter([0, 1, 1, 1])
    for _ in range(2):
        with spent.on_dispatch(compiled.__next__):
            pass
    assert spent.share("dispatch") == 1.0 and spent._seconds["dispatch"] == 1


def test_what_is_drawn_counts_until_the_end():
    spent = TimeSpent(itertools.count().__next__)
    assert list(spent.drawn("ab")) == ["a", "b"]
    assert spent._seconds == {"input": 3, "dispatch": 0.0, "compute": 0.0}


def test_too_short_a_fit_tells_nothing():
    spent = spent_on("input", 0.01)
    assert spent.share("input") is None and told(spent, "single", "asked for") is None


def test_a_bar_shows_the_share_of_waiting(capsys):
    bar = elegy.callbacks.ProgressBar(2)
    bar.on_epoch_begin(0)
    bar.on_launch_end(4, dict, 0.25)
    bar.on_epoch_end(0, {"loss": 0.5})
    assert capsys.readouterr().out.endswith("s/step - 25% waiting for data - loss: 0.5000\n")


def test_a_silent_fit_tells_no_verdict(capsys):
    elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd").fit(
        (time.sleep(0.02) or (X[:4], X[:4, :1]) for _ in range(8)), verbose=0
    )
    assert capsys.readouterr().out == ""


# ---- the one setting ----


def told(spent, kind, why, *, is_stream=False, asked=None):
    return verdict(spent, Plan(kind, why, 8), is_stream=is_stream, steps_per_execution=asked)


@pytest.mark.parametrize(
    ("place", "kind", "why", "advice"),
    [
        ("input", "chunks", "asked for", 'leave out `execution="chunks"`'),
        ("input", "single", "the model runs eagerly", "do without what needs single steps: the model runs eagerly"),
        ("input", "chunks", "9 GB of data are more", "give smaller columns, such as uint8 instead of float32"),
        ("dispatch", "single", "a callback acts", "do without what needs single steps: a callback acts"),
        ("dispatch", "resident", "9 kB of data", "give a larger `batch_size=`"),
        ("compute", "resident", "9 kB of data", "a larger `batch_size=` may use the device better"),
    ],
)
def test_each_verdict_names_the_setting_that_would_help(place, kind, why, advice):
    assert told(spent_on(place), kind, why).partition("; ")[2] == advice


def test_short_launches_that_were_asked_for_are_named():
    line = told(spent_on("dispatch"), "resident", "9 kB of data", asked=2)
    assert line == "dispatch-bound: 100% of the time went to starting steps; leave out `steps_per_execution=2`"


class Launches(elegy.callbacks.ProgressBar):
    """A bar that only counts."""

    def on_launch_end(self, steps_done, read_logs, waiting=None):
        self.counted = [*getattr(self, "counted", []), steps_done]


def launches(**options):
    bar = Launches(0)
    arrays = {"y": X[:160, :1], "batch_size": 4, "verbose": 0, "callbacks": bar}
    elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd").fit(X[:160], **{**arrays, **options})
    return len(bar.counted)


@pytest.mark.parametrize("built", [{"execution": "single"}, {"steps_per_execution": 1}])
def test_what_a_dispatch_bound_fit_is_told_saves_launches(built):
    assert launches(**built) == 40
    assert launches() < 40  # the setting is left out
    assert launches(**built, batch_size=16) == 10  # a larger `batch_size=`


def test_what_an_input_bound_fit_is_told_changes_the_plan(capsys):
    def stream():
        return ((X[start : start + 4], X[start : start + 4, :1]) for start in range(0, 16, 4))

    runs = [(stream, {}), (X[:16], {"execution": "chunks"}), (X[:16], {})]
    for x, options in runs:
        arrays = {} if x is stream else {"y": X[:16, :1], "batch_size": 4}
        model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
        model.fit(x, **arrays, **options, verbose=2)
    plans = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if not line.startswith("Epoch")]
    assert plans == ["chunks", "chunks", "resident"]  # in which no batch is waited for
