from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from ci import cli
from ci.bisect import trials
from ci.bisect.journal import FILE_NAME, read_trials
from qa.bisect import Answer, Changed, Probe, Swap
from qa.documents import from_plain

if TYPE_CHECKING:
    from pathlib import Path


def answer_of(stack: Any, capsys: pytest.CaptureFixture[str], *options: str, expected: int = 0, **more: Any) -> Any:
    """Run a bisect and return what it says to machines."""
    code = cli.run(stack.line("--json", *options, **more))
    out, err = capsys.readouterr()
    assert code == expected, err
    return json.loads(out)


def found(answer: Any) -> list[tuple[str, list[str]]]:
    """Return packages and subjects of the commits found."""
    return [(one["package"], [commit["subject"] for commit in one["suspects"]]) for one in answer["found"]["culprits"]]


def journal_of(stack: Any) -> Path:
    """Return where a bisect keeps its trials."""
    return stack.folder / "runs" / "bisect" / "good..bad" / FILE_NAME


def test_one_bad_commit_among_ninety_is_found(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Of three packages with 87 new commits, the one commit that raised the scatter is named, with date and subject."""
    answer = answer_of(one_bad, capsys)
    assert found(answer) == [("calibrate", ["calibrate: change 23"])]
    commit = answer["found"]["culprits"][0]["suspects"][0]
    assert commit["sha"] == one_bad.commits["calibrate"][23]
    assert commit["date"] == "2026-03-02T00:00:00+00:00"
    assert answer["exact"]
    assert answer["certainty"]["chance"] == 1.0
    assert len(answer["trials"]) == one_bad.count <= answer["plan"]["cost"]["single"]


def without_cpu(text: str) -> list[list[str]]:
    """Return the words of each line, without the CPU time of trials."""
    rows = [line.split() for line in text.splitlines()]
    return [row[:5] + row[6:] if row and row[0].isdigit() else row for row in rows]


def test_two_interacting_commits_are_found_as_documented(
    interacting: Any, example: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Packages' file, plan and answer are those that the page shows: two changes of which neither shows alone.

    The same bisect once more makes no trial; the repositories are left as they were; and the trials are evidence for
    blame: they say for which packages swapping them back mends the camera.
    """
    packages, plan, text = example
    (interacting.folder / "stack.yaml").write_text(packages)
    runs = ["--runs", str(interacting.folder / "runs"), "--packages", str(interacting.folder / "stack.yaml")]
    assert cli.run(["bisect", "good", "bad", *runs, "--yes", "--", *interacting.command]) == 0
    out, err = capsys.readouterr()
    assert without_cpu(out) == without_cpu(text)
    assert err.startswith(plan)
    made = interacting.count
    answer = answer_of(interacting, capsys)
    assert interacting.count == made == len(answer["trials"])
    assert found(answer) == [("detect", ["detect: change 11"]), ("measure", ["measure: change 17"])]
    assert answer["found"]["notes"] == []
    assert [len(interacting.git(name, "worktree", "list").splitlines()) for name in interacting.commits] == [1, 1, 1]
    probe = from_plain(answer["probe"], Probe)
    changed = from_plain(answer["plan"]["changed"], tuple[Changed, ...])
    names = ("found", "ends", "trials", "certainty")
    made = trials(probe, changed, from_plain({name: answer[name] for name in names}, Answer))
    assert Swap("testcam", frozenset({"calibrate"}), mended=False) in made
    assert Swap("testcam", frozenset({"calibrate", "detect"}), mended=True) in made


def test_commits_that_do_not_run_are_skipped(stack: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve commits in the middle are broken: they are skipped, told, and the commit after them is found."""
    versions = ["SCATTER = 5.0"] * 10 + ["SCATTER ="] * 12 + ["SCATTER = 5.0"] * 4 + ["SCATTER = 7.0"] * 8
    stack.add("calibrate", versions)
    stack.add("detect", ["CLIPPED = False"] * 2)
    stack.add("measure", ["WEIGHTED = False"] * 2)
    stack.runs()
    answer = answer_of(stack, capsys)
    assert found(answer) == [("calibrate", ["calibrate: change 26"])]
    skipped = [trial for trial in answer["trials"] if trial["outcome"] == "skipped"]
    assert 1 <= len(skipped) <= 4
    assert skipped[0]["reason"] == "ended with exit code 1: SyntaxError: invalid syntax"


def test_a_change_among_untestable_commits_is_narrowed_down(stack: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """As with `git bisect skip`, all commits are named that may be it, and the exit code says that it is not one.

    Packages that did not change are in every trial as they were in both runs.
    """
    stack.add("calibrate", ["SCATTER = 5.0"] * 5 + ["SCATTER ="] * 3 + ["SCATTER = 7.0"] * 5)
    stack.add("detect", ["CLIPPED = False"])
    stack.add("measure", ["WEIGHTED = False"])
    stack.runs()
    assert cli.run(stack.line()) == 4
    out = capsys.readouterr().out
    assert "calibrate  one of 4 commits; those before the last cannot be tested" in out
    assert [f"calibrate: change {number}" in out for number in (4, 5, 6, 7, 8, 9)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_a_commit_that_does_not_build_is_built_once(stack: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether a commit builds is found out once, or once more with --retry; no trial is run where it does not."""
    stack.add("calibrate", ["SCATTER = 5.0"] * 6 + ["SCATTER ="] * 2 + ["SCATTER = 5.0"] * 2 + ["SCATTER = 7.0"] * 3)
    stack.add("detect", ["CLIPPED = False"] * 2)
    stack.add("measure", ["WEIGHTED = False"] * 2)
    stack.runs()
    builds = stack.folder / "builds"
    script = f"open({str(builds)!r}, 'a').write('x'); import calibrate"
    folders = "".join(f"  {name}: {{repository: {name}}}\n" for name in ("detect", "measure"))
    build = json.dumps([sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, 'python'); {script}"])
    file = stack.folder / "stack.yaml"
    file.write_text(f"schema: 1\npackages:\n  calibrate:\n    repository: calibrate\n    build: {build}\n{folders}")
    runs = ["--runs", str(stack.folder / "runs")]
    line = ["bisect", "good", "bad", *runs, "--packages", str(file), "--yes", "--json", "--keep", "--", *stack.command]
    assert cli.run(line) == 0
    answer = json.loads(capsys.readouterr().out)
    assert found(answer) == [("calibrate", ["calibrate: change 10"])]
    skipped = [trial for trial in answer["trials"] if trial["outcome"] == "skipped"]
    assert stack.count == len(answer["trials"]) - len(skipped)
    commits = {trial["combination"]["calibrate"] for trial in answer["trials"]}
    assert len(builds.read_text()) == len(commits)
    assert cli.run([*line[:3], "--retry", *line[3:]]) == 0
    assert found(json.loads(capsys.readouterr().out)) == found(answer)
    assert len(builds.read_text()) == len(commits) + len(skipped)
    assert stack.count == len(answer["trials"]) - len(skipped)


def test_a_bisect_that_was_killed_goes_on(interacting: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Killed in the middle for real: the next one makes no trial again that was finished."""
    slow = interacting.folder / "slow"
    slow.touch()
    script = "import sys; from ci.cli import run; sys.exit(run(sys.argv[1:]))"
    with subprocess.Popen([sys.executable, "-c", script, *interacting.line()], stderr=subprocess.DEVNULL) as process:
        while interacting.count < 8:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    slow.unlink()
    before = read_trials(journal_of(interacting))
    assert len(before) >= 7
    with journal_of(interacting).open("ab") as stream:
        stream.write(b'{"schema": 1, "key": "torn')
    answer = answer_of(interacting, capsys)
    assert found(answer) == [("detect", ["detect: change 11"]), ("measure", ["measure: change 17"])]
    assert len(read_trials(journal_of(interacting))) == len(answer["trials"])
    assert interacting.count <= len(answer["trials"]) + 1  # the one that was under way


def test_merged_branches_are_searched_or_taken_as_one(stack: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A change that came with a merge is found on its branch; with --first-parent the merge is named."""
    stack.add("calibrate", ["SCATTER = 5.0"])
    stack.git("calibrate", "reset", "--hard", "--quiet")
    stack.git("calibrate", "checkout", "--quiet", "-b", "side")
    for subject, scatter in (("side 1", 5.0), ("side 2", 7.0), ("side 3", 7.0)):
        stack.commit("calibrate", f"SCATTER = {scatter}", subject)
    stack.git("calibrate", "checkout", "--quiet", "main")
    stack.git("calibrate", "commit", "--quiet", "--allow-empty", "-m", "main 1")
    stack.git("calibrate", "merge", "--quiet", "--no-ff", "-m", "the merge", "side")
    stack.commits["calibrate"].append(stack.commit("calibrate", "SCATTER = 7.0", "main 2"))
    stack.runs()
    script = "import calibrate, sys; sys.exit(calibrate.SCATTER > 6)"
    command = [sys.executable, "-S", "-c", script]
    options = ("--by-exit-code", "--repeat", "1")
    assert found(answer_of(stack, capsys, *options, command=command)) == [("calibrate", ["side 2"])]
    first = answer_of(stack, capsys, *options, "--first-parent", command=command)
    assert found(first) == [("calibrate", ["the merge"])]
    assert first["certainty"]["chance"] is None


@pytest.mark.parametrize("reads", ["", ", reads: [python]"])
def test_commits_that_change_nothing_that_is_read_are_not_run(
    stack: Any, capsys: pytest.CaptureFixture[str], reads: str
) -> None:
    """Empty ones never, those of texts where the file says what trials read; the commit is found all the same."""
    stack.add("calibrate", ["SCATTER = 5.0"])
    stack.git("calibrate", "reset", "--hard", "--quiet")
    for subject, scatter in (("before", 5.0), ("the change", 7.0)):
        stack.commits["calibrate"].append(stack.commit("calibrate", f"SCATTER = {scatter}", subject))
        for number in range(8):
            if reads:
                (stack.folder / "calibrate" / "NEWS").write_text(f"{subject} {number}")
            stack.git("calibrate", "add", ".")
            stack.git("calibrate", "commit", "--quiet", "--allow-empty", "-m", f"words {number}")
        stack.commits["calibrate"].append(stack.git("calibrate", "rev-parse", "HEAD"))
    stack.runs()
    file = stack.folder / "stack.yaml"
    file.write_text(f"schema: 1\npackages:\n  calibrate: {{repository: calibrate{reads}}}\n")
    script = "import calibrate, pathlib, sys; open(sys.argv[1], 'a').write('x'); sys.exit(calibrate.SCATTER > 6)"
    command = [sys.executable, "-S", "-c", script, str(stack.folder / "count")]
    line = ["bisect", "good", "bad", "--runs", str(stack.folder / "runs"), "--packages", str(file), "--yes", "--json"]
    assert cli.run([*line, "--by-exit-code", "--repeat", "1", "--", *command]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert found(answer) == [("calibrate", ["the change"])]
    assert stack.count == 3  # the first commit, the one before the change, the change
    assert len(answer["trials"]) > 3
    assert sum(trial["wall_seconds"] > 0 for trial in answer["trials"]) == 3


def test_a_lost_commit_is_found(stack: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the bad run had an older revision, the commit that it lacks is named, and said to be lacking."""
    stack.add("calibrate", ["SCATTER = 7.0"] * 4 + ["SCATTER = 5.0"] * 3)
    stack.commits["calibrate"].reverse()
    stack.runs()
    command = [sys.executable, "-S", "-c", "import calibrate, sys; sys.exit(calibrate.SCATTER > 6)"]
    assert cli.run(stack.line("--by-exit-code", "--repeat", "1", command=command)) == 0
    out = capsys.readouterr().out
    assert "calibrate: change 4  (the bad state lacks it)" in out
    assert "chance that no trial was misjudged: unknown; each end was run once" in out


def test_the_exit_code_may_decide(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Without any metric: 0 is good, 1 is bad, 125 cannot be tested."""
    script = "import calibrate, sys; sys.exit(calibrate.SCATTER > 6)"
    answer = answer_of(one_bad, capsys, "--by-exit-code", command=[sys.executable, "-S", "-c", script])
    assert found(answer) == [("calibrate", ["calibrate: change 23"])]
    assert answer["probe"]["metric"] == "exit code"


def test_scatter_that_hides_the_change_is_told_before_the_search(
    one_bad: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ends are run twice first: where they do not differ by more than they scatter, nothing is searched."""
    marks = one_bad.folder / "marks"
    marks.mkdir()
    script = (
        f"import json, pathlib, sys; marks = pathlib.Path({str(marks)!r}); number = len(list(marks.iterdir())); "
        "(marks / str(number)).touch(); "
        "pathlib.Path(sys.argv[1], 'metrics.json').write_text(json.dumps({'PA1': [0, 10, 10, 0][number]}))"
    )
    assert cli.run(one_bad.line(command=[sys.executable, "-S", "-c", script, "{out}"])) == 4
    err = capsys.readouterr().err
    assert "obsqa: PA1 of testcam/twin/r/t0: must " in err
    assert len(read_trials(journal_of(one_bad))) == 4


def test_an_end_that_does_not_run_is_told(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """With what the command said last, and without passwords."""
    script = "import sys; sys.exit('no access to https://me:hidden@example.org with token=hidden')"
    assert cli.run(one_bad.line(command=[sys.executable, "-S", "-c", script])) == 4
    err = capsys.readouterr().err
    assert "found that the good end cannot be: ended with exit code 1: no access to https://***@example.org" in err
    assert "hidden" not in err
    assert "hidden" not in journal_of(one_bad).read_text()


def test_the_plan_says_what_it_costs_and_runs_nothing(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run prints packages, probe and numbers of trials with their price."""
    assert cli.run(one_bad.line("--dry-run")) == 0
    out = capsys.readouterr().out
    assert "(39 commits)" in out
    assert "PA1 of testcam/twin/r/t0: 5 -> 7 mmag, 28.6 spreads, 10 s CPU, 15 s" in out
    assert "  at best: 9  90 s CPU, 2 min" in out
    assert "  one commit to blame, at most: 14  2 min CPU, 4 min" in out
    assert one_bad.count == 0
    assert not journal_of(one_bad).exists()


def test_an_end_that_no_repository_has_is_left_out(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A revision that cannot be found, or a version that is none, is told."""
    sha = one_bad.commits["calibrate"][0]
    one_bad.commits["measure"] = one_bad.commits["measure"][:1]
    one_bad.runs(**{"package calibrate": ("0123456789ab", sha), "package pipped": ("a/b", "1.0")})
    file = one_bad.folder / "stack.yaml"
    file.write_text("schema: 1\npackages: {pipped: {pip: pipped}}\n")
    assert cli.run(one_bad.line("--dry-run", "--packages", str(file))) == 0
    out = capsys.readouterr().out
    assert f"calibrate  left out: 0123456789ab is no commit or tag of {one_bad.folder / 'calibrate'}" in out
    assert "pipped  left out: 'a/b' is no version" in out
    assert "the same in both runs and in all trials: measure" in out


def test_versions_and_branches_are_planned(stack: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions have no commits in between; of a branch, the plan says how many commits of the good one are lacking."""
    stack.add("calibrate", ["SCATTER = 5.0"] * 3)
    stack.git("calibrate", "reset", "--hard", "--quiet")
    stack.git("calibrate", "checkout", "--quiet", "-b", "side", stack.commits["calibrate"][1])
    stack.commits["calibrate"] = [stack.commits["calibrate"][2], stack.commit("calibrate", "SCATTER = 7.0", "side")]
    stack.runs(**{"package pipped": ("1.0", "2.0")})
    file = stack.folder / "stack.yaml"
    file.write_text("schema: 1\npackages: {pipped: {pip: pipped}}\n")
    assert cli.run(stack.line("--dry-run", "--packages", str(file))) == 0
    out = capsys.readouterr().out
    assert "(1 commit, without 1 commit of the good one)" in out
    assert "pipped  1.0 .. 2.0  (versions)" in out


def test_a_plan_for_machines(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """With every commit that may be tried."""
    assert cli.run(one_bad.line("--dry-run", "--json")) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["commits"]["calibrate"] == one_bad.commits["calibrate"][1:]
    assert plan["cost"]["ends"] == 4


def test_nobody_is_asked_without_a_terminal(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A bisect by a script must say --yes, so that a plan does not wait for an answer for ever."""
    line = [part for part in one_bad.line() if part != "--yes"]
    assert cli.run(line) == 2
    assert "must be told to begin; give --yes" in capsys.readouterr().err


def test_at_a_terminal_one_is_asked(
    one_bad: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever says no has seen the cost, and nothing was run."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert cli.run([part for part in one_bad.line() if part != "--yes"]) == 130
    err = capsys.readouterr().err
    assert "  at best: 9  90 s CPU" in err
    assert "Begin? [y/N]" in err
    assert one_bad.count == 0


def test_what_else_differs_is_told(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Packages without a repository, one-sided ones, and facts that are no packages are named in the plan."""
    one_bad.runs(**{"host": ("a", "b"), "package numpy": ("1.26", "2.0"), "package calibrate": ("?", "?")})
    one_bad.commits.pop("calibrate")
    assert cli.run(one_bad.line("--dry-run")) == 0
    out = capsys.readouterr().out
    assert "numpy  left out: no repository is given for it" in out
    assert "also different, and as they are now in all trials: host" in out


def test_runs_with_the_same_packages_cannot_be_bisected(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to exchange is one clear line, with what does differ."""
    one_bad.commits = {name: [shas[0]] for name, shas in one_bad.commits.items()}
    one_bad.runs(host=("a", "b"))
    assert cli.run(one_bad.line()) == 2
    assert "must differ in a package that can be exchanged, found what differs is host;" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metric", "PA9"], "must differ from good in PA9"),
        (["--dataset", "other"], "--dataset must be one on which the change shows or may show (twin), got 'other'"),
        (["--package", "calibrate"], "--package must be NAME=FOLDER of a git repository, found 'calibrate'"),
        (["--package", "../x=."], "--package must be NAME=FOLDER"),
    ],
)
def test_wrong_requests_are_one_line(
    one_bad: Any, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was required, what was found."""
    assert cli.run(one_bad.line(*options)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1


def test_an_exit_code_needs_a_command(one_bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Obsqa's own exit code says too little to search by."""
    line = one_bad.line("--by-exit-code")
    assert cli.run(line[: line.index("--")]) == 2
    assert "must come with a command whose exit code decides" in capsys.readouterr().err
