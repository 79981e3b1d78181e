"""Convolutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from elegy import nn

X = np.random.default_rng(0).normal(size=(2, 7, 6, 4)).astype("float32")


def test_channels_first_equals_channels_last_with_moved_axes():
    last, first = nn.Conv2D(3, 3, b_init=jnp.ones), nn.Conv2D(3, 3, b_init=jnp.ones, data_format="channels_first")
    expected = last(X)
    first(X.transpose(0, 3, 1, 2))
    first.set_parameters(last.parameters)
    np.testing.assert_allclose(first(X.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1), expected, rtol=1e-4, atol=1e-5)


def test_pairs_pad_each_axis_before_and_after():
    padded = np.pad(X, ((0, 0), (1, 0), (0, 2), (0, 0)))
    ours, valid = nn.Conv2D(2, 3, padding=[(1, 0), (0, 2)]), nn.Conv2D(2, 3, padding="VALID")
    expected = valid(padded)
    ours(X)
    ours.set_parameters(valid.parameters)
    np.testing.assert_allclose(ours(X), expected, rtol=1e-4, atol=1e-5)


def test_a_mask_hides_a_part_of_the_window():
    mask = np.zeros((3, 3, 1, 1), "float32")
    mask[1, 1] = 1
    conv = nn.Conv2D(2, 3, mask=mask)
    np.testing.assert_allclose(conv(X), X @ np.asarray(conv.w[1, 1]), rtol=1e-4, atol=1e-5)


def test_shapes_and_first_values_follow_the_window():
    conv = nn.Conv2D(300, 5, groups=2)
    conv(X)
    assert conv.w.shape == (5, 5, 2, 300)
    assert conv.b.shape == (300,)
    assert np.std(conv.w) == pytest.approx(0.88 / np.sqrt(50), rel=0.03)


def test_it_computes_in_its_dtype_and_takes_bytes():
    conv = nn.Conv2D(2, 3, dtype=jnp.bfloat16)
    assert conv(np.ones((1, 4, 4, 1), "uint8")).dtype == jnp.bfloat16
    assert conv.w.dtype == jnp.float32


def test_the_axes_may_be_named_by_letters():
    for conv, shape in (
        (nn.Conv1D(3, 2, data_format="NCW"), (1, 2, 5)),
        (nn.Conv3D(3, 2, data_format="NCDHW"), (1, 2, 3, 4, 5)),
    ):
        x = np.ones(shape, "float32")
        assert jax.eval_shape(conv.init, jax.random.key(0), x)[0]["w"].shape[-2:] == (2, 3)


def test_a_causal_convolution_does_not_see_what_comes_later():
    x = np.ones((1, 6, 2), "float32")
    conv = nn.Conv1D(1, 3, rate=2, padding="causal")
    before, after = conv(x), conv(x * (np.arange(6) < 4)[:, None])
    assert jnp.array_equal(before[:, :4], after[:, :4])
    assert not jnp.array_equal(before[:, 4:], after[:, 4:])


def test_a_transposed_convolution_is_the_transpose_of_the_convolution_with_its_weights():
    decode = nn.Conv2DTranspose(4, (3, 2), 2, with_bias=False)
    code = np.random.default_rng(1).normal(size=(2, 4, 3, 5)).astype("float32")
    images = decode(code)
    encode = nn.Conv2D(5, (3, 2), 2, with_bias=False, w_init=decode.w)
    assert images.shape == (2, 8, 6, 4)
    x = np.random.default_rng(2).normal(size=images.shape).astype("float32")
    np.testing.assert_allclose(jnp.vdot(images, x), jnp.vdot(code, encode(x)), rtol=1e-4)


def test_a_depthwise_convolution_keeps_channels_apart():
    conv = nn.DepthwiseConv2D(3, depth_multiplier=2)
    seen = (conv(X) != conv(X * np.array([1, 1, 0, 1], "float32"))).any((0, 1, 2))
    assert seen.tolist() == [False, False, False, False, True, True, False, False]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2D(0, 3), r"`Conv2D` was given output_channels=0\. .*\. Give another `output_channels`"),
        (lambda: nn.Conv2D(1, (3, 0)), r"`Conv2D` was given kernel_shape=0\."),
        (lambda: nn.Conv2D(1, (3, 3, 3)), r"kernel_shape=\(3, 3, 3\)\. It has 2 spatial axes\. Give one number"),
        (lambda: nn.Conv2D(1, 3, stride=0), r"`Conv2D` was given stride=0\."),
        (lambda: nn.Conv2D(1, 3, rate=-1), r"`Conv2D` was given rate=-1\."),
        (
            lambda: nn.Conv2D(1, 3, padding="SAM"),
            r"padding='SAM'\. It knows: SAME, VALID, or 2 .*Did you mean `SAME`\?",
        ),
        (lambda: nn.Conv2D(1, 3, padding=[(1, 1)]), r"padding=\[\(1, 1\)\]\. It knows: SAME, VALID"),
        (lambda: nn.Conv2D(1, 3, padding=1), r"padding=1\. It knows: SAME, VALID"),
        (lambda: nn.Conv2D(1, 3, data_format="channel_last"), r"Did you mean `channels_last`\?"),
        (
            lambda: nn.Conv2D(3, 3, groups=2),
            r"output_channels=3\. It has groups=2, which does not divide that\. Choose",
        ),
        (lambda: nn.Conv2D(3, 3, with_bias=False, b_init=jnp.ones), r"`Conv2D` was given `b_init`\."),
        (
            lambda: nn.Conv2D(3, 3, groups=3)(X),
            r"which has 4 channels\. It has groups=3, .*\. Give a number of channels",
        ),
        (lambda: nn.Conv2D(3, 3)(X[0]), r"`Conv2D` was called with f32\[7,6,4\]\. It takes four axes, NHWC\. Reshape"),
        (lambda: nn.Conv2D(3, 3)(X[..., :0]), r"which has 0 channels\. It needs at least one\. Check"),
        (lambda: nn.Conv1D(3, 3)(X), r"`Conv1D` was called with f32\[2,7,6,4\]\. It takes three axes, NWC\. Reshape"),
        (lambda: nn.Conv3D(3, 3)(X), r"It takes five axes, NDHWC"),
        (lambda: nn.Conv1D(3, 3, padding="casual"), r"It knows: SAME, VALID, CAUSAL, or 1 .*Did you mean `CAUSAL`\?"),
        (lambda: nn.Conv1D(3, 3, data_format="NHWC"), r"It knows: channels_last, channels_first, NWC, NCW"),
        (lambda: nn.Conv2DTranspose(3, 3, padding=[(1, 1), (1, 1)]), r"It knows: SAME, VALID\. Write one"),
        (lambda: nn.Conv2DTranspose(0, 3), r"`Conv2DTranspose` was given output_channels=0\."),
        (lambda: nn.DepthwiseConv2D(3, depth_multiplier=0), r"`DepthwiseConv2D` was given depth_multiplier=0\."),
        (lambda: nn.Conv2D(3, 3, mask=np.ones((2, 2, 1, 1)))(X), r"mask of shape \(2, 2, 1, 1\)\. Its parameter `w`"),
    ],
)
def test_bad_input_is_an_error_that_names_the_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()
