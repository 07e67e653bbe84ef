"""What changed in a run: its page, its file, and the certificates that an address finds by a run."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict

from certdash.filters import CertificateFilter
from certdash.models import Certificate, Change, User
from tests import world
from tests.reading import text_of
from tests.world import NOW, make_certificate, make_run, make_story

pytestmark = pytest.mark.django_db
Kind = Change.Kind


@pytest.fixture
def as_viewer(client, cast):
    client.force_login(cast.viewer)
    return client


@pytest.fixture
def run(cast):
    return make_run(cast.demo, created=2)


def make_change(run, kind, certificate=None, *, before=None, after=None, at=NOW):
    certificate = certificate or make_certificate(make_story(run.app), telephone=kind)
    return Change.objects.create(
        app=run.app, run=run, story=certificate.story, certificate=None if kind == Kind.RENAMED else certificate,
        kind=kind, seen_at=at, before=before or {}, after=after or {},
    )  # fmt: skip


def address_of(run, query=""):
    return f"/apps/{run.app.slug}/runs/{run.pk}/changes/{query}"


def file_of(client, run, query="", file_format="jsonl"):
    response = client.get(address_of(run, f"?_export={file_format}{query}"))
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    return [json.loads(line) for line in lines] if file_format == "jsonl" else lines


# -- The page ---------------------------------------------------------------------------------------------------

WHAT = [
    (Kind.DELIVERED, {"state": "pending"}, {"state": "delivered"}, "State Pending → became Delivered"),
    (Kind.STATE, {"state": "delivered"}, {"state": "on hold"}, "State Delivered → became on hold"),
    (Kind.LINK, {"url": ""}, {"url": "https://c.example/1"}, "Link (empty) → became https://c.example/1"),
    (Kind.LINK, {"url": "<c>"}, {"url": ""}, "Link &lt;c&gt; → became (empty)"),
    (
        Kind.DETAILS,
        {"firstname": "Ana", "city": "x"},
        {"firstname": "Anna", "city": "y"},
        "First name Ana → became Anna",
    ),
    (Kind.DETAILS, {"firstname": "Ana", "city": "x"}, {"firstname": "Anna", "city": "y"}, "City x → became y"),
    (Kind.RENAMED, {"name": "Fire"}, {"name": "Fire safety"}, "Name Fire → became Fire safety"),
    (Kind.WITHDRAWN, {}, {}, "Fire safety No longer in the vendor’s answer."),
    (Kind.OUTSIDE, {}, {}, "Fire safety Not asked for any more."),
    (Kind.RETURNED, {}, {}, "Fire safety In the vendor’s answer again."),
]


@pytest.mark.parametrize(("kind", "before", "after", "words"), WHAT)
def test_a_change_is_told_field_by_field_in_words(kind, before, after, words, run, as_viewer):
    make_change(run, kind, before=before, after=after)
    for address in (address_of(run), f"/apps/demo/runs/{run.pk}/"):
        page = as_viewer.get(address)
        assert words in text_of(page)
        assert f"<bdi>{kind.label}</bdi>" in page.content.decode()


def test_moments_are_told_in_the_readers_time_zone(run, as_viewer):
    before, after = "2026-07-01T22:30:00+00:00", "2026-07-02T06:00:00+00:00"
    make_change(run, Kind.TIMESTAMP, before={"timestamp": before}, after={"timestamp": after})
    User.objects.update(time_zone="Europe/Berlin")
    text = text_of(as_viewer.get(address_of(run)))
    assert "Timestamp 2 Jul 2026, 00:30:00 CEST → became 2 Jul 2026, 08:00:00 CEST" in text


def test_person_and_story_are_links_and_the_vendors_text_stays_text(run, as_viewer):
    certificate = make_certificate(make_story(run.app))
    make_change(run, Kind.LINK, certificate, before={"url": "https://c.example/1"}, after={"url": "javascript:x"})
    make_change(run, Kind.DETAILS, certificate, before={"city": "\u202e<b>"}, after={"city": "x" * 500})
    html = as_viewer.get(address_of(run)).content.decode()
    assert f'href="/people/{certificate.learner_id}/"' in html
    assert f'href="/stories/demo/{certificate.story.key}/"' in html
    assert 'href="javascript' not in html
    assert '<bdi title="\u202e&lt;b&gt;">\u202e&lt;b&gt;</bdi>' in html
    assert f'<bdi title="{"x" * 199}…">{"x" * 79}…</bdi>' in html


def test_changes_are_listed_newest_first_and_in_pages(run, as_viewer):
    made = [make_change(run, Kind.DETAILS, at=NOW + timedelta(seconds=number)).pk for number in range(5)]

    def shown(query):
        return [row.record.change.pk for row in as_viewer.get(address_of(run, query)).context["table"].page.object_list]

    assert shown("") == made[::-1]
    assert shown("?sort=seen") == made
    assert shown("?per_page=2&page=2") == made[2:0:-1]


def test_changes_are_sorted_by_person_and_by_story_and_what_has_no_person_is_listed_too(run, as_viewer):
    told = {}
    for name, story in (("Bea", "Cooking"), ("Ana", "Driving"), ("Cem", "Baking")):
        certificate = make_certificate(make_story(run.app, story), firstname=name)
        told[make_change(run, Kind.DETAILS, certificate).pk] = name
    renamed = make_change(run, Kind.RENAMED, make_certificate(make_story(run.app, "Zoology"))).pk

    def shown(query):
        rows = as_viewer.get(address_of(run, query)).context["table"].page.object_list
        return [told.get(row.record.change.pk) for row in rows]

    assert shown("?sort=person") == ["Ana", "Bea", "Cem", None]  # what is of nobody comes last, on each database
    assert shown("?sort=-person") == ["Cem", "Bea", "Ana", None]
    assert shown("?sort=story") == ["Cem", "Bea", "Ana", None]
    assert len(shown("?sort=person")) == len({*told, renamed})


def test_kinds_filter_the_page_and_its_file_and_are_counted(run, as_viewer):
    for kind in (Kind.DELIVERED, Kind.DELIVERED, Kind.LINK, Kind.RENAMED):
        make_change(run, kind)
    page = as_viewer.get(address_of(run, "?kind=delivered&kind=renamed"))
    offered = page.context["segments"]
    assert {one.value: (one.rows, one.active) for one in offered["values"]} == {
        "delivered": (2, True), "link": (1, False), "renamed": (1, True),
    }  # fmt: skip
    assert page.context["rows"] == 3
    assert [row["kind"] for row in file_of(as_viewer, run, "&kind=link")] == ["link"]


@pytest.mark.parametrize("query", ["kind=new", "kind=nothing", "q=ana", "run=1", "page=9", "sort=what"])
def test_what_means_nothing_is_named_and_refused_in_a_file(query, run, as_viewer):
    make_change(run, Kind.LINK)
    assert "means nothing here" in text_of(as_viewer.get(address_of(run, f"?{query}")))
    if query != "page=9":
        assert as_viewer.get(address_of(run, f"?{query}&_export=csv")).status_code == 400


def test_a_run_without_changes_says_so_and_where_the_new_ones_are(run, as_viewer):
    page = as_viewer.get(address_of(run))
    assert "This run saw no change of what was known before." in text_of(page)
    assert f'href="/certificates/?run={run.pk}&amp;change=new"' in page.content.decode()


def test_the_first_run_says_that_first_sight_is_no_change(run, as_viewer):
    type(run).objects.update(initial=True)
    page = as_viewer.get(address_of(run))
    assert "first sight is no change" in text_of(page)
    assert "change=new" not in page.content.decode()


def test_only_the_changes_of_the_run_are_shown(run, as_viewer, cast):
    make_change(make_run(cast.demo), Kind.LINK)
    assert as_viewer.get(address_of(run)).context["rows"] == 0


# -- The file ---------------------------------------------------------------------------------------------------


def test_the_file_holds_fields_as_they_were_and_are(run, as_viewer):
    certificate = make_certificate(make_story(run.app), firstname="Ana")
    before = {"state": "pending", "timestamp": "2026-07-01T12:00:00+02:00"}
    after = {"state": "delivered", "timestamp": "2026-07-02T10:00:00+00:00"}
    make_change(run, Kind.DELIVERED, certificate, before=before, after=after)
    [row] = file_of(as_viewer, run)
    assert list(row) == [
        "app", "run", "seen", "kind", "story_id", "story", "certificate", "firstname", "lastname", "email",
        "before", "after",
    ]  # fmt: skip
    assert (row["app"], row["run"], row["kind"], row["certificate"]) == ("demo", run.pk, "delivered", certificate.pk)
    assert row["before"] == {"state": "pending", "timestamp": "2026-07-01T10:00:00Z"}
    [cells] = csv.DictReader(file_of(as_viewer, run, file_format="csv"))
    assert cells["before"] == "state: pending; timestamp: 2026-07-01T10:00:00Z"
    assert cells["after"] == "state: delivered; timestamp: 2026-07-02T10:00:00Z"


def test_a_renamed_story_is_nobodys_change(run, as_viewer):
    make_change(run, Kind.RENAMED, before={"name": "A"}, after={"name": "B"})
    [row] = file_of(as_viewer, run)
    assert (row["certificate"], row["email"], row["after"]) == ("", "", {"name": "B"})


def test_no_cell_of_the_file_is_a_formula(run, as_viewer):
    certificate = make_certificate(make_story(run.app, "=1+1"), firstname="@SUM(A1)", email="+ana@example.com")
    make_change(run, Kind.DETAILS, certificate, before={"firstname": "=1"}, after={"firstname": "@SUM(A1)"})
    line = file_of(as_viewer, run, file_format="csv")[1]
    assert ",'=1+1," in line
    assert ",'@SUM(A1)," in line
    assert ",'+ana@example.com," in line
    assert ",firstname: =1,firstname: @SUM(A1)" in line


# -- Certificates by run ----------------------------------------------------------------------------------------


@pytest.fixture
def seen(cast):
    """Certificates of the app `demo` by what a run saw of them, and the same seen by another run."""
    runs = [make_run(cast.demo, "held"), make_run(cast.demo)]
    for number, run in enumerate(runs):
        story = make_story(cast.demo)
        for kind in [kind for kind in Kind if kind != Kind.RENAMED]:
            gone = {"withdrawn": {"withdrawn_at": NOW}, "outside": {"out_of_scope_at": NOW}}.get(kind, {})
            one = make_certificate(story, telephone=f"{kind}{number}", **gone)
            make_change(run, kind, one, at=NOW - timedelta(days=number))
        first = {"first_run": run, "first_seen_at": NOW - timedelta(days=number)}
        make_certificate(story, telephone=f"new{number}", initial=False, **first)
        make_certificate(story, telephone=f"initial{number}", initial=True, **first)
        make_certificate(story, telephone=f"missing{number}", missing_in=run)
        make_certificate(story, telephone=f"missing and gone{number}", missing_in=run, withdrawn_at=NOW)
    make_certificate(make_story(cast.demo), telephone="untouched")
    return runs


def filtered(query, *apps):
    return CertificateFilter(QueryDict(query), Certificate.objects.of(apps), apps)


def found(query, app):
    filters = filtered(query, app)
    assert filters.ignored == []
    return sorted(filters.qs.values_list("telephone", flat=True))


ROW = ["delivered", "details", "link", "state", "timestamp"]


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("", sorted([*ROW, "new", "outside", "returned", "withdrawn"])),
        ("&change=new", ["new"]),
        ("&change=delivered", ["delivered"]),
        ("&change=link", ["link"]),
        ("&change=withdrawn", ["withdrawn"]),
        ("&change=returned", ["returned"]),
        ("&change=outside", ["outside"]),
        ("&change=changed", ROW),
        ("&change=missing", ["missing"]),
        ("&change=missing&change=new", ["missing", "new"]),
        ("&withdrawn=hide", sorted([*ROW, "new", "returned"])),
        ("&withdrawn=only", ["withdrawn"]),
        ("&state=pending", []),
    ],
)
def test_a_run_finds_what_it_saw(query, meant, seen, cast):
    assert found(f"run={seen[0].pk}{query}", cast.demo) == [f"{kind}0" for kind in meant]


def test_several_runs_are_alternatives(seen, cast):
    both = f"run={seen[0].pk}&run={seen[1].pk}&change=link"
    assert found(both, cast.demo) == ["link0", "link1"]


def test_run_and_moment_and_kind_are_of_one_and_the_same_change(seen, cast):
    moment = QueryDict(mutable=True)
    moment["changed_from"] = (NOW - timedelta(hours=1)).isoformat()
    for query in ("", "&change=changed", "&change=new"):
        assert found(f"run={seen[1].pk}{query}&{moment.urlencode()}", cast.demo) == []
        assert found(f"run={seen[0].pk}{query}&{moment.urlencode()}", cast.demo) != []


def test_without_a_run_the_wider_kinds_are_understood_too(seen, cast):
    assert found("change=outside", cast.demo) == ["outside0", "outside1"]
    assert len(found("change=changed", cast.demo)) == 2 * len(ROW)


@pytest.mark.parametrize("value", ["999999999", "x", "-1", "9" * 40, ""])
def test_an_unknown_run_is_named_on_the_page_and_refused_in_a_file(value, seen, as_viewer):
    assert filtered(f"run={value}", seen[0].app).ignored == [f"run={value}"]
    assert as_viewer.get(f"/certificates/?run={value}&_export=csv").status_code == 400
    assert as_viewer.get(f"/certificates/?run={value}").status_code == 200


def test_a_run_of_a_foreign_app_is_as_unknown_as_none(seen, as_viewer, cast):
    world.make_foreign(cast.other)
    run = cast.other.runs.get()
    page = as_viewer.get(f"/certificates/?run={run.pk}")
    assert "means nothing here" in text_of(page)
    assert page.context["rows"] == as_viewer.get("/certificates/").context["rows"]
    assert as_viewer.get(f"/certificates/?run={run.pk}&_export=csv").status_code == 400


@pytest.mark.parametrize("query", ["change=missing", "change=missing&run=999999999"])
def test_missing_means_nothing_without_a_run(query, seen, as_viewer):
    assert "change=missing" in filtered(query, seen[0].app).ignored
    assert as_viewer.get(f"/certificates/?{query}&_export=csv").status_code == 400


def test_a_known_run_beside_an_unknown_one_still_counts(seen, cast):
    filters = filtered(f"run={seen[0].pk}&run=999999999&change=missing", cast.demo)
    assert filters.ignored == ["run=999999999"]
    assert list(filters.qs.values_list("telephone", flat=True)) == ["missing0"]


def test_the_chip_tells_the_moment_of_the_run_and_the_rail_keeps_it(seen, as_viewer, cast):
    type(seen[0]).objects.filter(pk=seen[0].pk).update(requested_at=datetime(2026, 3, 2, 9, 4, tzinfo=UTC))
    page = as_viewer.get(f"/certificates/?run={seen[0].pk}&change=missing")
    assert [chip["label"] for chip in page.context["chips"]] == [
        "missing in a held run", "sync run of 2 Mar 2026, 09:04 UTC",
    ]  # fmt: skip
    assert f'<input type="hidden" name="run" value="{seen[0].pk}">' in page.content.decode()


def test_the_rail_tells_that_withdrawn_ones_are_shown_and_can_hide_them(seen, as_viewer):
    select = text_of(as_viewer.get(f"/certificates/?run={seen[0].pk}"))
    assert "Show, as the address asks Hide Only these Show all, also out of scope" in select
    assert "Show, as the address asks" not in text_of(as_viewer.get("/certificates/"))


@pytest.mark.parametrize("change", ["", "&change=new", "&change=withdrawn", "&change=missing"])
def test_a_run_is_found_through_an_index(change, seen, cast):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # which reads so few rows without one
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = filtered(f"run={seen[0].pk}{change}", cast.demo).qs.order_by().values("pk").explain()
    assert "SCAN" not in plan, plan
    assert "Seq Scan" not in plan, plan
