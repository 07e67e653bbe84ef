"""What each filter of an address means, and whom a key names."""

from urllib.parse import quote

import pytest
from django.http import QueryDict

from certdash.models import Group, Membership
from certdash.models.group import track_groups
from certdash.models.story import hashed_slug
from tests import world
from tests.filters.filtering import filtered, found, ignored
from tests.world import NOW, make_certificate, make_learner, make_story

pytestmark = pytest.mark.django_db

LIVE = ["1", "2", "3", "4", "6"]
MEANINGS = {
    "": LIVE,
    "app=demo": ["1", "2", "3", "4"],
    "app=demo&app=other": LIVE,
    "story=EV72-RQZY-80AH~fire-safety": ["1", "3", "6"],
    "story=EV72-RQZY-80AH": ["1", "3", "6"],
    "story=EV72-RQZY-80AH~an-older-name&app=demo": ["1", "3"],
    "story=EV72-RQZY-80AH~an-older-name": ["1", "3", "6"],
    "story=EV72-RQZY-80AH&app=other": ["6"],
    "story=AAAA-1111-BBBB~premi%C3%A8re-secours": ["2", "4"],
    "story=AAAA-1111-BBBB&story=EV72-RQZY-80AH": LIVE,
    "group=sales-partners": ["1", "2"],
    "group=engineering": ["1", "2", "3", "4"],
    "group=sales-partners&group=engineering": ["1", "2", "3", "4"],
    "group=~none": ["6"],
    "group=~none&group=sales-partners": ["1", "2", "6"],
    "group=~none&withdrawn=all": ["5", "6"],
    "state=pending": ["1", "4"],
    "state=Delivered": ["2", "6"],
    "state=expired": ["3"],
    "state=pending&state=expired": ["1", "3", "4"],
    "type=assessment": ["2", "4"],
    "type=assessment&type=story": LIVE,
    "country=Sweden": ["3", "4"],
    "country=Brazil": ["1", "2"],
    "country=brazil": ["6"],
    "country=Brazil&country=Sweden": ["1", "2", "3", "4"],
    "city=": ["4"],
    "city=&withdrawn=all": ["4", "5"],
    "city=&city=Rio": ["2", "4"],
    "country=&withdrawn=all": ["5"],
    "city=S%C3%A3o+Paulo": ["1", "6"],
    "q=ana": ["1", "2", "6"],
    "q=ANA+souza": ["1", "2", "6"],
    "q=souza+ana": ["1", "2", "6"],
    "q=ana+ek": [],
    "q=bjorn": ["3", "4"],
    "q=BJ%C3%96RN": ["3", "4"],
    "q=oster-ek": ["3", "4"],
    "q=%C3%98STER": ["3", "4"],
    "q=ek%40example": ["3", "4"],
    "q=%C3%98ster%E2%80%90ek": ["3", "4"],
    "q=a%25": [],
    "q=_": [],
    "q=++": LIVE,
    "pending_days=7": ["1"],
    "pending_days=0": ["1", "4"],
    "pending_days=2": ["1", "4"],
    "pending_days=3": ["1"],
    "withdrawn=hide": LIVE,
    "withdrawn=only": ["5"],
    "withdrawn=all": ["1", "2", "3", "4", "5", "6"],
    "app=demo&state=pending&country=Sweden": ["4"],
    "sort=-awarded&page=1&per_page=50": LIVE,
}


@pytest.mark.parametrize("query", MEANINGS)
def test_it_means(query, rows):
    assert found(query) == MEANINGS[query]


APOSTROPHES = ("'", "\u2019", "\u2018", "\u02bc", "\u00b4")


@pytest.mark.parametrize("typed", APOSTROPHES)
def test_an_apostrophe_is_found_however_it_is_typed_and_stored(typed, demo):
    story = make_story(demo)
    for number, stored in enumerate(APOSTROPHES):
        learner = make_learner(demo, "Conor", f"O{stored}Neill", f"{number}@example.com")
        make_certificate(story, learner, telephone=f"{number}", lastname=f"O{stored}Neill")
    assert found(f"q=o{quote(typed)}neill") == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("name", ["q", "awarded_from", "awarded_to", "pending_days", "withdrawn", "changed_from"])
def test_a_field_that_a_form_left_empty_filters_nothing(name, rows):
    assert found(f"{name}=") == LIVE


def test_an_address_sees_only_the_apps_of_its_reader(rows):
    other = world.App.objects.get(slug="other")
    assert found("", other) == ["6"]
    assert found("q=ana&story=EV72-RQZY-80AH", other) == ["6"]
    assert filtered("app=demo", other).ignored == ["app=demo"]


def test_of_stories_that_share_an_id_each_has_its_key(demo):
    for number, name in enumerate(["Story A", "Story B"]):
        make_certificate(make_story(demo, name), telephone=f"{number}")
    assert found("story=EV72-RQZY-80AH~story-b") == ["1"]
    assert found("story=EV72-RQZY-80AH") == ["0", "1"]
    assert ignored("story=EV72-RQZY-80AH~story-c") == ["story=EV72-RQZY-80AH~story-c"]


@pytest.mark.parametrize("name", ["!!!", "", "東京", "a/b?c=d&e#f", "50 % ~ off", "日" * 500])
@pytest.mark.parametrize("vendor_id", ["EV72-RQZY-80AH", "", "a~b/c", "名 前"])
def test_every_storys_key_names_it_alone(vendor_id, name, demo):
    make_certificate(make_story(demo, "Another", vendor_id), telephone="another")
    story = make_story(demo, name, vendor_id)
    make_certificate(story, telephone="this")
    query = QueryDict(mutable=True)
    query["story"] = story.key
    assert found(query.urlencode()) == ["this"]


def test_a_key_keeps_its_longer_form_with_a_hash(demo):
    make_certificate(make_story(demo, "Story A"), telephone="1")
    assert found(f"story=EV72-RQZY-80AH~{hashed_slug('Story A')}") == ["1"]


def test_groups_whose_names_look_alike_have_keys_of_their_own(demo):
    for name in ("Sales!", "Sales?"):
        track_groups(demo, [name], keep_others=True)
    story = make_story(demo)
    for number, group in enumerate(Group.objects.order_by("name")):
        learner = make_learner(demo, email=f"{number}@example.com")
        make_certificate(story, learner, telephone=group.name)
        Membership.objects.create(group=group, learner=learner, since=NOW)
    assert [found(f"group={group.key}") for group in Group.objects.order_by("name")] == [["Sales!"], ["Sales?"]]


def test_who_left_a_group_and_who_is_in_one_that_is_no_longer_tracked_is_in_none(rows):
    Membership.objects.filter(group__slug="sales-partners").update(until=NOW)
    assert found("group=sales-partners") == []
    Group.objects.filter(slug="engineering").update(tracked=False)
    assert found("group=~none") == LIVE
    assert ignored("group=engineering") == ["group=engineering"]
