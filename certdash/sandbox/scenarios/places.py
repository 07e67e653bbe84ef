"""Where in an answer something is spoilt: everywhere, or in the first places, which are easy to find again.

Among the rows these are the first with a permalink; among the elements, the first that hold a certificate.
"""

from collections.abc import Callable
from typing import Any

from certdash.sandbox.scenarios.call import Answerer, Data, rearranged

#: Makes one JSON value of another.
Alter = Callable[[Any], Any]

#: As a new value: the key is left out.
GONE = object()


def instead(value: object) -> Alter:
    """This value, whatever was there."""
    return lambda _: value


def changed(**keys: object) -> Alter:
    """An object with other values for these keys."""
    return lambda thing: {key: value for key, value in (thing | keys).items() if value is not GONE}


def inside(key: str, alter: Alter) -> Alter:
    """An object whose value for this key is altered."""
    return lambda thing: thing | {key: alter(thing[key])}


def story(**keys: object) -> Alter:
    """An element with other values in the head of its story."""
    return inside("story", changed(**keys))


def certificate(**keys: object) -> Alter:
    """A row with other values in its certificate."""
    return inside("certificate", changed(**keys))


def in_rows(data: Data, *alters: Alter) -> Data:
    """The data with one alteration in each of the first rows, as far as there are any."""
    left = list(reversed(alters))
    for element in data:
        for index, row in enumerate(element["certificates"]):
            if left and row["certificate"]["url"]:
                element["certificates"][index] = left.pop()(row)
    return data


def rows(*alters: Alter) -> Answerer:
    """Each alteration in a row of its own."""
    return rearranged(lambda data: in_rows(data, *alters))


def elements(*alters: Alter) -> Answerer:
    """Each alteration in a story element of its own."""

    def on_data(data: Data) -> Data:
        left = list(reversed(alters))
        for index, element in enumerate(data):
            if left and element["certificates"]:
                data[index] = left.pop()(element)
        return data

    return rearranged(on_data)


def every_element(alter: Alter) -> Answerer:
    """The alteration in every story element."""
    return rearranged(lambda data: [alter(element) for element in data])


def every_row(alter: Alter) -> Answerer:
    """The alteration in every row."""
    return every_element(inside("certificates", lambda some: [alter(row) for row in some]))
