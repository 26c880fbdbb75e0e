"""What happens to each deal: every change from its creation to its end, and what the deal is after each."""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo import clock
from crm_metrics.demo import deal_stages as stages
from crm_metrics.demo.deal_sources import Sources
from crm_metrics.demo.draws import gamma
from crm_metrics.demo.office_hours import in_office_hours, on_workdays
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.staff import headcount
from crm_metrics.demo.world import NONE, Booleans, Floats, Integers, chosen, joined


class Courses(NamedTuple):
    """How each deal runs, on any day of the week and whether or not the demo lasts so long; one element per deal.

    passed: how many stages, 4 is a win. entered: moment of entering each of the four stages, NaN where it is skipped or not reached.
    went_back, returned: moments of the step back and of the return, NaN without one; spot: the stage it went back from. closed: first
    closing. reopened, closed_again: moments, NaN if never. is_won: in the end.
    """

    passed: Integers
    entered: Floats
    went_back: Floats
    returned: Floats
    spot: Integers
    closed: Floats
    reopened: Floats
    closed_again: Floats
    is_won: Booleans


class Changes(NamedTuple):
    """One element per change, by deal and moment; what the deal is after it. number: 1, 2, … within the deal. stage, outcome: places in
    STAGES and OUTCOMES. seller: place among the sellers. amount: NaN if unknown. expected: moment of the expected closing. entered:
    whether the change is the entry into a stage.
    """

    deal: Integers
    number: Integers
    moment: Floats
    stage: Integers
    outcome: Integers
    seller: Integers
    amount: Floats
    expected: Floats
    entered: Booleans

    @property
    def last(self) -> Integers:
        """Place of the last change of each deal."""
        return np.append(np.flatnonzero(np.diff(self.deal)), len(self.deal) - 1)


class _Steps(NamedTuple):
    """Changes as they are drawn: only what they change, NONE or NaN for the rest. push: days that the expected closing moves."""

    deal: Integers
    moment: Floats
    stage: Integers
    seller: Integers
    amount: Floats
    push: Floats


def courses(plan: Plan, sources: Sources) -> Courses:
    """Return how every deal runs, with detours where they are wanted.

    A deal whose lead has no account yet when the demo ends is not signed before.
    """
    random, count = plan.generator("deal stages"), len(sources.drawn)
    conversion, means = stages.stage_means(sources.is_after)
    passed = (sources.luck[:, None] < np.cumprod(conversion, axis=1)).sum(axis=1)
    time = gamma(random, means, shape=stages.STAGE_SHAPE)
    place = np.arange(len(stages.OPEN_STAGES))
    time[passed[:, None] == place] *= stages.LOST_TIME_SHARE
    time[passed[:, None] < place] = 0.0
    skips, back, spot, again = _detours(plan, passed, means)
    time[(place == spot[:, None]) & skips[:, None]] = 0.0
    before = np.cumsum(time, axis=1) - time
    entered = sources.drawn[:, None] + before + np.where(place > spot[:, None], again[:, None], 0.0)
    at_spot = np.arange(count), spot
    went_back = np.where(back, entered[at_spot] + time[at_spot] / 2, np.nan)
    closed = _signed(plan, sources, sources.drawn + time.sum(axis=1) + again, passed == stages.WON)
    entered[(place > passed[:, None]) | ((place == spot[:, None]) & skips[:, None])] = np.nan
    reopened, closed_again, wins_again = _reopening(plan, sources, passed, closed)
    is_won = (passed == stages.WON) | wins_again
    return Courses(passed, entered, went_back, went_back + again, spot, closed, reopened, closed_again, is_won)


def _signed(plan: Plan, sources: Sources, closed: Floats, is_won: Booleans) -> Floats:
    """Return the closings, after the demo's end where a deal is won for which there is no account yet."""
    return np.where(is_won & (sources.account == NONE), np.maximum(closed, plan.days), closed)


def _detours(plan: Plan, passed: Integers, means: Floats) -> tuple[Booleans, Booleans, Integers, Floats]:
    """Return who skips a stage, who goes back from one, which stage that is, and the days a step back adds."""
    random, count = plan.generator("deal detours"), len(passed)
    luck = np.where(plan.effects.detours, random.random(count), 1.0)
    spot = random.integers(1, len(stages.OPEN_STAGES), count)
    again = gamma(random, stages.BACK_TIME_SHARE * means[np.arange(count), spot - 1], shape=stages.STAGE_SHAPE)
    skips = (luck < stages.SKIP_SHARE) & (passed > spot)
    back = (luck >= stages.SKIP_SHARE) & (luck < stages.SKIP_SHARE + stages.BACK_SHARE) & (passed >= spot)
    return skips, back, spot, np.where(back, again, 0.0)


def _reopening(plan: Plan, sources: Sources, passed: Integers, closed: Floats) -> tuple[Floats, Floats, Booleans]:
    """Return when lost deals are reopened and closed again, and which are won then.

    Only a company that is or becomes a customer signs: the deals of others that are reopened are lost again, and those of future customers
    are won that much more often, so that over all lost deals the shares reopened and won are those stated.
    """
    random, count = plan.generator("deal reopening"), len(passed)
    win_rate = np.prod(stages.stage_means(sources.is_after)[0], axis=1)
    signing_share = (sources.signs_below - win_rate) / (1 - win_rate)  # of lost deals
    wins_below = np.where(sources.luck < sources.signs_below, stages.REOPEN_SHARE * stages.REOPENED_WIN_RATE / signing_share, 0.0)
    is_lost = (passed < stages.WON) & plan.effects.detours
    luck = random.random(count)
    wins = is_lost & (luck < wins_below)
    reopens = is_lost & (luck < wins_below + stages.REOPEN_SHARE * (1 - stages.REOPENED_WIN_RATE))
    wait = gamma(random, stages.DAYS_TO_REOPEN, shape=stages.REOPEN_SHAPE, count=count)
    reopened = np.where(reopens, closed + wait, np.nan)
    closed_again = reopened + gamma(random, stages.REOPENED_DAYS, shape=stages.STAGE_SHAPE, count=count)
    return reopened, _signed(plan, sources, closed_again, wins), wins


def changes(plan: Plan, sources: Sources, runs: Courses, amount: Floats) -> Changes:
    """Return every change before the demo ends. amount: value of each deal when it is created, NaN if unknown."""
    every = joined([_creations(sources, amount), *_moves(runs), *_revisions(plan, sources, runs, amount)])
    every = every._replace(moment=in_office_hours(every.moment))
    order = np.lexsort((every.moment, every.deal))
    steps = chosen(every, order[every.moment[order] < plan.days])
    is_first = np.diff(steps.deal, prepend=NONE) != 0
    first = np.flatnonzero(is_first)
    pushed = np.cumsum(steps.push)
    expected = on_workdays(sources.drawn) + _expected_days(plan, sources)
    stage = _carried(steps.stage, steps.stage != NONE)
    return Changes(
        deal=steps.deal,
        number=np.arange(len(steps.deal)) - first[steps.deal] + 1,
        moment=steps.moment,
        stage=stage,
        outcome=np.array(stages.STAGE_OUTCOMES)[stage],
        seller=_carried(steps.seller, steps.seller != NONE),
        amount=_carried(steps.amount, ~np.isnan(steps.amount) | is_first),
        expected=expected[steps.deal] + pushed - pushed[first][steps.deal],
        entered=(steps.stage != NONE) & (steps.stage < stages.WON),
    )


def _steps(
    deal: Integers,
    moment: Floats,
    *,
    stage: Integers | int = NONE,
    seller: Integers | int = NONE,
    amount: Floats | float = np.nan,
    push: Floats | float = 0.0,
) -> _Steps:
    every = (np.broadcast_to(np.asarray(column), deal.shape) for column in (stage, seller, amount, push))
    return _Steps(deal, moment, *every)


def _creations(sources: Sources, amount: Floats) -> _Steps:
    return _steps(np.arange(len(amount)), sources.drawn, stage=0, seller=sources.seller, amount=amount)


def _moves(runs: Courses) -> list[_Steps]:
    """Return the changes of stage: on, back, to the end, and after a reopening."""
    deal = np.arange(len(runs.passed))
    end = np.where(runs.passed == stages.WON, stages.WON, stages.LOST)
    last = np.where(runs.is_won, stages.WON, stages.LOST)
    moves = [(runs.entered[:, place], np.full(len(deal), place)) for place in range(1, len(stages.OPEN_STAGES))]
    moves += [(runs.went_back, runs.spot - 1), (runs.returned, runs.spot), (runs.closed, end)]
    moves += [(runs.reopened, runs.passed), (runs.closed_again, last)]
    happens = [~np.isnan(moment) for moment, _ in moves]
    return [_steps(deal[does], moment[does], stage=stage[does]) for (moment, stage), does in zip(moves, happens, strict=True)]


def _revisions(plan: Plan, sources: Sources, runs: Courses, amount: Floats) -> list[_Steps]:
    """Return new values, pushed closing dates and new owners, each at any moment before the first closing."""
    count, random = len(amount), plan.generator("deal revisions")
    length = runs.closed - sources.drawn
    moment = sources.drawn + random.random(count) * length
    factor = np.exp(random.normal(0, stages.AMOUNT_CHANGE_SPREAD, count))
    valued = np.flatnonzero((random.random(count) < stages.AMOUNT_CHANGE_SHARE) & ~np.isnan(amount))
    revised = _steps(valued, moment[valued], amount=rounded(amount * factor)[valued])
    handed = np.flatnonzero(random.random(count) < stages.OWNER_CHANGE_SHARE)
    sellers = headcount(plan, "sales")
    other = (sources.seller + random.integers(1, sellers, count)) % sellers
    moved = _steps(handed, (sources.drawn + random.random(count) * length)[handed], seller=other[handed])
    return [revised, moved, _pushes(plan, sources, length)]


def _pushes(plan: Plan, sources: Sources, length: Floats) -> _Steps:
    """Return the pushes of the closing date: a geometric number for each deal."""
    random = plan.generator("deal pushes")
    count = random.geometric(1 - stages.PUSH_CHANCE, len(length)) - 1
    deal = np.repeat(np.arange(len(length)), count if plan.effects.detours else 0)
    push = stages.LEAST_PUSH_DAYS + random.exponential(stages.PUSH_DAYS - stages.LEAST_PUSH_DAYS, len(deal))
    return _steps(deal, sources.drawn[deal] + random.random(len(deal)) * length[deal], push=push)


def _expected_days(plan: Plan, sources: Sources) -> Floats:
    """Return the days to the closing that are expected when a deal is created."""
    random = plan.generator("deal expectations")
    usual = clock.level((stages.cycle_days(0), stages.cycle_days(1)), sources.is_after)
    return usual * np.exp(random.normal(0, stages.EXPECTED_SPREAD, len(usual)))


def _carried(values: np.ndarray, is_new: Booleans) -> np.ndarray:
    """Return the values with each carried on until the next new one; the first of all is new."""
    return values[np.maximum.accumulate(np.where(is_new, np.arange(len(values)), 0))]


def rounded(amounts: Floats) -> Floats:
    """Return values of deals in whole steps, never nothing."""
    return np.maximum(np.round(amounts / stages.AMOUNT_STEP), 1) * stages.AMOUNT_STEP
