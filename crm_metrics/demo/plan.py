"""What the demo is to be: its size, its seed and its effects."""

import zlib
from dataclasses import asdict, dataclass, field, fields
from datetime import date

import numpy as np

from crm_metrics.language import noop
from crm_metrics.metric import BadInput

FIRST_ON, LAST_ON = date(2023, 1, 1), date(2025, 12, 31)
GO_LIVE_ON = date(2024, 7, 1)
FEWEST_CUSTOMERS, MOST_CUSTOMERS = 100, 5_000_000
CHUNK_CUSTOMERS = 50_000
DEFAULT_CUSTOMERS, DEFAULT_SEED = 20_000, 1


def _effect(label: str) -> bool:
    """Return a field of Effects: on unless switched off. label: what the page calls it, in English."""
    return field(default=True, metadata={"label": label})


@dataclass(frozen=True)
class Effects:
    """What is simulated beyond purchases, spend and unit costs; each can be switched off without changing the draws of the others."""

    seasonality: bool = _effect(noop("seasons"))  # of orders, by month and day of the week
    upgrades: bool = _effect(noop("upgrades to premium products"))  # from standard ones, with higher spend
    outliers: bool = _effect(noop("outliers and a test account"))  # a few orders of many times the usual value
    discounts: bool = _effect(noop("discounts"))
    returns: bool = _effect(noop("returns"))
    voids: bool = _effect(noop("cancelled orders and gifts"))
    anonymous: bool = _effect(noop("orders without a customer"))
    affinities: bool = _effect(noop("categories bought together"))
    satisfaction: bool = _effect(noop("satisfaction that moves purchases"))  # its effect on the rate of purchase
    service: bool = _effect(noop("customers who leave after a bad answer"))  # tickets there are without it as well
    response_bias: bool = _effect(noop("the satisfied who stay silent"))  # they answer surveys less often
    campaigns: bool = _effect(noop("campaigns"))  # with what they cause
    win_back: bool = _effect(noop("win-back of lapsed customers"))  # those campaigns alone
    cost_to_serve: bool = _effect(noop("cost to serve"))  # other than that of service tickets
    referrals: bool = _effect(noop("referrals"))  # who brought whom
    contracts: bool = _effect(noop("contracts"))
    go_live: bool = _effect(noop("the go-live of the CRM"))  # levels before and after it; without it the levels before
    detours: bool = _effect(noop("detours of deals"))  # skipped and backward moves, pushed closing dates, reopened deals
    two_systems: bool = _effect(noop("second, misspelt records"))  # of customers whom both systems know

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


EFFECTS: dict[str, str] = {effect.name: effect.metadata["label"] for effect in fields(Effects)}
"""English label of each effect."""
EFFECT_NAMES = tuple(EFFECTS)


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
