"""Reading a call to the fake vendor, and refusing it in the vendor's way."""

import json
from datetime import date, datetime

from werkzeug.wrappers import Request

from certdash.sandbox.accounts import BY_CREDENTIALS, Account
from certdash.sandbox.clock import REACH
from certdash.sandbox.world import Selection

LARGEST_BODY = 1 << 20


class Refused(Exception):
    """The call gets an error answer: an HTTP status and a message for a person."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def authenticate(request: Request) -> Account:
    """The account of the call's Basic token. Raises Refused with 401 or 403."""
    given = request.authorization
    account = None
    if given is not None and given.type == "basic":
        account = BY_CREDENTIALS.get((given.username or "", given.password or ""))
    if account is None:
        raise Refused(401, "Unauthorized: the token is missing or not known.")
    if account.refusal:
        raise Refused(403, account.refusal)
    return account


def read_object(request: Request) -> dict[str, object]:
    """The body as a JSON object, whatever its content type; an empty body is an empty object.

    Raises Refused with 400 for anything else, and werkzeug's RequestEntityTooLarge above 1 MiB.
    """
    request.max_content_length = LARGEST_BODY
    body = request.get_data().strip()
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Refused(400, "The body must be a JSON object.")
    return value


def read_selection(parameters: dict[str, object], account: Account) -> Selection:
    """What the call asks for. Raises Refused with 400 for a wrong type or an app of others."""
    app = _text(parameters, "app")
    if app is not None and app not in (account.app_id, account.name):
        raise Refused(400, "This account has no app with that ID or name.")
    return Selection(_text(parameters, "story"), _texts(parameters, "groups"), _texts(parameters, "users"))


def read_moment(parameters: dict[str, object], origin: date) -> datetime | None:
    """The `now` of a call to the clock; None returns it to real time. Raises Refused with 400."""
    if "now" not in parameters:
        raise Refused(400, '"now" is missing: give an ISO date and time with an offset, or null.')
    value = parameters["now"]
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused(400, '"now" must be an ISO date and time with an offset, or null.')
    if abs(moment.date() - origin) > REACH:
        raise Refused(400, f'"now" is too far from {origin}, the origin of this world.')
    return moment


def _text(parameters: dict[str, object], key: str) -> str | None:
    if key not in parameters:
        return None
    value = parameters[key]
    if not isinstance(value, str):
        raise Refused(400, f'"{key}" must be a string.')
    return value


def _texts(parameters: dict[str, object], key: str) -> list[str]:
    values = parameters.get(key, [])
    texts = [value for value in values if isinstance(value, str)] if isinstance(values, list) else None
    if texts is None or texts != values:
        raise Refused(400, f'"{key}" must be an array of strings.')
    return texts
