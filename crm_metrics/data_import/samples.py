"""Data sets that come with the product: a reader's own file never joins one, nor takes its name; nor does a demo take a reader's."""

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, select

from crm_metrics import database
from crm_metrics.data_import.ledger import LOADED
from crm_metrics.data_import.mapping import Mapping, load_mapping, mapping_hash
from crm_metrics.data_import.raw_table import RawTable
from crm_metrics.database import DataSet
from crm_metrics.metric import BadInput
from crm_metrics.schema import demo_customers, demo_truth, import_batches

CDNOW, DEMO = "cdnow", "demo"
OWN = "mine"  # what a reader's own files are offered
SAMPLES = (CDNOW, DEMO)
_CDNOW_FILES = ("CDNOW_sample.txt", "CDNOW_master.txt")  # the master holds the sample's customers: one of them in a data set, never both


def refuse_own_file(data_set: DataSet, raw: RawTable, mapping: Mapping) -> None:
    """Raise BadInput if `data_set` is a sample and the file is not the one it consists of, read with the sample's own mapping.

    A demo is a sample under any name.
    """
    refuse_own_file_in_demo(data_set)
    if data_set.name.lower() != CDNOW:
        return
    if data_set.name == CDNOW and mapping_hash(mapping) == mapping_hash(load_mapping(CDNOW)) and raw.content_hash in _cdnow_contents():
        others = database.open_source(data_set).arrow(_other_files(raw.content_hash)).to_pylist()[0]["n"]
        if not others:
            return
    _refuse_sample(data_set)


def refuse_own_file_in_demo(data_set: DataSet) -> None:
    """Raise BadInput if `data_set` is the demo, or one under another name: no file of a reader can join it, whatever it holds."""
    if data_set.name.lower() == DEMO or holds_demo(data_set):
        _refuse_sample(data_set)


def _refuse_sample(data_set: DataSet) -> None:
    raise BadInput("The data set {name} is a sample. Choose another name for your own files.", name=data_set.name)


def refuse_demo(data_set: DataSet) -> None:
    """Raise BadInput if a demo must not be built into `data_set`: it has CDNOW's name, or holds files and no demo."""
    if data_set.name.lower() == CDNOW:
        raise BadInput("The data set {name} is kept for the CDNOW sample. Choose another name for the demo.", name=data_set.name)
    files = database.open_source(data_set).arrow(_loaded_files())["file_name"].to_pylist()
    if files and not holds_demo(data_set):
        raise BadInput(
            "The data set {name} holds imported files: {count}, the latest {file}. A demo would take their place. "
            "Choose another name for the demo, for instance demo.",
            name=data_set.name,
            count=len(files),
            file=files[0],
        )


def holds_demo(data_set: DataSet) -> bool:
    """Return whether the data set is a simulated company, whatever its name."""
    source = database.open_source(data_set)
    return any(source.arrow(select(column).limit(1)).num_rows for column in (demo_truth.c.topic, demo_customers.c.customer_id))


def _loaded_files() -> Select[Any]:
    batches = import_batches.c
    return select(batches.file_name).where(batches.batch_state == LOADED).order_by(batches.batch_id.desc())


def _other_files(content_hash: str) -> Select[int]:
    batches = import_batches.c
    return select(func.count().label("n")).where(batches.content_hash != content_hash, batches.batch_state == LOADED)


def _cdnow_contents() -> set[str]:
    return {hashlib.sha256(cdnow_file(name).read_bytes()).hexdigest() for name in _CDNOW_FILES}


def cdnow_file(name: str = "CDNOW_sample.txt") -> Path:
    """Return the path of a CDNOW file; lifetimes is found and not imported, which would take seconds."""
    package = importlib.util.find_spec("lifetimes")
    if package is None or package.origin is None:
        raise BadInput("The package lifetimes, which brings CDNOW, is not installed. Run `make run`, which installs it.")
    return Path(package.origin).parent / "datasets" / name
