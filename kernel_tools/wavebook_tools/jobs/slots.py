"""Which devices a run gets: those it may have, that nobody holds, and that no earlier run waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wavebook_tools.jobs import leases
from wavebook_tools.jobs.devices import Device, devices_for
from wavebook_tools.jobs.leases import Lease
from wavebook_tools.jobs.store import QueuedRun


@dataclass(frozen=True)
class Waiting:
    """Why a run gets no device now."""

    reason: str
    elsewhere: bool
    """Whether something that this queue does not hear of keeps it waiting: another project's run, a foreign process."""


class Slots:
    """The devices during one look at the queue.

    First come, first served: the devices that a waiting run could take are kept from the runs behind it, so that a
    run that wants several is not passed by for ever by those that want one.
    """

    def __init__(
        self, devices: Sequence[Device], *, project: str, runs_per_gpu: int = 1, foreign: str = "warn"
    ) -> None:
        self.devices = list(devices)
        self.project = project
        self.runs_per_gpu = runs_per_gpu
        self.blocks_foreign = foreign == "block"
        self._reserved: set[str] = set()

    def take(self, run: QueuedRun) -> list[Lease] | Waiting:
        """The leases of a run's devices, all or none.

        Raises:
            UsageError: The run wants what this machine does not have.
        """
        wanted = devices_for("the run", run.devices, run.gpus, self.devices)
        taken: list[Lease] = []
        for device in sorted(wanted, key=lambda device: self._rank(device, run.share)):
            if len(taken) == run.gpus:
                break
            if device.id in self._reserved or (self.blocks_foreign and device.foreign):
                continue
            lease = leases.acquire(
                device.id,
                run=run.id,
                project=self.project,
                slots=self.runs_per_gpu if run.share else None,
                parent=device.parent,
                slice_index=device.slice_index or 0,
            )
            if lease is not None:
                taken.append(lease)
        if len(taken) == run.gpus:
            if not run.share:
                self._reserved.update(lease.device for lease in taken)
            return taken
        for lease in taken:
            lease.release()
        waiting = self._explain(wanted)
        self._reserved.update(device.id for device in wanted)
        return waiting

    def _rank(self, device: Device, share: bool) -> tuple[bool, int, int]:
        # Devices without foreign processes first; runs that share are spread out.
        return bool(device.foreign), len(leases.holders(device.id)) if share else 0, self.devices.index(device)

    def _explain(self, wanted: Sequence[Device]) -> Waiting:
        reasons = []
        elsewhere = False
        for device in wanted:
            about = device.label if device.kind == "cpu" else device.title
            held = leases.holders(device.id)
            if device.parent:  # whose other instances keep nobody from this one
                held += leases.holders(device.parent, slices=False)
            if held:
                reasons.append(f"{about}: {', '.join(self._name(holder) for holder in held)}")
                elsewhere = elsewhere or any(holder.project != self.project for holder in held)
            elif self.blocks_foreign and device.foreign:
                reasons.append(f"{about}: foreign processes {device.foreign}")
                elsewhere = True
            else:
                reasons.append(f"{about}: an earlier run waits for it")
        return Waiting(f"waits for a device ({'; '.join(reasons)})", elsewhere)

    def _name(self, holder: leases.Holder) -> str:
        return holder.run if holder.project == self.project else str(holder)
