"""The only connection: versions, names, what DuckDB is not allowed to do, and that PostgreSQL behaves the same."""

import errno
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pytest
from sqlalchemy import create_engine, func, insert, make_url, select, text, update

from crm_metrics import database, schema, workspace
from crm_metrics.database import DataMoved, DataSet, Source, change, duckdb_file, find_data_set, open_source
from crm_metrics.metric import BadInput

PRODUCTS = schema.products


def add_product(data_set: DataSet, name: str) -> None:
    with change(data_set) as writer:
        writer.connection.execute(insert(PRODUCTS).values(product_id=name, batch_id=1))


def names(source: Source) -> list[str]:
    return [row["product_id"] for row in source.arrow(select(PRODUCTS.c.product_id).order_by(PRODUCTS.c.product_id)).to_pylist()]


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_data_set_that_is_not_there_is_an_empty_one_and_is_not_made_by_reading(any_data_set, tmp_path):
    source = open_source(any_data_set)
    assert (source.version, names(source)) == (0, [])
    assert list(tmp_path.iterdir()) == []


def test_every_change_is_the_next_version(any_data_set):
    for number, name in enumerate("abc", 1):
        add_product(any_data_set, name)
        assert database.version(any_data_set) == number
    assert names(open_source(any_data_set)) == ["a", "b", "c"]


@pytest.mark.parametrize("anew", [False, True])
def test_an_error_in_a_change_publishes_nothing_even_of_what_was_written_to_the_disk(any_data_set, anew):
    add_product(any_data_set, "a")
    with pytest.raises(ZeroDivisionError):
        fail_in_a_change(any_data_set, anew=anew)
    assert (database.version(any_data_set), names(open_source(any_data_set))) == (1, ["a"])


def fail_in_a_change(data_set: DataSet, *, anew: bool = False) -> None:
    with change(data_set, anew=anew) as writer:
        writer.connection.execute(insert(PRODUCTS).values(product_id="b", batch_id=1))
        writer.to_disk()
        raise ZeroDivisionError


def test_a_trial_sees_its_own_changes_and_keeps_none(any_data_set):
    add_product(any_data_set, "a")
    with database.trial(any_data_set) as writer:
        writer.connection.execute(insert(PRODUCTS).values(product_id="b", batch_id=1))
        assert writer.read(select(func.count().label("n")).select_from(PRODUCTS)).to_pylist() == [{"n": 2}]
    assert (database.version(any_data_set), names(open_source(any_data_set))) == (1, ["a"])


def test_a_change_anew_begins_with_nothing_and_the_numbers_of_versions_go_on(any_data_set):
    add_product(any_data_set, "a")
    with change(any_data_set, anew=True) as writer:
        assert writer.read(select(PRODUCTS)).num_rows == 0
        writer.connection.execute(insert(PRODUCTS).values(product_id="b", batch_id=1))
    assert (database.version(any_data_set), names(open_source(any_data_set))) == (2, ["b"])
    add_product(any_data_set, "c")
    assert names(open_source(any_data_set)) == ["b", "c"]


def test_a_change_anew_of_a_data_set_that_is_not_there_makes_it(any_data_set):
    with change(any_data_set, anew=True):
        pass
    assert (database.version(any_data_set), names(open_source(any_data_set))) == (1, [])


def test_while_a_data_set_is_made_anew_readers_have_the_old_version(any_data_set):
    add_product(any_data_set, "a")
    with change(any_data_set, anew=True) as writer:
        writer.connection.execute(insert(PRODUCTS).values(product_id="b", batch_id=1))
        writer.to_disk()
        assert (database.version(any_data_set), names(open_source(any_data_set))) == (1, ["a"])
    assert names(open_source(any_data_set)) == ["b"]


def test_what_the_reader_decided_outlives_a_change_anew(any_data_set):
    add_product(any_data_set, "a")
    workspace.write_targets(any_data_set, "revenue", months=[date(2024, 1, 1)], target_value=5.0)
    with change(any_data_set, anew=True):
        pass
    assert workspace.read_targets(any_data_set).target_value.tolist() == [5.0]


def test_a_reader_keeps_the_version_it_began_with_and_the_last_two_are_kept(data_set, tmp_path):
    add_product(data_set, "a")
    earlier = open_source(data_set)
    assert names(earlier) == ["a"]
    add_product(data_set, "b")
    assert names(earlier) == ["a"]
    add_product(data_set, "c")
    assert sorted(path.name for path in tmp_path.glob("mine-*")) == ["mine-000002.duckdb", "mine-000003.duckdb"]
    assert names(open_source(data_set)) == ["a", "b", "c"]


def test_a_page_that_opens_a_version_which_is_gone_learns_that_data_moved(data_set):
    add_product(data_set, "a")
    never_opened = Source(data_set, 1)
    add_product(data_set, "b")
    add_product(data_set, "c")
    with pytest.raises(DataMoved):
        names(never_opened)


@pytest.mark.postgresql
def test_on_postgresql_a_page_that_began_before_a_change_learns_that_data_moved(postgresql_schema):
    data_set = find_data_set(postgresql_schema)
    add_product(data_set, "a")
    earlier = open_source(data_set)
    add_product(data_set, "b")
    with pytest.raises(DataMoved):
        names(earlier)
    assert names(open_source(data_set)) == ["a", "b"]


@pytest.mark.postgresql
def test_reads_outlive_a_server_that_drops_every_connection(postgresql_schema):
    data_set = find_data_set(postgresql_schema)
    add_product(data_set, "a")
    source = open_source(data_set)
    engine = database.postgresql_engine(data_set.address)
    for _ in range(5):
        with engine.connect() as first, engine.connect() as second:
            pids = [connection.execute(text("SELECT pg_backend_pid()")).scalar_one() for connection in (first, second)]
        with psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False)) as admin:
            for pid in pids:
                admin.execute("SELECT pg_terminate_backend(%s)", [pid])
        assert names(source) == ["a"]


def test_a_file_that_does_not_hold_its_version_is_not_published(data_set, tmp_path):
    add_product(data_set, "a")
    path = tmp_path / "mine-000001.duckdb"
    with pytest.raises(RuntimeError, match="holds version"):
        duckdb_file.verify(path, 7)


def test_what_a_killed_import_left_is_removed_by_the_next(data_set, tmp_path):
    add_product(data_set, "a")
    for leftover in (".mine.pending.duckdb", ".mine.pending.duckdb.wal"):
        (tmp_path / leftover).write_bytes(b"torn")
    add_product(data_set, "b")
    assert sorted(path.name for path in tmp_path.glob("*mine[-.]*")) == [
        ".mine.lock",
        "mine-000001.duckdb",
        "mine-000002.duckdb",
        "mine.duckdb",
    ]
    assert names(open_source(data_set)) == ["a", "b"]


def test_a_version_finished_by_an_import_that_was_killed_before_it_was_published_is_replaced(data_set, tmp_path):
    add_product(data_set, "a")
    add_product(data_set, "killed")
    duckdb_file.point(data_set.link, tmp_path / "mine-000001.duckdb")
    add_product(data_set, "b")
    assert names(open_source(data_set)) == ["a", "b"]


def test_a_database_of_another_program_is_not_overwritten(tmp_path):
    path = tmp_path / "mine.duckdb"
    duckdb.connect(str(path)).close()
    before = path.read_bytes()
    with pytest.raises(BadInput, match="another program"):
        add_product(find_data_set(f"duckdb:///{path}"), "a")
    assert path.read_bytes() == before


@pytest.mark.parametrize("held", [0, 1], ids=["the first version", "the next version"])
def test_a_file_of_another_program_that_is_named_like_a_version_is_not_touched(data_set, tmp_path, held):
    path = tmp_path / f"mine-00000{held + 1}.duckdb"
    if held:
        add_product(data_set, "a")
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE books (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(BadInput, match=f"{path.name} is a file of another program"):
        add_product(data_set, "b")
    assert path.read_bytes() == before
    assert database.version(data_set) == held


@pytest.mark.slow
def test_files_of_another_program_beside_a_data_set_stay(data_set, tmp_path):
    others = [tmp_path / name for name in ("mine-000009.duckdb", "mine-000000.duckdb", "mine-old.duckdb", "mine-000001.duckdb.txt")]
    for other in others:
        other.write_bytes(b"not ours")
    for name in "abcd":
        add_product(data_set, name)
    assert [other.read_bytes() for other in others] == [b"not ours"] * 4
    database.delete(data_set)
    assert [other.read_bytes() for other in others] == [b"not ours"] * 4


def test_a_data_set_whose_link_was_lost_is_not_begun_anew(data_set, tmp_path):
    add_product(data_set, "a")
    data_set.link.unlink()
    with pytest.raises(BadInput, match=r"ln -s mine-000001\.duckdb"):
        add_product(data_set, "b")
    data_set.link.symlink_to("mine-000001.duckdb")
    assert names(open_source(data_set)) == ["a"]


def test_a_link_of_another_program_is_not_moved(data_set, tmp_path):
    (tmp_path / "elsewhere.duckdb").write_bytes(b"not ours")
    data_set.link.symlink_to("elsewhere.duckdb")
    with pytest.raises(BadInput, match="another program"):
        add_product(data_set, "a")
    assert data_set.link.readlink() == Path("elsewhere.duckdb")


def test_a_data_set_made_again_under_the_name_of_a_deleted_one_holds_nothing_of_it(data_set):
    add_product(data_set, "old")
    assert names(open_source(data_set)) == ["old"]
    database.delete(data_set)
    add_product(data_set, "new")
    assert names(open_source(data_set)) == ["new"]


def test_a_deleted_data_set_is_gone(any_data_set, tmp_path):
    doomed = any_data_set if any_data_set.is_duckdb else DataSet("doomed", str(any_data_set.address).replace(any_data_set.name, "doomed"))
    add_product(doomed, "a")
    database.delete(doomed)
    assert database.version(doomed) == 0
    assert not list(tmp_path.glob("mine*"))


# ── what stands in the way is said in a sentence ─────────────────────────────────────────────────────────────────────────


def test_a_folder_that_is_a_file_or_may_not_be_written_is_named(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(BadInput, match=rf"{tmp_path}/data can't be written"):
        add_product(find_data_set(f"duckdb:///{tmp_path}/data/mine.duckdb"), "a")
    with pytest.raises(BadInput, match=r"/proc/.* can't be written"):
        add_product(find_data_set("duckdb:////proc/mine.duckdb"), "a")


FULL_DISK = """
import os, resource, sys
import pyarrow as pa
from sqlalchemy import insert
from crm_metrics import database, schema, workspace
from crm_metrics.metric import BadInput

data_set = database.find_data_set(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    with database.change(data_set) as writer:
        names = [os.urandom(50).hex() for _ in range(100_000)]
        writer.append(schema.products, pa.table({"product_id": names, "batch_id": pa.array([1] * len(names), pa.int32())}))
except BadInput as problem:
    print(problem)
"""


@pytest.mark.slow
@pytest.mark.parametrize("room_bytes", [100_000, 6_000_000], ids=["for no copy", "for no rows"])
def test_a_disk_without_room_is_named_and_nothing_partial_stays(data_set, tmp_path, room_bytes):
    add_product(data_set, "a")
    command = [sys.executable, "-c", FULL_DISK, data_set.address, str(room_bytes)]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True)
    assert ".mine.pending.duckdb can't be written: File too large" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine.lock", "mine-000001.duckdb", "mine.duckdb"]
    assert names(open_source(data_set)) == ["a"]


def test_a_disk_that_fails_while_a_change_goes_on_publishes_nothing(data_set, tmp_path, monkeypatch):
    add_product(data_set, "a")

    def fail(_handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(BadInput, match=r"\.mine\.pending\.duckdb can't be written: Input/output error"):
        add_product(data_set, "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine.lock", "mine-000001.duckdb", "mine.duckdb"]
    assert names(open_source(data_set)) == ["a"]


def test_a_version_is_copied_where_two_files_can_not_share_their_blocks(data_set, monkeypatch):
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    add_product(data_set, "a")
    monkeypatch.setattr(os, "copy_file_range", refuse)
    add_product(data_set, "b")
    assert names(open_source(data_set)) == ["a", "b"]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"username": "nobody"}, 'role "nobody" does not exist'),
        ({"query": {"host": "nohost.invalid"}}, "failed to resolve host 'nohost.invalid'"),
    ],
)
def test_a_server_that_can_not_be_reached_is_said_in_a_sentence_by_readers_and_writers(postgresql_schema, changed, said):
    data_set = find_data_set(make_url(postgresql_schema).set(**changed).render_as_string(hide_password=False))
    began = time.monotonic()
    for attempt in (open_source, lambda wanted: add_product(wanted, "a"), database.delete):
        with pytest.raises(BadInput, match=said):
            attempt(data_set)
    assert time.monotonic() - began < 5, "what no waiting mends is not tried again"


@pytest.mark.postgresql
def test_without_the_right_to_write_postgresql_refuses_in_a_sentence(postgresql_schema, postgresql_address):
    with create_engine(postgresql_address).begin() as connection:
        connection.execute(text("CREATE ROLE guest LOGIN"))
    for name in ("fresh", make_url(postgresql_schema).query["schema"]):
        guest = make_url(postgresql_schema).set(username="guest").update_query_dict({"schema": str(name)})
        with pytest.raises(BadInput, match="PostgreSQL refuses"):
            add_product(find_data_set(guest.render_as_string(hide_password=False)), "a")


@pytest.mark.postgresql
def test_without_the_right_to_read_postgresql_refuses_in_a_sentence(postgresql_schema, postgresql_address):
    add_product(find_data_set(postgresql_schema), "a")
    name = make_url(postgresql_schema).query["schema"]
    with create_engine(postgresql_address).begin() as connection:
        connection.execute(text("CREATE ROLE passer_by LOGIN"))
        connection.execute(text(f'GRANT USAGE ON SCHEMA "{name}" TO passer_by'))
    address = make_url(postgresql_schema).set(username="passer_by").render_as_string(hide_password=False)
    with pytest.raises(BadInput, match="PostgreSQL refuses: permission denied for table data_set"):
        open_source(find_data_set(address))


@pytest.mark.postgresql
def test_the_right_to_a_schema_is_enough_to_use_it(postgresql_schema, postgresql_address):
    name = make_url(postgresql_schema).query["schema"]
    with create_engine(postgresql_address).begin() as connection:
        connection.execute(text("CREATE ROLE tenant LOGIN"))
        connection.execute(text(f'GRANT ALL ON SCHEMA "{name}" TO tenant'))
    data_set = find_data_set(make_url(postgresql_schema).set(username="tenant").render_as_string(hide_password=False))
    add_product(data_set, "a")
    assert names(open_source(data_set)) == ["a"]


@pytest.mark.postgresql
@pytest.mark.parametrize("table", ["orders", "data_set"])
def test_a_schema_with_a_table_of_another_program_is_refused_and_left_as_it_is(postgresql_schema, table):
    data_set = find_data_set(postgresql_schema)
    engine = database.postgresql_engine(data_set.address)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {table} (x INTEGER)"))
    with pytest.raises(BadInput, match=f"tables of another program: {table}"):
        add_product(data_set, "a")
    assert database.version(data_set) == 0
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"))
        assert tables.scalars().all() == [table]


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_is_looked_for_beside_the_configured_database(monkeypatch, tmp_path):
    monkeypatch.setenv(database.ADDRESS_SETTING, f"duckdb:///{tmp_path}/first.duckdb")
    assert find_data_set().name == "first"
    assert find_data_set("second").link == tmp_path / "second.duckdb"
    monkeypatch.setenv(database.ADDRESS_SETTING, "postgresql://someone:secret@host/shop?schema=first")
    assert find_data_set("second").url.query["schema"] == "second"
    assert find_data_set("second").url.password == "secret"


def test_without_a_setting_the_data_set_is_mine_in_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    monkeypatch.setenv(database.FOLDER_SETTING, str(tmp_path))
    assert find_data_set().link == tmp_path / "mine.duckdb"
    add_product(find_data_set("cdnow"), "a")
    assert [found.name for found in database.data_sets()] == ["cdnow"]


def test_the_short_form_of_a_postgresql_address_is_understood():
    assert find_data_set("postgres://someone:secret@host/shop?schema=first") == find_data_set(
        "postgresql://someone:secret@host/shop?schema=first"
    )


def test_a_name_that_is_too_long_is_told_so():
    with pytest.raises(BadInput, match=r"300 letters\. Use at most 41"):
        find_data_set("a" * 300)
    assert find_data_set("a" * 41).name == "a" * 41


def test_an_address_with_a_bad_port_is_refused_without_showing_the_password():
    with pytest.raises(BadInput, match="is not a database address") as refused:
        find_data_set("postgresql://me:secret@localhost:abc/shop")
    assert "secret" not in str(refused.value)


def test_a_schema_hidden_in_options_is_asked_for_by_itself():
    with pytest.raises(BadInput, match="schema=mine"):
        find_data_set("postgresql://me@localhost/shop?options=-csearch_path=shop")


def test_a_data_set_that_is_not_there_is_answered_with_those_that_are(any_data_set, monkeypatch):
    monkeypatch.setenv(database.ADDRESS_SETTING, any_data_set.address)
    with pytest.raises(BadInput, match=f"There is no data set {any_data_set.name}"):
        database.existing()
    add_product(any_data_set, "a")
    assert database.existing() == any_data_set
    with pytest.raises(BadInput, match=rf"There is no data set typo. There are: .*{any_data_set.name}"):
        database.existing("typo")


def test_a_file_of_another_program_is_listed_as_no_data_set(monkeypatch, tmp_path):
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    monkeypatch.setenv(database.FOLDER_SETTING, str(tmp_path))
    duckdb.connect(str(tmp_path / "books.duckdb")).close()
    assert database.data_sets() == []


@pytest.mark.parametrize(
    "name",
    ["../x", "A", "1a", "a b", "x" * 60, "mysql://host/x", "duckdb:///:memory:", "nonsense://", "a:b", "postgresql://h/d?schema=a;b"],
)
def test_a_name_or_address_that_is_none_is_refused(name):
    with pytest.raises(BadInput):
        find_data_set(name)


# ── data sets that an earlier program wrote ─────────────────────────────────────────────────────────────────────────────

LATER_TABLES = ("demo_customers", "demo_truth")
LATER_COLUMNS = (("order_records", "was_corrected"), ("customers", "has_consent"), ("order_lines", "cost_amount"))


def made_by_an_earlier_program(data_set: DataSet) -> None:
    """Take from the published version what schema.py gained later, and its number."""
    statements = [f"DROP TABLE {table}" for table in LATER_TABLES]
    statements += [f"ALTER TABLE {table} DROP COLUMN {column}" for table, column in LATER_COLUMNS]
    statements.append("UPDATE data_set SET setting_value = '1' WHERE setting = 'schema_version'")
    if data_set.is_duckdb:
        with duckdb.connect(str(data_set.link.resolve())) as connection:
            for statement in statements:
                connection.execute(statement)
    else:
        with database.postgresql_engine(data_set.address).begin() as connection:
            for statement in statements:
                connection.execute(text(statement))


def columns_of(source: Source) -> dict[str, list[str]]:
    return {table.name: source.arrow(select(table)).column_names for table in schema.metadata.sorted_tables}


@pytest.fixture
def old_data_set(any_data_set: DataSet) -> DataSet:
    with change(any_data_set) as writer:
        writer.connection.execute(insert(PRODUCTS).values(product_id="a", batch_id=1))
        writer.connection.execute(insert(schema.customers).values(customer_id="c", batch_id=1, has_consent=True))
    made_by_an_earlier_program(any_data_set)
    return any_data_set


def test_an_old_data_set_is_brought_up_before_it_is_read(old_data_set):
    source = open_source(old_data_set)
    assert source.version == 2
    assert names(source) == ["a"]
    assert columns_of(source) == {table.name: table.c.keys() for table in schema.metadata.sorted_tables}
    assert source.arrow(select(schema.customers.c.customer_id, schema.customers.c.has_consent)).to_pylist() == [
        {"customer_id": "c", "has_consent": None}
    ]
    assert database.version(old_data_set) == 2


def test_an_old_data_set_is_brought_up_when_it_is_changed_and_then_takes_what_is_new(old_data_set):
    with change(old_data_set) as writer:
        writer.connection.execute(insert(schema.demo_truth).values(topic="t", parameter="p", subject="", batch_id=1))
        writer.connection.execute(update(schema.customers).values(has_consent=False))
    source = open_source(old_data_set)
    assert source.version == 2
    assert source.arrow(select(schema.demo_truth.c.topic)).num_rows == 1
    assert source.arrow(select(schema.customers.c.has_consent)).to_pylist() == [{"has_consent": False}]


@pytest.mark.slow
def test_a_trial_on_an_old_data_set_knows_what_is_new_and_leaves_it_old(old_data_set):
    with database.trial(old_data_set) as writer:
        assert writer.read(select(schema.demo_truth)).num_rows == 0
    assert database.version(old_data_set) == 2  # only this asking brings it up


def test_readers_who_come_at_once_bring_an_old_data_set_up_once(old_data_set):
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: database.version(old_data_set), range(4))) == [2] * 4


def test_an_old_data_set_that_may_not_be_written_is_said_so_in_a_sentence(data_set, tmp_path):
    add_product(data_set, "a")
    made_by_an_earlier_program(data_set)
    (tmp_path / ".mine.lock").unlink()
    (tmp_path / ".mine.lock").mkdir()
    with pytest.raises(BadInput, match="can't be written"):
        open_source(data_set)


def test_an_old_data_set_is_brought_up_whole_or_not_at_all(data_set):
    add_product(data_set, "a")
    made_by_an_earlier_program(data_set)
    with pytest.raises(ZeroDivisionError):
        fail_in_a_change(data_set)
    assert duckdb_file.version_number(data_set.link) == 1
    assert names(Source(data_set, 1)) == ["a"]


# ── what goes in comes out ──────────────────────────────────────────────────────────────────────────────────────────────


def test_arrow_rows_come_back_as_they_went_in(any_data_set):
    odd = ['a,"b"', "line\nbreak", "", None, "\\N", "中文", " blank "]
    rows = pa.table(
        {
            "product_id": [str(number) for number in range(len(odd))],
            "product_name": odd,
            "list_price": pa.array([None, *[number / 4 for number in range(1, len(odd))]]).cast(pa.decimal128(18, 4)),
            "batch_id": pa.array([1] * len(odd), pa.int32()),
        }
    )
    with change(any_data_set) as writer:
        writer.append(PRODUCTS, rows)
        staged = writer.stage("odd_ones", rows.select(["product_name"]))
        assert sorted(writer.read(select(staged)).column(0).to_pylist(), key=repr) == sorted(odd, key=repr)
    found = open_source(any_data_set).arrow(select(PRODUCTS).order_by(PRODUCTS.c.product_id))
    assert found["product_name"].to_pylist() == odd
    assert [float(price) if price is not None else None for price in found["list_price"].to_pylist()] == [
        None,
        0.25,
        0.5,
        0.75,
        1,
        1.25,
        1.5,
    ]


def test_columns_have_their_types_even_when_nothing_is_in_them(any_data_set):
    add_product(any_data_set, "a")
    with change(any_data_set) as writer:
        row = {"order_id": "1", "ordered_at": datetime(2024, 1, 5, 9), "ordered_on": datetime(2024, 1, 5).date(), "batch_id": 1}
        writer.connection.execute(insert(schema.orders).values(**row, is_purchase=True, is_cancelled=False))
    orders = schema.orders.c
    frame = open_source(any_data_set)(select(orders.customer_id, orders.ordered_on, orders.rate_to_reporting, orders.is_purchase))
    assert [dtype.kind for dtype in frame.dtypes][1:] == ["M", "f", "b"]
    assert frame.ordered_on[0].date().isoformat() == "2024-01-05"
    assert frame.customer_id.isna().all()


# ── hardening: docs/decisions/0002-hardened-duckdb.md ───────────────────────────────────────────────────────────────────

PROBES = {
    "read a text file": "SELECT * FROM read_text('{secret}')",
    "read a binary file": "SELECT * FROM read_blob('{secret}')",
    "read a CSV": "SELECT * FROM read_csv('{secret}')",
    "read a CSV by its name": "SELECT * FROM '{secret}'",
    "guess a CSV's form": "SELECT * FROM sniff_csv('{secret}')",
    "read JSON": "SELECT * FROM read_json('{secret}')",
    "read Parquet": "SELECT * FROM read_parquet('{secret}')",
    "list a folder": "SELECT * FROM glob('{folder}/*')",
    "write a file": "COPY (SELECT 1) TO '{folder}/out.csv'",
    "load a file": "COPY products FROM '{secret}'",
    "export the database": "EXPORT DATABASE '{folder}/export'",
    "attach another database": "ATTACH '{folder}/other.duckdb'",
    "install an extension": "INSTALL httpfs",
    "load an extension": "LOAD '{folder}/evil.duckdb_extension'",
    "reach the network": "SELECT * FROM read_csv('https://localhost:1/x.csv')",
    "open external access again": "SET enable_external_access = true",
    "allow a folder": "SET allowed_directories = ['/']",
    "take more memory": "SET memory_limit = '900GB'",
    "unlock the settings": "SET lock_configuration = false",
    "read a variable of the program": "SELECT * FROM secret_frame",
}


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A data set with a product, of which nobody may read or write more than there is."""
    held = database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('held')}/held.duckdb")
    add_product(held, "a")
    return held


@pytest.mark.slow
@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES.keys())
@pytest.mark.parametrize("connection_of", ["reader", "writer", "empty", "scratch"])
def test_duckdb_reads_and_writes_nothing_but_its_own_file(tmp_path, data_set, held, probe, connection_of):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    secret_frame = pa.table({"a": [1]})
    statement = probe.format(secret=secret, folder=tmp_path)
    with pytest.raises(duckdb.Error):
        run_in(connection_of, held if connection_of == "reader" else data_set, statement)
    assert secret_frame.num_rows == 1
    assert {path.name for path in tmp_path.iterdir()} <= {"secret.csv", "mine.duckdb", "mine-000001.duckdb", ".mine.lock", ".spill"}
    assert {path.name for path in held.link.parent.iterdir()} <= {"held.duckdb", "held-000001.duckdb", ".held.lock", ".spill"}


def run_in(connection_of: str, data_set: DataSet, statement: str) -> None:
    if connection_of == "writer":
        with change(data_set) as writer:
            assert writer.raw
            writer.raw.execute(statement)
    elif connection_of == "scratch":
        with database.scratch() as connection:
            connection.execute(statement)
    else:
        duckdb_file.reader(data_set, database.version(data_set)).cursor().execute(statement)


def test_the_reader_can_not_write_to_its_own_file(data_set):
    add_product(data_set, "a")
    with pytest.raises(duckdb.Error, match="read-only"):
        duckdb_file.reader(data_set, 1).cursor().execute("DELETE FROM products")


@pytest.mark.slow
def test_work_larger_than_memory_goes_to_the_spill_folder_and_leaves_nothing(data_set, tmp_path, monkeypatch):
    monkeypatch.setenv(database.MEMORY_SETTING, "120MB")
    monkeypatch.setenv(database.THREADS_SETTING, "2")
    with change(data_set) as writer:
        assert writer.raw
        writer.raw.execute("CREATE TEMP TABLE big AS SELECT n || repeat(md5(n::text), 4) AS n FROM range(2000000) r(n)")
        assert list(tmp_path.glob(".spill/*"))
        assert writer.raw.execute("SELECT count(*) FROM big").fetchone() == (2_000_000,)
    assert not list(tmp_path.glob(".spill/*"))
