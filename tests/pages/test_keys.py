"""Keys in addresses: of stories, groups and people, outdated, shared by several, or of nothing."""

import re

import pytest

from tests.world import make_certificate, make_story

pytestmark = pytest.mark.django_db


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
