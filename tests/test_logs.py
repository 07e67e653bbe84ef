"""What the processes write: one event a line, its request, and nothing of what people typed or are called."""

import json
import logging
import re
import socket
from urllib.parse import urlsplit

import pytest
import requests
from django.db import IntegrityError
from django.test import Client

from certdash.logs import REFERENCE, Line, error_told, visible
from tests import world
from tests.support.stored import query, wait_until
from tests.test_login import log_in

CANARY = "canary-ana-souza"
# Ends of lines, colours, turned directions, invisible signs, half a character.
NASTY = "\r\n\x1b[31m\x85\u2028\u2029\u202e\u2066\u200b\x00\x7f\x9b1m\ud800\t"


def line(message, *args, as_json=False, name="certdash.x", error=None, **extra):
    record = logging.LogRecord(name, logging.WARNING, "x.py", 1, message, args, (type(error), error, None))
    record.exc_info = (type(error), error, error.__traceback__) if error else None
    vars(record).update(extra)
    return Line(as_json=as_json).format(record)


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_makes_a_second_line_or_colours_a_terminal(as_json):
    written = line("begin %s end", NASTY, as_json=as_json)
    assert written.isprintable()
    assert "begin" in written
    assert "end" in written


def test_names_in_other_scripts_stay_readable():
    assert visible("東京 Søren\n") == "東京 Søren\\n"


def test_a_json_line_holds_its_parts():
    reference = REFERENCE.set("abc")
    told = json.loads(line("%d rows", 3, as_json=True))
    REFERENCE.reset(reference)
    told.pop("time")
    assert told == {"level": "warning", "logger": "certdash.x", "request": "abc", "message": "3 rows"}


def raised(error, cause=None):
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@pytest.mark.parametrize("name", ["certdash.tasks", "huey", "allauth.account"])
def test_an_error_tells_its_class_and_place_and_never_its_message(name):
    cause = raised(ValueError(f"DETAIL: Key (email)=({CANARY}) already exists."))
    error = raised(IntegrityError(CANARY), cause)
    for written in (line("It failed: %s", error, name=name), line("It failed", name=name, error=error)):
        assert CANARY not in written
        assert "IntegrityError" in written
        assert "caused by ValueError at test_logs.py:" in written


def test_an_error_of_the_database_tells_its_code(db):
    world.make_user("twin")
    with pytest.raises(IntegrityError) as caught:
        world.make_user("twin")
    told = error_told(caught.value)
    assert re.search(r"SQLITE_CONSTRAINT_UNIQUE|23505", told)
    assert "twin" not in told


@pytest.mark.parametrize(
    ("message", "args", "kept"),
    [
        ("Error handling request %s", (f"/x?q={CANARY}",), "Error handling request …"),
        (f"Invalid request from ip=1.2.3.4: {CANARY}", (), "Invalid request from ip"),
        (ValueError(CANARY), (), "ValueError"),
        ("Task %s ran %d times", (CANARY, 3), "Task … ran 3 times"),
        ("%d of them", (CANARY,), "%d of them"),
    ],
)
def test_of_what_others_log_only_the_fixed_part_is_kept(message, args, kept):
    written = line(message, *args, name="gunicorn.error", module="base")
    assert CANARY not in written
    assert written.endswith(kept)


# -- Requests, without a server ---------------------------------------------------------------------------------


@pytest.fixture
def lines(caplog):
    """What the logger of Django and ours would write, line by line."""
    django = logging.getLogger("django")  # which hands nothing on to the root, where the handler is already
    django.addHandler(caplog.handler)
    yield lambda: [Line(as_json=False).format(record) for record in caplog.records]
    django.removeHandler(caplog.handler)


def test_a_reference_is_our_own_and_another_one_each_time(cast):
    client = Client(headers={"X-Request-ID": CANARY})
    references = {client.get("/accounts/login/")["X-Request-ID"] for _ in range(3)}
    assert len(references) == 3
    assert all(re.fullmatch(r"[0-9a-f]{16}", one) for one in references)


def test_a_host_that_is_not_ours_is_told_without_it(lines, db):
    response = Client(headers={"Host": f"{CANARY}.example"}).get(f"/people/?q={CANARY}")
    assert response.status_code == 400
    assert response["X-Request-ID"] in response.content.decode()
    assert lines()
    assert not [one for one in lines() if CANARY in one]


def test_a_refused_form_is_told_without_its_address_and_referer(lines, cast):
    client = Client(enforce_csrf_checks=True, headers={"Referer": f"https://{CANARY}/", "Origin": f"https://{CANARY}"})
    response = client.post(f"/accounts/login/?next={CANARY}", {"login": CANARY})
    assert response.status_code == 403
    assert response["X-Request-ID"] in response.content.decode()
    assert [one for one in lines() if "POST account_login was answered 403" in one]
    assert [one for one in lines() if f"[{response['X-Request-ID']}] POST account_login 403 " in one]
    assert not [one for one in lines() if CANARY in one]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("get", f"/{CANARY}/", 404), ("post", "/apps/demo/sync/", 403)],
)
def test_a_page_of_refusal_shows_a_reference_that_is_in_the_log(method, path, status, lines, cast):
    client = Client(raise_request_exception=False)
    client.force_login(cast.viewer)
    response = getattr(client, method)(path)
    assert response.status_code == status
    assert response["X-Request-ID"] in response.content.decode()
    assert re.search(rf"\[{response['X-Request-ID']}\] {method.upper()} \S+ {status} ", "\n".join(lines()))
    assert not [one for one in lines() if CANARY in one]


def test_a_request_has_its_line_when_that_is_asked_for(lines, cast, caplog):
    client = Client()
    client.force_login(cast.viewer)
    with caplog.at_level(logging.INFO, "certdash.request"):
        client.get(f"/certificates/?q={CANARY}")
        client.get(f"/{CANARY}/")
    written = lines()
    assert re.search(rf"GET certificates 200 \d+ ms user {cast.viewer.pk}$", written[-2])
    assert re.search(rf"GET - 404 \d+ ms user {cast.viewer.pk}$", written[-1])
    assert not [one for one in written if CANARY in one]


def test_nobody_is_asked_for_on_account_of_the_line(lines, django_assert_num_queries, caplog, db):
    with caplog.at_level(logging.INFO, "certdash.request"), django_assert_num_queries(0):
        Client().get("/healthz")
    assert lines()[-1].endswith("user None")


# -- Real processes ---------------------------------------------------------------------------------------------

TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER canary BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, '{canary}'); END",
    ],
    "postgres": [
        "CREATE FUNCTION canary() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE unique_violation USING MESSAGE = '{canary}', DETAIL = 'Key (email)=({canary})'; END $$",
        "CREATE TRIGGER canary BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION canary()",
    ],
}


def break_inserts(installation, table):
    """From now on the database answers every new row with an error that quotes personal data."""
    store = "postgres" if "CERTDASH_DATABASE_URL" in installation.environment else "sqlite"
    for statement in TRIGGERS[store]:
        query(installation, statement.format(table=table, canary=CANARY))


@pytest.fixture
def served(installation):
    installation.environment |= {"CERTDASH_LOG_FORMAT": "json", "CERTDASH_LOG_LEVEL": "info"}
    installation.manage("migrate")
    installation.manage("add_user", "viewer", "--email", f"{CANARY}@example.com", stdin=world.PASSWORD)
    return installation


def objects(running):
    """The lines of a process, each of which must be an object of JSON."""
    return [json.loads(one) for one in running.output.splitlines()]


def test_what_fails_in_a_served_page_is_found_by_its_reference_and_tells_nothing_of_anybody(served):
    url = served.serve()
    session = log_in(url, "viewer")
    break_inserts(served, "certdash_auditentry")
    login = requests.get(f"{url}/accounts/login/", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', login.text)[1]
    form = {"login": "viewer", "password": world.PASSWORD, "csrfmiddlewaretoken": token}
    failed = requests.post(f"{url}/accounts/login/?x={CANARY}", form, cookies=login.cookies, timeout=30)
    assert failed.status_code == 500
    reference = re.search(r"<code>(\w+)</code>", failed.text)[1]
    assert failed.headers["X-Request-ID"] == reference

    session.get(f"{url}/certificates/?q={CANARY}", timeout=30)
    break_off(url, f"GET /?q={CANARY} HTTP/9.9\r\nX: {CANARY}\r\n\r\n")
    break_off(url, f"GET /?q={CANARY} HTTP/1.1\r\nHost: {CANARY}.example\r\n\r\n")
    server = served.started[-1]
    wait_until(lambda: server.output, lambda text: "DisallowedHost" in text and "Invalid request" in text)
    told = [one for one in objects(server) if one["request"] == reference]
    assert "IntegrityError" in " ".join(one.get("error", "") for one in told)
    assert [one for one in told if re.fullmatch(r"POST account_login 500 \d+ ms user \w+", one["message"])]
    assert not [one for one in told if one["message"].startswith("Invalid request")]
    assert CANARY not in server.output


def break_off(url, request):
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(request.encode())
        connection.recv(65536)


def test_a_download_that_cannot_be_written_down_is_not_given_and_quotes_no_address(served):
    url = served.serve()
    session = log_in(url, "viewer")
    break_inserts(served, "certdash_auditentry")
    failed = session.get(f"{url}/certificates/?q={CANARY}&_export=csv", timeout=30)
    assert failed.status_code == 500
    assert "firstname" not in failed.text
    server = served.started[-1]
    wait_until(lambda: server.output, lambda text: "IntegrityError" in text)
    assert objects(server)
    assert CANARY not in server.output


def test_a_command_that_fails_unexpectedly_writes_one_line_about_nobody(served):
    break_inserts(served, "certdash_user")
    done = served.manage("add_user", "other", "--email", f"{CANARY}@example.org", stdin=world.PASSWORD, exits=1)
    assert CANARY not in done.stdout + done.stderr
    assert "IntegrityError" in json.loads(done.stderr)["error"]


def test_the_page_of_an_error_needs_no_database(served):
    url = served.serve()
    session = log_in(url, "viewer")
    for table in ("django_session", "certdash_user"):
        query(served, f"ALTER TABLE {table} RENAME TO {table}_gone")
    failed = session.get(f"{url}/certificates/", timeout=30)
    assert failed.status_code == 500
    assert failed.headers["X-Request-ID"] in failed.text
    assert "Something went wrong on our side" in failed.text
