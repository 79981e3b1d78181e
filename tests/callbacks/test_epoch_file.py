"""Tests of files that gain something with every epoch."""

import resource

import pytest

from elegy.callbacks._epoch_file import append_text, read_text


@pytest.fixture
def full_disk():
    """No file can grow beyond 20 bytes, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_no_half_line_is_left(tmp_path, full_disk):
    append_text(tmp_path / "a", "0123456789\n")
    full_disk()
    with pytest.raises(OSError, match="File too large"):
        append_text(tmp_path / "a", "0123456789\n")
    assert read_text(tmp_path / "a") == "0123456789\n"


def test_a_line_that_was_cut_off_is_ended(tmp_path):
    (tmp_path / "a").write_text("whole\nhal")
    append_text(tmp_path / "a", "new\n")
    assert read_text(tmp_path / "a") == "whole\nhal\nnew\n"


def test_a_file_that_is_not_there_is_empty(tmp_path):
    assert read_text(tmp_path / "a") == ""
