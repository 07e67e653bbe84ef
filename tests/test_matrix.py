"""The matrix: every cell is a count of exactly the certificates that it leads to, on the page and in its files."""

import csv
import gzip
import io
import random
import re
from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from django.http import QueryDict

from certdash.filters import CertificateFilter
from certdash.models import App, Certificate, Group, Membership
from certdash.views import matrix
from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db
DRAW = random.Random(5)
STATES = ("pending", "delivered", "delivered", "delivered", "Expired")


@pytest.fixture
def reader(client, cast):
    """Somebody who sees two apps that share a story's key and a group's name."""
    for app in (cast.demo, cast.other):
        people = [make_learner(app, f"Person {n}", "Ek", f"p{n}@example.com") for n in range(9)]
        stories = [make_story(app), make_story(app, "Première secours", "A-1", "assessment"), make_story(app, "", "B")]
        for number in range(90):
            fill(DRAW.choice(stories), DRAW.choice(people), number)
        make_story(app, "Without any", "C")
        make_group(app, "Managers", *people[:4])
        make_group(app, f"Group & Söhne of {app.slug}", *people[3:6])
        make_group(app, "Empty")
        gone = make_group(app, "Not tracked", *people)
        Group.objects.filter(pk=gone.pk).update(tracked=False)
        former = make_group(app, "Left", *people[:3])
        Membership.objects.filter(group=former).update(until=NOW)
    client.force_login(cast.superuser)
    return client


def fill(story, learner, number):
    make_certificate(
        story, learner, firstname=learner.name, lastname="", email=learner.email, state=DRAW.choice(STATES),
        country=DRAW.choice(["", "Brazil", "Perú"]), at=NOW - timedelta(days=DRAW.randrange(60)),
        initial=number % 3 > 0, withdrawn_at=NOW if number % 9 == 0 else None,
        out_of_scope_at=NOW if number % 11 == 0 else None,
    )  # fmt: skip


QUERIES = [
    "", "app=demo", "state=pending", "state=DELIVERED&state=Expired", "group=managers", "group=~none",
    "group=managers&group=~none", "group=managers&group=group-s%C3%B6hne-of-demo", "story=EV72-RQZY-80AH",
    "story=A-1&type=assessment&app=retail", "country=&country=Per%C3%BA", "q=p3", "withdrawn=all", "withdrawn=only",
    "pending_days=20", "awarded=30d&group=managers", "change=new",
]  # fmt: skip


def page_of(client, query="", path="/matrix/"):
    page = client.get(f"{path}?{query}")
    assert (page.status_code, page.context["ignored"]) == (200, []), query
    return page


def counted(url):
    """The certificates by state on the page that an address leads to, without making the page."""
    path, _, query = url.partition("?")
    apps = list(App.objects.all())
    there = CertificateFilter(QueryDict(query), Certificate.objects.of(apps), apps)
    assert (path, there.is_valid(), there.ignored) == ("/certificates/", True, [])
    return Counter(there.qs.values_list("state", flat=True))


def spots(page):
    grid = page.context["table"]
    return [spot for line in grid.lines for spot in line.spots] + ([*grid.sums] if grid.lines else [])


@pytest.mark.parametrize("query", QUERIES)
def test_every_cell_leads_to_exactly_the_certificates_that_it_counts(query, reader):
    some = spots(page_of(reader, query))
    assert [spot for spot in some if spot.url], query
    for spot in some:
        if spot.url:
            numbers = Counter(delivered=int(spot.delivered), pending=int(spot.pending))
            assert counted(spot.url) == +numbers, spot
        else:
            assert (spot.delivered, spot.pending) == ("0", "0")


def truth(app, story, group=None):
    """Delivered and pending of a story, and of a group of it, looked up one by one."""
    found = Counter()
    for one in Certificate.objects.filter(app=app, story=story, withdrawn_at=None, out_of_scope_at=None):
        inside = {open_one.group for open_one in one.learner.memberships.filter(until=None, group__tracked=True)}
        if group is None or (group in inside if group else not inside):
            found[one.state] += 1
    return (found["delivered"], found["pending"])


def test_the_cells_are_those_of_the_people_in_each_group(reader, cast):
    lines = page_of(reader).context["table"].lines
    heads = [head.name for head in page_of(reader).context["table"].heads]
    assert heads == ["Group & Söhne of demo", "Managers", "Group & Söhne of retail", "Managers"]
    groups = [*cast.demo.groups.filter(name__in=heads), *cast.other.groups.filter(name__in=heads)]
    assert len(lines) == 6
    for line in lines:
        app = cast.demo if line.head.note == "Demo Academy" else cast.other
        story = app.stories.get(name=line.head.name if line.head.name != "(no name)" else "")
        numbers = [(int(spot.delivered), int(spot.pending)) for spot in line.spots]
        assert numbers == [truth(app, story, group) for group in (*groups, False, None)]


def test_who_is_in_two_groups_counts_in_both_and_once_in_all(client, cast):
    one = make_certificate(make_story(cast.demo))
    for name in ("Managers", "Night shift"):
        make_group(cast.demo, name, one.learner)
    client.force_login(cast.viewer)
    line = page_of(client).context["table"].lines[0]
    assert [(spot.label, spot.delivered) for spot in line.spots] == [
        ("Managers", "1"), ("Night shift", "1"), ("in no tracked group", "0"), ("all", "1"),
    ]  # fmt: skip


def test_certificates_of_other_states_and_stories_without_any_other_are_left_out(client, cast):
    make_certificate(make_story(cast.demo), state="Expired")
    client.force_login(cast.viewer)
    html = page_of(client, "state=Expired").content.decode()
    assert "No delivered or pending certificate fits these filters" in html
    assert "Nothing here yet" in page_of(client).content.decode()


@pytest.mark.parametrize(
    ("delivered", "pending", "step"),
    [
        (0, 3, 1), (499, 501, 1), (1, 1, 2), (749, 251, 2), (3, 1, 3), (899, 101, 3),
        (9, 1, 4), (999_999, 1, 4), (1, 0, 5), (0, 0, 0),
    ],
)  # fmt: skip
def test_the_tint_is_the_share_delivered_and_the_last_is_that_nobody_is_left(delivered, pending, step):
    assert matrix.Cell(delivered, pending).step == step


# -- Files ------------------------------------------------------------------------------------------------------


def file_of(client, query=""):
    answer = client.get(f"/matrix/?{query}&_export=csv".replace("?&", "?"))
    assert answer.status_code == 200
    text = b"".join(answer).decode("utf-8-sig")
    assert text.startswith("app,story_id,story,group,delivered,pending\r\n")
    return list(csv.DictReader(io.StringIO(text)))


ORDERED = {"story": "ABC", "-certificates": "BAC", "-pending": "CAB", "delivered": "CAB"}


@pytest.mark.parametrize("order", ORDERED)
def test_the_file_has_the_stories_of_an_app_in_the_order_of_the_page(order, client, cast):
    for name, delivered, pending in (("A", 3, 1), ("B", 5, 0), ("C", 0, 2)):
        story = make_story(cast.demo, name, name)
        for state in ["delivered"] * delivered + ["pending"] * pending:
            make_certificate(story, state=state)
    client.force_login(cast.viewer)
    stories = "".join(dict.fromkeys(line["story"] for line in file_of(client, f"sort={order}")))
    assert stories.removesuffix("(all stories)") == ORDERED[order]
    lines = page_of(client, f"sort={order}").context["table"].lines
    assert "".join(line.head.name for line in lines) == ORDERED[order]


@pytest.mark.parametrize("query", ["", "group=managers&state=pending", "app=demo&group=~none", "q=p3&withdrawn=all"])
def test_the_file_holds_every_cell_of_the_page_and_its_sums(query, reader):
    page, lines = page_of(reader, query), file_of(reader, query)
    shown = Counter((spot.delivered, spot.pending) for line in page.context["table"].lines for spot in line.spots)
    del shown["0", "0"]
    of_stories = [line for line in lines if line["story"] != "(all stories)"]
    assert Counter((line["delivered"], line["pending"]) for line in of_stories) == shown
    assert f"Download {len(lines)} rows" in page.content.decode()
    sums = [line for line in lines if line["story"] == "(all stories)" and line["group"].startswith("(all")]
    total = sum(int(line["delivered"]) + int(line["pending"]) for line in sums)
    assert total == page.context["counted"] == sum(counted(page.context["table"].sums[-1].url).values())


def test_the_file_has_what_the_page_leaves_out(reader, monkeypatch):
    monkeypatch.setattr(matrix, "GROUPS", 1)
    monkeypatch.setattr(matrix, "STORIES", 2)
    page = page_of(reader, "sort=-pending")
    html = re.sub(r"\s+", " ", page.content.decode())
    assert (len(page.context["table"].lines), len(page.context["table"].heads)) == (2, 1)
    assert "The 1 largest group is shown. 3 more are in the download" in html
    assert "4 groups without any of these certificates are left out" in html
    assert len(file_of(reader)) == len(file_of(reader, "sort=-pending")) == page.context["rows"] > 12
    assert page_of(reader, "sort=-pending&page=3").context["table"].lines


@pytest.mark.parametrize("odd", ["sort=name", "page=0", "page=99", "per_page=7", "nonsense=1", "group=no-such"])
def test_a_page_says_what_it_left_out(odd, reader):
    assert reader.get(f"/matrix/?{odd}").context["ignored"] == [odd]


@pytest.mark.parametrize("odd", ["sort=name", "nonsense=1", "group=no-such", "_table=weeks"])
def test_a_file_refuses_what_means_nothing(odd, reader):
    assert reader.get(f"/matrix/?{odd}&_export=csv").status_code == 400


# -- The page ---------------------------------------------------------------------------------------------------


def test_the_stories_come_in_the_order_that_was_asked_for(client, cast):
    for name, delivered, pending in (("A", 3, 1), ("B", 0, 2), ("C", 5, 4)):
        story = make_story(cast.demo, name, name)
        for number in range(delivered + pending):
            make_certificate(story, state="pending" if number < pending else "delivered")
    client.force_login(cast.viewer)
    orders = {"": "ABC", "sort=-certificates": "CAB", "sort=-pending": "CBA", "sort=delivered": "BCA"}
    for query, names in orders.items():
        page = page_of(client, query)
        assert "".join(line.head.name for line in page.context["table"].lines) == names, query
    current = re.findall(r'aria-current="true">([^<]+)<', page.content.decode())
    assert current == ["least delivered"]


def test_an_order_and_the_filters_stay_with_each_other(reader):
    page = page_of(reader, "group=managers&sort=-pending")
    assert dict(parse_qsl(page.context["orders"][0]["url"].partition("?")[2])) == {"group": "managers", "sort": "story"}
    assert re.search(r'<input type="hidden"\s+form="filters"\s+name="sort"\s+value="-pending">', page.content.decode())
    for _, url in page.context["downloads"]:
        assert urlencode({"group": "managers", "sort": "-pending"}) in url


def test_chips_and_the_rail_are_those_of_the_certificates(reader):
    page = page_of(reader, "state=pending&group=managers")
    assert len(page.context["chips"]) == 2
    assert 'name="country"' in page.content.decode()
    reader.cookies["scripts"] = "1"
    assert "Counting" in page_of(reader, "state=pending").content.decode()
    part = reader.get("/matrix/?state=pending&_part=filters").content.decode()
    assert 'name="country"' in part
    assert "<html" not in part


def test_without_tracked_groups_it_says_how_they_come(client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    assert "No group is tracked yet" in page_of(client).content.decode()


def test_nobody_sees_cells_of_a_foreign_app(client, cast):
    make_certificate(make_story(cast.demo))
    world.make_foreign(cast.other)
    client.force_login(cast.viewer)
    assert world.FOREIGN not in page_of(client).content.decode().lower()
    assert {line["app"] for line in file_of(client)} == {"demo"}
    assert client.get("/matrix/?app=retail").context["ignored"] == ["app=retail"]


def test_a_large_page_is_light_on_the_wire(client, cast):
    groups = [make_group(cast.demo, f"A group of people, number {number}") for number in range(35)]
    stories = [make_story(cast.demo, f"A story of some length, number {n}", f"EV72-RQZY-{n}") for n in range(60)]
    world.make_many(cast.demo, 240, stories, groups)
    make_run(cast.demo)
    client.force_login(cast.viewer)
    page = client.get("/matrix/", headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    assert len(re.findall(rb"<td ", gzip.decompress(page.content))) > 750
    assert len(page.content) < 50_000
