"""Every text a reader sees, in the reader's language.

The English text is the key; `translations/<subject>.toml` holds its Chinese. A text that is declared in one place and shown
in another (a Metric's label) is marked with `noop` where it is declared and goes through `t` where it is shown.
"""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

from babel.dates import format_date, format_skeleton, get_day_names

Name = TypeVar("Name")
Language = Literal["en", "zh"]

_current: ContextVar[Language] = ContextVar("language", default="en")


def current() -> Language:
    """Return the language that texts are shown in now."""
    return _current.get()


def use(language: Language) -> None:
    """Show texts in `language` from here on, in this thread."""
    _current.set(language)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Show texts in `language` inside the block."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def noop(text: str) -> str:
    """Mark `text` as shown to a reader; it is translated where it is shown."""
    return text


def t(text: str, /, **values: object) -> str:
    """Return `text` in the current language with `values` filled in.

    >>> t("{n} orders", n=3)
    '3 orders'
    """
    shown = chinese().get(text, text) if current() == "zh" else text
    return shown.format(**values) if values else shown


def translated(labels: Mapping[Name, str]) -> dict[Name, str]:
    """Return the labels of names in the current language."""
    return {name: t(label) for name, label in labels.items()}


@cache
def chinese() -> dict[str, str]:
    """Return the Chinese of every English text, gathered from the translation files.

    Raises ValueError if two files give one text two translations.
    """
    texts: dict[str, str] = {}
    for file in sorted(files("crm_metrics").joinpath("translations").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for english, written in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if texts.setdefault(english, written) != written:
                raise ValueError(f"{file.name}: {english!r} is translated twice: {texts[english]!r} and {written!r}.")
    return texts


def locale() -> str:
    """Return the babel locale of the current language."""
    return "zh_Hans_CN" if current() == "zh" else "en_US"


def date_text(day: date | None) -> str:
    """Return `day` as the reader writes dates; a dash when unknown.

    >>> date_text(date(1997, 9, 30))
    'Sep 30, 1997'
    """
    return "—" if day is None else format_date(day, format="medium", locale=locale())


def weekday_text(weekday: int) -> str:
    """Return the name of a day of the week, 0 is Monday.

    >>> weekday_text(0)
    'Monday'
    """
    return str(get_day_names("wide", context="stand-alone", locale=locale())[weekday])


def month_text(day: date) -> str:
    """Return the month of `day`.

    >>> month_text(date(1997, 9, 30))
    'Sep 1997'
    """
    return format_skeleton("yMMM", day, locale=locale())
