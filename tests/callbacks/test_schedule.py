"""Tests of `Schedule`: a `When` comes as a fit goes on."""

import pytest

from elegy import When
from elegy.callbacks._schedule import Schedule


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def due_steps(schedule, *, epochs, steps, first=0):
    """By epoch the steps, counted from 1, after which it was due; "end" stands for the end of the epoch."""
    found = []
    for epoch in range(first, epochs):
        due = [step + 1 for step in range(steps) if schedule.is_due_after_step(epoch)]
        found.append(due + ["end"] * schedule.is_due_after_epoch(epoch))
    return found


@pytest.mark.parametrize(
    ("when", "known", "expected"),
    [
        ("3 steps", 4, [[3], [2], [1, 4]]),
        ("2 epochs", 4, [[], ["end"], []]),
        ("25%", 4, [[3], [2], [1, 4]]),
        ("25%", None, [["end"], ["end"], ["end"]]),
        ("50%", None, [[], ["end"], ["end"]]),
    ],
)
def test_it_is_due_at_each_multiple(when, known, expected):
    schedule = Schedule(When(when))
    schedule.begin({"epochs": 3, "steps": known})
    assert due_steps(schedule, epochs=3, steps=4) == expected


def test_a_share_is_one_of_the_epochs_that_run():
    schedule = Schedule(When("50%"))
    schedule.begin({"epochs": 6, "steps": 2})
    assert due_steps(schedule, epochs=6, steps=2, first=4) == [[2], [2]]


def test_time_passes_on_its_clock_until_the_end():
    clock = Clock()
    schedule = Schedule(When("10 s"), clock=clock)
    clock.now += 5
    assert schedule.seconds == 0
    schedule.begin({})
    seen = []
    for seconds in (9, 1, 25, 4):
        clock.now += seconds
        seen.append(schedule.is_due_after_step(0))
    schedule.end()
    clock.now += 5
    assert seen == [False, True, True, False] and schedule.seconds == 39


@pytest.mark.parametrize("when", ["3 steps", "2 epochs", "30%", "7 s"])
def test_two_halves_are_a_whole(when):
    clock = Clock()
    whole, first, second = (Schedule(When(when), clock=clock) for _ in range(3))
    for schedule in (whole, first):
        schedule.begin({"epochs": 4, "steps": 5})
    done = due_steps(whole, epochs=4, steps=5)
    halves = due_steps(first, epochs=2, steps=5)
    second.begin({"epochs": 4, "steps": 5})
    second.restore(first.state())
    assert halves + due_steps(second, epochs=4, steps=5, first=2) == done


def test_nothing_is_due_in_a_fit_without_epochs():
    assert not Schedule(When("5%")).is_due_after_step(0)
