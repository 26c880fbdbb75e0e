"""One forecast: what is won so far, what open deals, reopened ones and new ones will add, drawn many times.

Each run takes its own rates of moving, drawn from what the counts leave uncertain (parametric bootstrap: Efron and Tibshirani 1993,
chapter 6); each open deal is then won in the quarter or not; new, reopened and unvalued deals are a compound Poisson sum over the values
of deals won lately.
"""

from typing import NamedTuple

import numpy as np

from crm_metrics.pipeline.forecast.hazards import AGES, RECENT_DAYS, Chances, counts, daily_moves, in_the_end, within
from crm_metrics.pipeline.forecast.history import Booleans, Floats, History, Integers, Standing, day_number
from crm_metrics.pipeline.forecast.terms import Window

RUNS, RUNS_PER_DRAW = 2_000, 100  # of the simulation; runs that share one draw of the rates
FEWEST_CLOSED = 100  # deals won or lost by then; under these nothing is forecast
PARTS = ("won", "open", "reopened", "new")
_MOST_SINGLE = 500  # open deals drawn one by one, those that decide most; the sum of the rest is near enough to normal
_MOST_AMOUNTS = 200  # values of won deals that stand for all
_ARRIVAL_DAYS, _MOST_WINDOWS = 91, 8  # deals created are counted in windows of a quarter's length, two years back
_SURE_AFTER = 2  # windows' changes that count as much as the belief that nothing changes

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Forecast(NamedTuple):
    """runs: value won in the quarter, by run. parts: the same for each of PARTS.

    deal, timed, ever: the open deals, the chance of each to be won in the rest of the quarter, and in the end.
    """

    runs: Floats
    parts: dict[str, Floats]
    deal: Integers
    state: Integers
    amount: Floats
    timed: Floats
    ever: Floats

    @property
    def won(self) -> float:
        """Value won so far."""
        return float(self.parts["won"][0])


class Arrivals(NamedTuple):
    """Deals created in the latest window; what their number grows by from one window to the next (logarithm), and how unsteadily."""

    created: int
    growth: float
    spread: float


def closed_by(standing: Standing, told: History) -> int:
    """Return how many deals are won or lost."""
    return int((standing.state >= told.lost).sum())


def won_in(standing: Standing, told: History, window: Window) -> Booleans:
    """Return which deals are won in the quarter."""
    since, until = day_number(window.start_on), day_number(window.end_on)
    return (standing.state == told.won) & (standing.entered >= since) & (standing.entered <= until)


def forecast(told: History, standing: Standing, window: Window, *, runs: int = RUNS) -> Forecast:
    """Return the forecast of a quarter by what was known at the end of window.today. standing: the deals on that day.

    The same question gives the same answer: the seed is the quarter and the day.
    """
    on = day_number(window.today)
    random = np.random.default_rng([day_number(window.start_on), on])
    seen, shape = counts(told, on), (runs // RUNS_PER_DRAW, RUNS_PER_DRAW)
    daily = np.concatenate([daily_moves(seen), daily_moves(seen, random, shape[0])])
    chances, ends = within(daily, window.after, window.until), in_the_end(daily[:1])
    is_open = standing.state < told.lost
    state, age = standing.state[is_open], np.minimum(standing.age[is_open], AGES[-1])
    chance, amount = chances.of_standing[:, state, age], standing.amount[is_open]
    known = ~np.isnan(amount)
    pool = _pool(told, standing, on)
    reopened = chances.of_standing[1:, told.lost] @ np.bincount(
        np.minimum(standing.age[standing.state == told.lost], AGES[-1]), minlength=int(AGES[-1]) + 1
    )
    new = _new_wins(told, chances, on, window.until, random=random, shape=shape)
    won = np.full(shape, np.nansum(standing.amount[won_in(standing, told, window)]))
    parts = {
        "won": won,
        "open": _open_value(chance[1:, known], amount[known], shape, random) + _pooled(chance[1:, ~known].sum(axis=1), pool, shape, random),
        "reopened": _pooled(reopened, pool, shape, random),
        "new": _pooled(new, pool, shape, random),
    }
    return Forecast(
        runs=np.sum(list(parts.values()), axis=0).ravel(),
        parts={part: value.ravel() for part, value in parts.items()},
        deal=standing.deal[is_open],
        state=state,
        amount=amount,
        timed=chance[0],
        ever=ends[0, state],
    )


def stage_chances(told: History, on: int, *, draws: int) -> tuple[Floats, Floats]:
    """Return the chance that a deal which enters an open stage is won in the end, by stage; and draws of it, by draw and stage."""
    seen, random = counts(told, on), np.random.default_rng(on)
    mean, drawn = in_the_end(daily_moves(seen)), in_the_end(daily_moves(seen, random, draws))
    return mean[0, : told.lost], drawn[:, : told.lost]


def _pool(told: History, standing: Standing, on: int) -> Floats:
    """Return values of deals won lately, up to _MOST_AMOUNTS means of equally many; of all won deals where those are few."""
    won = (standing.state == told.won) & ~np.isnan(standing.amount)
    lately = won & (standing.entered > on - RECENT_DAYS)
    amounts = np.sort(standing.amount[lately if lately.sum() >= _MOST_AMOUNTS / 4 else won])
    return (
        np.array([part.mean() for part in np.array_split(amounts, min(len(amounts), _MOST_AMOUNTS) or 1)]) if len(amounts) else np.zeros(1)
    )


def _open_value(chance: Floats, amount: Floats, shape: tuple[int, int], random: np.random.Generator) -> Floats:
    """Return what open deals of known value bring, by draw and run. chance: by draw and deal."""
    weight = amount**2 * (chance * (1 - chance)).mean(axis=0)
    order = np.argsort(-weight, kind="stable")
    single, rest = order[:_MOST_SINGLE], order[_MOST_SINGLE:]
    is_won = random.random((*shape, len(single)), dtype=np.float32) < chance[:, None, single]
    value = is_won @ amount[single]
    spread = np.sqrt((chance[:, rest] * (1 - chance[:, rest])) @ amount[rest] ** 2)
    return np.asarray(value + (chance[:, rest] @ amount[rest])[:, None] + spread[:, None] * random.standard_normal(shape))


def _pooled(expected: Floats, pool: Floats, shape: tuple[int, int], random: np.random.Generator) -> Floats:
    """Return the value of as many wins as are expected, by draw and run: a compound Poisson sum over the pool of values."""
    each = np.broadcast_to((expected if expected.ndim > 1 else expected[:, None]) / len(pool), shape)
    return np.asarray(random.poisson(each[..., None], (*shape, len(pool))) @ pool)


def _new_wins(told: History, chances: Chances, on: int, days: int, *, random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Return how many deals that are created from now on are expected to be won in the quarter, by draw and run."""
    first = told.visits.is_first & (told.visits.entered <= on) & (told.visits.state < told.lost)
    lately = first & (told.visits.entered > on - RECENT_DAYS)
    shares = np.bincount(told.visits.state[lately], minlength=told.won) / max(lately.sum(), 1)
    chance = (chances.of_entering[:days, 1:] @ shares).sum(axis=0) if days else np.zeros(shape[0])
    found = arrivals(told.visits.entered[first], on)
    ahead = (_ARRIVAL_DAYS + days) / 2 / _ARRIVAL_DAYS  # windows from the middle of the latest to the middle of what is to come
    growth = found.growth * ahead + found.spread * random.standard_normal(shape) - found.spread**2 / 2
    return np.asarray(random.standard_gamma(found.created + 0.5, shape) / _ARRIVAL_DAYS * np.exp(growth) * chance[:, None])


def arrivals(created: Integers, on: int) -> Arrivals:
    """Return how many deals are created and how that changes. created: their days, up to `on`.

    The growth from window to window is drawn towards none as if _SURE_AFTER windows had shown none; of its spread only what is beyond
    that of counting.
    """
    if not len(created):
        return Arrivals(0, 0.0, 0.0)
    whole = min(_MOST_WINDOWS, (on - int(created.min()) + 1) // _ARRIVAL_DAYS)
    back = (on - created) // _ARRIVAL_DAYS
    count = np.bincount(back[back < max(whole, 1)], minlength=max(whole, 1))
    steps = np.log((count[:-1] + 0.5) / (count[1:] + 0.5))
    if not len(steps):
        return Arrivals(int(count[0]), 0.0, 0.0)
    counting = float((1 / (count[:-1] + 0.5) + 1 / (count[1:] + 0.5)).mean())
    beyond = float(np.sqrt(max(0.0, steps.var() - counting)))
    return Arrivals(int(count[0]), float(steps.sum() / (len(steps) + _SURE_AFTER)), beyond)
