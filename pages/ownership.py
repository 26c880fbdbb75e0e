"""Who looks after whom, and who is looked after by nobody?"""

from crm_metrics import ui
from crm_metrics.pipeline.deals import tables
from crm_metrics.ui.deal_form import start_deal_page

page, terms = start_deal_page("ownership")
ui.tiles(page, ui.ask(page, tables.tiles, terms), tables.METRICS)
