"""Who has left, and who is about to?"""

from crm_metrics import ui

page = ui.start_page("churn")
