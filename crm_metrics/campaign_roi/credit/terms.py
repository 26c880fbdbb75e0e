"""What the reader can set: by which rule an order is credited to campaigns."""

from dataclasses import dataclass
from typing import Literal, get_args

from crm_metrics.metric import BadInput

Rule = Literal["named", "first", "last", "linear", "position", "time_decay"]
RULES: tuple[Rule, ...] = get_args(Rule)
USUAL_LOOKBACK_DAYS = 30
USUAL_HALF_LIFE_DAYS = 7.0
MOST_LOOKBACK_DAYS = 730


@dataclass(frozen=True)
class CreditTerms:
    """How orders are credited.

    rule: 'named': the campaign that the order names; else its touches in the lookback: 'first', 'last', 'linear' (all alike), 'position'
    (40 % the first, 40 % the last, 20 % those between), 'time_decay' (half as much for every half-life before the order); "": 'named' where
    any order names a campaign, else 'last'. lookback_days: a touch counts for orders of its own day and so many days after it; a touch
    that names its order for that one alone. kinds: kinds of touch that count; none means all.
    """

    rule: Rule | Literal[""] = ""
    lookback_days: int = USUAL_LOOKBACK_DAYS
    half_life_days: float = USUAL_HALF_LIFE_DAYS
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what can't be counted with."""
        if self.rule and self.rule not in RULES:
            raise BadInput("There is no rule {rule!r}. There are: {known}.", rule=self.rule, known=", ".join(RULES))
        if not (0 <= self.lookback_days <= MOST_LOOKBACK_DAYS and self.half_life_days > 0):
            raise BadInput(
                "The lookback is {days} days and the half-life {half} days. Write 0 to {most} for the first and more than 0 for the other.",
                days=self.lookback_days,
                half=self.half_life_days,
                most=MOST_LOOKBACK_DAYS,
            )
