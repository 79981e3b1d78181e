"""Tests of `When`: how often something happens, in whatever unit."""

import numpy as np
import pytest

from elegy import When


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("500 steps", 500, "steps"),
        ("500steps", 500, "steps"),
        ("1 batch", 1, "steps"),
        ("2 epochs", 2, "epochs"),
        (" epoch ", 1, "epochs"),
        ("90 s", 90, "s"),
        ("10 min", 600, "s"),
        ("1.5 h", 5400, "s"),
        (".5 days", 43200, "s"),
        ("5%", 5, "%"),
        ("2.5 %", 2.5, "%"),
        ("1e3 steps", 1000, "steps"),
    ],
)
def test_text_is_an_amount_and_a_unit(text, amount, unit):
    when = When(text)
    assert (when.amount, when.unit) == (amount, unit)


def test_a_number_means_what_its_user_says():
    assert When(500, number="steps") == When("500", number="steps") == When("500 steps")
    assert When(np.int32(7), number="epochs") == When("7 epochs")
    assert When("10 min", number="steps") == When("600 s")


def test_a_when_is_a_when():
    assert When(When("5%")) == When("5%") and hash(When("1 min")) == hash(When("60 s"))


@pytest.mark.parametrize("text", ["500 steps", "1 epoch", "2.5%", "12.3456789%", "90 s", "1 s", "1000000 steps"])
def test_its_words_make_it_again(text):
    assert str(When(text)) == text and repr(When(text)) == f"When('{text}')"


@pytest.mark.parametrize(
    ("text", "done", "times"),
    [
        ("2 steps", {"step": 5}, 2),
        ("2 epochs", {"epoch": 2}, 1),
        ("10 s", {"seconds": 9.9}, 0),
        ("10 s", {"seconds": 35.0}, 3),
        ("5%", {"share": 0.05}, 1),
        ("10%", {"share": 3 / 30 * 7}, 7),
        ("100%", {"share": 1.0}, 1),
    ],
)
def test_it_comes_at_each_multiple(text, done, times):
    assert When(text).times(**{"step": 0, "epoch": 0, "seconds": 0.0, "share": 0.0, **done}) == times


def test_every_share_of_an_odd_number_of_steps_comes():
    due = [When("10%").times(step=0, epoch=0, seconds=0, share=step / 70) for step in range(71)]
    assert due == [step // 7 for step in range(71)]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("5 stepz", ValueError, r"`stepz` is no unit; there are: steps, epochs, s, min.*Did you mean `step`"),
        ("10 minuts", ValueError, "Did you mean `minutes`"),
        ("", ValueError, 'Write it like "500 steps"'),
        ("5 5", ValueError, '"5 5" was given as a time. Write it like'),
        (500, ValueError, "A number alone does not say what it counts"),
        ("500", ValueError, "A number alone does not say what it counts"),
        ("0 steps", ValueError, "above 0 and finite"),
        ("-3 epochs", ValueError, "above 0 and finite"),
        ("101%", ValueError, "at most 100%"),
        ("1.5 epochs", ValueError, "Only whole epochs are counted"),
        (None, TypeError, "None was given as a time. It is neither text nor a number"),
        (True, TypeError, "True was given"),
    ],
)
def test_what_cannot_be_read_is_an_error(given, error, message):
    with pytest.raises(error, match=message):
        When(given)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_without_an_end_is_an_error(number):
    with pytest.raises(ValueError, match="above 0 and finite"):
        When(number, number="s")
