"""What all batches of a data set share: reporting currency, time zone, title. The first batch that knows it decides."""

from sqlalchemy import delete, insert, select

from crm_metrics.data_import import ledger
from crm_metrics.data_import.check import Checked
from crm_metrics.data_import.check_tables import CheckedTables
from crm_metrics.data_import.mapping import Mapping, parse_mapping
from crm_metrics.database import Writer
from crm_metrics.language import noop
from crm_metrics.metric import BadInput
from crm_metrics.schema import data_set

CURRENCY, TIME_ZONE, TITLE = "currency", "time_zone", "title"
_REFUSALS = {
    CURRENCY: noop(
        "The mapping gives amounts in {value}, but this data set holds {stored}. Give rates in the mapping, or choose another data set."
    ),
    TIME_ZONE: noop(
        "The mapping gives days in {value}, but this data set holds days in {stored}. Correct the mapping, or choose another data set."
    ),
}


def settle(writer: Writer, mapping: Mapping) -> None:
    """Fix the settings that no batch has fixed yet; raises BadInput if the mapping's currency or time zone is another one.

    mapping: as `resolved` returns it.
    """
    stored = {row.setting: row.setting_value for row in writer.connection.execute(select(data_set.c.setting, data_set.c.setting_value))}
    for setting, value in _settings_of(mapping).items():
        if setting not in stored:
            writer.connection.execute(insert(data_set).values(setting=setting, setting_value=value))
        elif setting in _REFUSALS and stored[setting] != value:
            raise BadInput(_REFUSALS[setting], value=value, stored=stored[setting])


def resolved(checked: Checked | CheckedTables) -> Mapping:
    """Return the mapping a file was read with, with what the file itself decided: the order of dates and the reporting currency."""
    money = checked.mapping.money.model_copy(update={"reporting": checked.reporting_currency})
    return checked.mapping.model_copy(update={"money": money})


def settle_again(writer: Writer) -> None:
    """Let the batches that are still loaded decide, in order."""
    writer.connection.execute(delete(data_set).where(data_set.c.setting.in_([CURRENCY, TIME_ZONE, TITLE])))
    for text in ledger.loaded_mappings(writer):
        settle(writer, parse_mapping(text))


def _settings_of(mapping: Mapping) -> dict[str, str]:
    values = {CURRENCY: mapping.money.reporting, TIME_ZONE: mapping.dates.time_zone, TITLE: mapping.title}
    return {setting: value for setting, value in values.items() if value}
