"""Trying to log in."""

from typing import Any

from django.test import Client

from tests import world

LOGIN = "/accounts/login/"


def attempt(login: str, password: str = "guess", client: Client | None = None, **headers: Any) -> int:
    """The status of one attempt: 302 in, 200 wrong, 429 refused."""
    form = {"login": login, "password": password}
    return (client or Client()).post(LOGIN, form, **headers).status_code


def statuses(login: str, times: int, **options: Any) -> list[int]:
    return [attempt(login, **options) for _ in range(times)]


def is_open(login: str, **options: Any) -> bool:
    return attempt(login, world.PASSWORD, **options) == 302
