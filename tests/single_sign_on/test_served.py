"""Single sign-on as it is run: a served certdash, and a real browser."""

import re

import requests

from tests.support.stored import query


def test_a_served_certdash_signs_on_by_its_environment(provider, installation):
    provider.person(
        "ben-1", email="ben@corp.example", preferred_username="ben", email_verified=True, roles=["trainers"]
    )
    installation.environment |= {
        "CERTDASH_OIDC_ISSUER": provider.url,
        "CERTDASH_OIDC_CLIENT_ID": "certdash",
        "CERTDASH_OIDC_CLIENT_SECRET": "a secret",
        "CERTDASH_OIDC_TEAMS_CLAIM": "roles",
    }
    installation.manage("migrate")
    query(installation, "INSERT INTO certdash_team (name, claim) VALUES ('Trainers', 'trainers')")
    url = installation.serve("--workers", "2")
    session = requests.Session()
    session.headers["Connection"] = "close"  # as in test_login
    session.trust_env = False
    session.cookies.set("provider", "ben-1")
    page = session.get(f"{url}/certificates/?state=pending", timeout=60)
    assert (page.status_code, page.url) == (200, f"{url}/certificates/?state=pending")
    assert query(installation, "SELECT username, email FROM certdash_user") == [("ben", "ben@corp.example")]
    assert query(installation, "SELECT COUNT(*) FROM certdash_team_members") == [(1,)]


def test_a_browser_goes_there_and_back(company, settings, live_server, page):
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"] | {"form-action": ["'self'", company.url]}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": policy}
    page.route(re.compile("^https:"), lambda route: route.fulfill(body=""))  # the provider's page wants a style sheet
    page.route("**/favicon.ico", lambda route: route.fulfill(body=""))
    page.goto(f"{live_server.url}/certificates/?state=pending")
    page.get_by_role("link", name="Sign in with single sign-on").click()
    page.get_by_placeholder("sub").fill("ana-1")
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.wait_for_url(f"{live_server.url}/certificates/?state=pending")
    page.goto(f"{live_server.url}/")
    page.locator("summary", has_text="Your account").click()
    page.get_by_role("button", name="Log out").click()
    page.goto(f"{live_server.url}/stories/")
    assert page.get_by_role("link", name="Sign in with single sign-on").is_visible()
