from __future__ import annotations

from qa.bisect import Answer, Certainty, Commit, Culprit, Ends, Outcome, Swap, swaps
from qa.bisect.answer import Found, Trial

GOOD, BAD = {"a": "1", "b": "1"}, {"a": "2", "b": "2"}
COMMITS = (Commit("x"), Commit("y"))


def a_trial(a: str, b: str, outcome: Outcome) -> Trial:
    """Build a trial of two packages."""
    return Trial({"a": a, "b": b}, outcome, 1.0, 0.0, 0.0)


def test_trials_say_whether_swapping_back_mends_it() -> None:
    """A trial with packages in their good state is evidence for blame; untestable and half-way ones are none."""
    made = [
        a_trial("1", "1", Outcome.GOOD),
        a_trial("2", "2", Outcome.BAD),
        a_trial("1", "2", Outcome.GOOD),
        a_trial("1", "2", Outcome.GOOD),
        a_trial("2", "1", Outcome.BAD),
        a_trial("1", "half-way", Outcome.GOOD),
    ]
    assert swaps("testcam", BAD, GOOD, made) == (
        Swap("testcam", frozenset({"a", "b"}), mended=True),
        Swap("testcam", frozenset({"a"}), mended=True),
        Swap("testcam", frozenset({"b"}), mended=False),
    )
    assert swaps("testcam", BAD, GOOD, [a_trial("1", "2", Outcome.SKIPPED)]) == ()


def test_an_answer_is_exact_with_one_commit_of_each_package() -> None:
    """Several suspects of one package are no answer yet; a package without history has nothing more to say."""
    sure = Certainty(1.0, "")

    def answer(*culprits: Culprit) -> Answer:
        return Answer(Found(culprits), Ends(0.0, 1.0, 0.0, 2), (), sure)

    found, none = Culprit("a", "1", "2", COMMITS[:1]), Culprit("b", "1", "2")
    assert answer(found, none).exact
    assert not answer(found, Culprit("c", "1", "2", COMMITS)).exact
