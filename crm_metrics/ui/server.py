"""The dashboard's process: what the first page needs is in memory before Streamlit's server answers anybody.

`python -m crm_metrics.ui.server run app.py …` takes what `streamlit` takes. Otherwise the first reader of a process looks at an empty page
for the second that pandas, plotly and the rooms take to load.
"""

import gc

from streamlit.web.cli import main

from crm_metrics.rooms import ROOM_NAMES, room


def serve() -> None:
    """Load the rooms and hand over to Streamlit; the fitters of models load when the first model is fitted."""
    for name in ROOM_NAMES:
        room(name)
    gc.collect()
    gc.freeze()  # what is loaded stays, so no collection need look through it again
    main(prog_name="streamlit")


if __name__ == "__main__":
    serve()
