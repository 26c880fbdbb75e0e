"""A page's own choices in its address: the address alone says what is shown, so that it can be sent on and gone back to.

Links to a page carry what was chosen there last.
"""

from collections.abc import Callable, Collection
from datetime import date

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)  # what a calendar offers where the data set no limits
_LEFT = "page_choices"  # by page: what stood in its address when the reader was there last


def came_back() -> bool:
    """Return whether the reader came here with the browser's back or forward button: the address then goes before what is chosen."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def follow_history() -> None:
    """Take over an address that the reader went back to: within one page Streamlit does so only for widgets that are bound to it."""
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        with context.session_state.query_params() as address:
            address.populate_from_query_string(context.query_string)


def keep(page: str, key: str, value: str, *, usual: str = "") -> None:
    """Let `value`, chosen on `page`, stand in the address under `key`, and in the links to that page. usual: what no value means."""
    if not came_back() and st.query_params.get(key, usual) != value:  # writing adds a step to the history, and back would lead nowhere
        st.query_params[key] = value
    left = st.session_state.setdefault(_LEFT, {}).setdefault(page, {})
    if key in st.query_params:
        left[key] = value
    else:
        left.pop(key, None)


def left_parameters(page: str) -> dict[str, str]:
    """Return what stood in the address of `page` of its own choices when the reader was there last."""
    return dict(st.session_state.get(_LEFT, {}).get(page, {}))


def choose_kept(page: str, key: str, options: Collection[str], draw: Callable[[str], str | None]) -> str:
    """Let the reader choose one of `options`, the usual one first, and keep it in the address, as a plain value whatever the language.

    draw: draws the widget with the key it is given and returns what is chosen; the widget begins with what the address says.
    """
    state, usual = f"choice_{page}_{key}", next(iter(options))
    if came_back() or st.session_state.get(state) not in options:
        given = st.query_params.get(key, usual)
        st.session_state[state] = given if given in options else usual
    chosen = draw(state) or usual
    keep(page, key, chosen, usual=usual)
    return chosen


def choose_day_kept(
    page: str, key: str, usual: date | None, draw: Callable[..., date | None], *, first: date = FIRST_DAY, last: date = LAST_DAY
) -> date | None:
    """Let the reader choose a day between `first` and `last`, and keep it in the address; any other day there is taken for the usual one.

    draw: st.date_input with what it shows. usual: None where no day is.
    """
    state, usual_text = f"choice_{page}_{key}", usual.isoformat() if usual else ""
    given = _day(st.query_params.get(key, usual_text), usual)
    st.session_state[state] = given if given is None or first <= given <= last else usual

    def keep_day() -> None:
        day = st.session_state[state]
        keep(page, key, day.isoformat() if day else "", usual=usual_text)

    return draw(key=state, min_value=first, max_value=last, on_change=keep_day)


def _day(text: str, usual: date | None) -> date | None:
    """Return the day that an address names, None for "", `usual` for what is no day."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return usual
