"""Our PPO against rsl_rl's own on the same rollout."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rsl_rl")

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from wavebook_locomotion.graphed_ppo import GraphedPPO, UncheckedGaussian
from wavebook_locomotion.symmetry import presets
from wavebook_tools.diagnosis.not_a_number import ERRORS

Broken = Callable[[TensorDict, torch.Tensor], object]

STEPS, ENVS, SEEN, ACTIONS = 6, 32, 5, 3
GAUSSIAN = {
    PPO: {"class_name": "GaussianDistribution", "init_std": 0.7},
    GraphedPPO: {"class_name": UncheckedGaussian, "init_std": 0.7},
}

DEVICE = "cuda:0" if torch.cuda.is_available() else "cpu"
"""Graphs are recorded on a GPU alone; a processor runs the same functions as they are."""


def mirrored(env: Any, obs: TensorDict | None, actions: torch.Tensor | None) -> tuple[Any, Any]:
    """Rows and their images with every sign turned."""
    if obs is not None:
        images = TensorDict({name: -values for name, values in obs.items()}, batch_size=obs.batch_size)
        obs = torch.cat((obs, images.to(obs.device)), dim=0)
    if actions is not None:
        actions = torch.cat((actions, -actions), dim=0)
    return obs, actions


def observations() -> TensorDict:
    return TensorDict({"policy": torch.randn(ENVS, SEEN), "critic": torch.randn(ENVS, SEEN + 2)}, batch_size=[ENVS]).to(
        DEVICE
    )


def learner(kind: type[PPO], symmetry: str = presets.NONE, **settings: Any) -> PPO:
    torch.manual_seed(0)
    obs = observations()
    groups = {"actor": ["policy"], "critic": ["policy", "critic"]}
    hidden: dict[str, Any] = {"hidden_dims": [16, 16]}
    actor = MLPModel(obs, groups, "actor", ACTIONS, distribution_cfg=GAUSSIAN[kind], **hidden).to(DEVICE)
    critic = MLPModel(obs, groups, "critic", 1, **hidden).to(DEVICE)
    storage = RolloutStorage("rl", ENVS, STEPS, obs, [ACTIONS], DEVICE)
    use = presets.PRESETS.get(symmetry)
    settings["symmetry_cfg"] = None if use is None else {"env": None, "data_augmentation_func": mirrored, **use}
    common: dict[str, Any] = {"num_mini_batches": 4, "num_learning_epochs": 5, "learning_rate": 1e-3}
    return kind(actor, critic, storage, device=DEVICE, **{**common, **settings})


def train(algorithm: PPO, updates: int, broken: Broken | None = None) -> list[dict[str, float]]:
    """What some updates reported, each with its learning rate."""
    torch.manual_seed(1)
    reported = []
    obs = observations()
    for _ in range(updates):
        with torch.inference_mode():
            for _ in range(STEPS):
                actions = algorithm.act(obs)
                obs = observations()
                rewards = -actions.square().sum(dim=1)
                if broken is not None:
                    broken(obs, rewards)
                algorithm.process_env_step(obs, rewards, torch.rand(ENVS, device=DEVICE) < 0.1, {})
            algorithm.compute_returns(obs)
        reported.append(algorithm.update() | {"rate": algorithm.learning_rate})
    return reported


def weights(algorithm: PPO) -> torch.Tensor:
    parameters = [*algorithm.actor.parameters(), *algorithm.critic.parameters()]
    return torch.cat([parameter.detach().flatten() for parameter in parameters])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        *({"symmetry": symmetry} for symmetry in presets.PRESETS),
        {"schedule": "fixed"},
        {"use_clipped_value_loss": False, "normalize_advantage_per_mini_batch": True},
    ],
    ids=str,
)
def test_it_learns_what_rsl_rl_learns(settings: dict[str, Any]) -> None:
    ours, theirs = (learner(kind, **settings) for kind in (GraphedPPO, PPO))
    before = weights(ours)
    found, wanted = train(ours, 3), train(theirs, 3)
    assert (len({values["rate"] for values in wanted}) == 1) == ("schedule" in settings)
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, rel=2e-3, abs=1e-5)
    moved = (weights(theirs) - before).norm()
    assert (weights(ours) - weights(theirs)).norm() < 0.01 * moved


def test_a_training_goes_on_from_its_checkpoint_with_either() -> None:
    first = learner(GraphedPPO)
    train(first, 2)
    saved = copy.deepcopy(first.save())
    assert [type(group["lr"]) for group in saved["optimizer_state_dict"]["param_groups"]] == [float]
    resumed = {}
    for kind in (GraphedPPO, PPO):
        resumed[kind] = learner(kind)
        if kind is GraphedPPO:
            train(resumed[kind], 2)  # its graphs write into what is loaded over now
        resumed[kind].load(copy.deepcopy(saved), None, strict=True)
    reported = [train(algorithm, 3) for algorithm in (first, *resumed.values())]
    for later in reported[1:]:
        assert later[-1] == pytest.approx(reported[0][-1], rel=2e-3, abs=1e-5)


def test_every_step_draws_new_actions() -> None:
    algorithm = learner(GraphedPPO)
    train(algorithm, 2)
    obs = observations()
    drawn = [algorithm.act(obs).clone() for _ in range(2)]
    kept = algorithm.transition
    assert kept.observations is obs
    assert not torch.equal(*drawn)
    mean, deviation = kept.distribution_params
    likely = torch.distributions.Normal(mean, deviation).log_prob(drawn[1]).sum(dim=1)
    assert torch.allclose(likely, kept.actions_log_prob.flatten(), atol=1e-4)
    assert torch.allclose(algorithm.critic(obs), kept.values, atol=1e-4)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda obs, rewards: obs["critic"][3].fill_(torch.nan), "The observation group 'critic' returned"),
        (lambda obs, rewards: rewards[3].fill_(-torch.inf), "The rewards returned"),
        (lambda obs, rewards: rewards.fill_(1e30), "for the loss value"),
    ],
)
def test_values_that_are_not_numbers_end_a_training(broken: Broken, told: str) -> None:
    with pytest.raises(ValueError, match=told) as ended:
        train(learner(GraphedPPO), 2, broken)
    assert ERRORS.search(str(ended.value))
    assert ("learner diverged" in str(ended.value)) == ("loss" in told)
    unchecked = learner(GraphedPPO)
    unchecked.check_numbers = False
    train(unchecked, 2, broken)


def test_actions_that_ran_away_are_told_from_a_bug_of_the_task() -> None:
    algorithm = learner(GraphedPPO)
    with torch.no_grad():
        algorithm.actor.mlp[-1].bias.fill_(1e20)  # squares of such actions overflow
    with pytest.raises(ValueError, match=r"The rewards returned .* actions reach 1\.0e\+20: the learner diverged"):
        train(algorithm, 1)
