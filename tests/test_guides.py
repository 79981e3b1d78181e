"""Every block of every guide, run as it stands; one namespace a page, since later blocks use earlier ones."""

import doctest
import re
import sys
import types
from pathlib import Path

import pytest

GUIDES = sorted((Path(__file__).parent.parent / "docs" / "guides").glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run_python(code, page, line, namespace):
    exec(compile("\n" * line + code, str(page), "exec"), namespace)


def run_session(code, page, line, namespace):
    test = doctest.DocTestParser().get_doctest(code, namespace, page.name, str(page), line)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(test, clear_globs=False)
    namespace.update(test.globs)
    assert runner.failures == 0, f"{page.name}, line {line + 1}"


RUN = {"python": run_python, "pycon": run_session}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_block_of_a_guide_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType(page.stem)
    monkeypatch.setitem(sys.modules, page.stem, module)  # so that what a page defines can be pickled there
    text, namespace = page.read_text(encoding="utf-8"), vars(module)
    for block in BLOCK.finditer(text):
        if block[1] in RUN:
            RUN[block[1]](block[2], page, text[: block.start()].count("\n") + 1, namespace)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
