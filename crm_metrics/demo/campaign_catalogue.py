"""The campaigns of the demo and what each of them truly causes: the stated parameters.

A campaign that helps adds orders: each treated person places one more order within the measuring window with a stated chance, of a
stated mean value, whoever the person is. So the true lift is chance x value, exactly. A campaign that annoys takes orders away: each
order that a treated person would have placed within the window is lost with a stated chance, so the true relative lift is minus that
chance. The windows of no two campaigns overlap, nor does a second life reach into one: what one campaign does never moves another's.
"""

from datetime import timedelta
from typing import Literal, NamedTuple

import numpy as np

from crm_metrics.demo.plan import FIRST_ON, Plan
from crm_metrics.demo.world import Floats

Audience = Literal["everybody", "best", "lapsed"]
TREATED, TREATED_B, CONTROL = "treated", "treated B", "control"
UNDER_40, FROM_40 = "40岁以下 Under 40", "40岁及以上 40 and over"
SEGMENT_AGE = 40  # in the year the campaign starts
ORDER_VALUE_SHAPE = 4.0  # of the gamma distribution of the value of an order that a campaign causes
BEST_DAYS = 180  # before the start; the best customers are those who spent most in them
LAPSED_DAYS = 180  # before the start without an order
RECENT_DAYS = 90  # before the start; controls without an order in them are those that the broken split loses

SMS, EMAIL, MAIL = "短信 SMS", "电子邮件 E-mail", "邮寄 Direct mail"
WECHAT, TELEPHONE = "微信 WeChat", "电话 Telephone"


class Effect(NamedTuple):
    """What a campaign does to each person of one arm and stratum ("" is all strata).

    extra_orders: chance of one more order within the window. order_value: its mean net amount, CNY. lost_share: chance of losing each
    order that would have been placed within the window.
    """

    arm: str = TREATED
    stratum: str = ""
    extra_orders: float = 0.0
    order_value: float = 0.0
    lost_share: float = 0.0


class SecondLife(NamedTuple):
    """What a won-back customer buys after the window. orders: mean number. order_value: mean, CNY. days: after the window."""

    orders: float
    order_value: float
    days: int


class Cost(NamedTuple):
    """One cost item. per_person: CNY for each person treated. day: relative to the campaign's first day."""

    kind: str
    per_person: float
    day: int = 0


class Campaign(NamedTuple):
    """One campaign; shares are 0 to 1.

    started: first day, 0 the first of the demo. run_days: how long it ran. window_days: how long results count, from the first day on.
    arms: with the planned share of each; one arm only is a campaign without control. audience, audience_share: which of those who may
    be contacted, and how many of them. attributed_share: of the orders that treated persons would have placed anyway, that name the
    campaign all the same. open_rate: of those sent to; click_rate: of those who opened. costs: none where no cost was recorded.
    budget_factor: planned cost as a multiple of the true one. lost_controls: share of the controls without recent orders that dropped
    out of the list.
    """

    name: str
    kind: str
    channel: str
    started: int
    run_days: int
    window_days: int
    arms: tuple[tuple[str, float], ...]
    personalisation: str
    attributed_share: float
    effects: tuple[Effect, ...] = ()
    strata: tuple[str, ...] = ("",)
    audience: Audience = "everybody"
    audience_share: float = 1.0
    has_companies: bool = False
    open_rate: float = 0.0
    click_rate: float = 0.0
    costs: tuple[Cost, ...] = ()
    budget_factor: float = 1.0
    lost_controls: float = 0.0
    second_life: SecondLife | None = None

    @property
    def ended(self) -> int:
        """First day after the measuring window."""
        return self.started + self.window_days

    @property
    def started_year(self) -> int:
        """Calendar year of the first day."""
        return (FIRST_ON + timedelta(self.started)).year

    @property
    def is_randomised(self) -> bool:
        """Whether there is a control arm drawn by lot."""
        return len(self.arms) > 1

    @property
    def treated_arms(self) -> tuple[int, ...]:
        """Places of the arms that were contacted."""
        return tuple(place for place, (arm, _) in enumerate(self.arms) if arm != CONTROL)

    def levels(self, parameter: Literal["extra_orders", "order_value", "lost_share"]) -> Floats:
        """Return the stated parameter of each stratum (rows) and arm (columns); 0 where nothing is stated."""
        found = np.zeros((len(self.strata), len(self.arms)))
        for effect in self.effects:
            for row, stratum in enumerate(self.strata):
                for column, (arm, _) in enumerate(self.arms):
                    if effect.arm == arm and effect.stratum in ("", stratum):
                        found[row, column] = getattr(effect, parameter)
        return found


_HALVES = ((TREATED, 0.5), (CONTROL, 0.5))
_ALL = ((TREATED, 1.0),)

CAMPAIGNS = (
    Campaign(
        "年中大促群发 Mid-year mailing",
        "retention",
        SMS,
        started=151,
        run_days=18,
        window_days=30,
        arms=_ALL,
        personalisation="mass",
        attributed_share=0.45,
        effects=(Effect(extra_orders=0.02, order_value=220.0),),
        has_companies=True,
        costs=(Cost("media", 0.80), Cost("agency", 0.70, -10)),
        budget_factor=0.9,
    ),
    Campaign(
        "双十一贵宾邀请 Invitation to the best customers",
        "retention",
        MAIL,
        started=300,
        run_days=15,
        window_days=30,
        arms=_ALL,
        personalisation="individual",
        attributed_share=0.60,
        effects=(Effect(extra_orders=0.05, order_value=300.0),),
        audience="best",
        audience_share=0.25,
        costs=(Cost("postage", 3.60), Cost("media", 8.20, -7), Cost("agency", 5.00, -21)),
        budget_factor=1.1,
    ),
    Campaign(
        "春季上新 Spring collection",
        "cross-sell",
        EMAIL,
        started=425,
        run_days=30,
        window_days=45,
        arms=_HALVES,
        personalisation="segment",
        attributed_share=0.35,
        effects=(Effect(extra_orders=0.06, order_value=250.0),),
        open_rate=0.34,
        click_rate=0.22,
        costs=(Cost("media", 2.10), Cost("agency", 1.50, -14)),
        lost_controls=0.5,
    ),
    Campaign(
        "会员日双方案 Members' day, two offers",
        "retention",
        WECHAT,
        started=480,
        run_days=14,
        window_days=45,
        arms=((TREATED, 0.4), (TREATED_B, 0.4), (CONTROL, 0.2)),
        personalisation="segment",
        attributed_share=0.40,
        effects=(Effect(extra_orders=0.10, order_value=250.0), Effect(TREATED_B, extra_orders=0.04, order_value=250.0)),
        open_rate=0.52,
        click_rate=0.28,
        costs=(Cost("media", 5.40), Cost("agency", 2.20, -14)),
        budget_factor=1.05,
    ),
    Campaign(
        "老客召回 Come back to us",
        "win-back",
        TELEPHONE,
        started=560,
        run_days=30,
        window_days=45,
        arms=_HALVES,
        personalisation="individual",
        attributed_share=0.50,
        effects=(Effect(extra_orders=0.12, order_value=260.0),),
        audience="lapsed",
        has_companies=True,
        costs=(Cost("telephone", 6.50), Cost("agency", 2.00, -14)),
        budget_factor=1.2,
        second_life=SecondLife(orders=1.6, order_value=240.0, days=140),
    ),
    Campaign(
        "新年贺卡 New Year card",
        "retention",
        MAIL,
        started=750,
        run_days=10,
        window_days=45,
        arms=_HALVES,
        personalisation="mass",
        attributed_share=0.25,
        costs=(Cost("postage", 1.80), Cost("media", 2.40, -7)),
        budget_factor=0.95,
    ),
    Campaign(
        "春季优惠券 Spring voucher",
        "retention",
        SMS,
        started=800,
        run_days=30,
        window_days=45,
        arms=_HALVES,
        personalisation="segment",
        attributed_share=0.40,
        effects=(Effect(extra_orders=0.10, order_value=320.0),),
        open_rate=0.61,
        click_rate=0.24,
        costs=(Cost("media", 4.10), Cost("agency", 2.30, -14)),
    ),
    Campaign(
        "直播邀请 Live-stream invitation",
        "cross-sell",
        WECHAT,
        started=860,
        run_days=21,
        window_days=45,
        arms=_HALVES,
        personalisation="segment",
        attributed_share=0.30,
        effects=(Effect(stratum=UNDER_40, extra_orders=0.12, order_value=250.0), Effect(stratum=FROM_40, lost_share=0.30)),
        strata=(UNDER_40, FROM_40),
        audience_share=0.95,
        open_rate=0.47,
        click_rate=0.31,
        costs=(Cost("media", 3.20), Cost("agency", 1.90, -14)),
        budget_factor=1.1,
    ),
    Campaign(
        "每日提醒 Daily reminders",
        "retention",
        SMS,
        started=930,
        run_days=45,
        window_days=45,
        arms=_HALVES,
        personalisation="mass",
        attributed_share=0.30,
        effects=(Effect(lost_share=0.30),),
        audience_share=0.9,
        open_rate=0.28,
        click_rate=0.09,
        costs=(Cost("media", 3.00),),
    ),
    Campaign(
        "搭配推荐 Goes well with it",
        "cross-sell",
        EMAIL,
        started=1_000,
        run_days=30,
        window_days=45,
        arms=_HALVES,
        personalisation="individual",
        attributed_share=0.35,
        effects=(Effect(extra_orders=0.08, order_value=280.0),),
        audience_share=0.8,
        open_rate=0.38,
        click_rate=0.26,
    ),
)


def running(plan: Plan) -> tuple[int, ...]:
    """Return the places in CAMPAIGNS of the campaigns that take place under the plan, in order of time."""
    return tuple(
        place
        for place, campaign in enumerate(CAMPAIGNS)
        if (plan.effects.win_back if campaign.kind == "win-back" else plan.effects.campaigns)
    )
