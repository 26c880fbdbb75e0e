"""The findings of this part in words, made from its tables, and what goes with its figures."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import Metric, is_unknown, value_text
from crm_metrics.retention.leaving.definitions import ALIVE, RHYTHM, WINDOW, ChurnTerms
from crm_metrics.retention.leaving.labels import SPLITS, definition_name
from crm_metrics.retention.leaving.metrics import (
    CHURN_BY_ALIVE,
    CHURN_BY_RHYTHM,
    CHURN_BY_WINDOW,
    CONTRACT_CHURN,
    CONTRACT_YEAR_SURVIVAL,
    LATE_CUSTOMERS,
    METRICS,
    SECOND_ORDER_SHARE,
)

QUESTIONS: dict[str, str] = {
    "late": noop("Who is late?"),
    "second": noop("Second order"),
    "contracts": noop("Contracts"),
    "lasting": noop("How long will contracts last?"),
}
MOST_TILES = 6
LARGEST_ERROR = 0.05  # of a share: a projection that is farther off on average is not to be relied on
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "late": noop("Bars with intervals: churn within a year by each definition, with lines at 30, 40 and 50%."),
    "second": noop("Curve with its band: share of customers with a second order by days since the first."),
    "contracts": noop("Falling curves with bands: share of contracts not ended by whole months, of all and by kind."),
    "lasting": noop("Points with intervals: share of contracts not ended by months; a line fitted to the first and projected beyond."),
}
NOTES: dict[str, str] = {  # by the name of the figure or table
    "late": noop(
        "Each bar: of the customers who were active a year before the as-of day, the share that is lost on it, by the same definition on "
        "both days; one who came back in between is not lost. Whiskers: 95% (Wilson). "
        "Own rhythm: the days between a customer's purchase days follow a gamma distribution with one shape for all and a rate of the "
        "customer's own; few intervals of one's own are mixed with those of all, and who bought once has only theirs. Late is who has been "
        "silent for longer than 95% of the intervals to be expected. P(alive): MBG/NBD, fitted to all up to the as-of day. Days without an "
        "order: a vendor's choice; Emarsys takes 365, Dynamics 365 lets you set them, HubSpot and others count subscriptions. The period's "
        "first day, sales without a customer and gifts play no part. Faded: under 30 customers."
    ),
    "late_customers": noop(
        "Those with most purchase days first. Usual: half of the expected intervals are shorter. Expected intervals already exceeded: "
        "share of the customer's expected intervals that are shorter than the silence. A click opens the customer."
    ),
    "second": noop(
        "Customers whose first order lies in the period and the filters; the second may be of anything, up to the as-of day. Who has not "
        "come back counts for as long as seen, so young customers pull nothing down (Kaplan and Meier, 1958); band: 95% (Greenwood, log "
        "-log). A second order on the first day counts, at 0. Dashed: under 30 are still followed. By category: a customer stands in each "
        "category of the first order. Left out: sales without a customer."
    ),
    "contracts": noop(
        "Contracts begun up to the as-of day, whatever the period, region, channel and category. One that runs, or that the customer did "
        "not end, counts for as long as it was seen (Kaplan and Meier, 1958); band: 95%. Where the file holds only a tenure, that counts. "
        "Dashed: under 30 are still followed."
    ),
    "lasting": noop(
        "Shifted beta-geometric model (Fader and Hardie, 2007): each contract has its own chance to end at a renewal, the same at each; "
        "the chances are beta distributed. It is fitted to the first 7 of 12 parts of the months that at least 30 contracts were followed, "
        "as in the paper, and tested on the rest; further on nobody knows yet. Bands: 95%, of the projection by profile likelihood, of "
        "what came by Kaplan-Meier, in both of the curve and not of single contracts. A contract is renewed every 12, 6 or 3 months where "
        "all that ended did so then, else every month."
    ),
}
DRAWN: dict[str, tuple[Metric, ...]] = {  # by the name of the figure
    "late": (LATE_CUSTOMERS, CHURN_BY_RHYTHM, CHURN_BY_ALIVE, CHURN_BY_WINDOW),
    "second": (SECOND_ORDER_SHARE,),
    "contracts": (CONTRACT_CHURN, CONTRACT_YEAR_SURVIVAL),
    "lasting": (CONTRACT_YEAR_SURVIVAL,),
}
_SILENT: dict[str, str] = {  # why a definition says nothing, by its state
    "no_model": noop("No P(alive): there are too few customers, or too short a history, for the model."),
    "no_leaving": noop("No P(alive): the model finds nobody leaving for good, so nearly 100% for everybody would be its assumption."),
    "too_few": noop("No own rhythm: too few customers have come back twice."),
    "too_short": noop("No own rhythms: the history is too short to know how long customers stay away who come back."),
    "no_history": noop("“{definition}” has no churn of a year: nobody was active by it a year before the as-of day."),
}
_captions = Captions(ALT_TEXTS, NOTES, DRAWN)
about, remark = _captions.about, _captions.remark


def questions(tiles: pd.DataFrame) -> dict[str, str]:
    """Return the questions of the page; without orders only those of contracts. tiles: tables.churn_tiles."""
    of_orders = () if has_orders(tiles) else ("late", "second")
    return {name: t(label) for name, label in QUESTIONS.items() if name not in of_orders}


def has_orders(tiles: pd.DataFrame) -> bool:
    """Return whether the data hold orders. tiles: tables.churn_tiles."""
    return LATE_CUSTOMERS.name in set(tiles["metric"])


def splits() -> dict[str, str]:
    """Return by what the time to the second order can be split."""
    return translated(SPLITS)


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return whose tiles are shown: those that are known. tiles: tables.churn_tiles."""
    known = set(tiles.loc[tiles["value"].notna(), "metric"])
    return tuple(metric for metric in METRICS if metric.name in known)[:MOST_TILES]


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(tiles: pd.DataFrame, definitions: pd.DataFrame, terms: ChurnTerms) -> str:
    """Return the page's finding. tiles, definitions: tables.churn_tiles, tables.churn_definitions."""
    rows: dict[str, Any] = {str(row.metric): row for row in tiles.itertuples()}
    if LATE_CUSTOMERS.name not in rows:
        return _contract_sentence(rows)
    late = rows[LATE_CUSTOMERS.name]
    if not late.n:
        return t("No customer with a purchase matches the filters.")
    parts = []
    if not is_unknown(late.value):
        values = {"late": f"{late.value:,.0f}", "n": f"{late.n:,.0f}"}
        parts.append(t("{late} of {n} customers have been silent for longer than their own rhythm explains.", **values))
    few = t("Only {n} customers match the filters: too few to tell what share has left.", n=f"{late.n:,.0f}")
    parts.append(few if late.n < FEW_CUSTOMERS else _yearly_sentence(definitions, terms))
    return t(" ").join(parts)


def _yearly_sentence(definitions: pd.DataFrame, terms: ChurnTerms) -> str:
    enough = definitions[definitions["customers"] >= FEW_CUSTOMERS]
    rates: dict[str, Any] = dict(zip(enough["definition"], enough["rate"], strict=True))
    rates = {name: rate for name, rate in rates.items() if name in _OF_CUSTOMERS and not is_unknown(rate)}
    if not rates:
        return t("The share lost within a year can't be told yet.")
    days = f"{terms.window_days:,}"
    named = [t(_OF_CUSTOMERS[name], rate=value_text(rate, "share"), days=days) for name, rate in rates.items()]
    return t("Lost of those active a year before: {rates}.", rates=t(", ").join(named))


_OF_CUSTOMERS = {
    RHYTHM: noop("{rate} by their own rhythm"),
    ALIVE: noop("{rate} by P(alive)"),
    WINDOW: noop("{rate} by {days} days without an order"),
}


def _contract_sentence(rows: dict[str, Any]) -> str:
    if CONTRACT_CHURN.name not in rows or not rows[CONTRACT_CHURN.name].n:
        return t("There are neither orders nor contracts here: nothing says who has left.")
    churn, year = rows[CONTRACT_CHURN.name], rows[CONTRACT_YEAR_SURVIVAL.name]
    values = {"rate": value_text(churn.value, "share"), "n": f"{churn.n:,}"}
    if is_unknown(year.value):
        return t("Customers have ended {rate} of {n} contracts.", **values)
    return t("Customers have ended {rate} of {n} contracts; {year} last over 12 months.", year=value_text(year.value, "share"), **values)


def silence_note(definitions: pd.DataFrame, window_days: int) -> str:
    """Return why a definition says nothing, if any does not, and what is not known of the others. definitions: see finding."""
    silent = definitions[definitions["state"].isin(_SILENT) & (definitions["definition"] != "contract")]
    reasons = [
        t(_SILENT[state], definition=definition_name(name, window_days)) if state == "no_history" else t(_SILENT[state])
        for name, state in zip(silent["definition"], silent["state"], strict=True)
    ]
    if (definitions["is_history_short"] & definitions["rate"].notna()).any():
        reasons.append(t("The data begin less than two years ago: of those active a year before only some are known, others may differ."))
    return t(" ").join(reasons)


def chosen_definition(picked: Sequence[str]) -> str:
    """Return the definition whose customers are shown: that of the chosen bar, else own rhythm. picked: see ui.figure."""
    return next((name for name in picked if name in _OF_CUSTOMERS), RHYTHM)


def people_note(definition: str, window_days: int) -> str:
    """Return whom the table of customers shows."""
    return (
        t("Shown: {definition}; choose a bar above for another.", definition=definition_name(definition, window_days))
        + t(" ")
        + remark("late_customers")
    )


def agreement_finding(agreement: pd.DataFrame, window_days: int) -> str:
    """Return how far the definitions name the same customers. agreement: tables.churn_agreement."""
    known = agreement[agreement["agreed_share"].notna()]
    if not len(known):
        return ""
    worst: Any = known.sort_values("agreed_share").iloc[0]
    return t(
        "“{first}” and “{second}” agree least: on {share} of {n} customers; lost by the first alone: {one}, by the second alone: {other}.",
        first=definition_name(worst["first"], window_days),
        second=definition_name(worst["second"], window_days),
        share=value_text(worst["agreed_share"], "share"),
        n=f"{worst['customers']:,}",
        one=f"{worst['lost_by_first']:,}",
        other=f"{worst['lost_by_second']:,}",
    )


def second_finding(summary: pd.DataFrame, by: str) -> str:
    """Return what is found of the second order, of all or by what it is split. summary: tables.second_order."""
    if not len(summary):
        return t("No customer with a first order matches the filters.")
    if by != "all":
        return _split_finding(summary)
    row: Any = summary.iloc[0]
    values = {"n": f"{row.customers:,}", "back": f"{row.came_back:,}", "same": f"{row.same_day:,}"}
    same = noop("{back} of {n} new customers have ordered again, {same} of them on the first day.")
    text = t(same if row.same_day else noop("{back} of {n} new customers have ordered again."), **values)
    if not is_unknown(row.share_180):
        low, high = value_text(row.low_180, "share"), value_text(row.high_180, "share")
        text += t(" ") + t(
            "Within 180 days {share} order again (95%: {low} to {high}).", share=value_text(row.share_180, "share"), low=low, high=high
        )
    if not is_unknown(row.median_days):
        return text + t(" ") + t("Half have ordered again after {days}.", days=value_text(row.median_days, "days"))
    return text + t(" ") + t("Fewer than half have ordered again within the {days} followed.", days=value_text(row.followed_days, "days"))


def _split_finding(summary: pd.DataFrame) -> str:
    known = summary[summary["share_180"].notna() & (summary["customers"] >= FEW_CUSTOMERS)].sort_values("share_180")
    if len(known) < 2:
        return t("No two groups to compare were followed for 180 days.")
    least, most = known.iloc[0], known.iloc[-1]
    return t(
        "Within 180 days {most_share} of {most} order again, {least_share} of {least}.",
        most_share=value_text(most["share_180"], "share"),
        most=safe_text(most["part"] or t("unknown")),
        least_share=value_text(least["share_180"], "share"),
        least=safe_text(least["part"] or t("unknown")),
    )


def contract_finding(question: str, rows: pd.DataFrame, kind: str) -> str:
    """Return the finding of a question of contracts. rows: its first table in answers.CONTRACTS; kind: as in `kinds`."""
    if not len(rows):
        return t("There are no contracts here. Import a file with one row a contract to see how long they last.")
    return _projection_finding(rows, kind) if question == "lasting" else _ended_finding(rows)


def _ended_finding(churn: pd.DataFrame) -> str:
    whole: Any = churn.iloc[0]
    kinds = churn[~churn["is_all"].astype(bool) & ~churn["is_few"].astype(bool)].sort_values("rate")
    if len(kinds) < 2:
        return t("Customers have ended {rate} of {n} contracts.", rate=value_text(whole.rate, "share"), n=f"{whole.contracts:,}")
    least, most = kinds.iloc[0], kinds.iloc[-1]
    return t(
        "Customers have ended most of {most} ({most_rate}) and fewest of {least} ({least_rate}).",
        most=safe_text(most["contract_kind"]),
        most_rate=value_text(most["rate"], "share"),
        least=safe_text(least["contract_kind"]),
        least_rate=value_text(least["rate"], "share"),
    )


def kinds(question: str, fits: pd.DataFrame) -> dict[str, str]:
    """Return the kinds of contract to choose from: those that are projected, '' for all. fits: tables.contract_fit."""
    if question != "lasting":
        return {}
    return {kind: kind or t("All contracts") for kind in fits["contract_kind"].fillna("").astype("str")}


def _projection_finding(fits: pd.DataFrame, kind: str) -> str:
    row: Any = fits[fits["contract_kind"].fillna("") == kind].iloc[0]
    values = {"lost": f"{row.lost:,}", "n": f"{row.contracts:,}", "months": f"{row.fitted_months:,}"}
    if row.verdict == "too_few":
        return t("No projection: {lost} of {n} contracts have ended, too few in the first {months} months for a model.", **values)
    if row.verdict != "fitted":
        return t("No projection: the chance to end does not fall with age here, which the model takes it to do.")
    if is_unknown(row.mean_error):
        return t("Fitted to {months} months; nothing is left to test it on.", **values)
    error = {"error": f"{row.mean_error * 100:.1f}", "seen": f"{row.seen_months:,}", **values}
    if row.mean_error > LARGEST_ERROR:
        return t(
            "Don't rely on this projection: fitted to the first {months} months it was {error} points off on average up to month {seen}.",
            **error,
        )
    return t("Fitted to the first {months} months, the projection was {error} points off on average up to month {seen}.", **error)
