"""Numbers agree: what a page says of its rows, its facets, chart, tiles and files are counts of the same rows."""

import csv
import io
import json
import random
import re
from datetime import UTC, date, datetime, timedelta
from html import escape, unescape
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from certdash.filters import CertificateFilter
from certdash.models import App, Certificate, Group, Story
from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_story

pytestmark = pytest.mark.django_db
DRAW = random.Random(11)


@pytest.fixture
def reader(client, cast):
    """Somebody who sees both apps, which share a story and the name of a group."""
    for app in (cast.demo, cast.other):
        stories = [make_story(app), make_story(app, "Première secours", "AAAA-1111-BBBB", "assessment")]
        stories.append(make_story(app, f"Only {app.slug}", "", "quiz"))
        people = [make_learner(app, f"Person {n}", "Ek", f"p{n}@example.com") for n in range(8)]
        for number in range(60):
            fill(DRAW.choice(stories), DRAW.choice(people), number)
        make_group(app, "Managers", *people[:4])
        make_group(app, f"Group of {app.slug}", *people[3:6])
    # Two stories of one ID whose names only differ in their marks, in one of the apps.
    for name in ("Fire safety!", "Fire safety?"):
        fill(make_story(cast.other, name), people[0], 1)
    client.force_login(cast.superuser)
    return client


def fill(story, learner, number):
    make_certificate(
        story, learner, firstname=learner.name, lastname="", email=learner.email,
        state=DRAW.choice(["pending", "delivered", "delivered", "Expired", "expired"]),
        country=DRAW.choice(["", "Brazil", "brazil", "Perú"]), city=DRAW.choice(["", "Lima", "São Paulo"]),
        at=NOW - timedelta(days=DRAW.randrange(200), hours=DRAW.randrange(24)), initial=number % 3 > 0,
        withdrawn_at=NOW if number % 9 == 0 else None,
    )  # fmt: skip


FILTERS = [
    "app=demo", "app=retail", "app=demo&app=retail", "state=pending", "state=delivered&state=expired", "country=",
    "country=Brazil", "awarded=30d", "city=&city=Lima", "q=person", "q=p3", "group=managers", "group=~none",
    "group=managers&group=~none", "story=EV72-RQZY-80AH", "story=EV72-RQZY-80AH~fire-safety", "type=assessment",
    "type=quiz&type=story", "withdrawn=all", "withdrawn=only", "pending_days=30", "change=new",
    f"awarded_from={NOW - timedelta(days=90):%Y-%m-%d}", f"awarded_to={NOW - timedelta(days=20):%Y-%m-%d}",
]  # fmt: skip
COMBINED = ["", *("&".join(DRAW.sample(FILTERS, DRAW.randrange(1, 4))) for _ in range(8))]


def page_of(client, query="", path="/certificates/"):
    response = client.get(f"{path}?{query}")
    assert response.status_code == 200
    assert [part for part in response.context["ignored"] if not part.startswith(ONCE)] == [], query
    return response


# Names that a drawn combination may hold twice; a page leaves both out, and the rest must still agree.
ONCE = ("q=", "withdrawn=", "awarded_")


@pytest.mark.parametrize("query", COMBINED)
def test_every_value_of_every_facet_counts_the_rows_that_it_leads_to(query, reader):
    page = page_of(reader, query)
    kept = [(name, value) for name, value in page.context["filters"].active]
    for facet in page.context["facets"]:
        others = [pair for pair in kept if pair[0] != facet.name]
        for value in (*facet.values, *facet.more):
            there = filtered([*others, (facet.name, value.value)])
            assert (there.ignored, there.qs.count()) == ([], value.count), (facet.name, value)


def filtered(pairs):
    """What the page of these filters shows, without making the page."""
    apps = list(App.objects.all())
    return CertificateFilter(QueryDict(urlencode(pairs)), Certificate.objects.of(apps), apps)


@pytest.mark.parametrize("query", COMBINED)
def test_page_facets_and_files_agree(query, reader):
    page = page_of(reader, query)
    rows = page.context["rows"]
    links = dict(page.context["downloads"])
    cells = list(csv.DictReader(io.StringIO(text_of(reader.get(links["csv"])).removeprefix("\ufeff"))))
    objects = [json.loads(line) for line in text_of(reader.get(links["jsonl"])).splitlines()]
    assert (len(cells), len(objects)) == (rows, rows)
    assert (f"Download {rows:,} row" if rows else "No row to download") in page.content.decode()
    for facet in page.context["facets"]:
        checked = any(value.checked for value in facet.values)
        if facet.name in ("state", "country", "city") and not checked:
            assert sum(value.count for value in (*facet.values, *facet.more)) == rows


def text_of(response):
    assert response.status_code == 200
    return b"".join(response).decode()


@pytest.mark.parametrize("query", COMBINED)
def test_taking_a_chip_away_is_the_address_without_it(query, reader):
    page = page_of(reader, query)
    active = page.context["filters"].active
    assert len(page.context["chips"]) == len(active)
    for chip, pair in zip(page.context["chips"], active, strict=True):
        without = reader.get(chip["url"]).context["filters"].active
        assert without == [other for other in active if other != pair]


def test_a_key_that_two_apps_share_is_one_value_that_counts_both(reader):
    facets = {facet.name: facet for facet in page_of(reader).context["facets"]}
    for facet in facets.values():
        values = [value.value for value in (*facet.values, *facet.more)]
        assert len(values) == len(set(values)), facet.name
    labels = [value.label for value in facets["group"].values]
    assert labels.count("Managers") == 1


def test_stories_of_one_name_and_two_keys_tell_their_app(reader, cast):
    fill(make_story(cast.demo, "Only retail", "CCCC"), cast.demo.learners.first(), 1)
    stories = next(facet for facet in page_of(reader).context["facets"] if facet.name == "story")
    labels = {value.label for value in stories.values}
    assert {"Only retail (Demo Academy)", "Only retail (Retail Academy)"} <= labels


def test_what_is_chosen_comes_first_then_the_most_frequent(reader):
    facet = next(one for one in page_of(reader, "country=Per%C3%BA").context["facets"] if one.name == "country")
    assert [value.checked for value in facet.values] == [True, False, False, False]
    counts = [value.count for value in facet.values[1:]]
    assert counts == sorted(counts, reverse=True)


def test_a_long_facet_shows_eight_offers_fifty_and_tells_how_to_get_at_the_rest(client, cast):
    world.make_many(cast.demo, 70, [make_story(cast.demo)])
    client.force_login(cast.viewer)
    facet = next(one for one in page_of(client).context["facets"] if one.name == "country")
    assert (len(facet.values), len(facet.more), facet.left_out) == (8, 42, 10)
    assert "10 rarer ones are found by their names" in client.get("/certificates/").content.decode()


def test_the_filter_form_keeps_what_it_has_no_field_for(reader):
    pk = Certificate.objects.live().first().pk
    asked = f"change=new&change=changed&changed_from=2020-01-01T00:00&id={pk}"
    html = page_of(reader, asked).content.decode()
    form = re.search(r'<form id="filters".*?</form>', html, re.DOTALL)[0]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    assert hidden == [("change", "changed"), ("changed_from", "2020-01-01T00:00"), ("id", f"{pk}")]
    assert re.findall(r'name="change"\s+value="(\w+)"\s+checked', form) == ["new"]


@pytest.mark.parametrize(
    ("asked", "kinds"), [("2020-01-01", ["date"]), ("2020-01-01T00:00", ["hidden"]), ("", ["date"])]
)
def test_a_day_since_when_has_a_field_and_a_moment_stays_as_it_is(reader, asked, kinds):
    html = page_of(reader, f"changed_from={asked}").content.decode()
    form = re.search(r'<form id="filters".*?</form>', html, re.DOTALL)[0]
    fields = re.findall(r'<input [^>]*name="changed_from"[^>]*>', form)
    assert [re.search(r'type="(\w+)"', one)[1] for one in fields] == kinds
    assert all(f'value="{asked}"' in one for one in fields)


# -- In a second request ----------------------------------------------------------------------------------------


def values_of(context):
    return {(facet.name, one.value): (one.count, one.checked) for facet in context["facets"] for one in facet.values}


@pytest.mark.parametrize("query", ["", "state=pending&country=&group=managers", "story=EV72-RQZY-80AH&app=demo"])
def test_where_scripts_run_the_page_shows_what_is_chosen_and_the_counts_come_after(query, reader):
    whole = page_of(reader, query)
    reader.cookies["scripts"] = "1"
    page = page_of(reader, query)
    assert page.context["chips"] == whole.context["chips"]
    known = {pair: (None, checked) for pair, (_, checked) in values_of(whole.context).items() if checked}
    known |= {pair: value for pair, value in values_of(page.context).items() if pair[0] == "state"}
    assert values_of(page.context) == known
    address = unescape(re.search(r'hx-get="([^"]+_part=filters)"', page.content.decode())[1])
    part = reader.get(address)
    assert values_of(part.context) == values_of(whole.context) | {
        pair: (0, False) for pair in known if pair not in values_of(whole.context)
    }
    assert "<html" not in part.content.decode()


def test_where_scripts_run_no_more_a_link_leads_to_all_values_for_good(reader):
    reader.cookies["scripts"] = "1"
    address = re.search(r'<a href="([^"]+_part=page)">Show all values', page_of(reader).content.decode())[1]
    assert len(values_of(page_of(reader, address.partition("?")[2]).context)) > 10
    assert len(values_of(page_of(reader).context)) > 10


def test_an_unknown_part_is_the_page(reader):
    assert page_of(reader, "_part=nonsense").context["rows"]


# -- Choices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("7d", "2026-05-11"),
        ("30d", "2026-04-18"),
        ("90d", "2026-02-17"),
        ("quarter", "2026-04-01"),
        ("year", "2026-01-01"),
    ],
)
def test_a_period_begins_on_its_first_day(word, first, reader, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 5, 17, 23, 30, tzinfo=UTC))
    some = Certificate.objects.order_by("pk")[0]
    for at, inside in (
        (f"{first}T00:00:00+00:00", True),
        (f"{date.fromisoformat(first) - timedelta(days=1)}T23:59:59+00:00", False),
    ):
        Certificate.objects.filter(pk=some.pk).update(timestamp=at, withdrawn_at=None)
        assert filtered([("awarded", word)]).qs.filter(pk=some.pk).exists() is inside


def test_a_choice_is_checked_and_one_of_the_address_is_among_them(reader):
    context = page_of(reader, "awarded=quarter&pending_days=21").context
    assert [one.value for one in context["periods"] if one.checked] == ["quarter"]
    assert [(one.value, one.checked) for one in context["waiting"]] == [
        ("", False), ("7", False), ("14", False), ("21", True), ("30", False),
    ]  # fmt: skip
    assert [chip["label"] for chip in context["chips"]] == ["awarded: this quarter", "pending for 21 days or more"]


def test_a_form_without_scripts_sends_its_empty_fields_too(reader):
    context = page_of(reader, "q=&awarded=&awarded_from=&awarded_to=&pending_days=&withdrawn=").context
    assert [one.value for one in (*context["periods"], *context["waiting"]) if one.checked] == ["", ""]


def test_an_unknown_period_is_ignored_by_the_page_and_refused_for_a_file(reader):
    page = reader.get("/certificates/?awarded=fortnight")
    assert page.context["ignored"] == ["awarded=fortnight"]
    assert reader.get("/certificates/?awarded=fortnight&_export=csv").status_code == 400


# -- Tiles, charts and breakdowns -------------------------------------------------------------------------------


def figures(text):
    """The whole numbers of a text, without their thousands' marks."""
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]


def test_every_tile_leads_to_exactly_the_rows_it_counts(reader):
    for tile in reader.get("/").context["tiles"]:
        assert page_of(reader, tile["url"].partition("?")[2]).context["rows"] == figures(tile["number"])[0], tile


def chart_pages(cast):
    story, group = Story.objects.filter(app=cast.demo).first(), Group.objects.filter(app=cast.demo).first()
    return ["/", f"/stories/demo/{story.key}/", f"/groups/demo/{group.key}/"]


def test_every_bar_leads_to_exactly_the_rows_it_counts(reader, cast):
    for path in chart_pages(cast):
        bars = reader.get(path).context["chart"].bars
        assert len(bars) == 26
        for bar in bars[1::4]:
            _, delivered, pending = figures(bar.title.partition(":")[0])[1], *figures(bar.title.partition(":")[2])
            assert reader.get(bar.url).context["rows"] == delivered + pending, bar.title


def test_a_bar_of_a_week_in_which_the_clocks_change_leads_to_its_rows(client, cast, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    make_certificate(make_story(cast.demo), at=NOW - timedelta(weeks=5, days=NOW.weekday()))
    client.force_login(cast.viewer)
    for bar in client.get("/").context["chart"].bars:
        assert client.get(bar.url).context["rows"] == sum(figures(bar.title.partition(":")[2])), bar.title


def test_every_line_of_a_breakdown_leads_to_its_rows(reader, cast):
    for path in chart_pages(cast)[1:]:
        lines = reader.get(path).context["breakdown"]
        assert lines
        for line in lines:
            there = reader.get(line["url"])
            assert there.context["ignored"] == []
            assert there.context["rows"] == line["counts"].total, line


def test_the_numbers_in_the_head_of_a_page_lead_to_their_rows_and_the_most_pending_line_is_first(reader, cast):
    led = set()
    for path in chart_pages(cast)[1:]:
        page = reader.get(path)
        numbers, pending = page.context["numbers"], [line["counts"].pending for line in page.context["breakdown"]]
        assert pending == sorted(pending, reverse=True)
        for name, url in page.context["rows_of"].items():
            assert (f'href="{escape(url)}"' in page.content.decode()) == bool(getattr(numbers, name))
            assert reader.get(url).context["rows"] == getattr(numbers, name), url
            led |= {name} if getattr(numbers, name) else set()
    assert led == {"delivered", "pending", "overdue"}


@pytest.mark.parametrize("path", ["stories", "groups", "people"])
def test_the_pending_of_a_list_are_links_to_their_rows(path, reader):
    linked = 0
    for row in reader.get(f"/{path}/").context["table"].page.object_list:
        cell, pending = str(row.get_cell("pending")), row.record.pending
        assert ("href" in cell) == bool(pending)
        if pending:
            url = unescape(re.search(r'href="([^"]+)"', cell)[1])
            assert reader.get(url).context["rows"] == pending
            linked += 1
    assert linked


@pytest.mark.parametrize("path", ["stories", "groups", "people", "apps"])
def test_the_numbers_of_a_list_are_those_of_the_pages_it_leads_to(path, reader):
    for row in reader.get(f"/{path}/").context["table"].page.object_list:
        address = f"/apps/{row.record.slug}/" if path == "apps" else address_of(row)
        numbers = reader.get(address).context["numbers"]
        if path == "apps":
            assert row.record.certificates_now == numbers.total
        else:
            counted = (row.record.total, row.record.delivered, row.record.pending)
            assert counted == numbers[:3], address


def address_of(row):
    return unescape(re.search(r'href="([^"]+)"', str(row.get_cell("name")))[1])


def test_a_detail_page_says_of_how_many_its_rows_are(reader, cast):
    story = Story.objects.filter(app=cast.demo).first()
    page = page_of(reader, "state=pending", f"/stories/demo/{story.key}/")
    assert page.context["of"] == page.context["numbers"].total
    assert page.context["rows"] == page.context["numbers"].pending


def test_a_type_in_any_case_narrows_the_counts_as_it_narrows_the_rows(client, cast):
    for kind in ("story", "survey"):
        make_certificate(make_story(cast.demo, f"A {kind}", vendor_id=kind, type=kind), country=f"Land of the {kind}")
    client.force_login(cast.viewer)
    context = client.get("/certificates/?type=STORY").context
    facets = {facet.name: {one.label: (one.count, one.checked) for one in facet.values} for facet in context["facets"]}
    assert context["rows"] == 1
    assert facets["country"] == {"Land of the story": (1, False)}
    assert facets["type"] == {"Story": (1, True), "Survey": (1, False)}
