"""Certificates to filter."""

from datetime import timedelta

import pytest

from certdash.models import App
from tests import world
from tests.world import NOW, make_certificate, make_group, make_story


@pytest.fixture
def demo() -> App:
    return world.make_app("demo")


@pytest.fixture
def rows(demo: App) -> App:
    """Six certificates that differ in everything one can filter by."""
    other = world.make_app("other")
    fire, first_aid = make_story(demo), make_story(demo, "Première secours", "AAAA-1111-BBBB", "assessment")
    same = make_story(other)  # the same key as in the first app
    ana = {"firstname": "Ana", "lastname": "Souza", "email": "ana@example.com"}
    bjorn = {"firstname": "Björn", "lastname": "Øster-Ek", "email": "Bjorn.Ek@Example.com", "country": "Sweden"}
    nobody = {"firstname": "", "lastname": "", "email": "", "country": "", "city": ""}
    make_certificate(fire, telephone="1", **ana, state="pending")
    make_certificate(first_aid, telephone="2", **ana, city="Rio")
    make_certificate(fire, telephone="3", **bjorn, city="Malmö", state="expired")
    make_certificate(first_aid, telephone="4", **bjorn, city="", state="pending", at=NOW - timedelta(days=2, minutes=2))
    make_certificate(fire, telephone="5", **nobody, withdrawn_at=NOW)
    make_certificate(same, telephone="6", **ana, country="brazil")
    learners = {one.email: one for one in demo.learners.all()}
    make_group(demo, "Sales & Partners", learners["ana@example.com"])
    make_group(demo, "Engineering", learners["ana@example.com"], learners["Bjorn.Ek@Example.com"])
    return demo
