"""YAML text as a plain value that still knows on which line each key stands; edits that keep comments.

Only safe YAML: nothing in a file is ever called.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from yaml.nodes import Node, ScalarNode

Key = tuple[str, ...]

MOST_VALUES = 1_000_000
"""A thousand bytes of aliases of aliases can stand for more values than any memory holds."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # chosen at run time: C where built
    """The safe loader, except that an impossible date stays text, so that it is reported with its key."""

    def timestamp(self, node: ScalarNode) -> object:
        """Construct a date."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.timestamp)


class YamlError(Exception):
    """A text is not one document of safe YAML."""

    def __init__(self, line: int, problem: str) -> None:
        self.line, self.problem = line, problem
        super().__init__(f"line {line}: {problem}")


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document: its value, the line of every key and list item, and the keys that occur twice."""

    value: Any
    lines: Mapping[Key, int]
    repeated: tuple[tuple[Key, int], ...]

    def line(self, *key: str | int) -> int:
        """Return the line of a key, or of the nearest one around it; the first line if there is none."""
        path = tuple(map(str, key))
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str) -> Document:
    """Read one YAML document.

    Raises
    ------
    YamlError
        If the text is not YAML, more than one document, or asks for more than plain values.
    """
    with _loading(text) as loader:
        return _document(loader, loader.get_single_node())


def parse_all(text: str) -> tuple[Document, ...]:
    """Read all YAML documents of a text.

    Raises
    ------
    YamlError
        If the text is not YAML, or asks for more than plain values.
    """
    documents = []
    with _loading(text) as loader:
        while loader.check_node():
            documents.append(_document(loader, loader.get_node()))
    return tuple(documents)


@contextmanager
def _loading(text: str) -> Iterator[_Loader]:
    """Load from a text; whatever is wrong with it, numbers without end and endless nesting too, is a `YamlError`."""
    try:
        loader = _Loader(text)
        try:
            yield loader
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise YamlError(*_where_and_what(error)) from None
    except RecursionError:
        raise YamlError(1, "values nested without end") from None
    except ValueError as error:
        raise YamlError(1, str(error)) from None


def _document(loader: _Loader, node: Node | None) -> Document:
    if _size(node, {}) > MOST_VALUES:
        raise YamlError(1, f"aliases that stand for more than {MOST_VALUES} values")
    lines, repeated = _locate(node)
    return Document(None if node is None else loader.construct_document(node), lines, repeated)


def _size(node: Node | None, known: dict[int, float]) -> float:
    """Return how many values a node stands for when its aliases are unfolded; what holds itself counts once."""
    if node is None or id(node) in known:
        return 0.0 if node is None else known[id(node)]
    known[id(node)] = 0.0
    known[id(node)] = 1.0 + sum(_size(child, known) for _, _, child in _children(node))
    return known[id(node)]


def replace(text: str, values: Mapping[Key, date | str]) -> str:
    """Return the text with the scalars at some keys replaced; all else, comments too, stays as it is.

    Raises
    ------
    KeyError
        If a key is not there, or holds no scalar.
    """
    # The marks of the Python scanner count characters of `text`; those of libyaml need not.
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    spans = {key: _span(root, key) for key in values}
    for key, (start, end) in sorted(spans.items(), key=lambda item: item[1], reverse=True):
        text = text[:start] + _written(values[key]) + text[end:]
    return text


def _locate(root: Node | None) -> tuple[dict[Key, int], tuple[tuple[Key, int], ...]]:
    """Find the line of every key and list item, and the keys that stand again in their mapping.

    A node that aliases repeat is walked once: they may nest without end.
    """
    lines: dict[Key, int] = {}
    repeated: list[tuple[Key, int]] = []
    walked: set[int] = set()
    rest: list[tuple[Key, Node]] = [] if root is None else [((), root)]
    while rest:
        around, node = rest.pop()
        if id(node) in walked:
            continue
        walked.add(id(node))
        for name, mark, child in _children(node):
            key, line = (*around, name), mark.line + 1
            if key in lines:
                repeated.append((key, line))
            else:
                lines[key] = line
                rest.append((key, child))
    return lines, tuple(repeated)


def _children(node: Node) -> Iterator[tuple[str, Any, Node]]:
    match node:
        case yaml.MappingNode():
            for name, child in node.value:
                yield str(name.value), name.start_mark, child
        case yaml.SequenceNode():
            for index, child in enumerate(node.value):
                yield str(index), child.start_mark, child


def _span(root: Node | None, key: Key) -> tuple[int, int]:
    node = root
    for part in key:
        children = {} if node is None else {name: child for name, _, child in _children(node)}
        node = children[part]
    if not isinstance(node, yaml.ScalarNode):
        raise KeyError(key)
    return node.start_mark.index, node.end_mark.index


def _written(value: date | str) -> str:
    if isinstance(value, date):
        return value.isoformat()
    dumped: str = yaml.safe_dump(value, default_style='"', width=sys.maxsize, allow_unicode=True)
    return dumped.rstrip("\n")


def _where_and_what(error: yaml.YAMLError) -> tuple[int, str]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return (mark.line + 1 if mark else 1), problem
