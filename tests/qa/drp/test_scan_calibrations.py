from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa.drp.scan_calibrations import Calibrating, in_groups


def taken(kind: str, mjd: float, number: int) -> Calibrating:
    """Make an exposure of a date."""
    return Calibrating(f"{number}.fits", kind, number, (1,), mjd, f"day {mjd:g}")


def test_darks_and_flats_join_the_nearest_biases() -> None:
    """Biases of two weeks are two groups; each kind is valid until the next group that has some of it."""
    files = [
        *(taken("bias", 100.0 + 0.01 * n, n) for n in range(3)),
        *(taken("bias", 107.0 + 0.01 * n, 10 + n) for n in range(3)),
        taken("dark", 102.0, 20),
        taken("flat", 99.0, 21),
        taken("flat", 108.5, 22),
    ]
    calibrations, caveats = in_groups(files)
    assert not caveats
    facts = {(one.kind, one.group, one.begin, one.end) for one in calibrations}
    assert facts == {
        ("bias", "calibration-0", None, "day 107"),
        ("bias", "calibration-10", "day 107", None),
        ("dark", "calibration-0", None, None),
        ("flat", "calibration-0", None, "day 107"),
        ("flat", "calibration-10", "day 107", None),
    }


def test_without_biases_there_are_no_masters() -> None:
    """Darks and flats alone are told; nothing at all is nothing to tell."""
    assert in_groups([taken("dark", 1.0, 1)]) == (
        (),
        ["1 darks and flats left out: must have biases with them, found none"],
    )
    assert in_groups([]) == ((), [])


@given(st.lists(st.tuples(st.sampled_from(["bias", "dark", "flat"]), st.floats(0, 50)), max_size=12))
def test_each_date_has_one_group_of_a_kind(shots: list[tuple[str, float]]) -> None:
    """Of each kind, the first validity is open to the past, the last to the future, and they follow without gap."""
    files = [taken("bias", 25.0, 99), *(taken(kind, mjd, n) for n, (kind, mjd) in enumerate(shots))]
    calibrations, _ = in_groups(files)
    assert len(calibrations) == len(files)
    for kind in {one.kind for one in files}:
        spans = {(one.begin, one.end) for one in calibrations if one.kind == kind}
        assert len({begin for begin, _ in spans}) == len({end for _, end in spans}) == len(spans)
        assert {begin for begin, _ in spans} - {None} == {end for _, end in spans} - {None}
