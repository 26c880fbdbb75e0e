"""Many people at once: each waits for the page, changes a filter, a tab or the page, and waits again."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from websockets.exceptions import WebSocketException

from benchmarks import shop
from benchmarks.reader import PageError, Reader, reading
from benchmarks.served import ROOM_PAGES, serving
from crm_metrics.database import DataSet

PROCESSES = (1, 3)
CROWDS = ((10, 0.0), (50, 5.0))  # people, and seconds between what they have seen and their next click
SECONDS = 30.0
MOST_CLICKS = 10_000  # of one person
LONGEST_SECONDS = 600.0  # for one page; the first after a start fits the models
_KINDS = {"period": 4, "choice": 3, "tab": 2, "page": 1}  # how often each is clicked where the page has it
_CHOICES = ("choose_region", "choose_channel")
_OF_ALL_PAGES = "choose_"  # the language is no tab of a page


class Click(NamedTuple):
    """One click, on which page, and the seconds until the page's script had run."""

    page: str
    seconds: float


class Crowd(NamedTuple):
    """What a number of people met with. seconds: from when all were there to the end of the last click.

    is_again: they click all that they clicked before, so nothing is asked for the first time.
    """

    people: int
    processes: int
    pause: float
    seconds: float
    clicks: Sequence[Click]
    errors: int
    is_again: bool = False

    @property
    def per_second(self) -> float:
        """Runs of a page's script a second."""
        return len(self.clicks) / self.seconds


def measured_people(
    data_set: DataSet,
    customers: int,
    *,
    threads: int,
    processes: Sequence[int] = PROCESSES,
    crowds: Sequence[tuple[int, float]] = CROWDS,
    seconds: float = SECONDS,
) -> Iterator[Crowd]:
    """Give every crowd twice against every number of processes, people spread over them as a sticky proxy would.

    customers: number of customers of the shop. Each process has shown every page once before anybody comes.
    """
    for count in processes:
        with serving(data_set, threads=threads, processes=count) as addresses:
            asyncio.run(_warmed(addresses))
            for people, pause in crowds:
                first, each = asyncio.run(_crowd(addresses, customers, people=people, pause=pause, seconds=seconds))
                yield first
                again, _ = asyncio.run(_crowd(addresses, customers, people=people, pause=pause, seconds=seconds, most=each))
                yield again


async def _warmed(addresses: Sequence[str]) -> None:
    async def opened(address: str) -> None:
        async with reading(address) as reader:
            for page in ROOM_PAGES:
                await _in_time(reader.open(page, customer=shop.customer_key(1)))

    await asyncio.gather(*[opened(address) for address in addresses])


async def _crowd(  # what there is, who comes, and for how long
    addresses: Sequence[str], customers: int, *, people: int, pause: float, seconds: float, most: Sequence[int] = ()
) -> tuple[Crowd, list[int]]:
    """Return what the people met with, and how often each clicked. most: of each, the clicks to make again."""
    all_here = asyncio.Barrier(people)
    limits = most or [MOST_CLICKS] * people
    coming = [
        _person(number, addresses[number % len(addresses)], all_here, customers, pause, (seconds, limit))
        for number, limit in enumerate(limits)
    ]
    found = await asyncio.gather(*coming)
    clicks = [click for own, _, _ in found for click in own]
    crowd = Crowd(
        people=people,
        processes=len(addresses),
        pause=pause,
        seconds=max(took for _, _, took in found),
        clicks=clicks,
        errors=sum(errors for _, errors, _ in found),
        is_again=bool(most),
    )
    return crowd, [len(own) for own, _, _ in found]


async def _person(  # noqa: PLR0917  # who, where, when, and what there is to click
    number: int, address: str, all_here: asyncio.Barrier, customers: int, pause: float, until: tuple[float, int]
) -> tuple[list[Click], int, float]:
    """Return the clicks, the number of errors, and the seconds until the last page was there. until: seconds, or clicks."""
    seconds, most = until
    clicks: list[Click] = []
    random, errors, took = np.random.default_rng(number), 0, 0.0
    async with reading(address) as reader:
        await _in_time(reader.open(ROOM_PAGES[number % len(ROOM_PAGES)], customer=shop.customer_key(1 + number)))
        await all_here.wait()
        begun = perf_counter()
        await asyncio.sleep(random.uniform(0, pause))
        while perf_counter() - begun < seconds and len(clicks) + errors < most:
            try:
                clicked = _click(reader, random, customers)
                clicks.append(Click(reader.page, await _in_time(clicked)))
            except PageError:
                errors += 1
            except (WebSocketException, OSError, TimeoutError):
                return clicks, errors + 1, perf_counter() - begun
            took = perf_counter() - begun
            await asyncio.sleep(pause)
    return clicks, errors, took


def _click(reader: Reader, random: Generator, customers: int) -> Awaitable[float]:
    """Click something that the page has: another period, one region or channel or all of them, another tab, or another page."""
    tabs = [key for key, widget in reader.widgets.items() if _is_tabs(key, widget.said)]
    choices = [key for key in _CHOICES if key in reader.widgets]
    has = {"period": "choose_period" in reader.widgets, "choice": bool(choices), "tab": bool(tabs), "page": True}
    weights = np.array([weight * has[kind] for kind, weight in _KINDS.items()], dtype=float)
    kind = random.choice(list(_KINDS), p=weights / weights.sum())
    if kind == "page":
        return reader.open(str(random.choice(ROOM_PAGES)), customer=shop.customer_key(int(random.integers(1, customers + 1))))
    key = str(random.choice({"period": ["choose_period"], "choice": choices, "tab": tabs}[kind]))
    others = [value for value in _values(key, reader.widgets[key].said) if value != reader.last.get(key)]
    return reader.choose(key, others[random.integers(len(others))])


def _values(key: str, said: Any) -> list[Any]:
    if key == "choose_period":
        return list(said.options)[:-1]  # without own dates, which need two more clicks
    if key in _CHOICES:
        return [[], *[[option] for option in said.options]]
    return [option.content for option in said.options]


def _is_tabs(key: str, said: Any) -> bool:
    return type(said).__name__ == "ButtonGroup" and not key.startswith(_OF_ALL_PAGES)


async def _in_time(page: Awaitable[float]) -> float:
    async with asyncio.timeout(LONGEST_SECONDS):
        return await page
