"""The table itself: each exported name has a row, and few cells are exempt."""

import functools
import importlib
import inspect
from pathlib import Path

import pytest

from tests.test_public_api import API

THINGS = {name: value for name, value in API.items() if not inspect.ismodule(value)}


@functools.cache
def kinds():
    """The files of rows and contracts; looked up when tests run, since pytest imports test files by itself before."""
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    modules = [importlib.import_module(f"tests.contracts.{file.stem}") for file in files if file != Path(__file__)]
    return [module for module in modules if hasattr(module, "ROWS")]


def cells():
    """By contract, as `module.test`, the keys of its rows, and by key why it is exempt."""
    tests = [(f"{kind.__name__}.{name}", test) for kind in kinds() for name, test in vars(kind).items()]
    return {name: test.cells for name, test in tests if hasattr(test, "cells")}


def covered():
    """The exported names that the rows' keys begin with."""
    return {part.split()[0] for kind in kinds() for key in kind.ROWS for part in key.split(",")}


@pytest.mark.parametrize("name", THINGS)
def test_an_exported_name_has_a_row(name):
    same = {other for other, value in THINGS.items() if value is THINGS[name]}
    assert same & covered(), f'add "{name}": Row(...) to the `ROWS` of its kind, in tests/contracts/test_<kind>.py'


def test_a_row_stands_for_a_name_that_is_exported():
    assert covered() - set(API) == set()


def test_no_more_than_a_twentieth_of_the_table_is_exempt(capsys):
    exempt = [(key, test, why) for test, (_, reasons) in cells().items() for key, why in reasons.items()]
    size = sum(len(keys) for keys, _ in cells().values())
    with capsys.disabled():
        print(f"\n{len(exempt)} of {size} contracts are exempt:")
        for key, test, why in exempt:
            print(f"  {key}: {test.rpartition('.test_')[2].replace('_', ' ')}: {why}")
    assert len(exempt) <= 0.05 * size


def test_an_exempt_cell_names_a_contract_that_there_is():
    contracts = {test.rpartition(".test_")[2] for test in cells()}
    assert {name for kind in kinds() for row in kind.ROWS.values() for name in row.exempt} - contracts == set()
