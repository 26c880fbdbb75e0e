"""The findings of the funnel in words, and what its tables show."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.pipeline.deals import metrics
from crm_metrics.pipeline.deals.words import basis_note, history_note, pipelines_note
from crm_metrics.pipeline.funnel import labels
from crm_metrics.pipeline.funnel.metrics import METRICS
from crm_metrics.pipeline.funnel.statistic import CALLS, FEW_DEALS, LEADS, QUALIFIED
from crm_metrics.pipeline.funnel.terms import PERIODS, FunnelStep, FunnelTerms

QUESTIONS: dict[str, str] = {
    "funnel": noop("Funnel"),
    "groups": noop("By group"),
    "moves": noop("Skipped and back"),
    "by": noop("Who and what wins"),
    "won": noop("Won by period"),
    "deals": noop("Deals"),
}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "funnel": noop(
        "Bars from top to bottom, one per step: how many got there; of each stage those who went on, are still there, were lost."
    ),
    "groups": noop(
        "Fields, a row per group and a column per step: the share of the group's leads or deals that got there, the darker the higher."
    ),
    "moves": noop("Bars: the moves between stages that left the straight way, those of most deals first."),
    "by": noop("Points with intervals: the win rate of closed deals of each group; hollow: of all its deals."),
    "won": noop("Bars: value won by period of closing; the unfinished period is hatched."),
}
NOTES: dict[str, str] = {  # by the name of the figure
    "funnel": noop(
        "The deals are those created in the period (or on an unknown day) as they stand today; calls and leads are those of the same "
        "period. Bars of leads are shares of all leads, bars of deals shares of all opportunities: customers bring deals too, so that "
        "opportunities are no part of the leads. After calls stands the hit rate: qualified leads that the calls brought, divided by the "
        "calls. After qualified leads: those that became a deal.\n\n**Reached by any path**: a deal counts at a stage that it was in or "
        "went past, whatever it skipped. **All stages in order**: only if it has been in that stage and in each before it, as HubSpot "
        "counts; a deal that skips a stage counts no further.\n\n**On to the next step**: deals of the next step / deals of this one, so "
        "that deals still here count as not gone on. **Passed / (passed + lost here)**: deals still in the stage are in neither, so "
        "that young deals do not make it look worse; interval: 95% (Wilson 1927). A deal that was lost and reopened counts there as "
        "lost, and elsewhere by where it stands today. By value: the value of each deal today; deals without one are left out of it. Of "
        "deals without stage history only today's stage is known, and of lost ones none: where these are more than 5%, no rate is given."
    ),
    "groups": noop(
        "The deals are those of the funnel, by count or by value, and so are the two ways of counting. Each field: deals of the group "
        "that got to the step / deals of the group, open ones among them: a group of young deals has had less time to get far; leads: "
        "those that qualified / leads of the group; calls: the hit rate, qualified leads that the calls brought / calls. First row: "
        "all. Groups are by the owner of the call, of the lead, of the deal, and by the day of each: the deals of a group need not come"
        " from its leads. A dash: what is not known of calls or leads (calls have no source, product and segment). A lead has the "
        "segment of its customer: where more than 5% have none, no rate is given, as most have a customer once they have become one. "
        "Faded, without a rate: fewer than 30 deals, leads or calls. Interval: 95% (Wilson 1927), not of values. The 24 largest groups "
        "or latest periods are drawn; the table holds all. A click shows the deals, leads or days of calls behind a field."
    ),
    "moves": noop(
        "Every change of stage in the history, by deals that made it at least once. Skipped: over one stage or more, or won from another "
        "than the last. Went back: to an earlier stage. Reopened: from lost or won to an open stage."
    ),
    "by": noop(
        "Win rate of closed deals: won / (won or lost), with its 95% interval (Wilson 1927); hollow: won / all deals, open ones included. "
        "Dotted: all deals together. Faded: fewer than 30 closed deals. Filled dark: beyond chance, by Pearson's chi-square test of the "
        "group against all others together, adjusted for as many tests as there are groups (Holm 1979). Recent periods hold deals that are "
        "still open, and quick ones are closed first: compare periods on Conversion and time. Of groups the 24 with most won value are "
        "drawn; the table holds all. A difference says nothing about its cause."
    ),
    "won": noop(
        "Deals by the day of closing, whenever they were created; a win without a value is counted and in no sum. Hatched: the period is "
        "not over, or the filter cuts it."
    ),
}
_NAMED = 3  # groups in a sentence


def questions() -> dict[str, str]:
    """Return the questions of the page."""
    return translated(QUESTIONS)


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(tiles: pd.DataFrame, detail: pd.DataFrame) -> str:
    """Return the page's finding: how many are won, of closed and of all, and past which stage the fewest get.

    tiles: the table of this name. detail: the table funnel_detail.
    """
    rows: dict[str, Any] = {str(row.metric): row for row in tiles.itertuples()}
    of_closed, of_all = rows[metrics.WIN_RATE_OF_CLOSED.name], rows[metrics.WIN_RATE_OF_ALL.name]
    if not of_all.n:
        return t("No deal was created in the period that matches the filters.")
    if not of_closed.n:
        return t("None of the {n} deals created is won or lost yet.", n=f"{of_all.n:,.0f}")
    closed = t("{rate} of the {n} closed", rate=value_text(of_closed.value, "share"), n=f"{of_closed.n:,.0f}")
    every = t("{rate} of all {n}", rate=value_text(of_all.value, "share"), n=f"{of_all.n:,.0f}")
    won = f"{round(of_all.value * of_all.n):,}"
    text = t("Deals won so far: {won} ({closed}, {every}).", won=won, closed=closed, every=every)
    return text + t(" ") + _weakest(detail)


def _weakest(stages: pd.DataFrame) -> str:
    known = stages[stages["decided"] >= FEW_DEALS]
    if not len(known):
        is_told = stages["conversion"].notna().any()
        return (
            t("Too few deals have left a stage to say where they stall.") if is_told else t("In which stage deals are lost is not known.")
        )
    worst = known.sort_values("conversion", kind="stable").iloc[0]
    values = {"stage": safe_text(worst["name"]), "rate": value_text(worst["conversion"], "share"), "n": f"{worst['decided']:,.0f}"}
    return t("Fewest get past {stage}: {rate} of the {n} that left it.", **values)


def page_note(basis: pd.DataFrame, pipelines: pd.DataFrame) -> str:
    """Return what limits the deals, through how many pipelines they run, and what a history would add.

    basis, pipelines: the tables deal_basis and deal_pipelines.
    """
    return t(" ").join(text for text in (basis_note(basis), pipelines_note(pipelines), history_note(basis)) if text)


def funnel_note(funnel: pd.DataFrame, detail: pd.DataFrame, terms: FunnelTerms) -> str:
    """Return what the funnel leaves out. funnel, detail: the tables funnel and funnel_detail."""
    won = funnel[funnel["step"] == "won"].iloc[0]
    texts = []
    if terms.mode == "in_order" and not is_unknown(won["skipped"]) and won["skipped"]:
        texts.append(t("Won deals that skipped a stage and are not among the won ones here: {n}.", n=f"{won['skipped']:,.0f}"))
    unknown = int(detail["unknown"].max()) if len(detail) else 0
    if unknown:
        texts.append(t("Deals of which it is not known in which stages they were: {n}.", n=f"{unknown:,}"))
    if terms.measure == "value" and funnel["unvalued"].max():
        texts.append(t("Deals of unknown value, which are in no sum: {n}.", n=f"{funnel['unvalued'].max():,.0f}"))
    return t(" ").join(texts)


def moves_finding(detours: pd.DataFrame, basis: pd.DataFrame) -> str:
    """Return how many won deals skipped a stage or went back. detours, basis: the tables detours and deal_basis."""
    if not basis["deals"].iloc[0]:
        return t("No deal was created in the period that matches the filters.")
    won, every = (detours[detours["outcome"] == outcome].iloc[0] for outcome in ("won", "all"))
    if not every["deals"]:
        return t("These deals have no stage history, so that it is not known which stages they skipped or went back to.")
    if not won["deals"]:
        return t(
            "No deal with a stage history is won yet; {back} of {n} deals went back a stage.", back=_share(every, "went_back"), n=_n(every)
        )
    return t(
        "{skipped} of the {n} won deals skipped a stage, {back} went back one, {reopened} had been lost before.",
        skipped=_share(won, "skipped"),
        back=_share(won, "went_back"),
        reopened=_share(won, "reopened"),
        n=_n(won),
    )


def _share(row: Any, name: str) -> str:
    return value_text(row[f"{name}_share"], "share")


def _n(row: Any) -> str:
    return f"{row['deals']:,.0f}"


def by_finding(groups: pd.DataFrame, terms: FunnelTerms, *, currency: str) -> str:
    """Return who won most, and which groups differ beyond chance. groups: the table funnel_by."""
    if not len(groups):
        return t("No deal was created in the period that matches the filters.")
    valued = groups[groups["won_value"].notna()]
    best = (valued if len(valued) else groups).sort_values(["won_value", "won"], ascending=False, kind="stable").iloc[0]
    if not best["won"]:
        return t("None of these deals is won yet.")
    name = safe_text(labels.group_name(best["name"], terms))
    won = {"value": value_text(best["won_value"], "money", currency), "n": f"{best['won']:,}"}
    text = t("Most won value: {name}, {value} (deals won: {n}).", name=name, **won)
    tested, found = groups["p_value"].notna().sum(), groups[groups["is_different"]]
    if not tested:
        return text + t(" ") + t("No group has enough closed deals to compare win rates.")
    if not len(found):
        return text + t(" ") + t("None of the {n} win rates tested differs from the others beyond chance.", n=f"{tested:,}")
    named = t(", ").join(safe_text(labels.group_name(name, terms)) for name in found["name"].head(_NAMED))
    return (
        text + t(" ") + t("{k} of {n} win rates differ from the others beyond chance: {names}.", k=len(found), n=f"{tested:,}", names=named)
    )


def groups_finding(groups: pd.DataFrame, terms: FunnelTerms) -> str:
    """Return of which groups the most and the fewest deals were won, of all of theirs. groups: the table funnel_groups."""
    if not groups["deals"].any():
        return t("No deal was created in the period that matches the filters.")
    known = groups[(groups["step"] == "won") & ~groups["is_small"] & groups["cumulative_rate"].notna()]
    if len(known) < 2:
        return t("Fewer than two groups have 30 deals: too few to compare how far they get.")
    ordered = known.sort_values("cumulative_rate", ascending=False, kind="stable")
    best, worst = (
        t(
            "{name} ({rate} of {n})",
            name=safe_text(labels.group_name(row["group_name"], terms)),
            rate=value_text(row["cumulative_rate"], "share"),
            n=f"{row['deals']:,}",
        )
        for row in (ordered.iloc[0], ordered.iloc[-1])
    )
    text = t("Won so far, of all deals of a group: from {worst} to {best}.", best=best, worst=worst)
    if terms.by in PERIODS:
        return text + t(" ") + t("Deals of recent periods have had less time: compare periods on Conversion and time.")
    return text + t(" ") + t("Which differ beyond chance: see Who and what wins.")


def groups_note(groups: pd.DataFrame, terms: FunnelTerms) -> str:
    """Return which steps do not know these groups, and which have no rate by them. groups: the table funnel_groups."""
    before = groups[groups["step"].isin((CALLS, LEADS, QUALIFIED))]
    known = before.groupby("step", sort=False)[["count", "next_step_rate"]].count()
    without = [t(labels.STEPS[str(step)]) for step in known.index[known["count"] == 0]]
    texts = []
    if without:
        texts.append(t("A dash: not known {by} are {steps}.", by=t(labels.BYS[terms.by]), steps=t(", ").join(without)))
    if terms.by == "market" and LEADS in known.index and known.loc[LEADS, "count"] and not known.loc[LEADS, "next_step_rate"]:
        texts.append(
            t("A lead has the segment of its customer, and most have a customer once they have become one: counted, without a rate.")
        )
    return t(" ").join(texts)


def won_finding(won: pd.DataFrame, terms: FunnelTerms, *, currency: str) -> str:
    """Return the latest whole period beside the one before. won: the table of this name."""
    whole = won[~won["is_unfinished"] & ~won["is_partial"] & won["closed_in"].notna()]
    if not len(whole):
        return t("No period of closing is over yet.")
    last, name = whole.iloc[-1], [labels.period_name(day, terms.by) for day in whole["closed_in"]]
    values = {"value": value_text(last["won_value"], "money", currency), "n": f"{last['won']:,}", "name": name[-1]}
    if len(whole) == 1:
        return t("Won in {name}: {value} (deals: {n}).", **values)
    before = whole.iloc[-2]
    return t(
        "Won in {name}, the latest whole period: {value} (deals: {n}); in {name_before}: {value_before} ({n_before}).",
        **values,
        value_before=value_text(before["won_value"], "money", currency),
        n_before=f"{before['won']:,}",
        name_before=name[-2],
    )


# ── what is shown in tables, and what was clicked ───────────────────────────────────────────────────────────────────────


def in_words(table: str, rows: pd.DataFrame, terms: FunnelTerms) -> pd.DataFrame:
    """Return rows of funnel, detail, groups, moves, detours, by, won, deals, leads or calls as the page's table shows them: named, and
    without rates of few deals.
    """
    if table == "groups":
        hidden = ["next_step_rate", "cumulative_rate", "cumulative_low", "cumulative_high"]
        named = [labels.group_name(name, terms) for name in rows["group_name"]]
        rows = rows.assign(group_name=named, **{rate: rows[rate].mask(rows["is_small"]) for rate in hidden})
    if table in ("funnel", "detail", "groups"):
        return rows.assign(name=[labels.step_name(*each) for each in zip(rows["step"], rows["name"], strict=True)])
    if table == "moves":
        return rows.assign(kind=rows["kind"].map(translated(labels.KINDS)))
    if table in ("leads", "calls"):
        return rows
    if table in ("detours", "deals"):
        return rows.assign(outcome=rows["outcome"].map(translated(labels.OUTCOMES)))
    if table == "by":
        rates = ("win_rate_of_closed", "closed_low", "closed_high")
        shown = {rate: rows[rate].mask(rows["is_small"]) for rate in rates}
        names = [labels.group_name(name, terms) for name in rows["name"]]
        return rows.assign(**shown, name=names, verdict=[_verdict(row) for row in rows.itertuples()])
    names = [labels.period_name(day, terms.by) for day in rows["closed_in"]]
    return rows.assign(name=names, state=[_state(row) for row in rows.itertuples()])


def _verdict(row: Any) -> str:
    if is_unknown(row.p_value):
        return t("too few to test")
    return t("beyond chance") if row.is_different else t("may be chance")


def _state(row: Any) -> str:
    return t("not over") if row.is_unfinished else t("part of the period only") if row.is_partial else ""


def chosen_step(rows: pd.DataFrame, picked: Sequence[str], chosen: Sequence[int]) -> FunnelStep | None:
    """Return the step that was clicked in the figure, else in the table; None if none was. rows: the table funnel."""
    if picked:
        step, _, side = str(picked[0]).partition(" ")
        return FunnelStep.of_texts(step=step, side=side or "reached")
    return FunnelStep(str(rows["step"].iloc[chosen[0]])) if chosen else None


def chosen_cell(rows: pd.DataFrame, picked: Sequence[str], chosen: Sequence[int]) -> FunnelStep | None:
    """Return the step and group that were clicked in the map, else in the table; None if none was. rows: the table funnel_groups."""
    if picked:
        step, _, group = str(picked[0]).partition(" ")
        return FunnelStep(step, group=group)
    return FunnelStep(str(rows["step"].iloc[chosen[0]]), group=str(rows["group"].iloc[chosen[0]])) if chosen else None


def step_text(step: FunnelStep, rows: pd.DataFrame, terms: FunnelTerms) -> str:
    """Return the heading over the deals or leads behind a step. rows: the table funnel, or funnel_groups where a group is chosen."""
    named = rows.drop_duplicates("step").set_index("step")["name"]
    name = labels.step_name(step.step, str(named.get(step.step, step.step)))
    if step.group:
        name = f"{labels.group_name(rows.loc[rows['group'] == step.group, 'group_name'].iloc[0], terms)} · {name}"
    name = safe_text(name)
    texts = {"reached": noop("Behind the step: {name}"), "lost": noop("Lost in: {name}"), "open": noop("Still in: {name}")}
    return t(texts[step.side], name=name)


def chosen_group(rows: pd.DataFrame, picked: Sequence[str], chosen: Sequence[int]) -> str:
    """Return the group that was clicked in the figure, else in the table; "" if none was. rows: the table funnel_by."""
    return str(picked[0]) if picked else str(rows["group"].iloc[chosen[0]]) if chosen else ""


def group_text(rows: pd.DataFrame, group: str, terms: FunnelTerms) -> str:
    """Return the heading over the deals of a group. rows: the table funnel_by."""
    name = rows.loc[rows["group"] == group, "name"].iloc[0]
    return t("Deals: {name}", name=safe_text(labels.group_name(name, terms)))


def behind(step: FunnelStep) -> str:
    """Return whether calls, leads or deals stand behind a step: a key of labels.COLUMNS."""
    return {"calls": "calls", "leads": "leads", "qualified_leads": "leads"}.get(step.step, "deals")


_CAPTIONS = Captions(ALT_TEXTS, NOTES, {"funnel": METRICS, "by": (metrics.WIN_RATE_OF_CLOSED, metrics.WIN_RATE_OF_ALL)})
about = _CAPTIONS.about
