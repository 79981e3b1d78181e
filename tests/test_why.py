"""How the form of a program differs from what it was compiled for before, in words; one test a cause."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy._feed import Held, Stacked
from elegy._why import form_of, why
from elegy.data import Batch


def form(rows=4, dtype="float32", parameters=("w",), **columns):
    state = {"parameters": {"linear": {name: np.zeros((3, 2), np.float32) for name in parameters}}}
    return form_of((state, Batch(x=np.zeros((rows, 3), dtype), **columns)))


def held(size, order=None, block=1):
    return form_of((Held(Batch(x=np.zeros((8, 3), np.float32)), order, {"class_weight": {}}, size, block),))


@pytest.mark.parametrize(
    ("new", "old", "text"),
    [
        (form(rows=3), form(), "`x` is f32[3,3], it was f32[4,3]"),
        (form(dtype="int8"), form(), "`x` is i8[4,3], it was f32[4,3]"),
        (form(mask=np.ones(4, bool)), form(), "`mask` is new: bool[4]"),
        (form(), form(mask=np.ones(4, bool)), "`mask` is gone, it was bool[4]"),
        (form(parameters=("w", "b")), form(), "`parameters/linear/b` is new: f32[3,2]"),
        (held(4, np.zeros(12, np.int32), 2), held(2, np.zeros(10, np.int32)), "`batch_size` is 4, it was 2"),
        (held(4, block=2), held(4), "`block` is 2, it was 1"),
    ],
)
def test_what_differs_is_named(new, old, text):
    assert why(new, [old]) == text


def test_the_nearest_form_is_compared():
    assert why(form(rows=3), [form(rows=4), form(rows=5, dtype="int8", mask=np.ones(5))]) == why(form(3), [form(4)])


def test_of_equally_near_forms_the_one_with_the_largest_batch_is_compared():
    assert why(form(rows=5), [form(rows=2), form(rows=4)]) == "`x` is f32[5,3], it was f32[4,3]"


def test_of_many_differences_the_first_are_told():
    text = why(form(a=np.ones(4), b=np.ones(4), c=np.ones(4), d=np.ones(4)), [form()])
    assert text == "`a` is new: f64[4]; `b` is new: f64[4]; `c` is new: f64[4]; and 1 more"


def test_nothing_is_told_where_nothing_differs():
    assert why(form(), [form(rows=3), form()]) is None and why(form(), []) is None


def test_weak_types_count_while_a_program_is_traced():
    seen = []
    jax.jit(lambda x: seen.append(form_of(({"x": x},)))).trace(1.0)
    jax.jit(lambda x: seen.append(form_of(({"x": x},)))).trace(jnp.float32(1))
    assert why(*seen[:1], seen[1:]) == "`x` is f32[] (weakly typed), it was f32[]"


def test_only_what_runs_on_one_batch_has_rows():
    columns = Batch(x=np.zeros((5, 4, 3), np.float32))
    assert form().rows == 4 and held(2).rows is None and form_of((Stacked(columns, {}),)).rows is None
