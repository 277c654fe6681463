"""Adam, clipping and learning rates beside PyTorch's, step for step."""

import numpy as np
import pytest
import torch

from glowsep.learning.adam import Adam
from glowsep.learning.clipping import clip_by_global_norm
from glowsep.learning.schedules import WarmupStableDecay

torch.set_num_threads(1)  # the arrays are too small to share out

SHAPES = {"W": (5, 3), "b": (5,), "scale": ()}


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 2e-6)])
@pytest.mark.parametrize(
    "options",
    [{}, {"learning_rate": 0.05}, {"learning_rate": 0.01, "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-4}],
)
def test_adam_with_clipping_and_schedule_equals_pytorch_at_every_step(options, dtype, tolerance):
    rng = np.random.default_rng(0)
    ours = {name: rng.standard_normal(shape).astype(dtype).reshape(shape) for name, shape in SHAPES.items()}
    theirs = {name: torch.tensor(array, requires_grad=True) for name, array in ours.items()}

    adam = Adam(ours, **options)
    peer = torch.optim.Adam(
        theirs.values(), adam.learning_rate, betas=(adam.beta1, adam.beta2), eps=adam.epsilon, foreach=False
    )
    warmup, total, decay = 5, 40, 0.3
    schedule = WarmupStableDecay(adam.learning_rate, warmup, total, decay)
    peer_schedule = torch.optim.lr_scheduler.SequentialLR(
        peer,
        [
            torch.optim.lr_scheduler.LinearLR(peer, 1 / warmup, 1.0, warmup - 1),
            torch.optim.lr_scheduler.ConstantLR(peer, 1.0),
            torch.optim.lr_scheduler.LinearLR(peer, 1.0, 0.0, 12),
        ],
        [warmup, total - 12],
    )

    for step in range(total):
        # Gradients of very different sizes: some steps clip, some do not.
        size = 10.0 ** rng.uniform(-3, 2)
        gradients = {name: np.asarray(size * rng.standard_normal(shape), dtype) for name, shape in SHAPES.items()}
        for name, gradient in gradients.items():
            theirs[name].grad = torch.tensor(gradient)

        norm = clip_by_global_norm(gradients, 4.0)
        peer_norm = torch.nn.utils.clip_grad_norm_(theirs.values(), 4.0)
        assert norm == pytest.approx(peer_norm.item(), rel=10 * tolerance)
        assert schedule(step) == pytest.approx(peer.param_groups[0]["lr"], rel=1e-9)

        adam.step(gradients, schedule(step))
        peer.step()
        peer_schedule.step()
        for name, array in ours.items():
            np.testing.assert_allclose(array, theirs[name].detach().numpy(), rtol=0, atol=tolerance)
