"""One forecast: what is won so far, what open deals, reopened ones and new ones will add, drawn many times.

Each run takes its own rates of moving, drawn from what the counts leave uncertain (parametric bootstrap: Efron and Tibshirani 1993,
chapter 6); each open deal is then won in the quarter or not; new, reopened and unvalued deals are a compound Poisson sum over the values
of deals won lately. Of past quarters the same sum is drawn at once, by its first three moments.
"""

from typing import NamedTuple

import numpy as np

from crm_metrics.pipeline.forecast.hazards import daily_moves, in_the_end, within
from crm_metrics.pipeline.forecast.history import Booleans, Floats, History, Integers, Standing, day_number
from crm_metrics.pipeline.forecast.seen import RECENT_DAYS, Counts, counts, month_places
from crm_metrics.pipeline.forecast.snapshot import Snapshot
from crm_metrics.pipeline.forecast.terms import Window

RUNS, RUNS_PER_DRAW = 2_000, 100  # of the simulation; runs that share one draw of the rates
FEWEST_CLOSED = 100  # deals won or lost by then; under these nothing is forecast
PARTS = ("won", "open", "reopened", "new")
_MOST_SINGLE = 500  # open deals drawn one by one, those that decide most; the sum of the rest is near enough to normal
_MOST_AMOUNTS = 200  # values of won deals that stand for all
_ARRIVAL_DAYS, _MOST_WINDOWS = 91, 8  # deals created are counted in windows of a quarter's length, two years back
_SURE_AFTER = 2  # windows' changes that count as much as the belief that nothing changes
_SYMMETRIC = 1e6  # shape of a gamma distribution that is as good as normal

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Forecast(NamedTuple):
    """won: value won so far. runs: value won in the quarter, by run. parts: the same for each of PARTS; none of a past forecast.

    deal, timed, ever: the open deals, the chance of each to be won in the rest of the quarter, and in the end.
    """

    won: float
    runs: Floats
    parts: dict[str, Floats]
    deal: Integers
    state: Integers
    amount: Floats
    timed: Floats
    ever: Floats


class Arrivals(NamedTuple):
    """Deals created in the latest window; what their number grows by from one window to the next (logarithm), and how unsteadily."""

    created: int
    growth: float
    spread: float


class _ToCome(NamedTuple):
    """What is still to come. chance: of each open deal to be won in the rest of the quarter, by draw and deal; the first draw is the mean.

    unvalued, reopened, new: wins of known value expected of open deals whose value is unknown, of lost deals, and of those that are not
    created yet, by draw and run. ever: the chance of each open deal in the end.
    """

    chance: Floats
    unvalued: Floats
    reopened: Floats
    new: Floats
    ever: Floats


def closed_by(standing: Standing, told: History) -> int:
    """Return how many deals are won or lost."""
    return int((standing.state >= told.lost).sum())


def won_in(standing: Standing, told: History, window: Window) -> Booleans:
    """Return which deals are won in the quarter."""
    since, until = day_number(window.start_on), day_number(window.end_on)
    return (standing.state == told.won) & (standing.entered >= since) & (standing.entered <= until)


def forecast(told: History, deals: Snapshot, window: Window, *, runs: int = RUNS) -> Forecast:
    """Return the forecast of a quarter by what was known at the end of window.today. deals: as they stood then.

    The same question gives the same answer: the seed is the quarter and the day.
    """
    random, shape = seeded(window), (runs // RUNS_PER_DRAW, RUNS_PER_DRAW)
    come, known = _to_come(told, deals, window, counts(told, day_number(window.today)), random=random, shape=shape), _known(deals)
    parts = {
        "won": np.full(shape, deals.won),
        "open": _open_value(come.chance[1:, known], deals.amount[known], shape, random) + _pooled(come.unvalued, deals.values, random),
        "reopened": _pooled(come.reopened, deals.values, random),
        "new": _pooled(come.new, deals.values, random),
    }
    return _forecast(deals, come, np.sum(list(parts.values()), axis=0), {part: value.ravel() for part, value in parts.items()})


def past_forecast(told: History, deals: Snapshot, window: Window, seen: Counts, *, draws: int) -> Forecast:
    """Return the same, a hundred times as fast: what is to come is drawn from a gamma distribution of the same mean, variance and skewness
    (the translated gamma approximation: Bowers and others 1997, Actuarial Mathematics, chapter 12). seen: by the end of that day.
    """
    random, shape = seeded(window), (draws, RUNS_PER_DRAW)
    come, known = _to_come(told, deals, window, seen, random=random, shape=shape), _known(deals)
    chance, amount = come.chance[1:, known], deals.amount[known]
    single = chance * (1 - chance)
    open_moments = (chance @ amount, single @ amount**2, (single * (1 - 2 * chance)) @ amount**3)
    wins = come.unvalued + come.reopened + come.new
    values = deals.values if len(deals.values) else np.zeros(1)
    mean, variance, third = (of_open[:, None] + wins * (values**power).mean() for power, of_open in enumerate(open_moments, 1))
    return _forecast(deals, come, deals.won + _translated_gamma(mean, variance, third, random), {})


def seeded(window: Window, *more: int) -> np.random.Generator:
    """Return random numbers that are a quarter's and a day's own, and others with `more`."""
    return np.random.default_rng([day_number(window.start_on), day_number(window.today), *more])


def _known(deals: Snapshot) -> Booleans:
    return ~np.isnan(deals.amount)


def _forecast(deals: Snapshot, come: _ToCome, runs: Floats, parts: dict[str, Floats]) -> Forecast:
    return Forecast(deals.won, runs.ravel(), parts, deals.deal, deals.state, deals.amount, come.chance[0], come.ever)


def _to_come(
    told: History, deals: Snapshot, window: Window, seen: Counts, *, random: np.random.Generator, shape: tuple[int, int]
) -> _ToCome:
    daily = np.concatenate([daily_moves(seen), daily_moves(seen, random, shape[0])])
    on, is_even = day_number(window.today), bool((seen.pace == 1).all())
    months = month_places(on + np.arange(window.until + 1)) * (not is_even)
    chances = within(daily, window.after, window.until, pace=seen.pace[:1] if is_even else seen.pace, months=months)
    of_deal = chances.of_standing[:, deals.state, deals.age]
    unvalued = ~_known(deals)
    lasting = min(1.0, (1 - deals.valued) / unvalued.mean()) if unvalued.any() else 0.0  # of these, won and still of unknown value
    of_new = chances.of_entering[: window.until, 1:]
    reopened = chances.of_standing[1:, told.lost] @ deals.lost * deals.valued
    return _ToCome(
        chance=of_deal,
        unvalued=np.broadcast_to(of_deal[1:, unvalued].sum(axis=1)[:, None] * (1 - lasting), shape),
        reopened=np.broadcast_to(reopened[:, None], shape),
        new=_new_wins(told, of_new, on, random=random, shape=shape) * deals.valued,
        ever=in_the_end(daily[:1])[0, deals.state],
    )


def stage_chances(told: History, on: int, *, draws: int) -> tuple[Floats, Floats]:
    """Return the chance that a deal which enters an open stage is won in the end, by stage; and draws of it, by draw and stage."""
    seen, random = counts(told, on), np.random.default_rng(on)
    mean, drawn = in_the_end(daily_moves(seen)), in_the_end(daily_moves(seen, random, draws))
    return mean[0, : told.lost], drawn[:, : told.lost]


def _open_value(chance: Floats, amount: Floats, shape: tuple[int, int], random: np.random.Generator) -> Floats:
    """Return what open deals of known value bring, by draw and run. chance: by draw and deal."""
    weight = amount**2 * (chance * (1 - chance)).mean(axis=0)
    order = np.argsort(-weight, kind="stable")
    single, rest = order[:_MOST_SINGLE], order[_MOST_SINGLE:]
    is_won = random.random((*shape, len(single)), dtype=np.float32) < chance[:, None, single]
    value = is_won @ amount[single]
    spread = np.sqrt((chance[:, rest] * (1 - chance[:, rest])) @ amount[rest] ** 2)
    return np.asarray(value + (chance[:, rest] @ amount[rest])[:, None] + spread[:, None] * random.standard_normal(shape))


def _pooled(expected: Floats, values: Floats, random: np.random.Generator) -> Floats:
    """Return the value of as many wins as are expected, by draw and run: a compound Poisson sum over values of won deals in order, of which
    up to _MOST_AMOUNTS means stand for all.
    """
    parts = np.array_split(values, min(len(values), _MOST_AMOUNTS) or 1)
    share = np.array([len(part) for part in parts]) / max(len(values), 1)
    mean = np.array([part.mean() if len(part) else 0.0 for part in parts])
    return np.asarray(random.poisson(expected[..., None] * share) @ mean)


def _translated_gamma(mean: Floats, variance: Floats, third: Floats, random: np.random.Generator) -> Floats:
    """Return draws, none below 0, with these means, variances and third central moments; normal where nothing is skewed."""
    spread = np.sqrt(np.maximum(variance, 0.0))
    skew = np.divide(third, spread**3, out=np.zeros_like(third), where=spread > 0)
    is_skewed = skew > 2 / np.sqrt(_SYMMETRIC)
    shape = 4 / np.where(is_skewed, skew, 1.0) ** 2
    skewed = (random.standard_gamma(shape) - shape) / np.sqrt(shape)
    return np.asarray(np.maximum(mean + spread * np.where(is_skewed, skewed, random.standard_normal(mean.shape)), 0.0))


def _new_wins(told: History, entering: Floats, on: int, *, random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Return how many deals that are created from now on are expected to be won in the quarter, by draw and run.

    entering: their chance to be won, by days left, draw and state entered.
    """
    days = len(entering)
    since, until = np.searchsorted(told.created.day, [on - RECENT_DAYS, on], side="right")
    shares = np.bincount(told.created.state[since:until], minlength=told.won) / max(until - since, 1)
    chance = (entering @ shares).sum(axis=0)
    found = arrivals(told.created.day[:until], on)
    ahead = (_ARRIVAL_DAYS + days) / 2 / _ARRIVAL_DAYS  # windows from the middle of the latest to the middle of what is to come
    growth = found.growth * ahead + found.spread * random.standard_normal(shape) - found.spread**2 / 2
    return np.asarray(random.standard_gamma(found.created + 0.5, shape) / _ARRIVAL_DAYS * np.exp(growth) * chance[:, None])


def arrivals(created: Integers, on: int) -> Arrivals:
    """Return how many deals are created and how that changes. created: their days in order, up to `on`.

    The growth from window to window is drawn towards none as if _SURE_AFTER windows had shown none; of its spread only what is beyond
    that of counting.
    """
    if not len(created):
        return Arrivals(0, 0.0, 0.0)
    whole = min(_MOST_WINDOWS, (on - int(created[0]) + 1) // _ARRIVAL_DAYS)
    ends = np.searchsorted(created, on - _ARRIVAL_DAYS * np.arange(max(whole, 1) + 1), side="right")
    count = ends[:-1] - ends[1:]
    steps = np.log((count[:-1] + 0.5) / (count[1:] + 0.5))
    if not len(steps):
        return Arrivals(int(count[0]), 0.0, 0.0)
    counting = float((1 / (count[:-1] + 0.5) + 1 / (count[1:] + 0.5)).mean())
    beyond = float(np.sqrt(max(0.0, steps.var() - counting)))
    return Arrivals(int(count[0]), float(steps.sum() / (len(steps) + _SURE_AFTER)), beyond)
