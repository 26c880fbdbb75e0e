"""What the page about the truth says: findings, values with their units, headings."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import pandas as pd
from babel.numbers import format_currency, format_decimal, format_percent

from crm_metrics.demo import truth, world
from crm_metrics.demo.plan import EFFECTS
from crm_metrics.language import locale, noop, t
from crm_metrics.metric import DASH, Unit, is_unknown, value_text

Kind: TypeAlias = Unit | Literal["text", "long text", "flag", "number"]

QUESTIONS: dict[str, str] = {"parameters": noop("What made the data?"), "found": noop("Is it found again?"), "who": noop("Who is who?")}
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "buy": (noop("How often they buy: r, alpha"), ("r", "alpha")),
    "leave": (noop("When they leave: a, b"), ("a", "b")),
    "spend": (noop("What they spend: p, q, v"), ("p", "q", "v")),
}
SUBJECTS: dict[str, str] = {  # codes that stand in the truth; names of channels, regions and campaigns have both languages in them
    "Monday": noop("Monday"),
    "Tuesday": noop("Tuesday"),
    "Wednesday": noop("Wednesday"),
    "Thursday": noop("Thursday"),
    "Friday": noop("Friday"),
    "Saturday": noop("Saturday"),
    "Sunday": noop("Sunday"),
    "after": noop("with the CRM"),
    "before": noop("before the CRM"),
    "person": noop("person"),
    "company": noop("company"),
    "second person of a company": noop("second person of a company"),
    "standard": noop("standard products"),
    "premium": noop("premium products"),
    "phone": noop("by telephone"),
    "e-mail": noop("by e-mail"),
    "web self-service": noop("by web self-service"),
    "meeting": noop("a meeting"),
    "visit": noop("a visit"),
    "no answer": noop("nobody answers"),
    "reached": noop("somebody is reached"),
    "qualified": noop("the lead qualifies"),
    "telesales": noop("telesales"),
    "sales": noop("sales staff"),
    "service": noop("service staff"),
    "order entry": noop("order entry"),
    "marketing": noop("marketing"),
    "birth_year": noop("year of birth of a person"),
    "contact_channel": noop("the channel of contact"),
    "customer_name": noop("the name"),
    "email": noop("the e-mail address"),
    "has_consent": noop("whether there is consent"),
    "language": noop("the language"),
    "Chinese company": noop("Chinese company"),
    "Chinese person": noop("Chinese person"),
    "English company": noop("English company"),
    "English person": noop("English person"),
    "another ending": noop("another ending"),
    "dropped letter": noop("dropped letter"),
    "homophone": noop("homophone"),
    "in Latin letters": noop("in Latin letters"),
    "in Latin letters, swapped": noop("in Latin letters, swapped"),
    "initial only": noop("initial only"),
    "swapped names": noop("swapped names"),
    "transposed letters": noop("transposed letters"),
    "treated": noop("customers treated"),
    "treated B": noop("customers treated with the second offer"),
    "agency": noop("cost of the agency"),
    "media": noop("cost of media"),
    "postage": noop("cost of postage"),
    "telephone": noop("cost of telephone calls"),
}
TRUTH_COLUMNS: dict[str, tuple[str, Kind]] = {  # the short value before the long text: a narrow screen shows both
    "value": (noop("True value"), "text"),
    "label": (noop("What"), "long text"),
    "subject": (noop("For what"), "text"),
    "number": (noop("As a number"), "number"),
    "unit": (noop("Unit"), "text"),
    "topic": (noop("Topic"), "text"),
}
FOUND_COLUMNS: dict[str, tuple[str, Kind]] = {
    "channel": (noop("Won through"), "text"),
    "parameter": (noop("Parameter"), "text"),
    "true_value": (noop("Truth"), "ratio"),
    "estimate": (noop("Estimate"), "ratio"),
    "low": (noop("95% from"), "ratio"),
    "high": (noop("95% to"), "ratio"),
    "is_inside": (noop("Truth inside"), "flag"),
    "standard_error": (noop("Standard error"), "ratio"),
    "customers": (noop("Customers"), "count"),
    "repeaters": (noop("of them repeaters"), "count"),
    "label": (noop("Meaning"), "text"),
}
DOUBLES_COLUMNS: dict[str, tuple[str, Kind]] = {
    "customer_id": (noop("Record"), "text"),
    "customer_name": (noop("Name"), "text"),
    "source_system": (noop("System"), "text"),
    "second_customer_id": (noop("Second record"), "text"),
    "second_customer_name": (noop("Name there"), "text"),
    "second_source_system": (noop("Second system"), "text"),
}
SMALL_BELOW = 0.01  # below it a number, and below a percent a share, has three significant digits
CENTS_FROM = 1.0  # below it money has three significant digits too
PLAIN_FROM = 1_000  # above it a plain number has no decimals
MINUS = "\u2212"  # the mark of a negative number in texts; a spreadsheet takes a text that begins with a hyphen for a formula
MINUTES_PER_HOUR = 60
CLOCK_TIMES = frozenset(  # parameters in hours after midnight
    {
        ("sales_channels", "opens_at"),
        ("sales_channels", "closes_at"),
        ("campaigns", "first_sending_hour"),
        ("campaigns", "last_sending_hour"),
        ("leads", "calls_from"),
        ("leads", "calls_until"),
        ("leads", "fairs_from"),
        ("leads", "fairs_until"),
        ("deals", "office_opens"),
    }
)
FOUND_ALT = noop("Dots with intervals: estimates as multiples of the truth by channel, hollow where the truth lies outside.")
FOUND_NOTES = noop(
    "BG/NBD and Gamma-Gamma fitted on the customers won through each channel, all days, the test account left out; a repeat purchase "
    "counts with the lines sold, returns not taken off. 95% interval: normal for the logarithm of the parameter, from the inverse of "
    "the likelihood's curvature. No estimate where the customers are too few for a model. A model of all channels together has no true "
    "parameters: a mixture of these distributions is none of them."
)


def headings(declared: Mapping[str, tuple[str, Kind]], frame: pd.DataFrame) -> dict[str, tuple[str, Kind]]:
    """Return heading and kind of the declared columns that `frame` has."""
    return {name: (t(label), kind) for name, (label, kind) in declared.items() if name in frame}


def finding(tiles: pd.DataFrame, *, data_set: str) -> str:
    """Return the first sentence of the page, from the tiles."""
    values = tiles.set_index("metric")["value"]
    if not values["stated_parameters"]:
        return t("“{name}” is no demo: nobody knows what is true of these data.", name=data_set)
    words = {name: value_text(values[name], "count", exact=True) for name in ("stated_parameters", "true_customers", "doubles")}
    text = (
        noop(
            "{stated_parameters} stated numbers made these {true_customers} customers; {left} of them have left for good, "
            "{doubles} are in two systems."
        )
        if values["doubles"]
        else noop("{stated_parameters} stated numbers made these {true_customers} customers; {left} of them have left for good.")
    )
    return t(text, **words, left=value_text(values["left_share"], "share"))


def plan_note(stated: pd.DataFrame) -> str:
    """Return size, seed and what is switched off, from the rows of the truth."""
    plan = stated[stated["topic"] == truth.PLAN]
    customers, seed = (plan.loc[plan["parameter"] == name].iloc[0] for name in ("customers", "seed"))
    tests = int("outliers" in _effects(stated, truth.ON))
    numbers = {"customers": _customers(customers["value"] - tests, tests), "seed": seed["text"]}
    off = [t(EFFECTS[name]) for name in _effects(stated, truth.OFF)]
    if not off:
        return t("Planned for {customers} with seed {seed}, every effect switched on.", **numbers)
    return t("Planned for {customers} with seed {seed}. Switched off: {effects}.", **numbers, effects=t(", ").join(off))


def tile_notes(tiles: pd.DataFrame) -> dict[str, str]:
    """Return what stands under the tiles: the test account is none of the customers."""
    tests = tiles.set_index("metric").loc["test_accounts", "value"]
    return {"true_customers": t("the test account not counted")} if tests else {}


def _customers(customers: float, tests: float) -> str:
    """Return how many customers there are; the test account is none of them."""
    text = noop("{n} customers and the test account") if tests else noop("{n} customers")
    return t(text, n=value_text(customers, "count", exact=True))


def _effects(stated: pd.DataFrame, state: str) -> list[str]:
    """Return the known effects that are on or off."""
    names = stated.loc[(stated["parameter"] == truth.EFFECT) & (stated["text"] == state), "subject"]
    return [name for name in EFFECTS if name in set(names)]


def truth_in_words(stated: pd.DataFrame, *, currency: str) -> pd.DataFrame:
    """Return the rows of the truth to be read, in the reader's language: label, value, subject, number, unit, topic.

    value: as text with its unit. number and unit: the same to count with; without a number where the truth is a text.
    """
    names = list(zip(stated["topic"], stated["parameter"], stated["subject"], strict=True))
    kinds = [kind_of(*row) for row in zip(stated["topic"], stated["parameter"], stated["value"], stated["unit"], strict=True)]
    values = zip(stated["value"], stated["text"], kinds, strict=True)
    return pd.DataFrame(
        {
            "label": [t(label) for label in stated["label"]],
            "value": [shown_value(number, text, kind=kind, currency=currency) for number, text, kind in values],
            "subject": [t(EFFECTS.get(subject, subject)) if name == truth.EFFECT else _subject(subject) for _, name, subject in names],
            "number": [round(number * _TIMES.get(kind, 1), _DECIMALS) for number, kind in zip(stated["value"], kinds, strict=True)],
            "unit": [currency if kind == "money" else t(_UNITS[kind]) if kind in _UNITS else "" for kind in kinds],
            "topic": [t(truth.topic_label(topic)) for topic in stated["topic"]],
        }
    )


def _subject(subject: str) -> str:
    """Return a subject in the reader's language, piece by piece ("phone · after"): names have both languages in them."""
    return world.subject(*[t(SUBJECTS[piece]) if piece in SUBJECTS else piece for piece in world.pieces(subject)])


def kind_of(topic: str, parameter: str, number: float, unit: str) -> str:
    """Return how a true value is printed: its unit, or "clock" for a time of day and "minutes" for less than an hour ("under_an_hour")."""
    if (topic, parameter) in CLOCK_TIMES:
        return "clock"
    return "under_an_hour" if unit == "hours" and abs(number) < 1 else unit


_DECIMALS = 6  # of a number in the table; the JSON has all
_TIMES = {"share": 100, "under_an_hour": MINUTES_PER_HOUR}
_UNITS = {
    "share": "%",
    "days": noop("days"),
    "minutes": noop("minutes"),
    "under_an_hour": noop("minutes"),
    "hours": noop("hours"),
    "clock": noop("hours after midnight"),
}


def shown_value(number: float, text: str | None, *, kind: str, currency: str) -> str:
    """Return one true value with its unit; kind: see kind_of.

    >>> shown_value(0.00005, None, kind="share", currency="CNY"), shown_value(17.5, None, kind="clock", currency="CNY")
    ('0.005%', '17:30')
    """
    if is_unknown(number):
        return t(text) if text in (truth.ON, truth.OFF) else text or DASH
    return _written(number * _TIMES.get(kind, 1), kind=kind, currency=currency).replace("-", MINUS)


def _written(number: float, *, kind: str, currency: str) -> str:
    """Return a number, in percent for a share and in minutes under an hour, with its unit."""
    if kind == "money":
        return _money(number, currency)
    if kind == "clock":
        hours, minutes = divmod(round(number * MINUTES_PER_HOUR), MINUTES_PER_HOUR)
        return f"{hours}:{minutes:02}"
    if kind == "share":
        return format_percent(_rounded(number, below=1) / 100, format="#,##0.##%" if abs(number) >= 1 else _FINE + "%", locale=locale())
    pattern = "#,##0" if abs(number) >= PLAIN_FROM else "#,##0.####" if abs(number) >= SMALL_BELOW else _FINE
    written = format_decimal(_rounded(number, below=SMALL_BELOW), format=pattern, locale=locale())
    if kind == "days" and written == "1":
        return t("1 day")
    return t(_WITH_UNIT[kind], number=written) if kind in _WITH_UNIT else written


def _money(amount: float, currency: str) -> str:
    if abs(amount) >= CENTS_FROM or not currency:
        return value_text(amount, "money", currency, exact=True)
    fine = "¤#,##0.00########"
    return format_currency(_rounded(amount, below=CENTS_FROM), currency, format=fine, currency_digits=False, locale=locale())


def _rounded(number: float, *, below: float) -> float:
    """Return a small number with three significant digits."""
    return float(f"{number:.3g}") if abs(number) < below else number


_FINE = "#,##0.##########"
_WITH_UNIT = {
    "days": noop("{number} days"),
    "minutes": noop("{number} min"),
    "under_an_hour": noop("{number} min"),
    "hours": noop("{number} h"),
}


def of_topic(shown: pd.DataFrame, topic: str) -> pd.DataFrame:
    """Return the rows of one topic, without its column; all rows where no topic is chosen."""
    return shown[shown["topic"] == topic].drop(columns="topic") if topic else shown


def topics(shown: pd.DataFrame) -> dict[str, str]:
    """Return the topics to choose from, "" for all, each with its words."""
    return {"": t("All topics"), **{topic: topic for topic in shown["topic"].unique()}}


def found_finding(found: pd.DataFrame) -> str:
    """Return how many of the estimates have the truth in their interval."""
    known = found["is_inside"].dropna()
    if known.empty:
        return t("No channel has enough customers for a purchase model: there is nothing to find again.")
    return t(
        "{inside} of {n} intervals hold the truth; of intervals that are right, 19 in 20 do.",
        inside=value_text(int(known.sum()), "count", exact=True),
        n=value_text(len(known), "count", exact=True),
    )


def bias_note(stated: pd.DataFrame) -> str:
    """Return why estimates are expected to be off where there are effects that the purchase models know nothing of."""
    effects = [t(EFFECTS[name]) for name in _effects(stated, truth.ON) if name in _BIASING]
    if not effects:
        return t("Nothing but the purchase models made these orders: the estimates should be right.")
    return t(
        "The models know nothing of {effects}, which are in these data: so estimates off the truth are expected here. In a demo built "
        "without them (`python -m crm_metrics demo --without all --database plain`) the truth is found again.",
        effects=t(", ").join(effects),
    )


_BIASING = ("seasonality", "upgrades", "outliers", "satisfaction", "service", "campaigns", "win_back")


def found_in_words(found: pd.DataFrame) -> pd.DataFrame:
    """Return the estimates beside the truth with the meaning of each parameter."""
    return found.assign(label=[t(truth.label_of(truth.PURCHASES, parameter)) for parameter in found["parameter"]])


def doubles_in_words(doubles: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of records with the systems they come from in the reader's language."""
    named = {name: [t(_SYSTEMS.get(system, str(system))) for system in doubles[name]] for name in ("source_system", "second_source_system")}
    return doubles.assign(**named)


_SYSTEMS = {"shop": noop("the shop's"), "office": noop("the office's")}


def doubles_finding(doubles: pd.DataFrame, tiles: pd.DataFrame) -> str:
    """Return how many records are second ones of the same customer."""
    values = tiles.set_index("metric")["value"]
    if doubles.empty:
        return t("Every customer has one record: in this demo there is no second system.")
    return t(
        "{n} records are second ones of customers known already: {records} records, {customers}.",
        n=value_text(len(doubles), "count", exact=True),
        records=value_text(values["records"], "count", exact=True),
        customers=_customers(values["true_customers"], values["test_accounts"]),
    )
