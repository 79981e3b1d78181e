"""Convolutions in groups as plain ones: XLA's code for groups is slow on CPU, that for their gradients very slow."""

from collections.abc import Callable

import jax
from jax import lax
from jax.extend.core import JaxprEqn

from ._layout import as_canonical, convolved, from_canonical, is_convolution
from ._pass import Uses

_MOST = 8  # groups that become convolutions of their own; more would be much to compile


def grouped_convolutions(eqn: JaxprEqn, uses: Uses) -> Callable[..., jax.Array] | None:
    """A few groups become a convolution each; many groups of the batch become groups of features.

    Groups of the batch are what the kernel's gradient of a grouped convolution has. Group by group they are the same
    products, and putting the groups beside each other as features needs but a transpose.
    """
    del uses
    if not is_convolution(eqn):
        return None
    of_features, of_batch = eqn.params["feature_group_count"], eqn.params["batch_group_count"]
    groups = max(of_features, of_batch)
    if groups == 1 or (of_batch == 1 and groups > _MOST):
        return None

    def one_by_one(lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        lhs, rhs = as_canonical(lhs, rhs, eqn)
        axis = 0 if of_batch > 1 else lhs.ndim - 1
        parts = zip(_split(lhs, groups, axis), _split(rhs, groups, rhs.ndim - 1), strict=True)
        outs = [convolved(*part, eqn, feature_group_count=1, batch_group_count=1) for part in parts]
        return from_canonical(lax.concatenate(outs, lhs.ndim - 1), eqn)

    def as_features(lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        lhs, rhs = as_canonical(lhs, rhs, eqn)
        batch, *rest, features = lhs.shape
        lhs = lax.reshape(lhs, (groups, batch // groups, *rest, features))
        lhs = lax.transpose(lhs, (*range(1, lhs.ndim - 1), 0, lhs.ndim - 1))
        lhs = lax.reshape(lhs, (batch // groups, *rest, groups * features))
        return from_canonical(convolved(lhs, rhs, eqn, feature_group_count=groups, batch_group_count=1), eqn)

    return one_by_one if groups <= _MOST else as_features


def _split(x: jax.Array, parts: int, axis: int) -> list[jax.Array]:
    size = x.shape[axis] // parts
    return [lax.slice_in_dim(x, start, start + size, axis=axis) for start in range(0, x.shape[axis], size)]
