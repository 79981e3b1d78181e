"""Tests of the progress bar: in place on a terminal, final lines only on a pipe, never waiting."""

import collections
import io
import re
import subprocess
import sys
import threading

import jax.numpy as jnp
import pytest
from rich.console import Console

from elegy._logs import LazyLogs
from elegy.callbacks import CallbackList, LambdaCallback, ProgressBar, resolve_verbose
from elegy.callbacks._screen import TextScreen


class Clock:
    """Time that moves when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Waiting(dict):
    """Logs that have not arrived yet."""

    def ready(self):
        return False


class Shown:
    """A bar on a screen of its own, driven like `fit` does."""

    def __init__(self, verbose=1, terminal=True, steps=10, others=(), width=120):
        self.file, self.clock = io.StringIO(), Clock()
        console = Console(file=self.file, force_terminal=terminal, width=width, color_system=None, _environ={})
        params = {"epochs": 2, "steps": steps, "verbose": verbose}
        self.callbacks = CallbackList([*others, ProgressBar(verbose, console=console, clock=self.clock)], params=params)

    def epoch(self, epoch=0, steps=10, seconds=0.02, logs=None):
        if epoch == 0:
            self.callbacks.call("on_train_begin", logs={})
        self.callbacks.call("on_epoch_begin", epoch=epoch, logs={})
        for step in range(steps):
            self.clock.now += seconds
            self.callbacks.launch_end(step + 1, lambda: LazyLogs(logs or {"loss": jnp.float32(0.5)}))

    def end(self, epoch=0, **logs):
        self.callbacks.call("on_epoch_end", epoch=epoch, logs=LazyLogs({"loss": 0.25, **logs}), run=None)

    @property
    def text(self):
        return self.file.getvalue()

    @property
    def drawn(self):
        """Every state of the line, in order."""
        return [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]", self.text) if line]


def test_a_terminal_keeps_the_final_line_with_validation_values():
    shown = Shown()
    shown.epoch()
    shown.end(val_loss=0.75)
    assert shown.drawn[0] == "Epoch 1/2"
    assert shown.drawn[-1] == "10/10 ━━━━━━━━━━━━━━━━━━━━ 0s 20ms/step - loss: 0.2500 - val_loss: 0.7500"
    assert shown.text.endswith("\n")


def test_a_terminal_is_redrawn_in_place():
    shown = Shown()
    shown.epoch(steps=5, seconds=0.04)
    assert shown.text.count("\n") == 1
    assert shown.drawn[-1].startswith(" 4/10 ━━━━━━━━──────────── 0s")


def test_a_terminal_is_redrawn_at_most_ten_times_a_second():
    shown = Shown(steps=1000)
    shown.epoch(steps=1000, seconds=0.001)
    redraws = shown.text.count("\r")
    assert 9 <= redraws <= 11


def test_logs_are_asked_for_only_when_the_bar_is_redrawn():
    shown, asked = Shown(), []
    shown.callbacks.call("on_epoch_begin", epoch=0, logs={})
    for step in range(10):
        shown.clock.now += 0.001
        shown.callbacks.launch_end(step + 1, lambda: asked.append(1) or Waiting())
    assert len(asked) == 1


def test_values_that_have_not_arrived_are_not_waited_for():
    shown = Shown()
    shown.callbacks.call("on_epoch_begin", epoch=0, logs={})
    shown.clock.now += 1
    shown.callbacks.launch_end(1, lambda: Waiting(loss=7.0))
    assert "loss" not in shown.text and shown.drawn[-1].startswith(" 1/10")


def test_no_thread_runs():
    before = threading.active_count()
    shown = Shown()
    shown.epoch(steps=5)
    assert threading.active_count() == before


def test_a_pipe_gets_final_lines_without_control_codes():
    shown = Shown(terminal=False)
    for epoch in range(2):
        shown.epoch(epoch)
        shown.end(epoch)
    line = "10/10 ━━━━━━━━━━━━━━━━━━━━ 0s 20ms/step - loss: 0.2500\n"
    assert shown.text == f"Epoch 1/2\n{line}Epoch 2/2\n{line}"


@pytest.mark.parametrize("terminal", [False, True])
def test_verbose_2_is_one_line_an_epoch(terminal):
    shown = Shown(verbose=2, terminal=terminal)
    shown.epoch()
    shown.end(val_loss=0.75)
    assert shown.text == "Epoch 1/2 - 10/10 - 0s - 20ms/step - loss: 0.2500 - val_loss: 0.7500\n"


def test_a_line_of_text_takes_the_place_of_the_one_that_is_drawn():
    shown = Shown()
    shown.epoch(steps=2)
    shown.callbacks.say("so it is")
    assert shown.drawn[-1] == "so it is" and shown.text.endswith("so it is\n")


def test_verbose_0_shows_nothing():
    shown = Shown(verbose=0)
    shown.epoch()
    shown.callbacks.say("so it is")
    shown.end()
    assert shown.text == ""


def test_an_unknown_number_of_steps_is_counted_and_then_known():
    shown = Shown(steps=None)
    shown.epoch(seconds=0.11)
    assert shown.drawn[-1].startswith("10/Unknown 1s 110ms/step")
    shown.end()
    shown.epoch(1, steps=4, seconds=0.11)
    assert shown.drawn[-1].startswith(" 4/10 ━━━━━━━━")


def test_a_longer_epoch_than_the_last_is_unknown_again():
    shown = Shown(steps=None)
    shown.epoch(steps=2)
    shown.end()
    shown.epoch(1, steps=7, seconds=0.11)
    assert shown.drawn[-1].startswith("7/Unknown")


def test_the_last_columns_are_left_free_on_narrow_terminals():
    shown = Shown(width=30)
    shown.epoch(logs={"loss": 0.5, "a_long_name": 1.0})
    assert max(map(len, shown.drawn)) <= 29


def test_the_first_launch_does_not_count_as_the_time_of_a_step():
    shown = Shown()
    shown.callbacks.call("on_epoch_begin", epoch=0, logs={})
    shown.clock.now += 60
    for step in range(10):
        shown.callbacks.launch_end(step + 1, LazyLogs)
        shown.clock.now += 0.1 * (step < 9)
    shown.end()
    assert "1:00 100ms/step" in shown.drawn[-1]


def test_a_small_launch_after_a_large_one_is_no_measure_of_a_step():
    shown = Shown(steps=57)
    shown.callbacks.call("on_epoch_begin", epoch=1, logs={})
    for done in (56, 57):  # the first still runs when the second is started
        shown.callbacks.launch_end(done, lambda: LazyLogs({"loss": jnp.float32(0.5)}))
    assert "ms/step" not in shown.drawn[-1]
    shown.clock.now += 5.7
    shown.end()
    assert "5s 100ms/step" in shown.drawn[-1]


def test_validation_within_a_fit_is_shown_on_the_line_and_not_timed_as_steps():
    shown = Shown()
    shown.epoch()
    shown.callbacks.call("on_test_begin", logs={})
    shown.clock.now += 5
    shown.callbacks.test_launch_end(3)
    shown.callbacks.call("on_test_end", logs={"val_loss": 1.0})
    assert "validating 3 - loss: 0.5000" in shown.drawn[-1]
    shown.end()
    assert "5s 20ms/step" in shown.drawn[-1]


def test_an_evaluation_has_a_line_of_its_own():
    shown = Shown(terminal=False)
    shown.callbacks.call("on_test_begin", logs={})
    for step in range(10):
        shown.clock.now += 0.5
        shown.callbacks.test_launch_end(step + 1)
    shown.callbacks.call("on_test_end", logs=LazyLogs({"loss": 0.5}))
    assert shown.text == "10/10 ━━━━━━━━━━━━━━━━━━━━ 5s 500ms/step - loss: 0.5000\n"


def test_the_time_ends_when_the_device_is_done():
    shown = Shown(verbose=2)
    shown.callbacks.call("on_test_begin", logs={})
    shown.callbacks.test_launch_end(10)

    class Slow(collections.UserDict):
        def __getitem__(self, name):
            shown.clock.now += 20
            return self.data[name]

    shown.callbacks.call("on_test_end", logs=Slow(loss=0.5))
    assert shown.text == "10/10 - 20s - 2s/step - loss: 0.5000\n"


def test_a_prediction_has_a_line_of_its_own():
    shown = Shown(verbose=2)
    shown.callbacks.call("on_predict_begin", logs={})
    for step in range(10):
        shown.clock.now += 0.5
        shown.callbacks.launch_end(step + 1, LazyLogs)
    shown.callbacks.call("on_predict_end", logs=LazyLogs())
    assert shown.text == "10/10 - 5s - 500ms/step\n"


def test_a_stopped_epoch_shows_how_far_it_came():
    shown = Shown(verbose=2)
    shown.epoch(steps=4)
    shown.end()
    assert shown.text.startswith("Epoch 1/2 -  4/10 - 0s")


def test_the_line_makes_room_for_what_other_callbacks_print():
    shown = Shown(others=[LambdaCallback(on_epoch_end=lambda epoch, logs: shown.file.write("hello\n"))])
    shown.epoch()
    shown.end()
    assert shown.drawn[-2].endswith("hello") and shown.drawn[-2] == "hello"


def test_an_exception_leaves_the_line_and_ends_it():
    shown = Shown()
    shown.epoch(steps=3)
    shown.callbacks.call("on_exception", exception=ValueError(), run=None)
    assert shown.text.endswith("\n")


def test_a_notebook_redraws_with_carriage_returns_alone():
    file = io.StringIO()
    screen = TextScreen(file, redraws=True)
    screen.draw([("1/10 long", "")])
    screen.draw([("2/10", "bold")])
    screen.clear()
    screen.finish([("done", "")])
    assert file.getvalue() == "1/10 long\r2/10     \r    \rdone\n"


def test_a_file_that_has_no_box_characters_gets_plain_ones():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    bar = ProgressBar(1, console=Console(file=file, force_terminal=False, _environ={}))
    bar.on_predict_begin()
    bar.on_predict_end()
    file.seek(0)
    assert file.read().startswith("0/0")


def test_rich_is_imported_only_by_a_bar_on_a_terminal():
    code = (
        "import sys; from elegy.callbacks import ProgressBar; bar = ProgressBar(1); bar.on_predict_begin();"
        "bar.on_predict_end(); assert 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)


def test_auto_is_a_line_an_epoch_when_the_output_is_no_terminal(capsys):
    assert resolve_verbose("auto") == 2


def test_auto_is_a_bar_on_a_terminal(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", terminal)
    assert resolve_verbose("auto") == 1


@pytest.mark.parametrize("verbose", [3, -1, "loud", None, 1.0])
def test_another_verbose_is_an_error_that_names_the_choices(verbose):
    with pytest.raises(ValueError, match=r"`verbose=.*0 \(silent\), 1 \(a bar\), 2 \(one line an epoch\)"):
        resolve_verbose(verbose)
