"""What an app synchronises: the owner's page, and what pages and files show of what is out of scope."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from certdash.models import App, Change, SyncRun
from certdash.models.group import track_groups
from tests.reading import text_of
from tests.world import NOW, make_certificate, make_group, make_run, make_story

pytestmark = pytest.mark.django_db
SCOPE = "/apps/demo/scope/"
MAY = datetime(2026, 5, 3, 12, tzinfo=UTC)


@pytest.fixture
def as_owner(client, cast):
    client.force_login(cast.owner)
    return client


@pytest.fixture
def as_viewer(client, cast):
    client.force_login(cast.viewer)
    return client


def stored():
    app = App.objects.get(slug="demo")
    return app.breadth, app.listed_stories


def choose(client, breadth, stories="", **options):
    return client.post(SCOPE, {"breadth": breadth, "stories": stories}, **options)


def error_of(response):
    assert response.status_code == 422
    return " ".join(str(error) for errors in response.context["form"].errors.values() for error in errors)


# -- Choosing ---------------------------------------------------------------------------------------------------


def test_stories_are_listed_one_a_line(as_owner):
    response = choose(as_owner, "stories", "  EV72-RQZY-80AH \r\n\r\nFire safety\nFire safety\n", follow=True)
    assert response.redirect_chain == [("/apps/demo/", 302)]
    assert stored() == ("stories", ["EV72-RQZY-80AH", "Fire safety"])
    assert "Nothing has moved yet: the next sync asks for what you chose." in text_of(response)
    assert not SyncRun.objects.exists()
    assert "EV72-RQZY-80AH\nFire safety" in as_owner.get(SCOPE).content.decode()


def test_the_list_is_kept_while_something_else_is_synchronised(as_owner):
    choose(as_owner, "stories", "Fire safety")
    choose(as_owner, "everything", "Fire safety")
    assert stored() == ("everything", ["Fire safety"])


def test_only_the_groups_are_synchronised(as_owner, cast):
    make_group(cast.demo, "Managers")
    assert "Managers" in text_of(as_owner.get(SCOPE))
    assert choose(as_owner, "groups").status_code == 302
    assert stored()[0] == "groups"


REFUSED = {
    "nothing chosen": ("", "", "Choose what is synchronised."),
    "an invented choice": ("nothing", "", "Select a valid choice"),
    "nothing listed": ("stories", " \r\n \n", "Nothing is listed"),
    "no group tracked": ("groups", "", "No group is tracked yet"),
    "too many": ("stories", "\n".join(map(str, range(201))), "At most 200 stories can be listed"),
    "too long": ("stories", "x" * 501, "has at most 500 characters; this one has more: xxx"),
    "NUL": ("stories", "a\0b", "Null characters are not allowed"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_explained_and_not_saved(what, as_owner):
    breadth, stories, word = REFUSED[what]
    response = choose(as_owner, breadth, stories)
    assert word in error_of(response)
    assert word in text_of(response)
    assert stored() == ("everything", [])


def test_the_longest_list_is_saved(as_owner):
    listed = [f"{number:03d}{'ä' * 497}" for number in range(200)]
    choose(as_owner, "stories", "\r\n".join(listed))
    assert stored() == ("stories", listed)


def test_the_last_group_of_an_app_of_groups_stays(as_owner, cast):
    make_group(cast.demo, "Managers")
    choose(as_owner, "groups")
    response = as_owner.post("/apps/demo/groups/", {"names": ""})
    assert "name at least one" in error_of(response)
    assert cast.demo.groups.filter(tracked=True).exists()


def test_the_page_says_what_becomes_of_the_rest(as_owner):
    text = text_of(as_owner.get(SCOPE))
    for words in ("The next sync marks what it no longer asks for as out of scope", "not withdrawn", "it is back"):
        assert words in text


def test_listed_stories_that_no_answer_named_may_be_misspelt(as_owner, cast):
    make_story(cast.demo)
    choose(as_owner, "stories", "fire safety\nFire savety")
    assert "No answer has named these yet: Fire savety ." in text_of(as_owner.get(SCOPE))
    assert "1 of them no answer has named yet: check how it is written" in text_of(as_owner.get("/apps/demo/"))


# -- The app's page ---------------------------------------------------------------------------------------------

WORDS = {
    "stories": "Synchronised: only 2 listed stories",
    "groups": "Synchronised: only the people of 1 tracked group",
}


@pytest.mark.parametrize("breadth", WORDS)
def test_everybody_sees_when_only_a_part_is_synchronised(breadth, as_viewer, cast):
    make_group(cast.demo, "Managers")
    App.objects.update(breadth=breadth, listed_stories=["A", "B"])
    assert WORDS[breadth] in text_of(as_viewer.get("/apps/demo/"))
    assert SCOPE not in as_viewer.get("/apps/demo/").content.decode()


def test_of_everything_only_owners_are_told(as_owner, client, cast):
    text = text_of(as_owner.get("/apps/demo/"))
    assert "What is synchronised Everything" in text
    assert "Synchronised:" not in text


# -- What is out of scope ---------------------------------------------------------------------------------------


@pytest.fixture
def rows(cast):
    """Of one story: Ana's is live, Ben's out of scope, Cleo's withdrawn."""
    story = make_story(cast.demo)
    make_certificate(story)
    ben = make_certificate(story, firstname="Ben", lastname="Ek", email="ben@example.com", out_of_scope_at=MAY)
    make_certificate(story, firstname="Cleo", lastname="Ek", email="cleo@example.com", withdrawn_at=MAY)
    make_group(cast.demo, "Managers", ben.learner)
    run = make_run(cast.demo)
    Change.objects.create(app=cast.demo, run=run, story=story, certificate=ben, kind="outside", seen_at=MAY)
    return ben


def file_of(client, address):
    text = b"".join(client.get(address)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(("query", "names"), [("", ["Ana"]), ("withdrawn=hide", ["Ana"]), ("withdrawn=only", ["Cleo"])])
def test_it_is_hidden_from_lists_and_files(query, names, as_viewer, rows):
    for page in ("/certificates/", f"/stories/demo/{rows.story.key}/"):
        shown = as_viewer.get(f"{page}?{query}").context["table"].page.object_list
        assert [row.record.certificate.firstname for row in shown] == names
        assert [row["firstname"] for row in file_of(as_viewer, f"{page}?{query}&_export=csv")] == names


def test_all_shows_it_with_its_badge_and_since_when(as_viewer, rows):
    assert "Out of scope since 3 May 2026" in text_of(as_viewer.get("/certificates/?withdrawn=all"))
    withdrawn = {
        row["firstname"]: row["withdrawn"] for row in file_of(as_viewer, "/certificates/?withdrawn=all&_export=csv")
    }
    assert withdrawn == {"Ana": "", "Ben": "", "Cleo": "2026-05-03T12:00:00Z"}
    lines = b"".join(as_viewer.get("/certificates/?withdrawn=all&_export=jsonl")).splitlines()
    assert {json.loads(line)["firstname"] for line in lines} == {"Ana", "Ben", "Cleo"}


def test_no_number_counts_it(as_viewer, rows):
    assert as_viewer.get("/").context["tiles"][0]["number"] == "1"
    (story,) = as_viewer.get("/stories/").context["table"].page.object_list
    assert story.record.total == 1
    (group,) = as_viewer.get("/groups/").context["table"].page.object_list
    assert (group.record.total, group.record.members) == (0, 1)
    people = {row.record.name: row.record.total for row in as_viewer.get("/people/").context["table"].page.object_list}
    assert people == {"Ana Souza": 1, "Ben Ek": 0, "Cleo Ek": 0}
    (app,) = as_viewer.get("/apps/").context["table"].page.object_list
    assert app.record.certificates_now == 1
    for page in (f"/stories/demo/{rows.story.key}/", "/apps/demo/"):
        assert as_viewer.get(page).context["numbers"].total == 1
    assert as_viewer.get("/groups/demo/managers/").context["numbers"].total == 0
    assert as_viewer.get(f"/people/{rows.learner_id}/").context["numbers"].total == 0


@pytest.mark.parametrize("address", ["/stories/", "/groups/", "/people/"])
def test_no_file_counts_it(address, as_viewer, rows):
    assert sum(int(row["certificates"]) for row in file_of(as_viewer, f"{address}?_export=csv")) == (
        0 if address == "/groups/" else 1
    )


@pytest.mark.parametrize("table", ["weeks", "breakdown"])
def test_no_small_table_counts_it(table, as_viewer, rows):
    counted = file_of(as_viewer, f"/stories/demo/{rows.story.key}/?_table={table}&_export=csv")
    assert sum(int(row["delivered"]) for row in counted) == (1 if table == "weeks" else 0)


def test_pages_about_it_say_how_much_of_it_there_is(as_viewer, rows):
    App.objects.update(breadth="groups")
    track_groups(rows.app, ["Managers"])
    words = "1 certificate here is out of scope, since the vendor is not asked for it any more. Show it"
    for page in (f"/stories/demo/{rows.story.key}/", f"/people/{rows.learner_id}/"):
        assert words in text_of(as_viewer.get(page))


def test_where_all_is_out_of_scope_the_empty_list_says_so(as_viewer, rows):
    App.objects.update(breadth="groups")
    response = as_viewer.get(f"/people/{rows.learner_id}/")
    assert "All that is known here is out of scope. Show what is out of scope" in text_of(response)
    assert f'href="/people/{rows.learner_id}/?withdrawn=all"' in response.content.decode()
    assert "No certificate fits these filters." in text_of(as_viewer.get(f"/people/{rows.learner_id}/?state=pending"))


# -- Time to delivery -------------------------------------------------------------------------------------------

DELIVERIES = {
    "days": ({"delivered_after": timedelta(days=3, hours=5)}, "after 3 days, as observed"),
    "a day": ({"delivered_after": timedelta(days=1)}, "after 1 day, as observed"),
    "hours": ({"delivered_after": timedelta(hours=5, minutes=10)}, "after 5 hours, as observed"),
    "seconds": ({"delivered_after": timedelta(seconds=2)}, "after less than a minute, as observed"),
    "a clock that was ahead": ({"delivered_after": timedelta(seconds=-9)}, "after less than a minute, as observed"),
}


@pytest.mark.parametrize("what", DELIVERIES)
def test_time_to_delivery_is_told_where_it_was_observed(what, as_viewer, cast):
    fields, words = DELIVERIES[what]
    one = make_certificate(make_story(cast.demo), **fields)
    for page in ("/certificates/", f"/stories/demo/{one.story.key}/", f"/people/{one.learner_id}/"):
        response = as_viewer.get(page)
        assert words in text_of(response)
        assert "From the first sync that saw it pending to the first that saw it delivered" in response.content.decode()


@pytest.mark.parametrize(
    "fields",
    [{}, {"state": "pending", "delivered_after": timedelta(1)}, {"delivered_after": timedelta(1), "withdrawn_at": NOW},
     {"delivered_after": timedelta(1), "out_of_scope_at": NOW}],
    ids=["not observed", "pending again", "withdrawn", "out of scope"],
)  # fmt: skip
def test_time_to_delivery_is_told_of_nothing_else(fields, as_viewer, cast):
    make_certificate(make_story(cast.demo), **fields)
    assert "as observed" not in text_of(as_viewer.get("/certificates/?withdrawn=all"))


# -- The moment in the name of a file ---------------------------------------------------------------------------

OF_A_SYNC = [
    "/certificates/", "/stories/", "/groups/", "/people/", "/apps/", "/stories/demo/EV72-RQZY-80AH~fire-safety/",
    "/groups/demo/managers/", "/people/{learner}/",
]  # fmt: skip
SMALL = [
    "/?_table=weeks&", "/stories/demo/EV72-RQZY-80AH~fire-safety/?_table=weeks&",
    "/stories/demo/EV72-RQZY-80AH~fire-safety/?_table=breakdown&", "/groups/demo/managers/?_table=weeks&",
    "/groups/demo/managers/?_table=breakdown&", "/people/{learner}/?_table=weeks&",
]  # fmt: skip


@pytest.mark.parametrize("address", [*(f"{page}?" for page in OF_A_SYNC), *SMALL])
def test_a_file_of_the_vendors_rows_is_named_by_the_last_good_run(address, as_owner, rows):
    SyncRun.objects.update(finished_at=MAY)
    make_run(rows.app, "failed")
    response = as_owner.get(f"{address.format(learner=rows.learner_id)}_export=csv")
    assert response["Content-Disposition"].endswith('-2026-05-03T1200Z.csv"')


@pytest.mark.parametrize("address", ["/apps/demo/runs/", "/apps/demo/people/"])
def test_a_file_of_our_own_rows_is_named_by_the_moment_it_is_made(address, as_owner, rows):
    SyncRun.objects.update(finished_at=MAY)
    name = as_owner.get(f"{address}?_export=csv")["Content-Disposition"]
    assert f"-{NOW:%Y-%m-%d}" in name or f"-{NOW + timedelta(days=1):%Y-%m-%d}" in name
