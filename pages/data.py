"""What has been loaded, and is it fit to use?"""

from crm_metrics import ui
from crm_metrics.data_import import room
from crm_metrics.language import t
from crm_metrics.pipeline.deals import held as deals_held
from crm_metrics.pipeline.deals.metrics import HELD
from crm_metrics.ui import samples, upload

page = ui.start_page("data", needs_data=False)
held, tables = ui.ask(page, room.tiles), ui.ask(page, room.held_tables)
ui.finding(room.finding(held, tables, data_set=page.source.data_set.name))
ui.note(room.besides_orders(held, tables))
upload.show_last_report()
if page.currency or page.source.version:
    ui.tiles(page, held, room.shown_metrics(held))
if len(deals := ui.ask(page, deals_held.held)):
    ui.tiles(page, deals, HELD, notes=deals_held.tile_notes(ui.ask(page, deals_held.days_held)))
with ui.question(t("Bring in your own files")):
    upload.upload(page)
    samples.offer(page.source.data_set)
with ui.question(t("What each import brought")):
    upload.unjoined(page)
    upload.ledger(page)
    upload.quarantine(page)
