"""Tests of path templates: values in file names."""

from pathlib import Path

import pytest

from elegy.callbacks._path_template import PathTemplate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{epoch:02d}-{val_loss:.2f}", "03-0.12"),
        ("{val_acc/x:.1f}{val_acc.y[0]}", "0.50.25"),
        ("{loss!r}-{{epoch}}", "nan-{epoch}"),
        ("plain", "plain"),
    ],
)
def test_values_are_formatted_as_python_does(text, expected):
    values = {"epoch": 3, "val_loss": 0.125, "val_acc/x": 0.5, "val_acc/y/0": 0.25, "loss": float("nan")}
    assert PathTemplate("ModelCheckpoint", text).filled(values) == Path(expected)


@pytest.mark.parametrize(
    ("text", "folder"), [("a/b/{epoch}", "a/b"), ("a/{epoch}/c", "a"), ("a/b", "a"), ("{epoch}", "."), ("/a{b}", "/")]
)
def test_its_folder_is_the_part_before_the_first_value(text, folder):
    assert PathTemplate("ModelCheckpoint", text).folder == Path(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{epoch", "cannot be read as a template: expected '}'"),
        ("{}", r"cannot be read as a template: `\{\}` has no name"),
        ("{loss:02d}", "Unknown format code 'd'"),
        ("{loss:{width}}", "cannot be read as a template: 'width'"),
    ],
)
def test_what_is_no_template_is_an_error_at_once(text, message):
    with pytest.raises(ValueError, match=message):
        PathTemplate("ModelCheckpoint", text)
