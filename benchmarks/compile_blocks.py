"""What depth costs to compile: a train step of 48 transformer blocks next to one of 4, through `elegy.scan`."""

import argparse
import os
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

import elegy

WIDTH, HEADS, TOKENS, BATCH, WORDS = 64, 4, 16, 4, 128


class Block(elegy.Module):
    """Attention and a network of two layers, each around a residual connection."""

    def call(self, x):
        heads = (*x.shape[:2], HEADS, WIDTH // HEADS)
        query, key, value = jnp.split(elegy.nn.Linear(3 * WIDTH)(elegy.nn.LayerNormalization()(x)), 3, axis=-1)
        attended = jax.nn.dot_product_attention(*(part.reshape(heads) for part in (query, key, value)), is_causal=True)
        x = x + elegy.nn.Linear(WIDTH)(attended.reshape(x.shape))
        hidden = jax.nn.gelu(elegy.nn.Linear(4 * WIDTH)(elegy.nn.LayerNormalization()(x)))
        return x + elegy.nn.Linear(WIDTH)(hidden)


class Transformer(elegy.Module):
    """Words in, scores of the next word out."""

    def __init__(self, blocks, scanned):
        self.embedding = elegy.nn.Embedding(WORDS, WIDTH)
        self.blocks = elegy.scan(Block(), length=blocks) if scanned else [Block() for _ in range(blocks)]
        self.head = elegy.nn.Linear(WORDS)

    def call(self, x):
        x = self.embedding(x)
        for block in self.blocks if isinstance(self.blocks, list) else [self.blocks]:
            x = block(x)
        return self.head(x)


def seconds_to_first_step(blocks, scanned, data):
    """Initialize, then trace, compile and run one training step; both times in seconds."""
    jax.clear_caches()
    model = elegy.Model(
        Transformer(blocks, scanned),
        loss=elegy.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=optax.adam(1e-3),
    )
    begin = time.perf_counter()
    model.init(data, data)
    ready = time.perf_counter()
    model.train_on_batch(data, data)
    return ready - begin, time.perf_counter() - ready


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="how many measurements of each; at least 5")
    parser.add_argument("--loop", action="store_true", help="also measure blocks in a Python list, which takes minutes")
    options = parser.parse_args()
    jax.config.update("jax_enable_compilation_cache", False)
    data = np.random.default_rng(0).integers(0, WORDS, (BATCH, TOKENS)).astype("int32")
    kinds = [(4, True), (48, True)] + ([(4, False), (48, False)] if options.loop else [])
    times = {kind: [] for kind in kinds}
    seconds_to_first_step(2, True, data)  # what only the first use of JAX costs
    for repeat in range(max(options.repeats, 5)):
        for kind in kinds[:: -1 if repeat % 2 else 1]:  # neither always goes first
            times[kind].append(seconds_to_first_step(*kind, data))
    report(times)


def report(times):
    print(
        f"transformer of width {WIDTH}, {TOKENS} tokens, batch {BATCH}, {os.cpu_count()} cores, JAX {jax.__version__}"
    )
    print(f"{'blocks':>8}{'':>8}{'initialize':>12}{'train step':>12}{'in all':>9}   (seconds; medians)")
    totals = {}
    for (blocks, scanned), pairs in times.items():
        init, step = (statistics.median(column) for column in zip(*pairs, strict=True))
        alls = [sum(pair) for pair in pairs]
        totals[blocks, scanned] = statistics.median(alls)
        spread = f"({len(alls)} times; {min(alls):.2f} to {max(alls):.2f})"
        how = "scan" if scanned else "loop"
        print(f"{blocks:>8}{how:>8}{init:>12.2f}{step:>12.2f}{totals[blocks, scanned]:>9.2f}   {spread}")
    for scanned in sorted({scanned for _, scanned in times}, reverse=True):
        steps = {blocks: statistics.median(step for _, step in times[blocks, scanned]) for blocks in (4, 48)}
        ratio = totals[48, scanned] / totals[4, scanned]
        how = "scan" if scanned else "loop"
        print(f"{how}: 48 blocks take {steps[48] / steps[4]:.2f} times as long as 4 to train, {ratio:.2f} in all")


if __name__ == "__main__":
    main()
