"""A real Chromium for the tests: `page`, `open_page`, and what went wrong on them: `page_problems`."""

import asyncio
import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from tests.support import programs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Expect, Page, Playwright, Response

TIMEOUT_MILLISECONDS = 10_000
# A browser of tests asks for nothing but the pages it is sent to.
# Of WCAG 2.2, axe has this one rule, which it leaves out unless told.
AXE_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """The Chromium that is found; tests that need one skip where there is none."""
    reason = "playwright is not installed (it is in requirements-dev.txt)"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    executable = programs.browser()
    if executable is None:
        pytest.skip("no Chromium was found (chromium, chromium-browser or google-chrome in PATH)")
    # Chromium's own sandbox refuses root.
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with pytest.MonkeyPatch.context() as patch, _started(sync_api) as playwright:
        # Playwright's event loop lives in this thread for as long as the browser does, and Django takes every
        # query beside a running loop for a mistake.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


# What htmx tells as errors when a newer request took the place of one.
_CANCELLED = ("htmx:afterRequest,", "htmx:sendAbort,")


@contextmanager
def _started(sync_api: ModuleType) -> Iterator["Playwright"]:
    """Playwright, in a session of its own: Ctrl-C is for the tests, which then close the browser in order."""
    detached = functools.partial(asyncio.create_subprocess_exec, start_new_session=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "create_subprocess_exec", detached)
        playwright = sync_api.sync_playwright().start()
    try:
        yield playwright
    finally:
        playwright.stop()


@pytest.fixture
def page_problems() -> Iterator[list[str]]:
    """Errors of the pages and their consoles, breaches of a content policy among them.

    A test fails that leaves any. One that provokes them looks at the list and clears it.
    """
    problems: list[str] = []
    yield problems
    assert not problems, "The browser complained:\n" + "\n".join(problems)


@pytest.fixture
def open_page(browser: "Browser", page_problems: list[str]) -> Iterator[Callable[..., "Page"]]:
    """Opens a page in a browser without a past: a person of their own.

    Takes the options of Playwright's `new_context`, such as `java_script_enabled=False` or `viewport`.
    """
    contexts: list[BrowserContext] = []

    def note(message: "ConsoleMessage") -> None:
        if message.type == "error" and not message.text.startswith(_CANCELLED):
            page_problems.append(f"{message.text} ({message.location.get('url', '')})")

    def open_page(**options: Any) -> "Page":
        context = browser.new_context(**{"timezone_id": "UTC"} | options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MILLISECONDS)
        context.on("console", note)
        context.on("weberror", lambda error: page_problems.append(str(error.error)))
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., "Page"]) -> "Page":
    """A page of one person with an ordinary browser."""
    return open_page()


def go_as(page: "Page", url: str, path: str, who: str | None) -> "Response | None":
    """Opens a page as somebody who is logged in already, or as a stranger to the log-in; returns the answer."""
    if who is not None:
        client = Client()
        client.force_login(get_user_model().objects.get(username=who))
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([cookie | {"url": url}])
    return page.goto(url + path)


@pytest.fixture(scope="session")
def violations() -> Callable[["Page"], list[str]]:
    """What axe finds wrong with a page as it is shown, by all its rules but the experimental ones and those of AAA."""
    reason = "axe is in requirements-dev.txt"
    script = pytest.importorskip("axe_playwright_python.sync_playwright", reason=reason).Axe().axe_script

    def violations(page: "Page") -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(script)
        found = page.evaluate("options => axe.run(options)", AXE_OPTIONS)["violations"]
        return [f"{one['id']}: {node['target']} {node['html'][:200]}" for one in found for node in one["nodes"][:3]]

    return violations


@pytest.fixture
def expect(browser: "Browser") -> "Expect":
    """Playwright's `expect`: handed over, so that a test can be collected where Playwright is missing."""
    from playwright.sync_api import expect

    return expect
