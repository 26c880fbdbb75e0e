"""Proposes which column of a file is what, with a reason for each and whether it is certain."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import.cells import NUMERIC, column_of, columns_used, fits, missing, parts_of, written_numbers
from crm_metrics.data_import.column_evidence import Evidence, evidence_of
from crm_metrics.data_import.header_names import CANCELLED, HEADERS, RETURNED, SOLD, TOTALS_OF_ORDERS, plain_name
from crm_metrics.data_import.mapping import TARGETS, Layout, Mapping, Target, built_in_names, built_in_text, from_dict, load_mapping
from crm_metrics.data_import.number_marks import Marks, find_marks
from crm_metrics.data_import.problems import gathered
from crm_metrics.data_import.proposal_texts import ASKED_AGAIN, CURRENCIES, DATE_DOUBTS, MARKS, TWO_MARKS
from crm_metrics.data_import.raw_table import Note, RawTable
from crm_metrics.data_import.revenue_doubts import REPEATED, Doubt, is_total_of_orders, money_of, unread_doubts
from crm_metrics.data_import.toml_text import as_toml_text
from crm_metrics.language import noop
from crm_metrics.metric import BadInput

DECIDING: tuple[Target, ...] = ("order", "customer", "date", "quantity", "unit_price", "amount", "currency", "status")
"""Targets that change what counts as revenue or as a customer: when one is found, it has to be certain."""


class Proposed(NamedTuple):
    """What one target is read from. column: None when no column fits."""

    target: Target
    column: str | None
    reason: Note
    is_certain: bool


@dataclass(frozen=True)
class Proposal:
    """Which column is what. settings: the rest of the mapping, as in TOML. built_in: name of a mapping that fits as it is.

    open_questions: columns that change revenue, and that no target reads rightly. columns: of the file.
    """

    file_name: str
    fields: tuple[Proposed, ...]
    settings: dict[str, dict[str, Any]]
    built_in: str | None = None
    open_questions: tuple[Proposed, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def read_columns(self) -> dict[Target, str]:
        """Return which column is read as what, once every doubt is put aside."""
        if self.built_in is not None:
            layouts = load_mapping(self.built_in).all_layouts()
            return {target: str(name) for layout in layouts for target, name in layout.columns.items() if name in self.columns}
        return {field.target: field.column for field in self.fields if field.column is not None and _is_used(field)}

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """Return the columns of the file that nobody reads."""
        return tuple(name for name in self.columns if name not in self.read_columns.values())

    @property
    def is_certain(self) -> bool:
        """Return whether a file can be loaded without a look at the proposal."""
        return self.built_in is not None or not self.doubts()

    def doubts(self) -> list[Proposed]:
        """Return the required columns that are missing or not certain."""
        found = {field.target for field in self.fields if field.column is not None}
        has_amount = "amount" in found or {"quantity", "unit_price"} <= found
        needed = {"customer", "date"} | (set() if has_amount else {"amount"})
        unsure = [
            field
            for field in self.fields
            if (field.target in needed and field.column is None)
            or (field.column is not None and field.target in DECIDING and not field.is_certain)
        ]
        return [*unsure, *self.open_questions]

    def mapping(self) -> Mapping:
        """Return the mapping. Raises BadInput, naming each doubt, unless every required column is certain."""
        if self.built_in is not None:
            return load_mapping(self.built_in)
        if self.doubts():
            problems = [BadInput("{target}: {reason}", target=doubt.target, reason=doubt.reason) for doubt in self.doubts()]
            raise gathered(
                noop("{file}: not every column is certain. Print the proposal, correct it and import with it (--mapping)."),
                problems,
                file=self.file_name,
            )
        return from_dict(self._written(), self.file_name)

    def to_toml(self) -> str:
        """Return the proposal as a mapping to edit, the reasons as comments."""
        if self.built_in is not None:
            return built_in_text(self.built_in)
        asked = {question.column for question in self.open_questions}
        lines = ["[columns]"]
        for field in self.fields:
            if field.column is None and field.target not in ("order", "customer", "date", "amount"):
                continue
            if field.column is None or field.column not in asked:
                lines += [
                    *_comment(field),
                    f"{'' if field.column and _is_used(field) else '# '}{field.target} = {_quoted(field.column)}".rstrip(),
                ]
        for question in self.open_questions:
            lines += [*_comment(question), f"# {question.target} = {_quoted(question.column)}"]
        return self._undecided() + "\n".join(lines) + "\n" + (as_toml_text(self.settings) if self.settings else "")

    def _undecided(self) -> str:
        """Return the list of columns to decide on; what the importer asks about by itself is not on it."""
        names = [doubt.column for doubt in self.doubts() if doubt.column is not None and doubt.reason.text not in ASKED_AGAIN]
        return as_toml_text({"undecided": list(dict.fromkeys(names))}) + "\n" if names else ""

    def _written(self) -> dict[str, Any]:
        columns = {field.target: field.column for field in self.fields if field.column is not None and field.is_certain}
        return {"columns": columns, **self.settings}


def propose(raw: RawTable) -> Proposal:
    """Return which column of `raw` is what, judged by the header and by what the columns hold."""
    built_in = _fitting_built_in(raw)
    if raw.header_row is None and built_in is None:
        reason = Note(noop("The file has no header. Write one, or a mapping with the positions of the columns."), {})
        return Proposal(raw.name, tuple(Proposed(target, None, reason, is_certain=False) for target in TARGETS), {})
    evidence = {name: evidence_of(raw, name) for name in raw.columns}
    chosen = _by_header(raw, evidence)
    marks = _common_marks(raw, chosen)
    if marks is not None:
        evidence = {name: replace(found, marks=marks if found.marks else None, marks_doubt="") for name, found in evidence.items()}
    fields = _settled([_judged(raw, target, chosen, evidence) for target in TARGETS])
    fields, questions = _asked(raw, _with_one_mark(fields, evidence), evidence)
    settings = _settings(raw, fields, evidence)
    return Proposal(raw.name, tuple(fields), settings, built_in, () if built_in else questions, raw.columns)


def _said(field: Proposed) -> str:
    return str(field.reason) if field.is_certain else f"{field.reason} {Note(noop('Not certain: please check.'), {})}"


def _comment(field: Proposed) -> list[str]:
    return [f"# {line}" for line in _said(field).splitlines()]


def _is_used(field: Proposed) -> bool:
    return field.is_certain or field.target in DECIDING


def _quoted(text: str | None) -> str:
    return "" if text is None else as_toml_text({"x": text}).removeprefix("x = ").strip()


# ── a mapping that comes with the product ───────────────────────────────────────────────────────────────────────────────


def _fitting_built_in(raw: RawTable) -> str | None:
    """Return the mapping that names all its columns in this header, of several the one that knows most of its columns.

    Positions alone prove nothing, nor does one name.
    """
    known: dict[str, int] = {}
    for name in built_in_names():
        for layout in load_mapping(name).all_layouts():
            by_name = all(isinstance(column, str) for column in layout.columns.values())
            if by_name and fits(raw, layout) and not missing(raw, layout) and (layout.columns or _is_known(raw, layout)):
                shared = {*(column_of(raw, column) for column in layout.header), *layout.columns.values(), *columns_used(raw, layout)}
                known[name] = max(len(shared), known.get(name, 0))
    return max(known, key=known.__getitem__, default=None)


def _is_known(raw: RawTable, layout: Layout) -> bool:
    """Return whether a file of tables has two columns that the layout needs, or half of its columns are read."""
    wanted = [places for rows in layout.tables for places in rows.columns.values()]
    needed = {*layout.header, *(name for places in wanted for name in parts_of(raw, places))}
    read = columns_used(raw, layout)
    return len(needed) > 1 or (len(read) > 1 and 2 * len(read) >= len(raw.columns))


# ── which column ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _common_marks(raw: RawTable, chosen: dict[Target, tuple[str, ...]]) -> Marks | None:
    """Return the marks that the number columns together show without doubt: 12.50 in one explains 1.000 in another."""
    marks, doubt = find_marks(written_numbers(raw, [chosen[target][0] for target in NUMERIC if chosen.get(target)]))
    return None if doubt else marks


def _by_header(raw: RawTable, evidence: dict[str, Evidence]) -> dict[Target, tuple[str, ...]]:
    """Return for each target the columns whose names fit and whose contents can be it, best name first."""
    fits: dict[Target, tuple[str, ...]] = {}
    for target, names in HEADERS.items():
        ranked = sorted((names.index(plain_name(column)), column) for column in raw.columns if plain_name(column) in names)
        fits[target] = tuple(column for _, column in ranked if _can_be(target, evidence[column]))
    if "Lineitem name" in raw.columns and "Name" in raw.columns:
        fits["order"] = ("Name",)  # Shopify calls its order numbers so
    fits["customer"] = _addresses_before_names(raw, fits["customer"])
    return fits


def _addresses_before_names(raw: RawTable, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns with e-mail addresses first where the best one holds names: two people may have one name."""
    addresses = [name for name in columns if "email" in plain_name(name)]
    if not addresses or plain_name(columns[0]) not in ("customer", "client", "buyer", "kunde", "客户", "买家"):
        return columns
    texts = pc.unique(raw.table[columns[0]])
    is_name = pc.match_substring_regex(texts, r"^\s*\D*[^\W\d]+[ ,]+[^\W\d]\D*$")
    return (
        (addresses[0], *(name for name in columns if name != addresses[0])) if pc.mean(is_name.cast(pa.int8())).as_py() > 0.5 else columns
    )


def _can_be(target: Target, evidence: Evidence) -> bool:
    if target == "date":
        return evidence.is_date or evidence.is_serial_date
    if target in NUMERIC:
        return evidence.is_number
    return not evidence.is_empty


def _judged(raw: RawTable, target: Target, chosen: dict[Target, tuple[str, ...]], evidence: dict[str, Evidence]) -> Proposed:
    if not chosen.get(target):
        is_priced = target == "amount" and chosen.get("quantity") and chosen.get("unit_price")
        return _unreadable(raw, target, evidence) or (_nothing(target) if is_priced else _by_content(raw, target, evidence))
    column = chosen[target][0]
    said: dict[str, object] = {"column": column}
    if target == "date":
        return _judged_date(column, evidence[column])
    if target in NUMERIC and evidence[column].marks_doubt:
        said["value"] = evidence[column].marks_doubt
        return Proposed(target, column, Note(MARKS, said), is_certain=False)
    if target in NUMERIC and len(evidence[column].clashing_signs) > 1:
        return Proposed(
            target, column, Note(CURRENCIES, said | {"currencies": ", ".join(evidence[column].clashing_signs)}), is_certain=False
        )
    if target == "currency" and len(codes := _currencies(raw, column)) > 1:
        return Proposed(target, column, Note(CURRENCIES, said | {"currencies": ", ".join(codes)}), is_certain=False)
    if target == "status" and (unknown := _unknown_statuses(raw, column)):
        said["values"] = ", ".join(unknown[:5])
        return Proposed(
            target, column, Note(noop("{column} is a status, but it is not clear whether {values} mean a sale."), said), is_certain=False
        )
    if target in ("discount", "customer_kind") or (target == "cost" and plain_name(column) in ("cost", "成本")):
        return Proposed(
            target, column, Note(noop("{column} fits by its name, but what its values mean has to be said."), said), is_certain=False
        )
    return Proposed(target, column, Note(noop("{column} fits by its name and its values."), said), is_certain=True)


def _judged_date(column: str, evidence: Evidence) -> Proposed:
    said: dict[str, object] = {"column": column, "value": evidence.date_doubt}
    if evidence.date_doubt_kind:
        return Proposed("date", column, Note(DATE_DOUBTS[evidence.date_doubt_kind], said), is_certain=False)
    return Proposed("date", column, Note(noop("{column} fits by its name and its values."), said), is_certain=True)


def _nothing(target: Target) -> Proposed:
    return Proposed(target, None, Note(noop("No column has a name that means this."), {}), is_certain=False)


def _unreadable(raw: RawTable, target: Target, evidence: dict[str, Evidence]) -> Proposed | None:
    """Return the column whose name fits and whose values can't be read, with one of them."""
    if target not in ("date", "quantity", "unit_price", "amount"):
        return None
    named = [name for name in raw.columns if plain_name(name) in HEADERS[target] and not evidence[name].is_empty]
    if not named or (target == "amount" and any(evidence[name].is_number for name in named)):
        return None
    column = min(named, key=lambda name: HEADERS[target].index(plain_name(name)))
    value = evidence[column].not_date if target == "date" else evidence[column].not_number
    texts = {
        True: noop("{column} fits by its name, but {value!r} can't be read as a date. Set dates.formats, like %d.%m.%y for 31.01.24."),
        False: noop("{column} fits by its name, but {value!r} can't be read as a number. Correct it, or the marks of numbers."),
    }
    return Proposed(target, column, Note(texts[target == "date"], {"column": column, "value": value}), is_certain=False)


def _currencies(raw: RawTable, column: str) -> list[str]:
    texts = pc.unique(pc.utf8_upper(pc.utf8_trim_whitespace(raw.table[column])))
    return sorted(text for text in texts.to_pylist() if text)


def _by_content(raw: RawTable, target: Target, evidence: dict[str, Evidence]) -> Proposed:
    """Return the only column whose contents fit, never certain: its name says nothing."""
    nothing = _nothing(target)
    if target not in ("date", "amount", "customer"):
        return nothing
    fitting = {
        "date": [name for name in raw.columns if evidence[name].is_date],
        "amount": [name for name in raw.columns if evidence[name].is_money and plain_name(name) not in HEADERS["unit_price"]],
        "customer": [
            name for name in raw.columns if evidence[name].repeats and not evidence[name].is_date and plain_name(name).endswith("id")
        ],
    }[target]
    if len(fitting) != 1:
        return nothing
    return Proposed(
        target,
        fitting[0],
        Note(noop("{column} is the only column whose values fit; its name does not say it."), {"column": fitting[0]}),
        is_certain=False,
    )


def _unknown_statuses(raw: RawTable, column: str) -> list[str]:
    values = pc.unique(pc.utf8_lower(pc.utf8_trim_whitespace(raw.table[column]))).to_pylist()
    return [value for value in values if value and value not in CANCELLED | RETURNED | SOLD]


def _settled(fields: list[Proposed]) -> list[Proposed]:
    """Return fields in which each column serves once, and a price without a quantity is the amount."""
    by_target = {field.target: field for field in fields}
    price, quantity, amount = by_target["unit_price"], by_target["quantity"], by_target["amount"]
    if amount.column is None and quantity.column is None and price.column is not None:
        reason = Note(
            noop("{column} is the amount if each row is one piece or a whole purchase; there is no quantity."), {"column": price.column}
        )
        by_target["amount"] = Proposed("amount", price.column, reason, is_certain=False)
        by_target["unit_price"] = price._replace(column=None, is_certain=False)
    taken: set[str] = set()
    for target in (*DECIDING, *(target for target in TARGETS if target not in DECIDING)):
        field = by_target[target]
        if field.column in taken:
            by_target[target] = field._replace(column=None, is_certain=False)
        elif field.column is not None:
            taken.add(field.column)
    return [by_target[field.target] for field in fields]


def _with_one_mark(fields: list[Proposed], evidence: dict[str, Evidence]) -> list[Proposed]:
    """Return fields in which a number column with another decimal mark than the first is a doubt: a mapping has one."""
    numeric = [field for field in fields if field.target in NUMERIC and field.column is not None]
    marked = [(field, evidence[field.column].marks) for field in numeric if field.column and not evidence[field.column].marks_doubt]
    first = next(((field, marks) for field, marks in marked if marks is not None), None)
    if first is None or first[1] is None:
        return fields
    other = {field.target: marks for field, marks in marked if marks is not None and marks.decimal != first[1].decimal}
    names = {".": noop("point"), ",": noop("comma")}
    changed = []
    for field in fields:
        if field.target in other:
            said: dict[str, object] = {"column": field.column, "mark": Note(names[other[field.target].decimal], {})}
            said |= {"other": first[0].column, "other_mark": Note(names[first[1].decimal], {})}
            field = field._replace(reason=Note(TWO_MARKS, said), is_certain=False)  # noqa: PLW2901
        changed.append(field)
    return changed


def _asked(raw: RawTable, fields: list[Proposed], evidence: dict[str, Evidence]) -> tuple[list[Proposed], tuple[Proposed, ...]]:
    """Return fields without an amount that is the total of an order, and what has to be asked about revenue."""
    columns = {field.target: field.column for field in fields if field.column is not None}
    money, doubts = money_of(raw, columns, evidence), []
    if is_total_of_orders(raw, columns, money):
        reason = Note(REPEATED, {"column": columns["amount"]})
        has_price = {"quantity", "unit_price"} <= set(columns)
        if has_price and plain_name(columns["amount"]) not in TOTALS_OF_ORDERS:
            doubts.append(Doubt("amount", columns["amount"], reason))
        changed = Proposed("amount", None if has_price else columns["amount"], reason, is_certain=False)
        fields = [changed if field.target == "amount" else field for field in fields]
        columns = {field.target: field.column for field in fields if field.column is not None}
        money = money_of(raw, columns, evidence)
    unread = [] if doubts else unread_doubts(raw, columns, evidence, money)
    return fields, tuple(Proposed(*doubt, is_certain=False) for doubt in [*doubts, *unread])


# ── the rest of the mapping ─────────────────────────────────────────────────────────────────────────────────────────────


def _settings(raw: RawTable, fields: list[Proposed], evidence: dict[str, Evidence]) -> dict[str, dict[str, Any]]:
    columns = {field.target: field.column for field in fields if field.column is not None}
    settings: dict[str, dict[str, Any]] = {"orders": {}, "dates": {}, "numbers": {}, "money": {}}
    if raw.is_sheet_chosen:
        settings["file"] = {"sheet": raw.sheet}
    if "order" not in columns:
        settings["orders"]["id"] = "per_customer_day"
    if "status" in columns:
        values = set(pc.unique(pc.utf8_lower(pc.utf8_trim_whitespace(raw.table[columns["status"]]))).to_pylist())
        settings["orders"] |= {
            key: sorted(values & words) for key, words in (("cancelled_status", CANCELLED), ("returned_status", RETURNED)) if values & words
        }
    if "date" in columns:
        settings["dates"] = dict(evidence[columns["date"]].date_settings)
    numeric = [evidence[columns[target]] for target in NUMERIC if target in columns]
    marks = [found.marks for found in numeric if found.marks]
    is_doubtful = any(found.marks_doubt for found in numeric) or len({mark.decimal for mark in marks}) > 1
    if marks and not is_doubtful:
        decimal = next((mark.decimal for mark in marks if mark), ".")
        thousands = next((mark.thousands for mark in marks if mark and mark.thousands), "")
        settings["numbers"] = {"decimal": decimal, "thousands": thousands}
    signs = {sign for target in ("amount", "unit_price") if target in columns for sign in evidence[columns[target]].currencies}
    if len(signs) == 1 and "currency" not in columns:
        settings["money"]["currency"] = signs.pop()
    return {name: part for name, part in settings.items() if part} | _case_folding(columns)


def _case_folding(columns: dict[Target, str]) -> dict[str, dict[str, Any]]:
    """Return the setting for customers known by their e-mail address."""
    return {"customers": {"is_case_folded": True}} if "email" in plain_name(columns.get("customer", "")) else {}
