"""Tests of `Timer`: a fit ends when its time is up."""

import pytest

import elegy
from elegy.callbacks import CallbackList, Timer


class Clock:
    """A second passes with every look."""

    now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def model_of(**kwargs):
    return elegy.Model(lambda x: x, loss=lambda y_pred: y_pred, optimizer="sgd", **kwargs)


@pytest.mark.parametrize(
    ("limit", "steps", "epochs"),
    # Time is looked at after each launch, which here has the four steps of an epoch.
    [("5 steps", 5, 2), ("2 epochs", 8, 2), ("30%", 12, 3), (3, 4, 1), ("3 s", 4, 1)],
)
def test_a_fit_ends_at_its_limit(rows, limit, steps, epochs):
    model = model_of()
    history = model.fit(rows, batch_size=2, epochs=10, callbacks=Timer(limit, clock=Clock()), verbose=0)
    assert (int(model.state.step), len(history.epoch)) == (steps, epochs)


def test_a_limit_in_epochs_looks_at_no_step():
    assert not CallbackList(Timer("2 epochs")).overrides("on_train_batch_end")
    assert CallbackList(Timer("2 s")).overrides("on_train_batch_end")
    assert [CallbackList(Timer(limit)).needs_every_step for limit in ("2 steps", "2 s")] == [True, False]


def test_a_hook_of_a_subclass_is_kept():
    own = type("Own", (Timer,), {"on_train_batch_end": lambda self, batch, logs: None})("2 epochs")
    assert CallbackList(own).overrides("on_train_batch_end")


def test_the_time_is_known_afterwards_and_an_instance_serves_a_second_fit(rows):
    timer = Timer("9 days")
    assert timer.seconds == 0
    for _ in range(2):
        model_of().fit(rows, epochs=1, callbacks=timer, verbose=0)
    spent = timer.seconds
    assert timer.seconds == spent > 0


def test_an_exception_stops_the_clock():
    timer = Timer("9 days", clock=Clock())
    timer.on_train_begin()
    timer.on_exception(ValueError())
    assert timer.seconds == timer.seconds == 1


def test_what_was_used_before_counts():
    timer = Timer("10 s", clock=Clock())
    timer.on_train_begin()
    timer.restore({"steps": 7, "epochs": 1, "seconds": 8.5, "times": 0})
    assert [timer.on_train_batch_end(0) is None, timer.on_train_batch_end(1) is None] == [True, False]
    assert timer.state() == {"steps": 9, "epochs": 1, "seconds": 11.5, "times": 1}


@pytest.mark.parametrize(("verbose", "said"), [(1, "The fit ended: the limit of 2 steps is reached.\n"), (0, "")])
def test_it_says_why_the_fit_ended(capsys, verbose, said):
    timer = Timer("2 steps")
    timer.set_params({"verbose": verbose})
    timer.on_train_begin()
    answers = [timer.on_train_batch_end(batch) for batch in range(2)]
    timer.on_train_end()
    assert answers == [None, elegy.Stop("the limit of 2 steps is reached")] and capsys.readouterr().out == said


def test_a_limit_that_cannot_be_read_is_an_error():
    with pytest.raises(ValueError, match="Did you mean `min`"):
        Timer("10 mi")
