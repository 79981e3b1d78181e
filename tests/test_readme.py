"""The example in the README, run as it stands."""

import re
import runpy
from pathlib import Path


def test_the_example_in_the_readme_learns_the_digits(tmp_path, capsys):
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    script = tmp_path / "example.py"
    script.write_text(re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1], encoding="utf-8")
    history = runpy.run_path(str(script))["history"].history
    assert history["sparse_categorical_accuracy"][-1] > 0.9
    assert "small_weights" in capsys.readouterr().out
