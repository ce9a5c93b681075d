"""The Jenkinsfile, carried out against a stub of Jenkins' DSL (our reading of it, see `stub.groovy`) and linted."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ci.cli import VERBS, command_of
from obs_registry.loader import load_registry
from obs_registry.model import Lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "Jenkinsfile"
CAMERAS = ("decam", "hsc", "latiss", "lsstcam", "megaprime")
EVIL = '"; touch owned; echo "$(id)'
COMMIT = '.venv/bin/obsqa commit --camera "$CAMERA" --base "$OBSQA_BASE" --budget "$BUDGET"'
INSTALL = 'python3 -m venv --clear .venv && .venv/bin/pip install --quiet ".[pipeline,notices]"'
TIMER = {"timer": True, "env": {"OBSQA_OPERATORS": "qa@example.org"}}


def code(number: int | str, match: str = "obsqa nightly") -> dict[str, Any]:
    """Return how a script ends."""
    return {"match": match, "code": number}


def sunday(number: int | str = 0) -> list[dict[str, Any]]:
    """Return the answers of a Sunday."""
    return [{"match": r"date \+%u", "out": "7\n"}, code(number)]


SCENARIOS: dict[str, dict[str, Any]] = {
    "commit": {"previous": "g00d"},
    "first commit": {},
    "pull request": {"env": {"CHANGE_TARGET": "main"}, "previous": "g00d"},
    "one camera": {"params": {"ONLY": "hsc"}},
    "camera fails": {"sh": [code(1, "CAMERA=hsc .*obsqa commit")], "junit": "fail"},
    "camera breaks": {"sh": [code(3, "CAMERA=hsc .*obsqa commit")], "env": TIMER["env"]},
    "night": TIMER,
    "night fails": TIMER | {"sh": [code(1)], "junit": "fail"},
    "wrong request": TIMER | {"sh": [code(2)]},
    "night breaks": TIMER | {"sh": [code(3)]},
    "incomplete": TIMER | {"sh": [code(4)]},
    "no operators": {"timer": True, "sh": [code(3)]},
    "no report": TIMER | {"junit": "missing"},
    "nothing concerned": {"junit": "missing"},
    "aborted": TIMER | {"sh": [code("abort")]},
    "no install": TIMER | {"sh": [code(1, "pip install")]},
    "week": {"timer": True, "sh": sunday()},
    "asked week": {"params": {"LANE": "weekly", "ONLY": "hsc"}},
    "asked night": {"params": {"LANE": "nightly", "REF": "u/x&y"}},
    "asked commit": {"timer": True, "params": {"LANE": "commit", "BASE": "v1"}},
    "image": {"params": {"LANE": "nightly", "IMAGE": "stack:w_47"}},
    "secrets": {"params": {"LANE": "nightly"}, "env": {"OBSQA_CREDENTIALS": "OBSQA_SMTP_PASSWORD=smtp, A = b ,,odd"}},
    "evil": {"params": {"REF": EVIL, "BASE": EVIL, "BUDGET": EVIL, "HOURS": EVIL, "IMAGE": EVIL}},
    "branch": {"env": {"BRANCH_NAME": "u/x"}},
    "site": {"env": {"OBSQA_RUNS": "/data/runs", "OBSQA_CACHE": "/data/cache"}},
}


@pytest.fixture(scope="module")
def outcomes(builds: Callable[[list[dict[str, Any]]], list[Outcome]]) -> dict[str, Outcome]:
    """Carry all scenarios out, in one process."""
    return dict(zip(SCENARIOS, builds(list(SCENARIOS.values())), strict=True))


def test_the_stub_knows_every_word(outcomes: dict[str, Outcome]) -> None:
    """Options, triggers, parameters, conditions and steps with their keys; what it does not know it refuses."""
    assert {name: one.refused for name, one in outcomes.items() if one.refused} == {}


def test_a_commit_is_one_cell_for_each_camera(outcomes: dict[str, Outcome]) -> None:
    """The whole sequence of steps: the place cleared, the checkout, the environment, the cells, what they left."""
    cells = [line for camera in CAMERAS for line in (f"{camera}: withCredentials", f"{camera}: sh {COMMIT}")]
    assert outcomes["commit"].shown == [
        "Prepare: sh rm -rf report && mkdir report && touch begun",
        "Prepare: checkout",
        f"Prepare: sh {INSTALL}",
        *cells,
        "post always",
        "post: sh",
        "post: archiveArtifacts",
        "post: junit",
    ]
    assert outcomes["commit"].result == "SUCCESS"


def test_the_cells_are_the_cameras_of_the_registry() -> None:
    """Those in use that have a data set for commits; so are the choices of the parameter."""
    known = [one.name for one in load_registry(plugins=False).values() if one.sponsor and _has_commit_data(one)]
    text = FILE.read_text()
    axis = re.search(r"name 'CAMERA'\s+values ([^\n]+)", text)
    choices = re.search(r"name: 'ONLY',\s+choices: \[([^\]]+)\]", text)
    assert axis is not None
    assert choices is not None
    assert re.findall(r"'([^']+)'", axis[1]) == sorted(known) == list(CAMERAS)
    assert re.findall(r"'([^']+)'", choices[1]) == ["all", *CAMERAS]


def _has_commit_data(camera: Any) -> bool:
    return any(dataset.lane is Lane.COMMIT for dataset in camera.datasets)


def test_cells_have_runs_of_their_own(outcomes: dict[str, Outcome]) -> None:
    """They run side by side; the night's runs, and so its history, are the site's."""
    for camera in CAMERAS:
        (step,) = outcomes["site"].steps("sh", camera)
        assert step["env"]["OBSQA_RUNS"] == f"/data/runs/{camera}"
    assert outcomes["site"].steps("sh")[-1]["env"]["OBSQA_RUNS"] == "/data/runs"
    (night,) = _obsqa(outcomes["night"])
    assert (night["env"]["OBSQA_RUNS"], night["env"]["OBSQA_CACHE"]) == ("/ws/runs", "/ws/cache")


def test_notices_lead_to_what_is_archived(outcomes: dict[str, Outcome]) -> None:
    """By the address of the build, in the folders to which its reports are copied."""
    (cell,) = outcomes["one camera"].steps("sh", "hsc")
    (night,) = _obsqa(outcomes["night"])
    assert cell["env"]["OBSQA_REPORT_URL"] == "https://ci/7/artifact/report/hsc/{run}/index.html"
    assert night["env"]["OBSQA_REPORT_URL"] == "https://ci/7/artifact/report/{run}/index.html"


def test_one_camera_may_be_asked_for(outcomes: dict[str, Outcome]) -> None:
    """By commits and by nights."""
    assert [one["cell"]["CAMERA"] for one in _obsqa(outcomes["one camera"])] == ["hsc"]
    (week,) = _obsqa(outcomes["asked week"])
    assert _arguments(week) == ["nightly", "--new", "--camera", "hsc"]


@pytest.mark.parametrize(
    ("name", "base"),
    [("commit", "g00d"), ("first commit", "HEAD~1"), ("pull request", "origin/main"), ("asked commit", "v1")],
)
def test_a_commit_is_compared_with_what_it_grew_from(outcomes: dict[str, Outcome], name: str, base: str) -> None:
    """The last good build, the branch it shall be merged into, or what was asked for."""
    assert {one["env"]["OBSQA_BASE"] for one in _obsqa(outcomes[name])} == {base}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("night", ["nightly", "--budget", "$HOURS"]),
        ("asked night", ["nightly", "--budget", "$HOURS"]),
        ("week", ["nightly", "--new"]),
        ("asked week", ["nightly", "--new", "--camera", "hsc"]),
    ],
)
def test_the_clock_begins_nights_and_on_sundays_weeks(
    outcomes: dict[str, Outcome], name: str, arguments: list[str]
) -> None:
    """Unless the lane was asked for; no commit's cell runs then."""
    (step,) = _obsqa(outcomes[name])
    assert _arguments(step) == arguments


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("commit", "SUCCESS"),
        ("camera fails", "UNSTABLE"),
        ("camera breaks", "FAILURE"),
        ("night", "SUCCESS"),
        ("night fails", "UNSTABLE"),
        ("wrong request", "FAILURE"),
        ("night breaks", "FAILURE"),
        ("incomplete", "FAILURE"),
        ("no report", "FAILURE"),
        ("nothing concerned", "SUCCESS"),
        ("no install", "FAILURE"),
        ("aborted", "ABORTED"),
    ],
)
def test_a_verdict_is_unstable_and_anything_else_a_failure(
    outcomes: dict[str, Outcome], name: str, result: str
) -> None:
    """Exit code 1 is a verdict; 2 the request, 3 the infrastructure, 4 an incomplete run.

    A night without a report is a failure; a change that concerns no camera has none.
    """
    assert outcomes[name].result == result


@pytest.mark.parametrize("name", ["camera fails", "camera breaks"])
def test_one_camera_stops_no_other(outcomes: dict[str, Outcome], name: str) -> None:
    """Every cell runs."""
    assert [one["cell"]["CAMERA"] for one in _obsqa(outcomes[name])] == list(CAMERAS)


@pytest.mark.parametrize("name", [*SCENARIOS])
def test_reports_are_kept_however_a_build_ends(outcomes: dict[str, Outcome], name: str) -> None:
    """Archived with fingerprints, by which jenkinsapi checks what it fetches, and before the tests are read."""
    (archived,) = outcomes[name].steps("archiveArtifacts")
    (read,) = outcomes[name].steps("junit")
    assert (archived["artifacts"], archived["fingerprint"]) == ("report/**", True)
    assert read["testResults"] == "report/**/junit.xml"
    assert outcomes[name].calls.index(archived) < outcomes[name].calls.index(read)


def test_operators_are_told_of_failures_only(outcomes: dict[str, Outcome]) -> None:
    """Of verdicts the notices of obsqa tell those whom they concern; where nobody is named, nobody is told."""
    told = {name for name, one in outcomes.items() if one.steps("mail")}
    assert told == {"camera breaks", "wrong request", "night breaks", "incomplete", "no report", "no install"}
    (mail,) = outcomes["night breaks"].steps("mail")
    assert (mail["to"], mail["subject"]) == ("qa@example.org", "obsqa nightly failed: survey/obsqa #7")


def test_after_a_failure_no_stage_begins(outcomes: dict[str, Outcome]) -> None:
    """Without an environment nothing is run."""
    assert not _obsqa(outcomes["no install"])


def test_every_wait_has_an_end(outcomes: dict[str, Outcome]) -> None:
    """Minutes for a commit's camera, hours for a night."""
    limits = {
        one.get("stage", "all"): f"{one['time']} {one['unit']}"
        for one in outcomes["commit"].calls
        if one.get("option") == "timeout"
    }
    assert limits == {
        "all": "24 HOURS",
        "Prepare": "30 MINUTES",
        "Commit/Camera": "30 MINUTES",
        "Nightly": "12 HOURS",
        "Weekly": "23 HOURS",
    }


def test_the_clock_is_of_the_main_branch(outcomes: dict[str, Outcome]) -> None:
    """Branches have commits and no nights."""
    crons = {name: [one["when"] for one in outcomes[name].calls if one.get("trigger") == "cron"] for name in SCENARIOS}
    assert crons["commit"] == ["H 1 * * *"]
    assert crons["branch"] == [""]
    assert [one["when"] for one in outcomes["branch"].calls if one.get("trigger") == "pollSCM"] == ["H/5 * * * *"]


def test_a_ref_and_an_image_may_be_asked_for(outcomes: dict[str, Outcome]) -> None:
    """Environment and run are made in the container, the rest outside."""
    assert outcomes["asked night"].steps("checkout")[0]["source"] == "u/x&y"
    assert outcomes["commit"].steps("checkout")[0]["source"] == "scm"
    assert [one["image"] for one in outcomes["image"].steps("docker.inside")] == ["stack:w_47", "stack:w_47"]
    assert not outcomes["commit"].steps("docker.inside")


def test_secrets_are_bound_by_name(outcomes: dict[str, Outcome]) -> None:
    """Those that the site names, and only around obsqa."""
    assert [one["variables"] for one in outcomes["secrets"].steps("withCredentials")] == [["OBSQA_SMTP_PASSWORD", "A"]]


def test_the_commit_of_a_status_is_what_was_checked_out(outcomes: dict[str, Outcome]) -> None:
    """By its whole name."""
    (step,) = _obsqa(outcomes["night"])
    assert re.fullmatch("[0-9a-f]{40}", step["env"]["OBSQA_GITHUB_COMMIT"])


def test_parameters_are_never_part_of_a_script(outcomes: dict[str, Outcome]) -> None:
    """They reach the shell by the environment, so that nothing in them is carried out."""
    scripts = [one["script"] for one in outcomes["evil"].steps("sh")]
    assert not [script for script in scripts if "owned" in script]
    assert {one["env"]["BUDGET"] for one in _obsqa(outcomes["evil"])} == {EVIL}


def test_hostile_parameters_stay_one_argument_each(outcomes: dict[str, Outcome], tmp_path: Path) -> None:
    """Carried out by a real shell, with a program in place of obsqa."""
    step = _obsqa(outcomes["evil"])[0]
    assert _run(step, tmp_path)[-2:] == ["--budget", EVIL]
    night = _obsqa(outcomes["night"])[0]
    night = night | {"env": night["env"] | {"ONLY": EVIL, "HOURS": EVIL}}
    assert _run(night, tmp_path) == ["nightly", "--budget", EVIL, "--camera", EVIL]
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("name", ["commit", "night", "week", "asked week"])
def test_the_commands_are_those_of_obsqa(outcomes: dict[str, Outcome], name: str) -> None:
    """Every verb and option that the Jenkinsfile uses is one."""
    verb, *arguments = _arguments(_obsqa(outcomes[name])[0])
    assert verb in VERBS
    options = {option for one in command_of(verb).params for option in one.opts}
    assert {one for one in arguments if one.startswith("--")} <= options


def test_only_reports_of_this_build_are_kept(outcomes: dict[str, Outcome], tmp_path: Path) -> None:
    """By a real shell: what earlier builds left in the runs is the history and is not reported again."""
    runs = tmp_path / "my runs"
    for run, old in (("20260101T000000Z", True), ("20260301T000000Z", False), ("hsc/20260301T000001Z", False)):
        report = runs / run / "report"
        report.mkdir(parents=True)
        (report / "junit.xml").write_text(run)
        os.utime(report, (1, 1) if old else None)
    (tmp_path / "report").mkdir()
    (tmp_path / "begun").touch()
    os.utime(tmp_path / "begun", (1000, 1000))
    (step,) = [one for one in outcomes["night"].steps("sh") if "find" in one["script"]]
    _shell(step["script"], tmp_path, {"OBSQA_RUNS": str(runs)})
    kept = {str(path.relative_to(tmp_path / "report")): path.read_text() for path in tmp_path.glob("report/**/*.xml")}
    assert kept == {
        "20260301T000000Z/junit.xml": "20260301T000000Z",
        "hsc/20260301T000001Z/junit.xml": "hsc/20260301T000001Z",
    }


SLIPS = {
    "disableConcurrentBuilds()": ("disableConcurrentBuildz()", "Options has no disableConcurrentBuildz"),
    "pollSCM('H/5 * * * *')": ("pollSCM('H/5 * * *')", "pollSCM takes five fields, got 'H/5 * * *'"),
    "choice(name: 'LANE', choices:": ("choice(name: 'LANE', choises:", "choice must have choices"),
    "string(name: 'REF', defaultValue:": ("string(name: 'REF', default:", "string has no default;"),
    "junit testResults:": ("junit testResult:", "junit must have testResults"),
    "archiveArtifacts artifacts:": ("archiveArtifactz artifacts:", "Steps has no archiveArtifactz"),
    "returnStatus: true": ("returnStatuz: true", "sh has no returnStatuz"),
    "unit: 'MINUTES'": ("unit: 'MINUTE'", "timeout knows no unit MINUTE"),
    "    agent any\n": ("", "a pipeline must have agent"),
    "    stages {\n        stage('Prepare')": ("    stage {\n        stage('Prepare')", "pipeline has no stage;"),
    "        always {": ("        allways {", "Post has no allways"),
    "when { environment name: 'CHOSEN', value: 'commit' }": ("when { env 'CHOSEN' }", "Conditions has no env"),
    "params.IMAGE": ("parameters.IMAGE", "nothing is called parameters here"),
    "within { sh": ("withinn { sh", "Steps has no withinn"),
    "choices: ['all', ": ("choices: ['none', 'all', ", "SUCCESS"),
    "disableConcurrentBuilds()\n": ("disableConcurrentBuilds(\n", "Unexpected input|unexpected token"),
}


@pytest.fixture(scope="module")
def slips(
    builds: Callable[[list[dict[str, Any]]], list[Outcome]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Outcome]:
    """Carry a Jenkinsfile out with each of some slips in it."""
    folder, scenarios = tmp_path_factory.mktemp("slips"), []
    for number, (right, (wrong, _)) in enumerate(SLIPS.items()):
        assert right in FILE.read_text()
        place = folder / f"Jenkinsfile_{number}"
        place.write_text(FILE.read_text().replace(right, wrong))
        scenarios.append({"file": str(place)})
    return dict(zip(SLIPS, builds(scenarios), strict=True))


@pytest.mark.parametrize("right", [*SLIPS])
def test_a_slip_is_seen(slips: dict[str, Outcome], right: str) -> None:
    """A word, a key or a value that Jenkins would refuse, or worse, would not."""
    seen = f"{slips[right].refused} {slips[right].result}"
    assert any(said in seen for said in SLIPS[right][1].split("|")), seen


def test_the_linter_finds_no_error(lint: list[str], tmp_path: Path) -> None:
    """npm-groovy-lint has no error to tell of the file, and one of a broken copy."""
    texts = {"right": FILE.read_text(), "broken": FILE.read_text().replace("agent any", "agent any {{")}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "Jenkinsfile").write_text(text)
    command = [*lint, "--output", "json", "--path", str(tmp_path), "--files", "**/Jenkinsfile"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    found = {Path(file).parent.name: one["errors"] for file, one in json.loads(done.stdout)["files"].items()}
    severe = {name: [fault for fault in faults if fault["severity"] == "error"] for name, faults in found.items()}
    assert severe["right"] == []
    assert [fault["rule"] for fault in severe["broken"]] == ["NglParseError"]
    assert done.returncode == 1


def _obsqa(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the steps that run obsqa."""
    return [one for one in outcome.steps("sh") if ".venv/bin/obsqa" in one["script"]]


def _arguments(step: dict[str, Any]) -> list[str]:
    """Return what obsqa is called with: the shell's part, `set --`, carried out for the camera that is asked for."""
    (line,) = [one for one in step["script"].splitlines() if ".venv/bin/obsqa" in one]
    only = step["env"]["ONLY"]
    camera = [] if only == "all" else ["--camera", only]
    words = shlex.split(line)[1:]
    return [word for one in words for word in (camera if one == "$@" else [one])]


def _run(step: dict[str, Any], folder: Path) -> list[str]:
    """Carry a step out with a program in place of obsqa, and return the arguments it got."""
    program = folder / ".venv" / "bin" / "obsqa"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text('#!/bin/sh\nfor one in "$@"; do printf "%s\\n" "$one"; done\n')
    program.chmod(0o755)
    return _shell(step["script"], folder, {**step["env"], **step.get("cell", {})}).splitlines()


def _shell(script: str, folder: Path, env: dict[str, str]) -> str:
    """Carry a script out as Jenkins does."""
    (folder / "script.sh").write_text(script)
    done = subprocess.run(
        ["/bin/sh", "-e", str(folder / "script.sh")],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
