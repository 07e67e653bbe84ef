"""A world in which every page has something to show, in every state that it has: for looking at all of them."""

from datetime import timedelta

from certdash.models import App, Certificate, Change, Erasure, Learner, Role, SyncRun, Team, User
from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story, make_user

DAY = timedelta(days=1)
EVERY_COLUMN = [
    "state", "story", "groups", "app", "awarded", "place", "telephone", "first_seen", "changed", "open",
]  # fmt: skip
LOST = "lost@example.com"  # whose erasure is noted


def make_scenery() -> dict[str, object]:
    """Makes it, and returns what stands in addresses of its pages."""
    cast = world.make_cast()
    _make_people(cast)
    names = _fill(cast.demo, cast.owner)
    world.make_foreign(cast.other)
    cast.owner.pinned_views.clear()
    User.objects.update(home=None)
    _make_states(cast.owner)
    view = world.make_view(cast.owner, "Pending", query="state=pending", app=cast.demo)
    view.pinned_by.add(cast.owner)
    erasure = Erasure.objects.create(
        app=cast.demo, digest=Erasure.digest_of(cast.demo, Learner.identity_by_email(LOST)), at=NOW, by=cast.owner
    )
    team = Team.objects.create(name="Trainers of the north and of the south and of wherever else", claim="north")
    team.members.add(cast.viewer)
    cast.demo.grants.create(team=team, role=Role.VIEWER)
    return names | {"view": view.slug, "erasure": erasure.pk, "team": team.pk, "account": cast.viewer.pk}


def _make_people(cast: world.Cast) -> None:
    """Beside the cast: somebody without any app, and some who like their pages in their own way."""
    make_user("newcomer")
    make_user("invited")
    gone = make_user("gone")
    gone.is_active = False
    gone.save()
    for name, columns in (("all columns", EVERY_COLUMN), ("no columns", [])):
        User.objects.filter(pk=make_user(name, cast.demo).pk).update(columns={"certificates": columns})
    User.objects.filter(pk=make_user("traveller", cast.demo).pk).update(time_zone="Asia/Tokyo")
    User.objects.filter(pk=cast.viewer.pk).update(visited_before=NOW - 2 * DAY, visited_at=NOW)


def _fill(app: App, owner: User) -> dict[str, object]:
    """Stories, groups, people, certificates of all ages, and runs of every kind."""
    fire = make_story(app)
    stories = [fire, make_story(app, "Première secours", "AAAA-1111", "assessment"), make_story(app, "Fire", "TWICE")]
    make_story(app, "Fire again", "TWICE")
    people = [make_learner(app, f"Person{n:02}", "Ek", f"p{n:02}@example.com") for n in range(12)]
    for number in range(28):
        make_certificate(
            stories[number % 3], people[number % 12], state=("pending", "delivered", "delivered")[number % 3],
            email=people[number % 12].email, firstname=people[number % 12].name.split()[0], lastname="Ek",
            country=f"Country {number % 11}", city=f"City {number}", at=NOW - number * number * DAY / 2,
            url=f"https://vendor.example/{number}" if number % 4 else "javascript:alert(1)", telephone="030 123456",
            delivered_after=3 * DAY if number % 3 == 1 else None,
        )  # fmt: skip
    ana = make_certificate(fire, state="in review", url="https://vendor.example/ana")
    for name, members in (("Managers", people[:5]), ("Sales", people[3:9]), ("Nobody", [])):
        make_group(app, name, *members, ana.learner)
    empty = app.groups.get(name="Nobody")
    empty.memberships.all().delete()
    runs = _make_runs(app, ana, owner)
    make_certificate(fire, people[0], withdrawn_at=NOW)
    make_certificate(fire, people[0], out_of_scope_at=NOW)
    return runs | {
        "story": fire.key, "person": ana.learner_id, "group": "managers", "empty_group": empty.key,
        "other_story": stories[1].key,
    }  # fmt: skip


def _make_runs(app: App, one: Certificate, owner: User) -> dict[str, object]:
    """The newest one last: it says how fresh the app is."""
    accepted = make_run(app, "held", missing=1, accepted_at=NOW, accepted_by=owner, withdrawn=1)
    failed = make_run(app, "failed", message="The vendor did not answer.", vendor_message="Quota exceeded")
    held = make_run(app, "held", missing=1, missing_members=1, message="Much is missing at once.")
    Certificate.objects.filter(pk=one.pk).update(missing_in=held)
    app.groups.get(name="Managers").memberships.filter(learner=one.learner).update(missing_in=held)
    partial = make_run(app, "partial", rejected=300, vendor_hash="a" * 200, users=["ana@example.com"], received=10**9)
    partial.rejections.create(path="data[0].user", reason="This is no e-mail.", excerpt='{"url": "' + "x" * 200)
    for kind in Change.Kind.values:
        Change.objects.create(
            app=app, run=partial, story=one.story, certificate=None if kind == "renamed" else one, kind=kind,
            seen_at=NOW - timedelta(hours=1), before={"name": "Before", "state": "pending"}, after={"name": "After"},
        )  # fmt: skip
    make_run(app)
    return {"accepted": accepted.pk, "failed": failed.pk, "held": held.pk, "run": partial.pk}


def _make_states(owner: User) -> None:
    """Apps that are being synchronised, in all ways in which that can be, that fail, and that are new."""
    for slug, fields in {
        "queued": {"phase": "queued"},
        "lost": {"phase": "comparing", "lease_until": NOW - DAY},
        "busy": {"phase": "comparing", "progress_done": 3, "progress_total": 9, "applying_since": NOW},
    }.items():
        app = _make_app(slug)
        make_run(app, "running", **fields)
    failing = _make_app("failing")
    make_run(failing, started_at=NOW - 2 * DAY, finished_at=NOW - 2 * DAY)
    make_run(failing, "failed", message="The vendor did not answer.")
    new = world.make_app("new", "New app")
    make_user("new", new, Role.OWNER)
    # The owner of the demo sees one more app, in which somebody has the same e-mail address.
    second = _make_app("second")
    second.grants.create(user=owner, role=Role.OWNER)


def _make_app(slug: str) -> App:
    """An app with one certificate, and an owner of the same name who sees no other."""
    app = world.make_app(slug, f"The {slug} app")
    make_user(slug, app, Role.OWNER)
    make_certificate(make_story(app), state="pending")
    return app


def run_of(slug: str) -> int:
    return SyncRun.objects.filter(app__slug=slug).latest("pk").pk
