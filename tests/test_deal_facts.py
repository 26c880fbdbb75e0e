"""The facts of deals: made by hand, against another reading of the history, and kept right by every import and undo."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from written_deals import at, write

from crm_metrics import database, facts
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import from_dict
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataSet, open_source
from crm_metrics.schema import deal_change_facts, deal_facts

DAY = dt.date(2024, 1, 1)


def rows_of(data_set: DataSet, *columns: Any) -> list[tuple[Any, ...]]:
    found = open_source(data_set).arrow(select(*columns).order_by(*columns)).to_pylist()
    return [tuple(row.values()) for row in found]


def made_anew(data_set: DataSet) -> tuple[list[tuple[Any, ...]], ...]:
    with database.change(data_set) as writer:
        facts.rebuild(writer.connection)
    return kept(data_set)


def kept(data_set: DataSet) -> tuple[list[tuple[Any, ...]], ...]:
    return rows_of(data_set, *deal_facts.c), rows_of(data_set, *deal_change_facts.c)


def test_a_deal_says_its_stages_outcome_and_the_expected_day_where_it_is_silent_itself(any_data_set):
    deals: list[dict[str, Any]] = [
        {"opportunity_id": "b", "stage": "Won", "expected_close_on": DAY},
        {"opportunity_id": "a", "stage": "Talk", "outcome": "lost", "expected_close_on": DAY, "closed_on": None},
        {"opportunity_id": "c", "stage": "Lost", "customer_id": "k", "product_id": "p"},
    ]
    history = [
        {"opportunity_id": "c", "change_number": 1, "changed_at": at(DAY), "stage": "Talk"},
        {"opportunity_id": "c", "change_number": 2, "changed_at": at(DAY + dt.timedelta(3)), "stage": "Lost"},
        {"opportunity_id": "gone", "change_number": 1, "changed_at": at(DAY), "stage": "Talk"},
    ]
    more = {
        "customers": [{"customer_id": "k", "customer_name": "Kay", "industry": "steel"}],
        "products": [{"product_id": "p"}],
    }
    write(any_data_set, deals, history, **more)
    told = ("deal_number", "opportunity_id", "outcome", "closed_on", "customer_name", "market", "product_name")
    history_of = ("first_changed_on", "last_changed_on", "told_outcome")
    assert rows_of(any_data_set, *[deal_facts.c[name] for name in told + history_of]) == [
        (1, "a", "lost", DAY, None, None, None, None, None, None),
        (2, "b", "won", DAY, None, None, None, None, None, None),
        (3, "c", "lost", None, "Kay", "steel", "p", DAY, DAY + dt.timedelta(3), "lost"),
    ]
    changes = [deal_change_facts.c[name] for name in ("deal_number", "change_number", "changed_on", "outcome", "superseded_on")]
    assert rows_of(any_data_set, *changes) == [
        (3, 1, DAY, "open", DAY + dt.timedelta(3)),
        (3, 2, DAY + dt.timedelta(3), "lost", None),
    ]


def test_at_the_end_of_any_day_one_change_of_a_deal_is_the_last_also_where_numbers_are_not_in_order_of_time(data_set):
    rng = np.random.default_rng(7)
    history = [
        {"opportunity_id": deal, "change_number": number, "changed_at": at(DAY + dt.timedelta(int(rng.integers(0, 9)))), "stage": "Talk"}
        for deal in ("a", "b", "c", "d")
        for number in range(1, 6)
    ]
    write(data_set, [{"opportunity_id": deal} for deal in "abcd"], history)
    names = ("changed_on", "superseded_on", "deal_number", "change_number")
    changes = rows_of(data_set, *[deal_change_facts.c[name] for name in names])
    for day in (DAY + dt.timedelta(days) for days in range(10)):
        by_facts = {(deal, number) for on, until, deal, number in changes if on <= day and (until is None or until > day)}
        last = {deal: max(number for on, _, of, number in changes if of == deal and on <= day) for on, _, deal, _ in changes if on <= day}
        assert by_facts == set(last.items())


DEAL_FILE = from_dict(
    {
        "tables": [
            {
                "table": "opportunities",
                "columns": {"opportunity_id": "id", "customer_id": "customer", "stage": "stage", "outcome": "outcome"},
                "is_newest": True,
            },
            {
                "table": "opportunity_history",
                "columns": {"opportunity_id": "id", "change_number": "step", "changed_at": "at", "stage": "stage"},
            },
        ],
        "dates": {"formats": ["%Y-%m-%d"]},
    }
)
ORDER_FILE = from_dict({"columns": {name: name for name in ("order", "customer", "date", "amount", "customer_name")}})


@pytest.mark.slow
def test_after_every_import_and_undo_the_facts_of_deals_are_as_made_anew(any_data_set):
    deals = [
        b"id,customer,stage,outcome,step,at\n1,k,Talk,open,1,2024-01-02\n2,,Talk,open,1,2024-01-03\n",
        b"id,customer,stage,outcome,step,at\n1,k,Offer,open,2,2024-02-02\n",
    ]
    order = b"order,customer,date,amount,customer_name\n1,k,2024-01-05,10,Kay\n"
    batches = [
        import_file(any_data_set, content, "file.csv", mapping).batch or 0
        for content, mapping in ((deals[0], DEAL_FILE), (order, ORDER_FILE), (deals[1], DEAL_FILE))
    ]
    name, stage = deal_facts.c.customer_name, deal_facts.c.stage
    assert rows_of(any_data_set, deal_facts.c.opportunity_id, name, stage) == [("1", "Kay", "Offer"), ("2", None, "Talk")]
    assert kept(any_data_set) == made_anew(any_data_set)
    undo(any_data_set, batches[1])
    assert rows_of(any_data_set, deal_facts.c.opportunity_id, name) == [("1", None), ("2", None)]
    undo(any_data_set, batches[2])
    assert rows_of(any_data_set, stage) == [("Talk",), ("Talk",)]
    assert kept(any_data_set) == made_anew(any_data_set)
    undo(any_data_set, batches[0])
    assert kept(any_data_set) == ([], [])
