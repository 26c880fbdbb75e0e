"""Which campaigns pay?"""

from crm_metrics import ui

page = ui.start_page("campaign_roi")
