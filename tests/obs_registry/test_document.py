from __future__ import annotations

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from obs_registry.document import YamlError, parse, replace

NAMES = st.text("abcdefg", min_size=1, max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_plain_values_come_back_as_they_were_written(value: object) -> None:
    """Reading undoes writing."""
    assert parse(yaml.safe_dump(value)).value == value


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(), min_size=1), min_size=1))
def test_every_key_knows_its_line(value: dict[str, dict[str, int]]) -> None:
    """The line of a key, inner or outer, is where its text stands."""
    text = yaml.safe_dump(value, default_flow_style=False)
    document = parse(text)
    for outer, inner in value.items():
        for key in inner:
            assert text.splitlines()[document.line(outer, key) - 1].strip().startswith(f"{key}:")
        assert text.splitlines()[document.line(outer) - 1] == f"{outer}:"


def test_a_key_that_is_absent_has_the_line_of_what_is_around_it() -> None:
    """A missing key is reported where it should have been."""
    document = parse("a: 1\nb:\n  - c: 2\n")
    assert document.line("b", 0, "d") == 3
    assert document.line("b", 0, "c") == 3
    assert document.line("e") == 1


def test_repeated_keys_are_found_in_their_own_mapping_only() -> None:
    """The second of two equal keys is the fault, and what lies below it is not counted again."""
    document = parse("a: {x: 1}\nb:\n  x: 1\n  x: 2\na: {x: 1}\n")
    assert sorted(document.repeated) == [(("a",), 5), (("b", "x"), 4)]


def test_a_day_that_no_calendar_has_stays_text() -> None:
    """So that the fault is reported with its key, beside the others."""
    assert parse("until: 2026-02-31\nbegun: 2026-02-28").value == {"until": "2026-02-31", "begun": date(2026, 2, 28)}


def test_aliases_that_contain_themselves_are_read() -> None:
    """No file makes the reader run for ever."""
    value = parse("a: &a [*a]").value
    assert value["a"][0] is value["a"]


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n"])
def test_an_empty_text_is_no_value(text: str) -> None:
    """A file that was emptied by accident is told from a broken one."""
    assert parse(text).value is None


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: [1, 2\n", 3, "did not find expected"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a: !!python/object/apply:os.system [ls]", 1, "could not determine a constructor"),
        ("a: \x01", 1, "control characters are not allowed"),
        ("\n? [1]\n: 2", 2, "unhashable key"),
    ],
)
def test_what_is_not_one_document_of_plain_yaml_is_refused(text: str, line: int, problem: str) -> None:
    """The error tells the line and the problem; nothing in the text is called."""
    with pytest.raises(YamlError, match=f"line {line}: ") as caught:
        parse(text)
    assert caught.value.line == line
    assert problem in caught.value.problem


def test_replacing_leaves_all_else_alone() -> None:
    """Comments, order, quotes and line ends stay as they were."""
    text = "# one\r\nlease: {until: '2026-01-01', x: 1}  # two\r\nnäme: \"ö\" # three\r\n"
    changed = replace(text, {("lease", "until"): date(2030, 5, 6), ("näme",): "a # b"})
    assert changed == '# one\r\nlease: {until: 2030-05-06, x: 1}  # two\r\nnäme: "a # b" # three\r\n'


@given(st.dictionaries(NAMES, st.dates() | st.text(max_size=9), min_size=1), st.data())
def test_what_was_replaced_reads_as_the_new_value(value: dict[str, object], data: st.DataObject) -> None:
    """Replacing and reading gives the new value at the key and the old ones elsewhere."""
    key = data.draw(st.sampled_from(sorted(value)))
    new = data.draw(st.dates() | st.text(max_size=9))
    assert parse(replace(yaml.safe_dump(value), {(key,): new})).value == value | {key: new}


@pytest.mark.parametrize("key", [("b",), ("a", "c"), ("a",)])
def test_only_a_scalar_that_is_there_can_be_replaced(key: tuple[str, ...]) -> None:
    """A key that is absent, or holds more than a scalar, is an error of the caller."""
    with pytest.raises(KeyError):
        replace("a: {b: 1}", {key: "x"})
