"""Opens the dashboard: the data set is made if it is one that comes with the product, then Streamlit takes over."""

import os
import socket
import sys
from datetime import date
from pathlib import Path

from crm_metrics import database
from crm_metrics.data_import.samples import CDNOW, DEMO, cdnow_file
from crm_metrics.database import DataSet
from crm_metrics.language import t
from crm_metrics.metric import BadInput
from crm_metrics.terminal import build_demo, print_report, progress_bar

DATA_SETTING = "CRM_METRICS_DATA"
CDNOW_LAST_ON = date(1998, 6, 30)  # the sample ends there
ROOT = Path(__file__).parent.parent


def serve(name: str, port: int) -> None:
    """Make the data set called `name` if it is a sample and empty, then become the dashboard's server on localhost:`port`.

    Raises BadInput if the port is taken.
    """
    refuse_taken(port)
    data_set = database.find_data_set(name)
    if data_set.name == CDNOW and not database.version(data_set):
        load_cdnow(data_set)
    if data_set.name == DEMO and not database.version(data_set):
        make_demo(data_set)
    sys.stderr.write(t("The dashboard opens at {address}; Ctrl+C ends it.", address=f"http://localhost:{port}") + "\n")
    sys.stderr.flush()
    options = ["--server.address", "localhost", "--server.port", str(port), "--server.headless", "true"]
    os.chdir(ROOT)
    command = [sys.executable, "-m", "crm_metrics.ui.server", "run", "app.py", *options]
    os.execve(sys.executable, command, {**os.environ, DATA_SETTING: name, database.FOLDER_SETTING: str(database.data_folder())})  # noqa: S606  # no shell is meant


def refuse_taken(port: int) -> None:
    """Raise BadInput if another program listens on localhost:`port`, or the port is none."""
    if not 0 < port < 65536:
        raise BadInput("{port} is not a port. Give a number between 1 and 65535, such as PORT=8501.", port=port)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except OSError as error:
            raise BadInput(
                "Port {port} can't be used ({problem}): perhaps the dashboard is open already at http://localhost:{port}. "
                "Close it, or give another port: make run PORT={other}.",
                port=port,
                problem=error.strerror,
                other=port + 1,
            ) from error


def make_demo(data_set: DataSet) -> None:
    """Build the demo; a second process that does it at the same time changes nothing."""
    from crm_metrics.demo.plan import Plan

    sys.stderr.write(t("Building the demo, a simulated company; this is done once and takes less than half a minute.") + "\n")
    sys.stderr.write(build_demo(data_set, Plan()).headline() + "\n")


def load_cdnow(data_set: DataSet) -> None:
    """Load the CDNOW sample that comes with lifetimes; a second process that does it at the same time changes nothing."""
    from crm_metrics.data_import.load import import_file
    from crm_metrics.data_import.mapping import load_mapping

    path = cdnow_file()
    with progress_bar(path.name) as tell:
        report = import_file(data_set, path.read_bytes(), path.name, load_mapping(CDNOW), progress=tell, latest_on=CDNOW_LAST_ON)
    print_report(report)
