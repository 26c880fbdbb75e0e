"""What came of each campaign: sums by cell in, one row per comparison out."""

import math
from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd

from crm_metrics.campaign_roi.result.terms import CONTROL, OUTCOMES, ResultTerms
from crm_metrics.randomised_test import resample
from crm_metrics.randomised_test.analyse import SampleRatio
from crm_metrics.randomised_test.plan import LEAST_PER_ARM
from crm_metrics.randomised_test.repeated import half_width_at_every_look, shrunk
from crm_metrics.randomised_test.sums import SUMS, differences, holm, sample_ratio_of_arms

KEYS = ["campaign", "arm", "outcome"]
HIDDEN = [
    "mean", "control_mean", "uplift", "low", "high", "p_value", "p_adjusted", "lift", "adjusted_uplift", "adjusted_low", "adjusted_high",
    "variance_reduction", "bootstrap_low", "bootstrap_high", "smallest_uplift", "smallest_lift", "power", "customers_needed", "coverage",
    "standard_error", "degrees_of_freedom",
]  # fmt: skip
"""Columns that can't be read where arms don't have the sizes that were planned: two means side by side are a result."""
UPLIFT = [
    "campaign", "arm", "outcome", "n", "mean", "control_n", "control_mean", "uplift", "low", "high", "p_value", "campaign_name", "unit",
    "is_stratified", "p_adjusted", "lift", "adjusted_uplift", "adjusted_low", "adjusted_high", "variance_reduction", "bootstrap_low",
    "bootstrap_high", "smallest_uplift", "smallest_lift", "power", "customers_needed", "coverage", "is_rough", "is_unreliable",
    "sample_ratio_p_value", "is_faulty", "is_finished",
]  # fmt: skip
ARMS = ["campaign", "campaign_name", "arm", "members", "share", "planned_share", "p_value", "is_faulty"]
SEED = 20261122
_NORMAL = NormalDist()
_ALPHA, _POWER = 0.05, 0.8
_CELL = ["campaign", "arm", "stratum"]

# ── sums ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def long_sums(wide: pd.DataFrame) -> pd.DataFrame:
    """Return one row per campaign, arm, stratum and outcome: SUMS. wide: y_, yy_ and xy_ of each outcome, n, x_known, x and xx.

    x is unknown in a campaign in which it is unknown of anybody.
    """
    names = [name.removeprefix("y_") for name in wide.columns if name.startswith("y_")]
    is_known = (wide["x_known"] == wide["n"]).groupby(wide["campaign"]).transform("all")
    wide = wide.fillna({name: 0.0 for name in wide.columns if name not in _CELL})  # a sum over nothing
    before = wide[["x", "xx"]].astype(float).where(is_known)
    parts = [
        wide[["campaign", "arm", "stratum", "n"]].assign(
            outcome=name, y=wide[f"y_{name}"], yy=wide[f"yy_{name}"], **before, xy=wide[f"xy_{name}"].where(is_known)
        )
        for name in names
    ]
    return pd.concat(parts, ignore_index=True).astype(dict.fromkeys(SUMS, float))


def no_sums() -> pd.DataFrame:
    """Return the sums of no campaign."""
    return pd.DataFrame(columns=[*_CELL, "outcome", *SUMS]).astype(dict.fromkeys(SUMS, float))


def pairs(sums: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return the sums of each treated arm and, again for each, of its control group: arm (the treated one), is_treated, and the rest.

    by: columns that, with the campaign, control and treated share; a treated arm without control group is left out.
    """
    keys = ["campaign", *by]
    treated, control = sums[sums["arm"] != CONTROL], sums[sums["arm"] == CONTROL]
    arms = treated[[*keys, "arm"]].drop_duplicates()
    against = control.drop(columns="arm").merge(arms, on=keys)
    with_control = treated.merge(control[keys].drop_duplicates(), on=keys)
    return pd.concat([with_control.assign(is_treated=True), against.assign(is_treated=False)], ignore_index=True)


# ── sizes of the arms ───────────────────────────────────────────────────────────────────────────────────────────────────


def planned_of(sizes: pd.DataFrame, planned: pd.DataFrame, terms: ResultTerms) -> pd.DataFrame:
    """Return the planned sizes: campaign, arm, planned_share (adding up to 1), for campaigns of whose every arm it is known.

    sizes: campaign, arm; an arm that was planned and has nobody is in it. Equal ones, if the terms say so.
    """
    arms = sizes[["campaign", "arm"]].drop_duplicates()
    if terms.planned == "equal":
        return arms.assign(planned_share=1 / arms.groupby("campaign")["arm"].transform("size"))
    found = arms.merge(planned[planned["campaign"].isin(arms["campaign"])], on=["campaign", "arm"], how="outer")
    is_whole = found["planned_share"].notna().groupby(found["campaign"]).transform("all")
    known = found[is_whole & (found["planned_share"] > 0)]
    return known.assign(planned_share=known["planned_share"] / known.groupby("campaign")["planned_share"].transform("sum"))


def ratios(sizes: pd.DataFrame, planned: pd.DataFrame, by: list[str]) -> dict[tuple[str, ...], SampleRatio]:
    """Return the check of the sizes of the arms by `by` (the campaign first): sizes: by, arm, stratum, members; without a plan unknown."""
    shares = {str(campaign): part.set_index("arm")["planned_share"] for campaign, part in planned.groupby("campaign")}
    found: dict[tuple[str, ...], SampleRatio] = {}
    for each, rows in sizes.groupby(by, sort=False):
        key = tuple(map(str, each))
        share = shares.get(key[0])
        if share is None:
            found[key] = SampleRatio(math.nan, is_faulty=False)
            continue
        part = rows[rows["arm"].isin(share.index)]
        strata, names = pd.factorize(part["stratum"])
        members = np.zeros((len(names), len(share)))
        np.add.at(members, (strata, share.index.get_indexer(pd.Index(part["arm"]))), part["members"].to_numpy(dtype=float))
        found[key] = sample_ratio_of_arms(members, share.to_numpy(dtype=float))
    return found


def arm_rows(sizes: pd.DataFrame, planned: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Return the rows of tables.arms. names: of the campaigns, in the order of the table."""
    checked = ratios(sizes, planned, ["campaign"])
    members = sizes.groupby(["campaign", "arm"], sort=False)["members"].sum().reset_index()
    found = members.merge(planned, on=["campaign", "arm"], how="outer")
    found["members"] = found["members"].fillna(0).astype(int)
    of_campaign = found.groupby("campaign")["members"].transform("sum")
    place = found["campaign"].map({campaign: at for at, campaign in enumerate(names.index)})
    found = found.assign(
        campaign_name=found["campaign"].map(names),
        share=found["members"] / of_campaign.where(of_campaign > 0),
        p_value=[checked[campaign,].p_value for campaign in found["campaign"]],
        is_faulty=np.array([checked[campaign,].is_faulty for campaign in found["campaign"]], dtype=bool),
        place=place,
        is_control=found["arm"] == CONTROL,
    )
    ordered = found.sort_values(["place", "is_control", "arm"], kind="stable").reset_index(drop=True)
    return ordered[ARMS]


# ── differences ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def uplift_rows(sums: pd.DataFrame, checked: Mapping[tuple[str, ...], SampleRatio], *, lift: float) -> pd.DataFrame:
    """Return one row per campaign, treated arm and outcome: KEYS and what sums alone say of tables.uplift, nothing hidden.

    Also standard_error and degrees_of_freedom of the uplift. checked: by campaign and outcome. lift: the one worth having.
    """
    found = differences(pairs(sums, ["outcome"]), KEYS)
    error, control = found["standard_error"], found["control_mean"]
    border = _NORMAL.inv_cdf(1 - _ALPHA / 2)
    shown = border + _NORMAL.inv_cdf(_POWER)
    base = control.where(control > 0)
    score = lift * base / error
    everybody = found["n"] + found["control_n"]
    ratio = [checked[key] for key in zip(found["campaign"], found["outcome"], strict=True)]
    return found.rename(columns={"estimate": "uplift", "adjusted": "adjusted_uplift"}).assign(
        n=found["n"].astype(int),
        control_n=found["control_n"].astype(int),
        unit=found["outcome"].map(OUTCOMES),
        is_stratified=found["strata"] > 1,
        p_adjusted=found.groupby(["campaign", "outcome"])["p_value"].transform(lambda values: holm(values.to_numpy())),
        lift=found["estimate"] / base,
        smallest_uplift=shown * error,
        smallest_lift=shown * error / base,
        power=_normal(score - border) + _normal(-score - border),
        customers_needed=np.ceil(everybody * (shown * error / found["estimate"].where(found["estimate"] != 0)) ** 2),
        sample_ratio_p_value=[each.p_value for each in ratio],
        is_faulty=np.array([each.is_faulty for each in ratio], dtype=bool),
    )


def _normal(values: pd.Series) -> pd.Series:
    from scipy.special import ndtr

    return pd.Series(ndtr(values.to_numpy(dtype=float)), index=values.index)


def resampled(sums: pd.DataFrame, single: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """Return one row per campaign, treated arm and outcome of `single`: KEYS, bootstrap_low, bootstrap_high, coverage.

    sums: see long_sums. single: one row per member with an outcome other than zero: campaign, arm, stratum, and y_ of each outcome. The
    bootstrap is NaN where more members than `most` have one, coverage where no arm is small.
    """
    values = [name for name in single.columns if name.startswith("y_")]
    outcomes = [name.removeprefix("y_") for name in values]
    one = sums[sums["outcome"] == outcomes[0]]
    nobody = np.zeros((0, len(values)))
    held = {tuple(map(str, key)): part[values].fillna(0.0).to_numpy(dtype=float) for key, part in single.groupby(_CELL, sort=False)}
    cells = {
        (campaign, arm, stratum): resample.Arm(held.get((campaign, arm, stratum), nobody), int(members))
        for campaign, arm, stratum, members in one[[*_CELL, "n"]].itertuples(index=False)
    }
    parts = []
    for campaign, arm in one.loc[one["arm"] != CONTROL, ["campaign", "arm"]].drop_duplicates().itertuples(index=False):
        strata = _strata(cells, campaign, arm)
        if not strata:
            continue
        few = sum(len(each.outcomes) for stratum in strata for each in stratum) <= most
        is_small = min(sum(stratum[place].members for stratum in strata) for place in (0, 1)) < resample.SMALL_ARM
        unknown = np.full(len(values), np.nan)
        low, high = resample.symmetric_percentile_t(strata, seed=SEED) if few else (unknown, unknown)
        columns = {"outcome": outcomes, "bootstrap_low": low, "bootstrap_high": high}
        measured = resample.coverage(strata, seed=SEED) if is_small else unknown
        parts.append(pd.DataFrame(columns).assign(coverage=measured, campaign=campaign, arm=arm))
    return pd.concat(parts, ignore_index=True) if parts else nothing_resampled()


def worth_drawing(sums: pd.DataFrame, *, most: int) -> set[str]:
    """Return the campaigns of which resampling says something: at most `most` people bought in an arm, or an arm is small.

    Those of whom only money is known among them.
    """
    sizes = sums.groupby(["campaign", "arm", "outcome"])[["n", "y"]].sum().reset_index()
    bought = sizes[sizes["outcome"] == "bought"].groupby("campaign")["y"].min()
    is_small = sizes.groupby("campaign")["n"].min() < resample.SMALL_ARM
    return set(is_small.index[is_small | (bought.reindex(is_small.index).fillna(0) <= most)])


def nothing_resampled() -> pd.DataFrame:
    """Return what drawing nobody says."""
    numbers = ["bootstrap_low", "bootstrap_high", "coverage"]
    return pd.DataFrame(columns=[*KEYS, *numbers]).astype(dict.fromkeys(numbers, float))


def _strata(cells: Mapping[tuple[str, str, str], resample.Arm], campaign: str, arm: str) -> list[resample.Stratum]:
    """Return the strata of a comparison; none where one of them is too small to draw from."""
    nobody = resample.Arm(np.zeros((0, 1)), 0)
    names = sorted({stratum for of, each, stratum in cells if of == campaign and each in (arm, CONTROL)})
    found = [resample.Stratum(cells.get((campaign, arm, name), nobody), cells.get((campaign, CONTROL, name), nobody)) for name in names]
    return [] if any(each.members < LEAST_PER_ARM for stratum in found for each in stratum) else found


def hidden(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with what can't be read as NaN where the sizes of the arms are faulty."""
    names = [name for name in HIDDEN if name in found]
    return found.assign(**found[names].astype(float).mask(found["is_faulty"]))


# ── looks at a running test, and several tests ──────────────────────────────────────────────────────────────────────────


def look_rows(ordered: pd.DataFrame, sizes: pd.DataFrame, *, outcome: str, days: int, planned_days: int) -> pd.DataFrame:
    """Return one row per day: day, n, control_n, uplift, low, high (at every look), plain_low, plain_high.

    ordered: one row per member (customer_number) and day: stratum, is_treated, day, y_ of each outcome; in order of member and day.
    sizes: stratum, is_treated, n. days: seen so far. planned_days: of the whole window.
    """
    member = ordered["customer_number"].to_numpy()
    step = ordered["y_orders" if outcome == "bought" else f"y_{outcome}"].to_numpy(dtype=float)
    running = pd.Series(step).groupby(member, sort=False).cumsum().to_numpy()
    after, before = (running, running - step) if outcome != "bought" else ((running > 0).astype(float), (running - step > 0).astype(float))
    moved = ordered[["stratum", "is_treated", "day"]].assign(y=after - before, yy=after**2 - before**2)
    every = sizes.merge(pd.DataFrame({"day": range(1, days + 1)}), how="cross")
    summed = moved.groupby(["stratum", "is_treated", "day"])[["y", "yy"]].sum().reset_index()
    cells = every.merge(summed, on=["stratum", "is_treated", "day"], how="left").sort_values(["stratum", "is_treated", "day"])
    cells[["y", "yy"]] = cells[["y", "yy"]].fillna(0.0).groupby([cells["stratum"], cells["is_treated"]]).cumsum()
    found = differences(cells.assign(x=np.nan, xx=np.nan, xy=np.nan), ["day"]).sort_values("day", ignore_index=True)
    variance = found["standard_error"].to_numpy(dtype=float) ** 2
    half = half_width_at_every_look(variance, planned=float(variance[-1]) * planned_days / days)
    shown = found.rename(columns={"estimate": "uplift", "low": "plain_low", "high": "plain_high"}).astype({"n": int, "control_n": int})
    return shown.assign(low=found["estimate"] - half, high=found["estimate"] + half)


def ranking_rows(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of tables.ranking from those of uplift, one per campaign and treated arm, of which each is known."""
    drawn = shrunk(*(found[name].to_numpy(dtype=float) for name in ("uplift", "standard_error")))
    rows = found.assign(shrunk_uplift=drawn.estimate, shrunk_low=drawn.low, shrunk_high=drawn.high, chance_best=drawn.chance_best)
    rows = rows.assign(mean_uplift=drawn.mean, between=drawn.between)
    ordered = rows.sort_values("shrunk_uplift", ascending=False, kind="stable", ignore_index=True)
    return ordered.assign(place=ordered.index + 1)


# ── money ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def return_rows(found: pd.DataFrame, cost: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of tables.returns from the rows of uplift of one measure of money a campaign; cost: campaign, per_member."""
    from scipy.special import stdtr

    per_member = found["campaign"].map(cost.set_index("campaign")["per_member"])
    rows = found.assign(treated=found["n"], measure=found["outcome"], cost=per_member * found["n"])
    rows = rows.assign(extra=rows["uplift"] * rows["n"], low=rows["low"] * rows["n"], high=rows["high"] * rows["n"])
    paid = rows["cost"].where(rows["cost"] > 0)
    score = (rows["extra"] - rows["cost"]) / (rows["standard_error"] * rows["n"])
    return rows.assign(
        profit=rows["extra"] - rows["cost"],
        profit_low=rows["low"] - rows["cost"],
        profit_high=rows["high"] - rows["cost"],
        roi=(rows["extra"] - rows["cost"]) / paid,
        roi_low=(rows["low"] - rows["cost"]) / paid,
        roi_high=(rows["high"] - rows["cost"]) / paid,
        chance_of_profit=stdtr(rows["degrees_of_freedom"].to_numpy(dtype=float), score.to_numpy(dtype=float)),
    )


# ── segments ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def segment_rows(sums: pd.DataFrame) -> pd.DataFrame:
    """Return what sums alone say of tables.segments: one row per campaign, arm, way, segment and outcome.

    sums: campaign, arm, stratum, by, segment, outcome, n, y, yy. Strata count within a segment, too. Q: Cochran (1954), Biometrics 10,
    101-129, of segments with an interval; the total is that of the arms as they are, whatever the strata. Signs that differ by chance, so
    that neither the total nor the mean of the segments is told from nothing, reverse nothing.
    """
    whole = ["campaign", "arm", "by", "outcome"]
    sums = sums.assign(x=np.nan, xx=np.nan, xy=np.nan)
    found = differences(pairs(sums, ["by", "segment", "outcome"]), [*whole, "segment"])
    total = differences(pairs(sums.assign(stratum=""), ["by", "outcome"]), whole).set_index(whole)
    found = found.join(total[["crude", "p_value"]].set_axis(["total_uplift", "total_p_value"], axis=1), on=whole)
    members = found["n"] + found["control_n"]
    parts = found.assign(weighted=members * found["estimate"], variance=(members * found["standard_error"]) ** 2, members=members)
    sums_of = parts.groupby(whole)[["weighted", "variance", "members"]].transform("sum")
    weighted = sums_of["weighted"] / sums_of["members"]
    is_told = sums_of["weighted"].abs() > _NORMAL.inv_cdf(1 - _ALPHA / 2) * np.sqrt(sums_of["variance"])
    is_told |= found["total_p_value"] < _ALPHA
    against = np.sign(found["estimate"]) == -np.sign(found["total_uplift"])
    every = against.groupby([found[name] for name in whole]).transform("all")
    p_adjusted = found.groupby(whole)["p_value"].transform(lambda values: holm(values.to_numpy()))
    return found.rename(columns={"estimate": "uplift"}).assign(
        n=found["n"].astype(int),
        control_n=found["control_n"].astype(int),
        unit=found["outcome"].map(OUTCOMES),
        p_adjusted=p_adjusted,
        is_proven=p_adjusted < _ALPHA,
        weighted_uplift=weighted,
        is_reversed=is_told & ((weighted * found["total_uplift"] < 0) | (every & (found["total_uplift"] != 0))),
        differ_p_value=_cochran(found, whole),
    )


def no_segment_sums() -> pd.DataFrame:
    """Return the sums of no segment."""
    return pd.DataFrame(columns=[*_CELL, "by", "segment", "outcome", "n", "y", "yy"]).astype(dict.fromkeys(("n", "y", "yy"), float))


def told_apart(sums: pd.DataFrame, *, most: int, unknown: str) -> pd.DataFrame:
    """Return the sums of the `most` largest segments of each way, of ways that tell two apart. unknown: the segment of the rest."""
    whole = ["campaign", "by", "outcome"]
    sizes = sums.groupby([*whole, "segment"])["n"].sum().reset_index()
    sizes = sizes.sort_values("n", ascending=False, kind="stable")
    place = sizes.groupby(whole).cumcount()
    named = (sizes["segment"] != unknown).groupby([sizes[name] for name in whole]).transform("sum")
    kept = sizes[(place < most) & (named > 0) & (sizes.groupby(whole)["n"].transform("size") > 1)]
    return sums.merge(kept[[*whole, "segment"]], on=[*whole, "segment"])


def one_arm(found: pd.DataFrame, arm: str) -> pd.Series:
    """Return the row of the arm; where there is none of it that of the treated arm with most members, the first of equal ones."""
    rows = found[found["arm"] == arm] if arm in set(found["arm"]) else found
    return rows.iloc[int(rows["n"].to_numpy().argmax())]


def _cochran(found: pd.DataFrame, whole: list[str]) -> pd.Series:
    """Return the p-value of Cochran's Q of each family of segments, on every row of it; NaN with fewer than two."""
    from scipy.special import chdtrc

    precision = 1 / found["standard_error"] ** 2
    part = pd.DataFrame({"w": precision, "wd": precision * found["estimate"], "wdd": precision * found["estimate"] ** 2})
    part["k"] = precision.notna().astype(float)
    sums = part.groupby([found[name] for name in whole]).transform("sum")
    squares = (sums["wdd"] - sums["wd"] ** 2 / sums["w"].where(sums["w"] > 0)).clip(lower=0.0)
    degrees = (sums["k"] - 1).where(sums["k"] > 1)
    return pd.Series(chdtrc(degrees.to_numpy(dtype=float), squares.to_numpy(dtype=float)), index=found.index)
