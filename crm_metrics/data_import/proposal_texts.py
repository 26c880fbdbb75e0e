"""Why a proposal is not certain, in words."""

from crm_metrics.language import noop

DATE_DOUBTS = {
    "order": noop("{column}: {value} can be day or month first, and nothing decides it. Set dates.day_first to true or false."),
    "both": noop("{column} has dates with the day first and dates with the month first, like {value}. Write them all as YYYY-MM-DD."),
    "serial": noop('{column} holds numbers like {value}; they may be Excel serial dates. If so, keep dates.formats = ["excel_serial"].'),
    "zone": noop("{column} has a time zone, like {value}. Set dates.time_zone to the zone of the business day, like Europe/London."),
    "swapped": noop(
        "{column}: Excel may have swapped day and month of some dates: up to day 12 they are dates, above it text like {value}. "
        "Export as CSV, or set dates.day_first if the dates are right."
    ),
    "year_day": noop('{column}: {value} has the day before the month. Set dates.formats = ["%Y-%d-%m"] if all have, or correct it.'),
}
MARKS = noop("{column}: {value} can be a decimal or a thousand. Set numbers.decimal and numbers.thousands.")
TWO_MARKS = noop("{column} has a decimal {mark}, {other} a decimal {other_mark}. Write the numbers of all columns with one mark.")
CURRENCIES = noop(
    "{column} has amounts in {currencies}. Set money.reporting, money.rates and money.rates_on; currencies are never added up."
)
ASKED_AGAIN = {*DATE_DOUBTS.values(), MARKS, TWO_MARKS, CURRENCIES}
"""Doubts about which the importer asks by itself, or which leave rows out with a reason."""
