"""Refreshing one story or one person: who is offered it, what it says, and what it asks for."""

import re
from html import unescape

import pytest

from certdash.models import App, SyncRun
from certdash.tasks import huey
from tests import world
from tests.every_page import MOST_QUERIES
from tests.reading import text_of
from tests.world import make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db
STORY = "/stories/demo/EV72-RQZY-80AH~fire-safety/"


@pytest.fixture(autouse=True)
def _empty_queue():
    huey.flush()


@pytest.fixture
def ana(cast):
    """A learner of the app `demo` with a certificate."""
    return make_certificate(make_story(cast.demo)).learner


@pytest.fixture
def as_manager(client, cast):
    client.force_login(cast.manager)
    client.get("/healthz")  # the first request of a session stamps it
    return client


def only(breadth, *stories):
    App.objects.filter(slug="demo").update(breadth=breadth, listed_stories=stories)


def button_of(client, address):
    """What the button on a page says it will do; None without a button."""
    html = client.get(address).content.decode()
    found = re.search(
        r'aria-describedby="refresh-tells">.*?Refresh this (?:story|person)</button>\s*</form>\s*'
        r'<p id="refresh-tells"[^>]*>([^<]*)</p>',
        html,
        re.S,
    )
    return unescape(found[1]) if found else None


def opened():
    """What the only run asks for."""
    run = SyncRun.objects.get()
    assert len(huey) == 1
    return run.story, run.users


# -- What it asks for -------------------------------------------------------------------------------------------


def test_a_story_is_asked_for_by_its_id(as_manager, cast, ana):
    assert "for all stories of this ID." in button_of(as_manager, STORY)
    response = as_manager.post(f"{STORY}refresh/")
    assert opened() == ("EV72-RQZY-80AH", [])
    assert SyncRun.objects.get().requested_by == cast.manager
    assert response["Location"] == f"/apps/demo/runs/{SyncRun.objects.get().pk}/"


def test_a_story_without_an_id_is_asked_for_by_its_name(as_manager, cast):
    story = make_story(cast.demo, vendor_id="")
    assert "by its name" in button_of(as_manager, f"/stories/demo/{story.key}/")
    as_manager.post(f"/stories/demo/{story.key}/refresh/")
    assert opened() == ("Fire safety", [])


def test_a_person_is_asked_for_by_e_mail(as_manager, ana):
    assert "is withdrawn" in button_of(as_manager, f"/people/{ana.pk}/")
    as_manager.post(f"/people/{ana.pk}/refresh/")
    assert opened() == ("", ["ana@example.com"])


@pytest.mark.parametrize(("email", "asked"), [("", "Ana Souza"), ("[email protected]", "[email protected]")])
def test_without_an_e_mail_address_nobody_is_withdrawn(email, asked, as_manager, cast):
    learner = make_learner(cast.demo, email=email)
    assert button_of(as_manager, f"/people/{learner.pk}/").endswith("so nothing is withdrawn.")
    as_manager.post(f"/people/{learner.pk}/refresh/")
    assert opened() == ("", [asked])


@pytest.mark.parametrize("kind", ["story", "person"])
def test_what_has_nothing_to_be_called_by_is_not_asked_for(kind, as_manager, cast):
    """An empty name would ask for everything."""
    story, learner = make_story(cast.demo, "", ""), make_learner(cast.demo, "", "", "")
    page = {"story": f"/stories/demo/{story.key}/", "person": f"/people/{learner.pk}/"}[kind]
    assert button_of(as_manager, page) is None
    assert "there is nothing to call it by" in text_of(as_manager.post(f"{page}refresh/", follow=True))
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize("status", ["success", "failed", "interrupted"])
@pytest.mark.parametrize("fields", [{"story": "EV72-RQZY-80AH"}, {"users": ["Ana@example.com"]}])
def test_the_run_leads_back_to_whom_or_what_it_asked_for(fields, status, as_manager, cast, ana):
    run = make_run(cast.demo, status, **fields)
    page, name = (f"/people/{ana.pk}/", "Ana Souza") if "users" in fields else (STORY, "Fire safety")
    html = as_manager.get(f"/apps/demo/runs/{run.pk}/").content.decode()
    assert f'<a href="{page}">Back to <bdi>{name}</bdi></a>' in html
    SyncRun.objects.update(story="", users=["ana@example.com", "ben@example.com"])
    assert "Back to" not in as_manager.get(f"/apps/demo/runs/{run.pk}/").content.decode()


def test_an_outdated_key_refreshes_the_story_it_means(as_manager, ana):
    as_manager.post("/stories/demo/EV72-RQZY-80AH~its-old-name/refresh/")
    assert opened() == ("EV72-RQZY-80AH", [])


@pytest.mark.parametrize("key", ["NONE~none", "EV72-RQZY-80AH"])
def test_a_key_that_names_no_story_or_several_refreshes_nothing(key, as_manager, cast, ana):
    make_story(cast.demo, "Fire safety 2")
    assert as_manager.post(f"/stories/demo/{key}/refresh/").status_code == 404
    assert not SyncRun.objects.exists()


# -- Who is offered it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "offered"), [("viewer", False), ("manager", True), ("owner", True)])
def test_the_button_is_for_managers_and_owners(who, offered, client, cast, ana):
    client.force_login(cast[who])
    for address in (STORY, f"/people/{ana.pk}/"):
        assert bool(button_of(client, address)) is offered


# -- While a run is under way -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("under_way", "word"),
    [
        ({}, "This app is being synchronised already"),
        ({"users": ["ana@example.com"]}, "This app is being synchronised already"),
        ({"story": "Another"}, "ask again when it has ended"),
    ],
)
def test_a_run_that_is_under_way_is_joined(under_way, word, as_manager, cast, ana):
    run = make_run(cast.demo, "running", **under_way)
    response = as_manager.post(f"/people/{ana.pk}/refresh/", follow=True)
    assert response.redirect_chain == [(f"/apps/demo/runs/{run.pk}/", 302)]
    assert word in text_of(response)
    assert not [one for one in response.context["messages"] if "ana@example.com" in str(one)]  # kept in a cookie
    assert (SyncRun.objects.count(), len(huey)) == (1, 0)


# -- Apps that synchronise only a part --------------------------------------------------------------------------


@pytest.mark.parametrize("listed", ["EV72-RQZY-80AH", "fire safety"])
def test_a_listed_story_is_refreshed(listed, as_manager, ana):
    only("stories", "Another", listed)
    assert button_of(as_manager, STORY)
    as_manager.post(f"{STORY}refresh/")
    assert opened() == ("EV72-RQZY-80AH", [])


def test_a_story_that_is_not_listed_says_why_it_is_not_asked_for(as_manager, cast, ana):
    make_story(cast.demo, "Fire safety 2")
    only("stories", "Fire safety 2")  # of the same ID
    assert button_of(as_manager, STORY) is None
    why = "Only listed stories of this app are synchronised, and this is none of them. An owner can change the list."
    assert why in text_of(as_manager.get(STORY))
    assert why in text_of(as_manager.post(f"{STORY}refresh/", follow=True))
    assert not SyncRun.objects.exists()


def test_nobody_is_refreshed_while_no_group_is_tracked(as_manager, ana):
    only("groups")
    assert button_of(as_manager, f"/people/{ana.pk}/") is None
    assert "and there is none. An owner can name the groups" in text_of(as_manager.get(f"/people/{ana.pk}/"))


def test_of_an_app_of_groups_nothing_is_withdrawn(as_manager, cast, ana):
    make_group(cast.demo, "Managers", ana)
    only("groups")
    for address in (STORY, f"/people/{ana.pk}/"):
        assert "in each tracked group. Nothing is withdrawn" in button_of(as_manager, address)


@pytest.mark.parametrize("breadth", ["everything", "stories", "groups"])
def test_a_page_asks_little_of_the_database_whatever_is_synchronised(
    breadth, as_manager, cast, ana, django_assert_max_num_queries
):
    make_group(cast.demo, "Managers", ana)
    make_run(cast.demo)
    only(breadth, "Fire safety", "Another")
    for address in (STORY, f"/people/{ana.pk}/", "/apps/demo/"):
        with django_assert_max_num_queries(MOST_QUERIES + 4):
            as_manager.get(address)


def test_a_foreign_story_or_person_is_not_refreshed(as_manager, cast):
    certificate = world.make_foreign(cast.other)
    for address in (f"/stories/retail/{certificate.story.key}/refresh/", f"/people/{certificate.learner_id}/refresh/"):
        assert as_manager.post(address).status_code == 404
    assert not SyncRun.objects.filter(app=cast.other, status="running").exists()


def test_the_run_of_an_id_that_several_stories_share_leads_back_to_their_choice(as_manager, cast, ana):
    make_story(cast.demo, "Fire safety at home")
    run = make_run(cast.demo, "success", story="EV72-RQZY-80AH")
    html = as_manager.get(f"/apps/demo/runs/{run.pk}/").content.decode()
    (back,) = re.findall(r'<a href="([^"]*)">Back to <bdi>the stories of ID EV72-RQZY-80AH</bdi></a>', html)
    choice = text_of(as_manager.get(back))
    assert "Fire safety at home" in choice
    SyncRun.objects.update(story="Fire safety")
    make_story(cast.demo, "Fire safety", "ANOTHER")
    assert "Back to" not in as_manager.get(f"/apps/demo/runs/{run.pk}/").content.decode()
