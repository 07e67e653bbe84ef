"""The certificates endpoint as a client meets it, over HTTP."""

import hashlib
import json
import re

import pytest

from certdash.sandbox import ADDRESS_REFUSED, DEMO, NOT_ENABLED, RETAIL
from tests.sandbox.conftest import NOW

PATH = "/v1/logs/story-certificates"


def story_names(data):
    return [element["story"]["name"] for element in data]


def holders(data):
    return [item for element in data for item in element["certificates"]]


def expected(vendor, account=DEMO):
    rows = vendor.world.rows(account.app_id, NOW, vendor.url)
    return [{"story": story, "certificates": items} for story, items in rows]


def test_without_parameters_it_answers_with_everything_of_the_account(vendor):
    for account in (DEMO, RETAIL):
        assert vendor.ask(account.token).json()["data"] == expected(vendor, account)


def test_the_answer_is_enveloped_as_documented(vendor):
    answer = vendor.ask().json()
    assert list(answer) == ["status", "data", "hash", "response_time"]
    assert answer["status"] == "success"
    assert isinstance(answer["response_time"], float)
    item = answer["data"][0]["certificates"][0]
    assert list(item) == ["firstname", "lastname", "email", "telephone", "country", "city", "certificate"]
    assert list(item["certificate"]) == ["timestamp", "state", "url"]


def test_the_hash_is_that_of_the_bytes_of_the_data(vendor):
    answer = vendor.ask()
    data = re.search(rb'"data":(\[.*\]),"hash":', answer.content)
    assert data
    assert answer.json()["hash"] == hashlib.md5(data[1]).hexdigest()


def test_the_answer_is_streamed_over_http_1_1(vendor):
    answer = vendor.ask()
    assert answer.raw.version == 11
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(("accepted", "coded"), [("gzip", "gzip"), ("identity", None), ("gzip;q=0", None)])
def test_the_answer_is_compressed_when_the_client_accepts_it(vendor, accepted, coded):
    answer = vendor.call("POST", PATH, DEMO.token, headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == coded
    assert answer.json()["data"] == expected(vendor)


def test_the_call_of_the_documentation_works_with_its_form_content_type(vendor):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = '{\n"story" : "Onboarding Survey"\n}'
    answer = vendor.call("POST", PATH, DEMO.token, data=body, headers=form)
    assert story_names(answer.json()["data"]) == ["Onboarding Survey"]


@pytest.mark.parametrize("app", ["io.certdash.demo", "Demo Academy"])
def test_the_accounts_app_can_be_named_by_id_or_name(vendor, app):
    assert vendor.data(app=app) == expected(vendor)


@pytest.mark.parametrize("app", ["io.certdash.retail", "Retail Academy", "Nowhere", ""])
def test_another_app_is_refused(vendor, app):
    answer = vendor.ask(app=app)
    assert answer.status_code == 400
    assert answer.json() == {"status": "error", "message": "This account has no app with that ID or name."}


def test_a_story_is_found_by_name_and_every_story_of_an_id_by_the_id(vendor):
    office, remote = "Welcome to the Company: Office", "Welcome to the Company: Remote"
    assert story_names(vendor.data(story=office)) == [office]
    assert story_names(vendor.data(story="EV72-RQZY-80AH")) == [office, remote]
    assert story_names(vendor.data(story="安全衛生の基本")) == ["安全衛生の基本"]


@pytest.mark.parametrize("narrowed", [{"story": "No story"}, {"groups": ["Nobody"]}, {"users": ["No One"]}])
def test_what_is_unknown_gives_no_stories(vendor, narrowed):
    assert vendor.data(**narrowed) == []


def test_stories_without_certificates_appear_only_when_nobody_in_particular_is_asked_for(vendor):
    assert any(not element["certificates"] for element in vendor.data())
    assert all(element["certificates"] for element in vendor.data(groups=list(DEMO.groups)))


def test_groups_are_joined_and_narrow_what_everybody_has(vendor):
    one, other = vendor.data(groups=["Managers"]), vendor.data(groups=["New joiners"])
    both = holders(vendor.data(groups=["Managers", "New joiners", "Nobody"]))
    everybody = holders(vendor.data())
    assert all(item in everybody for item in both)
    assert len(holders(one)) < len(both) < len(everybody)
    assert all(item in both for item in holders(one) + holders(other))
    assert all(item in holders(one) + holders(other) for item in both)


def test_users_are_found_by_email_and_by_name_whatever_the_case(vendor):
    someone = next(item for item in holders(vendor.data()) if item["email"])
    name = f"{someone['firstname']} {someone['lastname']}"
    by_email = holders(vendor.data(users=[someone["email"].upper()]))
    by_name = holders(vendor.data(users=[name.upper()]))
    assert {item["email"] for item in by_email} == {someone["email"]}
    assert all(item in by_name for item in by_email)
    assert {f"{item['firstname']} {item['lastname']}" for item in by_name} == {name}


def test_users_and_groups_narrow_together(vendor):
    members = {item["email"] for item in holders(vendor.data(groups=["Managers"]))}
    outsider = next(item["email"] for item in holders(vendor.data()) if item["email"] not in members)
    member = next(filter(None, members))
    data = vendor.data(groups=["Managers"], users=[member, outsider])
    assert {item["email"] for item in holders(data)} == {member}


@pytest.mark.parametrize("body", ["", "  ", "{}", '{"groups": [], "users": []}', '{"other": 1}'])
def test_a_body_that_names_nothing_asks_for_everything(vendor, body):
    answer = vendor.call("POST", PATH, DEMO.token, data=body)
    assert answer.json()["data"] == expected(vendor)


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        b"\xff\xfe",
        "[" * 100_000,
        "[]",
        '"text"',
        "null",
        '{"app": 1}',
        '{"story": ["Code of Conduct"]}',
        '{"story": null}',
        '{"groups": "Managers"}',
        '{"groups": [1]}',
        '{"users": {"a": "b"}}',
    ],
)
def test_a_senseless_body_is_refused(vendor, body):
    answer = vendor.call("POST", PATH, DEMO.token, data=body)
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("token", ["", "bm9ib2R5OndybmcK", "not-base64!", DEMO.token[:-8]])
def test_a_missing_or_wrong_token_is_401(vendor, token):
    answer = vendor.ask(token)
    assert (answer.status_code, answer.json()["status"]) == (401, "error")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(("account", "words"), [(NOT_ENABLED, "not enabled"), (ADDRESS_REFUSED, "address")])
def test_a_restricted_account_is_403_with_its_reason(vendor, account, words):
    answer = vendor.ask(account.token)
    assert answer.status_code == 403
    assert words in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", PATH, 405), ("PUT", PATH, 405), ("POST", "/v1/logs/other", 404), ("GET", "/", 404)],
)
def test_other_methods_and_paths_are_errors_in_the_vendors_form(vendor, method, path, status):
    answer = vendor.call(method, path, DEMO.token)
    assert answer.status_code == status
    assert list(answer.json()) == ["status", "message"]
    assert answer.headers.get("Allow") == ("POST" if status == 405 else None)


def test_a_body_of_megabytes_is_refused(vendor):
    answer = vendor.call("POST", PATH, DEMO.token, data=json.dumps({"story": "x" * (1 << 20)}))
    assert (answer.status_code, answer.json()["status"]) == (413, "error")
