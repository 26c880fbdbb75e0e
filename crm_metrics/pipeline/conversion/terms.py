"""How cohorts of deals and leads are made."""

from typing import Literal, cast

CohortBy = Literal["quarter", "month", "source", "owner", "team", "region", "product", "market"]
PERIODS: tuple[CohortBy, ...] = ("quarter", "month")
COLUMNS: dict[CohortBy, str] = {  # of a deal, for groups that are no periods
    "source": "deal_source",
    "owner": "owner_id",
    "team": "team",
    "region": "region",
    "product": "product_id",
    "market": "market",
}
LEAD_COLUMNS: dict[CohortBy, str] = {  # of a lead, which knows no market
    "source": "lead_source",
    "owner": "owner_id",
    "team": "team",
    "region": "region",
    "product": "product_id",
}
AGES = (30, 60, 90, 180, 365)
"""Days after creation at which shares are read."""
STALLED_SHARE = 0.9
"""A deal that is longer in its stage than this share of all stays there has stalled."""


def cohorts_by(text: str) -> CohortBy:
    """Return by what a reader chose to make cohorts, from a list of these."""
    return cast(CohortBy, text)
