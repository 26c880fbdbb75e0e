"""What the demo is to be: its size, its seed and its effects."""

import zlib
from dataclasses import asdict, dataclass, fields
from datetime import date

import numpy as np

from crm_metrics.metric import BadInput

FIRST_ON, LAST_ON = date(2023, 1, 1), date(2025, 12, 31)
GO_LIVE_ON = date(2024, 7, 1)
FEWEST_CUSTOMERS, MOST_CUSTOMERS = 100, 5_000_000
CHUNK_CUSTOMERS = 50_000
DEFAULT_CUSTOMERS, DEFAULT_SEED = 20_000, 1


@dataclass(frozen=True)
class Effects:
    """What is simulated beyond purchases, spend and unit costs; each can be switched off without changing the draws of the others.

    seasonality: of orders, by month and day of the week. upgrades: from standard to premium products, with higher spend.
    outliers: a few orders of many times the usual value, and a test account. discounts, returns: of orders. voids: cancelled
    orders and gifts. anonymous: orders without a customer. affinities: categories that are bought together. satisfaction: its effect
    on the rate of purchase. service: customers who leave after a bad answer. response_bias: the satisfied answer surveys less often.
    campaigns, win_back: with what they cause. cost_to_serve: other than service tickets. referrals: who brought whom. contracts.
    go_live: levels before and after the CRM; without it the levels before. detours: skipped and backward moves, pushed closing dates
    and reopened deals. two_systems: customers with a second, misspelt record.
    """

    seasonality: bool = True
    upgrades: bool = True
    outliers: bool = True
    discounts: bool = True
    returns: bool = True
    voids: bool = True
    anonymous: bool = True
    affinities: bool = True
    satisfaction: bool = True
    service: bool = True
    response_bias: bool = True
    campaigns: bool = True
    win_back: bool = True
    cost_to_serve: bool = True
    referrals: bool = True
    contracts: bool = True
    go_live: bool = True
    detours: bool = True
    two_systems: bool = True

    @classmethod
    def without(cls, *names: str) -> "Effects":
        """Return all effects but these; raises BadInput for a name that is none."""
        for name in names:
            if name not in EFFECT_NAMES:
                raise BadInput("{name!r} is no effect of the demo. There are: {known}.", name=name, known=", ".join(EFFECT_NAMES))
        return cls(**dict.fromkeys(names, False))

    @classmethod
    def none(cls) -> "Effects":
        """Return no effect at all: purchases from BG/NBD and spend from Gamma-Gamma, nothing else."""
        return cls.without(*EFFECT_NAMES)


EFFECT_NAMES = tuple(field.name for field in fields(Effects))


@dataclass(frozen=True)
class Plan:
    """A demo company. customers: persons and companies, each counted once however many records they have. seed: of every draw.

    Raises BadInput if the number of customers is out of range or the seed is negative.
    """

    customers: int = DEFAULT_CUSTOMERS
    seed: int = DEFAULT_SEED
    effects: Effects = Effects()

    def __post_init__(self) -> None:
        if not FEWEST_CUSTOMERS <= self.customers <= MOST_CUSTOMERS:
            raise BadInput(
                "{customers} customers are out of range. Give a number between {fewest} and {most}.",
                customers=f"{self.customers:,}",
                fewest=f"{FEWEST_CUSTOMERS:,}",
                most=f"{MOST_CUSTOMERS:,}",
            )
        if self.seed < 0:
            raise BadInput("The seed {seed} is negative. Give a whole number from 0 on.", seed=self.seed)

    @property
    def days(self) -> int:
        """Number of days from the first to the last, both counted."""
        return (LAST_ON - FIRST_ON).days + 1

    @property
    def go_live_day(self) -> int:
        """Day on which the CRM goes live, 0 the first of all; never, where that effect is off."""
        return (GO_LIVE_ON - FIRST_ON).days if self.effects.go_live else self.days

    @property
    def chunks(self) -> int:
        """Number of chunks that the customers are made in."""
        return -(-self.customers // CHUNK_CUSTOMERS)

    def generator(self, part: str, chunk: int = 0) -> np.random.Generator:
        """Return the stream of random numbers of one part and chunk: the same whatever the other parts draw."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, zlib.crc32(part.encode()), chunk]))

    def as_dict(self) -> dict[str, object]:
        """Return the plan as plain values."""
        return {"customers": self.customers, "seed": self.seed, "first_on": str(FIRST_ON), "last_on": str(LAST_ON), **asdict(self.effects)}
