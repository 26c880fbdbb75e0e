"""The findings of the room in words, made from its tables, and the reader's cut points read from text."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple, TypedDict

import pandas as pd

from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import date_text, month_text, noop, t, translated
from crm_metrics.metric import DASH, BadInput, is_unknown, value_text
from crm_metrics.segmentation.labels import CUT_LABELS, remark
from crm_metrics.segmentation.metrics import (
    AT_RISK_REVENUE,
    BEST_CUSTOMERS_SHARE,
    LAPSE_LIMIT_DAYS,
    LAPSED_SHARE,
)
from crm_metrics.segmentation.moves import NOT_YET
from crm_metrics.segmentation.rfm import AT_RISK, BEST, MEASURES, SEGMENTS, Cuts, RfmTerms
from crm_metrics.segmentation.silence import GAPS_NEEDED, HORIZON_DAYS
from crm_metrics.segments.rule import Rule
from crm_metrics.segments.words import rule_sentence

_LABELS = {segment.name: segment.label for segment in SEGMENTS} | {NOT_YET: noop("Not yet a customer")}
MOSTLY = 0.5  # of those who are silent that long come back: then they can't be called lost
_BETWEEN = re.compile(r"[\s,;，；、]+")


# ── segments ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(segments: pd.DataFrame, basis: pd.DataFrame, *, currency: str) -> str:
    """Return the room's finding. segments, basis: the tables of these names."""
    rows = segments.set_index("segment")
    best, quiet, everybody = (rows.loc[list(names)].sum() for names in (BEST, AT_RISK, rows.index))
    if not everybody.customers:
        return t("No customer with a purchase up to {day} matches the filters.", day=date_text(basis.iloc[0].as_of))
    texts = [_best_text(best, everybody), _quiet_text(quiet, currency)]
    if everybody.customers < FEW_CUSTOMERS:
        texts.append(t("With so few customers the shares say little."))
    return _joined(texts)


def _quiet_text(quiet: Any, currency: str) -> str:
    if not quiet.customers:
        return t("Nobody who used to buy often has gone quiet.")
    money = value_text(quiet.net_revenue, "money", currency)
    return t("Gone quiet, though they used to buy often: {n}; they brought {money}.", n=_count(quiet.customers), money=money)


def _best_text(best: Any, everybody: Any) -> str:
    if not best.customers:
        return t("None of the {n} customers buys often enough to be a champion or a loyal customer.", n=_count(everybody.customers))
    values = {"n": _count(best.customers), "customers": value_text(best.customers / everybody.customers, "share")}
    if everybody.net_revenue <= 0:
        return t("Champions and loyal customers: {n} ({customers}).", **values)
    revenue = value_text(best.net_revenue / everybody.net_revenue, "share")
    return t("Champions and loyal customers ({n}, {customers}) bring {revenue} of net revenue.", revenue=revenue, **values)


def basis_note(basis: pd.DataFrame) -> str:
    """Return what the reader of the table of segments should know, and why columns are missing. basis: the table of this name."""
    state: Any = basis.iloc[0]
    if state.has_forecast:
        texts = [remark("table"), remark("forecast" if state.finds_leaving else "nobody_leaves")]
    else:
        texts = [remark("table"), t("No P(alive) and no expected value: these data don't carry a model; see Lifetime value.")]
    if not state.has_margin:
        texts.append(_costs_text(float(state.cost_coverage)))
    return _joined(texts)


def _costs_text(coverage: float) -> str:
    if not coverage > 0:  # unknown isn't, either
        return t("No gross margin: no costs are known.")
    return t("No gross margin: the costs of only {share} of net revenue are known.", share=value_text(coverage, "share"))


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the names of its segments (label, or from_label and to_label) and their advice in the reader's language."""
    labels = translated(_LABELS)
    named = {
        column: frame[source].map(labels)
        for source, column in (("segment", "label"), ("from_segment", "from_label"), ("to_segment", "to_label"))
        if source in frame
    }
    return frame.assign(**named)


def advised(segments: pd.DataFrame) -> pd.DataFrame:
    """Return the table of segments in words, with what to do about each."""
    return in_words(segments).assign(advice=segments["segment"].map({segment.name: t(segment.advice) for segment in SEGMENTS}))


def chosen(segments: pd.DataFrame, picked: Sequence[str], rows: Sequence[int]) -> tuple[str, ...]:
    """Return the segments chosen in the figure and in the table, best first, those without customers left out."""
    names = {*picked, *segments["segment"].iloc[list(rows)]} & set(segments.loc[segments["customers"] > 0, "segment"])
    return tuple(segment.name for segment in SEGMENTS if segment.name in names)


def chosen_text(names: Sequence[str]) -> str:
    """Return the heading over the customers of some segments."""
    return t("Customers: {segments}", segments=names_text(names))


def names_text(names: Sequence[str]) -> str:
    """Return the names of some segments as the reader knows them."""
    return t(", ").join(t(_LABELS[name]) for name in names)


def rule_note(rule: Rule) -> str:
    """Return what is saved of some segments."""
    return t("Saved with the cut points of today, of all orders whatever is chosen here: {rule}.", rule=rule_sentence(rule))


def of_segments(rfm: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the customers of some segments in words. rfm: the table of this name."""
    return in_words(rfm[rfm["segment"].isin(names)])


# ── cut points ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class CutInput(NamedTuple):
    """One box for cut points: measure, label, and the numbers that hold while it is empty."""

    measure: str
    label: str
    shown: str


def cut_inputs(cuts: Cuts) -> list[CutInput]:
    """Return the boxes for cut points. cuts: those from the data."""
    return [CutInput(measure, t(CUT_LABELS[measure]), _cuts_text(getattr(cuts, measure))) for measure in MEASURES]


def _cuts_text(cuts: Sequence[float]) -> str:
    """Return cut points as a reader would write them.

    >>> _cuts_text((1.0, 2.0, 3.5, 10.25))
    '1 2 3.5 10.25'
    """
    return DASH if any(is_unknown(cut) for cut in cuts) else " ".join(f"{cut:.10g}" for cut in cuts)


def terms_of(texts: Sequence[str], months: Sequence[str]) -> RfmTerms:
    """Return what the reader chose. texts: cut points of each of MEASURES as written, empty from the data; months: left out, YYYY-MM.

    Raises BadInput if a text is not four rising numbers.
    """
    days, orders, revenue = (_cuts_of(text) for text in texts)
    return RfmTerms(days, orders, revenue, tuple(sorted(date.fromisoformat(f"{month}-01") for month in months)))


def _cuts_of(text: str) -> tuple[float, ...]:
    """Return the numbers of a text.

    >>> _cuts_of("7, 30;90  200")
    (7.0, 30.0, 90.0, 200.0)
    """
    try:
        return tuple(float(word) for word in _BETWEEN.split(text) if word)
    except ValueError:
        raise BadInput(
            "The cut points “{given}” are not numbers. Write four rising numbers with spaces between them, such as 7 30 90 200.", given=text
        ) from None


def terms_note(terms: RfmTerms) -> str:
    """Return where the cut points come from, which orders count, and which months are left out."""
    own = [t(CUT_LABELS[measure]) for measure in MEASURES if getattr(terms, measure)]
    texts = [t("Cut points set by hand: {measures}.", measures=t(", ").join(own)) if own else t("Cut points: fifths of the customers.")]
    texts.append(remark("all_orders"))
    if terms.months_left_out:
        texts.append(t("Left out: {months}.", months=t(", ").join(map(month_text, terms.months_left_out))))
    return _joined(texts)


def month_names(months: Sequence[date]) -> list[str]:
    """Return the months of the data, latest first, as they stand in the address in any language: YYYY-MM."""
    return [f"{month:%Y-%m}" for month in sorted(months, reverse=True)]


# ── movement ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Days(TypedDict):
    """The two days of a movement as the reader writes them."""

    before: str
    after: str


def days(totals: pd.DataFrame) -> Days:
    """Return the days between which customers moved. totals: the table movement_totals."""
    state: Any = totals.iloc[0]
    return {"before": date_text(state.from_on), "after": date_text(state.as_of)}


def has_moves(totals: pd.DataFrame) -> bool:
    """Return whether there was a customer on the earlier day. totals: the table movement_totals."""
    return bool(totals.iloc[0].customers_before)


def movement_finding(movement: pd.DataFrame, totals: pd.DataFrame) -> str:
    """Return who moved between the two days. movement, totals: the tables movement and movement_totals."""
    state: Any = totals.iloc[0]
    between = days(totals)
    if not has_moves(totals):
        return t("Up to {before} there was no customer, so nobody can have moved by {after}. Choose a later day to begin with.", **between)
    moves = t(
        "From {before} to {after}, {up} of {n} customers moved up and {down} down; {new} came new.",
        n=_count(state.customers_before),
        up=_count(state.up),
        down=_count(state.down),
        new=_count(state.not_yet),
        **between,
    )
    champions = movement[movement["from_segment"] == BEST[0]]
    if champions.empty:
        return moves
    stayed, quiet = (champions.loc[champions["to_segment"].isin(names), "customers"].sum() for names in (BEST[:1], AT_RISK))
    held = t(
        "Champions before: {n}; still champions: {stayed}; gone quiet: {quiet}.",
        n=_count(champions["customers"].sum()),
        stayed=_count(stayed),
        quiet=_count(quiet),
    )
    return _joined([moves, held])


# ── the lapse limit ─────────────────────────────────────────────────────────────────────────────────────────────────────


def lapse_finding(lapse: pd.DataFrame) -> str:
    """Return after how many days of silence a customer is lost, or why that can't be told. lapse: the table of this name."""
    state: Any = lapse.iloc[0]
    if is_unknown(state.recommended_days):
        return t(
            "No limit: too few returns in the last two years to recommend one ({n}); {needed} are needed.",
            n=_count(state.gaps),
            needed=GAPS_NEEDED,
        )
    texts = [
        t(
            "Of the returns that come within {horizon}, nine of ten come within {days}{interval}: call a customer lapsed who is silent "
            "for longer, now {n} ({share}).",
            horizon=_days(state.horizon_days),
            days=_days(state.recommended_days),
            interval=_interval(state),
            n=_count(state.customers_silent_longer),
            share=value_text(state.share_silent_longer, "share"),
        )
    ]
    if not is_unknown(state.return_chance):
        chance = value_text(state.return_chance, "share")
        if state.return_chance > MOSTLY:
            texts.append(t("But of those who reach that limit {chance} come back within a year: they are late, not lost.", chance=chance))
        else:
            texts.append(t("Of those who reach that limit {chance} come back within a year.", chance=chance))
    if state.horizon_days < HORIZON_DAYS:
        texts.append(
            t(
                "These data follow nobody's silence for longer than {days}; later returns are not counted, and with longer data the limit "
                "would be longer.",
                days=_days(state.horizon_days),
            )
        )
    return _joined(texts)


def _interval(state: Any) -> str:
    if is_unknown(state.recommended_low):
        return ""
    return t(" (95%: {low} to {high})", low=f"{state.recommended_low:,.0f}", high=f"{state.recommended_high:,.0f}")


def lapse_note(lapse: pd.DataFrame) -> str:
    """Return what else the limits say. lapse: the table of this name."""
    state: Any = lapse.iloc[0]
    if is_unknown(state.recommended_days):
        return ""
    half = t(
        "Half of the intervals that have ended are up to {days}, nine of ten up to {naive}.",
        days=_days(state.median_gap_days),
        naive=_days(state.naive_days),
    )
    if is_unknown(state.inactive_days):
        late = t("No limit for giving up: it takes two years of silence to see, and the data show {days}.", days=_days(state.horizon_days))
    elif state.inactive_return_chance > MOSTLY:
        late = t(
            "After {days} 99 of 100 of the returns within {horizon} have come, but {chance} of those still silent come back within another "
            "year: these data show nobody to give up.",
            days=_days(state.inactive_days),
            horizon=_days(state.horizon_days),
            chance=value_text(state.inactive_return_chance, "share"),
        )
    else:
        late = t(
            "After {days} 99 of 100 of the returns within {horizon} have come: give up.",
            days=_days(state.inactive_days),
            horizon=_days(state.horizon_days),
        )
    return _joined([half, *_against_naive(state), late])


def _against_naive(state: Any) -> list[str]:
    """Return why the limit is not that of the intervals that have ended."""
    if state.recommended_days > state.naive_days:
        return [t("Who is silent now may still come back later, so the limit is longer.")]
    if state.recommended_days < state.naive_days:
        return [t("Returns after more than {days} don't count for the limit, so it is shorter.", days=_days(state.horizon_days))]
    return []


def tile_notes(segments: pd.DataFrame, lapse: pd.DataFrame) -> dict[str, str]:
    """Return the small line under a tile. segments, lapse: the tables of these names."""
    customers = segments.set_index("segment")["customers"]
    notes = {
        BEST_CUSTOMERS_SHARE.name: t("champions and loyal customers: {n}", n=_count(customers[list(BEST)].sum())),
        AT_RISK_REVENUE.name: t("customers: {n}, so far", n=_count(customers[list(AT_RISK)].sum())),
    }
    limit: Any = lapse.iloc[0]
    if is_unknown(limit.recommended_days):
        return notes
    return notes | {
        LAPSED_SHARE.name: t("silent for over {days}", days=_days(limit.recommended_days)),
        LAPSE_LIMIT_DAYS.name: t("of the returns within {days}", days=_days(limit.horizon_days)),
    }


def _days(number: float) -> str:
    return value_text(number, "days")


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _joined(sentences: list[str]) -> str:
    return t(" ").join(sentences)
