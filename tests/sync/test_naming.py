"""Which saved views an erasure takes along: those that name the learner, and of nobody whom the app is foreign to."""

import pytest

from certdash.models import Grant, Learner, Role, SavedView, Team, User
from certdash.sync.erasing import erase, traces_of
from tests import world
from tests.world import Cast, make_view


@pytest.fixture
def erika(cast: Cast) -> Learner:
    """Of the app `demo`."""
    certificate = world.make_certificate(
        world.make_story(cast.demo), firstname="Erika", lastname="Müster-Mann", email="erika.mm@corp.example"
    )
    return certificate.learner


def left(learner: Learner, by: User) -> list[str]:
    """The names of the views that are left; what the page said of the others was right."""
    before, told = SavedView.objects.count(), traces_of(learner).views
    assert erase(learner, by, world.NOW).views == told
    names = sorted(SavedView.objects.values_list("name", flat=True))
    assert told == before - len(names)
    return names


def test_views_that_name_who_was_erased_are_gone_and_no_others(cast: Cast) -> None:
    learner = world.make_certificate(world.make_story(cast.demo)).learner
    world.make_learner(cast.demo, "Ana", "Lima", "ana.lima@example.com")
    gone = [
        make_view(cast.viewer, "By address", query="q=ANA%40example.com"),
        make_view(cast.viewer, "By name", "/people/", "state=pending&q=ana+souza"),
        make_view(cast.manager, "Page", f"/people/{learner.pk}/", "state=pending"),
        make_view(cast.owner, "For ana@example.com", app=cast.demo),
    ]
    gone[0].pinned_by.add(cast.viewer)
    User.objects.filter(pk=cast.viewer.pk).update(home=gone[0])
    make_view(cast.viewer, "Another", query="q=ana")
    make_view(cast.viewer, "Longer", query="q=banana%40example.com")
    assert left(learner, cast.owner) == ["Another", "Longer"]


def test_a_view_stays_that_may_mean_the_same_person_in_another_app(cast: Cast) -> None:
    learner = world.make_learner(cast.demo)
    world.make_learner(cast.other)
    Grant.objects.create(app=cast.other, user=cast.manager, role=Role.VIEWER)
    query = "q=ana%40example.com"
    make_view(cast.stranger, "Theirs", query=query, app=cast.other)
    make_view(cast.manager, "Of one who sees both", query=query)
    make_view(cast.superuser, "Of one who sees all", query=query)
    make_view(cast.manager, "Of this app alone", query=f"{query}&app=demo")
    make_view(cast.viewer, "Of one who sees this one", query=query)
    make_view(cast.manager, "Ours", query=query, app=cast.demo)
    assert left(learner, cast.owner) == ["Of one who sees all", "Of one who sees both", "Theirs"]


# -- Whose ------------------------------------------------------------------------------------------------------


NAMING = "q=erika+m%C3%BCster-mann"


def test_a_private_view_of_somebody_to_whom_the_app_is_foreign_is_neither_counted_nor_gone(
    cast: Cast, erika: Learner
) -> None:
    make_view(cast.stranger, "Private", query=NAMING)
    make_view(cast.stranger, "Part", query="q=erika")
    make_view(cast.stranger, "Erika Müster-Mann")
    assert traces_of(erika).views == 0
    assert left(erika, cast.owner) == ["Erika Müster-Mann", "Part", "Private"]


def test_what_leads_to_the_learners_page_is_gone_whosever_it_is(cast: Cast, erika: Learner) -> None:
    make_view(cast.stranger, "Page", f"/people/{erika.pk}/")
    make_view(cast.stranger, "Other page", f"/people/{erika.pk}1/")
    assert left(erika, cast.owner) == ["Other page"]


def test_a_view_that_is_shared_with_another_app_stays_with_those_people(cast: Cast, erika: Learner) -> None:
    Grant.objects.create(app=cast.demo, user=cast.stranger, role=Role.VIEWER)
    make_view(cast.stranger, "Shared", query=NAMING, app=cast.other)
    make_view(cast.stranger, "Private", query=NAMING)
    assert left(erika, cast.owner) == ["Shared"]


def test_a_view_that_its_owner_shares_no_more_with_another_app_is_a_private_one(cast: Cast, erika: Learner) -> None:
    make_view(cast.viewer, "Was shared", query=NAMING, app=cast.other)
    assert left(erika, cast.owner) == []


def test_a_view_that_was_for_the_apps_people_goes_also_when_its_owner_is_out(cast: Cast, erika: Learner) -> None:
    """It would be theirs again as soon as the owner is back."""
    make_view(cast.stranger, "Was shared", query=NAMING, app=cast.demo)
    assert left(erika, cast.owner) == []


def test_private_views_go_of_who_sees_the_app_in_a_team_as_a_superuser_or_with_a_closed_account(
    cast: Cast, erika: Learner
) -> None:
    team = Team.objects.create(name="Trainers")
    team.members.add(cast.stranger)
    cast.demo.grants.create(team=team, role=Role.VIEWER)
    User.objects.filter(pk=cast.viewer.pk).update(is_active=False)
    for person in (cast.stranger, cast.viewer, cast.superuser):
        make_view(person, f"Of {person}", query=NAMING)
    assert left(erika, cast.owner) == []


# -- Parts of a name --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [
    "erika", "ERIKA", "m%C3%BCster-mann", "muster-mann", "mann+erika", "erika.mm", "mm", "erika.mm%40corp.example",
])  # fmt: skip
def test_a_search_for_a_part_of_the_name_goes_when_nobody_else_has_it(words: str, cast: Cast, erika: Learner) -> None:
    world.make_learner(cast.demo, "Max", "Ek", "max@corp.example")
    make_view(cast.viewer, "Theirs", "/people/", f"q={words}&sort=name")
    assert left(erika, cast.owner) == []


@pytest.mark.parametrize("query", [
    "q=erika+fire", "q=erik", "q=corp.example", "q=example", "q=", "city=Erika", "state=pending",
])  # fmt: skip
def test_a_search_for_more_or_for_something_else_stays(query: str, cast: Cast, erika: Learner) -> None:
    make_view(cast.viewer, "Theirs", query=query)
    assert left(erika, cast.owner) == ["Theirs"]


@pytest.mark.parametrize("path", ["/stories/", "/groups/", "/delivery/"])
def test_a_search_for_no_people_stays(path: str, cast: Cast, erika: Learner) -> None:
    make_view(cast.viewer, "Theirs", path, "q=erika")
    assert left(erika, cast.owner) == ["Theirs"]


def test_a_search_stays_that_finds_somebody_else_whom_its_owner_may_see(cast: Cast, erika: Learner) -> None:
    world.make_learner(cast.demo, "Erika", "Ek", "ek@corp.example")
    make_view(cast.viewer, "Somebody else", query="q=erika")
    make_view(cast.viewer, "Nobody else", query="q=mann")
    assert left(erika, cast.owner) == ["Somebody else"]


def test_whom_only_others_may_see_is_neither_found_nor_told(cast: Cast, erika: Learner) -> None:
    """Whether a view of theirs counts would tell an owner who is in an app that they may not see."""
    world.make_learner(cast.other, "Erika", "Retail", "erika@retail.example")
    make_view(cast.owner, "Theirs", query="q=erika")
    make_view(cast.manager, "Shared", query="q=erika", app=cast.demo)
    make_view(cast.superuser, "Of one who sees both", query="q=erika")
    assert left(erika, cast.owner) == ["Of one who sees both"]
