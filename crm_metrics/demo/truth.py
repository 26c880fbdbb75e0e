"""What is true in a demo: every stated parameter as a row of the database, as JSON and in words."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Select, func, select

from crm_metrics.demo import (
    affinities,
    baskets,
    campaign_truth,
    channels,
    clock,
    contracts,
    costs,
    customers,
    deal_stages,
    discounts,
    goods,
    identities,
    leads,
    products,
    purchases,
    returns,
    sales_channels,
    service_levels,
    staff,
    surveys,
    targets,
    tasks,
)
from crm_metrics.demo.plan import FIRST_ON, GO_LIVE_ON, LAST_ON, Plan
from crm_metrics.demo.world import Fact, Stated, Tables, shares
from crm_metrics.language import noop
from crm_metrics.schema import demo_truth

PLAN, PURCHASES = "plan", channels.TOPIC
EFFECT = "effect"
ON, OFF = noop("on"), noop("off")
ALL = "all"  # the subject of a parameter that is stated for everybody
DECIMALS = 8  # of a stored number


class Part(Protocol):
    """A part of the demo that states parameters: its topic, label and unit of each parameter, and their values."""

    TOPIC: str
    PARAMETERS: dict[str, tuple[str, str]]

    def stated(self, plan: Plan, /) -> Stated:
        """Return what the part does in a plan, known before anything is simulated; nothing of what is off."""


class Topic(NamedTuple):
    """What a group of parameters is about. parameters: label and unit by name."""

    label: str
    parameters: Mapping[str, tuple[str, str]]


PLAN_PARAMETERS: dict[str, tuple[str, str]] = {
    "customers": (noop("Customers and the test account, each counted once however many records they have"), "number"),
    "seed": (noop("Seed of every random draw"), "number"),  # stored as text, because it may be of any size
    "first_on": (noop("First day of the demo"), "text"),
    "last_on": (noop("Last day of the demo"), "text"),
    "go_live_on": (noop("Day on which the CRM goes live"), "text"),
    EFFECT: (noop("What is simulated beyond purchases, spend and unit costs"), "text"),
}
_PARTS: tuple[tuple[str, Part], ...] = (  # one line for each part
    (noop("How customers are won, buy and spend"), channels),
    (noop("Seasons and hours"), clock),
    (noop("What customers are like"), customers),
    (noop("Upgrades and orders out of the ordinary"), purchases),
    (noop("What is in an order"), goods),
    (noop("Categories bought together"), affinities),
    (noop("Products"), products),
    (noop("Discounts"), discounts),
    (noop("Returns"), returns),
    (noop("Cancelled, given and anonymous orders"), baskets),
    (noop("Where orders come through"), sales_channels),
    (noop("Campaigns and their true lifts"), campaign_truth),
    (noop("Service tickets and who leaves after them"), service_levels),
    (noop("Surveys and who stays silent"), surveys),
    (noop("Cost to serve"), costs),
    (noop("Service contracts and how they end"), contracts),
    (noop("Calls and leads"), leads),
    (noop("Deals through their stages"), deal_stages),
    (noop("Tasks, quotas and sales enquiries"), tasks),
    (noop("Targets"), targets),
    (noop("Staff"), staff),
    (noop("Records, contacts and two source systems"), identities),
)
TOPICS: dict[str, Topic] = {
    **{part.TOPIC: Topic(label, part.PARAMETERS) for label, part in _PARTS},
    PLAN: Topic(noop("The plan"), PLAN_PARAMETERS),
}

# ── from facts to rows ──────────────────────────────────────────────────────────────────────────────────────────────────


def stated(plan: Plan) -> list[Fact]:
    """Return what is stated before anything is simulated: the plan, and the parameters of every part."""
    return [*plan_facts(plan), *(fact for _, part in _PARTS for fact in facts_of(part.TOPIC, part.stated(plan)))]


def facts_of(topic: str, values: Stated) -> list[Fact]:
    """Return what a part states as facts, in its order.

    >>> [fact.value for fact in facts_of("returns", {"share": {"before": 0.2, "after": 0.1}, "days": 7.0})]
    [0.2, 0.1, 7.0]
    """
    by_subject = {parameter: value if isinstance(value, Mapping) else {"": value} for parameter, value in values.items()}
    return [Fact(topic, parameter, subject, value) for parameter, found in by_subject.items() for subject, value in found.items()]


def plan_facts(plan: Plan) -> list[Fact]:
    """Return the plan itself as facts: its size, seed and days, and each effect on or off."""
    states: dict[str, float | str | Mapping[str, str]] = {"customers": plan.customers, "seed": str(plan.seed)}
    states |= {"first_on": str(FIRST_ON), "last_on": str(LAST_ON)}
    if plan.effects.go_live:
        states["go_live_on"] = str(GO_LIVE_ON)
    return facts_of(PLAN, {**states, EFFECT: {name: ON if is_on else OFF for name, is_on in asdict(plan.effects).items()}})


def rows(facts: list[Fact]) -> Tables:
    """Return the facts as rows of demo_truth in the order of the declarations, subjects in the order in which they are stated.

    Numbers have eight decimals. Raises KeyError for a parameter that no part declares.
    """
    declared = {pair: place for place, pair in enumerate(_declared())}
    ordered = sorted(facts, key=lambda fact: declared[fact.topic, fact.parameter])
    columns = {name: pa.array([getattr(fact, name) for fact in ordered], pa.string()) for name in ("topic", "parameter", "subject")}
    values = [fact.value for fact in ordered]
    columns["place"] = pa.array(range(len(ordered)), pa.int32())
    columns["true_value"] = shares(np.array([np.nan if isinstance(value, str) else value for value in values], dtype=np.float64))
    columns["true_text"] = pa.array([value if isinstance(value, str) else None for value in values], pa.string())
    return {demo_truth: pa.table(columns)}


# ── from rows to the reader ─────────────────────────────────────────────────────────────────────────────────────────────


def truth() -> Select[Any]:
    """One row per stated parameter and subject, in the order in which they are stated: topic, parameter, subject, true_value, true_text."""
    stated = demo_truth.c
    named = [stated.topic, stated.parameter, stated.subject]
    return select(*named, stated.true_value, stated.true_text).order_by(stated.place, *named)


def is_demo() -> Select[Any]:
    """One row: facts, the number of stated parameters; 0 in a data set that is no demo."""
    return select(func.count().label("facts")).select_from(demo_truth)


def as_json(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows of `truth` by topic and parameter: a value, or values by subject, "all" among them where it stands beside others.

    Numbers that count something are whole.

    >>> as_json(pd.DataFrame([("plan", "seed", "", 1.0, None)], columns=["topic", "parameter", "subject", "true_value", "true_text"]))
    {'plan': {'seed': 1}}
    """
    found: dict[str, dict[str, dict[str, float | str | None]]] = {}
    names = zip(frame["topic"], frame["parameter"], frame["subject"], strict=True)
    values = zip(frame["true_value"], frame["true_text"], strict=True)
    for (topic, parameter, subject), (number, text) in zip(names, values, strict=True):
        by_subject = found.setdefault(topic, {}).setdefault(parameter, {})
        by_subject[subject or ALL] = _json_value(number, text, unit_of(topic, parameter))
    return {
        topic: {parameter: values[ALL] if list(values) == [ALL] else values for parameter, values in parameters.items()}
        for topic, parameters in found.items()
    }


def _json_value(number: float, text: str | None, unit: str) -> float | str | None:
    if pd.isna(number):
        return int(text) if unit == "number" and text else text
    return round(number) if unit == "number" and number == round(number) else round(float(number), DECIMALS)


def _declared() -> list[tuple[str, str]]:
    return [(name, parameter) for name, topic in TOPICS.items() for parameter in topic.parameters]


def topic_label(topic: str) -> str:
    """Return the English label of a topic; its name where no part declares it (a demo of another version)."""
    return TOPICS[topic].label if topic in TOPICS else topic


def label_of(topic: str, parameter: str) -> str:
    """Return the English label of a parameter; its name where no part declares it."""
    return _declaration(topic, parameter)[0]


def unit_of(topic: str, parameter: str) -> str:
    """Return the unit of a parameter; "plain" where no part declares it."""
    return _declaration(topic, parameter)[1]


def _declaration(topic: str, parameter: str) -> tuple[str, str]:
    known = TOPICS[topic].parameters if topic in TOPICS else {}
    return known.get(parameter, (parameter, "plain"))
