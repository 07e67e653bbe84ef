"""Right rows, but too many, too few, too old, of somebody else or in another order."""

from datetime import timedelta
from itertools import count
from random import Random

from werkzeug.wrappers import Response

from certdash.sandbox.accounts import RETAIL
from certdash.sandbox.app import SandboxApp
from certdash.sandbox.clock import Clock
from certdash.sandbox.scenarios.call import Call, Data, Scenario, altered, rearranged
from certdash.sandbox.scenarios.places import changed, every_element


def thinned(data: Data, step: int) -> Data:
    """The data without every second (third, …) row, counted over all stories."""
    number = count()
    return [
        element | {"certificates": [row for row in element["certificates"] if next(number) % step]} for element in data
    ]


def backwards(data: Data) -> Data:
    """The stories, and the rows of each, in the opposite order."""
    return [element | {"certificates": element["certificates"][::-1]} for element in data[::-1]]


def _split(data: Data) -> Data:
    """Each story as two elements with every other row each."""
    return [element | {"certificates": element["certificates"][k::2]} for k in (0, 1) for element in data]


def _repeated_rows(data: Data) -> Data:
    return [element | {"certificates": element["certificates"] * 3} for element in data]


def _without_one_story(data: Data) -> Data:
    first = next((element for element in data if element["certificates"]), None)
    return [element for element in data if element is not first]


def _shuffled(call: Call) -> Response:
    random = Random(call.number)

    def on_data(data: Data) -> Data:
        for element in data:
            random.shuffle(element["certificates"])
        random.shuffle(data)
        return data

    return rearranged(on_data)(call)


def _old(call: Call) -> Response:
    then = call.app.clock.now() - timedelta(days=30)
    return call.honest(SandboxApp(call.app.world, Clock(then)))


def _of_somebody_else(call: Call) -> Response:
    asked = {key: value for key, value in call.asked.items() if key != "app"}
    return call.honest(asked=asked, token=RETAIL.token)


AMOUNTS = (
    Scenario("stories-repeated", "Every story comes twice.", rearranged(lambda data: [*data, *data])),
    Scenario("stories-split", "Every story comes as two elements with half of its rows each.", rearranged(_split)),
    Scenario("rows-repeated", "Every row comes three times.", rearranged(_repeated_rows)),
    Scenario("shuffled", "Stories and rows come in another order each time.", _shuffled),
    Scenario("half-missing", "Every other row is missing.", rearranged(lambda data: thinned(data, 2))),
    Scenario("tenth-missing", "Every tenth row is missing.", rearranged(lambda data: thinned(data, 10))),
    Scenario("story-missing", "One story is missing with its rows.", rearranged(_without_one_story)),
    Scenario("no-data", "The data is an empty list.", rearranged(lambda _: [])),
    Scenario("no-certificates", "No story has a certificate.", every_element(changed(certificates=[]))),
    Scenario("hash-stuck", "The right data with the same hash each time.", altered(changed(hash="5cd3375ed2d332ca"))),
    Scenario("old", "The answer of 30 days ago.", _old),
    Scenario("of-somebody-else", "The data of another account.", _of_somebody_else),
)
