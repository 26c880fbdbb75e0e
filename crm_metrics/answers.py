"""Any table of any room, for the terminal."""

from dataclasses import replace
from functools import partial
from inspect import signature
from typing import Any

import pandas as pd
import typer

from crm_metrics import rooms, workspace
from crm_metrics.customer_forecast.forecast import Terms
from crm_metrics.database import DataMoved, DataSet, Source, existing, open_source
from crm_metrics.filters import CUSTOMER_UNKNOWN, UNKNOWN, Filters, sentence
from crm_metrics.language import noop, t
from crm_metrics.metric import BadInput
from crm_metrics.rooms import ROOM_NAMES, Table, tables
from crm_metrics.sales import extent
from crm_metrics.segments.rule import Segment, read_rule

MOVED_ATTEMPTS = 5  # an import that is published between two questions of one answer makes it ask again


def answer(database: str, chosen: Filters, terms: Terms, *, segments: tuple[str, ...], asked: tuple[str, str]) -> pd.DataFrame:
    """Return a table of a room. asked: their names, "" for the room's first table. segments: names of saved ones.

    Raises BadInput for a room, table, data set or segment that there is none of.
    """
    room, table = asked
    known = tables(_known(room, ROOM_NAMES, noop("There is no room {name!r}. There are: {known}.")))
    wanted = _known(table or next(iter(known)), tuple(known), noop("There is no table {name!r} in this room. There are: {known}."))
    for _attempt in range(MOVED_ATTEMPTS):
        source = open_source(existing(database))
        chosen = replace(chosen, segments=_segments(source.data_set, segments))
        try:
            typer.echo(f"{source.data_set.name}, {room} {wanted}: {sentence(chosen)} {_extent(source, chosen)}", err=True)
            return _with_terms(known[wanted], terms)(source, chosen)
        except DataMoved:
            continue
    raise BadInput("The data set is being changed over and over. Ask again when the imports are done.")


def list_of_tables() -> pd.DataFrame:
    """Return one row per table of each room: room, table, gives."""
    listed = [(room, table, _first_line(function)) for room in ROOM_NAMES for table, function in tables(room).items()]
    return pd.DataFrame(listed, columns=["room", "table", "gives"])


def _segments(data_set: DataSet, names: tuple[str, ...]) -> tuple[Segment, ...]:
    if not names:
        return ()
    frame = workspace.read_segments(data_set)
    saved = dict(zip(frame["segment_name"].tolist(), frame["segment_rule"].tolist(), strict=True))
    offered = (*saved, UNKNOWN)
    found = [_known(name, offered, noop("There is no segment {name!r}. There are: {known}.")) for name in names]
    return tuple(CUSTOMER_UNKNOWN if name == UNKNOWN else Segment(name, read_rule(saved[name])) for name in found)


def _with_terms(table: Table, terms: Terms) -> Table:
    """Return a table of forecasts with the reader's horizon and discount; others have none."""
    taken = signature(table).parameters.get("terms")
    if taken is None or not isinstance(taken.default, Terms):
        return table
    with_terms: Table = partial(table, terms=terms)  # type: ignore[call-arg]
    return with_terms


def _known(name: str, known: tuple[str, ...], refusal: str) -> str:
    if name not in known:
        raise BadInput(refusal, name=name, known=", ".join(known))
    return name


def _extent(source: Source, chosen: Filters) -> str:
    row = source.arrow(extent(chosen.scope)).to_pylist()[0]
    if row["first_on"] is None:
        data = rooms.room("data_import")
        return data.without_orders(source(data.rows_of_tables()), data_set=source.data_set.name) or t("The data set is empty.")
    return t("The data go from {first} to {last}.", first=row["first_on"].isoformat(), last=row["last_on"].isoformat())


def _first_line(function: Any) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]
