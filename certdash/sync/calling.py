"""The calls of one run: made one after the other, and given up in time when nothing comes of them."""

import time
from collections.abc import Callable

from django.conf import settings

from certdash.falkor import (
    AddressNotAllowed,
    AddressRefused,
    Answer,
    EndpointNotEnabled,
    FalkorError,
    TooLarge,
    TooSlow,
    Unreachable,
    Untrusted,
    WrongToken,
)
from certdash.models import App

from .asking import Call
from .connection import client_for

# What no other question to the same account would change.
_HOPELESS = (AddressNotAllowed, AddressRefused, EndpointNotEnabled, Untrusted, WrongToken)
_SILENT = (TooSlow, Unreachable)  # one question may be too much for a gateway; of several it is the vendor
_BORNE = 3  # silent calls in a row; and all together, the time of as many that bring nothing


class Caller:
    """Makes the calls; each may take the settings' deadline, and those that bring nothing thrice that together."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._patience: float = _BORNE * settings.UPSTREAM_DEADLINE
        self._silent = 0
        self.gives_up = False  # no further call is to be made

    def ask(self, call: Call, progress: Callable[[int], None], *, beside: int = 0) -> Answer:
        """The whole answer. `beside`: bytes of other answers that lie on the disk. Raises FalkorError."""
        room = settings.UPSTREAM_MAX_BYTES - beside
        began = time.monotonic()
        try:
            if room <= 0:
                raise TooLarge("")
            answer = client_for(self._app, max_bytes=room).certificates(**call.ask, progress=progress)
        except FalkorError as error:
            self._note(error, time.monotonic() - began)
            if isinstance(error, TooLarge) and beside:
                most = f"{settings.UPSTREAM_MAX_BYTES / 2**20:g} MB"
                error.what = f"The vendor's answers are together larger than {most}"
            raise
        self._silent = 0
        return answer

    def _note(self, error: FalkorError, seconds: float) -> None:
        self._patience -= seconds
        self._silent = self._silent + 1 if isinstance(error, _SILENT) else 0
        self.gives_up = self._patience <= 0 or self._silent == _BORNE or isinstance(error, _HOPELESS)
