"""Everybody's own page, and the time zone that pages offer."""

import re

import pytest
from django.contrib.messages import get_messages

from certdash.models import Grant, Role, Team, User
from tests import world


@pytest.fixture
def viewer(client, cast):
    client.force_login(cast.viewer)
    return client


def zone_of(person):
    return User.objects.get(pk=person.pk).time_zone


def test_the_menu_leads_to_the_profile_which_tells_who_one_is_and_what_one_may_see(viewer, cast):
    team = Team.objects.create(name="Trainers")
    team.members.add(cast.viewer)
    Grant.objects.create(app=cast.demo, team=team, role=Role.MANAGER)
    assert 'href="/accounts/profile/"' in viewer.get("/").content.decode()
    page = viewer.get("/accounts/profile/").content.decode()
    listed = re.findall(r"<li>.*?</li>", page, re.DOTALL)
    roles = [" ".join(re.sub(r"<[^>]*>", " ", one).split()) for one in listed]
    assert sorted(roles) == ["Demo Academy Viewer", "Demo Academy by Trainers Manager"]
    assert "viewer@example.com" in page
    assert world.FOREIGN not in page.lower()


def test_a_zone_that_was_chosen_is_the_one_of_every_page(viewer, cast):
    answer = viewer.post("/accounts/profile/", {"time_zone": "Europe/Berlin"}, follow=True)
    assert zone_of(cast.viewer) == "Europe/Berlin"
    assert re.search(r'<option value="Europe/Berlin"\s+selected', answer.content.decode())
    assert "times in Europe/Berlin" in viewer.get("/").content.decode()


def test_without_a_zone_of_ones_own_the_installations_is_offered_first(viewer, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    page = viewer.get("/accounts/profile/").content.decode()
    assert re.search(r'<option value=""\s+selected>As the installation: Asia/Tokyo', page)


def test_going_back_to_the_installations_zone(viewer, cast):
    viewer.post("/accounts/profile/", {"time_zone": "Europe/Berlin"})
    viewer.post("/accounts/profile/", {"time_zone": ""})
    assert zone_of(cast.viewer) == ""


@pytest.mark.parametrize(
    "odd", ["Europe/Atlantis", "../../etc/passwd", "localtime", "x" * 5000, "a\0b", "europe/berlin"]
)
def test_a_zone_that_nobody_knows_is_refused_and_nothing_is_stored(odd, viewer, cast):
    answer = viewer.post("/accounts/profile/", {"time_zone": odd})
    assert answer.status_code == 422
    assert answer.context["form"].errors["time_zone"]
    viewer.post("/accounts/profile/time-zone/", {"time_zone": odd})
    assert zone_of(cast.viewer) == ""


def test_the_form_changes_nothing_else_of_the_account(viewer, cast):
    before = User.objects.filter(pk=cast.viewer.pk).values().get()
    everything = dict.fromkeys(before, "1") | {"time_zone": "Europe/Berlin", "username": "root"}
    viewer.post("/accounts/profile/", everything)
    viewer.post("/accounts/profile/time-zone/", everything)
    after = User.objects.filter(pk=cast.viewer.pk).values().get()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"time_zone"}


def test_an_older_name_of_a_zone_is_understood_and_stays_chosen(viewer, cast):
    viewer.post("/accounts/profile/", {"time_zone": "US/Eastern"})
    assert zone_of(cast.viewer) == "US/Eastern"
    assert re.search(r'<option value="US/Eastern"\s+selected', viewer.get("/accounts/profile/").content.decode())


def test_the_offer_of_a_page_is_taken_and_leads_back_to_it(viewer, cast):
    back = "/certificates/?state=pending&q=a"
    answer = viewer.post("/accounts/profile/time-zone/", {"time_zone": "Asia/Tokyo", "next": back})
    assert (answer.status_code, answer["Location"]) == (302, back)
    assert zone_of(cast.viewer) == "Asia/Tokyo"
    assert [f"{one}" for one in get_messages(answer.wsgi_request)] == [
        "Times are shown in Asia/Tokyo from now on. Your profile is where to change it."
    ]


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_the_offer_leads_to_no_other_host(elsewhere, viewer):
    answer = viewer.post("/accounts/profile/time-zone/", {"time_zone": "Asia/Tokyo", "next": elsewhere})
    assert answer["Location"] == "/accounts/profile/"


# -- In a browser -----------------------------------------------------------------------------------------------


@pytest.fixture
def visit(open_page, live_server, transactional_db):
    cast = world.make_cast()

    def visit(zone, path="/certificates/?state=pending", **options):
        page = open_page(timezone_id=zone, **options)
        page.goto(f"{live_server.url}/accounts/login/")
        page.get_by_label("User name or e-mail").fill("viewer")
        page.get_by_label("Password").fill(world.PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto(live_server.url + path)
        return page, cast.viewer

    return visit


def test_a_browser_by_another_clock_is_offered_its_zone_and_nothing_is_switched_by_itself(visit, expect):
    page, person = visit("Europe/Berlin")
    hint = page.locator("#zone-hint")
    expect(hint).to_be_visible()
    assert zone_of(person) == ""
    page.get_by_role("button", name="Use Europe/Berlin").click()
    expect(page.get_by_text("Times are shown in Europe/Berlin from now on")).to_be_visible()
    expect(hint).to_be_hidden()
    assert page.url.endswith("/certificates/?state=pending")
    assert zone_of(person) == "Europe/Berlin"


def test_who_keeps_the_zone_is_not_asked_again_in_this_browser_until_it_moves(visit, expect):
    page, person = visit("Europe/Berlin")
    page.get_by_role("button", name="Keep UTC").click()
    expect(page.locator("#zone-hint")).to_be_hidden()
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#zone-hint")).to_be_hidden()
    assert zone_of(person) == ""
    page.context.add_cookies(
        [{"name": "zone_kept", "value": "Asia%2FTokyo", "url": page.url.partition("/certificates/")[0]}]
    )
    page.reload()
    expect(page.locator("#zone-hint")).to_be_visible()


def test_the_offer_covers_no_button_at_the_end_of_a_page(visit, expect):
    page, _ = visit("Europe/Berlin", "/views/add/", viewport={"width": 360, "height": 740})
    expect(page.locator("#zone-hint")).to_be_visible()
    page.get_by_label("Name").fill("Everything")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("is saved")).to_be_visible()


@pytest.mark.parametrize("same", ["UTC", "Africa/Abidjan"])
def test_a_browser_by_the_same_clock_is_offered_nothing(same, visit, expect):
    page, _ = visit(same)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#zone-hint")).to_be_hidden()
    assert page.locator("#zone-hint").count() == 1


def test_without_scripts_the_profile_does_it(visit, expect):
    page, person = visit("Europe/Berlin", "/accounts/profile/", java_script_enabled=False)
    expect(page.locator("#zone-hint")).to_be_hidden()
    page.locator("#id_time_zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    assert zone_of(person) == "Europe/Berlin"
