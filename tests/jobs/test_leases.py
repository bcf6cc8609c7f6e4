"""Who holds a device: leases between processes, users and runs that share, without a run."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs import leases


def test_a_lease_dies_with_its_holder(project: object) -> None:
    code = (
        "import os, signal; from wavebook_tools.jobs import leases\n"
        "assert leases.acquire('GPU-0', run='a', project='p'); print('held', flush=True); signal.pause()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert [h.pid for h in leases.holders("GPU-0")] == [holder.pid]
    assert leases.acquire("GPU-0", run="b", project="p") is None
    holder.kill()
    holder.wait()
    assert leases.holders("GPU-0") == []
    lease = leases.acquire("GPU-0", run="b", project="p")
    assert lease
    lease.release()


def test_the_leases_of_a_host_are_in_one_place_whatever_a_user_has_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("WAVEBOOK_LEASES", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert leases.lease_folder() == Path("/tmp/wavebook-leases")
    assert stat.S_IMODE(leases.lease_folder().stat().st_mode) == 0o1777


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is taken on, which needs root")
@pytest.mark.parametrize("first", ["root", "nobody"])
def test_two_users_never_hold_one_device_twice(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # the test's own folder is closed to others
        os.chmod(folder, 0o1777)
        monkeypatch.setenv("WAVEBOOK_LEASES", f"{folder}/leases")

        def take(user: str) -> str:
            """What this user finds, told as text from a process of theirs."""
            readable, writable = os.pipe()
            if (child := os.fork()) == 0:
                try:
                    if user == "nobody":
                        os.setgid(65534)
                        os.setuid(65534)
                    lease = leases.acquire("GPU-0", run=user, project="p")
                    found = user if lease else ",".join(holder.run for holder in leases.holders("GPU-0"))
                    os.write(writable, f"held by {found}".encode())
                except BaseException as error:
                    os.write(writable, repr(error).encode())
                os._exit(0)
            os.close(writable)
            with open(readable, "rb") as stream:
                text = stream.read().decode()
            os.waitpid(child, 0)
            return text

        assert take(first) == f"held by {first}", "the folder and the file are its own"
        other = {"root": "nobody", "nobody": "root"}[first]
        assert take(other) == f"held by {other}", "free again, and open to the other user"
        lease = leases.acquire("GPU-0", run="ours", project="p")
        assert lease
        assert take("nobody") == "held by ours"
        assert take("root") == "held by ours"
        lease.release()


def test_a_file_that_is_removed_while_it_is_locked_gives_no_second_lease(
    project: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a cleaner of temporary files may do between our opening of the file and our lock."""
    opened = leases._open
    removed = []

    def remove_after_opening(device_id: str) -> int:
        descriptor = opened(device_id)
        if not removed:
            (leases.lease_folder() / f"{device_id}.lock").unlink()
            removed.append(device_id)
        return descriptor

    monkeypatch.setattr(leases, "_open", remove_after_opening)
    first = leases.acquire("GPU-0", run="a", project="p")
    assert first
    assert [holder.run for holder in leases.holders("GPU-0")] == ["a"]
    assert leases.acquire("GPU-0", run="b", project="p") is None
    first.release()


def test_a_link_in_the_folder_of_leases_is_not_followed(project: object, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    (leases.lease_folder() / "GPU-0.lock").symlink_to(precious)
    with pytest.raises(WavebookError, match="cannot open the device lease"):
        leases.acquire("GPU-0", run="a", project="p")
    assert precious.read_text() == "keep"


def test_an_instance_in_use_keeps_its_gpu_from_being_taken_whole(project: object) -> None:
    first = leases.acquire("MIG-0", run="a", project="p", parent="GPU-0", slice_index=0)
    second = leases.acquire("MIG-1", run="b", project="p", parent="GPU-0", slice_index=1)
    assert first
    assert second
    assert leases.acquire("GPU-0", run="c", project="p") is None
    assert leases.acquire("MIG-1", run="c", project="p", parent="GPU-0", slice_index=1) is None
    first.release()
    second.release()
    whole = leases.acquire("GPU-0", run="c", project="p")
    assert whole
    assert [holder.run for holder in leases.holders("GPU-0")] == ["c"]
    assert leases.acquire("MIG-0", run="a", project="p", parent="GPU-0", slice_index=0) is None
    whole.release()


def test_small_runs_share_a_mig_instance_and_keep_others_from_it(project: object) -> None:
    def take(run: str, **arguments: Any) -> leases.Lease | None:
        return leases.acquire("MIG-1", run=run, project="p", parent="GPU-0", slice_index=1, **arguments)

    shares = [take("a", slots=2), take("b", slots=2)]
    assert all(shares), "each is given a share"
    assert take("c", slots=2) is None
    assert take("c") is None, "nobody gets alone what is shared"
    assert leases.acquire("GPU-0", run="c", project="p") is None
    neighbour = leases.acquire("MIG-0", run="d", project="p", parent="GPU-0", slice_index=0)
    assert neighbour
    for lease in [*shares, neighbour]:
        assert lease
        lease.release()
    alone = take("c")
    assert alone
    assert take("a", slots=2) is None
    alone.release()
