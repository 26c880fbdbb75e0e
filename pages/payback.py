"""When has a customer paid back, and what is more retention worth?"""

from crm_metrics import ui

page = ui.start_page("payback")
