"""The same network in any library gives the same losses."""

import functools

import jax
import numpy as np
import optax
import pytest

import elegy
from elegy._paths import flatten
from tests.interop.networks import DECAY, INPUTS, LIBRARIES, STEPS, TARGETS

GUESTS = sorted(set(LIBRARIES) - {"elegy"})


@functools.cache
def trained(library, network, **options):
    """The model after twenty steps, and the loss of each."""
    made = LIBRARIES[library]
    model = elegy.Model(made.build(network), loss="mse", optimizer=optax.sgd(0.1), **{**made.options, **options})
    batches = zip(INPUTS[network], TARGETS, strict=True)
    return model, [model.train_on_batch(x, y)["loss"] for x, y in batches]


@pytest.mark.parametrize("network", INPUTS)
@pytest.mark.parametrize("library", GUESTS)
def test_losses_are_those_of_our_own_modules(library, network):
    ours, theirs = trained("elegy", network)[1], trained(library, network)[1]
    assert theirs[-1] < theirs[0]
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)


@pytest.mark.parametrize("library", ["elegy", "nnx"])
def test_losses_are_the_same_if_a_network_is_given_one_sample_at_a_time(library):
    one, whole = trained(library, "mlp", batched=False)[1], trained("elegy", "mlp")[1]
    np.testing.assert_allclose(one, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("network", INPUTS)
@pytest.mark.parametrize("library", GUESTS)
def test_parameters_are_as_many_and_as_large(library, network):
    ours, theirs = (
        sorted(float(np.square(leaf).sum()) for leaf in jax.tree.leaves(trained(name, network)[0].parameters))
        for name in ("elegy", library)
    )
    np.testing.assert_allclose(theirs, ours, rtol=1e-4)


def test_running_statistics_are_those_of_nnx():
    ours, theirs = (flatten(trained(name, "convolutions")[0].states) for name in ("elegy", "nnx"))
    for norm in ("stem_norm", "body_norm"):
        # Both keep `hidden = decay * hidden + (1 - decay) * value`. We start from 0 and divide by `1 - decay ** steps`;
        # NNX divides by nothing and starts the variance from 1, of which `decay ** steps` is left.
        np.testing.assert_allclose(theirs[f"{norm}/mean"], ours[f"{norm}/mean_ema/hidden"], atol=1e-5)
        np.testing.assert_allclose(theirs[f"{norm}/var"], ours[f"{norm}/var_ema/hidden"] + DECAY**STEPS, atol=1e-5)
        average = ours[f"{norm}/var_ema/hidden"] / (1 - DECAY**STEPS)
        np.testing.assert_allclose(ours[f"{norm}/var_ema/average"], average, rtol=1e-5)


def test_running_statistics_are_those_of_equinox():
    ours, theirs = (flatten(trained(name, "convolutions")[0].states) for name in ("elegy", "equinox"))
    for norm in ("stem_norm", "body_norm"):
        # Equinox (`mode="batch"`) divides by `1 - decay ** steps` as we do, but starts the variance from 1, of which
        # `decay ** steps` is left.
        mean, var = (theirs[f"layers/{norm}/batch_state_index/{number}"] for number in (0, 1))
        np.testing.assert_allclose(mean, ours[f"{norm}/mean_ema/hidden"], atol=1e-5)
        np.testing.assert_allclose(var, ours[f"{norm}/var_ema/hidden"] + DECAY**STEPS, atol=1e-5)
        assert theirs[f"layers/{norm}/batch_counter"] == ours[f"{norm}/mean_ema/counter"] == STEPS
