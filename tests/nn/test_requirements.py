"""What every layer refuses, in one wording."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import elegy
from elegy import nn

X = np.ones((2, 3), "float32")


@pytest.mark.parametrize(
    "layer", [nn.Linear(2), nn.BatchNormalization(), nn.LayerNormalization()], ids=lambda layer: type(layer).__name__
)
def test_other_inputs_than_the_first_ones_are_an_error(layer):
    layer(X)
    with pytest.raises(
        ValueError, match=r"needs `\w+` of shape \(4.*\)\. It holds \(3.*\), from .*\. Give inputs like"
    ):
        layer(np.ones((2, 4), "float32"))


def test_other_channels_are_an_error_also_for_running_averages_alone():
    layer = nn.BatchNormalization(create_scale=False, create_offset=False)
    layer(X)
    with pytest.raises(ValueError, match=r"at `mean_ema` was .* needs `average` of shape \(4,\)\. It holds \(3,\)"):
        layer.apply(layer.parameters, layer.states, np.ones((2, 4), "float32"), training=True)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ((X, X), r"a tuple of 2 arrays\. It takes one array of numbers\. Pick one, or join"),
        ({"a": X}, r"a dict\. It takes one array"),
        ("text", r"a str\. It takes one array"),
        (X.astype("complex64"), r"called with c64\[2,3\]\. It computes with real numbers\. Give it such"),
    ],
)
def test_what_is_not_one_array_of_real_numbers_is_an_error(x, message):
    with pytest.raises(TypeError, match=message):
        nn.Linear(2)(x)


def test_nested_lists_of_numbers_are_one_array():
    assert nn.Linear(2)([[1, 2, 3], [4, 5, 6]]).shape == (2, 2)
    assert nn.Flatten()([[[1.0], [2.0]]]).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64", "no dtype"])
def test_a_dtype_without_fractions_is_an_error(dtype):
    for make in (lambda: nn.Linear(2, dtype=dtype), lambda: nn.Embedding(2, 2, dtype=dtype)):
        with pytest.raises(ValueError, match=rf"given dtype='{dtype}'\. A layer computes with floats\. Give a dtype"):
            make()


def test_an_activation_in_the_place_of_a_switch_is_an_error():
    with pytest.raises(ValueError, match=r"`Linear` was given with_bias='relu'\. It is a switch\. Give True or False"):
        nn.Linear(3, "relu")


def test_text_in_the_place_of_a_number_is_an_error():
    with pytest.raises(ValueError, match=r"`Dropout` was given rate='0\.5'\. It is the probability"):
        nn.Dropout("0.5")


@pytest.mark.parametrize(
    ("w_init", "message"),
    [
        (elegy.initializers.RandomNormal, r"the class `RandomNormal` as `w_init`\. .* Write `RandomNormal\(\.\.\.\)`"),
        ("glorot", r"given w_init='glorot'\. An initializer is a function .*\. Take one from `elegy\.initializers`"),
        (np.ones((2, 2), "float32"), r"first value of `w` of shape \(2, 2\)\. With this input its shape is \(3, 2\)"),
    ],
)
def test_what_is_no_first_value_is_an_error(w_init, message):
    with pytest.raises(ValueError, match=message):
        nn.Linear(2, w_init=w_init)(X)


@pytest.mark.parametrize(
    "layer", [nn.Conv2D(1, 5, padding="VALID"), nn.MaxPool(5)], ids=lambda layer: type(layer).__name__
)
def test_a_window_larger_than_the_image_is_an_error(layer):
    with pytest.raises(ValueError, match=r"called with f32\[1,4,4,1\]\. Its window .*does not fit into that\. Use"):
        layer(np.ones((1, 4, 4, 1), "float32"))


def test_an_empty_batch_of_images_stays_empty():
    x = np.ones((0, 4, 4, 1), "float32")
    assert nn.Conv2D(2, 3)(x).shape == (0, 4, 4, 2)
    assert nn.MaxPool(2)(x).shape == (0, 2, 2, 1)


def test_inside_a_network_an_error_names_the_path():
    class Net(elegy.Module):
        def call(self, x):
            return nn.Sequential([nn.Linear(2), nn.Conv2D(2, 3)], name="tower")(x)

    with pytest.raises(ValueError, match=r"`Conv2D` at `conv2_d` was called with f32\[2,2\]\. It takes four axes"):
        Net()(X)
    with pytest.raises(ValueError, match=r"`Conv2D` at `layers/1` was called with f32\[2,2\]"):
        nn.Sequential(nn.Linear(2), nn.Conv2D(2, 3))(X)


@pytest.mark.parametrize("training", [True, False])
def test_training_none_means_what_the_network_does(training):
    class Net(elegy.Module):
        def call(self, x, flag=None):
            return nn.Dropout(0.5)(nn.BatchNormalization()(x, training=flag), training=flag)

    net, x = Net(), np.arange(60.0, dtype="float32").reshape(20, 3)
    parameters, states = net.init(jax.random.key(0), x)
    outputs, after = net.apply(parameters, states, x, training=training, key=jax.random.key(1))
    assert bool((outputs == 0).sum() > 5) is training
    assert jnp.array_equal(after["batch_normalization"]["mean_ema"]["counter"], int(training))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Linear(units=3),
            r"`Linear` was given `units=`, .*\. It takes: output_size, .*called `output_size`",
        ),
        (lambda: nn.Linear(3, use_bias=False), "Here it is called `with_bias`"),
        (lambda: nn.Linear(3, kernel_initializer=jnp.ones), "Here it is called `w_init`"),
        (lambda: nn.Linear(features=3), "Here it is called `output_size`"),
        (lambda: nn.Conv2D(filters=8, kernel_size=3), "Here it is called `output_channels`"),
        (lambda: nn.Conv2D(8, 3, strides=2), "Here it is called `stride`"),
        (lambda: nn.Conv2D(8, 3, dilation_rate=2), "Here it is called `rate`"),
        (lambda: nn.MaxPool(pool_size=2), "Here it is called `window_shape`"),
        (lambda: nn.BatchNormalization(momentum=0.9), "Here it is called `decay_rate`"),
        (lambda: nn.LayerNormalization(epsilon=1e-3), "Here it is called `eps`"),
        (lambda: nn.Embedding(input_dim=10, output_dim=4), "Here it is called `vocab_size`"),
        (lambda: nn.Linear(3, activation="relu"), "Call the function on what the layer returns"),
        (lambda: nn.Linear(3, with_bais=False), r"Leave it out\. Did you mean `with_bias`\?"),
    ],
)
def test_the_words_of_other_libraries_are_an_error_that_names_ours(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_a_constructor_that_takes_any_keyword_gets_them_all():
    class Any(elegy.Module):
        def __init__(self, **options):
            self.options = options

    assert Any(units=3).options == {"units": 3}


ARGUMENTS = {
    nn.Linear: (2,),
    nn.Conv2D: (2, 3),
    nn.DepthwiseConv2D: (3,),
    nn.Conv2DTranspose: (2, 3),
    nn.GroupNormalization: (1,),
    nn.Embedding: (3, 2),
}
IMAGES = np.ones((2, 3, 3, 2), "float32")


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Linear, IMAGES),
        (nn.Conv2D, IMAGES),
        (nn.DepthwiseConv2D, IMAGES),
        (nn.Conv2DTranspose, IMAGES),
        (nn.BatchNormalization, IMAGES),
        (nn.LayerNormalization, IMAGES),
        (nn.GroupNormalization, IMAGES),
        (nn.InstanceNormalization, IMAGES),
        (nn.RMSNormalization, IMAGES),
        (nn.Embedding, np.ones(2, "int32")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_layer_computes_in_the_dtype_of_its_parameters_or_in_its_own(layer, x):
    def types(**dtypes):
        made = layer(*ARGUMENTS.get(layer, ()), **dtypes)
        parameters, states = jax.eval_shape(made.init, jax.random.key(0), x)
        outputs, _ = jax.eval_shape(made.apply, parameters, states, x)
        return outputs.dtype.name, {leaf.dtype.name for leaf in jax.tree.leaves(parameters)}

    assert types() == ("float32", {"float32"})
    assert types(dtype="bfloat16") == ("bfloat16", {"float32"})
    assert types(param_dtype="bfloat16") == ("bfloat16", {"bfloat16"})
    assert types(dtype="float32", param_dtype="bfloat16") == ("float32", {"bfloat16"})


@pytest.mark.parametrize(
    "layer",
    [
        nn.BatchNormalization(False, False),
        nn.LayerNormalization(create_scale=False, create_offset=False),
        nn.RMSNormalization(create_scale=False),
        nn.AvgPool(2),
        nn.GlobalAveragePooling2D(),
        nn.Dropout(0.5),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_without_parameters_keeps_the_dtype_of_its_inputs_and_makes_floats_of_integers(layer):
    for given, expected in (("bfloat16", "bfloat16"), ("uint8", "float32")):
        x = jax.ShapeDtypeStruct((2, 3, 3, 2), given)
        outputs, _ = jax.eval_shape(lambda x: layer.apply(*layer.init(jax.random.key(0), x), x), x)
        assert outputs.dtype.name == expected
