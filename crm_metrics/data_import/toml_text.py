"""Writes the few kinds of TOML value that a mapping has."""

import json
from collections.abc import Mapping as Dictionary
from datetime import date
from decimal import Decimal
from typing import Any


def as_toml_text(written: Dictionary[str, Any], comments: Dictionary[str, str] | None = None) -> str:
    """Return a dictionary as TOML: plain values first, then tables, then lists of tables. comments: dotted key -> words above it.

    >>> print(as_toml_text({"name": "shop", "columns": {"order": "No."}}, {"columns.order": "its values repeat"}))
    name = "shop"
    <BLANKLINE>
    [columns]
    # its values repeat
    order = "No."
    <BLANKLINE>
    """
    return "\n".join(_table(written, "", comments or {})) + "\n"


def _table(written: Dictionary[str, Any], prefix: str, comments: Dictionary[str, str]) -> list[str]:
    lines = []
    for key, value in written.items():
        if not _is_table(value) and not _is_table_list(value):
            lines += _commented(prefix + key, comments)
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in written.items():
        if _is_table(value):
            lines += ["", *_commented(prefix + key, comments), f"[{prefix}{_key(key)}]", *_table(value, f"{prefix}{key}.", comments)]
    for key, value in written.items():
        if _is_table_list(value):
            for each in value:
                lines += ["", f"[[{prefix}{_key(key)}]]", *_plain(each)]
    return lines


def _plain(written: Dictionary[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in written.items()]


def _commented(key: str, comments: Dictionary[str, str]) -> list[str]:
    return [f"# {line}" for line in comments.get(key, "").splitlines()]


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_table_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, dict) for each in value)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f'"{value}"'
    if isinstance(value, dict):
        return "{ " + ", ".join(_plain(value)) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
