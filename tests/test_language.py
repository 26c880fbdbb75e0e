"""Every text a reader sees has its Chinese, and nothing is shown that did not go through the translation function.

The source is read as a syntax tree: what is shown only in a rare case is found as well as what every page shows.
"""

import ast
import re
import string
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from crm_metrics import definitions, schema
from crm_metrics.language import chinese, speaking, t

ROOT = Path(__file__).parent.parent
TRANSLATIONS = ROOT / "crm_metrics" / "translations"
CODE = (ROOT / "app.py", *sorted((ROOT / "crm_metrics").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")))
SCREEN_CODE = [path for path in CODE if path.parent.name in ("pages", "ui") or path.name in ("app.py", "ui.py")]
MARKING = ("t", "noop", "BadInput")  # the first argument is a text for the reader
LITERAL_ONLY = ("noop", "BadInput")  # a text that is shown elsewhere must be readable where it is declared
METRIC_TEXTS_BY_POSITION = {1: "label", 4: "means", 5: "source"}  # of Metric(name, label, unit, better, means, source)


class Text(NamedTuple):
    """One English text in the code and where it stands."""

    english: str
    where: str


# ── reading the code ────────────────────────────────────────────────────────────────────────────────────────────────────


def parsed(paths: Iterable[Path]) -> Iterator[tuple[str, ast.Module]]:
    for path in paths:
        yield str(path.relative_to(ROOT)), tree_of(path)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def called_name(call: ast.Call) -> str:
    """`t` of t(...), `BadInput` of metric.BadInput(...), `caption` of st.sidebar.caption(...)."""
    return call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""


@cache
def calls(tree: ast.AST) -> tuple[ast.Call, ...]:
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Call))


def constants(node: ast.expr) -> list[str] | None:
    """The literal texts that `node` can be; None if it is made up in place (an f-string, a sum, a format)."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        sides = [constants(side) for side in (node.body, node.orelse)]
        return None if None in sides else [text for side in sides if side for text in side]
    if isinstance(node, ast.JoinedStr | ast.BinOp) or (isinstance(node, ast.Call) and called_name(node) in ("format", "join", "replace")):
        return None
    return []


def metric_texts(call: ast.Call) -> Iterator[ast.expr]:
    for position, name in METRIC_TEXTS_BY_POSITION.items():
        named = [keyword.value for keyword in call.keywords if keyword.arg == name]
        yield from named or call.args[position : position + 1]


def shown_nodes(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that are texts for the reader."""
    for call in calls(tree):
        if called_name(call) in MARKING and call.args:
            yield call.args[0]
        elif called_name(call) == "Metric":
            yield from (node for node in metric_texts(call) if not (isinstance(node, ast.Call) and called_name(node) == "noop"))


def texts_in(where: str, tree: ast.AST) -> list[Text]:
    return [Text(text, f"{where}:{node.lineno}") for node in shown_nodes(tree) for text in constants(node) or [] if text]


def made_up_in(where: str, tree: ast.AST) -> list[str]:
    """Where a text is made up in place of being a literal: it could never be translated."""
    faults = [f"{where}:{node.lineno}" for node in shown_nodes(tree) if constants(node) is None]
    declared = [call for call in calls(tree) if called_name(call) in LITERAL_ONLY and call.args and not _passes_on(call)]
    return faults + [f"{where}:{call.lineno}" for call in declared if not constants(call.args[0])]


def _passes_on(call: ast.Call) -> bool:
    """BadInput(problem.text, **problem.values) passes a text on that is marked elsewhere."""
    return called_name(call) == "BadInput" and isinstance(call.args[0], ast.Attribute | ast.Name | ast.Subscript)


def schema_texts() -> list[Text]:
    docs = [(column.doc, f"schema.{table.name}.{column.name}") for table in schema.metadata.tables.values() for column in table.columns]
    captions = [(caption, f"schema.{name}") for name, caption in definitions.table_captions().items()]
    return [Text(text, where) for text, where in docs + captions if text]


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    """Every English text in the code."""
    return [text for where, tree in parsed(CODE) for text in texts_in(where, tree)] + schema_texts()


@pytest.fixture(scope="module")
def files() -> dict[str, dict[str, str]]:
    """The translations by file."""
    return {path.name: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(TRANSLATIONS.glob("*.toml"))}


# ── complete ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_text_has_a_chinese_translation(texts, files):
    translated = {english for entries in files.values() for english in entries}
    missing = sorted({f"{text.where}: {text.english}" for text in texts if text.english not in translated})
    assert missing == []


def test_no_translation_is_unused(texts, files):
    used = {text.english for text in texts}
    unused = sorted(f"{name}: {english}" for name, entries in files.items() for english in entries if english not in used)
    assert unused == []


def test_no_text_stands_in_two_files(files):
    count = Counter(english for entries in files.values() for english in entries)
    assert sorted(english for english, n in count.items() if n > 1) == []


def test_the_translations_are_chinese(files):
    # Names of formats and models stay as they are, and a joint of two sentences is punctuation alone.
    as_they_are = re.compile(r"[A-Z0-9]{2,}([ /-][A-Z0-9]{2,})*|P\(alive\)|Excel|[\W\d_]*(\{[^}]*\}[\W\d_]*)*")
    kept = sorted(
        f"{name}: {english}"
        for name, entries in files.items()
        for english, translated in entries.items()
        if not re.search(r"[\u4e00-\u9fff]", translated) and not as_they_are.fullmatch(english) and not looks_like_a_reference(english)
    )
    assert kept == []


def looks_like_a_reference(english: str) -> bool:
    """A source in the literature keeps its names and year: "Fader, Hardie and Lee (2005)"."""
    return bool(re.search(r"\((1[89]|20)\d\d\)|\b(1[89]|20)\d\d\b", english))


def test_placeholders_are_the_same_in_both_languages(files):
    different = sorted(
        f"{name}: {english}"
        for name, entries in files.items()
        for english, translated in entries.items()
        if placeholders(english) != placeholders(translated)
    )
    assert different == []


def placeholders(text: str) -> set[str]:
    """The names in braces, whatever their format."""
    return {name.partition(".")[0].partition("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_placeholder_is_given_a_value():
    """t("{n} rows") without n= shows the braces; t("{n} rows", m=3) is an error that only a reader would meet."""
    faults = []
    for where, tree in parsed(CODE):
        for call in calls(tree):
            if called_name(call) not in ("t", "BadInput") or not call.args or any(keyword.arg is None for keyword in call.keywords):
                continue
            given = {keyword.arg for keyword in call.keywords}
            faults += [f"{where}:{call.lineno}: {text}" for text in constants(call.args[0]) or [] if placeholders(text) != given]
    assert faults == []


def test_a_text_is_a_literal_never_made_up_in_place():
    assert [fault for where, tree in parsed(CODE) for fault in made_up_in(where, tree)] == []


# ── nothing goes past the translation ───────────────────────────────────────────────────────────────────────────────────

# Calls that put their texts before the reader, on st itself, on a container or in ui.
SCREEN_CALLS = {
    *(
        "title",
        "header",
        "subheader",
        "caption",
        "markdown",
        "text",
        "write",
        "metric",
        "info",
        "warning",
        "error",
        "success",
        "toast",
        "spinner",
    ),
    *("button", "download_button", "link_button", "page_link", "form_submit_button", "popover", "expander", "status", "tabs", "Page"),
    *("text_input", "text_area", "selectbox", "multiselect", "radio", "pills", "segmented_control", "checkbox", "toggle", "date_input"),
    *("file_uploader", "number_input", "slider", "set_page_config", "TextColumn", "NumberColumn", "DateColumn", "CheckboxColumn"),
    *("finding", "note", "question", "Column", "figure", "table", "tiles"),
}
FIGURE_CALLS = {"base", "add_label"}
SCREEN_KEYWORDS = {"label", "help", "placeholder", "body", "text", "title", "notes", "alt", "x_title", "y_title", "delta", "page_title"}
# Leading arguments that are no text
NOT_TEXT = {
    "Page": 1,
    "page_link": 1,
    "figure": 2,
    "table": 2,
    "tiles": 3,
    "add_label": 3,
    "base": 2,
    "set_page_config": 9,
}
LOGS = {"logger", "logging", "log", "console"}
BRAND = {"CRM Metrics"}  # a name is not translated


def bare_literals(where: str, tree: ast.AST) -> list[str]:
    """Where letters go to the screen without t()."""
    faults = []
    for call in calls(tree):
        name = called_name(call)
        if name not in SCREEN_CALLS | FIGURE_CALLS or root_name(call.func) in LOGS:
            continue
        first = NOT_TEXT.get(name, 0)
        positional = call.args[first : first + 1]
        named = [keyword.value for keyword in call.keywords if keyword.arg in SCREEN_KEYWORDS]
        faults += [f"{where}:{node.lineno}: {text!r}" for node in (*positional, *named) for text in letters_of(node) if text not in BRAND]
    return faults


def root_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def letters_of(node: ast.expr) -> list[str]:
    """Literal texts of `node` with a word in them: markup, icons and single signs are none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        bare = re.sub(r"<style>.*?</style>|<[^>]*>|:material/\w+:|:\w+\[|&\w+;", "", node.value, flags=re.DOTALL)
        return [node.value] if re.search(r"[^\W\d_]{2}", bare) else []
    parts: list[ast.expr] = []
    if isinstance(node, ast.JoinedStr):
        parts = [part for part in node.values if isinstance(part, ast.Constant)]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.List | ast.Tuple):
        parts = node.elts
    return [text for part in parts for text in letters_of(part)]


def test_no_page_shows_a_text_that_did_not_go_through_t():
    assert [fault for where, tree in parsed(SCREEN_CODE) for fault in bare_literals(where, tree)] == []


def test_no_figure_has_an_axis_or_label_that_did_not_go_through_t():
    rooms_code = [path for path in CODE if path not in SCREEN_CODE]
    drawing = [(where, ast.Expr(call)) for where, tree in parsed(rooms_code) for call in calls(tree) if called_name(call) in FIGURE_CALLS]
    assert [fault for where, call in drawing for fault in bare_literals(where, call)] == []


# ── these tests can fail ────────────────────────────────────────────────────────────────────────────────────────────────


MADE_UP = [
    't(f"{n} orders")',
    't("orders: " + n)',
    't("{n} orders".format(n=n))',
    'noop(f"{n}")',
    "noop(text)",
    'BadInput("Row " + row)',
    't("a" if x else f"{x}")',
]
READABLE = ['t("{n} orders", n=1)', "t(variable)", "t(metric.label)", 't("a" if x else "b")', "BadInput(problem.text, **problem.values)"]


@pytest.mark.parametrize("code", MADE_UP)
def test_a_text_made_up_in_place_is_found(code):
    assert made_up_in("x.py", ast.parse(code)) != []


@pytest.mark.parametrize("code", READABLE)
def test_a_literal_or_a_marked_text_is_accepted(code):
    assert made_up_in("x.py", ast.parse(code)) == []


def test_the_texts_of_a_metric_are_found_by_position_and_by_name():
    by_position = ast.parse('Metric("orders", "Orders", "count", "higher", "Purchases.", "Someone (1999)")')
    by_name = ast.parse('Metric("orders", label=noop("Orders"), unit="count", better="higher", means="Purchases.")')
    assert {text.english for text in texts_in("x.py", by_position)} == {"Orders", "Purchases.", "Someone (1999)"}
    assert {text.english for text in texts_in("x.py", by_name)} == {"Orders", "Purchases."}


@pytest.mark.parametrize(
    "code",
    [
        'st.title("Hello")',
        'st.sidebar.caption(f"{n} rows")',
        'column.button("Go")',
        'st.tabs(["One", "Two"])',
        'st.text_input(t("Name"), placeholder="your name")',
        'ui.note("Bare")',
        'ui.figure(page, fig, name="x", alt="a chart")',
        'ui.Column("Customer", "text")',
        'st.markdown("<b>Hello</b>")',
        'figures.base(x_title="Month", y_title=t("Money"))',
        'st.error("Oh" if x else t("No"))',
    ],
)
def test_a_bare_text_on_screen_is_found(code):
    assert bare_literals("x.py", ast.parse(code)) != []


@pytest.mark.parametrize(
    "code",
    [
        'st.title(t("Hello"))',
        'st.markdown(f"**{t(label)}**")',
        'st.button(t("Go"), key="go", icon=":material/add:", type="primary")',
        'st.markdown(":material/filter_alt: —")',
        'ui.Column(t("Customer"), "text")',
        'st.markdown("<style>.tile {color: red}</style>")',
        'logger.warning("for the log")',
        'figures.base(x_title=t("Month"), y_title=t("Money"))',
    ],
)
def test_what_is_no_bare_text_is_accepted(code):
    assert bare_literals("x.py", ast.parse(code)) == []


def test_placeholders_are_read_whatever_their_format():
    assert placeholders("Row {row}: {value!r} of {total:,} {frame.name}") == {"row", "value", "total", "frame"}


# ── the function itself ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_shown_in_the_language_spoken_and_only_there():
    english = next(iter(chinese()))
    with speaking("zh"):
        assert t(english, **dict.fromkeys(placeholders(english), "1")) != english
    assert t("{n} orders", n=3) == "3 orders"


def test_a_text_without_translation_is_shown_in_english_and_not_lost():
    with speaking("zh"):
        assert t("No such text {n}", n=1) == "No such text 1"
