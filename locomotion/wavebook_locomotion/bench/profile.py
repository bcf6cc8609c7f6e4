"""A profile of training: operations by their time on processor and GPU, and Python functions by theirs."""

from __future__ import annotations

import cProfile
import io
import pstats
import tempfile
import time
from pathlib import Path

from wavebook_locomotion.bench.clock import wait_for
from wavebook_locomotion.bench.settings import Prepared
from wavebook_locomotion.bench.training import open_training

ROWS = 45


def write_profile(prepared: Prepared, file: Path, *, warm_up: int) -> None:
    """Write tables of three iterations under ``torch.profiler`` and of five under ``cProfile`` to ``file``.

    Kernels of captured graphs (the physics) appear under their own names. Either profiler slows what it watches: read
    shares, not seconds.
    """
    from torch.autograd import DeviceType  # type: ignore[attr-defined] # in its documentation, not in its __all__
    from torch.profiler import ProfilerActivity, profile

    device = prepared.config.device
    cuda = device.startswith("cuda")
    wait = wait_for(device)
    functions = cProfile.Profile()
    with (
        tempfile.TemporaryDirectory(prefix="wavebook-bench-") as folder,
        open_training(prepared, Path(folder)) as (_, runner),
    ):
        runner.learn(warm_up, init_at_random_ep_len=prepared.config.agent.init_at_random_ep_len)
        wait()
        functions.enable()
        runner.learn(5)
        wait()
        functions.disable()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_functions(functions), encoding="utf-8")  # kept if what follows fails
        activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if cuda else [])
        with profile(activities=activities, acc_events=True) as operations:
            began = time.perf_counter()
            runner.learn(3)
            wait()
            seconds = time.perf_counter() - began
    averages = operations.key_averages()
    tables = []
    if cuda:
        kernels = [event for event in averages if event.device_type == DeviceType.CUDA]
        busy = sum(event.self_device_time_total for event in kernels) / 1e6
        tables += [
            f"GPU busy {busy:.3f} s of {seconds:.3f} s in three iterations ({busy / seconds:.0%})",
            averages.table(sort_by="self_device_time_total", row_limit=ROWS, max_name_column_width=80),
        ]
    tables.append(averages.table(sort_by="self_cpu_time_total", row_limit=ROWS, max_name_column_width=80))
    with file.open("a", encoding="utf-8") as stream:
        stream.write("\n\n".join(["Three iterations under torch.profiler", *tables]) + "\n")


def _functions(profiled: cProfile.Profile) -> str:
    text = io.StringIO()
    for order in ("tottime", "cumulative"):
        text.write(f"Five iterations under cProfile, by {order}\n")
        pstats.Stats(profiled, stream=text).strip_dirs().sort_stats(order).print_stats(ROWS)
    return text.getvalue()
