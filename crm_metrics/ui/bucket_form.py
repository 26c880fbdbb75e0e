"""The box that says who is a customer, and the sliders of what must be won."""

import streamlit as st

from crm_metrics.language import t
from crm_metrics.retention.flow import figure as figures_of
from crm_metrics.retention.flow import labels, tables, words
from crm_metrics.retention.flow.terms import LONGEST_DAYS, MOST_YEARS, BucketTerms, Plan
from crm_metrics.ui.parts import draw, figure, finding, note, question, table
from crm_metrics.ui.start import Page, ask

_HIGHEST_CHURN, _HIGHEST_GROWTH, _LEAST_WON = 100.0, 100.0, 100.0  # per cent, of the sliders


def bucket_terms(page: Page) -> BucketTerms:
    """Put the button that opens the box, and return what the reader chose; it stands in the address. An empty box: from the data."""
    with st.popover(t("Who is a customer?"), icon=":material/schedule:"):
        usual = ask(page, tables.bucket_basis)
        shown = str(int(usual["active_days"].iloc[0])) if len(usual) else ""
        label = t("Bought within so many days")
        days = st.number_input(label, 1, LONGEST_DAYS, None, placeholder=shown, key="active_days", bind="query-params")
    return BucketTerms(None if days is None else int(days))


def simulator(page: Page, terms: BucketTerms, chosen: str) -> None:
    """Put the sliders, what must be won, the lines, what is lost beside what is told of others, and the table.

    chosen: 'ours' or 'source', whose figures the sliders begin with.
    """
    needed, basis = ask(page, tables.acquisition_needed, terms), ask(page, tables.bucket_basis, terms)
    ours = words.first_plan(needed)
    begun = ours if chosen == "ours" and ours else words.source_plan()
    plan = _moved(begun, chosen)
    finding(words.needed_finding(plan))
    lines = ask(page, tables.simulation, plan)
    step = words.step_name(basis, is_source=begun is not ours)
    currency = page.currency if begun is ours else "CNY"
    figure(page, draw(page, figures_of.simulation_lines, lines, currency=currency, step=step), **words.about("simulation"))
    with question(t("What is lost?")):
        hole = ask(page, tables.hole_cost, terms)
        finding(words.hole_finding(hole, currency=page.currency))
        if ours:
            drawn = draw(page, figures_of.churn_bars, needed, ask(page, tables.references))
            figure(page, drawn, queries=tables.queries(page.source, page.filters, terms), **words.about("churn"))
    shown = labels.in_words(needed)
    table(page, shown, columns=labels.columns("acquisition_needed", shown), name="acquisition_needed")
    note(words.remark("simulation"))


def _moved(begun: Plan, name: str) -> Plan:
    """Put the sliders, which begin with a plan, and return the plan that they stand for. Another beginning is another slider."""
    starts = {"churn": begun.churn, "won": begun.won, "growth": begun.growth}
    highest = {"churn": _HIGHEST_CHURN, "won": max(_LEAST_WON, round(200 * begun.won, -1)), "growth": _HIGHEST_GROWTH}
    named = {"churn": t("Lost, %"), "won": t("Won, %"), "growth": t("Target growth, %")}
    with st.container(horizontal=True, gap="medium"):
        shares = {
            key: st.slider(
                named[key], 0.0, highest[key], round(100 * start, 1), 0.1, format="%.1f", key=f"{key}_{name}_{start:.4f}", width=210
            )
            for key, start in starts.items()
        }
        years = st.slider(t("Steps ahead"), 1, MOST_YEARS, begun.years, key="steps_ahead", bind="query-params", width=210)
    return Plan(**{key: share / 100 for key, share in shares.items()}, opening=begun.opening, years=years)
