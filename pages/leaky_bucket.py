"""Do we win as many as we lose?"""

from crm_metrics import ui

page = ui.start_page("leaky_bucket")
