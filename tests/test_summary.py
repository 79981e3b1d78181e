"""`model.summary()`: every number counted by hand, once, in 80 columns of plain text."""

import subprocess
import sys
import types

import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy.nn import BatchNormalization, Linear


class Shared(elegy.Module):
    """32 + 36 parameters if its shared layer counts once, and 4 states."""

    def __init__(self):
        self.first = self.second = Linear(4)

    def call(self, x):
        self.add_parameter("offset", (4,), trainable=False)
        return Linear(8)(self.second(self.first(x)))


class Plain:
    def call(self, x):
        return Linear(1, name="head")(BatchNormalization(name="norm")(x))


def cells(text):
    """By module the cells of its row, and by word the totals."""
    head, totals = text.split("\n\n")
    rows = [row.split() for row in head.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}, dict(line.split(": ") for line in totals.splitlines())


def summary_of(model, capsys, *args, **kwargs):
    model.summary(*args, **kwargs)
    return cells(capsys.readouterr().out)


def test_every_number_is_counted_once(capsys):
    rows, totals = summary_of(elegy.Model(Shared()), capsys, np.ones((2, 4), "float32"))
    assert rows == {
        "shared": ["f32[2,8]", "0", "4", "16", "B"],
        "first": ["f32[2,4]", "20", "0", "80", "B"],
        "linear": ["f32[2,8]", "40", "0", "160", "B"],
    }
    assert totals == {"Total": "64 (256 B)", "Trainable": "60 (240 B)", "Other": "4 (16 B)"}


def test_states_and_frozen_parameters_are_other(rows, capsys):
    model = elegy.Model(Plain())
    model.freeze("head")
    table, totals = summary_of(model, capsys, rows)
    assert table["head"] == ["f32[8,1]", "0", "4", "16", "B"]
    assert table["norm"] == ["f32[8,3]", "6", "0", "24", "B"]
    assert totals == {"Total": "24 (96 B)", "Trainable": "6 (24 B)", "Other": "18 (72 B), 4 of them frozen"}


@pytest.mark.parametrize(("depth", "names"), [(0, ["plain"]), (1, ["plain", "norm", "head"])])
def test_below_the_depth_all_is_added_to_the_module_above(rows, capsys, depth, names):
    model = elegy.Model(Plain())
    table, totals = summary_of(model, capsys, rows, depth=depth)
    assert list(table) == names
    assert sum(int(row[1]) + int(row[2]) for row in table.values()) == 24
    assert totals["Total"] == "24 (96 B)"


def test_dtypes_show_in_outputs_and_bytes(capsys):
    model = elegy.Model(Linear(2, param_dtype=jnp.bfloat16))
    table, totals = summary_of(model, capsys, np.ones((1, 3), "float32"))
    assert table["linear"] == ["bf16[1,2]", "8", "0", "16", "B"] and totals["Total"] == "8 (16 B)"


def test_without_x_the_shapes_of_the_last_verb_are_shown(rows, capsys):
    model = elegy.Model(Plain())
    with pytest.raises(ValueError, match=r"Call `model\.init\(x\)` or `fit` first"):
        model.summary()
    model.predict(rows, verbose=0)
    assert summary_of(model, capsys)[0]["head"][0] == "f32[8,1]"


def test_a_state_that_was_given_is_shown_without_outputs(rows, capsys):
    model, other = elegy.Model(Linear(1)), elegy.Model(Linear(1))
    other.state = model.init(rows)
    assert summary_of(other, capsys) == ({"linear": ["4", "0", "16", "B"]}, summary_of(model, capsys)[1])


def test_a_pair_of_functions_is_one_row(rows, capsys):
    model = elegy.Model((lambda key, x: {"w": jnp.ones((3, 2))}, lambda parameters, x: x @ parameters["w"]))
    table, totals = summary_of(model, capsys, rows)
    assert list(table.values()) == [["f32[8,2]", "6", "0", "24", "B"]] and totals["Trainable"] == "6 (24 B)"


def test_layers_are_in_the_order_of_their_calls(rows, capsys):
    layers = [Linear(3) for _ in range(11)]
    table, _ = summary_of(elegy.Model(elegy.nn.Sequential(layers)), capsys, rows)
    assert list(table) == ["sequential", *(f"layers/{number}" for number in range(11))]


def test_a_depth_is_a_whole_number(rows):
    with pytest.raises(ValueError, match="`depth=-1` was given"):
        elegy.Model(Linear(1)).summary(rows, depth=-1)


def test_long_names_and_outputs_are_cut_to_eighty_columns(rows, capsys):
    def deep(x):
        outputs = Linear(1, name="a_module_with_a_name_that_nobody_would_like_to_read_twice_in_a_row")(x)
        return {str(number): outputs for number in range(9)}

    elegy.Model(deep).summary(rows)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) == 80 and "…" in lines[2] and "_in_a_row" in lines[3]


def test_a_pipe_gets_plain_text_in_its_own_encoding():
    code = "import elegy, numpy; elegy.Model(elegy.nn.Linear(1)).summary(numpy.ones((2, 3), 'float32'))"
    environment = {"PYTHONIOENCODING": "ascii", "FORCE_COLOR": "1", "PYTHONPATH": ":".join(sys.path)}
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True).stdout
    assert b"\x1b" not in printed and printed.isascii()
    assert printed.splitlines()[2].split() == [b"linear", b"f32[2,1]", b"4", b"0", b"16", b"B"]


def test_a_notebook_displays_a_table(rows, monkeypatch, capsys):
    shown = []
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=shown.append))
    elegy.Model(Linear(1)).summary(rows)
    html = shown[0]._repr_html_()
    assert '<td style="text-align: left">linear</td>' in html and "<div>Total: 4 (16 B)</div>" in html
    assert capsys.readouterr().out == ""
