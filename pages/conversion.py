"""How many are won in the end, and how long does it take?"""

from crm_metrics import ui
from crm_metrics.pipeline.deals import tables
from crm_metrics.ui.deal_form import start_deal_page

page, terms = start_deal_page("conversion")
ui.tiles(page, ui.ask(page, tables.tiles, terms), tables.METRICS)
