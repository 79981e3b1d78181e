"""Memory of chunks: used again, but never while somebody may still read it."""

import jax
import jax.numpy as jnp
import numpy as np

from elegy._chunk_memory import ChunkMemory, on_device


def test_memory_that_somebody_holds_is_not_handed_out_again():
    memory = ChunkMemory()
    one = memory.empty((4, 2), "float32")
    one[:] = 1
    view = one[:2]
    del one
    other = memory.empty((4, 2), "float32")
    other[:] = 2
    np.testing.assert_array_equal(view, np.ones((2, 2)))


def test_a_device_that_still_reads_holds_it():
    memory, sums = ChunkMemory(), []
    for number in range(20):
        chunk = memory.empty((64, 64), "float32")
        chunk[:] = number
        array = jax.device_put(chunk)
        sums.append(jnp.sin(array @ array).sum() * 0 + array.mean())
        del chunk, array
    np.testing.assert_array_equal(sums, np.arange(20))


def test_sizes_and_dtypes_do_not_mix():
    memory = ChunkMemory()
    shapes = [((3,), "float32"), ((3,), "int32"), ((0, 4), "float32"), ((2, 3), jnp.bfloat16), ((5, 1), "uint8")]
    for shape, dtype in shapes * 2:
        array = memory.empty(shape, dtype)
        assert array.shape == shape and array.dtype == dtype and array.flags.writeable


def test_columns_that_are_aligned_are_read_where_they_lie_and_others_are_copied_once():
    aligned = ChunkMemory().copied(np.arange(64, dtype="float32"))
    shifted, strided = aligned[1:], aligned[::2]
    here, *copies = on_device([aligned, shifted, strided])
    assert here.unsafe_buffer_pointer() == aligned.ctypes.data
    aligned[:] = -1
    for copy, expected in zip(copies, [np.arange(1, 64), np.arange(0, 64, 2)], strict=True):
        np.testing.assert_array_equal(copy, expected)
