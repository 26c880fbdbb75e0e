"""The findings of this part in words, and what goes with its figures."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.language import date_text, noop, t, translated
from crm_metrics.metric import Metric, is_unknown, value_text
from crm_metrics.pipeline.deals.words import pipelines_note
from crm_metrics.pipeline.forecast import metrics
from crm_metrics.pipeline.forecast.labels import quarter_name
from crm_metrics.pipeline.forecast.simulation import FEWEST_CLOSED
from crm_metrics.pipeline.forecast.terms import QUARTERS, ForecastTerms

QUESTIONS: dict[str, str] = {
    "forecast": noop("Forecast"),
    "seller": noop("By seller"),
    "past": noop("Were we right?"),
    "stages": noop("Chances by stage"),
}
SIDES: dict[str, str] = {"seller": noop("Sellers"), "team": noop("Teams")}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "forecast": noop("Bars: what share of the simulated quarters brings how much; the 80% band in colour, lines for quota and forecast."),
    "seller": noop("Bars: what each has won so far and what open deals are expected to add; a tick for the quota."),
    "past": noop("Bands of the forecasts of past quarters, made on three days of each, and a line for what came."),
    "stages": noop("Points with intervals: the share of deals entering a stage that are won in the end; diamonds for what is assumed."),
}
NOTES: dict[str, str] = {  # by the name of the figure
    "forecast": noop(
        "Each open deal is won in what is left of the quarter with the chance of deals that stood as long in its stage: how fast deals"
        " moved on from each stage, by the days they had been in it, over the last 365 days (over all, where fewer than 100 deals were"
        " closed in them); deals still open count as long as they were seen (a semi-Markov chain, Howard 1971). Lost deals may be"
        " reopened. New deals come as in the last 91 days, with the growth of the last two years drawn towards none. Values of new,"
        " reopened and unvalued deals are those of deals won in the last 365 days, whose share without a value stays without. Months of the"
        " quarter in which more or fewer deals were won or lost than in others are told apart, as far as that is more than chance (Efron"
        " and Morris 1975). 2,000 quarters are drawn, over 20 draws of the rates."
        "\n\nOf what is still to come each quarter then takes more or less, as quarters differ beside chance: by the errors of past"
        " forecasts (random effects, DerSimonian and Laird 1986), begun with 15% that count as one quarter. In it, because they made those"
        " errors too: values that change before a win, and seasons. Not in it: anything that never happened before. On simulated companies"
        " and the demo 75% to 95% of such bands held what came: the more alike the quarters are, the more."
    ),
    "seller": noop(
        "Hatched: each open deal's value times its chance to be won by the end of the quarter; deals not created yet are not in it, so"
        " that the rows add up to less than the forecast. Coverage: open / (quota - won), a dash once the quota is met."
    ),
    "past": noop(
        "Each forecast was made again with the changes known by the end of its day alone: the first day of the quarter, 30 and 60 days"
        " later; where sellers or teams are chosen, of the deals that are theirs today. Drawn: the 80% band, with the spread"
        " between the quarters before it alone; its chance by a gamma distribution of the mean, variance and skewness of what is simulated"
        " (Bowers and others 1997). A day on which fewer than 100 deals were closed has no"
        " forecast. Error: (forecast - what came) / what came. Interval of the share inside: Wilson (1927), as if the three forecasts of"
        " a quarter did not err together, which they do."
    ),
    "stages": noop(
        "The share of deals that enter a stage and are won in the end, whatever way they go from there, deals still open counted as long"
        " as they were seen (Aalen and Johansen 1978). Each stage borrows two moves from all of them, so that a small one is not read as"
        " certain. Interval: 95% of 400 draws of the rates."
    ),
}
_DIAGNOSED = 6  # past forecasts of a kind, from which their share inside is read


def questions() -> dict[str, str]:
    """Return the questions of the page."""
    return translated(QUESTIONS)


def sides() -> dict[str, str]:
    """Return by whom the quota is looked at."""
    return translated(SIDES)


def quarters(today: date) -> dict[str, str]:
    """Return the quarters that can be forecast, by name."""
    return {quarter: quarter_name(ForecastTerms(quarter).window(today).start_on) for quarter in QUARTERS}


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(tiles: pd.DataFrame, rows: pd.DataFrame, basis: pd.DataFrame, *, currency: str) -> str:
    """Return the page's finding. tiles, rows, basis: the tables forecast_tiles, forecast and forecast_basis."""
    state = basis.iloc[0]
    if state["closed"] < FEWEST_CLOSED:
        return t(
            "Deals closed so far: {n}, too few for a forecast, which takes {least}.",
            n=f"{state['closed']:,.0f}",
            least=f"{FEWEST_CLOSED:,}",
        )
    total = rows.iloc[0]
    values = {name: _money(total[name], currency) for name in ("value", "low", "high")}
    values |= {"quarter": quarter_name(state["start_on"]), "quota": _money(state["quota"], currency)}
    text = t("{quarter} will close at about {value} (80%: {low} to {high})", **values)
    chance = _value(tiles, metrics.CHANCE_OF_QUOTA)
    if not is_unknown(chance):
        return text + t("; the quota of {quota} is reached with a chance of {chance}.", chance=value_text(chance, "share"), **values)
    last = value_text(state["last_value"], "money", currency)
    return text + (t(".") if is_unknown(state["last_value"]) else t("; the last full quarter brought {last}.", last=last))


def _money(value: float, currency: str) -> str:
    return value_text(value, "money", currency)


def _value(tiles: pd.DataFrame, metric: Metric) -> float:
    return float(tiles.loc[tiles["metric"] == metric.name, "value"].iloc[0])


def tile_notes(basis: pd.DataFrame) -> dict[str, str]:
    """Return the small line of a tile, by metric. basis: the table forecast_basis."""
    state = basis.iloc[0]
    notes = {
        metrics.WON_SO_FAR.name: t("Deals: {n}", n=f"{state['won_deals']:,.0f}"),
        metrics.WEIGHTED_PIPELINE.name: t("Open deals: {n}", n=f"{state['open_deals']:,.0f}"),
    }
    if not is_unknown(state["needed"]):
        notes[metrics.COVERAGE.name] = t("needed by own win rate: {needed}", needed=value_text(state["needed"], "ratio"))
    return notes


def basis_note(basis: pd.DataFrame) -> str:
    """Return what limits the forecast. basis: the table forecast_basis."""
    state, texts = basis.iloc[0], []
    if state["closed"] < FEWEST_CLOSED:
        return ""
    texts.append(t("Known by {day}.", day=date_text(state["today"])))
    if not state["told"]:
        texts.append(
            t(
                "Rough: these data hold no history of stages, so that only the age of a deal says how likely it is to be won. With each"
                " change of stage, value and owner, a forecast would know how far a deal has got."
            )
        )
    if state["unvalued"]:
        texts.append(t("Open deals without a value: {n}; they are given values of deals won lately.", n=f"{state['unvalued']:,.0f}"))
    if state["undated"]:
        texts.append(
            t("Open deals without a day of creation: {n}; they count as deals that are not created yet.", n=f"{state['undated']:,.0f}")
        )
    if not state["is_quota_apt"]:
        texts.append(t("Quotas are a seller's, not for some of the deals alone: choose by owner, team or region to see them."))
    elif is_unknown(state["quota"]):
        texts.append(t("No quota is known for {quarter}.", quarter=quarter_name(state["start_on"])))
    elif state["won"] >= state["quota"]:
        texts.append(t("The quota is met, so that there is no coverage."))
    texts.append(_past_note(state))
    return t(" ").join(text for text in texts if text)


def _past_note(state: Any) -> str:
    share = value_text(state["spread"], "share")
    if not state["past"]:
        return t("No past quarter can be checked: the band takes quarters to differ by {share} of what is still to come.", share=share)
    return t(
        "Beside chance, quarters differ by {share} of what is still to come, as far as past forecasts show (n = {n}): the band is as much"
        " wider.",
        share=share,
        n=f"{state['past']:,.0f}",
    )


def seller_finding(sums: pd.DataFrame, names: list[str]) -> str:
    """Return who has a quota, and how many will reach it. sums: the table forecast_by_seller or forecast_by_team; names: of its rows."""
    known = sums["quota"] > 0
    if not has_values(sums):
        return t("No quota is known for them, nothing is won in the quarter yet, and no open deal has a known value.")
    if not known.any():
        return t("No quota is known for them; shown is what each has won and what open deals are expected to add.")
    if not sums["expected"].notna().any():
        return t("What open deals will add is not known; shown is what each has won, and the quota.")
    share = (sums["expected"] / sums["quota"].where(known)).fillna(0)
    reach = int((share[known] >= 1).sum())
    text = t("{k} of {n} are expected to reach their quota with the deals they have.", k=f"{reach:,}", n=f"{int(known.sum()):,}")
    last = int(share.where(known, np.inf).to_numpy().argmin())
    low = t("Farthest from it: {name} ({share}).", name=safe_text(names[last]), share=value_text(share.iloc[last], "share"))
    return text if reach == known.sum() else text + t(" ") + low


def has_values(sums: pd.DataFrame) -> bool:
    """Return whether anything is known that can be drawn. sums: the table forecast_by_seller or forecast_by_team."""
    return bool(sums[["quota", "won", "expected"]].fillna(0).to_numpy(dtype=float).any())


def past_finding(past: pd.DataFrame, scores: pd.DataFrame) -> str:
    """Return how right past forecasts were. past, scores: the tables backtest and scores."""
    if past.empty:
        return t("No quarter is over yet on whose days 100 deals were closed: there is no past forecast to look back on.")
    own = scores[scores["method"] == "forecast"]
    first, n = own.iloc[0], len(past)
    inside = int(past["is_inside"].sum())
    text = t("{inside} of {n} past forecasts held what came inside their 80% band", inside=f"{inside:,}", n=f"{n:,}")
    if is_unknown(first["mape"]):
        return text + t(".")
    rival = scores[(scores["method"] == "last_quarter") & (scores["days_in"] == first["days_in"])].iloc[0]
    values = {"error": value_text(first["mape"], "share"), "rival": value_text(rival["mape"], "share")}
    text += t("; made on the first day of a quarter they missed by {error}, the last full quarter by {rival}.", **values)
    return text if n >= _DIAGNOSED else text + t(" ") + t("These are few.")


def stages_finding(stages: pd.DataFrame, names: list[str]) -> str:
    """Return where the assumed chances are farthest from what happened. stages: the table stage_probabilities; names: of its rows."""
    if stages.empty:
        return t("Too few deals are closed to say how likely a win is.")
    off = (stages["assumed"] - stages["probability"]).abs()
    if not off.notna().any():
        return t("No chances are assumed in these data; shown are those of own history.")
    worst = int(off.fillna(-1).to_numpy().argmax())
    row: Any = stages.iloc[worst]
    values = {
        "stage": safe_text(names[worst]),
        "own": value_text(row["probability"], "share"),
        "assumed": value_text(row["assumed"], "share"),
    }
    if row["low"] <= row["assumed"] <= row["high"]:
        return t("The assumed chances agree with what happened; most apart in {stage}: {assumed} assumed, {own} won.", **values)
    return t("Of deals that enter {stage}, {own} are won in the end; {assumed} are assumed.", **values)


def stages_note(pipelines: pd.DataFrame) -> str:
    """Return which stages are shown where there are several pipelines. pipelines: the table deal_pipelines."""
    return pipelines_note(pipelines)


def log_note(log: pd.DataFrame) -> str:
    """Return what the kept forecasts say. log: the table forecast_log."""
    if log.empty:
        return t("No forecast of these deals is kept yet.")
    over = log[log["actual"].notna()]
    if over.empty:
        return t("Forecasts kept: {n}; none of their quarters is over yet.", n=f"{len(log):,}")
    values = {"n": f"{len(log):,}", "over": f"{len(over):,}", "inside": f"{int(over['is_inside'].sum()):,}"}
    return t("Forecasts kept: {n}; of {over} whose quarter is over, {inside} held what came.", **values)


_CAPTIONS = Captions(
    ALT_TEXTS, NOTES, {"forecast": (metrics.QUARTER_FORECAST, metrics.CHANCE_OF_QUOTA), "seller": (metrics.QUOTA, metrics.COVERAGE)}
)
about = _CAPTIONS.about
