"""The penalties on parameters: values, choices by path, gradients, options."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy._names import name_of
from elegy.losses import Loss, Reduction
from elegy.regularizers import GlobalL1, GlobalL1L2, GlobalL2

PARAMETERS = {
    "encoder": {"linear": {"w": jnp.array([[1.0, -2.0], [0.0, 3.0]]), "b": jnp.array([-1.0, 2.0])}},
    "head": {"0": {"w": jnp.array([4.0])}, "scale": jnp.float32(-5.0)},
}
EVERYTHING = np.array([1, -2, 0, 3, -1, 2, 4, -5])
TABLE = [
    (GlobalL1(), 0.01 * np.abs(EVERYTHING).sum()),
    (GlobalL2(), 0.01 * np.square(EVERYTHING).sum()),
    (GlobalL1(l=0.5, only="**/w"), 0.5 * (1 + 2 + 3 + 4)),
    (GlobalL2(l=0.5, only="**/w"), 0.5 * (1 + 4 + 9 + 16)),
    (GlobalL2(l=1, only="head"), 16 + 25),
    (GlobalL2(l=1, only=["encoder/**/b", "head.scale", "head"]), 1 + 4 + 16 + 25),
    (GlobalL1L2(l1=0.5, l2=0.25), 0.5 * np.abs(EVERYTHING).sum() + 0.25 * np.square(EVERYTHING).sum()),
    (GlobalL1L2(0.5, 0.25, only="**/b"), 0.5 * 3 + 0.25 * 5),
    (GlobalL1L2(), 0.0),
    (GlobalL2(l=1.0, weight=3.0, only="head/scale"), 75.0),
]


@pytest.mark.parametrize(("regularizer", "expected"), TABLE)
def test_the_penalty_is_the_sum_over_the_chosen_parameters(regularizer, expected):
    assert float(regularizer(parameters=PARAMETERS)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("regularizer", "name"),
    [(GlobalL1(), "l1_regularization"), (GlobalL2(), "l2_regularization"), (GlobalL1L2(), "global_l1_l2")],
)
def test_logs_call_it_by_its_documented_name(regularizer, name):
    assert name_of(regularizer) == name and isinstance(regularizer, Loss)


@pytest.mark.parametrize("kind", [GlobalL1, GlobalL2, GlobalL1L2])
def test_it_declares_that_it_has_no_batch_axis_and_takes_no_weights(kind):
    assert vars(kind)["batch_axis"] is None and "call" in vars(kind)
    strong = kind(0.1)
    assert float(strong(parameters=PARAMETERS, sample_weight=jnp.zeros(3))) == float(strong(parameters=PARAMETERS)) > 0


@pytest.mark.parametrize("reduction", list(Reduction))
def test_alone_the_reduction_changes_nothing(reduction):
    penalty = GlobalL1(1.0, reduction)(parameters=PARAMETERS)
    assert float(penalty) == np.abs(EVERYTHING).sum() and penalty.shape == ()


def test_gradients_are_the_derivatives_and_zero_at_zero():
    leaf = jnp.array([2.0, 0.0, -3.0])
    gradient = jax.grad(lambda w: GlobalL1L2(1.0, 0.5)(parameters={"w": w}))(leaf)
    np.testing.assert_allclose(gradient, [1 + 2, 0, -1 - 3])


def test_half_precision_is_summed_in_float32():
    penalty = GlobalL2(l=1.0)(parameters={"w": jnp.ones(5000, jnp.bfloat16)})
    assert penalty.dtype == jnp.float32 and float(penalty) == 5000.0


def test_without_parameters_the_penalty_is_zero():
    assert float(GlobalL2()(parameters={})) == 0.0


@pytest.mark.parametrize("only", ["decoder", ["**/w", "decoder"]])
def test_a_pattern_that_names_nothing_is_refused_with_the_paths(only):
    with pytest.raises(
        ValueError, match=r'`only="decoder"`\. No .*there are: encoder/linear/b, encoder/linear/w, head/0/w'
    ):
        GlobalL2(only=only)(parameters=PARAMETERS)


@pytest.mark.parametrize("only", [3, [], ["w", 3], {"w": 1}])
def test_only_is_a_pattern_or_several(only):
    with pytest.raises(ValueError, match="It is a pattern of paths, or a list of patterns"):
        GlobalL1(only=only)


@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf"), "0.1", True])
def test_a_strength_that_is_negative_or_no_number_is_refused(strength):
    with pytest.raises(ValueError, match=r"loss `l1_regularization` was given `l="):
        GlobalL1(strength)
    with pytest.raises(ValueError, match=r"loss `l2_regularization` was given `l="):
        GlobalL2(l=strength)
    with pytest.raises(ValueError, match=r"loss `mine` was given `l2="):
        GlobalL1L2(l2=strength, name="mine")
