"""Each malformed file is read right or refused with line and reason; tests/malformed/expected.toml was written before the reader."""

import tomllib
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pytest
from malformed.make_files import files

from crm_metrics.data_import.check import Checked, check_rows
from crm_metrics.data_import.mapping import Mapping, from_dict
from crm_metrics.data_import.proposal import propose
from crm_metrics.data_import.raw_table import RawTable
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.rejections import reason_text
from crm_metrics.metric import BadInput

FOLDER = Path(__file__).parent / "malformed"
EXPECTED = tomllib.loads(FOLDER.joinpath("expected.toml").read_text(encoding="utf-8"))
COLUMNS = {
    "orders": "order_id",
    "customers": "customer_id",
    "product_names": "product_name",
    "amounts": "net_amount",
    "kinds": "line_kind",
    "row_numbers": "row_number",
    "days": "ordered_on",
    "times": "ordered_at",
}
"""Key of an expectation -> column of the loaded rows."""


def _read(case: dict) -> tuple[RawTable, Checked]:
    raw = read_file(FOLDER.joinpath("files", case["file"]).read_bytes(), case["file"])
    return raw, check_rows(raw, _mapping(case["mapping"], raw))


def _mapping(name: str, raw: RawTable) -> Mapping:
    return propose(raw).mapping() if name == "proposed" else from_dict(EXPECTED["mappings"][name], name)


def _named(case: dict) -> str:
    return f"{case['file']} as {case['mapping']}"


@pytest.mark.parametrize("case", [case for case in EXPECTED["case"] if case["outcome"] == "read"], ids=_named)
def test_a_malformed_file_is_read_exactly_as_expected(case):
    raw, checked = _read(case)
    lines, rejected = checked.lines, checked.rejected
    assert lines.num_rows == case["rows"]
    assert raw.row_count == lines.num_rows + rejected.num_rows
    for key, column in (("net", "net_amount"), ("gross", "gross_amount")):
        if key in case:
            assert (pc.sum(lines[column]).as_py() or Decimal(0)) == Decimal(case[key])
    for key, column in COLUMNS.items():
        if key in case:
            found = [value if isinstance(value, int) else "" if value is None else str(value) for value in lines[column].to_pylist()]
            assert found == case[key]
    for key in ("encoding", "sheet"):
        if key in case:
            assert getattr(raw, key) == case[key]
    assert rejected["row_number"].to_pylist() == [row for row, _ in case.get("rejected", [])]
    for reason, (row, words) in zip(rejected["reason"].to_pylist(), case.get("rejected", []), strict=True):
        assert words in reason_text(reason)
        assert f"Row {row}" in reason_text(reason)


@pytest.mark.parametrize("case", [case for case in EXPECTED["case"] if case["outcome"] == "refused"], ids=_named)
def test_a_malformed_file_is_refused_with_its_reason(case):
    with pytest.raises(BadInput) as refused:
        _read(case)
    for words in case["says"]:
        assert words.lower() in str(refused.value).lower()


def test_every_malformed_file_has_an_expected_outcome():
    on_disk = {file.name for file in FOLDER.joinpath("files").iterdir()}
    assert on_disk == {case["file"] for case in EXPECTED["case"]} == set(files())
    assert len(on_disk) >= 30


def test_the_malformed_files_are_the_bytes_their_script_writes():
    for name, content in files().items():
        if not name.endswith(".xlsx"):  # A workbook holds the moment it was packed
            assert FOLDER.joinpath("files", name).read_bytes() == content
