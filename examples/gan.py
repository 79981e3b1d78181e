"""A GAN: two optimizers, and a `train_step` of its own, for data whose mean and spread are known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import elegy

MEAN, STD = 4.0, 1.25


class GAN(elegy.Module):
    """Makes samples from noise and judges both: real ones and its own."""

    def __init__(self):
        self.generator = elegy.nn.Sequential([elegy.nn.Linear(16), jnp.tanh, elegy.nn.Linear(1)])
        self.critic = elegy.nn.Sequential(
            [elegy.nn.Linear(32), jnp.tanh, elegy.nn.Linear(32), jnp.tanh, elegy.nn.Linear(1)]
        )

    def call(self, real):
        fake = self.generator(jax.random.normal(elegy.next_rng_key(), (real.shape[0], 4)))
        return {"fake": fake, "judged_real": self.critic(real), "judged_fake": self.critic(fake)}


def cross(logits, label):
    return optax.sigmoid_binary_cross_entropy(logits, jnp.full_like(logits, label)).mean(-1)


def critic(y_pred):
    return cross(y_pred["judged_real"], 1.0) + cross(y_pred["judged_fake"], 0.0)


def generator(y_pred):
    return cross(y_pred["judged_fake"], 1.0)


class Adversaries(elegy.Model):
    """Each player takes a step on its own loss, the critic first."""

    def train_step(self, state, batch):
        logs = {}
        for player in ("critic", "generator"):
            gradients, logs[player] = self.player_gradients(state, batch, player)
            state = self.apply_gradients(state, gradients, only=f"{player}/*")
        return state, {"critic": logs["critic"]["critic_loss"], "generator": logs["generator"]["generator_loss"]}

    def player_gradients(self, state, batch, player):
        def total(parameters):
            outputs = self.forward(state, batch, parameters)
            return self.losses(outputs, batch, only=f"{player}_loss")

        return jax.grad(total, has_aux=True)(state.parameters)


def train(seed, epochs, verbose="auto"):
    """Mean and standard deviation of 2,000 samples."""
    real = (MEAN + STD * np.random.RandomState(seed).randn(2048, 1)).astype("float32")
    optimizer = {"generator/*": optax.adam(1e-3, b1=0.5), "critic/*": optax.adam(2e-3, b1=0.5)}
    model = Adversaries(GAN(), loss=[critic, generator], optimizer=optimizer, seed=seed)
    model.fit(real, batch_size=128, epochs=epochs, verbose=verbose)
    state = model.state
    outputs = model.forward(state, {"x": np.zeros((2000, 1), np.float32)}, training=True)
    fake = np.asarray(outputs.y_pred["fake"])
    return fake.mean(), fake.std()


if __name__ == "__main__":
    for seed in range(3):
        mean, std = train(seed, epochs=60, verbose=0)
        print(f"seed {seed}: mean {mean:.2f} (data {MEAN}), standard deviation {std:.2f} (data {STD})")
