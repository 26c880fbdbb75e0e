"""The unified customer database: every table, every column with its unit and meaning.

Money is in the data set's reporting currency unless the column says otherwise. Amounts are DECIMAL(18,4) as they came and are
rounded only where they are shown. Days are business days in the data set's time zone. Rows that come from a file carry the
`batch_id` that brought them. Keys are natural text keys of the source, so that the same row means the same thing in every batch.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.sql.type_api import TypeEngine

metadata = MetaData()
AMOUNT = Numeric(18, 4)
RATE = Numeric(18, 8)


def _text(name: str, doc: str, **more: Any) -> Column[Any]:
    return Column(name, Text, doc=doc, **more)


def _of(kind: type[TypeEngine[Any]] | TypeEngine[Any]) -> Any:
    def column(name: str, doc: str, **more: Any) -> Column[Any]:
        return Column(name, kind, doc=doc, **more)

    return column


_amount, _rate, _count, _big = _of(AMOUNT), _of(RATE), _of(Integer), _of(BigInteger)
_day, _time, _flag = _of(Date), _of(DateTime), _of(Boolean)


def _key(name: str, doc: str, kind: type[TypeEngine[Any]] = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False, doc=doc)


def _batch() -> Column[Any]:
    return Column("batch_id", Integer, nullable=False, doc="import batch that brought the row")


def _customer(doc: str = "customer the row belongs to", **more: Any) -> Column[Any]:
    return _text("customer_id", doc, **more)


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _customer_attributes() -> list[Column[Any]]:
    return [
        _text("customer_kind", "'person' or 'company'; unknown is empty"),
        _text("customer_name", "name as shown"),
        _text("home_region", "region the customer lives in; an order has a region of its own"),
        _count("birth_year", "year of birth, persons only"),
        _text("acquisition_channel", "how the customer was won"),
        _amount("acquisition_cost", "cost of winning this customer"),
        _day("acquired_on", "day the customer was won, if before the first order"),
        _text("owner_id", "employee who owns the relation"),
        _text("industry", "industry or sector of a company"),
        _text("referrer_customer_id", "customer who referred this one"),
        _flag("has_consent", "may be contacted for marketing; unknown counts as no"),
    ]


customers = Table(
    "customers",
    metadata,
    _key("customer_id", "the source's own customer key"),
    *_customer_attributes(),
    _batch(),
)
"""One row per customer: for each attribute the latest batch that knows it (the golden record)."""

customer_records = Table(
    "customer_records",
    metadata,
    _key("batch_id", "import batch that said it", Integer),
    _key("customer_id", "the source's own customer key"),
    _text("source_system", "system the record comes from"),
    *_customer_attributes(),
)
"""One row per batch and customer: what that batch said. `customers` is made from these, so a batch can be taken back."""

contacts = Table(
    "contacts",
    metadata,
    _key("contact_id", "one person at a customer"),
    _customer(nullable=False),
    _text("contact_name", "name as shown"),
    _text("email", "e-mail address"),
    _text("phone", "telephone number"),
    _text("position", "role at the company"),
    _flag("is_primary", "first person to speak to"),
    _batch(),
)
"""One row per contact person."""

preferences = Table(
    "preferences",
    metadata,
    _key("customer_id", "customer who has the preference"),
    _key("preference", "subject: 'contact_channel', 'category', 'language', …"),
    _text("preferred_value", "what is preferred"),
    _day("stated_on", "day it was stated"),
    _batch(),
)
"""One row per customer and subject."""

employees = Table(
    "employees",
    metadata,
    _key("employee_id", "key of the employee"),
    _text("employee_name", "name as shown"),
    _text("team", "team"),
    _text("manager_id", "employee who leads the team"),
    _text("region", "sales region"),
    _text("role", "'sales', 'telesales', 'service', 'order entry', 'marketing'"),
    _amount("hourly_cost", "loaded cost of one hour"),
    _day("hired_on", "first working day"),
    _day("left_on", "last working day; empty while employed"),
    _batch(),
)
"""One row per employee."""

# ── what was sold ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _product_attributes() -> list[Column[Any]]:
    return [
        _text("product_name", "name as shown"),
        _text("category", "product category"),
        _text("price_tier", "'standard', 'premium', … within the category"),
        _amount("list_price", "price before any discount"),
        _amount("unit_cost", "cost of goods of one unit"),
    ]


products = Table("products", metadata, _key("product_id", "key of the product"), *_product_attributes(), _batch())
"""One row per product: for each attribute the latest batch that knows it."""

product_records = Table(
    "product_records",
    metadata,
    _key("batch_id", "import batch that said it", Integer),
    _key("product_id", "key of the product"),
    *_product_attributes(),
)
"""One row per batch and product: what that batch said."""

orders = Table(
    "orders",
    metadata,
    _key("order_id", "the source's own order number, or one made from batch and row"),
    _customer("customer; empty for an anonymous sale", index=True),
    _time("ordered_at", "moment of the order in the data set's time zone", nullable=False),
    _day("ordered_on", "business day of the order in the data set's time zone", nullable=False),
    _text("order_region", "region the order was placed in or shipped to"),
    _text("sales_channel", "channel the order came through"),
    _text("campaign_id", "campaign the order names, if any"),
    _text("currency", "ISO code of the currency the order was placed in"),
    _rate("rate_to_reporting", "reporting currency per unit of the order's currency"),
    _flag("is_purchase", "not cancelled and at least one line with positive quantity that is no gift", nullable=False),
    _flag("is_cancelled", "the whole order was cancelled before it was fulfilled", nullable=False),
    _time("entry_started_at", "moment the entry of the order began"),
    _time("entry_booked_at", "moment the order was booked"),
    _flag("was_corrected", "the order had to be corrected after entry"),
    _batch(),
)
"""One row per order, credit note or cancellation: derived from `order_records` and the lines that were loaded."""

order_records = Table(
    "order_records",
    metadata,
    _key("batch_id", "import batch that said it", Integer),
    _key("order_id", "the source's own order number, or one made from batch and row"),
    _customer("customer; empty for an anonymous sale"),
    _time("ordered_at", "first moment of the order in the batch, in the data set's time zone", nullable=False),
    _day("ordered_on", "business day of the order in the data set's time zone", nullable=False),
    _text("order_region", "region the order was placed in or shipped to"),
    _text("sales_channel", "channel the order came through"),
    _text("currency", "ISO code of the currency the order was placed in"),
    _rate("rate_to_reporting", "reporting currency per unit of the order's currency"),
    _text("campaign_id", "campaign the order names, if any"),
    _time("entry_started_at", "moment the entry of the order began"),
    _time("entry_booked_at", "moment the order was booked"),
    _flag("was_corrected", "the order had to be corrected after entry"),
)
"""One row per batch and order: what that batch said, so that a batch which shares orders with others can be taken back."""

order_lines = Table(
    "order_lines",
    metadata,
    _key("batch_id", "import batch that brought the row", Integer),
    _key("row_number", "row in the file, as the reader counts them", BigInteger),
    _text("order_id", "order the line belongs to", nullable=False, index=True),
    _text("product_id", "product sold; empty when the file has none", index=True),
    _text(
        "line_kind", "'sale', 'return' (lowers revenue on its own day), 'gift' (no purchase) or 'cancelled' (no revenue)", nullable=False
    ),
    _amount("quantity", "units; negative for a return", nullable=False),
    _amount("unit_price", "price of one unit as it came, in the reporting currency"),
    _amount("gross_amount", "amount before discount as it came, in the reporting currency; negative for a return"),
    _amount("discount_amount", "discount not already in the price; positive lowers the amount"),
    _amount("net_amount", "what counts as net revenue: gross - discount; negative for a return, 0 when cancelled", nullable=False),
    _amount("cost_amount", "cost of goods of the line; empty when unknown"),
    _text("row_hash", "fingerprint of the row's content, to know the same row in another file", nullable=False),
    _text("row_key", "the row's own key where the mapping names one"),
)
"""One row per order line as it came."""

# ── facts: what the rooms ask ───────────────────────────────────────────────────────────────────────────────────────────


def _amounts() -> list[Column[Any]]:
    """What adds up over rows of facts, whatever they are rows of."""
    return [
        _big("lines", "order lines", nullable=False),
        _big("costed_lines", "order lines whose cost of goods is known", nullable=False),
        _amount("units", "sum of the quantities; returns are negative", nullable=False),
        _amount("net_revenue", "net amounts of all lines, returns and credit notes negative", nullable=False),
        _amount("gross_revenue", "net amounts of the sold lines alone", nullable=False),
        _amount("discount", "discounts not already in the price; empty when none is known"),
        _amount("costed_revenue", "net amounts of the lines whose cost is known", nullable=False),
        _amount("cost_of_goods", "costs of these lines; empty when none is known"),
    ]


def _order_attributes() -> list[Column[Any]]:
    """What facts of orders are chosen by."""
    return [
        _count("customer_number", "number of the customer; empty for an anonymous sale", index=True),
        _day("ordered_on", "business day of the order", nullable=False, index=True),
        _text("order_region", "region the order was placed in or shipped to"),
        _text("sales_channel", "channel the order came through"),
        _text("campaign_id", "campaign the order names, if any"),
    ]


customer_facts = Table(
    "customer_facts",
    metadata,
    _key("customer_id", "customer with an order"),
    _count("customer_number", "the customer's number in the facts", nullable=False, index=True),
)
"""One row per customer with an order: the number by which the facts count. Made by facts.py, like all tables of this part."""

order_facts = Table(
    "order_facts",
    metadata,
    _key("order_id", "order"),
    _customer("customer; empty for an anonymous sale"),
    *_order_attributes(),
    _count("basket_number", "which categories the order holds, as in basket_categories", nullable=False),
    _flag("is_purchase", "not cancelled and at least one sold line", nullable=False),
    _flag("is_cancelled", "the whole order was cancelled", nullable=False),
    *_amounts(),
    _count("purchase_number", "1, 2, … among the customer's purchases in order of time; empty where this is none"),
    _day("first_purchase_on", "day of the customer's first purchase, on every order of the customer"),
    _day("previous_purchase_on", "day of the customer's purchase before this one; empty for the first"),
    _day("second_previous_purchase_on", "day of the purchase before that"),
)
"""One row per order, sorted by day."""

basket_categories = Table(
    "basket_categories",
    metadata,
    _count("basket_number", "number of the basket", nullable=False, index=True),
    _text("category", "product category; empty when unknown"),
    _flag("is_sold", "at least one sold line of the category", nullable=False),
)
"""One row per basket and category. A basket is one set of categories that orders hold, and of those among them that were sold."""

order_category_facts = Table(
    "order_category_facts",
    metadata,
    _text("order_id", "order", nullable=False, index=True),
    _text("category", "product category; empty when unknown"),
    *_order_attributes(),
    _flag("is_purchase", "not cancelled and at least one sold line of the category", nullable=False),
    *_amounts(),
)
"""One row per order and product category, sorted by day."""

order_product_facts = Table(
    "order_product_facts",
    metadata,
    _text("order_id", "order", nullable=False, index=True),
    _text("product_id", "product sold; empty when the file has none"),
    _text("category", "product category; empty when unknown"),
    *_order_attributes(),
    _flag("is_purchase", "not cancelled and at least one sold line of the product", nullable=False),
    *_amounts(),
)
"""One row per order and product, sorted by day."""

daily_sales = Table(
    "daily_sales",
    metadata,
    _day("ordered_on", "business day", nullable=False, index=True),
    _text("order_region", "region the orders were placed in or shipped to"),
    _text("sales_channel", "channel the orders came through"),
    _text("category", "product category; empty when unknown"),
    *_amounts(),
    _amount("net_revenue_identified", "net revenue of orders whose customer is known", nullable=False),
    _amount("gross_revenue_identified", "gross revenue of orders whose customer is known", nullable=False),
)
"""One row per day, region, channel and category with an order line."""


# ── what it costs, what was aimed at ────────────────────────────────────────────────────────────────────────────────────

costs_to_serve = Table(
    "costs_to_serve",
    metadata,
    _key("cost_id", "key of the cost item"),
    _customer("customer served; empty for a cost that no one customer caused"),
    _day("incurred_on", "day of the cost"),
    _text("cost_kind", "'service', 'sales visit', 'delivery', 'return handling', 'reward', …"),
    _text("channel", "contact channel"),
    _amount("minutes", "employee minutes spent"),
    _amount("cost_amount", "cost"),
    _batch(),
)
"""One row per cost of serving a customer."""

targets = Table(
    "targets",
    metadata,
    _key("metric", "name of the metric"),
    _key("month_on", "first day of the month", Date),
    _key("region", "region the target is for; '' is the whole company"),
    _amount("target_value", "target in the metric's own unit"),
    _batch(),
)
"""One row per metric, month and region. Targets a reader edits live in the workspace and win over these."""

# ── campaigns ───────────────────────────────────────────────────────────────────────────────────────────────────────────

campaigns = Table(
    "campaigns",
    metadata,
    _key("campaign_id", "key of the campaign"),
    _text("campaign_name", "name as shown"),
    _text("campaign_kind", "'acquisition', 'retention', 'cross-sell', 'win-back', …"),
    _text("channel", "channel it ran on"),
    _day("started_on", "first day"),
    _day("ended_on", "last day; results are counted to the end of the measuring window"),
    _day("measured_until", "last day on which a result counts"),
    _flag("is_randomised", "treated and control were drawn by lot"),
    _amount("budget_amount", "planned cost"),
    _batch(),
)
"""One row per campaign."""

campaign_arms = Table(
    "campaign_arms",
    metadata,
    _key("campaign_id", "campaign"),
    _key("arm", "arm of the campaign, as its members name it"),
    _rate("planned_share", "share of the members that was planned for the arm, 0 to 1"),
    _batch(),
)
"""One row per arm whose size was planned. Arms whose sizes differ from the plan by more than chance can't be compared."""

campaign_members = Table(
    "campaign_members",
    metadata,
    _key("campaign_id", "campaign"),
    _key("member_id", "row key: the customer, or a number where the file names nobody"),
    _customer("customer, where known"),
    _text("arm", "'treated', 'control' or 'unassigned'; further treated arms carry their own name", nullable=False),
    _text("stratum", "stratum of a stratified split"),
    _day("assigned_on", "day of assignment"),
    _flag("has_responded", "responded to the campaign; empty when not recorded"),
    _amount("outcome_spend", "spend recorded in the campaign's own file"),
    _flag("outcome_visited", "visit recorded in the campaign's own file"),
    _flag("outcome_bought", "purchase recorded in the campaign's own file"),
    _amount("prior_spend", "spend before the campaign, recorded in its own file"),
    _text("segment", "segment recorded in the campaign's own file"),
    _batch(),
)
"""One row per campaign and member."""

campaign_touches = Table(
    "campaign_touches",
    metadata,
    _key("touch_id", "key of the touch"),
    _text("campaign_id", "campaign", nullable=False),
    _customer("customer touched"),
    _time("touched_at", "moment"),
    _text("touch_kind", "'sent', 'opened', 'clicked', 'redeemed', …"),
    _text("personalisation", "'mass', 'segment' or 'individual'"),
    _text("order_id", "order that names the touch, if any"),
    _batch(),
)
"""One row per touch of one customer by one campaign."""

campaign_spend = Table(
    "campaign_spend",
    metadata,
    _key("spend_id", "key of the cost item"),
    _text("campaign_id", "campaign", nullable=False),
    _day("spent_on", "day of the cost"),
    _text("spend_kind", "'media', 'discount', 'agency', 'postage', …"),
    _amount("spend_amount", "cost; a campaign without rows here has no known cost"),
    _batch(),
)
"""One row per cost item of a campaign."""

# ── sales ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

leads = Table(
    "leads",
    metadata,
    _key("lead_id", "key of the lead"),
    _customer("customer the lead became or belongs to"),
    _day("created_on", "day the lead came in"),
    _text("lead_source", "where it came from"),
    _text("owner_id", "employee"),
    _text("region", "region"),
    _text("product_id", "product asked for"),
    _text("lead_status", "'new', 'working', 'qualified', 'unqualified', 'converted'"),
    _day("qualified_on", "day it was qualified"),
    _day("converted_on", "day it became a customer"),
    _text("opportunity_id", "opportunity it became"),
    _batch(),
)
"""One row per lead."""

opportunities = Table(
    "opportunities",
    metadata,
    _key("opportunity_id", "key of the deal"),
    _text("opportunity_name", "name as shown"),
    _customer("account; empty when the source has none"),
    _text("lead_id", "lead it came from"),
    _text("owner_id", "employee"),
    _text("product_id", "main product"),
    _text("region", "sales region; empty: that of the owner"),
    _text("deal_source", "where the deal came from; 'service' for one that a service contact brought"),
    _text("segment", "market segment or sector; empty: the industry of the account"),
    _text("pipeline", "pipeline it runs through, where there are several"),
    _day("created_on", "day it was created; empty when unknown"),
    _text("stage", "stage now"),
    _text("outcome", "'open', 'won' or 'lost'", nullable=False),
    _day("expected_close_on", "expected closing day now"),
    _day("closed_on", "day it was won or lost; empty while open"),
    _amount("deal_amount", "value now; empty when unknown, which is not 0"),
    _text("lost_reason", "why it was lost"),
    _text("competitor", "main competitor"),
    _text("next_step", "agreed next step"),
    _flag("has_scorecard", "the opportunity assessment is complete"),
    _batch(),
)
"""One row per opportunity, as it stands."""

opportunity_history = Table(
    "opportunity_history",
    metadata,
    _key("opportunity_id", "deal"),
    _key("change_number", "rises in order of time within a deal", Integer),
    _time("changed_at", "moment of the change"),
    _text("stage", "stage after the change"),
    _amount("deal_amount", "value after the change"),
    _day("expected_close_on", "expected closing day after the change"),
    _text("owner_id", "employee after the change"),
    _text("outcome", "'open', 'won' or 'lost' after the change"),
    _batch(),
)
"""One row per change of an opportunity."""

stages = Table(
    "stages",
    metadata,
    _key("stage", "key of the stage, as deals name it"),
    _text("stage_name", "name as shown; empty: the key is the name"),
    _text("pipeline", "pipeline the stage belongs to, where there are several"),
    _count("stage_order", "1 is the first"),
    _text("outcome", "'open', 'won' or 'lost'"),
    _rate("assumed_win_probability", "0 to 1, where the source states one"),
    _batch(),
)
"""One row per pipeline stage."""

deal_facts = Table(
    "deal_facts",
    metadata,
    _count("deal_number", "1, 2, … by which the facts count deals", nullable=False, index=True),
    _text("opportunity_id", "deal", nullable=False, index=True),
    _text("opportunity_name", "name as shown"),
    _customer("account; empty when the source has none"),
    _text("customer_name", "name of the account"),
    _text("lead_id", "lead it came from"),
    _text("owner_id", "employee now"),
    _text("product_id", "main product"),
    _text("product_name", "name of the product, else its key"),
    _text("category", "category of the product"),
    _text("region", "sales region; empty: that of the owner"),
    _text("deal_source", "where the deal came from"),
    _text("market", "market segment or sector, else the industry of the account"),
    _text("pipeline", "pipeline it runs through, where there are several"),
    _day("created_on", "day it was created; empty when unknown"),
    _text("stage", "stage now"),
    _text("outcome", "'open', 'won' or 'lost' now; where the deal is silent that of its stage", nullable=False),
    _day("expected_close_on", "expected closing day now"),
    _day("closed_on", "day of closing that the deal itself states, of one without history else the expected one; empty while open"),
    _amount("deal_amount", "value now; empty when unknown, which is not 0"),
    _text("lost_reason", "why it was lost"),
    _text("competitor", "main competitor"),
    _text("next_step", "agreed next step"),
    _flag("has_scorecard", "the opportunity assessment is complete"),
    _day("first_changed_on", "day of the first change in its history; empty without one"),
    _day("last_changed_on", "day of the last change in its history"),
    _text("told_outcome", "outcome after that change"),
)
"""One row per opportunity as it stands, by deal_number. Made by deal_facts.py."""

deal_change_facts = Table(
    "deal_change_facts",
    metadata,
    _count("deal_number", "number of the deal in deal_facts", nullable=False, index=True),
    _count("change_number", "rises in order of time within a deal", nullable=False),
    _time("changed_at", "moment of the change"),
    _day("changed_on", "day of the change"),
    _text("stage", "stage after the change"),
    _text("outcome", "'open', 'won' or 'lost' after the change; where it is silent that of the stage", nullable=False),
    _amount("deal_amount", "value after the change"),
    _day("expected_close_on", "expected closing day after the change"),
    _text("owner_id", "employee after the change"),
    _day("superseded_on", "first day on which a change of a higher number is known; empty: none is"),
)
"""One row per change of an opportunity, by deal and change: at the end of a day d the last one has changed_on <= d < superseded_on."""


activities = Table(
    "activities",
    metadata,
    _key("activity_id", "key of the activity"),
    _text("activity_kind", "'call', 'visit', 'e-mail', 'meeting', 'care', …"),
    _time("happened_at", "moment; a daily count is at midnight"),
    _text("employee_id", "who did it"),
    _customer("with whom"),
    _text("lead_id", "lead concerned"),
    _text("opportunity_id", "deal concerned"),
    _count("activity_count", "1, or the day's number where only a daily count is known"),
    _amount("minutes", "employee minutes"),
    _text("activity_result", "'reached', 'no answer', 'qualified', …"),
    _batch(),
)
"""One row per activity, or per employee, day and kind where only daily counts are known."""

tasks = Table(
    "tasks",
    metadata,
    _key("task_id", "key of the task"),
    _text("employee_id", "who has to do it"),
    _customer("customer concerned"),
    _text("opportunity_id", "deal concerned"),
    _text("stage", "stage the task belongs to"),
    _text("subject", "what is to be done"),
    _day("due_on", "due day"),
    _day("done_on", "day it was done; empty while open"),
    _batch(),
)
"""One row per task."""

quotas = Table(
    "quotas",
    metadata,
    _key("employee_id", "who has the quota"),
    _key("quarter_on", "first day of the quarter", Date),
    _amount("quota_amount", "value to be won in the quarter"),
    _batch(),
)
"""One row per employee and quarter."""

# ── service, surveys, contracts ─────────────────────────────────────────────────────────────────────────────────────────

service_tickets = Table(
    "service_tickets",
    metadata,
    _key("ticket_id", "key of the ticket"),
    _customer("customer who asked"),
    _text("employee_id", "agent"),
    _text("channel", "'phone', 'web self-service', 'e-mail', …"),
    _text("topic", "subject"),
    _text("product_id", "product concerned"),
    _time("opened_at", "moment it was opened"),
    _time("first_reply_at", "first reply by an agent"),
    _time("solved_at", "moment it was solved; empty while open"),
    _amount("wait_minutes", "waiting time before an agent spoke"),
    _flag("was_abandoned", "the customer gave up waiting"),
    _flag("was_self_served", "answered without an agent"),
    _flag("is_known_issue", "matches a known problem"),
    _count("reopened_count", "times it was opened again"),
    _count("transfer_count", "times it was handed on"),
    _count("agent_reply_count", "replies by agents"),
    _amount("handling_minutes", "agent minutes"),
    _amount("handling_cost", "cost of handling"),
    _text("opportunity_id", "opportunity it brought"),
    _batch(),
)
"""One row per service ticket."""

surveys = Table(
    "surveys",
    metadata,
    _key("survey_id", "key of the invitation"),
    _customer("customer asked"),
    _text("ticket_id", "ticket it is about, if any"),
    _text("survey_kind", "'satisfaction' (1 to 5) or 'recommendation' (0 to 10)"),
    _day("invited_on", "day of the invitation"),
    _day("answered_on", "day of the answer; empty when silent"),
    _count("score", "answer; empty when silent"),
    _batch(),
)
"""One row per invitation, answered or not."""

contracts = Table(
    "contracts",
    metadata,
    _key("contract_id", "key of the contract"),
    _customer(),
    _text("contract_kind", "term or plan"),
    _day("started_on", "first day; empty when only the tenure is known"),
    _day("ended_on", "last day; empty while it runs"),
    _count("tenure_months", "whole months it has run, where the source says so"),
    _flag("has_churned", "ended by the customer"),
    _amount("monthly_amount", "charge per month"),
    _batch(),
)
"""One row per contract."""

# ── a demo's truth ──────────────────────────────────────────────────────────────────────────────────────────────────────

demo_truth = Table(
    "demo_truth",
    metadata,
    _key("topic", "what it is about: 'purchases', 'campaigns', …"),
    _key("parameter", "name of the parameter"),
    _key("subject", "channel, campaign, stage, … it is stated for; '' is all"),
    _rate("true_value", "value that made the data"),
    _text("true_text", "the same for what is no number"),
    _count("place", "order in which it is stated"),
    _batch(),
)
"""One row per parameter of a simulated company; empty in every other data set."""

demo_customers = Table(
    "demo_customers",
    metadata,
    _key("customer_id", "customer as the data name it"),
    _text("true_customer_id", "the customer this one is; two records of one customer have the same", nullable=False),
    _rate("purchase_rate", "orders a week while the customer is there, without seasons"),
    _rate("leave_probability", "chance to leave after each repeat order, 0 to 1"),
    _amount("mean_order_value", "expected net amount of an order before any upgrade"),
    _count("satisfaction", "true level, 1 to 5"),
    _day("left_on", "day after which the customer never orders again; empty while still there"),
    _flag("is_test", "test account of the shop's own staff"),
    _batch(),
)
"""One row per customer of a simulated company: what nobody could know of a real one."""

# ── the data set itself ─────────────────────────────────────────────────────────────────────────────────────────────────

data_set = Table(
    "data_set",
    metadata,
    _key("setting", "'schema_version', 'data_version', 'currency', 'time_zone', 'title'"),
    _text("setting_value", "its value"),
)
"""One row per setting of the data set. `data_version` grows by one with every import and undo."""

import_batches = Table(
    "import_batches",
    metadata,
    _key("batch_id", "1, 2, … in order of loading", Integer),
    _text("content_hash", "SHA-256 of the decompressed file", nullable=False),
    _text("mapping_hash", "fingerprint of the mapping it was read with", nullable=False),
    _text("mapping_toml", "the mapping itself", nullable=False),
    _text("file_name", "name the file came under"),
    _text("table_name", "table of the file's own rows; empty when it was not written down"),
    _time("imported_at", "moment of the import, UTC"),
    _text("batch_state", "'loaded', 'undone' or 'replaced'", nullable=False),
    _big("rows_in", "rows in the file"),
    _big("rows_loaded", "rows loaded"),
    _big("rows_duplicate", "rows that earlier batches already hold"),
    _big("rows_quarantined", "rows that can't be right"),
    _amount("amount_loaded", "net amount of the rows loaded"),
    _amount("amount_duplicate", "net amount of the duplicate rows"),
    _amount("amount_quarantined", "net amount of the quarantined rows, as far as it could be read"),
    _day("first_on", "first business day of the rows loaded"),
    _day("last_on", "last business day of the rows loaded"),
    _text("notes", "what the file gave reason to say: templates and their values, JSON"),
)
"""One row per import: the ledger."""

import_left_out = Table(
    "import_left_out",
    metadata,
    Column("batch_id", Integer, ForeignKey("import_batches.batch_id"), primary_key=True, autoincrement=False, doc="import batch"),
    _key("row_number", "row in the file, as the reader counts them", BigInteger),
    _text("left_out_as", "'duplicate' or 'quarantined'", nullable=False),
    _text("reason", "English template of the reason"),
    _text("reason_values", "values of the template, JSON"),
    _text("column_name", "column at fault"),
    _amount("row_amount", "net amount of the row, if it could be read"),
    _text("row_hash", "fingerprint of the row's content"),
    _text("row_key", "the row's own key where the mapping names one"),
    _text("raw", "the row's cells, JSON: nothing is lost"),
)
"""One row per row of a file that was not loaded, with the reason."""

import_held_back = Table(
    "import_held_back",
    metadata,
    _key("batch_id", "import batch", Integer),
    _key("row_number", "row in the file, as the reader counts them", BigInteger),
    *[
        Column(column.name, column.type, nullable=column.nullable, doc=column.doc)
        for column in order_lines.c
        if column.name not in ("batch_id", "row_number")
    ],
    _customer("customer of the order"),
    _day("ordered_on", "business day of the order", nullable=False),
)
"""One row per row that was left out only because of what other batches hold: the line that is loaded when they are taken back."""

import_held_rows = Table(
    "import_held_rows",
    metadata,
    _key("batch_id", "import batch", Integer),
    _key("row_number", "row in the file, as the reader counts them; 0 or less of a row that the mapping alone says", BigInteger),
    _key("table_name", "table the row is of"),
    _flag("is_own", "of the file's own table, so that the row of the file waits with it", nullable=False),
    _text("row_content", "the row's values, JSON", nullable=False),
)
"""One row per row of a table but order_lines that was left out for what other batches hold: it is loaded when they are taken back."""

import_renewed_rows = Table(
    "import_renewed_rows",
    metadata,
    _key("batch_id", "import batch that brought the row", Integer),
    _key("table_name", "table the row is of"),
    _key("row_key", "the row's key, as one text"),
    _text("row_content", "the row's values, JSON", nullable=False),
)
"""One row per row that a later export brought anew: it comes back when that one is taken back."""

# ── keys and indexes ────────────────────────────────────────────────────────────────────────────────────────────────────


def _keyed_by_postgresql_alone() -> tuple[Table, ...]:
    """Return all tables, their keys and indexes not for DuckDB.

    Of ten million lines DuckDB finds a key in 2 ms without them (0.4 with), and with them the file is 1.7 times as large and a day's
    import takes 1.5 times as long. That each key is held once is watched by PostgreSQL and by tests/test_data_import_load.py.
    """
    for table in metadata.sorted_tables:
        rules: list[Any] = [*table.constraints, *table.indexes]
        for rule in rules:
            rule.ddl_if(dialect="postgresql")
    return tuple(metadata.sorted_tables)


TABLES = _keyed_by_postgresql_alone()

# They hold nothing of their own: facts.py and deal_facts.py make them from the other tables.
FACTS = (
    *(customer_facts, order_facts, basket_categories, order_category_facts, order_product_facts, daily_sales),
    *(deal_facts, deal_change_facts),
)
