"""No loop of a request asks the system for memory each time round, however deep it runs."""

import resource

from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory

from certdash.frames import roomy

ROUNDS = 200
DEPTHS = range(400)


def leaf() -> None:
    pass


def faults_at(depth: int) -> int:
    """How many pages of memory a loop of calls takes from the system, that many frames above."""
    if depth:
        return faults_at(depth - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(ROUNDS):
        leaf()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def worst() -> int:
    return max(faults_at(depth) for depth in DEPTHS)


def test_no_loop_of_a_request_takes_memory_each_time_round():
    found = []

    def view(_request):
        found.append(worst())
        return HttpResponse()

    roomy(view)(RequestFactory().get("/"))
    assert found[0] < ROUNDS / 2
    assert settings.MIDDLEWARE[0] == "certdash.frames.roomy"
