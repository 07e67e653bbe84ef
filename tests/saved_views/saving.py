"""Saving a view as somebody, and all that an answer holds."""

from typing import Any

from django.http import HttpResponse
from django.test import Client

from certdash.models import User


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.get("/healthz")
    return client


def fields(**other: object) -> dict[str, object]:
    return {"name": "Pending abroad", "path": "/certificates/", "query": "state=pending"} | other


def save(client: Client, **other: object) -> HttpResponse:
    return client.post("/views/add/", fields(**other))


def text_of(response: Any) -> str:
    return (b"".join(response) if response.streaming else response.content).decode()
