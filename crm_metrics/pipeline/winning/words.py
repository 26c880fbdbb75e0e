"""The findings of this part in words, made from its tables."""

from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import date_text, noop, t, translated
from crm_metrics.metric import Metric, is_unknown, value_text
from crm_metrics.pipeline.deals.metrics import WIN_RATE_OF_CLOSED, WON_CYCLE_DAYS, WON_VALUE
from crm_metrics.pipeline.winning.labels import FACTORS, kind_name, level_name
from crm_metrics.pipeline.winning.metrics import (
    COMPETITIVE_WON_VALUE,
    LOST_CYCLE_DAYS,
    MAIN_REASON_SHARE,
    MEDIAN_WON_VALUE,
    SCORECARD_COMPLETENESS,
    WIN_RATE_AGAINST_COMPETITORS,
)

QUESTIONS: dict[str, str] = {
    "differences": noop("Where deals are won"),
    "reasons": noop("Reasons for losing"),
    "competitors": noop("Competitors"),
    "model": noop("Who will be won?"),
    "factors": noop("What won deals share"),
    "moves": noop("Before a move"),
    "scorecard": noop("Assessment"),
}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "differences": noop(
        "One dot per product, market segment, region, …: the win rate of its closed deals with its interval; a dotted line for all deals."
    ),
    "reasons": noop("Bars: the share of lost deals by reason, with intervals."),
    "trend": noop("Stacked bars by quarter of closing: the shares of the reasons. A quarter that is not over is hatched."),
    "competitors": noop("One dot per competitor: the win rate against it with its interval; a dotted line for deals without a competitor."),
    "model": noop("Points with intervals: the share of deals that were won, by the chance that was predicted; a dotted diagonal."),
    "factors": noop("One dot per thing known early: its odds ratio of winning with its interval; a dotted line at 1."),
    "moves": noop("One dot per kind of activity: how many times as often deals move on soon after one, with its interval."),
    "scorecard": noop("Points with intervals by quarter of creation: the share of deals with a complete assessment."),
}
NOTES: dict[str, str] = {  # by the name of the figure
    "differences": noop(
        "Won divided by won and lost, of the deals created in the period, with 95% intervals (Wilson 1927), against all other deals "
        "of which the same is recorded. Shown are the twelve that chance explains least; the table holds all of 30 deals or more. "
        "Coloured: beyond chance (chi-square); of those coloured 5% are so by chance on average (Benjamini and Hochberg 1995). Not "
        "compared is what is recorded far more often of won deals than of lost ones, or the other way: that it is recorded tells how "
        "they ended. Thirds are of the value today. Each stands by itself: what goes with it is in its rate, so it is no effect."
    ),
    "reasons": noop(
        "Deals created in the period that are lost by today. Shares are of those with a reason recorded; the others are a row of the table."
        " Bars with 95% intervals (Wilson 1927). The reason is what the seller wrote down, not what the customer thought."
    ),
    "trend": noop("By the day on which the deal was lost, of the deals created in the period. Hatched: the quarter is not over."),
    "competitors": noop(
        "Won divided by won and lost, of the deals created in the period that name the competitor, with 95% intervals (Wilson 1927)."
        " Coloured: differs from deals without a known competitor beyond chance (chi-square, Holm over the competitors). Faded: fewer than"
        " 30 closed deals. Only a competitor that was written down is known; if that happens more often after a loss, the rate looks worse"
        " than it is."
    ),
    "model": noop(
        "Logistic regression with a Gaussian prior whose strength is chosen by five-fold cross-validation. It knows what was recorded"
        " 14, 30, 60 and 90 days after creation of the deals still open then, and nothing later: source, market segment, category,"
        " region, owner, stage, value on that day, activities by then, and whether the account had bought before. Competitor and"
        " assessment are left out: when they were written down is not known. It learned from deals created and closed earlier and is"
        " checked on deals created later, whatever the period up to today: on a random 4,000 and 10,000 where there are more. Only deals"
        " old enough are used, so that quick losses do not weigh too much. Brier score: mean squared error of the chance, against always"
        " saying the usual rate of deals of that age (Brier 1950). Each point is a tenth of the checked cases, with the 95% interval"
        " (Wilson 1927)."
    ),
    "factors": noop(
        "Known on the 14th day of deals that were still open then, old enough and closed by now, whatever the period. Odds ratio: the"
        " odds of winning of these deals, divided by those of all others (Woolf 1955). Coloured: beyond chance over all rows of the"
        " table (Holm 1979). Each stands by itself: what goes with it is in its ratio, so it is no effect. Thirds are of the value and"
        " of the activities recorded by then."
    ),
    "moves": noop(
        "Moves to a later stage or a win on the 14 days after an activity for the deal, per deal-day, divided by the same on all other"
        " days of the same stage that lie as far from its beginning: a deal just entered neither moves nor has been visited. An activity on"
        " the very day of a move does not count for it. Mantel and Haenszel's ratio with the interval of Greenland and Robins (1985);"
        " coloured: beyond chance (Holm over the kinds). It is an association: a deal that goes well gets more visits, too."
    ),
    "scorecard": noop(
        "Deals created in the quarter whose assessment is complete today, divided by those of which it is recorded, with 95% intervals"
        " (Wilson 1927). Hollow: the quarter is not over. Faded: fewer than 30 deals. Win rates are compared among deals created in the"
        " same quarter (Mantel and Haenszel 1959), for both they and the assessments change over the years."
    ),
}
_CAPTIONS = Captions(
    ALT_TEXTS,
    NOTES,
    {
        "competitors": (WIN_RATE_OF_CLOSED, WIN_RATE_AGAINST_COMPETITORS, COMPETITIVE_WON_VALUE),
        "scorecard": (SCORECARD_COMPLETENESS,),
    },
)
about = _CAPTIONS.about
_NAMED = 3  # in a sentence
_MOST_TILES = 6
_TILES = (  # the first of which something is recorded
    *(WIN_RATE_OF_CLOSED, MAIN_REASON_SHARE, WIN_RATE_AGAINST_COMPETITORS, COMPETITIVE_WON_VALUE, SCORECARD_COMPLETENESS),
    *(WON_CYCLE_DAYS, LOST_CYCLE_DAYS, WON_VALUE, MEDIAN_WON_VALUE),
)


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the metrics of which something is recorded, at most _MOST_TILES. tiles: the table win_tiles."""
    known = set(tiles.loc[tiles["n"] > 0, "metric"]) | {WIN_RATE_OF_CLOSED.name}
    return tuple(metric for metric in _TILES if metric.name in known)[:_MOST_TILES]


def tile_notes(reasons: pd.DataFrame) -> dict[str, str]:
    """Return what stands under the tiles: which reason is the main one. reasons: the table lost_reasons."""
    named = reasons.loc[reasons["reason"] != "", "reason"]
    return {MAIN_REASON_SHARE.name: str(named.iloc[0])} if len(named) else {}


def questions(tiles: pd.DataFrame, basis: pd.DataFrame) -> dict[str, str]:
    """Return the questions that these data can answer. tiles: the table win_tiles; basis: deal_basis."""
    missing = _missing(tiles, basis)
    return {name: label for name, label in translated(QUESTIONS).items() if name not in missing}


def missing_note(tiles: pd.DataFrame, basis: pd.DataFrame) -> str:
    """Return what is not recorded of the deals, and so not asked, and what would add it. tiles: the table win_tiles; basis: deal_basis."""
    missing, labels = _missing(tiles, basis), translated(QUESTIONS)
    if not missing:
        return ""
    text = t("Not recorded of these deals, or not known of that day: {names}.", names=t(", ").join(labels[name] for name in missing))
    if "moves" not in missing:
        return text
    return (
        text
        + t(" ")
        + t(
            "None of these deals has a history of stages: it would add in which stage deals are lost, after which activities they move on,"
            " and the chance of each open deal by the stage it has reached."
        )
    )


def _missing(tiles: pd.DataFrame, basis: pd.DataFrame) -> list[str]:
    known = set(tiles.loc[tiles["n"] > 0, "metric"])
    if WIN_RATE_OF_CLOSED.name not in known:  # no deal is closed: that is another matter
        return []
    needed = {"reasons": MAIN_REASON_SHARE, "competitors": WIN_RATE_AGAINST_COMPETITORS, "scorecard": SCORECARD_COMPLETENESS}
    missing = [name for name, metric in needed.items() if metric.name not in known]
    return missing if basis["held_with_history"].iloc[0] else [*missing, "moves"]


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(tiles: pd.DataFrame, reasons: pd.DataFrame, currency: str) -> str:
    """Return the page's finding. tiles: the table win_tiles; reasons: lost_reasons."""
    rows: dict[str, Any] = {str(row.metric): row for row in tiles.itertuples()}
    rate = rows[WIN_RATE_OF_CLOSED.name]
    if not rate.n:
        return t("No deal that was created in these days is won or lost yet.")
    if rate.n < FEW_CUSTOMERS:
        return t("Closed deals: {n}, too few for a rate; won: {won}.", n=f"{rate.n:,}", won=f"{round(rate.value * rate.n):,}")
    text = t("{rate} of {n} closed deals are won.", rate=value_text(rate.value, "share"), n=f"{rate.n:,}")
    named = reasons[reasons["reason"] != ""]
    if len(named) and named["of"].iloc[0] >= FEW_CUSTOMERS:
        first: Any = named.iloc[0]
        values = {"reason": safe_text(first.reason), "share": value_text(first.share, "share"), "of": f"{first['of']:,}"}
        text += t(" ") + t("Of {of} lost deals with a recorded reason, {share} were lost for: {reason}.", **values)
        if not is_unknown(first.lost_value):
            text += t(" ") + t("They were worth {value}.", value=value_text(first.lost_value, "money", currency))
    won, lost = rows[WON_CYCLE_DAYS.name], rows[LOST_CYCLE_DAYS.name]
    if min(won.n, lost.n) >= FEW_CUSTOMERS:
        text += t(" ") + t("Winning took {won} days (median), losing {lost}.", won=f"{won.value:.0f}", lost=f"{lost.value:.0f}")
    return text


def differences_note(differences: pd.DataFrame) -> str:
    """Return what was not compared and why, and what an association is not. differences: the table win_differences."""
    unequal = [str(name) for name, rows in differences.groupby("factor", sort=False) if (rows["level"] == "").all()]
    names = t(", ").join(t(FACTORS[name]) for name in unequal)
    left_out = t("Not compared, for it is recorded far more often of won deals than of lost ones, or the other way: {names}.", names=names)
    return t(" ").join([*([left_out] if unequal else []), caution(differences)])


def differences_finding(differences: pd.DataFrame) -> str:
    """Return which deals are won more or less often than all others. differences: the table win_differences."""
    tested = differences[differences["p_value"].notna()].sort_values("p_value", kind="stable")
    if not len(tested):
        return t("Too few closed deals to compare, or nothing that tells them apart is recorded.")
    found = tested[tested["is_different"].astype(bool)]
    first = (found if len(found) else tested.head(1)).head(_NAMED)
    values = {"k": len(found), "n": len(tested), "names": _against_others(first)}
    if len(found):
        return t("{k} of {n} groups of deals are won more or less often than all others beyond chance: {names}.", **values)
    return t(
        "No product, region or other group of deals is won more or less often than all others beyond chance ({n} were compared). Nearest to"
        " it: {names}.",
        **values,
    )


def _against_others(groups: pd.DataFrame) -> str:
    """Return how often groups of deals are won and how often all others. groups: factor, level, win_rate, others_rate."""
    said = groups[["factor", "level", "win_rate", "others_rate"]].itertuples(index=False, name=None)
    texts = [
        t(
            "{factor} {level}: {rate} against {others} of all others",
            factor=t(FACTORS[factor]),
            level=safe_text(level_name(factor, level)),
            rate=value_text(rate, "share"),
            others=value_text(others, "share"),
        )
        for factor, level, rate, others in said
    ]
    return t("; ").join(texts)


def names_reasons(reasons: pd.DataFrame) -> bool:
    """Return whether a reason is recorded of some lost deal. reasons: the table lost_reasons."""
    return bool((reasons["reason"] != "").any())


def reasons_note(reasons: pd.DataFrame) -> str:
    """Return what the reader should know of the reasons. reasons: the table lost_reasons."""
    if not len(reasons):
        return t("No deal that was created in these days is lost.")
    if not names_reasons(reasons):
        return t("No reason for losing is recorded in these data.")
    without = int(reasons.loc[reasons["reason"] == "", "deals"].sum())
    texts = [t("Lost deals without a recorded reason: {n}.", n=f"{without:,}")] if without else []
    unvalued = int(reasons["unvalued"].sum())
    texts += [t("Lost deals of unknown value, which are in no sum: {n}.", n=f"{unvalued:,}")] if unvalued else []
    return t(" ").join(texts)


def competitor_finding(competitors: pd.DataFrame) -> str:
    """Return which competitors deals are won against less or more often. competitors: the table of this name."""
    named = competitors[competitors["competitor"] != ""]
    if not len(named):
        return t("No competitor is recorded of the deals created in these days.")
    without: Any = competitors[competitors["competitor"] == ""]
    differing = named[named["is_different"].astype(bool)]
    if named["p_value"].isna().all():
        return t("Too few closed deals to compare win rates against competitors.")
    if not len(differing):
        return t("Against no competitor does the win rate differ beyond chance from that without one.")
    pairs = differing[["competitor", "win_rate"]].head(_NAMED).itertuples(index=False, name=None)
    texts = [t("{name} {rate}", name=safe_text(name), rate=value_text(rate, "share")) for name, rate in pairs]
    return t(
        "Without a known competitor {rate} of {n} closed deals are won; beyond chance the win rate differs against: {names}.",
        rate=value_text(without["win_rate"].iloc[0], "share"),
        n=f"{int(without['closed'].iloc[0]):,}",
        names=t(", ").join(texts),
    )


def model_finding(found: pd.DataFrame) -> str:
    """Return whether the model is better than the usual rate. found: the table win_model."""
    row: Any = found.iloc[0]
    if is_unknown(row.brier):
        return t(
            "Too few deals are old enough to learn from and to check on: it takes 50 won and 50 lost earlier, and 100 later ones. Here"
            " {n} closed deals were still open after 14 days.",
            n=f"{row.closed_deals:,}",
        )
    values = {
        "brier": f"{row.brier:.4f}",
        "base": f"{row.base_brier:.4f}",
        "skill": value_text(row.skill, "share"),
        "low": value_text(row.low, "share"),
        "high": value_text(row.high, "share"),
        "n": f"{int(row.tested_deals):,}",
    }
    if row.is_better:
        return t(
            "On {n} later deals the model errs {skill} less than the usual rate (95%: {low} to {high}); Brier score {brier} against"
            " {base}.",
            **values,
        )
    return t(
        "What is known early does not tell who will be won: on {n} later deals the model is not better than the usual rate beyond chance"
        " (Brier score {brier} against {base}; skill {skill}, 95%: {low} to {high}, 0%: as the usual rate). So no open deal is scored.",
        **values,
    )


def model_note(found: pd.DataFrame) -> str:
    """Return what the model learned from. found: the table win_model."""
    row: Any = found.iloc[0]
    if is_unknown(row.brier):
        return ""
    return t(
        "Learned from {n} deals ({won} won) that were closed by {day}; a deal is old enough after {days} days, when 95% of those that ever"
        " close are closed. Area under the curve {auc} (0.50: no better than a coin).",
        n=f"{int(row.learned_deals):,}",
        won=f"{int(row.learned_won):,}",
        day=date_text(row.split_on),
        days=f"{row.days_to_close:.0f}",
        auc=f"{row.auc:.2f}",
    )


def scores_note(scores: pd.DataFrame) -> str:
    """Return what the scored deals are worth together. scores: the table open_scores."""
    known = scores["expected_value"].notna()
    return t("{n} open deals are scored; {k} of them have no value and are in no expected value.", n=len(scores), k=int((~known).sum()))


def factors_finding(factors: pd.DataFrame) -> str:
    """Return what goes with winning. factors: the table of this name."""
    if not len(factors):
        return t("Too few deals are old enough to compare what was known of them early.")
    found = factors[factors["is_different"].astype(bool)].sort_values("odds_ratio", ascending=False)
    if not len(found):
        return t("None of {n} things known early goes with winning or losing beyond chance.", n=len(factors))
    return t(
        "Tied to winning or losing beyond chance ({k} of {n} things known early): {names}.",
        k=len(found),
        n=len(factors),
        names=_against_others(found.head(_NAMED)),
    )


def moves_finding(moves: pd.DataFrame) -> str:
    """Return after which activities deals move on more often. moves: the table activities_before_moves."""
    rows = moves[(moves["stage"] == "") & moves["rate_ratio"].notna()]
    if not len(rows):
        return t(
            "There is no history of stages with activities for the deals, or too few of both. Bring in the changes of deals and the"
            " activities to see which come before a move."
        )
    found = rows[rows["is_different"].astype(bool)].sort_values("rate_ratio", ascending=False)
    if not len(found):
        return t("After no kind of activity do deals move on more or less often beyond chance.")
    ratios = found[["activity_kind", "rate_ratio", "low", "high"]].itertuples(index=False, name=None)
    texts = [
        t("{kind} {ratio} times (95%: {low} to {high})", kind=kind_name(kind), ratio=f"{ratio:.2f}", low=f"{low:.2f}", high=f"{high:.2f}")
        for kind, ratio, low, high in ratios
    ]
    return t("How often deals move on in the 14 days after, against other days: {names}.", names=t(", ").join(texts))


def caution(_rows: pd.DataFrame) -> str:
    """Return what an association is not."""
    return t("This goes together; it need not be the cause.")


def scorecard_finding(scorecard: pd.DataFrame) -> str:
    """Return how many deals are assessed and how these do. scorecard: the table of this name."""
    if not len(scorecard):
        return t("Whether deals were assessed is not recorded, or not known of a past day.")
    row: Any = scorecard.iloc[0]
    text = t(
        "{share} of {n} deals have a complete assessment.",
        share=value_text(row.share_of_deals if row.is_complete else 0.0, "share"),
        n=f"{int(scorecard['deals'].sum()):,}",
    )
    if "difference" not in scorecard or is_unknown(row.p_value):
        return text
    values = {
        "points": f"{row.difference * 100:+.1f}",
        "low": f"{row.difference_low * 100:+.1f}",
        "high": f"{row.difference_high * 100:+.1f}",
    }
    if row.is_different:
        return (
            text
            + t(" ")
            + t(
                "Their win rate differs from that of others created in the same quarter by {points} points (95%: {low} to {high}).",
                **values,
            )
        )
    return (
        text
        + t(" ")
        + t(
            "Their win rate is within chance of that of others created in the same quarter: {points} points (95%: {low} to {high}).",
            **values,
        )
    )
