"""`manage.py export_certificates`: the bytes that the page's download gives for the same query."""

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from certdash.downloads import Download
from certdash.exports import FORMATS, MOST_ROWS, About
from certdash.fields import LARGEST_PAGE, LONGEST_LIST, is_page_number
from certdash.filters import CertificateFilter
from certdash.models import App, Certificate
from certdash.stats import freshness
from certdash.tables import CertificateTable
from certdash.views.certificates import Certificates
from certdash.views.page import address
from certdash.views.refusals import too_long
from certdash.words import certificate_words


class Command(BaseCommand):
    help = "Writes certificates as the download of /certificates/ would, of all apps or one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--app", metavar="SLUG")
        parser.add_argument("--query", default="", help="the address's query, like state=pending&country=France")
        parser.add_argument("--format", choices=sorted(FORMATS), default="csv")
        parser.add_argument("--output", type=Path, help="a file; standard output without")

    def handle(self, *_: Any, **options: Any) -> None:
        apps = list(App.objects.filter(slug=options["app"]) if options["app"] else App.objects.all())
        if options["app"] and not apps:
            raise CommandError(f"There is no app {options['app']}. Nothing was written.")
        query = QueryDict(options["query"])
        filters = CertificateFilter(query, Certificate.objects.of(apps), apps)
        table = CertificateTable(filters.qs)
        ignored = [*filters.ignored, *table.order(query), *_odd_paging(query)]
        if ignored:
            raise CommandError(
                f"Nothing was written, because this part of the query means nothing: {', '.join(ignored)}."
            )
        if options["format"] == "xlsx" and (rows := filters.qs.count()) > MOST_ROWS:
            raise CommandError(too_long(rows))
        names = [name for name, _ in filters.active]
        download = Download("certificates", options["format"], names, apps, about=_about(filters, apps, options["app"]))
        blocks = download.stream(list(table.columns_of_file), table.file_rows())
        if options["output"] is None:
            _print(blocks)
            return
        try:
            with options["output"].open("wb") as file:
                _write(blocks, file)
        except OSError as error:
            raise CommandError(f"{options['output']} could not be written: {error.strerror}.") from None


def _about(filters: CertificateFilter, apps: Sequence[App], only: str | None) -> About:
    """What a workbook of the page would tell."""
    pairs = [*filters.active, *[("sort", value) for value in filters.data.getlist("sort")]]
    if only and ("app", only) not in pairs:
        pairs.insert(0, ("app", only))
    return About(
        str(Certificates.title),
        certificate_words(filters, apps),
        address(reverse("certificates"), pairs),
        CertificateTable.moments(),
        Certificates.file_name,
        freshness(apps, timezone.now()),
        of_vendor=True,
    )


def _print(blocks: Generator[bytes, None, None]) -> None:
    try:
        _write(blocks, sys.stdout.buffer)
    except BrokenPipeError:  # whoever reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(blocks: Generator[bytes, None, None], file: BinaryIO) -> None:
    with closing(blocks):
        for block in blocks:
            file.write(block)
        file.flush()


def _odd_paging(query: QueryDict) -> list[str]:
    """What of a page's own names makes no sense; the others change nothing in a file, which holds all pages."""
    sensible: dict[str, Callable[[str], bool]] = {
        "page": lambda text: is_page_number(text, LONGEST_LIST),
        "per_page": lambda text: is_page_number(text, LARGEST_PAGE),
        "_export": FORMATS.__contains__,
        "_table": lambda _: False,
        "_selected": lambda _: "id" in query,
    }
    return [f"{name}={text}" for name, fits in sensible.items() for text in query.getlist(name) if not fits(text)]
