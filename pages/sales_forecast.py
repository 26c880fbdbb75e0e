"""What will the quarter bring, and were we right before?"""

from crm_metrics import ui
from crm_metrics.pipeline.deals import tables
from crm_metrics.ui.deal_form import start_deal_page

page, terms = start_deal_page("sales_forecast")
ui.tiles(page, ui.ask(page, tables.tiles, terms), tables.METRICS)
