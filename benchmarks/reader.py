"""A reader without a browser: speaks Streamlit's websocket protocol, clicks as a hand would, and waits for the page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol


class PageError(Exception):
    """The page showed an error."""


@dataclass
class Widget:
    """What stands on the page. said: its part of the message that drew it; fragment: what a click on it draws anew, "" for the page."""

    said: Any
    fragment: str


@dataclass
class Reader:
    """One session.

    widgets: those on the page, by the key that the code gave them. chosen: what this reader changed on it, by the widget's id. last:
    what this reader chose last, by key. held: messages kept by their hash, which the server need not send again. problems: errors that
    the page showed.
    """

    connection: ClientConnection
    page: str = ""
    query: str = ""
    widgets: dict[str, Widget] = field(default_factory=dict)
    chosen: dict[str, WidgetState] = field(default_factory=dict)
    last: dict[str, str | list[str]] = field(default_factory=dict)
    held: dict[str, ForwardMsg] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    async def open(self, page: str, **parameters: str) -> float:
        """Go to a page and return the seconds until all of it had come."""
        self.page, self.query = page, urlencode(parameters)
        self.chosen.clear()
        return await self._run("")

    async def choose(self, key: str, value: str | list[str]) -> float:
        """Set the select box or tabs (a text) or the multiselect (a list) of that key and return the seconds until all had come."""
        widget = self.widgets[key]
        state = WidgetState(id=widget.said.id)
        if isinstance(value, str) and widget.said.DESCRIPTOR.name == "Selectbox":
            state.string_value = value
        else:
            state.string_array_value.data.extend([value] if isinstance(value, str) else value)
        self.chosen[state.id], self.last[key] = state, value
        return await self._run(widget.fragment)

    async def _run(self, fragment: str) -> float:
        message = BackMsg()
        run = message.rerun_script
        run.page_name, run.query_string, run.fragment_id = self.page, self.query, fragment
        run.context_info.locale, run.context_info.timezone = "en-US", "UTC"
        run.widget_states.widgets.extend(self.chosen.values())
        run.cached_message_hashes.extend(self.held)
        if not fragment:
            self.widgets.clear()
        self.problems.clear()
        begun = perf_counter()
        await self.connection.send(message.SerializeToString())
        while not self._is_end(ForwardMsg.FromString(await self.connection.recv(decode=False))):
            pass
        if self.problems:
            raise PageError("; ".join(self.problems))
        return perf_counter() - begun

    def _is_end(self, message: ForwardMsg) -> bool:
        """Take in one message and return whether it is the last of a run."""
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message = self.held[message.ref_hash]
        elif message.metadata.cacheable:
            self.held[message.hash] = message
        if kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        if message.delta.HasField("new_element"):
            self._take_in(message)
        if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.problems.append("The script does not compile.")
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def _take_in(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type") or ""
        said = getattr(element, kind)
        if kind == "exception" or (kind == "alert" and said.format == said.ERROR):
            self.problems.append(said.message if kind == "exception" else said.body)
        if getattr(said, "id", ""):
            self.widgets[said.id.rpartition("-")[2]] = Widget(said, message.delta.fragment_id)


@asynccontextmanager
async def reading(address: str) -> AsyncIterator[Reader]:
    """Give a new session with the dashboard at `address`."""
    stream = f"ws{address.removeprefix('http')}/_stcore/stream"
    async with connect(stream, subprotocols=[Subprotocol("streamlit")], max_size=None, proxy=None) as connection:
        yield Reader(connection)
