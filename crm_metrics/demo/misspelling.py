"""How the clerks of the office system misspell names: the kinds of errors, how often each happens, and the errors themselves."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crm_metrics.demo import names
from crm_metrics.demo.draws import by_shares
from crm_metrics.demo.names import Companies, People
from crm_metrics.demo.world import Booleans, Floats, Integers

ENGLISH_PERSON_ERRORS = {"transposed letters": 0.35, "dropped letter": 0.30, "swapped names": 0.20, "initial only": 0.15}
CHINESE_PERSON_ERRORS = {"homophone": 0.50, "in Latin letters": 0.35, "in Latin letters, swapped": 0.15}
ENGLISH_COMPANY_ERRORS = {"another ending": 0.40, "transposed letters": 0.35, "dropped letter": 0.25}
CHINESE_COMPANY_ERRORS = {"homophone": 0.40, "another ending": 0.35, "in Latin letters": 0.25}
ERRORS = {
    "English person": ENGLISH_PERSON_ERRORS,
    "Chinese person": CHINESE_PERSON_ERRORS,
    "English company": ENGLISH_COMPANY_ERRORS,
    "Chinese company": CHINESE_COMPANY_ERRORS,
}
_SHORT_ENDING, _LONG_ENDING = "公司", "Limited"  # for 有限公司 and Ltd

Words = npt.NDArray[np.str_]


class Luck(NamedTuple):
    """Numbers between 0 and 1, one element per name: which kind of error, and where in the name."""

    kind: Floats
    place: Floats

    @classmethod
    def drawn(cls, random: np.random.Generator, count: int) -> "Luck":
        """Return the luck of `count` names."""
        return cls(random.random(count), random.random(count))


def misspelt_people(persons: People, luck: Luck) -> pa.Array:
    """Return the persons' names with one error each."""
    proper = _words(names.written(persons))
    english = {
        "transposed letters": transposed(proper, luck.place),
        "dropped letter": dropped(proper, luck.place),
        "swapped names": _words(names.swapped(persons)),
        "initial only": _words(names.with_initial(persons)),
    }
    chinese = {
        "homophone": _words(names.written(persons.mistaken())),
        "in Latin letters": _words(names.in_latin(persons)),
        "in Latin letters, swapped": _words(names.swapped(persons)),
    }
    return pa.array(
        np.where(persons.is_english, _by_lot(luck.kind, english, ENGLISH_PERSON_ERRORS), _by_lot(luck.kind, chinese, CHINESE_PERSON_ERRORS))
    )


def misspelt_companies(firms: Companies, luck: Luck) -> pa.Array:
    """Return the companies' names with one error each; of a bilingual name only one language."""
    in_latin = _words(names.in_english(firms))
    english = {
        "another ending": _words(names.in_english(firms, english_ending=_LONG_ENDING)),
        "transposed letters": transposed(in_latin, luck.place),
        "dropped letter": dropped(in_latin, luck.place),
    }
    chinese = {
        "homophone": _words(names.in_characters(firms.mistaken())),
        "another ending": _words(names.in_characters(firms, ending=_SHORT_ENDING)),
        "in Latin letters": in_latin,
    }
    return pa.array(
        np.where(firms.is_english, _by_lot(luck.kind, english, ENGLISH_COMPANY_ERRORS), _by_lot(luck.kind, chinese, CHINESE_COMPANY_ERRORS))
    )


def _by_lot(luck: Floats, spellings: dict[str, Words], shares: dict[str, float]) -> Words:
    """Return for each name one of its spellings."""
    return np.choose(by_shares(luck, list(shares.values())), [spellings[error] for error in shares])


def transposed(words: Words, luck: Floats) -> Words:
    """Return the words with two neighbouring small letters changed round, different ones; unchanged where there are none.

    luck: between 0 and 1 for each word; says which two.

    >>> transposed(np.array(["John Smith", "Bo"]), np.array([0.0, 0.5])).tolist()
    ['Jhon Smith', 'Bo']
    """
    letters = _letters(words)
    is_small = _is_small(letters)
    can_change = is_small[:, :-1] & is_small[:, 1:] & (letters[:, :-1] != letters[:, 1:])
    place = _chosen(can_change, luck)
    row = np.flatnonzero(can_change.any(axis=1))
    changed = letters.copy()
    changed[row, place[row]], changed[row, place[row] + 1] = letters[row, place[row] + 1], letters[row, place[row]]
    return _joined(changed)


def dropped(words: Words, luck: Floats) -> Words:
    """Return the words with one small letter left out; unchanged where there is none.

    >>> dropped(np.array(["John Smith"]), np.array([0.99])).tolist()
    ['John Smit']
    """
    letters = _letters(words)
    is_small = _is_small(letters)
    column = np.arange(letters.shape[1])
    place = np.where(is_small.any(axis=1), _chosen(is_small, luck), letters.shape[1])
    padded = np.column_stack([letters, np.zeros(len(letters), dtype=letters.dtype)])
    return _joined(np.take_along_axis(padded, column + (column >= place[:, None]), axis=1))


def _chosen(can_be: Booleans, luck: Floats) -> Integers:
    """Return for each row one of the columns that are true; 0 where none is."""
    counted = np.cumsum(can_be, axis=1)
    wanted = np.floor(luck * counted[:, -1]).astype(np.int64) + 1
    return np.argmax(counted >= wanted[:, None], axis=1)


def _is_small(letters: npt.NDArray[np.uint32]) -> Booleans:
    return (letters >= ord("a")) & (letters <= ord("z"))


def _letters(words: Words) -> npt.NDArray[np.uint32]:
    """Return one row of character codes per word, two at least, filled up with 0."""
    width = max(2, words.dtype.itemsize // 4)
    return words.astype(f"<U{width}").view(np.uint32).reshape(len(words), width)


def _joined(letters: npt.NDArray[np.uint32]) -> Words:
    return np.ascontiguousarray(letters).view(f"<U{letters.shape[1]}").ravel()


def _words(names_written: pa.Array) -> Words:
    return np.array(names_written.to_pylist(), dtype=np.str_)
