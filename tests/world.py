"""The tests' cast and their rows: plain functions that make what a sync would have stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from certdash.audit import note
from certdash.models import (
    App,
    AuditKind,
    Certificate,
    Change,
    Erasure,
    Group,
    Learner,
    Membership,
    Rejection,
    Role,
    SavedView,
    Secret,
    State,
    Story,
    SyncRun,
    Team,
    User,
)
from certdash.models.group import track_groups
from certdash.models.story import restate_slugs
from certdash.models.text import fold, sort_bytes
from certdash.saved_views import new_slug

NOW = datetime.now(UTC).replace(microsecond=0)
PASSWORD = "correct-horse-7"
TOKEN = "ZGVtby1rZXk6bm90LWEtcmVhbC1zZWNyZXQ="
# In every name, address and key of the other app, so that a page that tells anything of it tells this word.
FOREIGN = "retail"


@dataclass
class Cast:
    """Everybody: the roles of the app `demo`, and a stranger who owns another one."""

    demo: App
    other: App
    superuser: User
    owner: User
    manager: User
    viewer: User
    stranger: User

    def __getitem__(self, who: str) -> User:
        user: User = getattr(self, who)
        return user


def make_cast() -> Cast:
    demo, other = make_app("demo", "Demo Academy"), make_app(FOREIGN, "Retail Academy")
    people = {who: make_user(who, demo, Role(who)) for who in ("owner", "manager", "viewer")}
    stranger = make_user("stranger", other, Role.OWNER)
    superuser = User.objects.create_superuser("superuser", "superuser@example.com", PASSWORD)
    return Cast(demo, other, superuser=superuser, stranger=stranger, **people)


def make_user(name: str, app: App | None = None, role: Role = Role.VIEWER) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD)
    if app:
        user.grants.create(app=app, role=role)
    return user


def make_app(slug: str, name: str = "", **fields: Any) -> App:
    given = {"base_url": "http://127.0.0.1:9", "token": Secret.seal(TOKEN)} | fields
    return App.objects.create(slug=slug, name=name or slug.title(), **given)


def make_story(app: App, name: str = "Fire safety", vendor_id: str = "EV72-RQZY-80AH", type: str = "story") -> Story:
    """The story of this ID and name, made when there is none."""
    if found := Story.objects.filter(app=app, identity=Story.identity_of(vendor_id, name)).first():
        return found
    story = Story(app=app, vendor_id=vendor_id, type=type, first_seen_at=NOW)
    story.rename(name)
    story.save()
    restate_slugs(app, {vendor_id})
    story.refresh_from_db()
    return story


def make_learner(app: App, firstname: str = "Ana", lastname: str = "Souza", email: str = "ana@example.com") -> Learner:
    """The learner of this e-mail, made when there is none; without an e-mail, of this name."""
    identity = Learner.identity_by_email(email) if email else Learner.identity_by_person(firstname, lastname)
    name = f"{firstname} {lastname}".strip()
    told = {
        "name": name,
        "email": email,
        "search": fold(f"{name} {email}"),
        "sort_name": sort_bytes(firstname, lastname, email),
    }
    return Learner.objects.get_or_create(app=app, identity=identity, defaults=told)[0]


def make_certificate(
    story: Story, learner: Learner | None = None, state: str = "delivered", **fields: Any
) -> Certificate:
    """Delivered ten days ago unless told; `at` is its timestamp. An undocumented `state` is kept as sent."""
    names = {name: fields.pop(name, default) for name, default in _PERSON.items()}
    learner = learner or make_learner(story.app, **names)
    at = fields.pop("at", NOW - timedelta(days=10))
    documented = state in ("pending", "delivered")
    row = {
        "state": state if documented else State.OTHER,
        "state_sent": "" if documented else state,
        "timestamp": at,
        "first_seen_at": NOW,
        "changed_at": NOW,
        "initial": True,
        "country": "Brazil",
        "city": "São Paulo",
        "sort_name": sort_bytes(*names.values()),
    }
    return Certificate.objects.create(app=story.app, story=story, learner=learner, **(row | names | fields))


_PERSON = {"firstname": "Ana", "lastname": "Souza", "email": "ana@example.com"}


def make_group(app: App, name: str, *members: Learner) -> Group:
    track_groups(app, [name], keep_others=True)
    group = Group.objects.get(app=app, name=name)
    Group.objects.filter(pk=group.pk).update(checked_at=NOW)
    Membership.objects.bulk_create(Membership(group=group, learner=one, since=NOW, initial=True) for one in members)
    return group


def make_run(app: App, status: str = "success", **fields: Any) -> SyncRun:
    """A run that ended a minute ago, or that runs now."""
    running = status == SyncRun.Status.RUNNING
    times = {
        "requested_at": NOW - timedelta(minutes=2),
        "started_at": NOW - timedelta(minutes=2),
        "finished_at": None if running else NOW - timedelta(minutes=1),
        "lease_until": NOW + timedelta(hours=1),
    }
    return SyncRun.objects.create(app=app, status=status, **(times | fields))


def make_foreign(app: App) -> Certificate:
    """One of everything in the other app, each with its word in it."""
    story = make_story(app, "Retail till training", "RETA-IL00-0001", "retail-course")
    certificate = make_certificate(
        story, firstname="Rosa", lastname="Retail", email="rosa@retail.example", country="Retailand",
        city="Retailville", state="retail-state", url="https://retail.example/1", telephone="retail-1",
    )  # fmt: skip
    make_group(app, "Retail night shift", certificate.learner)
    run = make_run(app, "held", message="Retail news.", story="Retail", users=["rosa@retail.example"], missing=1)
    Rejection.objects.create(run=run, path="retail[0]", reason="Retail reason", excerpt="retail")
    told = {"app": app, "run": run, "story": story, "seen_at": NOW}
    Change.objects.create(certificate=certificate, kind="link", before={"url": ""}, after={"url": "retail"}, **told)
    Change.objects.create(kind="renamed", before={"name": "Retail"}, after={"name": "Retail till"}, **told)
    team = Team.objects.create(name="Retail trainers", claim="retail")
    team.members.add(make_user("retail-trainer"))
    app.grants.create(team=team, role=Role.OWNER)
    Erasure.objects.create(app=app, digest="retail", at=NOW)
    shared = make_view(User.objects.get(username="retail-trainer"), "Retail view", query="q=retail", app=app)
    shared.pinned_by.set(User.objects.all())
    User.objects.filter(home=None).update(home=shared)
    note(AuditKind.DOWNLOAD, app, User.objects.get(username="retail-trainer"), what="retail")
    return certificate


def make_view(
    owner: User, name: str, path: str = "/certificates/", query: str = "", app: App | None = None
) -> SavedView:
    """A saved view; with `app` shared with everybody who may see that."""
    return SavedView.objects.create(owner=owner, name=name, slug=new_slug(name), path=path, query=query, app=app)


def make_many(app: App, count: int, stories: Iterable[Story], groups: Iterable[Group] = ()) -> None:
    """Certificates of as many learners, in turn of these stories; every other learner is in each of the groups."""
    stories = list(stories)
    learners = Learner.objects.bulk_create(
        [
            Learner(
                app=app, identity=f"{number:032}", name=f"Person {number}", email=f"p{number}@example.com",
                search=f"person {number} p{number}@example.com",
                sort_name=sort_bytes("Person", f"{number:07}"),
            )
            for number in range(count)
        ],
        batch_size=500,
    )  # fmt: skip
    Certificate.objects.bulk_create(
        [
            Certificate(
                app=app, story=stories[number % len(stories)], learner=learner, firstname="Person",
                lastname=str(number), email=learner.email, country=f"Country {number % 60}", city=f"City {number % 70}",
                state=("pending", "delivered")[number % 2], timestamp=NOW - timedelta(hours=7 * (number % 900)),
                url=f"https://vendor.example/{number}", sort_name=learner.sort_name, first_seen_at=NOW,
                changed_at=NOW, initial=True,
            )
            for number, learner in enumerate(learners)
        ],
        batch_size=500,
    )  # fmt: skip
    Membership.objects.bulk_create(
        [
            Membership(group=group, learner=learner, since=NOW, initial=True)
            for group in groups
            for learner in learners[::2]
        ],
        batch_size=500,
    )
