"""The benchmark's PyTorch network computes what ours does; without that, its times would compare nothing."""

import sys
from pathlib import Path

import pytest

from glowsep.systems.glow.model import GlowConfig

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
TINY = {
    "plain": GlowConfig(channels=6, steps=2, hidden=5, layers=2, kernel=5, dilation=1),
    "conditioned": GlowConfig(channels=4, steps=3, hidden=5, layers=3, kernel=3, dilation=2, condition_channels=3),
}


@pytest.fixture
def compare_steps(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import compare_steps

    yield compare_steps
    for name in ("compare_steps", "torch_steps", "torch_glow"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("config", TINY.values(), ids=list(TINY))
def test_losses_and_gradients_agree_in_every_kind_of_step(compare_steps, config):
    subject = compare_steps.Subject.of(config, 2, "cpu", frames=8)
    ours, theirs = compare_steps.Ours(subject), compare_steps.theirs_of(subject, "cpu")
    assert compare_steps.require_agreement(ours, theirs) <= compare_steps.TOLERANCE


def test_a_network_with_another_weight_is_told(compare_steps):
    subject = compare_steps.Subject.of(TINY["plain"], 2, "cpu", frames=8)
    theirs = compare_steps.theirs_of(subject, "cpu")
    subject.glow.parameters()["3.network.gates.1.W"][0] += 1
    with pytest.raises(SystemExit, match="differs from ours"):
        compare_steps.require_agreement(compare_steps.Ours(subject), theirs)


def test_the_floor_counts_every_product_of_the_paper_s_network(compare_steps):
    """By hand, per squeezed frame and step: 514·128 in, 4·(128·256·5 + 128·256) gated, 128·1028 out, 1028·4 mixed."""
    paper = compare_steps.NETWORKS["the paper's"]
    assert compare_steps.products(paper, 10) == 2 * 10 * 12 * (65_792 + 4 * 196_608 + 131_584 + 4_112)
