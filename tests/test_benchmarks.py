import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.fits import Fits, require_same
from benchmarks.measure import Finding, Pace, child
from benchmarks.networks import canonical_conv, plain_conv
from benchmarks.report import filled, limits
from benchmarks.runners import Missing, load
from benchmarks.works import WORKS

SHORT = ["--seconds", "0.01", "--repeats", "2", "--scale", "0.0005"]


def test_the_suite_writes_a_table(tmp_path, capsys):
    page = tmp_path / "speed.md"
    main([*SHORT, "--work", "logistic", "--runner", "elegy", "loop", "--question", "fit", "--out", str(page)])
    assert "| logistic regression, 10 features, batch 32 |" in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").strip() in capsys.readouterr().out


def test_runners_that_compute_something_else_are_an_error():
    runs = {"elegy": lambda epochs, shuffle: [0.5, 0.9], "loop": lambda epochs, shuffle: [0.6, 0.9]}
    with pytest.raises(AssertionError, match="the loss of loop and elegy"):
        require_same(WORKS["mlp"], runs)


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "benchmarks.runners.torch_loop", raising=False)
    with pytest.raises(Missing, match="torch is not installed"):
        load("torch")


@pytest.mark.parametrize("stride", [1, 2])
def test_the_canonical_convolution_has_the_gradients_of_the_plain_one(stride):
    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 5, 6, 3)).astype("float32"), random.normal(size=(3, 3, 3, 4)).astype("float32")
    ours, theirs = (
        jax.grad(lambda x, w, conv=conv: (conv(x, w, stride) ** 2).sum(), argnums=(0, 1))(x, w)
        for conv in (canonical_conv, plain_conv)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_a_limit_that_is_not_kept_is_shown():
    row = limits([Finding("fit", [1.0, 1.2, 1.1], limit=1.05)]).splitlines()[-1]
    assert row == "| fit | 1.10x (1.00 to 1.20) | ≤ 1.05x | **no** |"


def test_the_readme_gets_the_medians_between_its_marks():
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    times = {"elegy": [1.0, 1.0, 2.0], "elegy-single": [9.0] * 3, "loop": [1.5, 3.0, 4.0], "torch": [0.5, 0.4, 1.2]}
    once = filled(readme, [Fits("mlp", WORKS["mlp"], times, {"keras": "keras is not installed"})], Pace())
    assert "\n| against Elegy `fit` | hand-written loop | PyTorch loop |\n|---|--:|--:|\n" in once
    assert f"\n| {WORKS['mlp'].title} | 2.00x | 0.50x |\n" in once and "9.00" not in once
    assert once.startswith(readme.partition("<!-- speed -->")[0]) and once.endswith(
        readme.partition("<!-- /speed -->")[2]
    )
    assert once.count("<!--") == 2 and filled(once, [Fits("mlp", WORKS["mlp"], times, {})], Pace()) == once
    with pytest.raises(ValueError, match="substring not found"):
        filled("no marks", [], Pace())


def test_a_child_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="No module named 'not_there'"):
        child("import", "not_there")
