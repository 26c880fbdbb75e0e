"""How a page begins and what it puts on screen: the only user of streamlit besides the pages themselves."""

from crm_metrics.ui.parts import Column, figure, finding, note, question, table, tabs, tiles
from crm_metrics.ui.start import Page, ask, guarded, navigation, open_page, start_page

__all__ = [
    "Column",
    "Page",
    "ask",
    "figure",
    "finding",
    "guarded",
    "navigation",
    "note",
    "open_page",
    "question",
    "start_page",
    "table",
    "tabs",
    "tiles",
]
