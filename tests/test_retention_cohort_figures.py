"""The pictures and words of the cohorts: what they hold, on cells written by hand."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crm_metrics import figures
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import speaking
from crm_metrics.periods import Period
from crm_metrics.retention.cohort import figure, labels, statistic, words
from crm_metrics.retention.cohort.statistic import Horizon
from crm_metrics.retention.cohort.terms import CohortCell, CohortTerms

MONTHLY, BY_CHANNEL = CohortTerms(), CohortTerms(by="acquisition_channel")
SEEN = Horizon(Period(date(2024, 1, 1), date(2024, 3, 20)), Period(date(2024, 1, 1), date(2024, 3, 20)))


def cells(terms: CohortTerms) -> pd.DataFrame:
    """January 100 customers, 40 back in February, 30 so far in March; February 20, 10 so far in March; March 50, up to the 20th."""
    days = dict(zip(("jan", "feb", "mar"), pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]), strict=True))
    group = None if terms.is_of_periods else "<b>web"
    sizes = pd.DataFrame({"group_name": group, "cohort_on": list(days.values()), "customers": [100, 20, 50]})
    counts = [
        ("jan", "jan", 100),
        ("jan", "feb", 40),
        ("jan", "mar", 30),
        ("feb", "feb", 20),
        ("feb", "mar", 10),
        ("mar", "mar", 50),
    ]
    events = pd.DataFrame([(days[first], days[then], n) for first, then, n in counts], columns=["cohort_on", "bucket_on", "value"])
    return statistic.cells(sizes, events.assign(group_name=group), terms, SEEN)


@pytest.fixture
def rows() -> pd.DataFrame:
    return statistic.cohort_rows(cells(MONTHLY), MONTHLY)


@pytest.fixture
def average() -> pd.DataFrame:
    return statistic.pooled(cells(MONTHLY), MONTHLY, by=["age"])


def drawn(rows: pd.DataFrame, average: pd.DataFrame, terms: CohortTerms = MONTHLY) -> dict[str, Any]:
    """The cells of the map by what a click on them gives: text, opacity and pattern."""
    fields, texts = figure.cohort_map(rows, average, terms, currency="EUR").data
    looks = zip(texts.text, fields.marker.opacity, fields.marker.pattern.shape, strict=True)
    return dict(zip([data[0] for data in fields.customdata], looks, strict=True))


def test_unfinished_cells_are_hatched_and_small_ones_are_faded_and_without_a_rate(rows, average):
    found = drawn(rows, average)
    assert {key: text for key, (text, _, _) in found.items()} == {
        "0 ": "100",  # all together: the cells of March are not in it
        "1 ": "40",
        "0 2024-01-01": "100",
        "1 2024-01-01": "40",
        "2 2024-01-01": "30",
        "0 2024-02-01": "",
        "1 2024-02-01": "",
        "0 2024-03-01": "100",
    }
    assert {key for key, (_, _, shape) in found.items() if shape} == {"2 2024-01-01", "1 2024-02-01", "0 2024-03-01"}
    assert found["1 2024-02-01"][1] < found["2 2024-01-01"][1] < found["1 2024-01-01"][1]


def test_a_click_on_a_cell_or_a_row_of_the_table_chooses_its_customers(rows, average):
    keys = list(drawn(rows, average))
    assert words.chosen_cell(rows, [keys[1]], []) == CohortCell("", 1)
    assert words.chosen_cell(rows, ["2 2024-01-01"], [0]) == CohortCell("2024-01-01", 2)
    assert words.chosen_cell(rows, [], [3]) == CohortCell("2024-02-01", 0)
    assert words.chosen_cell(rows, [], []) is None
    assert words.chosen_cell(rows, ["1 web shop"], []) == CohortCell("web shop", 1)
    assert words.side_of(CohortCell("web", 1), "others") == CohortCell("web", 1, is_counted=False)


def test_names_from_the_data_make_no_html_and_no_markdown(average):
    rows = statistic.cohort_rows(cells(BY_CHANNEL), BY_CHANNEL)
    made = figure.cohort_map(rows, average, BY_CHANNEL, currency="EUR")
    assert made.layout.yaxis.ticktext == ("<b>All · 170</b>", "&lt;b>web · 170")
    assert "&lt;b>web" in made.data[0].customdata[-1][1]
    trend = statistic.trend_rows(rows, average, 1).assign(cohort="[x](y)")
    assert words.trend_finding(trend, BY_CHANNEL, currency="EUR") == r"Month 1: 40.0% in \[x\]\(y\)."


def test_the_latest_periods_and_the_largest_groups_are_drawn():
    days = pd.date_range("2000-01-01", periods=40, freq="MS")
    rows = pd.DataFrame({"cohort": days.strftime("%Y-%m-%d"), "age": 0, "cohort_customers": 90.0, "rate": 1.0, "is_small": False})
    rows = rows.assign(customers=90.0, value=90.0, low=np.nan, high=np.nan, is_unfinished=False)
    made = figure.cohort_map(rows, rows.head(0), MONTHLY, currency="")
    assert len(made.layout.yaxis.ticktext) == figure.MOST_ROWS
    assert made.layout.yaxis.ticktext[-1] == "Apr 2003 · 90"
    assert figure.cohort_map(rows, rows.head(0), BY_CHANNEL, currency="").layout.yaxis.ticktext[0] == "2000-01-01 · 90"


def test_an_empty_map_is_drawn(rows, average):
    assert not figure.cohort_map(rows.head(0), average.head(0), MONTHLY, currency="").data
    for made in (figure.trend_figure, figure.difference_dots):
        empty = statistic.differences(statistic.trend_rows(rows.head(0), average, 1))
        figures.themed(made(empty, MONTHLY, currency=""), dark=True)
    figures.themed(figure.average_curve(average.head(0), rows.head(0), MONTHLY, currency=""), dark=True)


def test_the_average_curve_begins_after_the_first_period_and_dashes_what_is_unfinished(rows, average):
    made = figure.average_curve(average, rows, MONTHLY, beside=("2024-01-01",), currency="")
    lines = {(trace.name, trace.line.dash): list(trace.x) for trace in made.data if trace.name}
    assert lines == {("Jan 2024", None): [1, 2], ("Jan 2024", "dot"): [1, 2], ("All", None): [1]}
    dashed = next(trace for trace in made.data if trace.line.dash == "dot")
    assert list(dashed.y) == [0.4, 0.3]


def test_the_trend_has_hollow_points_where_the_period_is_not_over(rows, average):
    trend = statistic.trend_rows(rows, average, 1)
    line, points = figure.trend_figure(trend, MONTHLY, currency="").data
    assert list(points.y) == [0.4, 0.5]
    assert list(np.isnan(line.y)) == [False, True]
    assert list(points.marker.color) == [figures.ACCENT, "rgba(0,0,0,0)"]
    assert words.trend_finding(trend, MONTHLY, currency="") == "Month 1: 40.0% in the latest complete cohort, Jan 2024; 40.0% over all."
    later = pd.concat([trend, trend.head(1).assign(cohort="2024-02-01", cohort_on=pd.Timestamp(2024, 2, 1), is_small=True)])
    named = words.trend_finding(later.assign(is_unfinished=False), MONTHLY, currency="")
    assert "Jan 2024, the latest complete cohort of 30 customers or more" in named


def test_what_is_more_than_luck_is_filled_and_named():
    counts = [(200, 80), *[(200, 40)] * 9]
    rows = pd.DataFrame(counts, columns=["base", "value"]).assign(customers=200.0, age=1, is_unfinished=False, is_small=False)
    rows = rows.assign(cohort=[f"2024-{month:02}-01" for month in range(1, 11)], rate=rows["value"] / 200, low=0.1, high=0.5)
    test = statistic.differences(rows)
    (points,) = figure.difference_dots(test, MONTHLY, currency="").data
    assert list(points.marker.color) == ["rgba(0,0,0,0)"] * 9 + [figures.GOOD]  # the latest stands first
    assert words.difference_finding(test, MONTHLY) == (
        "Month 1: 1 of 10 cohorts differ from the others beyond chance: Jan 2024 (+20.0 points)."
    )
    alike = statistic.differences(rows.assign(value=40))
    assert words.difference_finding(alike, MONTHLY).startswith("Month 1: none of the 10 cohorts tested differs")
    assert words.difference_finding(alike.head(0), MONTHLY).startswith("No cohort can be tested")
    assert set(words.differences_in_words(test, MONTHLY)["verdict"]) == {"beyond chance", "may be chance"}


@pytest.mark.parametrize(
    ("grain", "named"), [("day", "Apr 1, 2024"), ("week", "week of Apr 1, 2024"), ("month", "Apr 2024"), ("quarter", "Q2 2024")]
)
def test_periods_are_named_by_their_grain(grain, named):
    assert labels.cohort_name("2024-04-01", CohortTerms(grain=grain)) == named


def test_what_is_unknown_has_a_name_in_the_readers_language():
    assert labels.cohort_name(UNKNOWN, BY_CHANNEL) == "unknown"
    assert labels.cohort_name(UNKNOWN, CohortTerms(by="first_campaign")) == "no campaign"
    with speaking("zh"):
        assert labels.cohort_name(UNKNOWN, BY_CHANNEL) == "未知"


def tiles(*values: tuple[float, int]) -> pd.DataFrame:
    """The tiles: value and n of new customers, back in month 1, in month 3, by month 3 and by month 6."""
    names = ("customers_who_came", "back_in_month_1", "back_in_month_3", "back_within_3_months", "back_within_6_months")
    return pd.DataFrame([{"metric": name, "value": value, "n": n} for name, (value, n) in zip(names, values, strict=True)])


def test_the_finding_says_what_is_known_and_of_how_many():
    nothing = (np.nan, 0)
    assert words.finding(tiles((500, 500), (0.25, 400), (0.2, 300), (0.5, 300), (0.6, 200))) == (
        "50.0% of 300 new customers bought again by month 3; 25.0% of 400 bought in month 1."
    )
    assert words.finding(tiles((90, 90), (0.25, 40), *[nothing] * 3)) == (
        "25.0% of 40 new customers bought again in the month after their first purchase."
    )
    assert "too few for a rate" in words.finding(tiles((90, 90), (0.25, 12), *[nothing] * 3))
    assert "not over yet" in words.finding(tiles((90, 90), *[nothing] * 4))


def test_the_cohorts_are_summed_up_soon_and_late(average):
    assert words.cohorts_finding(average, MONTHLY, currency="") == "Month 1: 40.0% of the 100 customers old enough."
    assert words.cohorts_finding(average.head(1), MONTHLY, currency="").startswith("No cohort is old enough")


def test_what_limits_the_cohorts_is_said():
    days = {"first_on": pd.Timestamp("2024-01-01"), "from_on": pd.Timestamp("2024-01-01")}
    begins = words.basis_note(pd.DataFrame([days | {"is_whole_history": True}]))
    assert begins == "The data begin on Jan 1, 2024: earlier customers look new in the first cohort."
    later = words.basis_note(pd.DataFrame([days | {"from_on": pd.Timestamp("2024-02-01"), "is_whole_history": False}]))
    assert later.startswith("New customers made their first purchase ever in the period")


def test_remarks_say_why_a_cell_is_not_to_be_compared(rows):
    state = words.in_words(rows, MONTHLY).set_index(["name", "age"])["state"]
    assert state["Jan 2024", 1] == ""
    assert state["Jan 2024", 2] == "not over"
    assert state["Feb 2024", 1] == "not over, few customers"
    assert state["Mar 2024", 0] == "not over, part of the period only"
    few = words.in_words(rows, MONTHLY)["is_small"]
    assert words.in_words(rows, MONTHLY).loc[few, ["rate", "low", "high"]].isna().all(axis=None)
    assert rows.loc[few, "rate"].notna().all()  # the frame that others share is as it was
