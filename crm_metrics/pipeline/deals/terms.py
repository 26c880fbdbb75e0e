"""Which deals a reader looks at, besides the shared filters."""

from dataclasses import dataclass, fields
from typing import Literal

DealKey = Literal["source", "owner", "team", "product", "market", "pipeline"]


@dataclass(frozen=True)
class DealTerms:
    """Chosen values of each; none means all, filters.UNKNOWN those without one.

    source: where the deal came from. owner: employee_id. team: of the owner. product: product_id. market: segment or sector of the account.
    pipeline: where there are several.
    """

    source: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    market: tuple[str, ...] = ()
    pipeline: tuple[str, ...] = ()

    @property
    def chosen(self) -> tuple[DealKey, ...]:
        """The keys by which something is chosen."""
        return tuple(key for key in DEAL_KEYS if getattr(self, key))


DEAL_KEYS: tuple[DealKey, ...] = tuple(field.name for field in fields(DealTerms))  # type: ignore[misc]  # the keys are its fields
ALL_DEALS = DealTerms()
