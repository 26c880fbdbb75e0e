"""A real browser and a real dashboard for the tests marked `browser`.

Run as a script it installs a Chromium and nginx where they are missing and CI=true says that this machine is ours to change.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent
SLOW = 60_000  # milliseconds; a machine busy with other tests fits a model in some ten seconds
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# The fonts are for Chinese: without them screenshots show boxes.
INSTALL_COMMAND = "apt-get update && apt-get install -y chromium fonts-noto-cjk nginx"
CHROMIUM_FLAGS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS_TO_START = 60  # a cold start takes 3; a machine busy with other tests takes longer


def find_chromium() -> str | None:
    """Return the path of a Chromium: $CHROMIUM, else the first one on PATH; None if there is none."""
    return next((path for name in (os.environ.get("CHROMIUM"), *CHROMIUM_NAMES) if name and (path := shutil.which(name))), None)


def find_nginx() -> str | None:
    """Return the path of nginx, which Debian puts where only root looks; None if there is none."""
    return shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))


class Dashboard(NamedTuple):
    """A running dashboard. address: without a slash at the end. log: the file that its output goes to."""

    address: str
    log: Path


@contextmanager
def running_dashboard(log: Path, environment: Mapping[str, str]) -> Iterator[Dashboard]:
    """Serve app.py from a fresh process on a free port until the block ends.

    environment: variables on top of this process's own, of which those of CRM Metrics and of streamlit are left out.
    Raises RuntimeError with the end of the log if it does not answer in time.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_METRICS_", "STREAMLIT_"))}
    port = _free_port()
    command = [sys.executable, "-m", "crm_metrics.ui.server", "run", "app.py", f"--server.port={port}", "--server.fileWatcherType=none"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=inherited | dict(environment), stdout=output, stderr=subprocess.STDOUT)
    try:
        dashboard = Dashboard(f"http://localhost:{port}", log)
        _wait_until_healthy(dashboard, process)
        yield dashboard
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(dashboard: Dashboard, process: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            with urlopen(f"{dashboard.address}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    end = dashboard.log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"The dashboard did not answer on {dashboard.address} (exit code {process.poll()}). Its log ends:\n{end}")


def install_missing() -> None:
    """Install a Chromium, fonts and nginx with apt-get, as root or through sudo; say so where it fails."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print(f"No Chromium or no nginx found: {INSTALL_COMMAND}", flush=True)
    try:
        done = subprocess.run([*as_root, "sh", "-c", INSTALL_COMMAND], stdout=subprocess.DEVNULL, check=False)
    except FileNotFoundError as error:
        print(f"They were not installed: {error}", flush=True)
    else:
        if done.returncode or not is_complete():
            print(f"They were not installed: exit code {done.returncode}", flush=True)


def is_complete() -> bool:
    """Return whether everything is there that the tests marked `browser` use."""
    return bool(find_chromium() and find_nginx())


def settled(reader: "Page") -> None:
    reader.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=SLOW)


def heading(reader: "Page", text: str) -> None:
    reader.wait_for_selector(f'h1:has-text("{text}")')
    settled(reader)


if __name__ == "__main__" and os.environ.get("CI") == "true" and not is_complete():
    install_missing()
