"""The floors of the package, and the few rules about files that a reader can rely on."""

import ast
import graphlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "elegy"

# Lowest first: a file imports only from floors below its own, or from its own package.
FLOORS = (
    {
        "_atomic",
        "_bounded",
        "_chunk_memory",
        "_config",
        "_errors",
        "_names",
        "_pace",
        "_probe",
        "_sums",
        "_tables",
        "_time_spent",
    },  # words, errors, sums, files
    {"compiling"},  # programs, whoever's they are
    {
        "_labels",
        "_logs",
        "_paths",
        "_precision",
        "_row_buffer",
        "_when",
        "initializers",
    },  # what a step reports; paths; how often
    {"_freezing", "_inject", "_optimizer", "_reduce", "data"},  # call a function with what it asks for; batches
    {"_feed", "_on", "_why", "_state", "_tap", "_told", "module"},  # Module and the module protocol; RunState
    {"_compilations", "_ema", "_skip"},  # what happens to a state around the optimizer's step
    {"_home", "_leaves", "_offer", "_weights", "interop", "losses", "nn"},  # what users build a model of
    {"metrics"},  # some are means of losses
    {"_fields", "_hooked", "_in_step", "_launches", "nets", "regularizers"},  # what hooks add
    {"_flat", "_grouped", "_measures", "_stepping"},
    {"_objective", "callbacks"},  # losses, metrics and names become one total and its logs
    {"_arguments", "_host_metrics", "_programs", "_steps"},  # the pure steps, and the only jit of them
    {"_accumulation", "_plan", "_replay", "_run", "_start"},  # one fit while it runs
    {"_pure_steps"},
    {"_asked", "_step_record", "_trainer", "_verdict"},  # what callbacks may ask for; what the steps logged
    {"_loop"},  # the only loop over epochs and batches
    {"_execution"},  # which plan a pass gets
    {"_on_batch", "_passes", "_summary", "_wiring"},  # verbs
    {"_fit", "_prediction"},
    {"_model"},  # the facade
    {"__init__"},  # the public names, nothing else
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "connector", "mixin", "core"}
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file):
    """`elegy/data/_batch.py` as ("elegy", "data", "_batch"); a package is its `__init__`."""
    return (*file.relative_to(PACKAGE.parent).parent.parts, file.stem)


MODULES = {module_of(file): file for file in FILES}


def unit_of(module):
    """The package or top-level file that stands on a floor."""
    return module[1]


def place_of(parts):
    """The module that a dotted name leads to; the name of a value leads to the module it is in."""
    for end in range(len(parts), 0, -1):
        for module in (parts[:end], (*parts[:end], "__init__")):
            if module in MODULES:
                return module
    return None


def named_by(node, package):
    """The dotted names that one import statement names, as tuples; empty if it is about something else."""
    if isinstance(node, ast.Import):
        return [tuple(alias.name.split(".")) for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = package[: len(package) - node.level + 1] if node.level else ()
    base += tuple(node.module.split(".")) if node.module else ()
    return [(*base, alias.name) for alias in node.names]


def own_imports(module, nodes):
    """The modules of the package that the import statements among `nodes` lead to."""
    names = [name for node in nodes for name in named_by(node, module[:-1])]
    return {place_of(name) for name in names if name[0] == PACKAGE.name}


def tree_of(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def functions_in(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_length(function):
    """The lines of a function below its signature, without the docstring."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return function.end_lineno - statements[0].lineno + 1 if statements else 0


def run_by_importing(module):
    """What Python runs to import `module`: itself, and the `__init__` of each package around it."""
    return {module} | {(*module[:end], "__init__") for end in range(1, len(module))}


def test_every_top_level_module_has_a_floor_and_only_one():
    assert {unit_of(module) for module in MODULES} - set(FLOOR) == set()
    assert sum(len(names) for names in FLOORS) == len(FLOOR)


def test_imports_lead_to_lower_floors_or_stay_in_the_package():
    upward = [
        f"{MODULES[module].name} ({unit_of(module)}) imports {'.'.join(target)}"
        for module in MODULES
        for target in own_imports(module, ast.walk(tree_of(module)))
        if unit_of(target) != unit_of(module) and FLOOR[unit_of(target)] >= FLOOR[unit_of(module)]
    ]
    assert upward == []


def test_importing_any_module_needs_no_module_that_is_half_imported():
    graph = {}
    for module in MODULES:
        around = run_by_importing(module)
        graph[module] = {
            needed
            for target in own_imports(module, ast.walk(tree_of(module)))
            for needed in run_by_importing(target)
            if needed == target or needed not in around
        }
    order = list(graphlib.TopologicalSorter(graph).static_order())  # a CycleError shows the cycle
    assert set(order) == set(MODULES)


def test_no_function_imports_from_the_package():
    deferred = [
        f"{'.'.join(module)}: {function.name}"
        for module in MODULES
        for function in functions_in(tree_of(module))
        if own_imports(module, ast.walk(function))
    ]
    assert deferred == []


def test_no_file_is_named_after_nothing():
    names = {word for module in MODULES for part in module[1:] for word in part.strip("_").split("_")}
    assert names & FORBIDDEN == set()


def test_implementation_files_begin_with_an_underscore_and_packages_do_not():
    assert [str(file) for file in FILES if not file.stem.startswith("_")] == []
    assert [str(file) for file in FILES if file.name == "__init__.py" and file.parent.name.startswith("_")] == []


@pytest.mark.parametrize("module", MODULES, ids=".".join)
def test_a_file_fits_into_a_head(module):
    lines, tree = MODULES[module].read_text(encoding="utf-8").splitlines(), tree_of(module)
    long = [function.name for function in functions_in(tree) if body_length(function) > 40]
    assert ast.get_docstring(tree), "says in a sentence what it is for"
    assert len(lines) <= 400
    assert long == []
