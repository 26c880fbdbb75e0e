"""The findings of this part in words, made from its tables."""

from typing import Any

import pandas as pd

from crm_metrics.campaign_roi.credit import statistic
from crm_metrics.campaign_roi.credit.figure import MOST_ROWS
from crm_metrics.campaign_roi.credit.labels import LABELS, of_pair, shown_names
from crm_metrics.campaign_roi.credit.metrics import ATTRIBUTED_MARGIN, ATTRIBUTED_ROI, INCREMENTAL, METRICS
from crm_metrics.campaign_roi.credit.terms import Rule
from crm_metrics.campaign_roi.credit.weighting import ALIKE
from crm_metrics.captions import Caption, Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import noop, t
from crm_metrics.metric import Metric, is_unknown, value_text

QUESTIONS: dict[str, str] = {
    "campaigns": noop("Campaigns"),
    "credit": noop("Attribution"),
    "adjusted": noop("Without control group"),
    "budget": noop("Budget"),
    "wasted": noop("Wasted spend"),
    "contacts": noop("Personalisation of contacts"),
}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "campaigns": noop("One row per campaign: its cost, and what orders credit it with."),
    "caused": noop(
        "One row per campaign: its cost, what orders credit it with, and what it brought beside its control group, with its interval."
    ),
    "credit": noop("One row per campaign: a dot for what each rule credits it with, that of the chosen rule in colour."),
    "adjusted": noop(
        "One row per campaign: the difference between treated and other customers, unadjusted and adjusted, with its interval."
    ),
    "balance": noop("One row per measure: how far treated and other customers are apart before and after adjusting."),
    "budget": noop("Bars: cost beside budget, by campaign."),
    "wasted": noop("Bars: what was spent on each segment that a campaign harmed."),
    "contacts": noop("Stacked bars by quarter: share of the contacts that were written for all alike, for a segment, or one to one."),
}
NOTES: dict[str, str] = {  # by the name of the figure or table
    "campaigns": noop(
        "Attributed: purchases that are credited to the campaign by the rule named, less their cost of goods where it is known. A "
        "credited purchase might have been made all the same. Click a campaign to see it alone."
    ),
    "caused": noop(
        "Attributed: purchases that are credited to the campaign by the rule named, less their cost of goods where it is known. "
        "Incremental: per treated member less per member of the control group, times the treated members, with its 95% interval; hollow "
        "while its window runs. Campaigns without a control group have only the first. Two offers of a campaign are added up, and so are "
        "the halves of their intervals. Click a campaign to see it alone."
    ),
    "credit": noop(
        "A touch counts for the purchases of its own day and of the days of the lookback after it; one that names its order, for that "
        "order alone. Every purchase is credited once: to the first touch, to the last, to all alike, 40% to the first and 40% to the "
        "last and the rest to those between, or to late touches most (half as much for every half-life before the purchase). Purchases "
        "without a touch are credited to nobody. Returns of their own are in no purchase."
    ),
    "adjusted": noop(
        "Treated customers against customers outside the campaign who also bought before its start and are of the same kind. Each is "
        "weighted by the chance of having been on the other side, by logistic regression on purchases before the start, so that both "
        "sides are alike in these (overlap weights: Li, Morgan and Zaslavsky 2018, JASA 113, 390-400). The interval does not cover "
        "what was not recorded: why somebody was chosen, consent, taste. It is no experiment."
    ),
    "balance": noop(
        "Treated less others, in standard deviations of the treated. Within the grey band, 0.1 to either side, the two count as alike "
        "(Austin 2009, Statistics in Medicine 28, 3083-3107). Measures with a star were not adjusted for: they tell whether the "
        "adjusting was enough."
    ),
    "budget": noop("Costs are those recorded by today, whenever they fell due. Purchases are those credited by the rule named."),
    "wasted": noop(
        "Segments known before the start in which the treated brought less than the control group, which is proven (Holm over the "
        "segments of one split, and Benjamini and Hochberg over all segments of all campaigns: at most 5% of those here are false). "
        "Spent there: the cost, by these people's share. Splits overlap, so the sum takes the one split per campaign that finds most. "
        "What is not proven is not here: a campaign can have wasted more."
    ),
    "contacts": noop(
        "Contacts are messages sent; where no sending is recorded, all touches. A hatched quarter is not over. The literature of "
        "customer management expects a move from mass mailings over segments to one to one; whether that pays, only control groups can "
        "tell."
    ),
}
_CAPTIONS = Captions(ALT_TEXTS, NOTES, {"campaigns": (ATTRIBUTED_MARGIN, ATTRIBUTED_ROI), "caused": (ATTRIBUTED_MARGIN, INCREMENTAL)})
remark = _CAPTIONS.remark


def about(name: str, campaigns: pd.DataFrame | None = None) -> Caption:
    """Return what goes with a figure; that of the campaigns speaks of control groups only where there are any."""
    shown = "caused" if name == "campaigns" and campaigns is not None and "incremental" in campaigns else name
    return Caption(**{**_CAPTIONS.about(shown), "name": name})


def questions(campaigns: pd.DataFrame) -> dict[str, str]:
    """Return the questions that these data can answer. campaigns: the table of this name."""
    missing = set()
    if campaigns[["budget", "cost"]].isna().all(axis=None):
        missing |= {"budget"}
    if campaigns["attributed_orders"].isna().all():
        missing |= {"credit"}
    if "incremental" not in campaigns:
        missing |= {"wasted"}
    return {name: t(label) for name, label in QUESTIONS.items() if name not in missing}


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the metrics of the rows of `tiles`, in their order; those of credited orders only where orders are credited."""
    by_name, of_orders = {metric.name: metric for metric in METRICS}, tiles["metric"].str.startswith("attributed_")
    is_credited = bool(tiles.loc[of_orders, "value"].notna().any())
    return tuple(by_name[name] for name in tiles.loc[~of_orders | is_credited, "metric"])


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(campaigns: pd.DataFrame, *, currency: str) -> str:
    """Return what the campaigns brought together. campaigns: the table of this name."""
    if campaigns.empty:
        return t("No campaign ran in these days. Bring in campaigns and who was in them, or choose other days.")
    sums = statistic.totals(campaigns)
    if not is_unknown(sums.get("incremental", float("nan"))):
        return _caused(sums, currency)
    is_margin = (campaigns["measure"] == "gross_margin").any()
    values = {
        "campaigns": _counted(len(campaigns)),
        "money": value_text(sums["attributed"], "money", currency),
        "measure": t("gross margin") if is_margin else t("net revenue"),
        "roi": value_text(sums["attributed_roi"], "share"),
        "cost": value_text(sums["cost"], "money", currency),
    }
    if is_unknown(sums["attributed"]):
        text = t("{campaigns} ran; neither touches nor orders link purchases to a campaign.", **values)
    elif is_unknown(sums["cost"]):
        text = t("Orders credit {campaigns} with {money} of {measure}; no cost is recorded, so there is no ROI.", **values)
    elif is_unknown(sums["attributed_roi"]):
        text = t("Orders credit {campaigns} with {money} of {measure}, at a cost of {cost}.", **values)
    else:
        text = t("Orders credit {campaigns} with {money} of {measure}, at a cost of {cost}: an attributed ROI of {roi}.", **values)
    if not campaigns["has_control"].any():
        text += t(" ") + t("No control group was held back, so nobody knows what would have been bought anyway.")
    return text


def _counted(campaigns: float) -> str:
    return t("1 campaign") if campaigns == 1 else t("{n} campaigns", n=f"{campaigns:,.0f}")


def _caused(sums: dict[str, float], currency: str) -> str:
    gap = sums["credited_there"] - sums["incremental"]
    values = {
        "campaigns": _counted(sums["compared"]),
        "credited": value_text(sums["credited_there"], "money", currency),
        "caused": value_text(sums["incremental"], "money", currency),
        "low": value_text(sums["incremental_low"], "money", currency),
        "high": value_text(sums["incremental_high"], "money", currency),
        "gap": value_text(abs(gap), "money", currency),
    }
    if is_unknown(gap):
        return t("{campaigns} with a control group: {caused} incremental (95%: {low} to {high}).", **values)
    if gap >= 0:
        return t(
            "{campaigns} with a control group: {credited} attributed by orders, {caused} incremental (95%: {low} to {high}). {gap} "
            "would have come anyway.",
            **values,
        )
    return t(
        "{campaigns} with a control group: {credited} attributed by orders, {caused} incremental (95%: {low} to {high}), which is "
        "{gap} more.",
        **values,
    )


def notes(campaigns: pd.DataFrame, *, is_whole: bool) -> str:
    """Return what the reader should know of the campaigns before reading on. is_whole: see tables.is_whole."""
    texts = []
    if not is_whole:
        texts.append(t("Under these filters only some of the credited purchases are counted, but all of the cost: no ROI is shown."))
    if len(campaigns):
        if campaigns["attributed_orders"].notna().any():
            texts.append(t("Attribution rule: {rule}.", rule=t(LABELS[campaigns["rule"].iloc[0]])))
        free = campaigns[campaigns["cost"].isna()]
        if len(free) and campaigns["cost"].notna().any():
            texts.append(t("No cost is recorded, so no ROI is shown: {names}.", names=_named(free)))
        elif len(free) and "incremental" in campaigns:  # else the finding says so
            texts.append(t("No cost is recorded, so there is no ROI."))
    if "is_faulty" in campaigns and campaigns["is_faulty"].any():
        names = _named(campaigns[campaigns["is_faulty"]])
        texts.append(t("Arm sizes differ from the plan, so no result is shown: {names}.", names=names))
    if len(campaigns) > MOST_ROWS:
        texts.append(t("The newest {n} of {all} are drawn; the table holds all.", n=MOST_ROWS, all=f"{len(campaigns):,}"))
    return t(" ").join(texts)


def _named(campaigns: pd.DataFrame, most: int = 3) -> str:
    names = [safe_text(name) for name in shown_names(campaigns.head(most))]
    more = len(campaigns) - most
    return t("{names} and {n} more", names=t(", ").join(names), n=more) if more > 0 else t(", ").join(names)


def credit_finding(attribution: pd.DataFrame, *, rule: Rule, currency: str) -> str:
    """Return how far the rules are apart. attribution: the table of this name."""
    sums = attribution.groupby("rule")["credited_revenue"].sum(min_count=1).dropna()
    if sums.empty or rule not in sums:
        return t("No purchase can be credited to these campaigns by this rule.")
    low, high = float(sums.min()), float(sums.max())
    values = {
        "money": value_text(sums[rule], "money", currency),
        "rule": t(LABELS[rule]),
        "low": value_text(low, "money", currency),
        "high": value_text(high, "money", currency),
    }
    if values["low"] == values["high"]:
        return t("Every rule credits these campaigns with {money} together.", **values)
    return t("Together {money} by “{rule}”; the rules give {low} to {high}, on the same orders.", **values)


def adjusted_finding(every: pd.DataFrame, campaigns: pd.DataFrame, *, outcome: str, currency: str) -> str:
    """Return what is left of the differences after adjusting, or why there are none. every: the table adjusted."""
    adjusted = every[every["outcome"] == outcome]
    if adjusted.empty:
        if campaigns["has_control"].all():
            return t("Every campaign here has a control group: nothing needs to be adjusted.")
        return t("No campaign without a control group has {n} treated customers and {n} others who bought before it.", n=FEW_CUSTOMERS)
    if len(adjusted) == 1:
        row: Any = adjusted.iloc[0]
        values = {name: value_text(row[name], row.unit, currency) for name in ("crude_difference", "difference", "low", "high")}
        return t(
            "{name}: {crude_difference} per customer unadjusted, {difference} (95%: {low} to {high}) against similar customers.",
            name=safe_text(shown_names(adjusted)[0]),
            **values,
        )
    moved = float((adjusted["crude_difference"] - adjusted["difference"]).abs().max())
    return t(
        "Adjusted for earlier purchases, {n} of {all} campaigns show a difference beyond chance; adjusting changed a difference per "
        "customer by up to {moved}.",
        n=int(((adjusted["low"] > 0) | (adjusted["high"] < 0)).sum()),
        all=len(adjusted),
        moved=value_text(moved, adjusted["unit"].iloc[0], currency),
    )


def adjusted_warning() -> str:
    """Return the warning that stands above every adjusted comparison."""
    return t(
        "These customers were chosen, not drawn by lot. The figures are adjusted for earlier purchases, not for why the customers were "
        "chosen: read them as a hint, and hold back a control group next time."
    )


def balance_finding(balance: pd.DataFrame, pair: tuple[str, str]) -> str:
    """Return whether those compared are alike. balance: the table of this name; pair: campaign and arm."""
    balance = of_pair(balance, pair)
    before, after = (balance[f"difference_{when}"].abs().max() for when in ("before", "after"))
    values = {"before": f"{before:.2f}", "after": f"{after:.2f}"}
    if after <= ALIKE:
        return t("Largest difference: {before} standard deviations before adjusting, {after} after: alike in what is recorded.", **values)
    return t(
        "Largest difference: {before} standard deviations before adjusting, still {after} after: not alike enough to compare.", **values
    )


def budget_finding(campaigns: pd.DataFrame, *, currency: str) -> str:
    """Return how cost stands to budget. campaigns: the table of this name."""
    both = campaigns[campaigns["cost"].notna() & campaigns["budget"].notna()]
    if both.empty:
        return t("No campaign has both a budget and a cost recorded.")
    cost, budget = both["cost"].sum(), both["budget"].sum()
    return t(
        "{campaigns}: cost {cost} of a budget of {budget} ({share}); over budget: {over}.",
        campaigns=_counted(len(both)),
        cost=value_text(cost, "money", currency),
        budget=value_text(budget, "money", currency),
        share=value_text(cost / budget if budget else float("nan"), "share"),
        over=int((both["cost"] > both["budget"]).sum()),
    )


def contacts_finding(contacts: pd.DataFrame) -> str:
    """Return how many of the contacts were written one to one, first and last. contacts: the table of this name."""
    if contacts.empty or (contacts["personalisation"] == "").all():
        return t("The personalisation of the contacts is not recorded.")
    total = contacts["contacts"].sum()
    sums = contacts.groupby("personalisation")["contacts"].sum()
    return t(
        "Of {n} contacts {individual} were one to one, {segment} by segment and {mass} mass mailings.",
        n=f"{total:,}",
        **{name: value_text(sums.get(name, 0) / total, "share") for name in ("individual", "segment", "mass")},
    )


def wasted_finding(wasted: pd.DataFrame, *, currency: str) -> str:
    """Return what was spent where a campaign is proven to have harmed. wasted: the table of this name."""
    if wasted.empty:
        return t("No segment is proven to have bought less because of a campaign.")
    total = statistic.wasted_total(wasted)
    values = {"campaigns": _counted(wasted["campaign"].nunique()), "n": len(wasted), "money": value_text(total, "money", currency)}
    if is_unknown(total):
        return t("{campaigns} made people buy less; segments where that is proven: {n}. What was spent on them is not recorded.", **values)
    return t("{campaigns} made people buy less; segments where that is proven: {n}, at a cost of {money}.", **values)
