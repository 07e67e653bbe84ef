"""Every text that people read goes through gettext, so that a language is added by a catalogue alone."""

import re
from ast import literal_eval
from functools import partial
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from django.forms import HiddenInput
from django.template import Context, Template
from django.template.base import Lexer, TokenType
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation.template import templatize

from certdash import forms, tables
from certdash.rows import grouped
from tests.every_page import addresses, fill
from tests.support.said import LETTER, Said
from tests.world import make_certificate, make_story

FOLDER = Path(__file__).parents[1] / "templates"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.*"))

# The program's name is the same in every language.
NAMES = {"certdash"}
# Attributes that people read, or hear; a table's cells show their label on a phone.
READ = {
    "alt", "aria-description", "aria-label", "aria-roledescription", "data-label", "data-sort-by", "label",
    "placeholder", "title",
}  # fmt: skip
# Tags whose strings are names of the program; what `include` hands on under these names is as well.
TECHNICAL_TAGS = {"block", "elif", "extends", "icon", "if", "load", "static", "url"}
TECHNICAL_ARGUMENTS = re.compile(r"""\b(icon|item|name|tone)=("[a-z_-]+"|'[a-z_-]+')|^include "[^"]+\"""")
TECHNICAL_STRINGS = {"c", "danger", "descending,ascending", "is-on,"}

TRANSLATED_STRING = re.compile(r"""_\(("[^"]*"|'[^']*')\)""")
LITERAL = r"""u?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
STRING = re.compile(r"""["']([^"']*)["']""")


# -- The program's own texts -------------------------------------------------------------------------------------

PACKAGE = Path(__file__).parents[1] / "certdash"
# Modules of the package, and folders of them, that speak to people.
SPEAKING = {
    "access.py", "adapters.py", "attempts.py", "charts.py", "downloads.py", "exports", "facets", "fields.py",
    "filters", "forms", "invitations.py", "links.py", "models", "rows.py", "saved_views.py", "signs.py",
    "single_sign_on.py", "stats", "tables", "templatetags", "time_zones.py", "timeline.py", "views", "visits.py",
    "words.py",
}  # fmt: skip
MODULES = sorted(
    str(path.relative_to(PACKAGE))
    for path in PACKAGE.rglob("*.py")
    if SPEAKING & {str(path.relative_to(PACKAGE)), path.relative_to(PACKAGE).parts[0]}
)
HTTP = {
    "GET", "HEAD", "POST", "HX-Request", "Sec-Fetch-Mode", "Sec-Purpose", "X-Background", "Location", "Lax",
    "text/plain; charset=utf-8", "text/csv; charset=utf-8", "application/jsonl; charset=utf-8",
    'attachment; filename="',
}  # fmt: skip
# By module, what has a blank or a capital letter and is no text, or none for people.
EXCUSED = {
    # The record keeps how somebody came in, in the one language of what is stored.
    "adapters.py": {
        "REMOTE_ADDR",
        "single sign-on",
        "wrong password",
        "unknown name",
        "too many attempts",
        "made by single sign-on",
    },
    "attempts.py": {"Too many attempts; the next one is possible in ", " seconds."},  # for programmers
    "exports/excel.py": {"yyyy-mm-dd hh:mm:ss"},
    "forms/saved_views.py": {"LNPS"},  # categories of signs
    "invitations.py": {"A mail with a link to a new password was not taken by the mail server: %s"},  # the log
    # Runs keep it, in the one language of what is stored.
    "models/secret.py": {
        "The stored token cannot be decrypted with the keys of CERTDASH_CREDENTIAL_KEYS. "
        "The stored certificates are unchanged. Restore the former key, or enter the token again."
    },
    "models/text.py": {"NFKD"},
    "rows.py": {"Z"},
    "signs.py": {"sign of life", "The worker cannot give a sign of life and goes on trying: %s"},  # a thread, the log
    "single_sign_on.py": {
        "The discovery document has no usable ",
        "Single sign-on failed: %s",
        "cancelled",
        "refused",
    },
    "stats/numbers.py": {"numbers ", "numbers and outside "},  # what is remembered under it
    "tables/certificates.py": {"LEFT(%(expressions)s, ", "SUBSTR(%(expressions)s, 1, "},  # SQL
    "templatetags/pieces.py": {'<time datetime="{}" title="{}">{}</time>'},
    "time_zones.py": {  # parts of names
        "Factory",
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    },
    # The record keeps what was done, as it keeps how somebody came in.
    "views/accounts.py": {
        "invited as a superuser",
        "link to a new password made",
        "link to connect single sign-on made",
        "made a superuser",
        "no superuser any more",
    },
    "views/health.py": {"ok\n", "SELECT 1", "the database does not answer\n"},  # for machines
    "views/log_in.py": {"password changed"},
    "views/matrix.py": {"(in no tracked group)", "(all, each certificate once)", "(all stories)"},  # of the file
    "views/overview.py": {"pending for"},  # a file's head
    "views/page.py": {"%Y-%m-%dT%H%MZ"},
    "views/passwords.py": {"password set by a link", "forgotten from"},
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_nothing_past_gettext(name):
    said = Said((PACKAGE / name).read_text()).found
    assert [text for text in said if text not in HTTP | EXCUSED.get(name, set())] == []


def test_every_excuse_is_needed():
    said = {name: set(Said((PACKAGE / name).read_text()).found) for name in EXCUSED}
    assert {name: texts - said[name] for name, texts in EXCUSED.items() if texts - said[name]} == {}


@pytest.mark.parametrize(
    "source",
    [
        "x = 'Hello you'",
        "x = 'Hello'",
        "x = f'{many} rows'",
        "x = f'{day:%-d %b}'",
        "x = {'a': ['hello you']}",
        "return_it(lambda: 'hello you')",
        "def f(x='hello you'): ...",
        "caption = 'hello'",
        "caption: str = 'hello'",
        "Column(verbose_name='hello')",
        "Field(label='hello' if x else _('Hello'))",
        "Field(error_messages={'required': 'hello'})",
        "Field(choices=[('a', 'hello')])",
        "NumberColumn('hello')",
        "ValidationError('hello')",
        "form.add_error('name', 'hello')",
        "Badge('tone', 'icon', 'hello')",
        "class Kind(models.TextChoices):\n    A = 'a', 'hello'",
        "class Kind(models.TextChoices):\n    A = 'a'",
        "_(f'hello {name}')",
        "gettext('hello ' + name)",
        "ngettext('hello', name, many)",
        "gettext('Hello') + ' you'",
    ],
)
def test_what_is_said_past_gettext_is_found_wherever_it_hides(source):
    assert Said(source).found != []


@pytest.mark.parametrize(
    "source",
    [
        "'Hello you.'",
        "def f(x: 'Hello') -> 'Hello': ...",
        "x = given['Hello you']",
        "x = _('Hello you')",
        "x = ngettext('%(many)s row', '%(many)s rows', many) % {'many': f'{many:,}'}",
        "caption = pgettext_lazy('of rows', 'hello')",
        "Field(choices=[('a', _('hello'))], label=_('Hello') if kind == 'a' else '')",
        "class Kind(models.TextChoices):\n    A = 'a', _('hello')",
    ],
)
def test_what_goes_through_gettext_is_no_finding(source):
    assert Said(source).found == []


@pytest.mark.parametrize("name", sorted({*tables.__all__} - {"Table"}))
def test_no_heading_of_a_table_is_made_of_the_columns_name(name):
    table = getattr(tables, name)
    headings = {column: given.verbose_name for column, given in table.base_columns.items()}
    headings |= {text: getattr(table, text) for text in ("caption", "empty_text", "nothing_text")} | table.choosable
    assert {of for of, text in headings.items() if text != "" and not isinstance(text, Promise)} == set()


@pytest.mark.parametrize("name", forms.__all__)
def test_no_label_of_a_form_is_made_of_the_fields_name(name):
    fields = getattr(forms, name).base_fields.items()
    labels = {of: field.label for of, field in fields if field.widget.__class__ is not HiddenInput}
    assert {of for of, text in labels.items() if not isinstance(text, Promise)} == set()


# Of the pages of the tests: names, addresses, the sentences of runs, and how the log calls a refusal.
STORED = re.compile(
    r"\b(certdash|(Demo|Retail) Academy|demo|retail|Fire safety|Nobody’s|Managers|São Paulo|Brazil|su|superuser|"
    r"(City|Country|Group|Person|Story) \d+|person|(manager|owner|viewer|p\d+)(@example\.com)?|\d new|"
    r"[0-9A-Z]{4}(-[0-9A-Z]{4}){2})\b"
)


# -- Templates ---------------------------------------------------------------------------------------------------


class Texts(HTMLParser):
    """What is left to read in a page."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)
        self.close()

    def note(self, text):
        if LETTER.search(text) and text.strip(" \n·") not in NAMES:
            self.found.append(" ".join(text.split()))

    def handle_data(self, data):
        self.note(data)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        read = READ | ({"value"} if given.get("type") in ("submit", "reset", "button") and tag == "input" else set())
        for name in read & set(given):
            self.note(given[name] or "")

    handle_startendtag = handle_starttag


def tokens_of(source):
    """Kind and contents of what is neither a comment nor between the tags of a translated block."""
    within = False
    for token in Lexer(source).tokenize():
        ends = token.token_type is TokenType.BLOCK and token.contents == "endblocktranslate"
        within = within and not ends
        if not within and token.token_type is not TokenType.COMMENT:
            yield token.token_type, token.contents
        within = within or (token.token_type is TokenType.BLOCK and token.contents.startswith("blocktranslate"))


def untranslated(source):
    """The texts of a template, and the strings in its tags, that no catalogue can reach."""
    tokens = list(tokens_of(source))
    html = "".join(contents for kind, contents in tokens if kind is TokenType.TEXT)
    strings = [string for kind, contents in tokens if kind is not TokenType.TEXT for string in strings_of(contents)]
    return Texts(html).found + strings


def strings_of(tag):
    name = tag.split(maxsplit=1)[0]
    if name in TECHNICAL_TAGS or name == "translate":
        return []
    left = TECHNICAL_ARGUMENTS.sub("", TRANSLATED_STRING.sub("", tag))
    return [text for text in STRING.findall(left) if LETTER.search(text) and text not in TECHNICAL_STRINGS]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_no_text_outside_gettext(name):
    assert untranslated((FOLDER / name).read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "{% if a %}Hello{% endif %}",
        "{% blocktranslate %}Hello{% endblocktranslate %} you",
        '<a title="Hello">{{ name }}</a>',
        '<a {% if a %}aria-label="Hello {{ name }}"{% endif %}></a>',
        '<td data-label="Hello"></td>',
        '<input type="submit" value="Hello">',
        '{{ name|default:"hello" }}',
        "{{ many|pluralize:'y,ies' }}",
        '{{ at|date:"j M Y" }}',
        '{% include "x.html" with label="Hello" %}',
        '{% blocktranslate with name=name|default:"hello" %}{{ name }}{% endblocktranslate %}',
    ],
)
def test_a_text_outside_gettext_is_found_wherever_it_hides(source):
    assert untranslated(source) != []


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_sentence_is_glued_together(name):
    source = (FOLDER / name).read_text()
    assert "|pluralize" not in source
    assert glued(source) == []


@pytest.mark.parametrize(
    "source",
    [
        '{{ many }} {% translate "rows" %}',
        '{% translate "by" %} <bdi>{{ name }}</bdi>',
        '{% moment at %} {% translate "was the last" %}',
        "{% blocktranslate %}seen{% endblocktranslate %} {{ when }}",
    ],
)
def test_a_glued_sentence_is_found(source):
    assert glued(source) != []


def glued(source):
    """Words right before or after a value: they leave a translator no choice of order and form."""
    tokens = [(kind, text) for kind, text in tokens_of(source) if kind is not TokenType.TEXT or parts(text)]
    pairs = [(before, after) for before, after in pairwise(tokens)]
    return [pair for pair in pairs if {meaning(*pair[0]), meaning(*pair[1])} == {"words", "value"}]


def parts(text):
    """Whether this text keeps apart what stands around it."""
    return bool(re.sub(r"</?(bdi|b|em|strong)\b[^>]*>", "", text).strip())


def meaning(kind, text):
    if kind is TokenType.VAR or (text.startswith("moment ") and " as " not in text):
        return "value"
    return (
        "words"
        if text.startswith(("translate ", "blocktranslate", "endblocktranslate")) and " as " not in text
        else "neither"
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_makemessages_finds_what_a_tag_holds(name):
    """It reads templates by patterns of its own, which know fewer places than the templates' language."""
    source = (FOLDER / name).read_text()
    extracted = templatize(source)
    missing = [text for text in TRANSLATED_STRING.findall(source) if f"_({text})" not in extracted]
    assert missing == []


# -- Scripts -----------------------------------------------------------------------------------------------------

SCRIPTS = sorted((FOLDER.parent / "static" / "certdash").glob("*.js"))


def words_of(script):
    """The strings of a script that look like a text: two words beside each other, or one beside a value."""
    code = re.sub(r"(^|\s)//.*", "", script, flags=re.MULTILINE)
    strings = re.findall(r"""("[^"\n]*"|'[^'\n]*'|`[^`]*`)""", code)
    text = re.compile(r"[a-z-]{2,}[.:,]? [a-z-]{2,}|\} [a-z]{2,}|[a-z]{3,} \$\{", re.IGNORECASE)
    return [string for string in strings if text.search(string) and string != '"use strict"']


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_takes_its_words_from_the_page(script):
    assert words_of(script.read_text()) == []


@pytest.mark.parametrize("script", ["say('Link copied')", "x = `Copy ${many}`", "x = `${many} rows`"])
def test_words_of_a_script_are_found(script):
    assert words_of(script) != []


# -- Stylesheets -------------------------------------------------------------------------------------------------

STYLES = sorted((FOLDER.parent / "static" / "certdash").glob("*.css"))


def words_of_style(css):
    """What a stylesheet writes onto the page by itself, or takes from an attribute that is not known to be read."""
    found = []
    for content in re.findall(r"(?<![-\w])content:([^;}]*)", css):
        found += [text for text in STRING.findall(content) if LETTER.search(text)]
        found += [name for name in re.findall(r"attr\(\s*([\w-]+)", content) if name not in READ]
    return found


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_a_stylesheet_takes_its_words_from_the_page(style):
    assert words_of_style(style.read_text()) == []


@pytest.mark.parametrize(
    "style",
    ['a::before { content: "Sort by"; }', "a::after{content:'by' attr(title)}", "a { content: attr(data-word) }"],
)
def test_words_of_a_stylesheet_are_found(style):
    assert words_of_style(style) != []


# -- Numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_digits_are_grouped_as_the_reader_does(name):
    assert re.findall(r"\{[^{}]*:,\}", (PACKAGE / name).read_text()) == []


@pytest.mark.parametrize(("language", "shown"), [("en", "1,234,567"), ("de", "1.234.567"), ("pl", "1\xa0234\xa0567")])
def test_a_number_is_written_in_its_readers_language(language, shown):
    with translation.override(language):
        assert grouped(1234567) == shown
        assert Template("{% load humanize %}{{ n|intcomma }}").render(Context({"n": 1234567})) == shown


# -- Another language --------------------------------------------------------------------------------------------


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
