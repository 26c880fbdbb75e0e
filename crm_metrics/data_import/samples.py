"""Data sets that come with the product: a reader's own file never joins one, nor takes its name."""

import hashlib
import importlib.util
from pathlib import Path

from sqlalchemy import Select, func, select

from crm_metrics import database
from crm_metrics.data_import.ledger import LOADED
from crm_metrics.data_import.mapping import Mapping, load_mapping, mapping_hash
from crm_metrics.data_import.raw_table import RawTable
from crm_metrics.database import DataSet
from crm_metrics.metric import BadInput
from crm_metrics.schema import import_batches

CDNOW, DEMO = "cdnow", "demo"
SAMPLES = (CDNOW, DEMO)
_CDNOW_FILES = ("CDNOW_sample.txt", "CDNOW_master.txt")  # the master holds the sample's customers: one of them in a data set, never both


def refuse_own_file(data_set: DataSet, raw: RawTable, mapping: Mapping) -> None:
    """Raise BadInput if `data_set` is a sample and the file is not the one it consists of, read with the sample's own mapping."""
    if data_set.name.lower() not in SAMPLES:
        return
    if data_set.name == CDNOW and mapping_hash(mapping) == mapping_hash(load_mapping(CDNOW)) and raw.content_hash in _cdnow_contents():
        others = database.open_source(data_set).arrow(_other_files(raw.content_hash)).to_pylist()[0]["n"]
        if not others:
            return
    raise BadInput("The data set {name} is a sample. Choose another name for your own files, for instance mine.", name=data_set.name)


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
