"""Vectors for words, users, and everything else that is counted."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .._errors import did_you_mean, short_type
from ..initializers import TruncatedNormal
from ..module import Module
from ._requirements import compute_dtype, declared, initializer_of, one_array, positive, require_floating, who

_STYLES = ("ARRAY_INDEX", "ONE_HOT")


class Embedding(Module):
    """A vector for each id, learned like any other parameter.

    The parameter is `embeddings` of shape `(vocab_size, embed_dim)`; output i is its row `ids[i]`. An id outside of
    `0 ... vocab_size - 1` gives NaN, so that it is seen.

    Args:
        vocab_size: number of ids; may be left out if `embedding_matrix` is given.
        embed_dim: length of the vectors; may be left out if `embedding_matrix` is given.
        embedding_matrix: first values, `(vocab_size, embed_dim)`, such as vectors trained elsewhere.
        w_init: initializer of `embeddings`; by default a truncated normal of standard deviation 1.
        lookup_style: `"ARRAY_INDEX"` gathers rows; `"ONE_HOT"` multiplies one-hot rows with the matrix, which some
            accelerators do faster for small vocabularies.
        name: its name below its parent.
        dtype: the dtype of its outputs; None is that of its parameter.
        param_dtype: the dtype that its parameter is kept in.

    Raises:
        ValueError: sizes are missing or contradict the matrix, both a matrix and an initializer are given, or the style
            is unknown.
        TypeError: the ids are no integers.

    Example:
        >>> import elegy, jax.numpy as jnp
        >>> embedding = elegy.nn.Embedding(vocab_size=10, embed_dim=4)
        >>> embedding(jnp.array([[1, 2, 3]])).shape, embedding.embeddings.shape
        ((1, 3, 4), (10, 4))
    """

    def __init__(
        self,
        vocab_size: int | None = None,
        embed_dim: int | None = None,
        embedding_matrix: Any = None,
        w_init: Any = None,
        lookup_style: str = "ARRAY_INDEX",
        name: str | None = None,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.param_dtype = param_dtype
        require_floating(self)
        self.embedding_matrix = None if embedding_matrix is None else np.asarray(embedding_matrix)
        self.vocab_size, self.embed_dim = self._sizes(vocab_size, embed_dim)
        self.w_init = initializer_of(self, "w_init", w_init)
        self.lookup_style = lookup_style
        if w_init is not None and embedding_matrix is not None:
            raise ValueError(
                f"{who(self)} was given both `embedding_matrix` and `w_init`. Each of them says what the first values "
                "are. Leave one out."
            )
        if lookup_style not in _STYLES:
            raise ValueError(
                f"{who(self)} was given lookup_style={lookup_style!r}. It knows: ARRAY_INDEX, ONE_HOT. "
                f"Write one of these.{did_you_mean(str(lookup_style).upper(), _STYLES)}"
            )

    def call(self, ids: Any) -> jax.Array:
        """Look vectors up.

        Args:
            ids: integers of any shape, each from 0 to `vocab_size - 1`.

        Returns:
            Vectors, `(*ids.shape, embed_dim)`, in the dtype of its outputs.

        Raises:
            TypeError: the ids are no integers.
        """
        ids = one_array(self, ids)
        if not jnp.issubdtype(ids.dtype, jnp.integer):
            raise TypeError(
                f"{who(self)} was called with {short_type(ids)}. It looks rows up by integers. "
                'Convert the ids before: `ids.astype("int32")`.'
            )
        default = TruncatedNormal() if self.w_init is None else self.w_init
        initializer = default if self.embedding_matrix is None else self.embedding_matrix
        shape = (self.vocab_size, self.embed_dim)
        embeddings = declared(self, "embeddings", shape, self.param_dtype, initializer)
        embeddings = embeddings.astype(compute_dtype(self, embeddings))
        ids = ids.astype(jnp.int32) if ids.dtype.itemsize < 4 else ids
        known = (ids >= 0) & (ids < self.vocab_size)
        if self.lookup_style == "ONE_HOT":
            rows = jax.nn.one_hot(ids, self.vocab_size, dtype=embeddings.dtype)
            # Full precision, since the product is meant to copy rows.
            vectors = jnp.matmul(rows, embeddings, precision=lax.Precision.HIGHEST)
        else:
            vectors = embeddings[jnp.clip(ids, 0, self.vocab_size - 1)]
        return jnp.where(known[..., None], vectors, jnp.full((), jnp.nan, vectors.dtype))

    def _sizes(self, vocab_size: int | None, embed_dim: int | None) -> tuple[int, int]:
        matrix = self.embedding_matrix
        if matrix is None:
            return positive(self, "vocab_size", vocab_size), positive(self, "embed_dim", embed_dim)
        wanted = (vocab_size, embed_dim)
        sizes = zip(wanted, matrix.shape, strict=True)
        fits = matrix.ndim == 2 and all(size in (None, there) for size, there in sizes)
        if not fits:
            raise ValueError(
                f"{who(self)} was given an `embedding_matrix` of shape {matrix.shape}. With vocab_size={vocab_size} "
                f"and embed_dim={embed_dim} it has to be (vocab_size, embed_dim). Leave the two numbers out, or "
                "correct them."
            )
        return int(matrix.shape[0]), int(matrix.shape[1])
