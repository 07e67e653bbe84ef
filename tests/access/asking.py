"""Asking as somebody, and all that an answer tells."""

import io
import zipfile
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.access.expected import LOGIN
from tests.world import Cast


def logged_in(cast: Cast, who: str, **options: Any) -> Client:
    client = Client(**options)
    if who != "anonymous":
        client.force_login(cast[who])
    return client


def seen(response: Any, address: str) -> int | str:
    """The status, or LOGIN for the way to the log-in with the way back."""
    to_login = f"{reverse('account_login')}?next={address}"
    return LOGIN if response.status_code == 302 and response["Location"] == to_login else response.status_code


def all_of(response: Any) -> str:
    """What an answer tells anywhere."""
    return f"{text_of(response)}\n{response.headers}\n{response.cookies}"


def text_of(response: Any) -> str:
    whole = b"".join(response) if response.streaming else response.content
    if whole.startswith(b"PK"):  # a workbook: its parts are packed
        with zipfile.ZipFile(io.BytesIO(whole)) as parts:
            whole = b"\n".join([*map(str.encode, parts.namelist()), *map(parts.read, parts.namelist())])
    return whole.decode()
