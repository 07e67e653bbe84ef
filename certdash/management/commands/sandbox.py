"""`manage.py sandbox`: serves the fake vendor until Ctrl-C."""

import signal
from argparse import ArgumentTypeError
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from certdash.sandbox import ACCOUNTS, SCENARIOS, ZONE, Clock, Misbehaving, SandboxApp, SandboxServer, Scenario, World
from certdash.sandbox.clock import REACH

#: In place of a scenario's name.
LIST = "list"


class Command(BaseCommand):
    help = "Serves the fake vendor with its two apps on 127.0.0.1, until Ctrl-C."
    # It needs neither the project's database nor its pages.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8001, help="8001 unless told; 0 takes a free one")
        parser.add_argument("--certificates", type=_count, default=4000, help="awarded before the origin")
        parser.add_argument("--seed", type=int, default=1, help="another seed, another world")
        parser.add_argument("--origin", type=_day, help="YYYY-MM-DD, today unless told")
        parser.add_argument("--scenario", type=_scenario, help="how it misbehaves; `list` prints the scenarios")

    def handle(self, **options: Any) -> None:
        if options["scenario"] == LIST:
            self._list()
            return
        scenario = SCENARIOS.get(options["scenario"])
        origin = options["origin"] or datetime.now(ZONE).date()
        world = World(origin, options["certificates"], options["seed"])
        try:
            server = SandboxServer(Misbehaving(SandboxApp(world, Clock()), scenario), options["port"])
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"The sandbox cannot listen on port {options['port']} ({error}): choose another with --port."
            ) from error
        # In the background of a script, Ctrl-C's signal arrives ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            self._introduce(server.url, scenario)
            server.serve()

    def _list(self) -> None:
        longest = max(map(len, SCENARIOS))
        for each in SCENARIOS.values():
            self.stdout.write(f"{each.name:{longest}}  {each.description}")

    def _introduce(self, url: str, scenario: Scenario | None) -> None:
        self.stdout.write(f"Vendor sandbox at {url} (Ctrl-C ends it)")
        for account in ACCOUNTS:
            self.stdout.write(f"{account.name}")
            self.stdout.write(f"  app ID  {account.app_id}")
            self.stdout.write(f"  groups  {'; '.join(account.groups)}")
            self.stdout.write(f"  token   {account.token}")
        if scenario:
            self.stdout.write(f"It misbehaves ({scenario.name}): {scenario.description}")
        self.stdout.flush()


def _scenario(text: str) -> str:
    if text != LIST and text not in SCENARIOS:
        raise ArgumentTypeError("not a scenario: --scenario list prints them")
    return text


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError("not a number of certificates from 0 on")
    return int(text)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("not a date like 2026-03-31") from None
    if abs(day - datetime.now(ZONE).date()) > REACH:
        raise ArgumentTypeError("more than ten years from today")
    return day
