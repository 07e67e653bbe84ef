"""What superusers and those whom they invite do, step by step, and what is written down of it."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from certdash.models import AuditEntry

NEW = "another-horse-8"
INVITATION = {"username": "newcomer", "email": "newcomer@example.com", "first_name": "New", "last_name": "Comer"}


def invite(admin: Client, **fields: object) -> str:
    """The link of an invitation that is shown."""
    return link_in(admin.post("/accounts/people/add/", INVITATION | fields))


def link_in(response: HttpResponse) -> str:
    return re.search(r'value="(http[^"]+)"', response.content.decode())[1]


def path_of(link: str) -> str:
    return link.removeprefix("http://127.0.0.1:8000")


def open_link(link: str) -> tuple[Client, Any]:
    """Who opened it, and the page that it leads to."""
    client = Client()
    return client, client.get(path_of(link), follow=True)


def use(link: str, password: str = NEW) -> HttpResponse:
    client, page = open_link(link)
    assert page.status_code == 200, "the link has ended"
    return client.post(page.redirect_chain[0][0], {"new_password1": password, "new_password2": password})


def logs_in(name: str, password: str) -> bool:
    return Client().post("/accounts/login/", {"login": name, "password": password}).status_code == 302


def noted(**details: object) -> list[AuditEntry]:
    """What was written down with these details, newest first."""
    return [entry for entry in AuditEntry.objects.all() if details.items() <= entry.details.items()]
