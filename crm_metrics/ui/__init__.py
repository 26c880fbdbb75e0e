"""How a page begins and what it puts on screen: the only user of streamlit besides the pages themselves."""

from crm_metrics.ui.choices import choose_period
from crm_metrics.ui.parts import Column, choose, draw, figure, finding, note, question, table, tabs, tiles
from crm_metrics.ui.plan_form import plan_test, planned_lists
from crm_metrics.ui.segment_form import built_rule, choose_segment, rule_form, save_segment, saved_lists
from crm_metrics.ui.start import ICON, Page, ask, guarded, navigation, open_page, part, start_page
from crm_metrics.ui.target_form import target_form

__all__ = [
    "ICON",
    "Column",
    "Page",
    "ask",
    "built_rule",
    "choose",
    "choose_period",
    "choose_segment",
    "draw",
    "figure",
    "finding",
    "guarded",
    "navigation",
    "note",
    "open_page",
    "part",
    "plan_test",
    "planned_lists",
    "question",
    "rule_form",
    "save_segment",
    "saved_lists",
    "start_page",
    "table",
    "tabs",
    "target_form",
    "tiles",
]
