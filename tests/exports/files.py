"""Files that are downloaded, and what is in them."""

import csv
import io
import json
from typing import Any

from django.test import Client

HEAD = (
    "app,story_id,story,type,firstname,lastname,email,telephone,country,city,groups,state,timestamp,url,withdrawn"
)  # fmt: skip


def file_of(client: Client, query: str = "", path: str = "/certificates/", file_format: str = "csv") -> bytes:
    response = client.get(f"{path}?{query}&_export={file_format}")
    assert response.status_code == 200, response.content
    assert response.streaming
    return b"".join(response)


def rows_of(client: Client, query: str = "", path: str = "/certificates/") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file_of(client, query, path).decode("utf-8-sig"), newline="")))


def objects_of(client: Client, query: str = "", path: str = "/certificates/") -> list[dict[str, Any]]:
    return [json.loads(line) for line in file_of(client, query, path, "jsonl").splitlines()]
