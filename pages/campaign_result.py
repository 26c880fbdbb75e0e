"""Did this campaign change what people did?"""

from crm_metrics import ui

page = ui.start_page("campaign_result")
