"""Tests of the text of a progress line."""

import pytest

from elegy.callbacks._progress_line import ASCII, Progress, bar_line, duration, number, step_time, text_line

HALF = Progress(50, 100, 3.2, 0.02, {"loss": 0.1234, "accuracy": 0.98})


def text(progress, **options):
    return "".join(piece for piece, _ in bar_line(progress, **options))


def test_a_line_looks_like_that_of_keras():
    assert text(HALF) == " 50/100 ━━━━━━━━━━━━━━━━━━━━ 3s 20ms/step - loss: 0.1234 - accuracy: 0.9800"


def test_finished_cells_have_another_style():
    styles = {style: piece for piece, style in bar_line(HALF)}
    assert (styles["green"], styles["bright_black"]) == ("━" * 10, "━" * 10)


def test_half_a_cell_is_shown():
    assert text(Progress(1, 8), glyphs=ASCII) == "1/8 ==>................."


def test_an_unknown_number_of_steps_has_no_bar():
    assert text(Progress(12, None, 3.0, 0.02, {"loss": 1.0})) == "12/Unknown 3s 20ms/step - loss: 1.0000"


def test_what_else_goes_on_is_said_first():
    assert (
        text(Progress(4, None, 1.0, None, {"loss": 1.0}, "validating 3"))
        == "4/Unknown 1s - validating 3 - loss: 1.0000"
    )


@pytest.mark.parametrize("width", range(1, 100))
def test_a_line_never_exceeds_the_width(width):
    assert len(text(HALF, width=width)) <= width


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (70, " 50/100 ━━━━━━━╸━━━━━━━ 3s 20ms/step - loss: 0.1234 - accuracy: 0.9800"),
        (55, " 50/100 ━━╸━━ 3s 20ms/step - loss: 0.1234 …"),
        (37, " 50/100 3s 20ms/step - loss: 0.1234 …"),
    ],
)
def test_the_bar_shrinks_before_logs_are_left_out(width, line):
    assert text(HALF, width=width) == line


def test_a_line_without_a_bar():
    assert text_line(HALF) == " 50/100 - 3s - 20ms/step - loss: 0.1234 - accuracy: 0.9800"


@pytest.mark.parametrize(("seconds", "shown"), [(0.9, "0s"), (59.9, "59s"), (65, "1:05"), (3723, "1:02:03")])
def test_durations(seconds, shown):
    assert duration(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(2.2, "2s"), (0.02, "20ms"), (0.00015, "150us")])
def test_times_of_a_step(seconds, shown):
    assert step_time(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.0000"), (0.98, "0.9800"), (-3e-4, "-3.0000e-04"), (2e6, "2.0000e+06"), (float("nan"), "nan")],
)
def test_numbers(value, shown):
    assert number(value) == shown
