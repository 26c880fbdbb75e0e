"""Will the next campaign pay, and did the last ones do what was expected?"""

from crm_metrics import ui

page = ui.start_page("campaign_plan")
