"""Tests of `CallbackList`: which hooks run, what they are given, and what their answers do."""

import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy._errors import InjectionError
from elegy._logs import LazyLogs
from elegy.callbacks import Callback, CallbackList, History, LambdaCallback, ProgressBar, Stop
from elegy.callbacks._hooks import read_hooks


class Recorder(Callback):
    def __init__(self):
        self.calls = []

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((epoch, dict(logs)))


def end_epoch(callback, **offer):
    logs = offer.pop("logs", {"loss": 0.5})
    return CallbackList(callback).call("on_epoch_end", epoch=3, logs=logs, run="the run", **offer)


def answering(answer, hook="on_epoch_end"):
    return type("Answering", (Callback,), {hook: lambda self, logs: answer})()


def test_one_callback_may_be_given_without_a_list():
    recorder = Recorder()
    assert end_epoch(recorder) is None
    assert recorder.calls == [(3, {"loss": 0.5})]


def test_no_callbacks_are_an_empty_list():
    assert CallbackList().call("on_epoch_end", epoch=0, logs={}) is None
    assert not CallbackList(None).overrides("on_epoch_end")


def test_the_users_list_is_never_changed():
    given = [Recorder()]
    end_epoch(given)
    assert len(given) == 1


def test_model_and_params_are_set_on_every_callback():
    a, b = Recorder(), Recorder()
    params = {"epochs": 2, "steps": None, "verbose": 0}
    CallbackList([a, b], model="the model", params=params)
    assert a.model == b.model == "the model"
    assert a.params == b.params == params and a.params is not params


def test_a_subclass_need_not_call_the_base_constructor():
    assert Recorder().model is None
    assert dict(Recorder().params) == {}


def test_only_overridden_hooks_count():
    callbacks = CallbackList([Recorder(), LambdaCallback(on_test_end=lambda logs: None)])
    overridden = [h for h in ("on_epoch_end", "on_test_end", "on_epoch_begin") if callbacks.overrides(h)]
    assert overridden == ["on_epoch_end", "on_test_end"]


def test_an_inherited_hook_counts():
    assert CallbackList(type("Child", (Recorder,), {})()).overrides("on_epoch_end")


def test_every_step_is_needed_for_batch_begin_and_by_request():
    begins = LambdaCallback(on_train_batch_begin=lambda batch, logs: None)
    ends = LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    eager = type("Eager", (Callback,), {"every_step": True})()
    assert [CallbackList(c).needs_every_step for c in (begins, ends, eager)] == [True, False, True]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda self: (), ()),
        (lambda self, logs: (logs,), ({"loss": 0.5},)),
        (lambda self, run, epoch: (run, epoch), ("the run", 3)),
        (lambda self, e, log: (e, log), (3, {"loss": 0.5})),
        (lambda self, e: (e,), (3,)),
        (lambda self, *args: args, (3, {"loss": 0.5})),
        (lambda self, logs, scale=2: (logs, scale), ({"loss": 0.5}, 2)),
        (lambda self, epoch, log=None, scale=2: (epoch, log, scale), (3, {"loss": 0.5}, 2)),
        (lambda self, **all: tuple(sorted(all)), ("epoch", "logs", "run")),
    ],
)
def test_hooks_are_called_by_name_or_in_keras_order(function, expected):
    class Hooked(Callback):
        on_epoch_end = function

    hook = read_hooks(Hooked(), {})["on_epoch_end"]
    seen = hook({"epoch": 3, "logs": {"loss": 0.5}, "run": "the run"})
    assert seen == expected


def test_keras_short_names_of_the_batch_hooks_work():
    seen = []
    old = type("Old", (Callback,), {"on_batch_end": lambda self, batch, logs: seen.append(batch)})()
    CallbackList(old).call("on_train_batch_end", batch=4, logs={})
    assert seen == [4]


def test_an_unknown_name_is_an_error_at_construction():
    class Wrong(Callback):
        def on_epoch_end(self, epoch, logs, epochs): ...

    with pytest.raises(
        InjectionError, match=r"`on_epoch_end` of callback `Wrong` asks for `epochs`.*Did you mean `epoch`"
    ):
        CallbackList(Wrong())


def test_a_framework_name_is_never_filled_by_position():
    class Asking(Callback):
        def on_train_batch_end(self, batch, y_pred): ...

    with pytest.raises(
        InjectionError, match=r"asks for `y_pred`, which this hook does not have\. It has: run, batch, logs"
    ):
        CallbackList(Asking())


def test_names_the_loop_offers_are_reported_and_injected():
    class Asking(Callback):
        def on_train_batch_end(self, batch, y_pred, logs):
            return {"seen": y_pred}

    callbacks, logs = CallbackList(Asking(), offers={"on_train_batch_end": ("y_pred",)}), {}
    callbacks.call("on_train_batch_end", batch=0, logs=logs, y_pred=7)
    assert callbacks.asked_names("on_train_batch_end") == {"y_pred"}
    assert callbacks.asked_names("on_epoch_end") == frozenset()
    assert logs == {"seen": 7.0}


def test_a_name_missing_at_the_call_is_an_error():
    callbacks = CallbackList(LambdaCallback(on_test_end=lambda run: None))
    with pytest.raises(InjectionError, match="`on_test_end` of callback `LambdaCallback` asks for `run`"):
        callbacks.call("on_test_end", logs={})


def test_a_dict_is_added_to_the_logs_and_seen_by_later_callbacks():
    recorder, logs = Recorder(), LazyLogs({"loss": jnp.float32(0.5)})
    end_epoch([answering({"twice": jnp.float32(1.0), "n": np.int32(3)}), recorder], logs=logs)
    assert recorder.calls == [(3, {"loss": 0.5, "twice": 1.0, "n": 3.0})]
    assert all(type(value) is float for value in logs.values())


def test_the_first_stop_is_returned_and_all_callbacks_are_called():
    recorder = Recorder()
    assert end_epoch([answering(Stop("a")), answering(Stop("b")), recorder]) == Stop("a")
    assert len(recorder.calls) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (True, "`on_epoch_end` of callback `Answering` returned True. A hook returns None, a dict"),
        (Stop, "returned the class `Stop`"),
        ({"a": np.zeros(2, "float32")}, r"returned 'a': f32\[2\] for the logs"),
        ({"a": "text"}, "returned 'a': str for the logs"),
        ({1: 2.0}, "returned 1: float for the logs"),
    ],
)
def test_other_answers_are_errors(answer, message):
    with pytest.raises(TypeError, match=message):
        end_epoch(answering(answer))


def test_logs_that_nobody_would_read_are_an_error():
    callbacks = CallbackList(answering({"a": 1.0}, "on_train_begin"))
    with pytest.raises(
        TypeError, match=r"After that hook nobody would read them\. Return it from one of: on_epoch_end"
    ):
        callbacks.call("on_train_begin", logs={})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Recorder, r"The class `Recorder` was given as a callback. .*Write `Recorder\(\.\.\.\)`"),
        ([3], "3 was given as a callback. It has no hook. Give an instance"),
        ("history", "'history' was given as a callback. It has no hook"),
        ([None], "None was given as a callback"),
        (lambda epoch, logs: None, r"It has no hook. Write `elegy.callbacks.LambdaCallback\(on_epoch_end=\.\.\.\)`"),
        (end_epoch, r"LambdaCallback\(on_epoch_end=end_epoch\)"),
    ],
)
def test_what_is_no_callback_is_an_error(given, message):
    with pytest.raises(TypeError, match=message):
        CallbackList(given)


def test_a_misspelled_hook_is_an_error():
    wrong = type("Wrong", (Callback,), {"on_epoch_ends": lambda self, epoch, logs: None})()
    with pytest.raises(
        TypeError, match=r"callback `Wrong` has `on_epoch_ends`, which is no hook.*Did you mean `on_epoch_end`"
    ):
        CallbackList(wrong)


def test_any_object_with_a_hook_is_a_callback():
    class Plain:
        def on_epoch_end(self, epoch, logs):
            return Stop("plain")

    assert end_epoch(Plain()) == Stop("plain")


def test_a_keras_callback_works(tmp_path):
    keras = pytest.importorskip("keras")
    logger = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    callbacks = CallbackList([logger, History()], params={"epochs": 1, "steps": 1, "verbose": 0})
    callbacks.call("on_train_begin", logs={})
    callbacks.call("on_epoch_end", epoch=0, logs=LazyLogs({"loss": 0.5, "val_loss": 0.75}), run=None)
    callbacks.call("on_train_end", logs={})
    assert (tmp_path / "log.csv").read_text().split() == ["epoch,loss,val_loss", "0,0.5,0.75"]


def test_exceptions_reach_on_exception():
    seen = []
    callbacks = CallbackList([LambdaCallback(on_exception=lambda exception: seen.append(exception)), ProgressBar(0)])
    error = ValueError("broken")
    callbacks.call("on_exception", exception=error, run=None)
    assert seen == [error]


def failing(name="Failing", hooks=("on_epoch_end",), **attributes):
    def fail(self, logs):
        raise ZeroDivisionError("broken")

    return type(name, (Callback,), {**dict.fromkeys(hooks, fail), **attributes})()


def test_a_logger_that_fails_is_one_warning_and_ends_nothing():
    recorder = Recorder()
    callbacks = CallbackList([failing(is_logger=True, hooks=("on_epoch_end", "on_train_end")), recorder])
    with pytest.warns(UserWarning) as warned:
        for epoch in range(2):
            callbacks.call("on_epoch_end", epoch=epoch, logs={"loss": 0.5})
        callbacks.call("on_train_end", logs={})
    assert len(recorder.calls) == 2 and len(warned) == 1
    assert str(warned[0].message).startswith(
        "`on_epoch_end` of callback `Failing` failed: ZeroDivisionError: broken. It is a logger, so the run goes on"
    )


def test_each_logger_has_a_warning_of_its_own():
    with pytest.warns(UserWarning) as warned:
        end_epoch([failing("A", is_logger=True), failing("B", is_logger=True)])
    assert len(warned) == 2


def test_a_loggers_traceback_is_in_the_log(caplog):
    with caplog.at_level("DEBUG", logger="elegy"), pytest.warns(UserWarning, match="level DEBUG"):
        end_epoch(failing(is_logger=True))
    assert 'raise ZeroDivisionError("broken")' in caplog.text


def test_a_loggers_wrong_answer_is_a_warning_too():
    logger = type("Logger", (Callback,), {"is_logger": True, "on_epoch_end": lambda self, logs: 3})()
    with pytest.warns(UserWarning, match="Logger` failed: TypeError: `on_epoch_end` of callback `Logger` returned 3"):
        assert end_epoch(logger) is None


def test_a_logger_may_fail_to_tell_or_to_take_its_state():
    def fail(self, *args):
        raise OSError("disk")

    logger = type("Logger", (Counter,), {"is_logger": True, "state": fail, "restore": fail})()
    with pytest.warns(UserWarning, match="`state` of callback `logger` failed: OSError: disk"):
        assert CallbackList([logger, Counter()]).state() == {"counter": {"epochs": 0}}
    with pytest.warns(UserWarning, match="`restore` of callback `logger` failed"):
        CallbackList(logger).restore({"logger": {"epochs": 1}})


def test_a_logger_does_not_stop_ctrl_c():
    def press(self, logs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        end_epoch(type("Logger", (Callback,), {"is_logger": True, "on_epoch_end": press})())


def test_any_other_callback_that_fails_ends_the_fit_with_its_own_traceback(rows):
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
    with pytest.raises(ZeroDivisionError, match="broken") as caught:
        model.fit(rows, rows[:, :1], callbacks=failing(), verbose=0)
    assert caught.traceback[-1].name == "fail"


class Counter(Callback):
    def __init__(self):
        self.epochs = 0

    def on_epoch_end(self, logs):
        self.epochs += 1

    def state(self):
        return {"epochs": self.epochs}

    def restore(self, state):
        self.epochs = state["epochs"]


def test_states_are_kept_by_unique_names():
    counters = [Counter(), Recorder(), Counter()]
    end_epoch(counters)
    saved = CallbackList(counters).state()
    fresh = [Counter(), Counter()]
    CallbackList(fresh).restore(saved)
    assert saved == {"counter": {"epochs": 1}, "counter_1": {"epochs": 1}} and [c.epochs for c in fresh] == [1, 1]


def test_a_callback_that_is_new_starts_afresh_and_one_that_is_gone_is_a_warning():
    counter = Counter()
    with pytest.warns(UserWarning, match=r"callback `countr` was to be restored.*are: counter.*Did you mean `counter`"):
        CallbackList(counter).restore({"countr": {"epochs": 3}})
    assert counter.epochs == 0


def test_objects_without_a_state_are_left_out():
    plain = type("Plain", (), {"on_epoch_end": lambda self, epoch, logs: None, "state": "of the art"})()
    assert CallbackList([plain, Recorder()]).state() == {}
