"""Tests of files that are there as a whole or not at all."""

from pathlib import Path

import numpy as np
import pytest

import elegy
from elegy._atomic import written_whole


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(file) as draft:
        draft.write_text("half of the new")
        raise ZeroDivisionError
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_until_the_block_ends_the_old_file_is_there(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    with written_whole(file) as draft:
        draft.write_text("new")
        assert file.read_text() == "old" and draft.parent == tmp_path
    assert file.read_text() == "new" and list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path):
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(file)
    with written_whole(link) as draft:
        draft.write_text("new")
    assert link.is_symlink() and file.read_text() == "new"


def test_weights_replace_older_ones_only_when_they_are_complete(tmp_path, monkeypatch):
    model = elegy.Model(elegy.nn.Linear(1))
    model.init(np.ones((1, 1), "float32"))

    def half_written(arrays, path, metadata):
        Path(path).write_bytes(b"half")
        raise ZeroDivisionError

    file = model.save_weights(tmp_path / "w.safetensors")
    before = file.read_bytes()
    monkeypatch.setattr("safetensors.numpy.save_file", half_written)
    with pytest.raises(ZeroDivisionError):
        model.save_weights(file)
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]
