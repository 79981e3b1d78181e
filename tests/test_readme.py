"""The README: every block runs as it stands, links lead somewhere, and the picture shows what is written."""

import importlib.util
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def drawing():
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "picture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(svg):
    """What stands in a picture, and the addresses in it besides the one that says that it is SVG."""
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    addresses = re.findall(r"https?:", svg.replace("http://www.w3.org/2000/svg", ""))
    return "\n".join(root.itertext()).replace("\xa0", " "), addresses


def test_every_block_runs_and_the_digits_are_learned(capsys):
    namespace = {"__name__": "readme"}
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), namespace)
    history = namespace["history"].history
    assert history["accuracy"][-1] > 0.9 and history["loss"][-1] < history["loss"][0] / 2
    assert "parameters/linear/w" in capsys.readouterr().out


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_the_picture_shows_the_example_and_needs_nothing_from_elsewhere():
    shown, addresses = text_of((ROOT / "docs" / "picture.svg").read_text(encoding="utf-8"))
    assert addresses == []
    names = re.findall(r"^def (\w+)\(.*(?:y_pred|parameters)", BLOCKS[0], re.MULTILINE)
    assert len(names) == 3
    assert [name for name in names if f"{name}_loss" not in shown] == []
    calls = [line.partition("  #")[0] for line in BLOCKS[1].splitlines()]
    assert [call for call in calls if f">>>{call}".replace(" ", "") not in re.sub(r"\s", "", shown)] == []


def test_a_picture_shows_statements_and_what_a_terminal_would_in_the_end():
    svg = drawing().picture("words = 'first', 'last'", "print(*words, sep='\\r\\x1b[2K')\nprint(len(words))")
    shown, addresses = text_of(svg)
    assert ">>>" in shown and "last" in shown and "first" not in shown and addresses == []
