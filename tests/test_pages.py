"""Every page: what it asks of the database, and what it says when there is little, much or trouble."""

import gzip
import logging
import random
import re
import string
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.apps import apps as registry
from django.contrib.staticfiles.finders import find
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from django.utils import timezone

from certdash.fields import LARGEST_PAGE
from certdash.models import App, AuditEntry, Breadth, Certificate, Group, Learner, State, Story, SyncRun
from certdash.stats import freshness
from certdash.tables import CertificateTable
from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db
MOST_QUERIES = 20

EVERY_FILTER = (
    "app=demo&story=EV72-RQZY-80AH&group=managers&group=~none&state=pending&state=delivered&type=story&country=Country+1"
    "&country=&city=City+1&q=person&awarded_from=2020-01-01&awarded_to=2040-01-01&pending_days=0&withdrawn=all"
    "&change=new&changed_from=2020-01-01T00:00Z&id=1&sort=person&page=1&per_page=25"
)

MATRIX_FILTERS = EVERY_FILTER.partition("&sort=")[0] + "&sort=-pending&page=1"


def addresses():
    """Every page of the app `demo` that shows rows, by name."""
    demo = App.objects.get(slug="demo")
    story, group = (
        Story.objects.filter(app=demo, certificates__isnull=False).first(),
        Group.objects.filter(app=demo).first(),
    )
    run, learner = SyncRun.objects.filter(app=demo).first(), Learner.objects.filter(app=demo).first()
    return {
        "overview": "/",
        "certificates": "/certificates/",
        "filtered": f"/certificates/?{EVERY_FILTER}",
        "stories": "/stories/",
        "story": f"/stories/demo/{story.key}/",
        "groups": "/groups/",
        "group": f"/groups/demo/{group.key}/",
        "matrix": "/matrix/",
        "matrix filtered": f"/matrix/?{MATRIX_FILTERS}",
        "delivery": "/delivery/",
        "people": "/people/",
        "person": f"/people/{learner.pk}/",
        "apps": "/apps/",
        "app": "/apps/demo/",
        "connection": "/apps/demo/connection/",
        "app_groups": "/apps/demo/groups/",
        "app_people": "/apps/demo/people/",
        "runs": "/apps/demo/runs/",
        "run": f"/apps/demo/runs/{run.pk}/",
        "changes": f"/apps/demo/runs/{run.pk}/changes/",
    }


PAGES = [
    "overview", "certificates", "filtered", "stories", "story", "groups", "group", "matrix",
    "matrix filtered", "delivery", "people", "person", "apps", "app",
    "connection", "app_groups", "app_people", "runs", "run", "changes",
]  # fmt: skip


def fill(app, rows):
    """As many certificates, people, stories and runs, and a few groups."""
    stories = [make_story(app, f"Story {number}", f"ID{number}") for number in range(max(1, rows // 10))]
    groups = [make_group(app, name) for name in ["Managers", *(f"Group {n}" for n in range(rows // 50))]]
    world.make_many(app, rows, [make_story(app), *stories], groups)
    for number in range(max(1, rows // 10)):
        make_run(app, message=f"{number} new.")


def queries_of(client):
    counted = {}
    client.get("/healthz")  # the stamp of the session is written once in a while
    for name, address in addresses().items():
        cache.clear()  # nothing that another page has counted
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        counted[name] = len(queries)
    return counted


def test_a_page_asks_as_much_of_1_row_as_of_500_and_never_much(client, cast):
    client.force_login(cast.owner)
    fill(cast.demo, 1)
    few = queries_of(client)
    fill_more(cast.demo)
    for number in range(30):
        world.make_user(f"colleague-{number}", cast.demo)
    many = queries_of(client)
    assert set(few) == set(PAGES)
    assert many == few
    assert max(many.values()) <= MOST_QUERIES, many


def fill_more(app):
    Learner.objects.filter(app=app).delete()
    fill(app, 500)


def test_a_page_asks_as_much_of_2_apps_as_of_5(client, cast):
    for slug in ("demo", world.FOREIGN):
        fill(App.objects.get(slug=slug), 3)
    client.force_login(cast.superuser)
    few = queries_of(client)
    for number in range(3):
        fill(world.make_app(f"app-{number}"), 3)
    many = queries_of(client)
    assert many == few
    assert max(many.values()) <= MOST_QUERIES, many


HARD_FILTERS = [
    "", "state=pending", "state=Weird", "state=Weird&country=Nowhere", "group=~none&q=person", "awarded=30d",
    "pending_under=30", "change=new&changed_from=2020-01-01T00:00Z&run={run}&withdrawn=all", EVERY_FILTER,
]  # fmt: skip


@pytest.mark.parametrize("breadth", Breadth.values)
def test_no_filter_makes_a_page_ask_more_than_it_may(client, cast, breadth):
    fill(cast.demo, 60)
    fill(App.objects.get(slug=world.FOREIGN), 3)
    App.objects.filter(pk=cast.demo.pk).update(breadth=breadth, listed_stories=["Fire safety", "Story 1"])
    Certificate.objects.filter(app=cast.demo, pk__in=Certificate.objects.values("pk")[:3]).update(
        state=State.OTHER, state_sent="Weird"
    )
    client.force_login(cast.owner)
    client.get("/healthz")
    run = SyncRun.objects.filter(app=cast.demo).first().pk
    asked, found = {}, addresses()
    for name in ("certificates", "story", "group", "person", "matrix"):
        for query in HARD_FILTERS:
            address = f"{found[name]}?{query.format(run=run)}"
            cache.clear()
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            asked[name, query] = len(queries)
    assert {one: many for one, many in asked.items() if many > MOST_QUERIES} == {}


def weight(client, address):
    """Bytes on the wire for whoever opens a page for the first time: what it is made of, and all that it loads."""
    page = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    html = gzip.decompress(page.content).decode()
    assets = {*re.findall(r'(?:href|src)="/static/([^"#]+)', html), "certdash/icons.svg"}
    return len(page.content) + sum(len(gzip.compress(Path(find(asset)).read_bytes())) for asset in assets)


def test_no_page_is_heavy(client, cast):
    fill(cast.demo, 500)
    client.force_login(cast.owner)
    weights = {name: weight(client, address) for name, address in addresses().items()}
    assert max(weights.values()) < 100_000, weights


def test_the_longest_page_with_all_columns_is_not_heavy_though_no_two_people_have_a_word_in_common(client, cast):
    drawn = random.Random(5)

    def word(letters):
        return "".join(drawn.choices(string.ascii_lowercase, k=letters)).capitalize()

    groups = [make_group(cast.demo, f"{word(9)} {word(6)}") for _ in range(20)]
    stories = [make_story(cast.demo, f"{word(9)} {word(8)} {word(6)}", word(12)) for _ in range(100)]
    for number in range(200):
        email = f"{word(7)}.{word(8)}@{word(8)}.example"
        learner = make_learner(cast.demo, word(7), word(8), email)
        make_certificate(
            stories[number % 100], learner, drawn.choice(["pending", "delivered"]), firstname=word(7), lastname=word(8),
            email=email, telephone=f"+{drawn.randrange(10**11)}", city=word(9), country=word(8),
            at=NOW - timedelta(seconds=drawn.randrange(10**8)), url=f"https://{word(8)}.example/c/{drawn.randbytes(16).hex()}",
        )  # fmt: skip
        drawn.choice(groups).memberships.create(learner=learner, since=NOW)
    cast.viewer.columns = {CertificateTable.remembered_as: [*CertificateTable.choosable]}
    cast.viewer.save()
    client.force_login(cast.viewer)
    assert 80_000 < weight(client, f"/certificates/?per_page={LARGEST_PAGE}") < 100_000


# -- Nothing is written by looking ------------------------------------------------------------------------------


VISITS = ("visited_at", "visited_before")


def everything():
    """All rows of all tables but the sessions and the audit, to which downloads add, as text, without visits."""
    models = [model for model in registry.get_models() if model._meta.app_label == "certdash"]
    models.remove(AuditEntry)
    return {
        model.__name__: sorted(
            repr([item for item in row.items() if item[0] not in VISITS]) for row in model._base_manager.values()
        )
        for model in models
    }


def test_looking_writes_nothing(client, cast):
    fill(cast.demo, 3)
    make_run(cast.demo, "held", missing=3)
    client.force_login(cast.owner)
    before = everything()
    with CaptureQueriesContext(connection) as queries:
        for address in addresses().values():
            separator = "&" if "?" in address else "?"
            for query in ("", f"{separator}_export=csv", f"{separator}nonsense=1"):
                response = client.get(address + query)
                b"".join(response) if response.streaming else response.content
    assert everything() == before
    written = [
        query["sql"] for query in queries if not query["sql"].startswith(("SELECT", "(SELECT", "SAVEPOINT", "RELEASE"))
    ]
    # Downloads, and when somebody was here.
    noted = ('INSERT INTO "certdash_auditentry"', 'UPDATE "django_session"', 'UPDATE "certdash_user" SET "visited_')
    assert [sql for sql in written if "CURSOR" not in sql and not sql.startswith(noted)] == []


# -- Little to show ---------------------------------------------------------------------------------------------


def text_of(response):
    """What a person reads, on one line."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub("[\u2068\u2069]", "", text))  # without what isolates names


def words_of(response):
    """The same without what isolates names from the words around them."""
    return re.sub("[\u2068\u2069]", "", text_of(response))


EMPTY = {
    "/": "0 none yet",
    "/certificates/": "Nothing here yet: the next sync may bring some.",
    "/stories/": "Nothing here yet: the next sync may bring some.",
    "/groups/": "No group is tracked yet: an owner of an app lists them.",
    "/matrix/": "Nothing here yet: the next sync may bring some.",
    "/delivery/": "Nothing is pending, and no delivery was observed yet: the next syncs may bring some.",
    "/people/": "Nothing here yet: the next sync may bring some.",
    "/apps/demo/": "This app has not been synchronised yet.",
    "/apps/demo/runs/": "This app has not been synchronised yet.",
}


@pytest.mark.parametrize("address", EMPTY)
def test_a_page_without_rows_says_so(address, client, cast):
    client.force_login(cast.viewer)
    assert EMPTY[address] in text_of(client.get(address))


def test_a_page_whose_filters_leave_nothing_offers_to_clear_them(client, cast):
    client.force_login(cast.viewer)
    html = client.get("/certificates/?country=Nowhere").content.decode()
    assert "No certificate fits these filters." in html
    assert re.search(r'<a class="btn" href="/certificates/">Clear all filters</a>', html)


def test_before_there_is_an_app_a_superuser_is_led_to_adding_one_and_others_to_asking(client, db):
    client.force_login(world.User.objects.create_superuser("root", "root@example.com"))
    assert 'href="/apps/add/"' in client.get("/").content.decode()
    client.force_login(world.make_user("newcomer"))
    assert "Ask the owner of an app to give you access" in text_of(client.get("/"))


def test_a_group_that_nobody_came_back_for_may_be_misspelt(client, cast):
    make_group(cast.demo, "Manegers")
    client.force_login(cast.viewer)
    assert "Nobody came back for this group" in text_of(client.get("/groups/demo/manegers/"))
    assert "check how the name is written" in text_of(client.get("/groups/"))
    Group.objects.update(checked_at=None)
    assert "This group was not asked for yet" in text_of(client.get("/groups/demo/manegers/"))


# -- How old the data is ----------------------------------------------------------------------------------------

VENDOR = 'The vendor answered with 503: <b onclick="x">"maintenance" & more</b>'


def freshness_of(client, cast, *runs):
    for status, fields in runs:
        make_run(cast.demo, status, **fields)
    client.force_login(cast.viewer)
    pages = [client.get(address) for address in ("/", "/certificates/", "/apps/", "/apps/demo/")]
    heads = {re.search(r'class="fresh fresh-(\w+)"', page.content.decode())[1] for page in pages}
    assert len(heads) == 1  # all pages agree
    return heads.pop(), text_of(pages[0])


def test_a_fresh_app_says_when_it_was_checked(client, cast):
    tone, text = freshness_of(client, cast, ("success", {}))
    assert tone == "ok"
    assert re.search(r"checked \d+ minutes? ago", text)


def test_an_app_that_was_never_synchronised_says_so(client, cast):
    assert freshness_of(client, cast) == ("none", AnyText("not synchronised yet"))


class AnyText(str):
    """Equal to every text that holds this one."""

    def __eq__(self, other):
        return str(self) in other

    __hash__ = str.__hash__


def test_after_a_failed_run_the_last_good_data_stays_with_its_age_and_the_reason(client, cast):
    make_certificate(make_story(cast.demo))
    good = {"finished_at": NOW - timedelta(days=3)}
    tone, text = freshness_of(client, cast, ("success", good), ("failed", {"message": VENDOR}))
    assert tone == "stale"
    assert f"last good data from {NOW - timedelta(days=3):%-d %b %Y}" in text
    page = client.get("/").content.decode()
    assert "<b onclick" not in page
    assert "&lt;b onclick=&quot;x&quot;&gt;" in page
    assert "ana@example.com" in client.get("/certificates/").content.decode()


def test_a_run_that_failed_before_any_other_says_that_there_is_no_data(client, cast):
    assert freshness_of(client, cast, ("failed", {"message": "No."})) == ("stale", AnyText("no data yet: No."))


def test_while_a_run_writes_pages_say_since_when(client, cast):
    now = {"applying_since": NOW}
    tone, text = freshness_of(client, cast, ("success", {}), ("running", now))
    assert tone == "busy"
    assert re.search(rf"being updated since ([\w ]+, )?{NOW:%H:%M}", text)


def test_after_an_interrupted_run_pages_still_say_that_the_data_is_being_updated(client, cast):
    tone, text = freshness_of(client, cast, ("success", {}), ("interrupted", {"applying_since": NOW}))
    assert (tone, "being updated since" in text) == ("busy", True)


def test_a_held_run_asks_for_an_owner(client, cast):
    tone, text = freshness_of(client, cast, ("success", {}), ("held", {"missing": 30}))
    assert tone == "stale"
    assert "an owner has to look at it" in text


def test_a_narrow_run_says_nothing_of_the_rest(client, cast):
    App.objects.update(refresh_minutes=60)
    old = {"finished_at": timezone.now() - timedelta(minutes=30)}
    tone, text = freshness_of(client, cast, ("success", old), ("success", {"story": "Fire safety"}))
    assert (tone, "checked 3" in text) == ("ok", True)


def test_data_goes_stale_when_nobody_asks_for_it_any_more(client, cast):
    tone, text = freshness_of(client, cast, ("success", {"finished_at": NOW - timedelta(days=3)}))
    assert (tone, "the worker may not be running" in text) == ("stale", True)


def test_half_an_answer_stays_being_updated_until_a_run_goes_through(client, cast):
    began = {"applying_since": NOW - timedelta(minutes=9)}
    tone, text = freshness_of(client, cast, ("success", {}), ("interrupted", began), ("failed", {}))
    assert (tone, "being updated since" in text) == ("busy", True)
    tone, _ = freshness_of(client, cast, ("interrupted", began), ("failed", {}), ("success", began))
    assert tone == "ok"


def test_a_held_run_that_was_accepted_asks_for_nobody(client, cast):
    tone, text = freshness_of(client, cast, ("held", {"missing": 30, "accepted_at": NOW}))
    assert (tone, "owner" in text) == ("ok", False)


FAILED, INTERRUPTED = ("failed", {"message": "Too slow."}), ("interrupted", {"message": "Told to end."})


@pytest.mark.parametrize(("last", "word"), [(FAILED, "failed"), (INTERRUPTED, "was interrupted")])
def test_one_try_that_failed_is_told_and_no_alarm(last, word, client, cast):
    tone, text = freshness_of(client, cast, FAILED, ("success", {}), last)
    assert (tone, f"ago, the last try {word}" in text) == ("ok", True)


@pytest.mark.parametrize("running", [[], [("running", {})]], ids=["now", "while the next one asks"])
@pytest.mark.parametrize("last", [[FAILED, FAILED], [FAILED, INTERRUPTED], [INTERRUPTED, FAILED]])
def test_after_two_tries_that_failed_the_data_is_stale_and_the_reason_told(last, running, client, cast):
    tone, text = freshness_of(client, cast, ("success", {}), *last, *running)
    assert tone == "stale"
    assert re.search(rf"last good data from [^:]*\d\d:\d\d: {last[-1][1]['message']}", text)


def test_a_narrow_try_that_failed_is_none_of_them(client, cast):
    narrow = ("failed", {"message": "No.", "users": ["ana@example.com"]})
    tone, text = freshness_of(client, cast, ("success", {}), FAILED, narrow)
    assert (tone, "the last try failed" in text) == ("ok", True)


REASONS = {
    "nobody asks": ([], "the worker may not be running"),
    "the last try failed": ([FAILED], "Too slow."),
    "a slow one is under way": ([("running", {})], "a sync is under way since"),
    "a lost one": ([("running", {"lease_until": NOW - timedelta(minutes=1)})], "the worker may not be running"),
}


@pytest.mark.parametrize("why", REASONS)
def test_data_without_a_good_run_for_two_intervals_is_stale(why, client, cast):
    runs, reason = REASONS[why]
    old = {"finished_at": NOW - timedelta(minutes=31)}
    tone, text = freshness_of(client, cast, ("success", old), *runs)
    assert (tone, reason in text) == ("stale", True)


def test_what_was_held_stays_so_when_the_next_try_fails(client, cast):
    tone, text = freshness_of(client, cast, ("held", {"missing": 30}), FAILED)
    assert (tone, "an owner has to look at it" in text) == ("stale", True)


HALF = {"applying_since": NOW - timedelta(minutes=40)}


@pytest.mark.parametrize("cut_off", [("interrupted", HALF), ("running", HALF | {"lease_until": NOW})])
def test_half_an_answer_that_nobody_completes_goes_stale(cut_off, client, cast):
    tone, text = freshness_of(client, cast, ("success", {}), cut_off)
    assert (tone, "and not finished" in text) == ("stale", True)


def test_a_long_run_that_lives_is_no_alarm(client, cast):
    assert freshness_of(client, cast, ("success", {}), ("running", HALF))[0] == "busy"


SEVEN = NOW.replace(hour=7, minute=0) - timedelta(days=1)
NEWS = {
    "a full run": (("success", {"finished_at": SEVEN}),),
    "a narrow one since": (("success", {"finished_at": SEVEN.replace(hour=6)}),
                           ("success", {"finished_at": SEVEN, "story": "Fire safety"})),
    "an owner who accepted": (("held", {"finished_at": SEVEN.replace(hour=6), "accepted_at": SEVEN}),),
}  # fmt: skip


@pytest.mark.parametrize("what", NEWS)
def test_unchanged_is_told_since_the_last_that_wrote(what, client, cast):
    text = freshness_of(client, cast, *NEWS[what], ("unchanged", {}), ("unchanged", {}))[1]
    assert re.search(rf"checked \d+ minutes? ago, unchanged since {SEVEN:%-d %b %Y}, 07:00", text)


def test_unchanged_is_not_told_of_what_a_narrow_run_changed_since(client, cast):
    old = {"finished_at": SEVEN}
    text = freshness_of(client, cast, ("success", old), ("unchanged", {}), ("success", {"story": "A"}))[1]
    assert "unchanged since" not in text


def test_an_answer_that_came_in_part_says_so(client, cast):
    tone, text = freshness_of(client, cast, ("partial", {}))
    assert (tone, "not all of it came through" in text) == ("ok", True)


def head_of(client, address):
    html = client.get(address).content.decode()
    href, title = re.search(r'<a class="fresh fresh-\w+"\s+href="([^"]*)"\s+title="([^"]*)"', html).groups()
    *lines, zone = title.split("\n")
    assert zone == "Times in UTC"
    return href, lines


def test_the_head_tells_of_each_app_the_worst_first(client, cast):
    make_run(cast.demo)
    make_run(cast.other, "failed", message="Too slow.")
    client.force_login(cast.superuser)
    href, lines = head_of(client, "/people/")
    assert (href, lines[0]) == ("/#apps", "Retail Academy: no data yet: Too slow.")
    assert re.fullmatch(r"Demo Academy: checked \d+ minutes? ago", lines[1])


def test_the_head_of_a_page_about_one_app_tells_of_this_one(client, cast):
    make_run(cast.other, "failed", message="Too slow.")
    make_run(cast.demo)
    learner = make_certificate(make_story(cast.demo)).learner
    client.force_login(cast.superuser)
    for address in (f"/people/{learner.pk}/", "/stories/demo/EV72-RQZY-80AH~fire-safety/", "/apps/demo/"):
        href, lines = head_of(client, address)
        assert (href, len(lines)) == ("/apps/demo/", 1)
        assert lines[0].startswith("Demo Academy: checked")


@pytest.mark.parametrize("apps", [0, 1, 40])
def test_freshness_is_one_query_for_all_apps(apps, cast, django_assert_num_queries):
    every = [world.make_app(f"app-{number}") for number in range(apps)]
    for app in every:
        for status in ("success", "unchanged", "failed", "failed"):
            make_run(app, status, message=f"No {app.slug}.")
    with django_assert_num_queries(min(apps, 1)):
        told = freshness(every, NOW)
    assert [one.app for one in told] == every
    assert all(f"No {one.app.slug}." in one.text for one in told)


# -- IDs and moments that are hard to show ----------------------------------------------------------------------


@pytest.mark.parametrize("vendor_id", ["AB\nCD", "a/../b", "..", "100%2F", "a?b#c", "\u2028", "~"])
def test_a_story_of_any_id_is_listed_and_opens(vendor_id, client, cast):
    story = world.make_story(cast.demo, "Fire safety", vendor_id=vendor_id)
    world.make_certificate(story)
    client.force_login(cast.viewer)
    page = client.get("/certificates/").content.decode()
    address = re.search(r'href="(/stories/demo/[^"]*)"', page)[1]
    assert client.get(address).context["story"] == story
    assert address in client.get("/stories/").content.decode()


@pytest.mark.parametrize("vendor_id", ["100%2F", "a?b#c", "a/b"])
def test_all_that_a_storys_page_offers_of_itself_is_of_this_story(vendor_id, client, cast):
    story = world.make_story(cast.demo, "Fire safety", vendor_id=vendor_id)
    world.make_certificate(story)
    client.force_login(cast.manager)
    page = client.get(reverse("story", args=["demo", story.key]) + "?state=delivered").content.decode()
    offered = {urlsplit(one).path for one in re.findall(r'(?:href|action|hx-get)="(/stories/demo/[^"]*)"', page)}
    assert {client.get(path).context["story"] for path in offered if not path.endswith("/refresh/")} == {story}
    assert {resolve(unquote(path)).kwargs["key"] for path in offered} == {story.key}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
def test_the_outermost_moments_that_are_stored_can_be_shown_everywhere(zone, client, cast):
    for moment in (datetime(1, 12, 31, tzinfo=UTC), datetime(9999, 1, 1, 11, tzinfo=UTC)):
        world.make_certificate(world.make_story(cast.demo, f"Story of {moment.year}"), at=moment)
    client.force_login(cast.viewer)
    with timezone.override(zone):
        assert {client.get(path).status_code for path in ("/", "/certificates/", "/stories/", "/people/")} == {200}


def test_the_head_counts_out_of_what_the_list_could_show(client, cast):
    story = world.make_story(cast.demo)
    for gone in (None, None, NOW):
        world.make_certificate(story, withdrawn_at=gone)
    client.force_login(cast.viewer)
    heads = [re.search(r'id="count"[^>]*>([^<]*)<', client.get(f"/certificates/?{query}").content.decode())[1].strip()
             for query in ("", "withdrawn=all", "withdrawn=only")]  # fmt: skip
    assert heads == ["2 of 2", "3", "1"]


# -- Odd text ---------------------------------------------------------------------------------------------------

ODD = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "template": "{{ 7|add:7 }}{% now %}",
    "formula": "=1+1",
    "lines": "one\r\ntwo\u2028three",
    "right to left": "\u202eevil\u202c שלום",
    "long": "x" * 5000,
    "empty": "",
    "emoji": "𠮷👩🏽‍🚒",
    "percent": "%s %(x)s 100%",
}


def attributes_of(html):
    """The names of all attributes of a page."""
    names = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda _tag, attributes: names.update(name for name, _ in attributes)
    parser.feed(html)
    return names


@pytest.mark.parametrize("kind", ODD)
def test_odd_names_are_shown_escaped_and_isolated(kind, client, cast):
    odd = ODD[kind]
    story = make_story(cast.demo, odd, "ID")
    one = make_certificate(story, firstname=odd, lastname="", email=odd, country=odd, city=odd, telephone=odd, url=odd)
    make_group(cast.demo, odd[:200] or "-", one.learner)
    make_run(cast.demo, "failed", message=odd, vendor_message=odd)
    client.force_login(cast.owner)
    for name, address in addresses().items():
        html = client.get(address).content.decode()
        assert "<script>alert" not in html, name
        assert "onmouseover" not in attributes_of(html), name


def test_an_odd_name_stands_in_a_box_of_its_own_direction(client, cast):
    make_certificate(make_story(cast.demo, ODD["right to left"]), firstname=ODD["right to left"], lastname="")
    client.force_login(cast.viewer)
    assert client.get("/certificates/").content.decode().count(f"<bdi>{ODD['right to left']}</bdi>") >= 3


def test_a_long_name_is_cut_on_the_screen_with_the_whole_in_a_title(client, cast):
    make_certificate(make_story(cast.demo), firstname="x" * 5000, lastname="")
    client.force_login(cast.viewer)
    html = client.get("/certificates/").content.decode()
    assert f'title="{"x" * 5000}"' in html
    assert f"<bdi>{'x' * 199}…</bdi>" in html


def test_a_nameless_person_and_story_can_still_be_followed(client, cast):
    make_certificate(make_story(cast.demo, "", ""), firstname="", lastname="", email="", telephone="1")
    client.force_login(cast.viewer)
    html = client.get("/certificates/").content.decode()
    for path in (r"/people/\d+/", r"/stories/demo/[^\"]+/"):
        address = re.search(rf'href="({path})"[^>]*><bdi>\(no name\)', html)[1]
        assert client.get(address).status_code == 200


# -- Permalinks -------------------------------------------------------------------------------------------------

UNSAFE = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "ftp://vendor.example/x",
    "/certificates/1", "//vendor.example/1", "vendor.example/1", "https:vendor.example", "https:///x", "https://",
    "https://user:secret@vendor.example/1", "https://vendor.example@evil.example/", "https://a\\@evil.example/",
    "https://vendor.example:0/", "https://vendor.example:99999/", "https://vendor.example/a b", "https://[::1",
    "https://vendor.example/\u202e", "https://vendor.example/\x07", "<certificate URL>", "mailto:a@b.example",
]  # fmt: skip
SAFE = [
    "https://vendor.example/c/1", "http://vendor.example/c?a=1&b=2#x", "https://vendor.example:8443/", "HTTPS://A.EXAMPLE/",
    "https://vendor.example/@ana", "https://vendor.example/S%C3%A3o", "https://münchen.example/ü", "http://127.0.0.1:1/",
]  # fmt: skip


def link_of(client, url):
    html = client.get("/certificates/").content.decode()
    cell = re.search(r'<td class="open">(.*?)</td>', html, re.DOTALL)[1]
    link = re.search(r'<a\b[^>]*href="([^"]*)"[^>]*>', cell)
    return link, cell


@pytest.mark.parametrize("url", UNSAFE)
def test_an_unsafe_permalink_is_text_and_never_a_link(url, client, cast):
    make_certificate(make_story(cast.demo), url=url)
    client.force_login(cast.viewer)
    link, cell = link_of(client, url)
    assert link is None
    assert "<bdi>" in cell


@pytest.mark.parametrize("url", SAFE)
def test_a_web_address_opens_in_a_window_of_its_own_that_learns_nothing(url, client, cast):
    make_certificate(make_story(cast.demo), url=url)
    client.force_login(cast.viewer)
    link, _ = link_of(client, url)
    assert link[1].replace("&amp;", "&") == url
    assert 'rel="noopener noreferrer"' in link[0]


def test_without_a_permalink_there_is_nothing_to_open(client, cast):
    make_certificate(make_story(cast.demo), url="")
    client.force_login(cast.viewer)
    assert link_of(client, "")[1].strip() == ""


# -- Keys in addresses ------------------------------------------------------------------------------------------


def test_an_outdated_slug_leads_to_the_story_with_its_filters(client, cast):
    story = make_story(cast.demo)
    client.force_login(cast.viewer)
    for key in ("EV72-RQZY-80AH", "EV72-RQZY-80AH~an-older-name"):
        response = client.get(f"/stories/demo/{key}/?state=pending&sort=person")
        assert response.status_code == 302
        assert response["Location"] == f"/stories/demo/{story.key}/?state=pending&sort=person"


@pytest.mark.parametrize("key", ["EV72-RQZY-80AH", "EV72-RQZY-80AH~an-older-name"])
def test_an_id_that_several_stories_share_offers_them(key, client, cast):
    stories = [make_story(cast.demo, name) for name in ("Story A", "Story B")]
    client.force_login(cast.viewer)
    html = client.get(f"/stories/demo/{key}/").content.decode()
    assert "Which story?" in html
    assert all(f'href="/stories/demo/{story.key}/"' in html for story in stories)


@pytest.mark.parametrize("key", ["NONE", "NONE~x", "~", "~x", "EV72-RQZY-80AH/", "%00", "x" * 5000])
def test_a_key_of_no_story_or_group_is_404(key, client, cast):
    make_story(cast.demo)
    client.force_login(cast.viewer)
    assert client.get(f"/stories/demo/{key}/").status_code == 404
    assert client.get(f"/groups/demo/{key}/").status_code == 404


@pytest.mark.parametrize("name", ["東京 安全", "a/b?c#d%20e", "!!!", "..", "é" * 400])
@pytest.mark.parametrize("vendor_id", ["EV72", "", "a/b?c#d", ".."])
def test_every_storys_own_address_opens_it(vendor_id, name, client, cast):
    make_certificate(make_story(cast.demo, name, vendor_id))
    client.force_login(cast.viewer)
    html = client.get("/stories/").content.decode()
    address = re.search(r'href="(/stories/demo/[^"]+)"', html)[1]
    response = client.get(address)
    assert response.status_code == 200
    assert response.context["story"].name == name


def test_the_same_person_in_another_app_is_named_to_who_may_see_it(client, cast):
    here = make_certificate(make_story(cast.demo))
    there = make_certificate(make_story(cast.other), email="ANA@example.com ")
    for who, shown in (("superuser", True), ("viewer", False)):
        client.force_login(cast[who])
        html = client.get(f"/people/{here.learner_id}/").content.decode()
        assert (f'href="/people/{there.learner_id}/"' in html) == shown


# -- Health and errors ------------------------------------------------------------------------------------------


def test_health_is_plain_and_needs_no_log_in(client):
    for path in ("/healthz", "/readyz"):
        response = client.get(path)
        assert (response.status_code, response.content) == (200, b"ok\n")
        assert "Set-Cookie" not in response.headers


def test_readiness_asks_the_database_and_health_does_not(client, monkeypatch):
    from django.db import OperationalError

    def broken(*_):
        raise OperationalError

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", broken)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_an_error_of_ours_is_a_page_without_its_cause_and_the_log_has_it(client, cast, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret cause")

    monkeypatch.setattr("certdash.views.overview.states", broken)
    client.force_login(cast.viewer)
    client.raise_request_exception = False
    logger = logging.getLogger("django")
    logger.addHandler(caplog.handler)
    try:
        response = client.get("/")
    finally:
        logger.removeHandler(caplog.handler)
    assert response.status_code == 500
    html = response.content.decode()
    assert "Something went wrong on our side" in html
    assert not any(word in html for word in ("secret cause", "Traceback", "RuntimeError"))
    assert "secret cause" in caplog.text


@pytest.mark.parametrize(("address", "status", "words"), [
    ("/nothing/", 404, "There is nothing at this address"),
    ("/apps/demo/connection/", 403, "You may not do this"),
])  # fmt: skip
def test_a_refusal_is_a_page_that_says_what_to_do(address, status, words, client, cast):
    client.force_login(cast.viewer)
    response = client.get(address)
    assert response.status_code == status
    assert words in text_of(response)
    assert "Go to the overview" in text_of(response)


def test_every_answer_forbids_inline_script_and_framing(client, cast):
    client.force_login(cast.viewer)
    for address in ("/", "/nothing/", "/certificates/?_export=csv", "/accounts/logout/"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
