"""The choices of a reader that every room is asked with."""

from datetime import timedelta

from benchmarks.shop import CATEGORIES, CHANNELS, LAST_ON, REGIONS, customer_key
from crm_metrics.filters import Filters

_YEAR_FROM, _QUARTER_FROM = LAST_ON - timedelta(days=364), LAST_ON - timedelta(days=89)
_CUSTOMER = customer_key(1)  # whoever orders most has the longest page; only the room about one customer looks at it

FILTER_SETS: dict[str, Filters] = {
    "all": Filters(customer=_CUSTOMER),
    "365 days": Filters(start=_YEAR_FROM, end=LAST_ON, customer=_CUSTOMER),
    "90 days": Filters(start=_QUARTER_FROM, end=LAST_ON, customer=_CUSTOMER),
    "365 days, 2 regions": Filters(start=_YEAR_FROM, end=LAST_ON, region=REGIONS[:2], customer=_CUSTOMER),
    "and 2 channels": Filters(start=_YEAR_FROM, end=LAST_ON, region=REGIONS[:2], channel=CHANNELS[:2], customer=_CUSTOMER),
    "and 3 categories": Filters(
        start=_YEAR_FROM, end=LAST_ON, region=REGIONS[:2], channel=CHANNELS[:2], category=CATEGORIES[:3], customer=_CUSTOMER
    ),
    "all but 1 channel and 1 category": Filters(channel=CHANNELS[:-1], category=CATEGORIES[:-1], customer=_CUSTOMER),
}
