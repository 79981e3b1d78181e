"""What constructor arguments are called elsewhere, for the error about one that does not exist."""

import inspect
from collections.abc import Iterable

from .._errors import did_you_mean, listing

# What users of other libraries type, and what it may be called here: the first of these that a class takes is meant.
_ELSEWHERE = {
    "beta_initializer": ("offset_init",),
    "bias_init": ("b_init",),
    "bias_initializer": ("b_init",),
    "center": ("create_offset",),
    "depthwise_initializer": ("w_init",),
    "dilation": ("rate",),
    "dilation_rate": ("rate",),
    "embedding_dim": ("embed_dim",),
    "embeddings_initializer": ("w_init",),
    "epsilon": ("eps",),
    "feature_group_count": ("groups",),
    "features": ("output_size", "output_channels", "embed_dim"),
    "filters": ("output_channels",),
    "gamma_initializer": ("scale_init",),
    "input_dim": ("vocab_size",),
    "kernel_dilation": ("rate",),
    "kernel_init": ("w_init",),
    "kernel_initializer": ("w_init",),
    "kernel_size": ("kernel_shape",),
    "momentum": ("decay_rate",),
    "num_embeddings": ("vocab_size",),
    "num_groups": ("groups",),
    "out_channels": ("output_channels",),
    "out_features": ("output_size",),
    "output_dim": ("embed_dim",),
    "pool_size": ("window_shape",),
    "scale": ("create_scale",),
    "stride": ("strides",),
    "strides": ("stride",),
    "target_shape": ("output_shape",),
    "units": ("output_size",),
    "use_bias": ("with_bias",),
    "use_scale": ("create_scale",),
}
_ADVICE = {"activation": "Call the function on what the layer returns, or put it behind the layer in a `Sequential`."}


def require_arguments_of(cls: type, given: Iterable[str]) -> None:
    """Raise if a module is constructed with a keyword argument that its constructor does not have.

    Args:
        cls: the class.
        given: names of the keyword arguments.

    Raises:
        TypeError: there is one; Keras' and Flax' words are told ours.
    """
    parameters = inspect.signature(cls).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for name in given:
        if name not in parameters:
            ours = next((word for word in _ELSEWHERE.get(name, ()) if word in parameters), None)
            advice = f"Here it is called `{ours}`." if ours else _ADVICE.get(name)
            raise TypeError(
                f"`{cls.__name__}` was given `{name}=`, which does not exist. It takes: {listing(parameters)}. "
                + (advice or "Leave it out." + did_you_mean(name, parameters))
            )
