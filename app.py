"""CRM Metrics: page settings and navigation, nothing else."""

import streamlit as st

from crm_metrics import ui

st.set_page_config(page_title="CRM Metrics", page_icon=ui.ICON, layout="wide")
with ui.guarded():
    ui.navigation().run()
