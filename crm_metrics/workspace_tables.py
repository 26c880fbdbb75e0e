"""The tables that the app itself writes, beside a data set: unit and meaning of every column. See workspace."""

from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Double, Integer, MetaData, Numeric, Table, Text
from sqlalchemy.sql.type_api import TypeEngine

metadata = MetaData()
_AMOUNT = Numeric(18, 4, asdecimal=False)  # SQLite has no decimals: these are aims, never sums of facts


def _column(name: str, kind: type[TypeEngine[Any]] | TypeEngine[Any], doc: str, **more: Any) -> Column[Any]:
    return Column(name, kind, doc=doc, **more)


def _key(name: str, doc: str, kind: type[TypeEngine[Any]] = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False, doc=doc)


saved_segments = Table(
    "saved_segments",
    metadata,
    _key("segment_id", "1, 2, … in order of saving", Integer),
    _column("segment_name", Text, "name the reader gave it", nullable=False, unique=True),
    _column("made_in", Text, "room it was made in", nullable=False),
    _column("segment_rule", Text, "the rule that chooses its customers, JSON; asked anew each time", nullable=False),
    _column("customer_count", Integer, "customers on the day of saving"),
    _column("as_of_on", Date, "as-of date of the figures it was made from"),
    _column("data_version", Integer, "version of the data set it was made from"),
    _column("saved_at", DateTime, "moment of saving, UTC"),
)
"""One row per segment a reader saved."""

campaign_table = Table(
    "planned_campaigns",
    metadata,
    _key("campaign_id", "1, 2, … in order of saving", Integer),
    _column("campaign_name", Text, "name the reader gave it", nullable=False, unique=True),
    _column("segment_name", Text, "segment its customers were chosen by; empty: all customers"),
    _column("segment_rule", Text, "rule of the segment on the day of saving, JSON"),
    _column("as_of_on", Date, "day on which the customers were chosen", nullable=False),
    _column("data_version", Integer, "version of the data set they were chosen from", nullable=False),
    _column("seed", BigInteger, "seed of the split", nullable=False),
    _column("strata", Text, "names of the strata's attributes, JSON list", nullable=False),
    _column("share_control", Double, "share of the customers held back as control, 0 to 1", nullable=False),
    _column("outcome", Text, "what is measured per customer", nullable=False),
    _column("horizon_days", Integer, "days from the start on which the outcome counts", nullable=False),
    _column("baseline_mean", Double, "outcome per customer expected without the campaign", nullable=False),
    _column("baseline_deviation", Double, "its standard deviation; empty for a share of customers"),
    _column("lift", Double, "lift worth having, relative to baseline_mean", nullable=False),
    _column("alpha", Double, "planned chance of a false alarm, two-sided", nullable=False),
    _column("power", Double, "planned chance to find the lift", nullable=False),
    _column("treated_customers", Integer, "customers in the treated arm", nullable=False),
    _column("control_customers", Integer, "customers in the control arm", nullable=False),
    _column("made_at", DateTime, "moment of saving, UTC", nullable=False),
    _column("expected_lift", Double, "lift expected when it was saved, relative to baseline_mean; empty: nothing was expected"),
    _column("lift_spread", Double, "half of the range in which the lift was expected to lie with a chance of 80%"),
    _column("fixed_cost", Double, "cost whatever the number of customers, reporting currency"),
    _column("contact_cost", Double, "cost of each treated customer, reporting currency"),
    _column("margin_share", Double, "share of net revenue that is left after the cost of goods, 0 to 1"),
    _column("spend_mean", Double, "net revenue per customer expected without the campaign"),
    _column("expected_profit", Double, "profit expected from the treated customers, reporting currency"),
    _column("profit_low", Double, "lower end of its 95% interval"),
    _column("profit_high", Double, "upper end of its 95% interval"),
    _column("chance_of_profit", Double, "chance of a profit above 0 as expected, 0 to 1"),
)
"""One row per campaign that was planned as a test drawn by lot. What was planned stays as it is."""

member_table = Table(
    "planned_members",
    metadata,
    _key("campaign_id", "planned campaign", Integer),
    _key("customer_id", "customer"),
    _column("stratum", Text, "stratum within which the customer was drawn", nullable=False),
    _column("arm", Text, "'treated' or 'control'", nullable=False),
)
"""One row per planned campaign and customer."""

edited_targets = Table(
    "edited_targets",
    metadata,
    _key("metric", "name of the metric"),
    _key("month_on", "first day of the month", Date),
    _key("region", "region the target is for; '' is the whole company"),
    _column("target_value", _AMOUNT, "target in the metric's own unit; empty takes the data set's own target away"),
)
"""One row per metric, month and region a reader edited; wins over `schema.targets`."""

decisions = Table(
    "decisions",
    metadata,
    _key("decision_id", "1, 2, … in order of writing", Integer),
    _column("decided_on", Date, "day of the decision", nullable=False),
    _column("decided_in", Text, "room whose figures it rests on", nullable=False),
    _column("decision_text", Text, "what was decided", nullable=False),
    _column("decided_by", Text, "who decided, as the reader writes it"),
    _column("filters_query", Text, "the filters of that moment, as in the address line"),
    _column("data_version", Integer, "version of the data set the decision rests on"),
    _column("metric", Text, "metric that should move"),
    _column("value_then", _AMOUNT, "value of the metric on that day, in its own unit"),
    _column("value_expected", _AMOUNT, "value expected on the day of review"),
    _column("review_on", Date, "day on which the outcome is to be looked at"),
    _column("outcome_text", Text, "what came of it; empty until reviewed"),
    _column("written_at", DateTime, "moment of writing, UTC"),
)
"""One row per decision, so that its outcome can be looked at later."""

forecast_table = Table(
    "kept_forecasts",
    metadata,
    _key("forecast_id", "1, 2, … in order of keeping", Integer),
    _column("made_on", Date, "day whose knowledge it rests on", nullable=False),
    _column("quarter_on", Date, "first day of the quarter that is forecast", nullable=False),
    _column("choice", Text, "which deals it is about, JSON; '' is all of the company", nullable=False),
    _column("method", Text, "how it was made: 'simulation'", nullable=False),
    _column("mean_value", _AMOUNT, "mean of the simulated quarters, reporting currency", nullable=False),
    _column("median_value", _AMOUNT, "their median, which is the forecast", nullable=False),
    _column("low_value", _AMOUNT, "lower end of the band that should hold 80% of quarters", nullable=False),
    _column("high_value", _AMOUNT, "its upper end", nullable=False),
    _column("quota_value", _AMOUNT, "quota of that day; empty without one"),
    _column("chance_of_quota", Double, "chance to reach it, 0 to 1"),
    _column("data_version", Integer, "version of the data set it was made from", nullable=False),
    _column("made_at", DateTime, "moment of keeping, UTC", nullable=False),
)
"""One row per forecast that was kept. What was said stays as it is."""

settings = Table(
    "settings",
    metadata,
    _key("setting", "name of the setting; 'workspace_version' grows by one with every write"),
    _column("setting_value", Text, "its value"),
)
"""One row per setting of the app for this data set."""
