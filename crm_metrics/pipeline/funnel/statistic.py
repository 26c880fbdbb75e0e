"""From deals and the stages that each has been in to the funnel and its moves. Deals that went the same way are counted in one cell.

Open stages have places from 0 on. A deal's place is the furthest it got: that of a won deal is past the last stage, that of a lost one
without history is unknown. Every deal is at the first stage or past it.
"""

import math
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import FEW_CUSTOMERS, wilson
from crm_metrics.metric import ratio
from crm_metrics.periods import Grain
from crm_metrics.pipeline.funnel.terms import FunnelTerms

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
FEW_DEALS = FEW_CUSTOMERS  # under these no share is read: it is drawn faded, and said
MOST_UNKNOWN = 0.05  # of the deals: with more of unknown stages a step has no number
MOST_PLACES = 62  # bits of a whole number in a database
CALLS, LEADS, QUALIFIED, DEALS, WON = "calls", "leads", "qualified_leads", "opportunities", "won"
_UNPLACED = -1

# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def stage_places(stages: pd.DataFrame) -> pd.DataFrame:
    """Return one row per open stage of known order: stage, stage_name, place (0, 1, …; the same for stages of the same order).

    stages: those of deals.pipelines.stages_seen.
    """
    found = stages[(stages["outcome"] == "open") & stages["stage_order"].notna()]
    place = found["stage_order"].rank(method="dense").astype("int64") - 1
    return found.assign(place=place).loc[place < MOST_PLACES, ["stage", "stage_name", "place"]].reset_index(drop=True)


def step_names(places: pd.DataFrame) -> list[str]:
    """Return the name of each place: of stages that share one all their names."""
    return [" / ".join(names.drop_duplicates()) for _, names in places.groupby("place")["stage_name"]]


class Progress(NamedTuple):
    """One element per cell. furthest: its place (one past the last stage: won), _UNPLACED where unknown. in_order: how many stages from the
    first on it has been in without a gap, _UNPLACED where unknown. visited: the stages it is known to have been in, as bits. is_told:
    whether its history tells them. went_back, reopened: whether it did. first_furthest, first_lost: its place, and whether it was lost, at
    its first closing, before any reopening.
    """

    furthest: Integers
    in_order: Integers
    visited: Integers
    is_told: Booleans
    went_back: Booleans
    reopened: Booleans
    first_furthest: Integers
    first_lost: Booleans


def progress(cells: pd.DataFrame, places: pd.DataFrame) -> Progress:
    """Return how far the deals of each cell got. cells: see paths.cells, with what paths.paths tells."""
    visited = cells["visited"].to_numpy(dtype=np.int64)
    here = cells["stage"].map(places.drop_duplicates("stage").set_index("stage")["place"]).to_numpy(dtype=float)
    is_open, is_won = ((cells["outcome"] == outcome).to_numpy() for outcome in ("open", "won"))
    present = np.where(is_open & np.isfinite(here), 2.0 ** np.nan_to_num(here), 0).astype(np.int64)
    seen, count = visited | present, int(places["place"].max()) + 1 if len(places) else 0
    last, gapless = _last(seen, count), _gapless(seen, count)
    furthest = np.where(is_won, count, last)
    is_known = (visited > 0) | (~is_won & (last >= 0) & (gapless > last))
    in_order = np.where(is_known, gapless, _UNPLACED)
    went_back, reopened, lost_first, won_first = (
        cells[name].to_numpy() > 0 for name in ("went_back", "reopened", "lost_first", "won_first")
    )
    closed_first = (visited > 0) & (lost_first | won_first)
    at_first = np.where(won_first, count, _last(cells["visited_first"].to_numpy(dtype=np.int64), count))
    first_furthest, first_lost = np.where(closed_first, at_first, furthest), np.where(closed_first, lost_first, cells["outcome"] == "lost")
    return Progress(furthest, in_order, seen, visited > 0, went_back, reopened, first_furthest, first_lost)


def _last(bits: Integers, count: int) -> Integers:
    """Return the place of the last stage among the bits, _UNPLACED without any."""
    found = np.full(len(bits), _UNPLACED)
    for place in range(count):
        found[(bits >> place) & 1 == 1] = place
    return found


def _gapless(bits: Integers, count: int) -> Integers:
    """Return how many stages from the first on are among the bits without a gap."""
    found = np.zeros(len(bits), dtype=np.int64)
    for place in range(count):
        found[(found == place) & ((bits >> place) & 1 == 1)] = place + 1
    return found


# ── the funnel ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Step(NamedTuple):
    """One element per cell: whether it counts at the step, whether that is unknown, and whether it is unknown where it ended; of those that
    count, whether they were lost here or are still here, and before any reopening went past it or were lost here. skipped: past the
    stage, and never in it.
    """

    reached: Booleans
    unknown: Booleans
    unended: Booleans
    lost: Booleans
    still: Booleans
    skipped: Booleans
    first_passed: Booleans
    first_lost: Booleans


def deal_steps(cells: pd.DataFrame, found: Progress, count: int, terms: FunnelTerms) -> dict[str, Step]:
    """Return the steps that deals take, by name: opportunities, stage_1 … stage_{count}, won."""
    is_lost, is_open, is_won = ((cells["outcome"] == outcome).to_numpy() for outcome in ("lost", "open", "won"))
    nobody, in_order = np.zeros(len(cells), dtype=bool), terms.mode == "in_order"
    steps = {DEALS: Step(~nobody, *[nobody] * 7)}
    for place in range(count):
        unplaced = found.furthest == _UNPLACED
        unknown = (found.in_order == _UNPLACED) if in_order else unplaced & (place > 0)
        reached = found.in_order > place if in_order else (found.furthest >= place) | (unplaced & (place == 0))
        here, skipped = found.furthest == place, found.is_told & (found.visited >> place & 1 == 0) & (found.furthest > place)
        first = (reached & (found.first_furthest > place), reached & (found.first_furthest == place) & found.first_lost)
        ended = (reached & here & is_lost, reached & here & is_open)
        steps[f"stage_{place + 1}"] = Step(reached, unknown, unplaced, *ended, skipped, *first)
    won_in_order = is_won & (found.in_order >= count)
    won_unknown = is_won & (found.in_order == _UNPLACED) if in_order else nobody
    skipped = found.is_told & is_won & (found.in_order < count)
    steps[WON] = Step(won_in_order if in_order else is_won, won_unknown, nobody, nobody, nobody, skipped, nobody, nobody)
    return steps


class Weights(NamedTuple):
    """One element per cell: its deals, the sum of their known values, and how many have none."""

    deals: Integers
    value: Floats
    unvalued: Integers


def weights(cells: pd.DataFrame) -> Weights:
    """Return what each cell stands for. cells: see paths.cells."""
    value = np.nan_to_num(cells["deal_amount"].to_numpy(dtype=float))
    return Weights(cells["deals"].to_numpy(dtype=np.int64), value, cells["unvalued"].to_numpy(dtype=np.int64))


def deal_rows(cells: pd.DataFrame, steps: dict[str, Step], names: list[str], terms: FunnelTerms) -> pd.DataFrame:
    """Return the rows of the funnel from the opportunities on: see tables.funnel."""
    every = weights(cells)
    made = pd.DataFrame([_step_row(name, step, every) for name, step in steps.items()])
    made["name"] = ["", *names, ""]
    is_valued = made["unvalued"] <= MOST_UNKNOWN * made["at_least"]
    bases = (made["value"].where(is_valued) if terms.measure == "value" else made["count"]).to_numpy(dtype=float)
    nexts, firsts = np.append(bases[1:], np.nan), np.full(len(bases), bases[0])
    has_interval = terms.measure == "count"
    next_step, cumulative = (
        rates(name, part, whole, has_interval=has_interval)
        for name, part, whole in (("next_step", nexts, bases), ("cumulative", bases, firsts))
    )
    return made.assign(**next_step, **cumulative)


def _step_row(name: str, step: Step, every: Weights) -> dict[str, Any]:
    unknown, at_least, most = _count(every, step.unknown), _count(every, step.reached), MOST_UNKNOWN * every.deals.sum()
    is_known, is_stage = unknown <= most, name.startswith("stage")
    has_end = is_stage and is_known and _count(every, step.unended) <= most
    lost, still = _count(every, step.lost), _count(every, step.still)
    passed = _count(every, step.first_passed)
    decided = passed + _count(every, step.first_lost) if has_end else 0
    low, high = wilson(passed, decided)
    return {
        "step": name,
        "count": at_least if is_known else math.nan,
        "at_least": at_least,
        "value": _value(every, step.reached) if is_known else math.nan,
        "unvalued": int(every.unvalued[step.reached].sum()),
        "unknown": unknown,
        "still_here": still if is_stage else math.nan,
        "lost_here": lost if has_end else math.nan,
        "end_unknown": _count(every, step.reached & step.unended),
        "still_value": _value(every, step.still) if is_stage else math.nan,
        "lost_value": _value(every, step.lost) if has_end else math.nan,
        "skipped": _count(every, step.skipped) if has_end or name == WON else math.nan,
        "decided": decided if has_end else math.nan,
        "conversion": ratio(passed, decided),
        "conversion_low": low,
        "conversion_high": high,
    }


def _count(every: Weights, chosen: Booleans) -> int:
    return int(every.deals[chosen].sum())


def _value(every: Weights, chosen: Booleans) -> float:
    """Return the sum of the known values; unknown where there are deals and the value of none is known."""
    deals = _count(every, chosen)
    return math.nan if deals and every.unvalued[chosen].sum() == deals else round(float(every.value[chosen].sum()), 4)


def rates(name: str, part: Any, whole: Any, *, has_interval: bool = True) -> dict[str, list[float]]:
    """Return part / whole as the columns name_rate, name_low, name_high (Wilson, 95%); unknown where either is."""
    pairs = [(one, of) if np.isfinite(one) and np.isfinite(of) else (0.0, 0.0) for one, of in zip(part, whole, strict=True)]
    bounds = [wilson(one, of) if has_interval and one <= of else (math.nan, math.nan) for one, of in pairs]
    found = [ratio(one, of) for one, of in pairs]
    return {f"{name}_rate": found, f"{name}_low": [low for low, _ in bounds], f"{name}_high": [high for _, high in bounds]}


def lead_rows(calls: pd.DataFrame, leads: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the funnel before the opportunities: calls, leads, qualified leads; those of which there are any.

    calls: calls and hits of the period. leads: the rows of query.lead_counts. From calls on go hits, from qualified leads on whoever became
    a deal; the leads are those of the period, so no rate is above 100%.
    """
    rows = pd.concat([step.sum().to_frame().T.assign(step=name) for name, step in steps_before(calls, leads).items()], ignore_index=True)
    rows = rows[rows["count"] > 0].reset_index(drop=True)
    return rows.assign(name="", at_least=rows["count"], **before_rates(rows)).drop(columns=["part", "first"])


def steps_before(calls: pd.DataFrame, leads: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return of each step before the opportunities, a row per row of the frame it comes from: count, part (of them, that goes on), first
    (the first step that it is a part of; unknown for calls).
    """
    asked = {CALLS: (calls, "calls", "hits", ""), LEADS: (leads, "leads", "qualified_leads", "leads")}
    asked[QUALIFIED] = (leads, "qualified_leads", "became_deals", "leads")
    return {
        step: pd.DataFrame({"count": rows[whole], "part": rows[part], "first": rows[first] if first else math.nan}).astype(float)
        for step, (rows, whole, part, first) in asked.items()
    }


def before_rates(rows: pd.DataFrame) -> dict[str, list[float]]:
    """Return the rates of rows of steps_before; unknown where more go on than there are."""
    part, count = (rows[name].to_numpy(dtype=float) for name in ("part", "count"))
    return rates("next_step", np.where(part > count, np.nan, part), count) | rates("cumulative", count, rows["first"].to_numpy(dtype=float))


# ── moves and closings ──────────────────────────────────────────────────────────────────────────────────────────────────


def move_rows(moves: pd.DataFrame, places: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Return what each move is: see tables.moves. moves: the rows of query.moves. stages: those of deals.query.stage_rows."""
    place = places.drop_duplicates("stage").set_index("stage")["place"]
    before, after = (moves[column].map(place).to_numpy(dtype=float) for column in ("from_stage", "to_stage"))
    is_first, is_won, is_lost = moves["from_stage"].isna(), moves["outcome"] == "won", moves["outcome"] == "lost"
    end = float(place.max() + 1) if len(place) else math.nan
    after = np.where(is_won, end, after)
    jumped = np.where(is_first, after, after - before - 1)
    closed = stages.loc[stages["outcome"] != "open", "stage"]
    conditions = {
        "lost": is_lost,
        "created": is_first & ~(jumped > 0),
        "reopened": moves["from_stage"].isin(closed) & ~is_won,
        "back": after < before,
        "skip": jumped > 0,
        "won": is_won,
        "on": jumped == 0,
    }
    kind = np.select([np.asarray(condition, dtype=bool) for condition in conditions.values()], list(conditions), default="aside")
    names = stages.drop_duplicates("stage").set_index("stage")["stage_name"]
    named = {column: moves[column].map(names).astype("str").fillna(moves[column]) for column in ("from_stage", "to_stage")}
    return moves.assign(**named, kind=kind, stages_skipped=np.where(kind == "skip", jumped, 0).astype("int64"))


def detour_rows(cells: pd.DataFrame, found: Progress) -> pd.DataFrame:
    """Return how many deals left the straight way: see tables.detours."""
    skipped, every = found.is_told & (found.in_order < found.furthest), weights(cells)
    rows = []
    for outcome in ("all", "won", "lost", "open"):
        kept = found.is_told & ((cells["outcome"] == outcome).to_numpy() | (outcome == "all"))
        row: dict[str, Any] = {"outcome": outcome, "deals": _count(every, kept)}
        for name, does in (("skipped", skipped), ("went_back", found.went_back), ("reopened", found.reopened)):
            number = _count(every, kept & does)
            low, high = wilson(number, row["deals"])
            row |= {name: number, f"{name}_share": ratio(number, row["deals"]), f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def closing_rows(closed: pd.DataFrame, buckets: list[date], grain: Grain) -> pd.DataFrame:
    """Return one row per period of closing, and one of an unknown day if there are such: see tables.won. closed: of query.closings."""
    first = closed["closed_on"].dt.to_period("M" if grain == "month" else "Q").dt.start_time.astype("datetime64[us]")
    is_won = closed["outcome"] == "won"
    parts = pd.DataFrame({
        "won": closed["deals"].where(is_won, 0), "lost": closed["deals"].mask(is_won, 0), "won_value": closed["deal_amount"].where(is_won),
        "unvalued_won": closed["unvalued"].where(is_won, 0), "closed_in": first,
    })  # fmt: skip
    grouped = parts.groupby("closed_in", dropna=False)
    sums = grouped[["won", "lost", "unvalued_won"]].sum().join(grouped["won_value"].sum(min_count=1))
    every = pd.DatetimeIndex(buckets, dtype="datetime64[us]", name="closed_in")
    sums = sums.reindex(every.append(pd.DatetimeIndex([pd.NaT])) if first.isna().any() else every)
    counts = sums[["won", "lost", "unvalued_won"]].fillna(0).astype("int64")
    value = sums["won_value"].round(4).where(sums["won_value"].notna() | (counts["won"] > 0), 0.0)
    found = rates("won", counts["won"], counts["won"] + counts["lost"])
    made = counts.assign(won_value=value, win_rate_of_closed=found["won_rate"], low=found["won_low"], high=found["won_high"])
    return made.rename_axis("closed_in").reset_index()
