from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from ci.cli import run
from ci.verbs.camera import camera
from obs_registry import loader
from obs_registry.errors import RegistryError
from obs_registry.loader import parse_camera
from obs_registry.schema import camera_schema
from qa.errors import DocumentError, ObsqaError, RequestError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

ON = "--on=2026-11-22"
CURIO = """\
schema: 1
name: curio
title: Curio
package: {name: obs_curio, repository: https://example.org/obs_curio}
sponsor:
  team: Curio team
  contact: curio@example.org
  deputy: deputy@example.org
lease:
  granted: 2026-01-01
  until: 2026-12-31  # to be renewed
instrument:
  {name: C, detectors: 1, detector_size: [8, 8], pixel_um: 10, plate_scale: 20, pixel_scale: 0.2, filters: {r: r}}
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own registry out of the tests."""
    monkeypatch.delenv("OBSQA_REGISTRY", raising=False)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a folder with one camera file."""
    folder = tmp_path / "cameras"
    folder.mkdir()
    (folder / "curio.yaml").write_text(CURIO)
    return folder


def call(*arguments: str | Path) -> Result:
    """Run the verb."""
    return CliRunner().invoke(camera, [str(argument) for argument in arguments])


def printed(*arguments: str | Path) -> Any:
    """Run the verb for machines and return what it prints."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(kind: type[ObsqaError], *arguments: str | Path) -> str:
    """Run the verb and return the message with which it refuses."""
    error = call(*arguments).exception
    assert isinstance(error, kind)
    return str(error)


def test_list_shows_state_sponsor_lease_and_data_sets_of_every_camera() -> None:
    """One line per camera, columns aligned, below a line of titles."""
    head, *lines = call("list", ON).stdout.splitlines()
    assert head.split("  ")[0] == "camera"
    assert len(lines) == 8
    at = head.index("lease ends")
    assert {line.split()[0]: line[at:].split() for line in lines}["latiss"] == ["2028-10-31", "twin", "twin-quick"]
    assert {line.split()[0]: line.split()[1] for line in lines}["vircam"] == "lapsing"
    assert next(line for line in lines if line.startswith("sdss")).split() == [
        "sdss",
        "retired",
        "obs_sdss",
        "-",
        "-",
        "-",
    ]


def test_show_tells_which_data_sets_cannot_be_had_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """And why: it is the first thing one wants to know of a data set that a night leaves out."""
    monkeypatch.delenv("CI_HSC_GEN3_DIR", raising=False)
    monkeypatch.setenv("DRP_PIPE_DIR", "/stack/drp_pipe")
    told = call("show", "hsc").stdout
    assert "# ci_hsc is left out here: the environment variable CI_HSC_GEN3_DIR is not set\n" in told
    assert "skymap = 'discrete/ci_hsc'" in told
    monkeypatch.setenv("CI_HSC_GEN3_DIR", "/stack/ci_hsc_gen3")
    assert "ci_hsc is left out" not in call("show", "hsc").stdout


def test_list_judges_leases_on_the_day_that_is_asked_for(registry: Path) -> None:
    """One can look ahead to see what is going to lapse."""
    states = [
        printed("list", "--registry", registry, f"--on={day}") for day in ("2026-10-01", "2026-11-22", "2027-01-01")
    ]
    ours = [one for rows in states for one in rows if one["camera"] == "curio"]
    assert [one["state"] for one in ours] == ["sponsored", "lapsing", "orphaned"]
    assert [one["days_left"] for one in ours] == [91, 39, -1]
    assert [one["gates"] for one in ours] == [True, True, False]


def test_list_is_a_drawn_table_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """People get a table, pipes get plain columns."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    camera.main(["list", ON], standalone_mode=False)
    head = capsys.readouterr().out.splitlines()[1]
    assert head.startswith("┃")
    assert "lease ends" in head


def test_a_folder_may_come_from_the_environment(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site sets its folder once."""
    monkeypatch.setenv("OBSQA_REGISTRY", str(registry))
    assert "curio" in [one["camera"] for one in printed("list", ON)]


def test_show_prints_the_entry_as_yaml_and_the_state(registry: Path) -> None:
    """What is shown can be copied into a file."""
    text = call("show", "curio", "--registry", registry, ON).stdout
    assert text.splitlines()[:2] == [f"# {registry.resolve()}/curio.yaml", "# curio is lapsing"]
    shown = parse_camera("schema: 1\n" + text, "shown").camera
    assert shown == parse_camera(CURIO, "curio.yaml").camera


def test_show_for_machines() -> None:
    """File, state and entry as JSON."""
    value = printed("show", "hsc", ON)
    assert value["state"] == "sponsored"
    assert value["file"].endswith("obs_registry/cameras/hsc.yaml")
    assert value["entry"]["lease"]["until"] == "2028-10-31"


def test_an_unknown_camera_is_answered_with_the_known_ones() -> None:
    """A misspelt name is a wrong request."""
    assert "no camera is called 'hcs'; known: ctio0m9, decam, hsc" in refused(UnknownNameError, "show", "hcs")


def test_check_counts_the_sound_cameras() -> None:
    """One line says that all is well."""
    result = call("check")
    assert (result.exit_code, result.stdout) == (0, "8 cameras, no fault\n")
    assert printed("check")["faults"] == []


def test_check_prints_every_fault_and_ends_with_two(registry: Path) -> None:
    """Each fault of each file is a line; the last line counts."""
    (registry / "curio.yaml").write_text(CURIO.replace("title:", "titel:").replace("until: 2026", "until: 2025"))
    (registry / "hsc.yaml").write_text(CURIO.replace("name: curio", "name: hsc"))
    result = call("check", "--registry", registry)
    lines = result.stdout.replace(f"{registry.resolve()}/", "").splitlines()
    assert result.exit_code == 2
    assert [line.split(" required")[0] for line in lines[:4]] == [
        "curio.yaml:1: title:",
        "curio.yaml:3: titel:",
        "curio.yaml:11: lease.until:",
        "hsc.yaml:2: name:",
    ]
    assert lines[4:] == ["8 cameras, 4 faults"]


def test_check_for_machines_keeps_the_parts_of_a_fault(registry: Path) -> None:
    """A program need not take the line apart."""
    (registry / "curio.yaml").write_text(CURIO.replace("detectors: 1", "detectors: many"))
    result = call("check", "--registry", registry, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["faults"] == [
        {
            "file": f"{registry.resolve()}/curio.yaml",
            "line": 13,
            "key": "instrument.detectors",
            "required": "a whole number",
            "found": "'many'",
        }
    ]


def test_the_other_verbs_refuse_a_faulty_registry(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They say every fault and end with two."""
    (registry / "curio.yaml").write_text("title: Curio\n")
    assert isinstance(call("list", "--registry", registry).exception, RegistryError)
    assert run(["camera", "list", "--registry", str(registry)]) == 2
    assert "curio.yaml:1: name: required this key, found nothing" in capsys.readouterr().err


def test_the_exit_code_reaches_the_shell(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` is made for hooks and pipelines."""
    assert run(["camera", "check"]) == 0
    (registry / "curio.yaml").write_text("title: Curio\n")
    assert run(["camera", "check", "--registry", str(registry)]) == 2
    assert "8 cameras, 4 faults" in capsys.readouterr().out


def test_schema_prints_the_schema() -> None:
    """It can be redirected into a file."""
    assert json.loads(call("schema").stdout) == camera_schema()


def test_renew_changes_the_dates_and_nothing_else(registry: Path) -> None:
    """Comments stay, and the user is told what to commit."""
    result = call("renew", "curio", "--until=2027-12-31", "--registry", registry, ON)
    path = registry / "curio.yaml"
    assert result.stdout == f"curio: the lease now ends on 2027-12-31; commit {path.resolve()}\n"
    assert path.read_text() == CURIO.replace("2026-01-01", "2026-11-22").replace("2026-12-31", "2027-12-31")


def test_renew_changes_the_contact_when_asked(registry: Path) -> None:
    """A sponsor moves, too."""
    call("renew", "curio", "--until=2027-12-31", "--contact=new@example.org", "--registry", registry, ON)
    assert yaml.safe_load((registry / "curio.yaml").read_text())["sponsor"]["contact"] == "new@example.org"


def test_renew_follows_a_link(registry: Path, tmp_path: Path) -> None:
    """A linked file is changed where it lies, and the link stays."""
    real = (registry / "curio.yaml").rename(tmp_path / "curio.yaml")
    (registry / "curio.yaml").symlink_to(real)
    call("renew", "curio", "--until=2027-12-31", "--registry", registry, ON)
    assert (registry / "curio.yaml").is_symlink()
    assert "until: 2027-12-31  # to be renewed" in real.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--until=2026-12-01"], "the lease of curio: required an end after 2026-12-31, found 2026-12-01"),
        (["--until=2027-12-31", "--contact=me"], "--contact: must be an e-mail or web address, found 'me'"),
    ],
)
def test_a_refused_renewal_leaves_the_file_alone(registry: Path, arguments: list[str], message: str) -> None:
    """One line says what was required and what was found."""
    assert refused(RequestError, "renew", "curio", *arguments, "--registry", registry, ON) == message
    assert (registry / "curio.yaml").read_text() == CURIO


def test_renew_does_not_write_into_an_installed_package(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not in the checkout or in a folder of the user's is somebody else's file."""
    monkeypatch.setattr(loader, "SHIPPED", tmp_path / "site-packages" / "obs_registry" / "cameras")
    message = refused(DocumentError, "renew", "hsc", "--until=2030-01-01", "--registry", registry, ON)
    assert "must be a file of the checkout or of a --registry folder, found a file of an installed package" in message


def test_renew_writes_only_where_it_may(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is only to be read is refused before anything is done."""
    monkeypatch.setattr("os.access", lambda _, mode: mode != os.W_OK)
    assert "must be a file that may be written" in refused(
        DocumentError, "renew", "curio", "--until=2030-01-01", "--registry", registry, ON
    )


WAIVER = """
requirements:
  waivers:
    - {metric: PA1, reason: a ghost, expires: 2026-12-31}
"""


def test_check_tells_waivers_that_expired(registry: Path) -> None:
    """A warning: the file is as it was; until that day there is none."""
    (registry / "curio.yaml").write_text(CURIO + WAIVER)
    result = call("check", "--registry", registry, "--on", "2027-01-02")
    assert result.exit_code == 0
    required = "required a day that is still to come, or no waiver, found 2026-12-31, past for 2 days (warning)"
    assert result.stdout.splitlines()[0].endswith(f"requirements.waivers.0.expires: {required}")
    assert result.stdout.splitlines()[1] == "9 cameras, no fault, 1 warning"
    assert json.loads(call("check", "--registry", registry, "--on", "2027-01-02", "--json").stdout)["warnings"][0][
        "found"
    ].startswith("2026-12-31")
    assert call("check", "--registry", registry, "--on", "2026-12-31").stdout == "9 cameras, no fault\n"


def test_check_finds_waivers_of_unknown_metrics(registry: Path) -> None:
    """They would give leave for nothing."""
    (registry / "curio.yaml").write_text(CURIO + WAIVER.replace("PA1", "PA11"))
    result = call("check", "--registry", registry, "--on", "2026-12-01")
    assert result.exit_code == 2
    assert "requirements.waivers.0.metric: required a metric of the camera's requirements (PA1" in result.stdout
    assert result.stdout.splitlines()[-1] == "8 cameras, 1 fault"


def test_check_imports_nothing_heavy() -> None:
    """It runs in hooks: pydantic and YAML are enough."""
    script = (
        "import sys; from ci.cli import run; assert run(['camera', 'check']) == 0; "
        "print(sorted(set(sys.modules) & {'numpy', 'astropy', 'sqlalchemy', 'matplotlib', 'rich', 'pandas'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["8 cameras, no fault", "[]"]


@pytest.mark.parametrize("verb", ["list", "show", "check", "schema", "renew"])
def test_every_help_has_an_example(verb: str) -> None:
    """Help ends with a line to copy."""
    assert f"Example: obsqa camera {verb}" in call(verb, "--help").stdout
