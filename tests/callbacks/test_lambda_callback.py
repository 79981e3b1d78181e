"""Tests of `LambdaCallback`: functions as hooks."""

import pytest

from elegy.callbacks import CallbackList, LambdaCallback, Stop
from elegy.callbacks._hooks import HOOKS


def called(hook, function, **offer):
    return CallbackList(LambdaCallback(**{hook: function})).call(hook, **offer)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_can_be_given(hook):
    seen = []
    offer = {name: name for name in HOOKS[hook]}
    called(hook, lambda *args: seen.extend(args), **offer)
    assert tuple(seen) == HOOKS[hook]


def test_arguments_may_have_any_names():
    seen = []
    called("on_epoch_end", lambda e, l: seen.append((e, l)), epoch=2, logs={"loss": 1.0})  # noqa: E741
    assert seen == [(2, {"loss": 1.0})]


def test_a_builtin_function_can_be_given():
    seen = []
    called("on_epoch_end", seen.append, epoch=2, logs={})
    assert seen == [2]


def test_arguments_may_be_asked_for_by_name():
    seen = []
    called("on_epoch_end", lambda run: seen.append(run), epoch=2, logs={}, run="the run")
    assert seen == ["the run"]


def test_stop_and_logs_are_answers():
    logs = {"loss": 2.0}
    stop = called("on_epoch_end", lambda logs: Stop("enough") if logs["loss"] > 1 else None, epoch=0, logs=logs)
    called("on_epoch_end", lambda logs: {"half": logs["loss"] / 2}, epoch=0, logs=logs)
    assert (stop, logs) == (Stop("enough"), {"loss": 2.0, "half": 1.0})


def test_what_a_lambda_happens_to_return_is_dropped():
    assert called("on_epoch_end", lambda epoch, logs: 17, epoch=0, logs={}) is None


def test_only_the_given_hooks_are_overridden():
    callbacks = CallbackList(LambdaCallback(on_train_end=lambda logs: None, on_epoch_end=None))
    assert callbacks.overrides("on_train_end") and not callbacks.overrides("on_epoch_end")


def test_keras_short_names_are_hooks():
    assert CallbackList(LambdaCallback(on_batch_end=lambda batch, logs: None)).overrides("on_train_batch_end")


def test_an_unknown_hook_is_an_error_with_the_nearest():
    with pytest.raises(TypeError, match=r"LambdaCallback has `on_epoch_ended`.*Did you mean `on_epoch_end`"):
        LambdaCallback(on_epoch_ended=print)


def test_what_is_no_function_is_an_error():
    with pytest.raises(TypeError, match=r"LambdaCallback got `on_epoch_end=3`. A hook is a function"):
        LambdaCallback(on_epoch_end=3)
