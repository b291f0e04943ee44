"""Checks bundle.json against the rules of its reader, with the JSON Schema generated from the reader's own.

`bundle.schema.json` is generated from models/pixart/bundle.ts (tests/models/pixart/bundle-schema.test.ts keeps them in
sync). Only the parts of JSON Schema that occur in that file are implemented.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = json.loads((Path(__file__).parent / "bundle.schema.json").read_text(encoding="utf-8"))

_TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: _is_number(value) and value == int(value),
    "number": lambda value: _is_number(value),  # noqa: PLW0108
}
_BOUNDS = {
    "minimum": ("at least", lambda value, bound: value >= bound),
    "exclusiveMinimum": ("more than", lambda value, bound: value > bound),
    "maximum": ("at most", lambda value, bound: value <= bound),
    "exclusiveMaximum": ("less than", lambda value, bound: value < bound),
}


def problems_of(value: Any, schema: dict[str, Any] = SCHEMA, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields each place (`defaults.steps`) where a reader would refuse the value, and what it expected and found."""
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        found = [list(problems_of(value, choice, path)) for choice in choices]
        if all(found):
            yield from min(found, key=len)
        return
    expected = _expected(value, schema)
    if expected is not None:
        yield path, f"expected {expected}, found {value!r}"
        return
    if isinstance(value, dict):
        yield from _problems_within(value, schema, path)
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from problems_of(item, schema.get("items", {}), f"{path}[{index}]")


def _problems_within(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _join(path, name), "expected a value, found none"
    for name, item in value.items():
        where = _join(path, name)
        yield from problems_of(name, schema.get("propertyNames", {}), where)
        if name not in properties and others is False:
            yield where, "expected no such field"
        else:
            yield from problems_of(item, properties.get(name, others), where)


def _expected(value: Any, schema: dict[str, Any]) -> str | None:
    """What the schema expects of the value itself, if the value differs from it."""
    kind = schema.get("type")
    if kind and not _TYPES[kind](value):
        return kind
    if isinstance(value, str) and not _is_text(value):
        return "text that can be encoded as UTF-8"
    allowed = [schema["const"]] if "const" in schema else schema.get("enum", [value])
    if value not in allowed:
        return " or ".join(repr(each) for each in allowed)
    if "pattern" in schema and not re.search(schema["pattern"].replace("$", r"\Z"), value):
        return schema.get("description", f"text that matches {schema['pattern']}")
    for name, (words, is_within) in _BOUNDS.items():
        if name in schema and not is_within(value, schema[name]):
            return f"{words} {schema[name]}"
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
