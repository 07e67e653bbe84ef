"""The command that writes the bytes of the page."""

import re

import pytest
import time_machine
from django.core.management import CommandError, call_command

from certdash import exports
from tests import world
from tests.exports.files import file_of
from tests.world import NOW, make_certificate, make_group, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def exported(tmp_path):
    def exported(*arguments):
        output = tmp_path / "file"
        call_command("export_certificates", *arguments, "--output", str(output))
        return output.read_bytes()

    return exported


QUERIES = [
    "", "state=pending", "sort=person", "country=Country+3&country=Country+4", "q=person+1&sort=-story", "city=",
    "group=managers", "group=~none", "story=EV72-RQZY-80AH", "withdrawn=all&per_page=25&page=2",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_the_command_writes_the_bytes_of_the_page(query, exported, client, cast):
    world.make_many(cast.demo, 70, [make_story(cast.demo)], [make_group(cast.demo, "Managers")])
    world.make_foreign(cast.other)
    client.force_login(cast.superuser)
    for file_format in exports.FORMATS:
        with time_machine.travel(NOW, tick=False):  # which a workbook tells
            by_command = exported("--query", query, "--format", file_format)
            assert by_command == file_of(client, query, file_format=file_format)
    client.force_login(cast.viewer)
    assert exported("--app", "demo", "--query", query) == file_of(client, query)


NONSENSE = [
    "stat=pending",
    "state=pendng",
    "app=nobody",
    "sort=colour",
    "awarded_from=today",
    "page=x",
    "per_page=-1",
    "_export=xls",
]


@pytest.mark.parametrize("query", NONSENSE)
def test_the_command_refuses_what_means_nothing_and_writes_nothing(query, tmp_path, cast):
    output = tmp_path / "file"
    with pytest.raises(CommandError, match=re.escape(query)):
        call_command("export_certificates", "--query", query, "--output", str(output))
    assert not output.exists()


@pytest.mark.parametrize("query", ["_export=csv", "page=2", "per_page=25"])
def test_the_command_takes_the_query_of_an_address(query, exported, cast):
    make_certificate(make_story(cast.demo))
    assert exported("--query", query).count(b"\r\n") == 2


def test_the_command_names_an_app_and_a_file_that_are_not_there(tmp_path, cast):
    with pytest.raises(CommandError, match="no app nobody"):
        call_command("export_certificates", "--app", "nobody")
    with pytest.raises(CommandError, match=r"missing/file could not be written: No such file or directory\."):
        call_command("export_certificates", "--output", str(tmp_path / "missing" / "file"))
