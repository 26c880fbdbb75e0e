"""From the changes of deals to the way that each went through the stages, and the moves between them."""

from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.pipeline.deals.told import LOST, NO_STAGE, OPEN, WON, Integers, Told, firsts

_CENTS = 10_000.0  # of a currency unit: in whole numbers sums are exact
_KEPT = ("deal_number", "deal_amount")  # of a deal, not of a cell

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_deals(told: Told, deal_number: Integers) -> Told:
    """Return the changes of these deals alone."""
    wanted = np.zeros(max(told.deal_number.max(initial=0), deal_number.max(initial=0)) + 1, dtype=bool)
    wanted[deal_number] = True
    return told.only(wanted[told.deal_number])


def paths(told: Told, deal_number: Integers, place_of: dict[str, float]) -> dict[str, Integers]:
    """Return what the changes tell of each deal, 0 of one without any: visited (sum of 2 to the power of the place of each open stage it
    has been in), visited_first (those before its first closing), lost_first (whether that was a loss; 0 or 1), won_first, went_back (to an
    earlier stage; 0 or 1), reopened (0 or 1).
    """
    own = of_deals(told, deal_number)
    place = own.places(place_of, NO_STAGE).astype(np.int64)
    bit = np.where(place >= 0, np.int64(1) << np.maximum(place, 0), 0)
    closed, starts = own.outcome != OPEN, np.flatnonzero(own.is_first)
    so_far = np.cumsum(closed)
    closings = so_far - (so_far - closed)[starts][np.cumsum(own.is_first) - 1]
    ends, before = closed & (closings == 1), own.before(place, NO_STAGE)
    went = {"visited": bit, "visited_first": np.where(closings == 0, bit, 0)}
    went |= {"lost_first": ends & (own.outcome == LOST), "won_first": ends & (own.outcome == WON)}
    went |= {"went_back": (place >= 0) & (before >= 0) & (place < before)}
    went |= {"reopened": ~closed & (own.before(own.outcome, OPEN) != OPEN)}
    at = np.searchsorted(deal_number, own.deal_number[starts])
    made = {name: np.zeros(len(deal_number), dtype=np.int64) for name in went}
    for name, values in went.items():
        made[name][at] = np.bitwise_or.reduceat(values.astype(np.int64), starts) if len(starts) else 0
    return made


def cells(deals: pd.DataFrame) -> tuple[pd.DataFrame, Integers]:
    """Return one row per different way of deals, and of each deal the place of its row. deals: one row per deal with what is known of it.

    The columns of `deals` but its number and amount; deals (how many), deal_amount (sum of the known ones; empty where none is known),
    unvalued (deals without one).
    """
    keys = [str(name) for name in deals if name not in _KEPT]
    code = np.zeros(len(deals), dtype=np.int64)
    for name in keys:
        one, different = pd.factorize(deals[name], use_na_sentinel=False)
        code, _ = pd.factorize(code * max(len(different), 1) + one)
    first = np.flatnonzero(~pd.Series(code).duplicated())
    amount = deals["deal_amount"].to_numpy(dtype=float)
    number, unvalued = np.bincount(code, minlength=len(first)), np.bincount(code[np.isnan(amount)], minlength=len(first))
    total = np.bincount(code, weights=np.rint(np.nan_to_num(amount) * _CENTS), minlength=len(first)) / _CENTS
    made = deals.iloc[first][keys].reset_index(drop=True)
    return made.assign(deals=number, deal_amount=np.where(unvalued < number, total, np.nan), unvalued=unvalued), code


def move_counts(told: Told, deal_number: Integers) -> pd.DataFrame:
    """Return one row per move of these deals from one stage to another, those of most deals first: from_stage (empty: created in the
    other), to_stage, outcome (after it), deals.

    Changes that name no stage are passed over. Closings that only the deal's row tells are not among them: it says not from where.
    """
    own = of_deals(told, deal_number)
    step = own.only(own.stage != NO_STAGE)
    before = step.before(step.stage, NO_STAGE).astype(np.int64)
    is_move = np.where(before == NO_STAGE, ~step.is_end, before != step.stage)
    size, outcomes = len(told.stages) + 1, ("open", "won", "lost")
    kind = (((before + 1) * size + step.stage) * len(outcomes) + step.outcome)[is_move]
    kind = kind.astype(np.min_scalar_type(size * size * len(outcomes)))  # of small numbers a stable sort takes a tenth of the time
    order = np.argsort(kind, kind="stable")
    kind, deal = kind[order], step.deal_number[is_move][order]
    is_new = firsts(kind) | firsts(deal)  # a deal counts once for each move
    kind, deals = np.unique(kind[is_new].astype(np.int64), return_counts=True)
    names: Any = np.array([None, *told.stages], dtype=object)
    stage, outcome = np.divmod(kind, len(outcomes))
    rows = pd.DataFrame({"from_stage": names[stage // size], "to_stage": names[stage % size + 1]}, dtype="str")
    rows = rows.assign(outcome=np.array(outcomes, dtype=object)[outcome], deals=deals)
    return rows.sort_values(["deals", "from_stage", "to_stage", "outcome"], ascending=[False, True, True, True], ignore_index=True)
