"""Answers that are another one each time."""

from certdash.sandbox.scenarios.amounts import backwards, thinned
from certdash.sandbox.scenarios.call import Answerer, Call, Scenario, altered, rearranged
from certdash.sandbox.scenarios.places import certificate, changed, elements, every_row, instead, story
from certdash.sandbox.scenarios.refusals import refuse


def _every_other_time(answer: Answerer) -> Answerer:
    """The same question is answered so at first, then honestly, and so on."""
    return lambda call: call.honest() if call.repeat % 2 else answer(call)


def _asks_for_all(call: Call) -> bool:
    return not call.asked.get("groups")


FLAPPING = (
    Scenario("fails-every-other-time", "Every other call gets 500.", _every_other_time(refuse(500))),
    Scenario(
        "errs-every-other-time",
        "Every other call that asks for all gets status error in a 200.",
        _every_other_time(refuse(200, "Try again.")),
        when=_asks_for_all,
    ),
    Scenario("order-flaps", "The order is the opposite every other time.", _every_other_time(rearranged(backwards))),
    Scenario(
        "half-flaps",
        "Every other row is missing every other time.",
        _every_other_time(rearranged(lambda data: thinned(data, 2))),
    ),
    Scenario("all-flaps", "The data is empty every other time.", _every_other_time(rearranged(instead([])))),
    Scenario(
        "name-flaps",
        "One story has another name every other time.",
        _every_other_time(elements(story(name="Draft (2)"))),
    ),
    Scenario(
        "states-flap",
        "Every certificate is pending and without permalink every other time.",
        _every_other_time(every_row(certificate(state="pending", url=""))),
    ),
    Scenario(
        "hash-flaps",
        "The right data with another hash each time.",
        lambda call: altered(changed(hash=f"{call.number:032x}"))(call),
    ),
)
