"""The command line: every page's figures and every change to a data set without a browser.

A BadInput is printed as a sentence on stderr with exit code 2; any other error is a bug and crashes. Heavy modules are imported in the
commands that need them, so that `--help` answers at once.
"""

import json
import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_metrics import language
from crm_metrics.language import t
from crm_metrics.metric import BadInput

if TYPE_CHECKING:
    from crm_metrics.data_import.mapping import Mapping
    from crm_metrics.data_import.proposal import Proposal
    from crm_metrics.data_import.report import ImportReport
    from crm_metrics.database import DataSet

REFUSED, INTERRUPTED = 2, 130
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="CRM Metrics: from an order file to an answered question.",
)


class Format(StrEnum):
    """How a table is printed."""

    table = "table"
    json = "json"
    csv = "csv"


class Spoken(StrEnum):
    """Language of the texts."""

    en = "en"
    zh = "zh"


class Compared(StrEnum):
    """What a period is compared with."""

    previous = "previous"
    last_year = "last_year"
    none = "none"


Files = Annotated[list[Path], typer.Argument(help="Files: CSV, TSV, text, Excel, or .gz of these.", metavar="FILE...", show_default=False)]
Database = Annotated[
    str, typer.Option(help="Name of a data set, or an SQLAlchemy address. Default: CRM_METRICS_DATABASE, else mine.", show_default=False)
]
AsFormat = Annotated[Format, typer.Option("--format", help="How the table is printed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
BatchNumber = Annotated[int, typer.Argument(help="Number of the batch, as `batches` lists it.", metavar="BATCH")]


def main(arguments: list[str] | None = None) -> None:
    """Run one command; see `python -m crm_metrics --help`."""
    try:
        app(arguments, prog_name="python -m crm_metrics")
    except BadInput as error:
        typer.echo(str(error), err=True)
        sys.exit(REFUSED)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # what typer makes of Ctrl+C
            typer.echo(_stopped(), err=True)
        raise
    except RuntimeError as error:
        if "Query interrupted" not in str(error):  # what DuckDB makes of it
            raise
        typer.echo(_stopped(), err=True)
        sys.exit(INTERRUPTED)


def _stopped() -> str:
    return t("Stopped; what was not published yet is not there.")


# ── loading ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("import")
def import_files(  # noqa: PLR0917  # typer makes options of them
    files: Files,
    mapping: Annotated[str, typer.Option(help="Name of a mapping that comes with the product, or a .toml file.", show_default=False)] = "",
    database: Database = "",
    check: Annotated[bool, typer.Option("--check", help="Report and load nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load files of orders, contracts or campaigns, each as one batch. Without --mapping the proposed one is used if it is certain."""
    from crm_metrics.database import find_data_set

    data_set = find_data_set(database)
    outcomes = [_import_one(data_set, path, mapping, check_only=check) for path in files]
    if as_json:
        shown = [
            _refusal(path, outcome) if isinstance(outcome, BadInput) else outcome.as_json()
            for path, outcome in zip(files, outcomes, strict=True)
        ]
        typer.echo(json.dumps(shown[0] if len(shown) == 1 else shown, ensure_ascii=False, indent=2))
    else:
        for outcome in outcomes:
            _print_outcome(outcome)
    if any(_is_refused(outcome) for outcome in outcomes):
        raise typer.Exit(REFUSED)


def _is_refused(outcome: "ImportReport | BadInput") -> bool:
    """Return whether a file should have been loaded and was not; one that the mapping needs nothing of is none."""
    from crm_metrics.data_import.check_tables import NotNeededError

    return not isinstance(outcome, NotNeededError) and (isinstance(outcome, BadInput) or outcome.state == "refused")


def _import_one(data_set: "DataSet", path: Path, mapping: str, *, check_only: bool) -> "ImportReport | BadInput":
    from crm_metrics.data_import.load import READING, import_table
    from crm_metrics.data_import.mapping import load_mapping
    from crm_metrics.data_import.proposal import propose
    from crm_metrics.data_import.read_file import read_file
    from crm_metrics.terminal import progress_bar

    try:
        chosen = load_mapping(mapping) if mapping else None
        content = _content(path)
        with progress_bar(path.name) as tell:
            tell(READING, 0.0)
            choices = {"encoding": chosen.file.encoding, "sheet": chosen.file.sheet} if chosen else {}
            raw = read_file(content, path.name, **choices)
            if chosen is None:
                chosen = _certain(propose(raw))
            return import_table(data_set, raw, chosen, check_only=check_only, progress=tell, latest_on=_today())
    except BadInput as problem:
        return problem


def _certain(proposal: "Proposal") -> "Mapping":
    try:
        return proposal.mapping()
    except BadInput as problem:
        raise BadInput("{problem}\n\nThe proposal:\n\n{proposal}", problem=problem, proposal=proposal.to_toml()) from problem


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput("{path} can't be read: {problem}. Check the path.", path=path, problem=error.strerror) from error


def _today() -> date:
    return datetime.now(UTC).astimezone().date()


def _refusal(path: Path, problem: BadInput) -> dict[str, Any]:
    return {"file": path.name, "state": "refused", "problem": str(problem)}


def _print_outcome(outcome: "ImportReport | BadInput") -> None:
    from crm_metrics.terminal import print_report

    if isinstance(outcome, BadInput):
        typer.echo(str(outcome), err=True)
    else:
        print_report(outcome)


@app.command("mapping")
def propose_mapping(
    file: Annotated[
        Path,
        typer.Argument(help="An order file, or the name of a mapping that comes with the product.", metavar="FILE", show_default=False),
    ],
    sheet: Annotated[str, typer.Option(help="Sheet of a workbook. Default: the one that holds orders.", show_default=False)] = "",
) -> None:
    """Print the proposed mapping of a file, TOML, with the reason for each column; or a mapping that comes with the product, to copy."""
    from crm_metrics.data_import.mapping import built_in_names, built_in_text
    from crm_metrics.data_import.proposal import propose
    from crm_metrics.data_import.read_file import read_file

    if str(file) in built_in_names() and not file.exists():
        typer.echo(built_in_text(str(file)))
        return
    typer.echo(propose(read_file(_content(file), file.name, sheet=sheet or None)).to_toml())


@app.command()
def undo(batch: BatchNumber, database: Database = "", as_json: AsJson = False) -> None:
    """Take one batch back: the data set is then as if it had never been loaded. A batch that it had replaced has to be imported again."""
    from crm_metrics.data_import import undo as undoing
    from crm_metrics.database import existing

    report = undoing.undo(existing(database), batch)
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        _print_outcome(report)


@app.command()
def refresh(database: Database = "") -> None:
    """Make the facts that pages ask anew from all order lines, and say what had differed. Imports do this for what they change."""
    from crm_metrics.database import existing
    from crm_metrics.terminal import refresh_facts

    for sentence in refresh_facts(existing(database)).sentences():
        typer.echo(sentence)


@app.command()
def batches(database: Database = "", as_format: AsFormat = Format.table) -> None:
    """List the imports of a data set, the latest first."""
    from crm_metrics.data_import import room
    from crm_metrics.database import existing, open_source
    from crm_metrics.terminal import print_frame

    print_frame(open_source(existing(database))(room.batches()), as_format.value)


@app.command()
def quarantine(batch: BatchNumber, database: Database = "", as_format: AsFormat = Format.table) -> None:
    """List the rows of a batch's file that were not loaded, each with its reason and its cells as they came."""
    from crm_metrics.data_import import ledger
    from crm_metrics.data_import.left_out import with_reason_texts
    from crm_metrics.database import existing, open_source
    from crm_metrics.terminal import print_frame

    source = open_source(existing(database))
    if source(ledger.one_batch(batch)).empty:
        raise BadInput("There is no batch {batch}. `python -m crm_metrics batches` lists them.", batch=batch)
    print_frame(with_reason_texts(source(ledger.left_out_rows(batch))), as_format.value)


# ── showing ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def show(  # noqa: PLR0913, PLR0917  # one option for each filter
    room: Annotated[str, typer.Argument(help="Name of a room; without it all rooms and tables are listed.", show_default=False)] = "",
    table: Annotated[str, typer.Argument(help="Name of a table; without it the first of the room.", show_default=False)] = "",
    database: Database = "",
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day. Default: as far as the data go.")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day. Default: as far as the data go.")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Models see nothing after this day. Default: the last day.")
    ] = None,
    compare: Annotated[Compared, typer.Option(help="What the period is compared with.")] = Compared.previous,
    region: Annotated[list[str] | None, typer.Option(help="Order region; may be repeated.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Sales channel; may be repeated.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="Product category; may be repeated.")] = None,
    segment: Annotated[
        list[str] | None, typer.Option(help="Saved segment, or (unknown) for sales without a customer; may be repeated.")
    ] = None,
    customer: Annotated[str, typer.Option(help="Customer that the customer room is about.")] = "",
    horizon_months: Annotated[int, typer.Option(help="Months that a forecast looks ahead.", min=1, max=120)] = 12,
    discount_rate: Annotated[float, typer.Option(help="Yearly discount rate of a forecast, 0.1 is 10%.", min=0, max=0.5)] = 0.1,
    spoken: Annotated[Spoken, typer.Option("--language", help="Language of the texts.")] = Spoken.en,
    as_format: AsFormat = Format.table,
) -> None:
    """Print any table of any room; alone it lists them. Without dates it is about all data."""
    from crm_metrics import answers
    from crm_metrics.customer_forecast.forecast import Terms
    from crm_metrics.filters import Filters
    from crm_metrics.terminal import print_frame

    language.use(spoken.value)
    if not room:
        print_frame(answers.list_of_tables(), as_format.value)
        return
    chosen = Filters(
        start=first.date() if first else None,
        end=last.date() if last else None,
        as_of=as_of.date() if as_of else None,
        compare=compare.value,
        region=tuple(region or ()),
        channel=tuple(channel or ()),
        category=tuple(category or ()),
        customer=customer,
    )
    terms = Terms(horizon_months, discount_rate)
    print_frame(answers.answer(database, chosen, terms, segments=tuple(segment or ()), asked=(room, table)), as_format.value)


# ── the demo ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def demo(  # noqa: PLR0917  # typer makes options of them
    customers: Annotated[
        int | None, typer.Option(help="Persons and companies; about 10 order lines each. Default: 20000.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of every random draw: the same seed makes the same demo. Default: 1.", show_default=False)
    ] = None,
    database: Annotated[str, typer.Option(help="Name of a data set, or an SQLAlchemy address.")] = "demo",
    without: Annotated[
        list[str] | None, typer.Option(help="Effect to switch off, may be repeated; all leaves nothing but purchases and spend.")
    ] = None,
    truth: Annotated[bool, typer.Option("--truth", help="Print the truth of a demo that is there, as JSON, and build nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the demo, a company simulated from stated numbers; or print these numbers."""
    from crm_metrics.data_import.samples import DEMO

    if truth:
        typer.echo(json.dumps(_truth_of(database or DEMO), ensure_ascii=False, indent=2))
        return
    from crm_metrics.database import find_data_set
    from crm_metrics.demo.plan import DEFAULT_CUSTOMERS, DEFAULT_SEED, Effects, Plan
    from crm_metrics.terminal import build_demo, print_built

    effects = Effects.none() if "all" in (without or ()) else Effects.without(*(without or ()))
    size, draws = (default if given is None else given for given, default in ((customers, DEFAULT_CUSTOMERS), (seed, DEFAULT_SEED)))
    done = build_demo(find_data_set(database or DEMO), Plan(size, draws, effects))
    if as_json:
        typer.echo(json.dumps(done.as_json(), ensure_ascii=False, indent=2))
    else:
        print_built(done)


def _truth_of(database: str) -> dict[str, Any]:
    from crm_metrics.database import existing, open_source
    from crm_metrics.demo.truth import as_json, truth

    data_set = existing(database)
    stated = open_source(data_set)(truth())
    if stated.empty:
        raise BadInput("The data set {name} is no demo. `python -m crm_metrics demo` builds one.", name=data_set.name)
    return as_json(stated)


# ── opening the dashboard ───────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def run(
    data: Annotated[str, typer.Option(help="Name of the data set. demo and cdnow are made when they are not there yet.")] = "demo",
    port: Annotated[int, typer.Option(help="Port on localhost.")] = 8501,
) -> None:
    """Open the dashboard on http://localhost:8501."""
    from crm_metrics.serve import serve

    serve(data, port)
