"""Do they come back?"""

from crm_metrics import ui

page = ui.start_page("retention")
