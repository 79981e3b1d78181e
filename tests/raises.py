"""Every `raise` of the package is reached by the suite: a run of the whole suite fails and lists those that were not.

While tests run, the package is imported with each `raise` noting its place when it is executed; nothing else differs,
and no bytecode is kept. The workers of a parallel run send their places to the process that reports.
"""

import ast
import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTE = "__note_raise__"
REACHED = set()
SELECTING = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "collectonly", "lf", "failedfirst", "stepwise")


def note(file, line, error=None):
    """Called by each `raise` with where it stands; gives back what it raises."""
    REACHED.add((file, line))
    return error


class Noting(ast.NodeTransformer):
    """`raise error` becomes `raise note(file, line, error)`, on the same line."""

    def __init__(self, file):
        self.file = file

    def visit_Raise(self, node):
        where = [ast.Constant(self.file), ast.Constant(node.lineno)]
        call = ast.Call(ast.Name(NOTE, ast.Load()), where + [node.exc] * (node.exc is not None), [])
        for new in (call, call.func, *where):
            ast.copy_location(new, node)
        if node.exc is None:
            return [ast.copy_location(ast.Expr(call), node), node]
        node.exc = call
        return node


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles a file of the package with the notes in it."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)  # always anew: the cache is for what users run

    def source_to_code(self, data, path, *, _optimize=-1):
        tree = Noting(Path(path).relative_to(ROOT).as_posix()).visit(ast.parse(data, path))
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)

    def exec_module(self, module):
        vars(module)[NOTE] = note
        super().exec_module(module)


class Finder:
    """Finds the modules of the package, and nothing else."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        del path, target
        if name.partition(".")[0] != "elegy":
            return None
        base = ROOT.joinpath(*name.split("."))
        file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        places = [str(base)] if base.is_dir() else None
        if not file.is_file():
            return None
        loader = Loader(name, str(file))
        return importlib.util.spec_from_file_location(name, file, loader=loader, submodule_search_locations=places)


def every_raise():
    """By file and line each `raise` of the package, and the start of its source line."""
    found = {}
    for file in sorted((ROOT / "elegy").rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        lines = source.splitlines()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Raise):
                found[file.relative_to(ROOT).as_posix(), node.lineno] = lines[node.lineno - 1].strip()
    return found


def is_whole(config):
    """Whether every test was to run, so that what was not reached is reached by none."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return whole and not any(config.getoption(option, None) for option in SELECTING)


def pytest_configure(config):
    assert "elegy" not in sys.modules, "the package was imported before its `raise` statements could be noted"
    sys.meta_path.insert(0, Finder)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    REACHED.update(map(tuple, getattr(node, "workeroutput", {}).get("raises", ())))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["raises"] = sorted(REACHED)
    elif is_whole(session.config) and not session.shouldstop and every_raise().keys() - REACHED:
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    places = every_raise()
    if is_whole(config) and not terminalreporter._session.shouldstop and (missing := places.keys() - REACHED):
        terminalreporter.section("raise statements that no test reached", red=True)
        for file, line in sorted(missing):
            terminalreporter.line(f"{file}:{line}: {places[file, line]}")
