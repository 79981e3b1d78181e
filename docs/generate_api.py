"""Writes `docs/api/*.md`, a page for each namespace, from signatures and docstrings: `python docs/generate_api.py`."""

import ast
import dataclasses
import importlib
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "api"
NAMESPACES = ("losses", "metrics", "nn", "nets", "regularizers", "initializers", "callbacks", "data")
AS_WRITTEN = "<!-- fmt: off -->"  # so that formatters leave the examples as they stand in the docstrings
SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Example|Reference):$")
ITEM = re.compile(r"^(\S[^:]*): (.*)$")


def pages() -> dict[str, str]:
    """By file name the text of each page."""
    homes = {}
    for name in NAMESPACES:
        homes |= {id(value): f"elegy.{name}" for value in exports(f"elegy.{name}").values()}
    texts = {f"elegy.{name}.md": page(f"elegy.{name}", {}) for name in NAMESPACES}
    found = {"README.md": contents(), "elegy.md": page("elegy", homes), **texts}
    return {name: f"{AS_WRITTEN}\n\n{text}" for name, text in found.items()}


def exports(module_name: str) -> dict[str, Any]:
    """What a package's `__init__` re-exports, as type checkers see it (`from ._x import y as y`), in order of name."""
    module = importlib.import_module(module_name)
    statements = ast.parse(inspect.getsource(module)).body
    aliases = [alias for node in statements if isinstance(node, ast.ImportFrom) for alias in node.names]
    names = sorted((alias.name for alias in aliases if alias.name == alias.asname), key=str.lower)
    values = {name: getattr(module, name) for name in names}
    return {name: value for name, value in values.items() if not inspect.ismodule(value)}


def contents() -> str:
    """The page that lists the others."""
    lines = ["# API", "", "Written by `make api` from the docstrings.", ""]
    for name in ("elegy", *(f"elegy.{name}" for name in NAMESPACES)):
        lines.append(f"- [`{name}`]({name}.md): {summary(importlib.import_module(name))}")
    return "\n".join(lines) + "\n"


def page(module_name: str, homes: dict[int, str]) -> str:
    """One namespace: a list of what is in it, then each by itself, or a link to the page where it is at home."""
    found = exports(module_name)
    lines = [f"# {module_name}", "", inspect.getdoc(importlib.import_module(module_name)), ""]
    taken = set()
    for name, value in found.items():
        anchor = name.lower() if name.lower() not in taken else f"{name.lower()}-1"  # `Huber` and `huber`
        taken.add(anchor)
        target = f"{homes[id(value)]}.md#{anchor}" if id(value) in homes else f"#{anchor}"
        lines.append(f"- [`{name}`]({target}): {summary(value)}")
    for name, value in found.items():
        if id(value) not in homes:
            lines += ["", f"## {name}", "", *described(f"{module_name}.{name}", value)]
    return "\n".join(lines) + "\n"


def summary(value: Any) -> str:
    """The first sentence of a docstring, which may go over several lines."""
    return " ".join(inspect.getdoc(value).split("\n\n")[0].split())


def described(name: str, value: Any) -> list[str]:
    """The signature, the docstring, and the methods of a class."""
    lines = [*signature(name, value), "", *rendered(inspect.getdoc(value))]
    for method_name, method in methods_of(value).items() if inspect.isclass(value) else ():
        lines += ["", f"### {name.rpartition('.')[2]}.{method_name}", ""]
        if not isinstance(method, property):
            lines += [*signature(method_name, method), ""]
        lines += rendered(inspect.getdoc(method))
    return lines


def methods_of(cls: type) -> dict[str, Any]:
    """The public methods and properties that the class itself defines and documents, in their order."""
    own = {name: inspect.unwrap(getattr(value, "__func__", value)) for name, value in vars(cls).items()}
    return {
        name: value
        for name, value in own.items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)) and value.__doc__
    }


def signature(name: str, value: Any) -> list[str]:
    """A code block as one writes it; read from the source, so that it does not depend on the version of Python."""
    function = definition(value)
    if function is None:
        parameters = fields_of(value)
    else:
        arguments = function.args
        for which in (arguments.posonlyargs, arguments.args):
            if which and which[0].arg in ("self", "cls"):
                del which[0]
        parameters = split_parameters(arguments)
    returns = f" -> {ast.unparse(function.returns)}" if function is not None and function.returns else ""
    returns = "" if inspect.isclass(value) else returns
    short = f"{name}({', '.join(parameters)}){returns}"
    if len(short) > 100:
        short = f"{name}(\n    " + ",\n    ".join(parameters) + f",\n){returns}"
    return ["```python", short, "```"]


def definition(value: Any) -> Any:
    """The syntax tree of a function, or of a class's own or inherited `__init__`; None if there is none written."""
    if inspect.isclass(value):
        value = value.__init__
        if not inspect.isfunction(value) or value.__qualname__.startswith("__create_fn__"):
            return None
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(value)))).body[0]
    except (OSError, TypeError):  # made by `dataclass` or `enum`
        return None


def fields_of(cls: type) -> list[str]:
    """What the constructor of a dataclass takes; nothing is said of others."""
    shown = [f for f in dataclasses.fields(cls) if f.init] if dataclasses.is_dataclass(cls) else []
    return [f.name if f.default is dataclasses.MISSING else f"{f.name}={f.default!r}" for f in shown]


def split_parameters(arguments: ast.arguments) -> list[str]:
    """Each parameter of a signature by itself, with its annotation and default, and the bare `*` and `/`."""
    text = ast.unparse(arguments)
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    parts += [text[start:].strip()] if text[start:].strip() else []
    return [re.sub(r"^(\w+: .*?)=", r"\1 = ", part) for part in parts]  # as it is usually written with annotations


def rendered(doc: str) -> list[str]:
    """A docstring in Google's sections as Markdown."""
    lines, section, block = [], None, []
    for line in [*doc.split("\n"), "Args:"]:
        if match := SECTION.match(line):
            lines += in_markdown(section, textwrap.dedent("\n".join(block)).strip("\n"))
            section, block = match[1], []
        else:
            block.append(line)
    return lines[:-1] if lines and lines[-1] == "" else lines


def in_markdown(section: str | None, text: str) -> list[str]:
    """One section; the text before the first one has no name."""
    if not text:
        return []
    if section is None:
        return [*text.split("\n"), ""]
    if section == "Example":
        return ["**Example**", "", "```pycon", *text.split("\n"), "```", ""]
    if section in ("Args", "Attributes", "Raises"):
        return [f"**{section}**", "", *items(text), ""]
    return [f"**{section}**", "", *text.split("\n"), ""]


def items(text: str) -> list[str]:
    """`name: what it is` as a list; lines that go on are indented."""
    lines = []
    for line in text.split("\n"):
        match = ITEM.match(line)
        if match and not line.startswith(" "):
            names = ", ".join(f"`{name.strip()}`" for name in match[1].split(","))
            lines.append(f"- {names}: {match[2]}")
        else:
            lines.append(f"  {line.strip()}" if line.strip() else "")
    return lines


def main() -> None:
    """Write the pages, and delete those of namespaces that are gone."""
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.md"):
        stale.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
