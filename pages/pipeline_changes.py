"""What came into the pipeline, and what left it?"""

from crm_metrics import ui
from crm_metrics.pipeline.deals import tables
from crm_metrics.ui.deal_form import start_deal_page

page, terms = start_deal_page("pipeline_changes")
ui.tiles(page, ui.ask(page, tables.tiles, terms), tables.METRICS)
