"""What is written down of downloads, connections and acceptances, who sees it, and that nobody changes it."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from certdash.audit import note
from certdash.downloads import Download
from certdash.models import AuditEntry, AuditKind, SyncRun
from tests import world

CANARY = "Fire canary"


@pytest.fixture
def rows(cast):
    """Two certificates in the one app, one in the other."""
    story = world.make_story(cast.demo)
    world.make_certificate(story)
    world.make_certificate(story, firstname="Bo", email="bo@example.com")
    world.make_foreign(cast.other)


def entries(kind=AuditKind.DOWNLOAD):
    """Without the one that the world's foreign app begins with."""
    noted = AuditEntry.objects.filter(kind=kind)
    return [(one.app_name, one.person_name, one.details) for one in noted if one.details != {"what": world.FOREIGN}]


def download(client, who, address):
    client.force_login(who)
    return b"".join(client.get(address)).decode("utf-8-sig")


def test_a_download_is_written_down_for_each_app_with_rows_in_it(client, cast, rows):
    download(client, cast.superuser, "/certificates/?_export=csv&sort=story&withdrawn=all")
    told = {"what": "certificates", "format": "csv", "filters": ["withdrawn"]}
    assert sorted(entries(), key=str) == [
        ("Demo Academy", "superuser", told | {"rows": 2}),
        ("Retail Academy", "superuser", told | {"rows": 1}),
    ]


def test_of_filters_the_names_are_kept_and_never_the_values(client, cast, rows):
    download(client, cast.viewer, "/certificates/?q=ana&country=Brazil&country=&_export=jsonl")
    assert entries() == [
        (
            "Demo Academy",
            "viewer",
            {"what": "certificates", "format": "jsonl", "filters": ["country", "q"], "rows": 1},
        )
    ]


@pytest.mark.parametrize(
    ("address", "what", "count"),
    [
        ("/?_export=csv&_table=weeks", "certificates-weeks", 26),
        ("/stories/?_export=csv", "stories", 1),
        ("/apps/?_export=csv", "apps", 1),
        ("/apps/demo/people/?_export=csv", "access", 3),
        ("/apps/demo/runs/?_export=csv", "runs", 0),
    ],
)
def test_every_file_is_written_down(address, what, count, client, cast, rows):
    text = download(client, cast.owner, address)
    assert [(app, told["what"], told["rows"]) for app, _, told in entries()] == [("Demo Academy", what, count)]
    assert len(text.splitlines()) == count + 1


def test_a_file_that_is_refused_is_no_download(client, cast, rows):
    client.force_login(cast.viewer)
    assert client.get("/certificates/?stat=pending&_export=csv").status_code == 400
    assert entries() == []


def test_a_download_that_somebody_breaks_off_tells_how_far_it_came(cast):
    stream = Download("certificates", "csv", [], [cast.demo], cast.viewer).stream(
        ["app"], (["demo"] for _ in range(10**9))
    )
    next(stream)
    stream.close()
    (_, _, told), *more = entries()
    assert more == []
    assert told["whole"] is False
    assert 1000 < told["rows"] < 100_000


def test_a_download_that_never_began_is_none(cast):
    Download("certificates", "csv", [], [cast.demo], cast.viewer).stream(["app"], [["demo"]]).close()
    assert entries() == []


def test_the_commands_file_is_written_down_as_its(cast, rows, tmp_path):
    call_command("export_certificates", "--query", "state=delivered", "--output", str(tmp_path / "file"))
    told = {"what": "certificates", "format": "csv", "filters": ["state"], "rows": 2, "by": "command"}
    assert entries() == [("Demo Academy", "", told)]


# -- Connections and acceptances --------------------------------------------------------------------------------


def test_a_changed_connection_is_written_down_without_its_values(client, cast):
    client.force_login(cast.owner)
    form = {"name": "Demo Academy", "base_url": "http://127.0.0.1:8", "token": "a2V5OmNhbmFyeQ==", "app_id": ""}
    sent = form | {"refresh_minutes": "15", "untested": "1"}
    assert client.post("/apps/demo/connection/", sent).status_code == 302
    assert entries(AuditKind.CREDENTIALS) == [("Demo Academy", "owner", {"changed": ["address", "token"]})]
    assert client.post("/apps/demo/connection/", sent | {"token": ""}).status_code == 302
    assert len(entries(AuditKind.CREDENTIALS)) == 1  # nothing was another one


def test_a_new_app_is_written_down(client, cast, monkeypatch):
    client.force_login(cast.superuser)
    form = {"name": "New", "base_url": "http://127.0.0.1:8", "token": "a2V5OmNhbmFyeQ==", "refresh_minutes": "60"}
    assert client.post("/apps/add/", form | {"untested": "1"}).status_code == 302
    changed = ["name", "address", "token", "app ID", "interval"]
    assert entries(AuditKind.CREDENTIALS) == [("New", "superuser", {"changed": changed, "added": True})]
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    call_command("add_app", "new", name="Newer", base_url="http://127.0.0.1:8", stdout=io.StringIO())
    assert entries(AuditKind.CREDENTIALS)[0] == ("Newer", "", {"changed": ["name"], "by": "command"})


def test_an_accepted_run_is_written_down_once(client, cast):
    run = world.make_run(cast.demo, SyncRun.Status.HELD)
    world.make_certificate(world.make_story(cast.demo), missing_in=run)
    client.force_login(cast.owner)
    for _ in range(2):
        client.post(f"/apps/demo/runs/{run.pk}/accept/")
    assert entries(AuditKind.ACCEPTED) == [("Demo Academy", "owner", {"run": run.pk, "certificates": 1})]


# -- The pages --------------------------------------------------------------------------------------------------


@pytest.fixture
def story(cast):
    """Something of everybody."""
    note(AuditKind.DOWNLOAD, cast.demo, cast.viewer, what="stories", format="csv", filters=["q", "type"], rows=1200)
    note(AuditKind.CREDENTIALS, cast.demo, cast.owner, changed=["token", "address"])
    note(AuditKind.ACCEPTED, cast.demo, None, run=7, certificates=1, by="command")
    note(AuditKind.DOWNLOAD, cast.other, cast.stranger, what="stories", format="csv", filters=[], rows=1)
    note(AuditKind.LOGIN_FAILED, None, None, how="password")


def test_an_owner_reads_what_happened_in_the_app_in_words_and_newest_first(client, cast, story):
    client.force_login(cast.owner)
    page = client.get("/apps/demo/audit/")
    told = [row.record.told for row in page.context["table"].page.object_list]
    assert told == [
        "Run 7, 1 certificate",
        "Changed: token and address",
        "stories as CSV, 1,200 rows, filtered by q and type",
    ]
    assert "a command" in page.content.decode()
    assert world.FOREIGN not in page.content.decode().lower()


def test_a_superuser_reads_everything(client, cast, story):
    client.force_login(cast.superuser)
    page = client.get("/accounts/audit/").content.decode()
    for text in ("Demo Academy", "Retail Academy", "somebody without an account", "how: password"):
        assert text in page


@pytest.mark.parametrize(
    ("query", "count"),
    [("q=VIEW", 1), ("q=owner", 1), ("kind=download", 2), ("kind=download&kind=accepted", 3), ("app=demo", 3),
     ("noted_from={today}", 5), ("noted_to={yesterday}", 0), ("q=%00", 5), ("kind=x", 5), ("noted_from=x", 5)],
)  # fmt: skip
def test_entries_are_found_by_person_kind_app_and_day(query, count, client, cast, story):
    today = timezone.localdate()
    client.force_login(cast.superuser)
    address = f"/accounts/audit/?{query.format(today=today, yesterday=today - timedelta(days=1))}"
    page = client.get(address)
    assert page.context["rows"] == count
    ignored = bool(page.context["ignored"])
    assert ignored == (count == 5 and "today" not in query)
    assert client.get(f"{address}&_export=csv").status_code == (400 if ignored else 200)


def test_an_owner_finds_who_received_or_lost_access_alone_or_by_a_team(client, cast):
    note(AuditKind.ACCESS_GIVEN, cast.demo, cast.owner, role="viewer", account="newcomer")
    note(AuditKind.ACCESS_TAKEN, cast.demo, cast.owner, role="viewer", team="Trainers of Rio", account="nina")
    client.force_login(cast.owner)
    found = {q: client.get("/apps/demo/audit/", {"q": q}).context["rows"] for q in ("NEWC", "train rio", "nina", "x")}
    assert found == {"NEWC": 1, "train rio": 1, "nina": 1, "x": 0}


def test_the_audits_own_file_is_a_download_too(client, cast, story):
    text = download(client, cast.superuser, "/accounts/audit/?_export=csv")
    assert text.splitlines()[0] == "at,person,kind,details,app"
    assert len(text.splitlines()) == 6
    assert entries()[0] == ("", "superuser", {"what": "audit", "format": "csv", "filters": [], "rows": 5})
    download(client, cast.owner, "/apps/demo/audit/?_export=csv")
    assert entries()[0][0] == "Demo Academy"


def test_an_empty_audit_says_so(client, cast):
    client.force_login(cast.owner)
    assert "Nothing was written down yet" in client.get("/apps/demo/audit/").content.decode()


def test_an_audit_costs_the_same_however_long_it_is(client, cast, story, django_assert_max_num_queries):
    client.force_login(cast.superuser)
    for _ in range(40):
        note(AuditKind.LOGIN, cast.demo, cast.viewer, how="password")
    with django_assert_max_num_queries(15):
        client.get("/accounts/audit/?per_page=200")


# -- Nobody changes it ------------------------------------------------------------------------------------------


CHANGES = {
    "update": lambda one: AuditEntry.objects.update(kind="login"),
    "update of some": lambda one: AuditEntry.objects.filter(pk=one.pk).update(person_name="x"),
    "delete": lambda one: AuditEntry.objects.all().delete(),
    "delete of one": lambda one: one.delete(),
    "save": lambda one: one.save(),
    "save of fields": lambda one: one.save(update_fields=["kind"]),
    "bulk update": lambda one: AuditEntry.objects.bulk_update([one], ["person_name"]),
    "update or create": lambda one: AuditEntry.objects.update_or_create(pk=one.pk, defaults={"kind": "login"}),
    "conflict": lambda one: AuditEntry.objects.bulk_create(
        [AuditEntry(pk=one.pk, at=one.at, kind="login")],
        update_conflicts=True,
        update_fields=["kind"],
        unique_fields=["id"],
    ),
    "base manager": lambda one: AuditEntry._base_manager.filter(pk=one.pk).update(kind="login"),
}


@pytest.mark.parametrize("way", CHANGES)
def test_what_was_written_down_is_never_changed(way, cast, story):
    one = AuditEntry.objects.first()
    one.person_name = "somebody else"
    before = list(AuditEntry.objects.values())
    with pytest.raises(TypeError, match="What was written down stays"), transaction.atomic():
        CHANGES[way](one)
    assert list(AuditEntry.objects.values()) == before


def test_a_new_entry_never_takes_the_place_of_another(cast, story):
    one = AuditEntry.objects.first()
    with pytest.raises(Exception, match=r"(?i)unique"):
        AuditEntry(pk=one.pk, at=one.at, kind="login").save()


def test_people_and_apps_that_are_gone_stay_in_it(cast, story):
    cast.demo.delete()
    cast.viewer.delete()
    assert ("Demo Academy", "viewer") in {entry[:2] for entry in entries()}
