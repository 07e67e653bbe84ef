"""Lists of other things: their search, their paging and their orders."""

import pytest
from django.http import QueryDict

from certdash.filters import StoryFilter
from certdash.models import Story
from certdash.models.text import fold
from tests.world import make_certificate, make_story

pytestmark = pytest.mark.django_db


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
