"""What each filter of an address means, and what becomes of an address that makes no sense."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from certdash.filters import CertificateFilter, StoryFilter
from certdash.models import Certificate, Change, Group, Membership, Story
from certdash.models.group import track_groups
from certdash.models.story import hashed_slug
from certdash.models.text import fold
from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo():
    return world.make_app("demo")


def filtered(query, *apps):
    apps = apps or list(world.App.objects.all())
    return CertificateFilter(QueryDict(query), Certificate.objects.of(apps), apps)


def found(query, *apps):
    """Telephones, which are the rows' names here, in order; nothing may have been ignored."""
    filters = filtered(query, *apps)
    assert filters.ignored == []
    return sorted(filters.qs.values_list("telephone", flat=True))


def ignored(query):
    return filtered(query).ignored


@pytest.fixture
def rows(demo):
    """Six certificates that differ in everything one can filter by."""
    other = world.make_app("other")
    fire, first_aid = make_story(demo), make_story(demo, "Première secours", "AAAA-1111-BBBB", "assessment")
    same = make_story(other)  # the same key as in the first app
    ana = {"firstname": "Ana", "lastname": "Souza", "email": "ana@example.com"}
    bjorn = {"firstname": "Björn", "lastname": "Øster-Ek", "email": "Bjorn.Ek@Example.com", "country": "Sweden"}
    nobody = {"firstname": "", "lastname": "", "email": "", "country": "", "city": ""}
    make_certificate(fire, telephone="1", **ana, state="pending")
    make_certificate(first_aid, telephone="2", **ana, city="Rio")
    make_certificate(fire, telephone="3", **bjorn, city="Malmö", state="expired")
    make_certificate(first_aid, telephone="4", **bjorn, city="", state="pending", at=NOW - timedelta(days=2, minutes=2))
    make_certificate(fire, telephone="5", **nobody, withdrawn_at=NOW)
    make_certificate(same, telephone="6", **ana, country="brazil")
    learners = {one.email: one for one in demo.learners.all()}
    make_group(demo, "Sales & Partners", learners["ana@example.com"])
    make_group(demo, "Engineering", learners["ana@example.com"], learners["Bjorn.Ek@Example.com"])
    return demo


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


@pytest.mark.parametrize("name", ["q", "awarded_from", "awarded_to", "pending_days", "withdrawn", "changed_from"])
def test_a_field_that_a_form_left_empty_filters_nothing(name, rows):
    assert found(f"{name}=") == LIVE


def test_an_address_sees_only_the_apps_of_its_reader(rows):
    other = world.App.objects.get(slug="other")
    assert found("", other) == ["6"]
    assert found("q=ana&story=EV72-RQZY-80AH", other) == ["6"]
    assert filtered("app=demo", other).ignored == ["app=demo"]


# -- Keys -------------------------------------------------------------------------------------------------------


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


# -- When -------------------------------------------------------------------------------------------------------


@pytest.fixture
def nights(demo):
    """Around the midnights of the day when Berlin's clocks go back, in UTC."""
    story = make_story(demo)
    for number, at in enumerate(["24T21:59:59.999", "24T22:00:00", "25T22:59:59.999", "25T23:00:00"]):
        make_certificate(story, telephone=f"{number}", at=datetime.fromisoformat(f"2026-10-{at}+00:00"))


@pytest.mark.parametrize(
    ("zone", "query", "meant"),
    [
        ("Europe/Berlin", "awarded_from=2026-10-25", ["1", "2", "3"]),
        ("Europe/Berlin", "awarded_to=2026-10-25", ["0", "1", "2"]),
        ("Europe/Berlin", "awarded_from=2026-10-25&awarded_to=2026-10-25", ["1", "2"]),
        ("UTC", "awarded_from=2026-10-25", ["2", "3"]),
        ("UTC", "awarded_to=2026-10-24", ["0", "1"]),
        ("Asia/Tokyo", "awarded_from=2026-10-25&awarded_to=2026-10-25", ["0", "1"]),
        ("Europe/Berlin", "awarded_from=2026-10-26&awarded_to=2026-10-25", []),
        ("Europe/Berlin", "awarded_from=0002-01-01&awarded_to=9998-12-31", ["0", "1", "2", "3"]),
    ],
)
def test_days_are_inclusive_in_the_readers_time_zone(zone, query, meant, nights):
    with timezone.override(zone):
        assert found(query) == meant


@pytest.fixture
def changed(demo):
    """Certificates by what happened to them, a day ago."""
    story, run, yesterday = make_story(demo), make_run(demo), NOW - timedelta(days=1)
    kinds = ["delivered", "withdrawn", "returned", "link", "details"]
    for kind in kinds:
        gone = yesterday if kind == "withdrawn" else None
        one = make_certificate(story, telephone=kind, withdrawn_at=gone)
        Change.objects.create(app=demo, run=run, story=story, certificate=one, kind=kind, seen_at=yesterday)
    make_certificate(story, telephone="new", initial=False, first_seen_at=yesterday)
    make_certificate(story, telephone="initial", initial=True)


@pytest.mark.parametrize("kind", ["new", "delivered", "withdrawn", "returned", "link"])
def test_a_change_finds_what_it_happened_to(kind, changed):
    assert found(f"change={kind}") == [kind]


@pytest.mark.parametrize("hours", [23, 25])
def test_changes_can_be_asked_for_from_a_moment_on(hours, changed):
    moment = QueryDict(mutable=True)
    moment["changed_from"] = (NOW - timedelta(hours=hours)).isoformat()
    for kind in ("new", "delivered", "withdrawn"):
        assert found(f"change={kind}&{moment.urlencode()}") == ([kind] if hours > 24 else [])
    assert found(moment.urlencode()) == (["delivered", "link", "new", "returned", "withdrawn"] if hours > 24 else [])


def test_several_kinds_of_change_are_alternatives(changed):
    assert found("change=new&change=delivered") == ["delivered", "new"]
    assert found("change=withdrawn&change=link") == ["link", "withdrawn"]
    assert found("change=withdrawn&withdrawn=hide") == []


def test_a_moment_without_an_offset_is_the_readers(demo):
    make_certificate(make_story(demo), initial=False, first_seen_at=datetime(2026, 7, 1, 10, 30, tzinfo=UTC))
    with timezone.override("Europe/Berlin"):
        assert len(found("change=new&changed_from=2026-07-01T12:30")) == 1
        assert len(found("change=new&changed_from=2026-07-01T12:31")) == 0
        assert len(found("change=new&changed_from=2026-07-01T10:30Z")) == 1


def test_ids_are_ours_and_at_most_two_hundred(demo):
    story = make_story(demo)
    pks = [make_certificate(story, telephone=f"{number}").pk for number in range(3)]
    assert found(f"id={pks[0]}&id={pks[2]}") == ["0", "2"]
    many = [f"id={10**9 + number}" for number in range(200)]
    assert ignored("&".join(many)) == []
    assert ignored("&".join([*many, "id=7"])) == ["id=7"]


# -- What makes no sense ----------------------------------------------------------------------------------------

LONG = "x" * 10_000
SENSELESS = {
    "stat=pending": ["stat=pending"],
    "APP=demo": ["APP=demo"],
    "app=nobody": ["app=nobody"],
    "app=demo&app=nobody": ["app=nobody"],
    "story=nothing": ["story=nothing"],
    "group=~": ["group=~"],
    "state=pendng": ["state=pendng"],
    "state=other": ["state=other"],
    "type=Assessment": ["type=Assessment"],
    "awarded_from=01/02/2026": ["awarded_from=01/02/2026"],
    "awarded_from=2026-02-30": ["awarded_from=2026-02-30"],
    "awarded_to=9999-12-31": ["awarded_to=9999-12-31"],
    "awarded_from=0001-01-01": ["awarded_from=0001-01-01"],
    "pending_days=-1": ["pending_days=-1"],
    "pending_days=1.5": ["pending_days=1.5"],
    "pending_days=NaN": ["pending_days=NaN"],
    "pending_days=1e400": ["pending_days=1e400"],
    f"pending_days={'9' * 5000}": [f"pending_days={'9' * 5000}"],
    "withdrawn=yes": ["withdrawn=yes"],
    "change=details": ["change=details"],
    "change=": ["change="],
    "changed_from=yesterday": ["changed_from=yesterday"],
    "changed_from=9999-12-31T23:59:59-23:00": ["changed_from=9999-12-31T23:59:59-23:00"],
    "id=0x1": ["id=0x1"],
    "id=-1": ["id=-1"],
    f"id={'9' * 30}": [f"id={'9' * 30}"],
    "id=%D9%A3": ["id=٣"],
    f"q={LONG}": [f"q={LONG}"],
    f"story={LONG}": [f"story={LONG}"],
    "q=a%00b": ["q=a\0b"],
    "country=%00": ["country=\0"],
    "country=a%00b&country=Brazil": ["country=a\0b"],
    "q=one&q=two": ["q=one", "q=two"],
    "withdrawn=all&withdrawn=only": ["withdrawn=all", "withdrawn=only"],
    "awarded_from=2026-01-01&awarded_from=2026-01-01": ["awarded_from=2026-01-01", "awarded_from=2026-01-01"],
    "a%00b=1": ["a\0b=1"],
    "&".join(f"country={number}" for number in range(51)): ["country=50"],
}


@pytest.mark.parametrize("query", SENSELESS, ids=lambda query: query[:40])
def test_what_makes_no_sense_is_named_and_left_out(query, demo):
    make_certificate(make_story(demo))
    filters = filtered(query)
    assert filters.ignored == SENSELESS[query]
    assert filters.qs.count() in (0, 1)  # and the rest of the address still counts


@pytest.mark.parametrize("query", ["country=%ff%fe", "city=%80", "country=nowhere", f"country={LONG}", "q=%ff"])
def test_a_text_that_nobody_has_finds_nothing(query, demo):
    make_certificate(make_story(demo))
    assert found(query) == []


def test_a_page_says_what_it_left_out_and_shows_the_rest(client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    for query in SENSELESS.keys() - {"change="}:
        response = client.get(f"/certificates/?{query}")
        assert response.status_code == 200, query[:80]
        assert "means nothing here, or is not shared with you, and was left out" in response.content.decode()


@pytest.mark.parametrize(
    "query",
    ["sort=colour", "sort=-", "sort=person&sort=state", "page=0", "page=2", "page=x", "page=9999999999999999999",
     "page=%D9%A3", "per_page=0", "per_page=100000", "per_page=-5"],
)  # fmt: skip
def test_a_senseless_page_or_order_is_named_too(query, client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    response = client.get(f"/certificates/?{query}")
    assert response.status_code == 200
    assert response.context["ignored"]
    assert response.context["table"].page.object_list


def test_a_page_is_silent_about_the_empty_fields_of_a_form_without_script(client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    empty = "&".join(f"{name}=" for name in ("q", "app", "state", "awarded_from", "pending_days", "withdrawn"))
    response = client.get(f"/certificates/?{empty}")
    assert response.context["ignored"] == []
    assert response.context["rows"] == 1
    assert client.get(f"/certificates/?{empty}&_export=csv").status_code == 400


@pytest.mark.parametrize("query", SENSELESS, ids=lambda query: query[:40])
def test_a_download_refuses_it(query, client, cast):
    client.force_login(cast.viewer)
    response = client.get(f"/certificates/?{query}&_export=csv")
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/plain")
    assert response.content.decode().startswith("No file was made")


@pytest.mark.parametrize("query", ["sort=colour", "_export=xls", "_export=", "_export=csv&_export=jsonl", "x=1"])
def test_a_download_refuses_an_order_or_a_format_it_does_not_know(query, client, cast):
    client.force_login(cast.viewer)
    separate = "" if "_export" in query else "&_export=csv"
    assert client.get(f"/certificates/?{query}{separate}").status_code == 400


@pytest.mark.parametrize("path", ["stories", "groups", "people", "apps"])
def test_every_list_names_what_it_does_not_know_and_refuses_a_file_of_it(path, client, cast):
    client.force_login(cast.viewer)
    page = client.get(f"/{path}/?state=pending")
    assert page.status_code == 200
    assert page.context["ignored"] == ["state=pending"]
    assert client.get(f"/{path}/?state=pending&_export=csv").status_code == 400


# -- Lists of other things --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "meant"), [("fire", 1), ("SAFETY fire", 1), ("premiere", 1), ("x", 0), ("e", 2)])
def test_a_list_is_searched_word_by_word_without_case_and_accents(words, meant, demo):
    make_story(demo), make_story(demo, "Première secours", "B")
    query = QueryDict(mutable=True)
    query["q"] = words
    assert StoryFilter(query, Story.objects.all(), [demo]).qs.count() == meant


def test_the_words_that_are_searched_for_are_folded_like_those_that_are_searched_in():
    assert fold("ÅSE  Łuk\tß") == "ase luk ss"


@pytest.mark.parametrize("path", ["/certificates/", "/people/", "/stories/"])
def test_words_of_which_nothing_is_left_are_no_filter_that_lets_all_pass(path, client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    assert client.get(f"{path}?q=%CC%81&_export=csv").status_code == 400
    assert "means nothing here" in client.get(f"{path}?q=%CC%81").content.decode()


@pytest.mark.parametrize("paging", ["page=abc", "per_page=bad", "per_page=9999", "page=-1"])
def test_a_file_refuses_nonsense_paging(paging, client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    assert client.get(f"/certificates/?_export=csv&{paging}").status_code == 400


def test_pages_of_one_story_or_person_take_all_filters(client, cast):
    certificate = make_certificate(make_story(cast.demo), country="Germany")
    make_certificate(certificate.story, learner=certificate.learner, country="France")
    client.force_login(cast.viewer)
    for path in (f"/people/{certificate.learner.pk}/", f"/stories/demo/{certificate.story.key}/"):
        body = b"".join(client.get(f"{path}?country=Germany&app=demo&type=STORY&_export=csv").streaming_content)
        assert (body.count(b"Germany"), body.count(b"France")) == (1, 0)


def test_every_order_ends_in_the_row_itself(client, cast):
    client.force_login(cast.superuser)
    make_certificate(make_story(cast.demo))
    for path in (
        "/certificates/",
        "/stories/",
        "/groups/",
        "/people/",
        "/apps/",
        "/apps/demo/runs/",
        "/apps/demo/people/",
    ):
        table = client.get(path).context["table"]
        for column in [column.name for column in table.columns if column.orderable]:
            for sign in ("", "-"):
                ordered = client.get(f"{path}?sort={sign}{column}").context["table"]
                assert ordered.data.data.query.order_by[-1] in ("pk", "-pk"), (path, column)
