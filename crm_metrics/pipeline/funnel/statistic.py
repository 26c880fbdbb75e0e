"""From deals and the stages that each has been in to the funnel, its moves, and the win rates of groups.

Open stages have places from 0 on. A deal's place is the furthest it got: that of a won deal is past the last stage, that of a lost one
without history is unknown. Every deal is at the first stage or past it.
"""

import math
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.filters import UNKNOWN
from crm_metrics.intervals import FEW_CUSTOMERS, wilson
from crm_metrics.metric import ratio
from crm_metrics.periods import Grain
from crm_metrics.pipeline.funnel.terms import PERIODS, FunnelTerms
from crm_metrics.randomised_test.sums import holm

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
FEW_DEALS = FEW_CUSTOMERS  # under these no share is read: it is drawn faded, and said
MOST_UNKNOWN = 0.05  # of the deals: with more of unknown stages a step has no number
MOST_PLACES = 62  # bits of a whole number in a database
ALPHA = 0.05
LEAST_EXPECTED = 5.0  # deals in each of the four fields: Cochran's rule, under which the chi-square test is not right
CALLS, LEADS, QUALIFIED, DEALS, WON = "calls", "leads", "qualified_leads", "opportunities", "won"
_UNPLACED = -1
_GROUP_COLUMNS = [
    *("group", "name", "deals", "won", "lost", "open", "win_rate_of_closed", "closed_low", "closed_high"),
    *("win_rate_of_all", "all_low", "all_high", "won_value", "unvalued_won", "is_small"),
    *("others_rate", "p_value", "p_adjusted", "is_different"),
]
GROUPS: dict[str, tuple[str, str]] = {  # column of the deals that tells the group, column that names it
    "owner": ("owner_id", "owner_name"),
    "team": ("team", "team"),
    "region": ("region", "region"),
    "source": ("deal_source", "deal_source"),
    "product": ("product_id", "product_name"),
    "market": ("market", "market"),
}


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
    """One element per deal. furthest: its place (one past the last stage: won), _UNPLACED where unknown. in_order: how many stages from the
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


def progress(deals: pd.DataFrame, paths: pd.DataFrame, places: pd.DataFrame) -> Progress:
    """Return how far each deal got. deals: of deals.query.deals. paths: the rows of query.paths."""
    told = paths.set_index("deal_number").reindex(deals["deal_number"]).fillna(0)
    visited = told["visited"].to_numpy(dtype=np.int64)
    here = deals["stage"].map(places.drop_duplicates("stage").set_index("stage")["place"]).to_numpy(dtype=float)
    is_open, is_won = ((deals["outcome"] == outcome).to_numpy() for outcome in ("open", "won"))
    present = np.where(is_open & np.isfinite(here), 2.0 ** np.nan_to_num(here), 0).astype(np.int64)
    seen, count = visited | present, int(places["place"].max()) + 1 if len(places) else 0
    last, gapless = _last(seen, count), _gapless(seen, count)
    furthest = np.where(is_won, count, last)
    is_known = (visited > 0) | (~is_won & (last >= 0) & (gapless > last))
    in_order = np.where(is_known, gapless, _UNPLACED)
    went_back, reopened, lost_first, won_first = (
        told[name].to_numpy() > 0 for name in ("went_back", "reopened", "lost_first", "won_first")
    )
    closed_first = (visited > 0) & (lost_first | won_first)
    at_first = np.where(won_first, count, _last(told["visited_first"].to_numpy(dtype=np.int64), count))
    first_furthest, first_lost = np.where(closed_first, at_first, furthest), np.where(closed_first, lost_first, deals["outcome"] == "lost")
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
    """One element per deal: whether it counts at the step, whether that is unknown, and whether it is unknown where it ended; of those that
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


def deal_steps(deals: pd.DataFrame, found: Progress, count: int, terms: FunnelTerms) -> dict[str, Step]:
    """Return the steps that deals take, by name: opportunities, stage_1 … stage_{count}, won."""
    is_lost, is_open, is_won = ((deals["outcome"] == outcome).to_numpy() for outcome in ("lost", "open", "won"))
    nobody, in_order = np.zeros(len(deals), dtype=bool), terms.mode == "in_order"
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


def deal_rows(deals: pd.DataFrame, steps: dict[str, Step], names: list[str], terms: FunnelTerms) -> pd.DataFrame:
    """Return the rows of the funnel from the opportunities on: see tables.funnel."""
    amount = deals["deal_amount"].to_numpy(dtype=float)
    rows = [_step_row(name, step, amount) for name, step in steps.items()]
    made = pd.DataFrame(rows)
    made["name"] = ["", *names, ""]
    is_valued = made["unvalued"] <= MOST_UNKNOWN * made["at_least"]
    bases = (made["value"].where(is_valued) if terms.measure == "value" else made["count"]).to_numpy(dtype=float)
    nexts, firsts = np.append(bases[1:], np.nan), np.full(len(bases), bases[0])
    has_interval = terms.measure == "count"
    rates = _rates("next_step", nexts, bases, has_interval=has_interval) | _rates("cumulative", bases, firsts, has_interval=has_interval)
    return made.assign(**rates)


def _step_row(name: str, step: Step, amount: Any) -> dict[str, Any]:
    unknown, at_least, most = int(step.unknown.sum()), int(step.reached.sum()), MOST_UNKNOWN * len(amount)
    is_known, is_stage = unknown <= most, name.startswith("stage")
    has_end = is_stage and is_known and int(step.unended.sum()) <= most
    lost, still = int(step.lost.sum()), int(step.still.sum())
    passed = int(step.first_passed.sum())
    decided = passed + int(step.first_lost.sum()) if has_end else 0
    low, high = wilson(passed, decided)
    return {
        "step": name,
        "count": at_least if is_known else math.nan,
        "at_least": at_least,
        "value": _sum(amount[step.reached]) if is_known else math.nan,
        "unvalued": int(np.isnan(amount[step.reached]).sum()),
        "unknown": unknown,
        "still_here": still if is_stage else math.nan,
        "lost_here": lost if has_end else math.nan,
        "end_unknown": int((step.reached & step.unended).sum()),
        "still_value": _sum(amount[step.still]) if is_stage else math.nan,
        "lost_value": _sum(amount[step.lost]) if has_end else math.nan,
        "skipped": int(step.skipped.sum()) if has_end or name == WON else math.nan,
        "decided": decided if has_end else math.nan,
        "conversion": ratio(passed, decided),
        "conversion_low": low,
        "conversion_high": high,
    }


def _sum(amount: Any) -> float:
    """Return the sum of the known ones; unknown where there are some and none is known."""
    known = amount[~np.isnan(amount)]
    return round(float(known.sum()), 4) if len(known) or not len(amount) else math.nan


def _rates(name: str, part: Any, whole: Any, *, has_interval: bool = True) -> dict[str, list[float]]:
    pairs = [(one, of) if np.isfinite(one) and np.isfinite(of) else (0.0, 0.0) for one, of in zip(part, whole, strict=True)]
    bounds = [wilson(one, of) if has_interval and one <= of else (math.nan, math.nan) for one, of in pairs]
    rates = [ratio(one, of) for one, of in pairs]
    return {f"{name}_rate": rates, f"{name}_low": [low for low, _ in bounds], f"{name}_high": [high for _, high in bounds]}


def lead_rows(calls: pd.Series, counts: pd.Series) -> pd.DataFrame:
    """Return the rows of the funnel before the opportunities: calls, leads, qualified leads; those of which there are any.

    calls: calls of the period and their hits. counts: the row of query.lead_counts. From calls on go hits, from qualified leads on whoever
    became a deal; the leads are those of the period, so no rate is above 100%.
    """
    leads, qualified, deals = (int(counts[name]) for name in ("leads", "qualified_leads", "became_deals"))
    steps = [(CALLS, calls["calls"], calls["hits"], math.nan), (LEADS, leads, qualified, leads), (QUALIFIED, qualified, deals, leads)]
    kept = [step for step in steps if step[1]]
    rows = pd.DataFrame({"step": [step[0] for step in kept], "name": "", "count": [float(step[1]) for step in kept]})
    whole, part, first = (np.array([step[at] for step in kept], dtype=float) for at in (1, 2, 3))
    part = np.where(part > whole, np.nan, part)
    return rows.assign(at_least=rows["count"], **_rates("next_step", part, whole), **_rates("cumulative", whole, first))


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def group_keys(deals: pd.DataFrame, terms: FunnelTerms) -> pd.DataFrame:
    """Return group and name of each deal; UNKNOWN where nothing is known of it. Periods are their first days."""
    if terms.by in PERIODS:
        first = deals["created_on"].dt.to_period(terms.by[0].upper()).dt.start_time.dt.strftime("%Y-%m-%d")
        return pd.DataFrame({"group": first.fillna(UNKNOWN), "name": first.fillna(UNKNOWN)})
    key, name = (deals[column].fillna(UNKNOWN) for column in GROUPS[terms.by])
    return pd.DataFrame({"group": key, "name": name})


def group_rows(deals: pd.DataFrame, terms: FunnelTerms) -> pd.DataFrame:
    """Return one row per group of deals: see tables.funnel_by."""
    outcome, amount = deals["outcome"], deals["deal_amount"]
    is_won = outcome == "won"
    parts = pd.DataFrame({name: outcome == name for name in ("won", "lost", "open")}).assign(
        won_value=amount.where(is_won), unvalued_won=is_won & amount.isna()
    )
    keys = group_keys(deals, terms)
    grouped = parts.groupby([keys["group"], keys["name"]])
    made = grouped[["won", "lost", "open", "unvalued_won"]].sum().join(grouped["won_value"].sum(min_count=1))
    made = made.join(grouped.size().rename("deals")).reset_index()
    made["won_value"] = made["won_value"].round(4).where(made["won_value"].notna() | (made["won"] > 0), 0.0)
    closed = made["won"] + made["lost"]
    made = made.assign(
        **_bounds("win_rate_of_closed", "closed", made["won"], closed), **_bounds("win_rate_of_all", "all", made["won"], made["deals"])
    )
    by_time = terms.by in PERIODS
    made = made.sort_values(["group"] if by_time else ["won_value", "won", "group"], ascending=True if by_time else [False, False, True])
    return _compared(made.assign(is_small=closed.loc[made.index] < FEW_DEALS).reset_index(drop=True))[_GROUP_COLUMNS]


def group_step_rows(deals: pd.DataFrame, steps: dict[str, Step], names: list[str], terms: FunnelTerms) -> pd.DataFrame:
    """Return one row per group and step: see tables.funnel_groups. names: of the places. deals: with the columns of the groups."""
    keys, amount = group_keys(deals, terms), deals["deal_amount"].to_numpy(dtype=float)
    groups = keys.drop_duplicates("group").assign(deals=lambda rows: rows["group"].map(keys["group"].value_counts()))
    by_time = terms.by in PERIODS
    groups = groups.sort_values(["group"] if by_time else ["deals", "group"], ascending=[True] if by_time else [False, True])
    code, is_valued = pd.Index(groups["group"]).get_indexer(pd.Index(keys["group"])), np.isfinite(amount)

    def per_group(chosen: list[Booleans], weights: Any = None) -> Any:
        counts = [np.bincount(code[of], weights=None if weights is None else weights[of], minlength=len(groups)) for of in chosen]
        return np.column_stack(counts).astype(float)

    reached, size = per_group([step.reached for step in steps.values()]), groups[["deals"]].to_numpy()
    is_known = per_group([step.unknown for step in steps.values()]) <= MOST_UNKNOWN * size
    valued = [step.reached & is_valued for step in steps.values()]
    unvalued = reached - per_group(valued)
    value = np.where(is_known & ((unvalued < reached) | (reached == 0)), per_group(valued, amount).round(4), np.nan)
    count, by_value = np.where(is_known, reached, np.nan), np.where(unvalued <= MOST_UNKNOWN * reached, value, np.nan)
    base, is_count = (count, True) if terms.measure == "count" else (by_value, False)
    nexts, firsts = np.column_stack([base[:, 1:], np.full(len(base), np.nan)]), np.repeat(base[:, 0], len(steps))
    rates = _rates("next_step", nexts.ravel(), base.ravel(), has_interval=False)
    rates |= _rates("cumulative", base.ravel(), firsts, has_interval=is_count)
    made = groups.loc[groups.index.repeat(len(steps))].rename(columns={"name": "group_name"}).reset_index(drop=True)
    made = made.assign(step=list(steps) * len(groups), name=["", *names, ""] * len(groups), count=count.ravel(), value=value.ravel())
    return made.assign(at_least=reached.ravel().astype("int64"), is_small=made["deals"] < FEW_DEALS, **rates)


def _bounds(name: str, prefix: str, part: pd.Series, whole: pd.Series) -> dict[str, list[float]]:
    pairs = list(zip(part, whole, strict=True))
    bounds = [wilson(one, of) for one, of in pairs]
    return {
        name: [ratio(one, of) for one, of in pairs],
        f"{prefix}_low": [low for low, _ in bounds],
        f"{prefix}_high": [high for _, high in bounds],
    }


def _compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the groups with the win rate of closed deals of all others, and the chance of such a difference where there is none.

    Pearson's chi-square test of each group against all others together; Holm (1979), Scandinavian Journal of Statistics 6, over all that
    are tested. Not tested: groups of fewer than FEW_DEALS closed deals, and where so few were won or lost that the test is not right.
    """
    won, closed = (column.to_numpy(dtype=float) for column in (rows["won"], rows["won"] + rows["lost"]))
    others, others_won = closed.sum() - closed, won.sum() - won
    overall = ratio(won.sum(), closed.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        others_rate = np.where(others > 0, others_won / others, np.nan)
        spread = np.sqrt(overall * (1 - overall) * (1 / closed + 1 / others))
        z = (won / closed - others_rate) / spread
    is_tested = (np.minimum(closed, others) >= FEW_DEALS) & (np.minimum(closed, others) * min(overall, 1 - overall) >= LEAST_EXPECTED)
    p_value = np.array([math.erfc(abs(one) / math.sqrt(2)) if tested else np.nan for one, tested in zip(z, is_tested, strict=True)])
    adjusted = holm(p_value)
    return rows.assign(others_rate=others_rate, p_value=p_value, p_adjusted=adjusted, is_different=adjusted < ALPHA)


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


def detour_rows(deals: pd.DataFrame, found: Progress) -> pd.DataFrame:
    """Return how many deals left the straight way: see tables.detours."""
    skipped = found.is_told & (found.in_order < found.furthest)
    rows = []
    for outcome in ("all", "won", "lost", "open"):
        kept = found.is_told & ((deals["outcome"] == outcome).to_numpy() | (outcome == "all"))
        row: dict[str, Any] = {"outcome": outcome, "deals": int(kept.sum())}
        for name, does in (("skipped", skipped), ("went_back", found.went_back), ("reopened", found.reopened)):
            number = int((kept & does).sum())
            low, high = wilson(number, row["deals"])
            row |= {name: number, f"{name}_share": ratio(number, row["deals"]), f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def closing_rows(closed: pd.DataFrame, buckets: list[date], grain: Grain) -> pd.DataFrame:
    """Return one row per period of closing, and one of an unknown day if there are such: see tables.won. closed: deals won or lost."""
    first = closed["closed_on"].dt.to_period("M" if grain == "month" else "Q").dt.start_time.astype("datetime64[us]")
    is_won, amount = closed["outcome"] == "won", closed["deal_amount"]
    parts = pd.DataFrame(
        {"won": is_won, "lost": ~is_won, "won_value": amount.where(is_won), "unvalued_won": is_won & amount.isna(), "closed_in": first}
    )
    grouped = parts.groupby("closed_in", dropna=False)
    sums = grouped[["won", "lost", "unvalued_won"]].sum().join(grouped["won_value"].sum(min_count=1))
    every = pd.DatetimeIndex(buckets, dtype="datetime64[us]", name="closed_in")
    sums = sums.reindex(every.append(pd.DatetimeIndex([pd.NaT])) if first.isna().any() else every)
    counts = sums[["won", "lost", "unvalued_won"]].fillna(0).astype("int64")
    value = sums["won_value"].round(4).where(sums["won_value"].notna() | (counts["won"] > 0), 0.0)
    rates = _bounds("win_rate_of_closed", "rate", counts["won"], counts["won"] + counts["lost"])
    made = counts.assign(won_value=value, **rates).rename(columns={"rate_low": "low", "rate_high": "high"})
    return made.rename_axis("closed_in").reset_index()
