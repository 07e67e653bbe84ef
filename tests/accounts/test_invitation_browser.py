"""The whole way from the invitation to the log-in, in a browser."""

import pytest

from tests import world
from tests.accounts.steps import NEW

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_from_the_invitation_to_the_log_in_without_javascript(live_server, settings, open_page, expect):
    settings.PUBLIC_URL = live_server.url
    world.make_cast()
    admin = open_page(java_script_enabled=False)
    sign_in(admin, live_server.url, "superuser", world.PASSWORD)
    admin.locator("summary", has_text="Your account").click()
    admin.get_by_role("link", name="Accounts").click()
    admin.get_by_role("link", name="Invite somebody").click()
    admin.get_by_label("User name").fill("newcomer")
    admin.get_by_label("E-mail address").fill("newcomer@example.com")
    admin.get_by_role("button", name="Invite").click()
    link = admin.get_by_label("Link", exact=True).input_value()
    newcomer = open_page(java_script_enabled=False)
    newcomer.goto(link)
    assert link.rstrip("/").rpartition("/")[2] not in newcomer.url
    newcomer.get_by_label("New password", exact=True).fill(NEW)
    newcomer.get_by_label("New password confirmation").fill(NEW)
    newcomer.get_by_role("button", name="Set password").click()
    expect(newcomer.get_by_role("status").first).to_contain_text("Your password is set.")
    sign_in(newcomer, live_server.url, "newcomer", NEW)
    expect(newcomer.get_by_role("heading", level=1)).to_have_text("Overview")


def sign_in(page, url, name, password):
    page.goto(f"{url}/accounts/login/")
    if not page.url.endswith("/accounts/login/"):
        return
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
