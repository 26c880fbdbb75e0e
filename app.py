"""CRM Metrics: page settings and navigation, nothing else."""

import streamlit as st

from crm_metrics import ui

st.set_page_config(page_title="CRM Metrics", page_icon=":material/monitoring:", layout="wide")
with ui.guarded():
    ui.navigation().run()
