"""Read YAML of settings: plain values only, every key once, and no more of them than settings can be.

PyYAML lets the last of two equal keys win and aliases stand for one another, so a file of a few lines can hold billions
of values. Both are refused here, before any value is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from common.text import shown

MOST_CHARACTERS = 200_000
MOST_VALUES = 20_000  # aliases written out
MOST_DEPTH = 40
MOST_NUMBER = 2**53  # of integers: JSON, which settings become, holds all up to it

KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:int")  # an int is the index of an element of a list
MERGE_TAG = "tag:yaml.org,2002:merge"  # of `<<`

# PyYAML itself raises the first only; its constructors of values (dates, numbers in odd bases, tags) raise the others.
NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError)


class RefusedYamlError(Exception):
    """YAML that could be read, and is not that of settings; the message gives the reason."""


def parse(text: str) -> Any:
    """Parse a document.

    Args:
      text: YAML.

    Returns:
      Its value, of which no two parts are one object; keys are strings. None for an empty document.

    Raises:
      RefusedYamlError: a key twice in one group, keys that are no words, too many values, too deep, or too large.
      yaml.YAMLError, or one of `NOT_YAML`: it is not YAML, or not of plain values.
    """
    if len(text) > MOST_CHARACTERS:
        raise RefusedYamlError(f"has {len(text):,} characters; settings have {MOST_CHARACTERS:,} at most")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return _separate(loader.construct_document(node))
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses groups within groups without end, and a key that is given twice in one."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise RefusedYamlError(f"has more than {MOST_DEPTH} groups within one another")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag not in (*KEY_TAGS, MERGE_TAG):
                found = shown(key.value) if isinstance(key, yaml.ScalarNode) else f"a {key.id}"
                raise RefusedYamlError(f"line {line}: a key must be a word, not {found}")
            if key.value in lines:
                raise RefusedYamlError(
                    f"the key {shown(key.value)} is given twice in one mapping, in line {lines[key.value]} and in "
                    f"line {line}: only one of them can hold"
                )
            lines[key.value] = line
        return node


def _count(node: yaml.Node, counted: dict[yaml.Node, int]) -> int:
    """Count the values of a node with its aliases written out.

    Raises:
      RefusedYamlError: they are too many, or an alias refers to a value that contains it.
    """
    if node in counted:
        if not counted[node]:
            raise RefusedYamlError(f"line {node.start_mark.line + 1}: an alias refers to a value that contains it")
        return counted[node]
    counted[node] = 0
    counted[node] = count = 1 + sum(_count(child, counted) for child in _children(node))
    if count > MOST_VALUES:
        raise RefusedYamlError(f"holds {count:,} values or more, with aliases written out; {MOST_VALUES:,} at most")
    return count


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from (key, value)
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _separate(value: Any) -> Any:
    """Return a copy of which no two parts are one object: what is merged into one of them stays out of the other."""
    if isinstance(value, dict):
        return {str(key): _separate(of) for key, of in value.items()}
    if isinstance(value, list):
        return [_separate(item) for item in value]
    if isinstance(value, int) and abs(value) > MOST_NUMBER:
        raise RefusedYamlError(f"{shown(value)} is too large for a number: they go to {MOST_NUMBER}")
    return value
