"""What is counted over arrays of changes is what a walk through each deal finds, change by change."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_metrics.pipeline.conversion import statistic
from crm_metrics.pipeline.deals.told import LOST, NO_STAGE, OPEN, WON, Told, firsts
from crm_metrics.pipeline.funnel import paths

STAGES = ("Haggle", "Offer", "Talk", "Won")
PLACES = {"Talk": 0.0, "Offer": 1.0, "Haggle": 2.0}
ORDERS = pd.DataFrame({"stage": ["Talk", "Offer", "Haggle", "Won"], "stage_order": [1, 2, 3, None]})
TODAY = 30
SEEDS = pytest.mark.parametrize("seed", range(5))


def drawn(seed: int) -> Told:
    """Up to six changes of each of 40 deals: any stage or none, any outcome."""
    draw = np.random.default_rng(seed)
    number = np.repeat(np.arange(1, 41), draw.integers(0, 7, 40))
    day = np.concatenate([np.sort(draw.integers(0, TODAY, (number == one).sum())) for one in range(1, 41)])
    stage, outcome = draw.integers(NO_STAGE, len(STAGES), len(number)), draw.choice([OPEN, OPEN, OPEN, WON, LOST], len(number))
    return Told(number, day, stage, outcome, draw.random(len(number)) < 0.1, firsts(number), STAGES)


def deals_of(told: Told) -> dict[int, list[tuple[int, str | None, int, bool]]]:
    """The changes of each deal: day, stage, outcome, is_end."""
    found: dict[int, list[tuple[int, str | None, int, bool]]] = {}
    for number, day, stage, outcome, is_end in zip(told.deal_number, told.day, told.stage, told.outcome, told.is_end, strict=True):
        found.setdefault(int(number), []).append((int(day), STAGES[stage] if stage >= 0 else None, int(outcome), bool(is_end)))
    return found


def walked(changes: list[tuple[int, str | None, int, bool]]) -> dict[str, int]:
    """What paths.paths says of one deal."""
    found = dict.fromkeys(("visited", "visited_first", "lost_first", "won_first", "went_back", "reopened"), 0)
    closings, before = 0, None
    for change in changes:
        _, stage, outcome, _ = change
        place = PLACES.get(stage or "")
        closings += outcome != OPEN
        bit = 0 if place is None else 2 ** int(place)
        found["visited"] |= bit
        found["visited_first"] |= bit if not closings else 0
        found["lost_first"] |= closings == 1 and outcome == LOST
        found["won_first"] |= closings == 1 and outcome == WON
        if before is not None:
            place_before = PLACES.get(before[1] or "")
            found["went_back"] |= place is not None and place_before is not None and place < place_before
            found["reopened"] |= outcome == OPEN and before[2] != OPEN
        before = change
    return found


@SEEDS
def test_the_way_of_each_deal_is_that_of_a_walk_through_its_changes(seed):
    told, numbers = drawn(seed), np.arange(1, 41, 2)  # of every second deal
    found, deals = paths.paths(told, numbers, PLACES), deals_of(told)
    expected = [walked(deals.get(int(number), [])) for number in numbers]
    for name, values in found.items():
        assert values.tolist() == [one[name] for one in expected], name


@SEEDS
def test_a_deal_counts_once_for_each_move_that_it_made(seed):
    told = drawn(seed)
    expected: dict[tuple[str, str, str], set[int]] = {}
    for number, changes in deals_of(told).items():
        before = None
        for _, stage, outcome, is_end in changes:
            if stage is not None and (not is_end if before is None else before != stage):
                expected.setdefault((before or "", stage, ("open", "won", "lost")[outcome]), set()).add(number)
            before = stage or before
    rows = paths.move_counts(told, np.arange(1, 41))
    found = zip(rows["from_stage"].fillna(""), rows["to_stage"], rows["outcome"], strict=True)
    assert dict(zip(found, rows["deals"], strict=True)) == {kind: len(numbers) for kind, numbers in expected.items()}


@SEEDS
def test_stays_are_those_of_a_walk_through_each_deal(seed):
    told = drawn(seed)
    orders = ORDERS.set_index("stage")["stage_order"]
    expected: list[tuple[str, int, str, bool, int]] = []
    for number, changes in deals_of(told).items():
        moves = [one for place, one in enumerate(changes) if not place or one[1:3] != changes[place - 1][1:3]]
        for (day, stage, outcome, _), after in zip(moves, [*moves[1:], None], strict=True):
            if outcome == OPEN and stage is not None:
                is_back = after is not None and after[2] == OPEN and orders.get(after[1], np.nan) < orders[stage]
                how = "censored" if after is None else "lost" if after[2] == LOST else "back" if is_back else "passed"
                is_of_period = 5 <= changes[0][0] <= 20
                expected.append((stage, (after[0] if after else TODAY) - day, how, is_of_period, 0 if after else number))
    period = (date(1970, 1, 6), date(1970, 1, 21))
    rows = statistic.stays(told, ORDERS, date(1970, 1, 31), period)
    told_of = zip(rows["stage"], rows["duration"], rows["how"], rows["is_of_period"], rows["deal_number"].fillna(0), strict=True)
    found = [one for one, stays in zip(told_of, rows["stays"], strict=True) for _ in range(stays)]
    assert sorted(found) == sorted(expected)


def test_of_no_changes_nothing_is_counted():
    nothing = np.zeros(0, dtype=np.int64)
    told = Told(nothing, nothing, nothing, nothing, nothing > 0, nothing > 0, ())
    assert paths.paths(told, np.array([1, 2]), {})["visited"].tolist() == [0, 0]
    assert paths.move_counts(told, np.array([1, 2])).empty
    assert statistic.stays(told, ORDERS, date(2024, 1, 1), (None, None)).empty
