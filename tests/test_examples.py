"""Every example runs on a small budget and reaches the bar that it states."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_digits_reaches_97_percent():
    _, logs, seconds = example("digits").train(seed=0, epochs=12, verbose=0)
    assert logs["accuracy"] >= 0.97 and seconds < 60


def test_a_small_resnet_reads_digits():
    assert example("digits_resnet").train(seed=0, epochs=5, verbose=0) >= 0.95


def test_a_gru_reads_digits_row_by_row():
    assert example("digits_rows").train(seed=0, epochs=8, verbose=0) >= 0.9


@pytest.mark.parametrize("name", ["a loss on x", "bind"])
def test_the_auto_encoder_leaves_less_than_30_percent_of_the_variance(name):
    module = example("auto_encoder")
    assert module.train(module.LOSSES[name], epochs=20, verbose=0) <= 0.3


def test_both_heads_reach_95_percent():
    assert min(example("two_heads").train(epochs=25, verbose=0).values()) >= 0.95


def test_two_named_inputs_reach_95_percent():
    assert example("multi_input").train(epochs=15, verbose=0) >= 0.95


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gan_learns_mean_and_spread(seed):
    module = example("gan")
    mean, std = module.train(seed, epochs=60, verbose=0)
    assert abs(mean - module.MEAN) <= 0.2
    assert abs(std - module.STD) <= 0.2 * module.STD


def test_diabetes_is_no_worse_than_ridge_regression_on_rows_never_seen():
    scores = [example("diabetes").train(seed, epochs=40, verbose=0) for seed in range(3)]
    ours, ridge = (sum(column) / 3 for column in zip(*scores, strict=True))
    assert ours >= ridge - 0.03 and ridge > 0.35


def test_examples_are_short_and_the_gan_fits_in_eighty_lines():
    lengths = {path.stem: len(path.read_text().splitlines()) for path in FOLDER.glob("*.py")}
    assert max(lengths.values()) <= 150 and lengths["gan"] <= 80
