"""Telephones of an app that stores none any more, and that the worker has not removed yet: nobody gets to see them."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from certdash.models import App, Certificate, Change
from tests import world
from tests.world import NOW, Cast

HIDDEN, SHOWN = "5550123", "7770456"


@pytest.fixture
def one(cast: Cast) -> Certificate:
    """A certificate of an app that stores none, with a number in its row and its history; another app stores them."""
    hidden = make(cast.demo, HIDDEN)
    make(cast.other, SHOWN)
    App.objects.filter(pk=cast.demo.pk).update(stores_telephones=False, telephones_left=True)
    cast.superuser.columns = {"certificates": ["telephone", "awarded"]}
    cast.superuser.save()
    return hidden


def make(app: App, telephone: str) -> Certificate:
    certificate = world.make_certificate(world.make_story(app), telephone=telephone)
    world.make_group(app, "Managers", certificate.learner)
    run = world.make_run(app)
    told = {"app": app, "run": run, "story": certificate.story, "seen_at": NOW, "kind": Change.Kind.DETAILS}
    before, after = {"telephone": f"{telephone}9", "city": "Leeds"}, {"telephone": telephone, "city": "York"}
    Change.objects.create(certificate=certificate, before=before, after=after, **told)
    return certificate


def addresses(of: Certificate) -> list[str]:
    """Every page with its certificates or their changes, and its files."""
    app, learner = of.app.slug, of.learner_id
    changes = f"/apps/{app}/runs/{of.app.runs.get().pk}/changes/"
    lists = [
        "/certificates/", f"/people/{learner}/", f"/stories/{app}/{of.story.key}/", f"/groups/{app}/managers/", changes
    ]  # fmt: skip
    queries = ["", "?_export=csv", "?_export=jsonl", "?_export=xlsx"]
    pages = ["/people/?_export=csv", f"/people/{learner}/timeline/", f"/apps/{app}/runs/{of.app.runs.get().pk}/"]
    return [*(path + query for path in lists for query in queries), *pages]


def content(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    whole = b"".join(response) if response.streaming else response.content
    if whole.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(whole)) as parts:
            whole = b"".join(map(parts.read, parts.namelist()))
    return whole.decode()


def test_no_page_and_no_file_shows_one(client: Client, cast: Cast, one: Certificate) -> None:
    client.force_login(cast.superuser)
    assert [address for address in addresses(one) if HIDDEN in content(client, address)] == []


def test_the_same_pages_and_files_show_those_of_an_app_that_stores_them(
    client: Client, cast: Cast, one: Certificate
) -> None:
    client.force_login(cast.superuser)
    others = Certificate.objects.get(app=cast.other)
    without = [address for address in addresses(others) if SHOWN not in content(client, address)]
    assert without == ["/people/?_export=csv"]


def test_what_else_changed_with_one_is_still_told(client: Client, cast: Cast, one: Certificate) -> None:
    client.force_login(cast.viewer)
    for address in (f"/people/{one.learner_id}/timeline/", f"/apps/demo/runs/{cast.demo.runs.get().pk}/changes/"):
        assert "Leeds" in content(client, address)
        assert "Telephone" not in content(client, address)


def test_the_command_writes_none(cast: Cast, one: Certificate, tmp_path: Any) -> None:
    output = tmp_path / "file"
    for file_format in ("csv", "jsonl"):
        call_command("export_certificates", "--format", file_format, "--output", str(output))
        assert HIDDEN not in output.read_text()
        assert SHOWN in output.read_text()


@pytest.mark.parametrize("sort", ["telephone", "-telephone"])
def test_their_order_does_not_tell_them(sort: str, client: Client, cast: Cast) -> None:
    client.force_login(cast.viewer)
    story = world.make_story(cast.demo)
    days_and_numbers = ((3, "2"), (1, "1"), (2, "3"))
    for days, number in days_and_numbers:
        world.make_certificate(story, telephone=number, city=f"{days}", at=NOW - timedelta(days=days))
    assert cities(client, sort) == (["1", "3", "2"] if sort == "telephone" else ["2", "3", "1"])
    App.objects.filter(pk=cast.demo.pk).update(stores_telephones=False)
    assert cities(client, sort) == (["1", "2", "3"] if sort == "telephone" else ["3", "2", "1"])


def cities(client: Client, sort: str) -> list[str]:
    page = client.get(f"/certificates/?sort={sort}")
    return [row.record.certificate.city for row in page.context["table"].page.object_list]


def test_the_timeline_asks_for_no_app_a_change(
    client: Client, cast: Cast, one: Certificate, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    client.force_login(cast.viewer)
    change = Change.objects.get(app=cast.demo)
    for _ in range(30):
        change.pk = None
        change.save()
    client.get("/healthz")
    with django_assert_max_num_queries(20):
        client.get(f"/people/{one.learner_id}/timeline/")
