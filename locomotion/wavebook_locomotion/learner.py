"""The environment as rsl_rl sees it, the measurement of its tracking error, and the runner."""

from __future__ import annotations

import contextlib
import copy
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from isaaclab.utils import to_dict
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, handle_deprecated_rsl_rl_cfg
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

from wavebook_locomotion import checkpoints, state
from wavebook_locomotion.configuration import MATMUL_PRECISION, RSL_RL_VERSION, TaskConfig
from wavebook_locomotion.graphed_ppo import GraphedPPO
from wavebook_locomotion.iteration_log import GUARD_RESETS, IterationLogger, OnIteration

ERROR_XY = "Metrics/error_vel_xy"
"""Mean error of the planar velocity over every environment step of an iteration [m/s]."""

ERROR_YAW = "Metrics/error_vel_yaw"
"""The same for the yaw rate [rad/s]."""

OURS = {
    "PPO": "wavebook_locomotion.graphed_ppo:GraphedPPO",
    "GaussianDistribution": "wavebook_locomotion.graphed_ppo:UncheckedGaussian",
}
"""What takes the place of rsl_rl's own classes in a training."""


@contextlib.contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    """Set the precision of products of matrices (``torch.set_float32_matmul_precision``) for a while.

    What is measured, played back or exported keeps all 32 bits, so that it gives the same on every device.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class MeasuredVecEnv(RslRlVecEnvWrapper):
    """rsl_rl's view of the environment, which also sums up the tracking error.

    Isaac Lab reports the error of an episode when that ends, so a young run reports zeros and then only of robots that
    fell. Here every step of every robot counts.
    """

    def __init__(self, env: Any, clip_actions: float | None = None) -> None:
        super().__init__(env, clip_actions=clip_actions)
        self._error_sums = torch.zeros(2, device=self.device)
        self._steps = 0
        self._last_log = self.unwrapped.extras.pop("log", None)

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        observations, rewards, dones, extras = super().step(actions)
        # The environment leaves the record of the last ended episodes in place: hand each on once.
        log = extras.get("log")
        if log is self._last_log:
            extras = {key: value for key, value in extras.items() if key != "log"}
        self._last_log = log
        command = self.unwrapped.command_manager.get_command("base_velocity")
        robot = self.unwrapped.scene["robot"].data
        planar = torch.linalg.norm(command[:, :2] - robot.root_lin_vel_b.torch[:, :2], dim=-1).mean()
        yaw = torch.abs(command[:, 2] - robot.root_ang_vel_b.torch[:, 2]).mean()
        self._error_sums += torch.stack((planar, yaw))
        self._steps += 1
        return observations, rewards, dones, extras

    def take_measurements(self) -> dict[str, float]:
        """The mean errors since the last call, and the guard's count."""
        steps, self._steps = max(self._steps, 1), 0
        planar, yaw = (self._error_sums / steps).tolist()
        self._error_sums.zero_()
        return {ERROR_XY: planar, ERROR_YAW: yaw, GUARD_RESETS: float(self.unwrapped.guard_resets)}


class MeasuredRunner(OnPolicyRunner):
    """rsl_rl's runner with our logger and whole checkpoints (`wavebook_locomotion.checkpoints`)."""

    seconds_before: float = 0.0
    """Wall-clock time of the iterations before those of this process [s]."""

    matmul_precision: str = MATMUL_PRECISION

    def __init__(
        self,
        env: MeasuredVecEnv,
        train_cfg: dict[str, Any],
        log_dir: str | None,
        device: str,
        on_iteration: OnIteration,
    ) -> None:
        super().__init__(env, train_cfg, log_dir=log_dir, device=device)
        # rsl_rl makes its logger itself and takes no other class, so the one it made changes its class.
        self.logger.__class__ = IterationLogger
        self.logger.on_iteration = on_iteration
        self.logger.env = env
        self.logger.rank = self.gpu_global_rank
        self.logger.ended = []
        # rsl_rl logs and saves on the first rank alone; here each measures its robots and saves its own state.
        self.logger.disable_logs = False
        # Each run would otherwise store a diff of whatever repository the libraries happen to be installed in.
        self.logger.git_status_repos = []
        self._started = time.perf_counter()
        self._saved: int | None = None

    def learn(self, num_learning_iterations: int, init_at_random_ep_len: bool = False) -> None:
        self._started = time.perf_counter()
        # Ranks print that they synchronise. A single process prints its progress, which belongs into the log.
        quiet = contextlib.redirect_stdout(io.StringIO()) if self.is_distributed else contextlib.nullcontext()
        with quiet, matmul_precision(self.matmul_precision):
            super().learn(num_learning_iterations, init_at_random_ep_len)

    @property
    def train_seconds(self) -> float:
        """Wall-clock time of all iterations, those before a resume included [s]."""
        return self.seconds_before + time.perf_counter() - self._started

    def save(self, path: str, infos: dict[str, Any] | None = None) -> None:
        """Write a whole checkpoint and drop old ones. Of several ranks each writes its state, the first the model."""
        if self._saved == self.current_learning_iteration:
            return  # the last iteration's, saved at its interval already
        model, rank = Path(path), self.gpu_global_rank
        captured = state.capture(self.env.unwrapped, self, self.train_seconds)
        if rank == 0:
            checkpoints.write_whole(model, lambda target: super(MeasuredRunner, self).save(str(target), infos))
        else:
            checkpoints.write_whole(
                checkpoints.state_path(model, rank), lambda target: torch.save(captured, str(target))
            )
        if self.is_distributed:
            torch.distributed.barrier()
        if rank == 0:
            checkpoints.write_whole(checkpoints.state_path(model), lambda target: torch.save(captured, str(target)))
            checkpoints.drop_old(model)
        self._saved = self.current_learning_iteration

    def resume(self, checkpoint: Path) -> None:
        """Go on after ``checkpoint``: its models, optimiser and the rest of its training (`state.restore`).

        Raises:
            ConfigurationError: Its state is missing or does not fit this training.
        """
        saved = state.load(checkpoints.state_path(checkpoint, self.gpu_global_rank))
        self.load(str(checkpoint), map_location=self.device)
        with torch.inference_mode():
            state.restore(saved, self.env.unwrapped, self)
        self.seconds_before = saved["train_seconds"]
        self.current_learning_iteration += 1  # rsl_rl would do the last iteration's number once more

    def _configure_multi_gpu(self) -> None:
        world = int(os.environ.get("WORLD_SIZE", "1"))
        if world == 1:
            super()._configure_multi_gpu()
            return
        # rsl_rl knows NCCL alone, which needs GPUs, and wants every rank to see all devices; ours see their own.
        self.is_distributed, self.gpu_world_size = True, world
        self.gpu_local_rank, self.gpu_global_rank = int(os.environ["LOCAL_RANK"]), int(os.environ["RANK"])
        self.cfg["multi_gpu"] = {
            "global_rank": self.gpu_global_rank,
            "local_rank": self.gpu_local_rank,
            "world_size": world,
        }
        if self.device == "cpu":
            torch.distributed.init_process_group(backend="gloo")
        else:
            torch.cuda.set_device(self.device)
            torch.distributed.init_process_group(backend="nccl", device_id=torch.device(self.device))


def make_runner(
    env: Any, config: TaskConfig, *, log_dir: str | None = None, on_iteration: OnIteration = lambda *_: None
) -> MeasuredRunner:
    """The rsl_rl runner that trains ``config``'s learner in ``env``, or plays it back where there is no ``log_dir``."""
    agent = copy.deepcopy(config.agent)  # what follows takes fields away, and a configuration may be used again
    runner_config = to_dict(handle_deprecated_rsl_rl_cfg(agent, RSL_RL_VERSION))
    for settings in (runner_config["algorithm"], runner_config["actor"]["distribution_cfg"]):
        settings["class_name"] = OURS.get(settings["class_name"], settings["class_name"])
    runner_config["logger"] = {"class_name": "wavebook_locomotion.iteration_log:MetricWriter"}
    wrapped = MeasuredVecEnv(env, clip_actions=config.agent.clip_actions)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its networks
        runner = MeasuredRunner(wrapped, runner_config, log_dir, config.device, on_iteration)
    if isinstance(runner.alg, GraphedPPO):
        # Ours checks a rollout at once; rsl_rl's runner reads every step.
        runner.alg.check_numbers, runner.cfg["check_for_nan"] = runner.cfg["check_for_nan"], False
    return runner
