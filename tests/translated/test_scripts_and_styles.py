"""Scripts and stylesheets take their words from the page."""

import re

import pytest

from tests.support.said import LETTER
from tests.translated.sources import FOLDER, READ, STRING

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
