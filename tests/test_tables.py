"""Tables as markup: what assistive technology is told of their rows."""

import re

import pytest

from certdash.audit import note
from certdash.models import AuditKind, Change, Team
from tests import world
from tests.every_page import addresses, fill
from tests.world import NOW, make_certificate, make_group, make_run, make_story

pytestmark = pytest.mark.django_db
BODY = re.compile(r"<tbody.*?</tbody>", re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
HEAD = re.compile(r'<th scope="row"[^>]*>(.*?)</th>', re.DOTALL)


@pytest.fixture
def pages(client, cast):
    """Every page with a table, its rows of every kind, as a superuser reads them."""
    fill(cast.demo, 60)
    run = make_run(cast.demo, "held", missing=1)
    one = make_certificate(make_story(cast.demo), missing_in=run)
    make_group(cast.demo, "Missing", one.learner).memberships.update(missing_in=run)
    for kind, certificate in (("withdrawn", one), ("renamed", None)):
        told = {"story": one.story, "certificate": certificate, "seen_at": NOW}
        Change.objects.create(app=cast.demo, run=run, kind=kind, before={"name": "a"}, after={"name": "b"}, **told)
    world.make_view(cast.superuser, "Mine")
    Team.objects.create(name="Trainers")
    note(AuditKind.LOGIN, None, cast.superuser)
    client.force_login(cast.superuser)
    more = [f"/apps/demo/runs/{run.pk}/", f"/apps/demo/runs/{run.pk}/changes/", f"/apps/demo/runs/{run.pk}/members/"]
    more += [f"/{path}/" for path in ("views", "accounts/people", "accounts/teams", "accounts/audit")]
    return {address: client.get(address).content.decode() for address in [*addresses().values(), *more]}


def test_every_row_of_every_table_is_named_by_one_of_its_cells(pages):
    tables, rows = 0, 0
    for address, html in pages.items():
        for body in BODY.findall(html):
            tables += 1
            for row in ROW.findall(body):
                heads = HEAD.findall(row)
                assert len(heads) == 1, (address, row)
                assert re.sub(r"<[^>]*>", "", heads[0]).strip(), (address, row)
                rows += 1
    assert tables > 20
    assert rows > 200


def test_people_are_sorted_by_team_and_views_by_where_they_lead(client, cast):
    client.force_login(cast.superuser)
    for name, person in (("trainers", cast.viewer), ("Auditors", cast.owner)):
        Team.objects.create(name=name).members.add(person)
    for name, path, query in (("B", "/stories/", ""), ("C", "/certificates/", "q=a"), ("A", "/certificates/", "q=b")):
        world.make_view(cast.superuser, name, path, query)

    def shown(address, name):
        rows = client.get(address).context["table"].page.object_list
        return [getattr(row.record, name) for row in rows]

    last_two = [cast.owner.username, cast.viewer.username]
    assert shown("/accounts/people/?sort=teams", "username")[-2:] == last_two
    assert shown("/accounts/people/?sort=-teams", "username")[:2] == last_two[::-1]
    assert shown("/views/?sort=leads_to", "name") == ["C", "A", "B"]
