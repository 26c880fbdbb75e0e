"""Do the packaging and the tests' own ground hold?"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import INSTALL_COMMAND, ROOT, Dashboard, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
STREAMLIT = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def _direct_names() -> set[str]:
    requirements = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    return {re.split(r"[\[<>=]", requirement)[0] for requirement in requirements}


def test_the_lock_marks_exactly_the_direct_dependencies():
    assert set(re.findall(r"^([\w-]+)==.*DIRECT", LOCK, flags=re.MULTILINE)) == _direct_names()


def test_the_lock_names_no_registry():
    assert "://" not in LOCK
    assert "--" not in LOCK


def test_what_is_installed_is_what_is_pinned():
    pins = dict(re.findall(r"^([\w-]+)==([\w.]+)", LOCK, flags=re.MULTILINE))
    names = _direct_names()
    assert {name: version(name) for name in names} == {name: pins[name] for name in names}


def test_streamlit_knows_every_option_that_is_set():
    from streamlit import config

    set_here = {f"{section}.{name}" for section, options in _sections(STREAMLIT) for name in options}
    assert set_here <= set(config.get_config_options())


def _sections(table: dict, path: str = "") -> list[tuple[str, list[str]]]:
    inner = [found for name, value in table.items() if isinstance(value, dict) for found in _sections(value, f"{path}.{name}".lstrip("."))]
    return [(path, [name for name, value in table.items() if not isinstance(value, dict)]), *inner]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_ground(theme):
    """WCAG 2.1, success criterion 1.4.3: 4.5 to 1."""
    colours = STREAMLIT["theme"][theme]
    grounds = [colours["backgroundColor"], colours["secondaryBackgroundColor"], colours["sidebar"]["backgroundColor"]]
    for name in ("textColor", "linkColor"):
        assert min(_contrast(colours[name], ground) for ground in grounds) >= 4.5, name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_accent_stands_out_from_its_ground_and_carries_white_text(theme):
    """WCAG 2.1, success criterion 1.4.11: parts of the interface 3 to 1; Streamlit writes on the accent in white."""
    colours = STREAMLIT["theme"][theme]
    around = [colours["backgroundColor"], colours["secondaryBackgroundColor"], colours["sidebar"]["backgroundColor"], "#FFFFFF"]
    assert min(_contrast(colours["primaryColor"], colour) for colour in around) >= 3.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_series_can_be_seen_on_the_background(theme):
    """WCAG 2.1, success criterion 1.4.11: parts of a graphic 3 to 1."""
    colours = STREAMLIT["theme"][theme]
    assert min(_contrast(colour, colours["backgroundColor"]) for colour in colours["chartCategoricalColors"]) >= 3


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of a "#RRGGBB" as WCAG 2.1 defines it.

    >>> _luminance("#FFFFFF"), _luminance("#000000")
    (1.0, 0.0)
    """
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_both_cdnow_files_are_found(cdnow_file, cdnow_master_file):
    """6,919 and 69,659 rows: Fader and Hardie's files as lifetimes 0.11.3 ships them."""
    assert len(cdnow_file.read_text().splitlines()) == 6_919
    assert len(cdnow_master_file.read_text().splitlines()) == 69_659 + 1  # a line of headings


def test_without_a_chromium_the_run_ends_with_the_command_that_installs_one(tmp_path):
    command = [sys.executable, "-m", "pytest", __file__, "-m", "browser", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=ROOT, env={"PATH": "", "HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    end = run.stdout.splitlines()[-4:]
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 BROWSER TESTS DID NOT RUN" in end[0]
    assert INSTALL_COMMAND in end[1]
    assert "1 skipped" in end[-1]


@pytest.mark.postgresql
@pytest.mark.parametrize("value", [1, 2])
def test_each_test_has_a_postgresql_schema_of_its_own(postgresql_schema, value):
    from sqlalchemy import create_engine, make_url, text

    url = make_url(postgresql_schema)
    schema = url.query["schema"]
    engine = create_engine(url.difference_update_query(["schema"]), connect_args={"options": f"-c search_path={schema}"})
    with engine.begin() as connection:
        connection.execute(text("create table mark (value int)"))
        connection.execute(text("insert into mark values (:value)"), {"value": value})
        assert connection.execute(text("select value, current_setting('server_version_num')::int >= 180000 from mark")).all() == [
            (value, True)
        ]
    engine.dispose()


@pytest.mark.browser
def test_a_browser_opens_the_dashboard(chromium: "Browser", dashboard: Callable[..., Dashboard], tmp_path: Path):
    page = chromium.new_page()
    page.goto(dashboard(CRM_METRICS_DATA_DIR=str(tmp_path)).address)
    page.get_by_test_id("stHeading").first.wait_for(timeout=30_000)
    assert find_chromium()
    page.close()
