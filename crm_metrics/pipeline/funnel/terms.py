"""Which funnel a reader looks at."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, cast, get_args

from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms

Mode = Literal["any", "in_order"]
Measure = Literal["count", "value"]
By = Literal["owner", "team", "region", "source", "product", "market", "quarter", "month"]
PERIODS = ("quarter", "month")
BYS: tuple[By, ...] = get_args(By)
GROUPS: dict[By, tuple[str, str]] = {  # column of the deals that tells the group, column that names it
    "owner": ("owner_id", "owner_name"),
    "team": ("team", "team"),
    "region": ("region", "region"),
    "source": ("deal_source", "deal_source"),
    "product": ("product_id", "product_name"),
    "market": ("market", "market"),
}
LEAD_GROUPS = GROUPS | {"source": ("lead_source", "lead_source")}
CALL_GROUPS: dict[By, tuple[str, str]] = {by: GROUPS[by] for by in ("owner", "team", "region")}  # calls know no more


class Behind(NamedTuple):
    """Which deals may stand behind a number: of these outcomes (none: any), and of the group, where there is one."""

    by: By
    group: str
    outcomes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FunnelTerms:
    """deals: the reader's choice of them. mode: `any`, a deal counts at a stage that it reached or went past, by whatever path;
    `in_order`, only if it has been in that stage and in each before it. measure: deals, or their value. by: what groups are made of;
    quarter and month are those of creation.
    """

    deals: DealTerms = ALL_DEALS
    mode: Mode = "any"
    measure: Measure = "count"
    by: By = "owner"

    @classmethod
    def of_texts(cls, deals: DealTerms, *, mode: str = "any", measure: str = "count", by: str = "owner") -> "FunnelTerms":
        """Return the terms that a reader chose from lists of these."""
        return cls(deals, cast(Mode, mode), cast(Measure, measure), cast(By, by))


ALL_FUNNEL = FunnelTerms()


Side = Literal["reached", "lost", "open"]


@dataclass(frozen=True)
class FunnelStep:
    """Who is behind a step. step: as in the table `funnel`. side: all who count there, or those lost there, or open there today.
    group: of `funnel_groups`; empty: all.
    """

    step: str = "won"
    side: Side = "reached"
    group: str = ""

    @classmethod
    def of_texts(cls, *, step: str, side: str) -> "FunnelStep":
        """Return what a reader chose from lists of these."""
        return cls(step, cast(Side, side))
