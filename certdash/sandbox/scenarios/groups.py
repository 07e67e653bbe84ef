"""Only the calls that ask who is in a group go wrong."""

from certdash.sandbox.scenarios.call import Answerer, Call, Scenario, rearranged
from certdash.sandbox.scenarios.connections import cut, silent
from certdash.sandbox.scenarios.places import instead, rows
from certdash.sandbox.scenarios.refusals import refuse


def _asks_for_a_group(call: Call) -> bool:
    return bool(call.asked.get("groups"))


def _asks_for_an_odd_group(call: Call) -> bool:
    names = call.asked.get("groups")
    return isinstance(names, list) and any(len(str(name)) % 2 for name in names)


def _group(name: str, description: str, answer: Answerer) -> Scenario:
    return Scenario(name, description, answer, when=_asks_for_a_group)


GROUPS = (
    _group("groups-fail", "Calls for a group get 500.", refuse(500)),
    Scenario(
        "groups-fail-odd",
        "Calls for a group whose name has an odd number of characters get 500.",
        refuse(500),
        when=_asks_for_an_odd_group,
    ),
    _group("groups-unknown", "Calls for a group get 400: it is not known.", refuse(400, "There is no such group.")),
    _group("groups-cut", "Answers for a group are cut in the middle.", cut),
    Scenario(
        "groups-silent",
        "Calls for a group whose name has an odd number of characters are never answered.",
        silent,
        when=_asks_for_an_odd_group,
    ),
    _group("groups-nobody", "Nobody comes back for a group.", rearranged(instead([]))),
    _group(
        "groups-ignored",
        "Calls for a group get everybody.",
        lambda call: call.honest(asked={key: value for key, value in call.asked.items() if key != "groups"}),
    ),
    _group("groups-row-null", "One row in the answer for a group is null.", rows(instead(None))),
)
