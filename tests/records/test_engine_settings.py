"""What [engine] may say, and what it may not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wavebook_tools.records.engine_settings import EngineSettings, RaySettings, SlurmSettings


def test_runs_are_executed_on_this_machine_unless_told_otherwise() -> None:
    assert EngineSettings().name == "local"


@pytest.mark.parametrize(
    "option", ["--mem=16G", "--exclusive", "--constraint=a100&ib", "--nodelist=n[1-4]", "--nice=10"]
)
def test_options_of_the_site_are_passed_on(option: str) -> None:
    assert SlurmSettings(options=[option]).options == [option]


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("-p", "no option in its long form"),
        ("--mem 16G", "no option in its long form"),
        ("mem=16G", "no option in its long form"),
        ("--comment=a\nb", "no option in its long form"),
        ("--output=x", "set by the engine"),
        ("--outp=x", "set by the engine"),
        ("--wrap=id", "set by the engine"),
        ("--array=1-4", "set by the engine"),
        ("--requeue", "set by the engine"),
        ("--partition=x", "a setting of its own"),
    ],
)
def test_options_that_the_engine_needs_are_refused(option: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SlurmSettings(options=[option])


@pytest.mark.parametrize("field", [{"partition": "a b"}, {"account": "--wrap=x"}, {"time": "soon"}, {"gres": "gpu:1"}])
def test_values_that_are_no_names_are_refused(field: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SlurmSettings(**field)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["127.0.0.1:8265", "file:///etc/passwd", "http://user:secret@host:8265", "ray://x"])
def test_an_address_is_one_of_the_web_and_holds_no_secret(address: str) -> None:
    with pytest.raises(ValidationError):
        RaySettings(address=address)
