"""Pages, sentences and numbers in another language."""

import re
from ast import literal_eval
from functools import partial

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.translation.template import templatize

from certdash.rows import grouped
from tests.every_page import addresses, fill
from tests.support.said import LETTER, Said
from tests.translated.sources import FOLDER, PACKAGE, TEMPLATES, Texts
from tests.world import make_certificate, make_story

LITERAL = r"""u?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""

# Of the pages of the tests: names, addresses, the sentences of runs, and how the log calls a refusal.
STORED = re.compile(
    r"\b(certdash|(Demo|Retail) Academy|demo|retail|Fire safety|Nobody’s|Managers|São Paulo|Brazil|su|superuser|"
    r"(City|Country|Group|Person|Story) \d+|person|(manager|owner|viewer|p\d+)(@example\.com)?|\d new|"
    r"[0-9A-Z]{4}(-[0-9A-Z]{4}){2})\b"
)


@pytest.mark.parametrize(("language", "shown"), [("en", "1,234,567"), ("de", "1.234.567"), ("pl", "1\xa0234\xa0567")])
def test_a_number_is_written_in_its_readers_language(language, shown):
    with translation.override(language):
        assert grouped(1234567) == shown
        assert Template("{% load humanize %}{{ n|intcomma }}").render(Context({"n": 1234567})) == shown


def test_no_text_is_there_both_with_and_without_a_plural():
    """Two entries of a catalogue may not have one text, which makemessages finds only where it is run."""
    marked = [call for path in PACKAGE.rglob("*.py") for call in Said(path.read_text()).marked]
    for name in TEMPLATES:
        calls = re.findall(rf"\b(n?p?gettext|_)\(((?:{LITERAL},?\s*)+)", templatize((FOLDER / name).read_text()))
        marked += [(kind, *(repr(literal_eval(text)) for text in re.findall(LITERAL, given))) for kind, given in calls]
    plural = {tuple(given[:-1]) for kind, *given in marked if kind.startswith("n")}
    alone = {tuple(given) for kind, *given in marked if not kind.startswith("n")}
    assert len(plural) > 10
    assert plural & alone == set()


@pytest.fixture
def _another_language(monkeypatch):
    """One that puts brackets around each text."""
    for name, chosen in {
        "gettext": lambda one: one,
        "pgettext": lambda _context, one: one,
        "ngettext": lambda one, many, number: one if number == 1 else many,
        "npgettext": lambda _context, one, many, number: one if number == 1 else many,
    }.items():
        bracketed = partial(in_brackets, chosen)
        monkeypatch.setattr(translation._trans, name, bracketed, raising=False)
    # Its own code: what is kept for English must not be given to it, nor the other way round.
    with translation.override("xx"):
        yield


def unbracketed(html):
    """The texts of a page that no catalogue would have changed, but for names and what is stored."""
    left = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    while (less := re.sub(r"⟦[^⟦⟧]*⟧", "", left)) != left:
        left = less
    return [text for text in Texts(left).found if LETTER.search(STORED.sub("", text))]


def in_brackets(chosen, *given):
    return f"⟦{chosen(*given)}⟧"


@pytest.mark.usefixtures("_another_language")
def test_every_page_can_be_shown_in_another_language(client, cast):
    fill(cast.demo, 60)
    make_certificate(make_story(cast.demo, "Nobody’s", "ID-X"), firstname="", lastname="", email="")
    client.force_login(cast.superuser)
    for name, address in addresses().items():
        html = client.get(address).content.decode()
        for word in ('<html lang="xx">', "⟦Overview⟧", "⟦Certificates⟧", "⟦Skip to content⟧", "⟦Log out⟧"):
            assert word in html, name
        assert html.count("⟦") == html.count("⟧"), name
        assert not re.search(r"%\(|&lt;(bdi|a|span)\b|\{\{", html), name
        assert unbracketed(html) == [], name


@pytest.mark.usefixtures("_another_language")
def test_sentences_keep_their_names_numbers_and_days_in_another_language(client, cast):
    certificate = make_certificate(make_story(cast.demo), firstname="Ana <b>", lastname="O'Neil")
    client.force_login(cast.viewer)
    html = re.sub(r"\s+", " ", client.get("/certificates/?per_page=25").content.decode())
    assert "⟦Download 1 row⟧" in html
    assert "⟦Select <bdi>Ana &lt;b&gt; O&#x27;Neil</bdi>, <bdi>Fire safety</bdi>⟧" in html
    assert re.search(
        rf">⟦{certificate.timestamp.day} ⟦?{certificate.timestamp:%b}⟧? {certificate.timestamp.year}⟧<", html
    )
