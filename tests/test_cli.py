"""The command line: what it prints, what it returns, what it refuses."""

import csv
import inspect
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from crm_metrics import cli, serve, terminal
from crm_metrics.data_import.samples import DEMO
from crm_metrics.database import FOLDER_SETTING, find_data_set, version
from crm_metrics.demo.plan import DEFAULT_CUSTOMERS, DEFAULT_SEED
from crm_metrics.metric import BadInput

ROOT = Path(__file__).parent.parent
CERTAIN = "order_id,customer_id,order_date,quantity,amount\n1,a,2024-01-15,1,10.50\n2,b,2024-02-16,2,20.00\n"
UNCERTAIN = "order_id,customer_id,order_date,quantity,amount\n1,a,01/02/2024,1,10.50\n2,b,03/04/2024,2,20.00\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_SETTING, str(tmp_path / "data"))
    monkeypatch.delenv("CRM_METRICS_DATABASE", raising=False)
    return tmp_path


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Any:
    """Run a command and give exit code, stdout and stderr."""

    def command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main([str(argument) for argument in arguments])
        return int(left.value.code or 0), *capfd.readouterr()

    return command


@pytest.fixture
def certain(tmp_path: Path) -> Path:
    path = tmp_path / "certain.csv"
    path.write_text(CERTAIN)
    return path


@pytest.fixture
def uncertain(tmp_path: Path) -> Path:
    path = tmp_path / "uncertain.csv"
    path.write_text(UNCERTAIN)
    return path


# ── import, undo ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_whose_columns_are_certain_needs_no_mapping(run, certain):
    code, out, _ = run("import", certain, "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["file"], report["batch"], report["state"], report["rows_in"], report["rows_loaded"]) == (
        "certain.csv",
        1,
        "loaded",
        2,
        2,
    )
    assert (report["amount_loaded"], report["first_on"], report["last_on"]) == (30.5, "2024-01-15", "2024-02-16")


def test_the_report_has_its_keys(run, certain):
    report = json.loads(run("import", certain, "--json")[1])
    rows = {"rows_in", "rows_loaded", "rows_duplicate", "rows_quarantined", "rows_amount_unknown", "rows_promoted", "rows_restored"}
    amounts = {"amount_in", "amount_loaded", "amount_duplicate", "amount_quarantined"}
    about_file = {"columns_read", "columns_not_read", "notes", "tables", "orders_joined", "renewed", "unjoined"}
    assert set(report) == {"file", "batch", "state", "first_on", "last_on", "reasons", "replaced_batch"} | rows | amounts | about_file


@pytest.mark.slow
def test_the_report_says_which_column_was_read_as_what_and_which_were_not_read(run, tmp_path):
    path = tmp_path / "noted.csv"
    path.write_text("Order ID,Customer ID,Order Date,Total,Payment Note\n1,a,2024-01-15,10.50,by card\n2,b,2024-02-16,20.00,in cash\n")
    report = json.loads(run("import", path, "--check", "--json")[1])
    assert report["columns_read"] == {"order": "Order ID", "customer": "Customer ID", "date": "Order Date", "amount": "Total"}
    assert report["columns_not_read"] == ["Payment Note"]
    out = run("import", path)[1]
    for shown in ("Order number = Order ID", "Amount of the line = Total", "Not read: Payment Note."):
        assert shown in out


@pytest.mark.slow
def test_what_the_file_gives_reason_to_say_reaches_the_report(run, tmp_path):
    path = tmp_path / "titled.csv"
    path.write_bytes(CERTAIN.replace("1,a,", "1,J\xfcrgen,").encode("cp1252"))
    notes = json.loads(run("import", path, "--check", "--json")[1])["notes"]
    assert [note for note in notes if "Windows-1252" in note]
    assert notes[0] in run("import", path)[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cdnow", "demo"])
@pytest.mark.parametrize("options", [[], ["--check"]])
def test_a_file_of_the_reader_never_joins_a_sample_nor_takes_its_name(run, certain, folder, name, options):
    for wanted in (name, f"duckdb:///{folder}/elsewhere/{name}.duckdb"):
        code, out, err = run("import", certain, "--database", wanted, *options)
        assert (code, out) == (2, "")
        assert f"The data set {name} is a sample" in err
    assert version(find_data_set(name)) == 0


@pytest.mark.slow
def test_cdnow_takes_only_its_own_file_read_by_its_own_mapping(run, certain, cdnow_file, cdnow_master_file, tmp_path):
    assert run("import", cdnow_file, "--mapping", "cdnow", "--database", "cdnow", "--json")[0] == 0
    part = tmp_path / "part.txt"
    part.write_text("".join(cdnow_file.read_text().splitlines(keepends=True)[:5]))
    other_mapping = tmp_path / "other.toml"
    other_mapping.write_text(
        'orders.id = "per_row"\ndates.formats = ["%Y%m%d"]\ncolumns = { customer = 1, date = 3, quantity = 4, amount = 5 }\n'
    )
    for file, mapping in ((part, "cdnow"), (cdnow_master_file, "cdnow"), (cdnow_file, other_mapping)):
        assert "is a sample" in run("import", file, "--mapping", mapping, "--database", "cdnow")[2]
    assert version(find_data_set("cdnow")) == 1


def test_an_uncertain_file_is_refused_and_the_proposal_shown(run, uncertain):
    code, out, err = run("import", uncertain)
    assert (code, out) == (2, "")
    assert "day_first" in err
    assert "[columns]" in err
    assert version(find_data_set()) == 0


@pytest.mark.slow
def test_the_mapping_that_is_printed_can_be_corrected_and_used(run, uncertain, tmp_path):
    code, out, _ = run("mapping", uncertain)
    assert code == 0
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        out + "\n[dates]\nday_first = true\n" if "[dates]" not in out else out.replace("[dates]", "[dates]\nday_first = true")
    )
    code, out, err = run("import", uncertain, "--mapping", mapping, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["first_on"] == "2024-02-01"


def test_one_bad_file_of_several_does_not_hold_up_the_others_and_the_exit_code_says_so(run, certain, uncertain, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.touch()
    code, out, err = run("import", uncertain, certain, empty, tmp_path / "nowhere.csv")
    assert code == 2
    assert "certain.csv: loaded as batch 1." in out
    assert "empty.csv is empty" in err
    assert "nowhere.csv can't be read" in err
    assert "uncertain.csv" in err


@pytest.mark.slow
def test_several_files_as_json_are_a_list_in_their_order(run, certain, uncertain):
    code, out, _ = run("import", uncertain, certain, "--json")
    assert code == 2
    assert [report["state"] for report in json.loads(out)] == ["refused", "loaded"]


@pytest.mark.slow
def test_quarantined_rows_do_not_fail_the_import_and_are_named(run, tmp_path):
    path = tmp_path / "some_bad.csv"
    path.write_text(CERTAIN + "3,c,2024-03-04,0,5.00\n")
    code, out, _ = run("import", path)
    assert code == 0
    assert "Quarantined" in out
    assert "\nRow 4: " in out
    assert "1 rows" not in out
    code, out, _ = run("quarantine", 1, "--format", "json")
    rows = json.loads(out)
    assert [(row["row_number"], row["left_out_as"], row["row_amount"]) for row in rows] == [(4, "quarantined", 5.0)]
    assert json.loads(rows[0]["raw"])["cells"]["quantity"] == "0"


def test_a_check_loads_nothing(run, certain):
    code, out, _ = run("import", certain, "--check", "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["batch"]) == (0, "checked", None)
    assert version(find_data_set()) == 0


@pytest.mark.slow
def test_undo_takes_a_batch_back_and_batches_lists_it(run, certain):
    run("import", certain)
    code, out, _ = run("undo", 1, "--json")
    assert (code, json.loads(out)["state"]) == (0, "undone")
    listed = json.loads(run("batches", "--format", "json")[1])
    assert [(row["batch_id"], row["batch_state"], row["file_name"]) for row in listed] == [(1, "undone", "certain.csv")]
    assert run("undo", 1)[0] == 2
    for command in ("undo", "quarantine"):
        code, out, err = run(command, 9)
        assert (code, out) == (2, "")
        assert "There is no batch 9" in err


ASKING = [("show", "executive_kpis"), ("batches",), ("quarantine", "1"), ("undo", "1")]


@pytest.mark.parametrize("command", ASKING)
def test_where_nothing_was_loaded_there_is_no_data_set(run, command):
    code, out, err = run(*command)
    assert (code, out) == (2, "")
    assert "There is no data set mine. `python -m crm_metrics import FILE` makes one" in err


@pytest.fixture(scope="module")
def two_data_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data sets mine and other."""
    folder = tmp_path_factory.mktemp("two")
    file = folder / "certain.csv"
    file.write_text(CERTAIN)
    for name in ("mine", "other"):
        with pytest.raises(SystemExit):
            cli.main(["import", str(file), "--database", f"duckdb:///{folder}/{name}.duckdb"])
    return folder


@pytest.mark.parametrize("command", ASKING)
def test_a_data_set_that_is_not_there_is_no_empty_one(run, two_data_sets, monkeypatch, command):
    monkeypatch.setenv(FOLDER_SETTING, str(two_data_sets))
    code, out, err = run(*command, "--database", "typo")
    assert (code, out) == (2, "")
    assert "There is no data set typo. There are: mine, other." in err
    assert not list(two_data_sets.glob("*typo*"))


@pytest.mark.slow
def test_an_empty_data_set_that_is_there_is_shown(run, certain):
    run("import", certain)
    run("undo", 1)
    code, out, err = run("show", "executive_kpis", "--format", "json")
    assert code == 0
    assert {row["metric"]: row["value"] for row in json.loads(out)}["orders"] == 0
    assert "The data set is empty." in err


@pytest.mark.slow
def test_a_data_set_without_orders_says_what_it_holds(run, tmp_path):
    (tmp_path / "spring.csv").write_text("arm,spend\ncontrol,1\ntreated,2\n")
    run("import", tmp_path / "spring.csv", "--mapping", "campaign_test")
    assert "holds no orders. It holds: Members of campaigns 2; Campaigns 1" in run("show", "campaign_roi", "uplift")[2].replace("\n", " ")


@pytest.mark.slow
def test_the_undo_of_a_replacing_import_says_that_the_replaced_one_has_to_be_imported_again(run, certain, tmp_path):
    run("import", certain)
    mapping = tmp_path / "other.toml"
    mapping.write_text('columns = { order = "order_id", customer = "customer_id", date = "order_date", amount = "quantity" }\n')
    assert json.loads(run("import", certain, "--mapping", mapping, "--json")[1])["replaced_batch"] == 1
    assert "Batch 1 was replaced by a later one" in run("undo", 1)[2]
    assert "Batch 1, which this one had replaced, does not come back by itself" in run("undo", 2)[1]
    assert json.loads(run("import", certain, "--json")[1])["amount_loaded"] == 30.5
    assert json.loads(run("undo", 3, "--json")[1])["replaced_batch"] is None


@pytest.mark.slow
def test_a_data_set_is_chosen_by_name_or_address(run, certain, folder):
    run("import", certain, "--database", "other")
    run("import", certain, "--database", f"duckdb:///{folder}/third.duckdb")
    assert [version(find_data_set(name)) for name in ("mine", "other")] == [0, 1]
    assert (folder / "third.duckdb").is_symlink()


# ── show ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_show_alone_lists_every_table_of_every_room(run):
    code, out, _ = run("show", "--format", "json")
    listed = {(row["room"], row["table"]) for row in json.loads(out)}
    assert code == 0
    assert {("executive_kpis", "tiles"), ("lifetime_value", "model"), ("definitions", "metrics")} <= listed


def test_show_prints_a_table_as_json_csv_and_text(run, certain):
    run("import", certain)
    code, out, err = run("show", "executive_kpis", "--format", "json")
    tiles = {row["metric"]: row for row in json.loads(out)}
    assert code == 0
    assert tiles["net_revenue"]["value"] == 30.5
    assert set(tiles["net_revenue"]) == {"metric", "value", "low", "high", "unit", "n"}
    assert tiles["gross_margin"]["value"] is None
    assert "2024-01-15 to 2024-02-16" in err
    _, out, _ = run("show", "executive_kpis", "tiles", "--format", "csv")
    read = {row["metric"]: row["value"] for row in csv.DictReader(io.StringIO(out.removeprefix("\ufeff")))}
    assert float(read["net_revenue"]) == 30.5
    assert "net_revenue" in run("show", "executive_kpis")[1]


@pytest.mark.slow
def test_show_takes_the_period_and_says_which(run, certain):
    run("import", certain)
    _, out, err = run("show", "executive_kpis", "--from", "2024-02-01", "--to", "2024-02-29", "--compare", "none", "--format", "json")
    assert {row["metric"]: row["value"] for row in json.loads(out)}["net_revenue"] == 20.0
    assert "Feb 1, 2024" in err


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (("show", "kitchen"), "There is no room 'kitchen'"),
        (("show", "executive_kpis", "spoons"), "There is no table 'spoons'"),
        (("show", "executive_kpis", "--database", "postgresql://me@localhost:abc/x"), "is not a database address"),
        (("show", "executive_kpis", "--database", "NO"), "can't name a data set"),
        (("show", "executive_kpis", "--from", "2024-02-01", "--to", "2024-01-01"), "Choose an end after the beginning"),
        (("import", "x.csv", "--mapping", "online_retal"), "Did you mean online_retail"),
    ],
)
def test_what_a_reader_can_mend_is_a_sentence_with_exit_code_2(run, arguments, needed):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert needed in err
    assert "Traceback" not in err


def test_show_speaks_chinese(run, certain):
    run("import", certain)
    _, _, err = run("show", "executive_kpis", "--language", "zh")
    assert "数据" in err


def test_frames_become_plain_json_values():
    frame = pd.DataFrame(
        {
            "text": ["a", None],
            "number": [1.5, float("nan")],
            "whole": pd.array([1, None], dtype="Int64"),
            "moment": pd.to_datetime(["2024-01-05 00:00", "2024-01-05 09:30"]),
            "flag": [True, False],
        }
    )
    assert terminal.records(frame) == [
        {"text": "a", "number": 1.5, "whole": 1, "moment": "2024-01-05", "flag": True},
        {"text": None, "number": None, "whole": None, "moment": "2024-01-05T09:30:00", "flag": False},
    ]


def test_a_name_can_not_steer_the_terminal(capsys):
    terminal.print_frame(pd.DataFrame({"name": ["\x1b[2J[red]x[/red]"]}), "table")
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "[red]x[/red]" in out


def test_the_names_in_a_report_can_not_steer_the_terminal(run, tmp_path):
    path = tmp_path / "evil.csv"
    path.write_text(CERTAIN.replace("amount\n", "amount,\x1b[2Jnote\n").replace("0\n", "0,x\n"))
    code, out, _ = run("import", path)
    assert code == 0
    assert "\x1b" not in out
    assert "[2Jnote" in out


@pytest.mark.postgresql
def test_the_same_commands_work_on_postgresql(run, certain, postgresql_schema, monkeypatch):
    monkeypatch.setenv("CRM_METRICS_DATABASE", postgresql_schema)
    assert run("import", certain)[0] == 0
    tiles = {row["metric"]: row["value"] for row in json.loads(run("show", "executive_kpis", "--format", "json")[1])}
    assert (tiles["net_revenue"], tiles["orders"], tiles["active_customers"]) == (30.5, 2, 2)
    assert run("undo", 1)[0] == 0
    assert [row["batch_state"] for row in json.loads(run("batches", "--format", "json")[1])] == ["undone"]


# ── demo ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_demo_is_built_once_and_shown_like_any_data_set(run):
    code, out, err = run("demo", "--customers", 300, "--seed", 5, "--json")
    report = json.loads(out)
    assert (code, err) == (0, "")
    assert (report["data_set"], report["state"], report["plan"]["customers"], report["plan"]["seed"]) == ("demo", "built", 300, 5)
    assert report["rows"]["demo_customers"] >= 300
    assert report["rows"]["order_lines"] > report["rows"]["orders"] > 300
    _, out, _ = run("demo", "--customers", 300, "--seed", 5)
    assert "Nothing was changed" in out
    assert version(find_data_set("demo")) == 1
    tiles = {row["metric"]: row["value"] for row in json.loads(run("show", "demo", "--database", "demo", "--format", "json")[1])}
    assert tiles["true_customers"] == 300 - 1  # the test account is none


def test_the_defaults_that_the_help_names_are_those_of_a_plan(run):
    out = " ".join(run("demo", "--help")[1].split())
    assert f"Default: {DEFAULT_CUSTOMERS}." in out
    assert f"Default: {DEFAULT_SEED}." in out


@pytest.mark.slow
def test_an_empty_name_is_the_demo_s_own_and_not_the_reader_s(run):
    run("demo", "--customers", 100, "--database", "")
    assert (version(find_data_set(DEMO)), version(find_data_set("mine"))) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.2, 1.0, 2.5])
def test_control_c_is_answered_with_a_sentence_and_leaves_nothing(folder, seconds):
    building = subprocess.Popen(
        [sys.executable, "-m", "crm_metrics", "demo", "--customers", "300000"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not list(folder.iterdir()):  # it begins with its lock
        time.sleep(0.05)
    time.sleep(seconds)
    building.send_signal(signal.SIGINT)
    said = building.communicate(timeout=60)[1].decode()
    assert said.strip().splitlines()[-1] == "Stopped; what was not published yet is not there."
    assert "Traceback" not in said
    assert building.returncode == cli.INTERRUPTED
    assert version(find_data_set(DEMO)) == 0


@pytest.mark.slow
def test_another_seed_is_another_demo_and_a_large_one_is_told_as_it_is(run):
    assert json.loads(run("demo", "--customers", 300, "--json")[1])["plan"]["seed"] == DEFAULT_SEED
    assert json.loads(run("demo", "--customers", 300, "--seed", 2**40, "--json")[1])["state"] == "built"
    assert json.loads(run("demo", "--truth")[1])["plan"]["seed"] == 2**40


@pytest.mark.slow
def test_effects_are_switched_off_by_name_or_all_together(run):
    run("demo", "--customers", 300, "--without", "returns", "--without", "two_systems", "--database", "calm")
    effects = json.loads(run("demo", "--truth", "--database", "calm")[1])["plan"]["effect"]
    assert sorted(name for name, state in effects.items() if state == "off") == ["returns", "two_systems"]
    run("demo", "--customers", 300, "--without", "all", "--database", "plain")
    assert set(json.loads(run("demo", "--truth", "--database", "plain")[1])["plan"]["effect"].values()) == {"off"}


@pytest.mark.slow
def test_a_demo_never_takes_the_place_of_the_readers_data(run, certain):
    run("import", certain)
    code, out, err = run("demo", "--customers", 300, "--database", "mine")
    assert (code, out) == (2, "")
    assert "mine" in err
    code, out, err = run("demo", "--truth", "--database", "mine")
    assert (code, out) == (2, "")
    assert "The data set mine is no demo" in err
    assert json.loads(run("show", "executive_kpis", "--format", "json")[1])[0]["value"] == 30.5


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        (("--without", "rain"), "'rain' is no effect of the demo. There are: seasonality"),
        (("--customers", 5), "5 customers are out of range"),
        (("--customers", 0), "0 customers are out of range"),
        (("--seed", -1), "The seed -1 is negative"),
        (("--truth",), "There is no data set demo"),
    ],
)
def test_what_can_not_be_a_demo_is_said_and_nothing_is_built(run, options, needed):
    code, out, err = run("demo", *options)
    assert (code, out) == (2, "")
    assert needed in err
    assert version(find_data_set("demo")) == 0


# ── run ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_taken_port_is_said_in_a_sentence():
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        with pytest.raises(BadInput, match="perhaps the dashboard is open already"):
            serve.refuse_taken(taken.getsockname()[1])


def test_the_dashboard_opens_on_the_demo_unless_told_otherwise():
    assert inspect.signature(cli.run).parameters["data"].default == DEMO
    assert f"\nDATA ?= {DEMO}\n" in (ROOT / "Makefile").read_text()


@pytest.mark.slow
def test_the_demo_that_the_dashboard_opens_on_has_twenty_thousand_customers(folder, capfd):
    serve.make_demo(find_data_set(DEMO))
    assert "demo is a demo of 20,000 customers, seed 1" in capfd.readouterr().err


@pytest.mark.slow
def test_cdnow_is_loaded_once_even_by_two_at_once(folder):
    program = "from crm_metrics import serve; from crm_metrics.database import find_data_set; serve.load_cdnow(find_data_set('cdnow'))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("Nothing was changed" in text for text in said) == [False, True]
    assert version(find_data_set("cdnow")) == 1


@pytest.mark.slow
def test_a_demo_is_built_once_even_by_two_at_once(folder):
    program = (
        "from crm_metrics.demo.build import build; from crm_metrics.demo.plan import Plan; from crm_metrics.database import find_data_set; "
        "print(build(find_data_set('demo'), Plan(customers=2_000)).is_new)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=120)[0].decode().strip() for process in both]
    assert sorted(said) == ["False", "True"]
    assert version(find_data_set("demo")) == 1


@pytest.mark.slow
def test_the_cdnow_file_is_found_without_importing_lifetimes():
    program = "import sys; from crm_metrics import serve; serve.cdnow_file().read_bytes(); sys.exit('lifetimes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_help_answers_without_loading_pandas():
    program = "import sys; from crm_metrics import cli; sys.exit(len({'pandas', 'duckdb', 'sqlalchemy', 'streamlit'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_anything_but_bad_input_is_a_bug_and_crashes(monkeypatch, certain):
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "_today", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main(["import", str(certain)])


@pytest.mark.slow
def test_online_retail_is_imported_through_the_command_line(shared_data):
    file = shared_data / "online_retail" / "online_retail.csv.gz"
    done = subprocess.run(
        [sys.executable, "-m", "crm_metrics", "import", str(file), "--json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["rows_loaded"] == 541_909
