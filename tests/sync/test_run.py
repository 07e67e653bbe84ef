"""Syncs of the sandbox over HTTP: after every one, what is stored is what the vendor holds, row by row."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F

from certdash.models import App, Certificate, Change, Group, Learner, Membership, Story, SyncRun
from certdash.sandbox import ACCOUNTS, ZONE, Clock, SandboxApp, Selection, World, running_server
from certdash.sync.asking import Scope
from certdash.sync.run import sync_app
from tests.falkor.vendors import row
from tests.sync.vendor import live, new_app, people, story

ORIGIN = date(2026, 3, 2)
MORNING = datetime(2026, 3, 2, 7, tzinfo=ZONE)
PERSON = ("firstname", "lastname", "email", "telephone", "country", "city")
Kind = Change.Kind
Status = SyncRun.Status


class Sandbox:
    """A running world with its clock, and one stored app for each of its accounts."""

    def __init__(self, world: World, clock: Clock, url: str) -> None:
        self.world, self.clock, self.url = world, clock, url

    def sync(self, app: App, scope: Scope = Scope()) -> SyncRun:  # noqa: B008
        return sync_app(app, scope, clock=self.clock.now)

    def truth(self, app: App, selection: Selection = Selection()) -> Counter[tuple[object, ...]]:  # noqa: B008
        """Every certificate that the vendor holds at this moment, as a tuple of all its fields."""
        rows: Counter[tuple[object, ...]] = Counter()
        for head, items in self.world.rows(app.app_id, self.clock.now(), self.url, selection):
            for item in items:
                certificate = item["certificate"]
                moment = datetime.fromisoformat(certificate["timestamp"]).astimezone(UTC)
                person = [item[name] for name in PERSON]  # type: ignore[literal-required]
                story = (head["ID"], head["name"], head["type"].lower())
                rows[(*story, *person, certificate["state"], moment, certificate["url"])] += 1
        return rows

    def members(self, app: App, group: str) -> set[str]:
        selection = Selection(groups=[group])
        stories = self.world.rows(app.app_id, self.clock.now(), self.url, selection)
        emails = {item["email"].strip().casefold() for _, items in stories for item in items}
        return emails - {""}


def stored(app: App) -> Counter[tuple[object, ...]]:
    """Every live certificate of the app, as the tuples of `Sandbox.truth`."""
    fields = ("story__vendor_id", "story__name", "story__type", *PERSON, "state", "timestamp", "url")
    return Counter(Certificate.objects.of([app]).live().values_list(*fields))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    world, clock = World(ORIGIN, 700, seed=3), Clock(MORNING - timedelta(days=4))
    with running_server(SandboxApp(world, clock)) as url:
        yield Sandbox(world, clock, url)


@pytest.fixture
def apps(db, sandbox) -> list[App]:
    return [
        new_app(sandbox.url, account.app_id.rpartition(".")[2], account.token, account.groups, app_id=account.app_id)
        for account in ACCOUNTS
    ]


def test_after_every_day_what_is_stored_is_what_the_vendor_holds(sandbox, apps):
    kinds: Counter[str] = Counter()
    pks: dict[int, set[int]] = {app.pk: set() for app in apps}
    for _ in range(9):
        for app in apps:
            run = sandbox.sync(app)
            truth = sandbox.truth(app)
            assert run.status in (Status.SUCCESS, Status.UNCHANGED)
            assert stored(app) == truth
            assert run.received == sum(truth.values())
            now = set(Certificate.objects.of([app]).values_list("pk", flat=True))
            assert len(now) == len(pks[app.pk]) + run.created
            assert pks[app.pk] <= now
            pks[app.pk] = now
            kinds += Counter(run.changes.values_list("kind", flat=True))
        sandbox.clock.frozen += timedelta(days=1)
    assert kinds.keys() >= {Kind.DELIVERED, Kind.WITHDRAWN, Kind.RENAMED}
    assert kinds[Kind.RENAMED] == 2
    live_stories = Story.objects.filter(withdrawn_at=None)
    assert live_stories.count() == Story.objects.count() == sum(len(account.app.stories) for account in ACCOUNTS)


def test_who_is_in_a_group_is_who_the_vendor_names(sandbox, apps):
    for app in apps:
        sandbox.sync(app)
    for group in Group.objects.all():
        members = Learner.objects.filter(memberships__group=group, memberships__until=None).exclude(email="")
        emails = {learner.email.strip().casefold() for learner in members}
        assert emails == sandbox.members(group.app, group.name)
        assert group.checked_at == sandbox.clock.now()


def test_nothing_new_is_unchanged(sandbox, apps):
    sandbox.sync(apps[0])
    before = stored(apps[0])
    run = sandbox.sync(apps[0])
    assert (run.status, run.message) == (Status.UNCHANGED, "Nothing changed.")
    assert (run.created, run.changed, run.withdrawn) == (0, 0, 0)
    assert stored(apps[0]) == before
    assert not run.changes.exists()


def test_apps_of_one_vendor_share_nothing(sandbox, apps):
    demo, retail = apps
    sandbox.sync(demo)
    assert not Certificate.objects.of([retail]).exists()
    sandbox.sync(retail)
    assert stored(demo) == sandbox.truth(demo)
    shared = set(demo.learners.values_list("identity", flat=True)) & set(
        retail.learners.values_list("identity", flat=True)
    )
    assert shared  # some people learn in both
    assert Learner.objects.filter(identity__in=shared).count() == 2 * len(shared)
    for certificate in Certificate.objects.select_related("story", "learner"):
        assert certificate.app_id == certificate.story.app_id == certificate.learner.app_id
    assert not Membership.objects.exclude(group__app=F("learner__app")).exists()


def test_a_narrow_sync_of_the_sandbox_brings_just_that(sandbox, apps):
    demo = apps[0]
    run = sandbox.sync(demo, Scope(story="GDPR in 20 Minutes"))
    assert run.status == Status.SUCCESS
    assert stored(demo) == sandbox.truth(demo, Selection(story="GDPR in 20 Minutes"))


# -- What is remembered -----------------------------------------------------------------------------------------


def test_the_documented_example(vendor):
    vendor.body = (Path(__file__).parents[1] / "falkor" / "documented_example.json").read_bytes()
    run = vendor.again()
    assert run.status == Status.SUCCESS
    assert run.vendor_hash == json.loads(vendor.body)["hash"]
    stories = Story.objects.order_by("name")
    assert [(each.name, each.vendor_id, each.type) for each in stories] == [
        ("Story A", "EV72-RQZY-80AH", "story"),
        ("Story B", "EV72-RQZY-80AH", "story"),
    ]
    for each in stories:
        certificate = each.certificates.get()
        assert (certificate.state, certificate.url) == ("delivered", "<certificate URL>")
        assert certificate.timestamp == datetime(2021, 9, 28, 9, 14, 23, tzinfo=UTC)
        assert (certificate.firstname, certificate.lastname) == ("User", "One")
        assert (certificate.country, certificate.city, certificate.telephone) == ("United Kingdom", "London", "")
    assert Learner.objects.count() == 1
    assert vendor.again().status == Status.UNCHANGED


PENDING = {"state": "Pending", "timestamp": "2026-03-01T10:00:00+01:00", "url": ""}
DELIVERED = {"state": "delivered", "timestamp": "2026-03-03T10:00:00+01:00", "url": "https://c.example/1"}


def history(app: App) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    return list(app.changes.order_by("pk").values_list("kind", "before", "after"))


def test_each_change_is_kept_with_what_was_and_what_is(vendor):
    def sync(certificate: dict[str, str], **person: str) -> None:
        assert vendor.sync(story(row(certificate=certificate, **person))).status == Status.SUCCESS

    sync(PENDING)
    sync(DELIVERED)
    sync(DELIVERED | {"url": "https://c.example/2"})
    sync(DELIVERED | {"url": "https://c.example/2", "timestamp": "2026-03-04T10:00:00.25+01:00"})
    last = DELIVERED | {"url": "https://c.example/2", "timestamp": "2026-03-04T10:00:00.25+01:00"}
    sync(last, city="Odense", email="ONE@mail.example")
    assert history(vendor.app) == [
        (
            Kind.DELIVERED,
            {"state": "pending", "timestamp": "2026-03-01T09:00:00+00:00", "url": ""},
            {"state": "delivered", "timestamp": "2026-03-03T09:00:00+00:00", "url": "https://c.example/1"},
        ),
        (Kind.LINK, {"url": "https://c.example/1"}, {"url": "https://c.example/2"}),
        (
            Kind.TIMESTAMP,
            {"timestamp": "2026-03-03T09:00:00+00:00"},
            {"timestamp": "2026-03-04T09:00:00.250000+00:00"},
        ),
        (
            Kind.DETAILS,
            {"city": "London", "email": "one@mail.example"},
            {"city": "Odense", "email": "ONE@mail.example"},
        ),
    ]
    assert Certificate.objects.count() == Learner.objects.count() == 1


def test_withdrawn_and_returned_are_moments_of_the_same_certificate(vendor):
    two = people(2)
    vendor.sync(story(*two), at=datetime(2026, 3, 2, tzinfo=UTC))
    tuesday = datetime(2026, 3, 3, tzinfo=UTC)
    run = vendor.sync(story(two[0]), at=tuesday)
    assert (run.status, run.withdrawn, live(vendor.app)) == (Status.SUCCESS, 1, {"001"})
    assert Certificate.objects.get(lastname="002").withdrawn_at == tuesday
    wednesday = datetime(2026, 3, 4, tzinfo=UTC)
    run = vendor.sync(story(*two), at=wednesday)
    assert (run.status, run.returned, run.created, run.changed) == (Status.SUCCESS, 1, 0, 0)
    returned = Certificate.objects.get(lastname="002")
    assert (returned.withdrawn_at, returned.changed_at) == (None, wednesday)
    assert list(returned.changes.order_by("pk").values_list("kind", "seen_at")) == [
        (Kind.WITHDRAWN, tuesday),
        (Kind.RETURNED, wednesday),
    ]


def test_a_renamed_story_keeps_its_certificates_and_their_history(vendor):
    vendor.sync(story(*people(3)))
    before = set(Certificate.objects.values_list("pk", "story"))
    run = vendor.sync(story(*people(3), name="Story A, 2nd edition", kind="survey"))
    assert (run.status, run.stories, run.changed, run.withdrawn) == (Status.SUCCESS, 1, 0, 0)
    assert set(Certificate.objects.values_list("pk", "story")) == before
    renamed = Story.objects.get()
    assert (renamed.name, renamed.type, renamed.key) == ("Story A, 2nd edition", "survey", "ID-A~story-a-2nd-edition")
    assert history(vendor.app) == [(Kind.RENAMED, {"name": "Story A"}, {"name": "Story A, 2nd edition"})]


def test_a_story_that_the_vendor_no_longer_lists_is_withdrawn_and_comes_back(vendor):
    a, b = story(*people(5)), story(*people(2), name="Story B", vendor_id="ID-B")
    vendor.sync(a, b)
    vendor.sync(a)
    assert Story.objects.get(name="Story B").withdrawn_at is not None
    assert Certificate.objects.withdrawn().count() == 2
    run = vendor.sync(a, b)
    assert run.returned == 2
    assert not Story.objects.exclude(withdrawn_at=None).exists()
    assert Story.objects.count() == 2


def test_first_sight_tells_old_from_news(vendor):
    monday, tuesday = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    first = vendor.sync(story(*people(2)), at=monday)
    second = vendor.sync(story(*people(3)), at=tuesday)
    assert (first.initial, second.initial) == (True, False)
    assert list(Certificate.objects.order_by("lastname").values_list("initial", "first_run", "first_seen_at")) == [
        (True, first.pk, monday),
        (True, first.pk, monday),
        (False, second.pk, tuesday),
    ]


def test_a_failed_first_run_does_not_turn_the_next_into_news(vendor):
    vendor.body = b"<html>"
    assert vendor.again().status == Status.FAILED
    assert vendor.sync(story(*people(1))).initial
    assert Certificate.objects.get().initial


def test_an_answer_without_stories_on_the_first_sync_is_no_alarm(vendor):
    run = vendor.sync()
    assert (run.status, run.initial) == (Status.UNCHANGED, True)
    assert not Story.objects.exists()


def test_a_story_without_certificates_is_listed(vendor):
    vendor.sync(story())
    assert Story.objects.get().name == "Story A"
    run = vendor.sync(story(*people(1)))
    assert run.created == 1


def test_repeated_elements_of_a_story_are_one_whatever_their_order_and_type(vendor):
    elements = [story(*people(2), kind="survey"), story(*people(2, first=2), kind="Assessment"), story(kind="survey")]
    vendor.sync(*elements)
    assert (Story.objects.get().type, live(vendor.app)) == ("assessment", {"001", "002", "003"})
    assert vendor.sync(*reversed(elements)).status == Status.UNCHANGED


def test_the_run_tells_what_it_cost_and_when(vendor):
    vendor.app.groups.create(name="Sales", slug="sales")
    run = vendor.sync(story(*people(2)))
    assert run.size > len(vendor.body)
    assert run.requested_at <= run.started_at <= run.applying_since <= run.finished_at
    assert run.vendor_hash == "5cd3"
    assert vendor.asked == [{}, {"groups": ["Sales"]}]


def test_the_apps_version_moves_when_its_rows_change_and_only_then(vendor):
    def version() -> int:
        return App.objects.get(pk=vendor.app.pk).version

    before = version()
    vendor.sync(story(*people(2)))
    after = version()
    assert after > before
    vendor.again()
    assert version() == after


def planned_rows() -> int:
    """How many certificates the database's planner believes there are; SQLite's believes nothing."""
    if connection.vendor != "postgresql":
        return Certificate.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'certdash_certificate'")
        return int(cursor.fetchone()[0])


def test_after_much_news_queries_are_planned_for_it(vendor):
    vendor.sync(story(*people(600)))
    assert planned_rows() == 600
