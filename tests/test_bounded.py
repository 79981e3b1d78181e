"""The dict that forgets what was not used for longest."""

import pytest

from elegy._bounded import Bounded


def test_what_was_read_or_set_last_stays():
    cache = Bounded(2)
    cache["a"], cache["b"] = 1, 2
    cache["a"] = 3
    cache["c"] = 4
    assert dict(cache) == {"a": 3, "c": 4}
    assert cache["a"] == 3
    cache["d"] = 5
    assert list(cache) == ["a", "d"]


def test_what_is_missing_is_an_error_as_in_a_dict():
    with pytest.raises(KeyError):
        Bounded(2)["a"]
