"""Freezing never moves a leaf (M7): by patterns, by `module.trainable`, before and after the first fit."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import elegy
from elegy._paths import flatten
from elegy.nn import BatchNormalization, Linear

Lambda = elegy.callbacks.LambdaCallback


class TwoLayers(elegy.Module):
    def call(self, x):
        x = Linear(3, name="encoder")(x)
        return Linear(1, name="head")(BatchNormalization(name="normalization")(x))


class Nested(elegy.Module):
    """Plain children two deep: `encoder/linear`, `encoder/linear_1`, `head`."""

    def call(self, x):
        encoder = elegy.nn.Sequential(lambda: [Linear(2), Linear(2)], name="encoder")
        return Linear(1, name="head")(encoder(x))


TRACES = []


def counted_mse(y_true, y_pred):
    TRACES.append(1)
    return jnp.square(y_true - y_pred).mean(-1)


def model_of(module=None, optimizer=None, **kwargs):
    optimizer = optax.sgd(0.1) if optimizer is None else optimizer
    return elegy.Model(TwoLayers() if module is None else module, loss="mse", optimizer=optimizer, **kwargs)


def moved(model, rows, **kwargs):
    """The paths of the parameters that a fit moves."""
    before = flatten(model.init(rows, rows[:, :1]).parameters)
    model.fit(rows, rows[:, :1], verbose=0, **kwargs)
    after = flatten(model.parameters)
    return {path for path in before if not np.array_equal(before[path], after[path])}


def test_frozen_leaves_get_no_gradient_no_slot_and_no_decay(rows):
    seen = []
    model = elegy.Model(
        TwoLayers(),
        loss="mse",
        metrics=lambda gradients: seen.append(jax.tree.leaves(gradients["encoder"])) or jnp.float32(0),
        optimizer=optax.adamw(0.1, weight_decay=0.1),
    )
    model.freeze("encoder/*")
    before = model.init(rows, rows[:, :1])
    assert moved(model, rows) >= {"head/w", "head/b"} and not moved(model, rows) & {"encoder/w", "encoder/b"}
    assert (3, 3) not in [leaf.shape for leaf in jax.tree.leaves(model.state.optimizer)]
    assert jax.tree.structure(before.parameters) == jax.tree.structure(model.parameters)
    assert seen[-1] == []


def test_freezing_after_a_fit_carries_the_other_slots_over_by_path(rows):
    model = model_of(optimizer=optax.adam(0.1))
    model.fit(rows, rows[:, :1], verbose=0)
    slots = model.state.optimizer["**"][0]
    model.freeze("encoder")
    after = model.state.optimizer["**"][0]
    np.testing.assert_array_equal(after.mu["head"]["w"], slots.mu["head"]["w"])
    assert int(after.count) == 1 and isinstance(after.mu["encoder"]["w"], optax.MaskedNode)
    assert not moved(model, rows) & {"encoder/w", "encoder/b"}


def test_freed_leaves_start_with_new_slots(rows):
    model = model_of(optimizer=optax.adam(0.1))
    model.freeze("encoder")
    model.fit(rows, rows[:, :1], verbose=0)
    model.unfreeze()
    assert model.frozen == () and not np.any(model.state.optimizer["**"][0].mu["encoder"]["w"])
    assert moved(model, rows) >= {"encoder/w", "encoder/b"}


@pytest.mark.parametrize("name", ["adam", "adadelta"])
def test_optimizers_by_name_freeze_and_thaw(rows, name):
    model = model_of(optimizer=name)
    model.fit(rows, rows[:, :1], verbose=0)
    model.freeze("**/w")
    assert not {path for path in moved(model, rows) if path.endswith("/w")}
    model.unfreeze("head")
    assert "head/w" in moved(model, rows)


def test_freezing_before_the_first_fit_and_after_an_init_come_to_the_same(rows):
    before, after = (model_of(optimizer="adam") for _ in range(2))
    before.freeze("encoder")
    before.init(rows, rows[:, :1])
    after.init(rows, rows[:, :1])
    after.freeze("encoder")
    assert jax.tree.structure(before.state) == jax.tree.structure(after.state)
    for model in (before, after):
        model.fit(rows, rows[:, :1], verbose=0)
    np.testing.assert_array_equal(before.parameters["head"]["w"], after.parameters["head"]["w"])


def test_without_patterns_all_is_frozen_and_nothing_moves(rows):
    model = model_of()
    model.freeze()
    assert model.frozen == ("**",)
    states = model.init(rows, rows[:, :1]).states
    assert moved(model, rows) == set()
    jax.tree.map(np.testing.assert_array_equal, model.states, states)


def test_several_patterns_at_once(rows):
    model = model_of()
    model.freeze("encoder/*", "**/b")
    assert model.frozen == ("encoder/*", "**/b")
    assert moved(model, rows) == {"head/w", "normalization/scale", "normalization/offset"}


def test_a_part_of_what_was_frozen_may_learn_again(rows):
    model = model_of(Nested())
    model.freeze("encoder")
    model.unfreeze("encoder/linear_1/b")
    model.init(rows, rows[:, :1])
    assert model.frozen == ("encoder/linear", "encoder/linear_1/w")
    assert moved(model, rows) == {"encoder/linear_1/b", "head/w", "head/b"}


def test_the_later_of_two_verbs_wins(rows):
    model = model_of(Nested())
    model.init(rows, rows[:, :1])
    model.freeze("head")
    model.unfreeze("head/w")
    model.freeze("head")
    assert model.frozen == ("head",)
    model.unfreeze("**")
    assert model.frozen == ()


def test_a_frozen_batch_normalization_keeps_its_statistics(rows):
    frozen = model_of()
    frozen.freeze("normalization")
    before = frozen.init(rows, rows[:, :1]).states
    frozen.fit(rows, rows[:, :1], verbose=0)
    jax.tree.map(np.testing.assert_array_equal, before, frozen.states)


def test_a_batch_normalization_without_parameters_is_frozen_by_its_name(rows):
    plain = {"create_scale": False, "create_offset": False, "name": "normalization"}
    model = model_of(lambda x: Linear(1)(BatchNormalization(**plain)(x)))
    model.freeze("normalization")
    before = model.init(rows, rows[:, :1]).states
    model.fit(rows, rows[:, :1], verbose=0)
    jax.tree.map(np.testing.assert_array_equal, before, model.states)


def test_a_pattern_that_names_nothing_is_an_error_with_the_nearest(rows):
    model = model_of()
    model.init(rows, rows[:, :1])
    with pytest.raises(ValueError, match=r"freeze\('encodr/\*'\).*at the top there are: .*Did you mean `encoder/w`"):
        model.freeze("encodr/*")
    with pytest.raises(ValueError, match=r"unfreeze\('hed'\).*Did you mean `head`"):
        model.unfreeze("hed")
    assert model.frozen == ()


def test_before_the_first_fit_a_wrong_pattern_is_found_at_initialization_and_can_be_taken_back(rows):
    model = model_of()
    model.freeze("encodr")
    for _ in range(2):
        with pytest.raises(
            ValueError, match=r"freeze\('encodr'\).*after `model\.unfreeze\(\)`.*Did you mean `encoder`"
        ):
            model.fit(rows, rows[:, :1], verbose=0)
    model.unfreeze()
    assert model.fit(rows, rows[:, :1], verbose=0).epoch == [0]


def test_a_state_alone_is_nothing_to_freeze(rows):
    model = model_of()
    model.init(rows, rows[:, :1])
    with pytest.raises(ValueError, match="names no module and no parameter"):
        model.freeze("normalization/mean_ema/average")


@pytest.mark.parametrize("pattern", [["a", "b"], None, Linear(1)])
def test_what_is_no_pattern_is_an_error(pattern):
    with pytest.raises(TypeError, match=r'Write `model\.freeze\("encoder/\*"'):
        model_of().freeze(pattern)


def test_a_child_object_that_is_not_trainable_is_frozen_at_the_next_verb(rows):
    model = model_of()
    model.fit(rows, rows[:, :1], verbose=0)
    model.module.encoder.trainable = False
    assert model.frozen == ("encoder",)
    assert not moved(model, rows) & {"encoder/w", "encoder/b"}
    model.module.encoder.trainable = True
    assert moved(model, rows) >= {"encoder/w", "encoder/b"}


def test_children_in_attributes_may_be_frozen_before_there_are_arrays(rows):
    class Plain:
        def __init__(self):
            self.encoder, self.head = Linear(3), Linear(1)
            self.encoder.trainable = False

        def call(self, x):
            return self.head(self.encoder(x))

    model = model_of(Plain(), "adam")
    assert moved(model, rows) == {"head/w", "head/b"} and model.frozen == ("encoder",)


def test_a_module_from_outside_that_is_not_trainable_is_frozen(rows):
    encoder = Linear(3)
    encoder.trainable = False
    assert moved(model_of(lambda x: Linear(1, name="head")(encoder(x))), rows) == {"head/w", "head/b"}


def test_a_call_may_freeze_what_it_makes(rows):
    class Transfer(elegy.Module):
        rests = True

        def call(self, x):
            encoder = Linear(3, name="encoder")
            encoder.trainable = not self.rests
            return Linear(1, name="head")(encoder(x))

    model = model_of(Transfer())
    assert moved(model, rows) == {"head/w", "head/b"}
    model.module.rests = False
    assert moved(model, rows) == {"encoder/w", "encoder/b", "head/w", "head/b"}


@pytest.mark.parametrize("patterns", [(), ("encoder",), ("encoder/w",)])
@pytest.mark.parametrize("is_fitted", [True, False])
def test_unfreezing_what_its_own_module_freezes_is_an_error(rows, patterns, is_fitted):
    model = model_of(elegy.nn.Sequential([Linear(1)]))
    if is_fitted:
        model.fit(rows, rows[:, :1], verbose=0)
    model.module.layers[0].trainable = False
    with pytest.raises(ValueError, match=r"is frozen by its module.*Set `trainable = True`"):
        model.unfreeze(*(pattern.replace("encoder", "layers/0") for pattern in patterns))


def test_masks_and_labels_given_as_trees_fit_the_full_tree(rows):
    parameters = model_of().init(rows, rows[:, :1]).parameters
    mask = jax.tree.map(lambda leaf: leaf.ndim > 1, parameters)
    labels = jax.tree.map(lambda leaf: "a" if leaf.ndim > 1 else "b", parameters)
    by_label = optax.multi_transform({"a": optax.adam(0.1), "b": optax.sgd(0.1)}, labels)
    for optimizer in (optax.adamw(0.1, mask=mask), by_label):
        model = model_of(optimizer=optimizer)
        model.freeze("encoder")
        assert {path for path in moved(model, rows) if "/w" in path} == {"head/w"}


def test_a_pattern_of_the_optimizer_may_be_frozen_as_a_whole(rows):
    clipped = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.1))
    model = model_of(optimizer={"encoder/*": clipped, "**": "sgd"})
    model.freeze("encoder")
    assert {"head/w"} < moved(model, rows) and not moved(model, rows) & {"encoder/w", "encoder/b"}
    model.unfreeze()
    assert "encoder/w" in moved(model, rows)
    assert set(model.state.optimizer) == {"encoder/*", "**"}


def test_the_injected_parameters_hold_frozen_leaves_too(rows):
    seen = []

    def look(parameters):
        seen.append(sorted(parameters))
        return jnp.float32(0)

    model = elegy.Model(TwoLayers(), loss=["mse", look], optimizer="sgd")
    model.freeze("encoder")
    model.fit(rows, rows[:, :1], verbose=0)
    assert seen[-1] == ["encoder", "head", "normalization"]


def test_in_a_callback_it_counts_from_the_next_launch_on(rows):
    model, kept = model_of(optimizer="adam"), []

    def freeze(epoch):
        kept.append(np.asarray(model.parameters["encoder"]["w"]))
        if epoch == 1:
            model.freeze("encoder")
        if epoch == 3:
            model.unfreeze("encoder")

    model.fit(rows, rows[:, :1], epochs=5, callbacks=[Lambda(on_epoch_end=freeze)], verbose=0)
    assert [np.array_equal(a, b) for a, b in itertools.pairwise(kept)] == [False, True, True, False]
    assert model.frozen == () and int(model.state.step) == 5


def test_each_frozen_set_is_compiled_once(rows):
    model = elegy.Model(TwoLayers(), loss=counted_mse, optimizer="sgd")
    counts = []
    for _ in range(3):
        for verb in (model.freeze, model.unfreeze):
            verb("encoder")
            model.train_on_batch(rows, rows[:, :1])
            counts.append(len(TRACES))
    assert counts[0] < counts[1] == counts[-1]


def test_get_parameters_filters_by_what_modules_declare(rows):
    module = TwoLayers()
    module(rows)
    module.encoder.trainable = False
    assert set(module.get_parameters(trainable=True)) == {"head", "normalization"}
    assert set(module.get_parameters(trainable=False)) == {"encoder", "normalization"}
    assert set(module.parameters) == {"encoder", "head", "normalization"} and set(module.states) == {"normalization"}


def test_reset_keeps_what_is_frozen(rows):
    model = model_of()
    model.freeze("encoder")
    model.fit(rows, rows[:, :1], verbose=0)
    model.reset()
    assert model.frozen == ("encoder",) and not moved(model, rows) & {"encoder/w", "encoder/b"}
