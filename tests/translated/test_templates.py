"""Templates: no text outside gettext, and no sentence glued together."""

import re
from itertools import pairwise

import pytest
from django.template.base import Lexer, TokenType
from django.utils.translation.template import templatize

from tests.support.said import LETTER
from tests.translated.sources import FOLDER, STRING, TEMPLATES, TRANSLATED_STRING, Texts

# Tags whose strings are names of the program; what `include` hands on under these names is as well.
TECHNICAL_TAGS = {"block", "elif", "extends", "icon", "if", "load", "static", "url"}
TECHNICAL_ARGUMENTS = re.compile(r"""\b(icon|item|name|tone)=("[a-z_-]+"|'[a-z_-]+')|^include "[^"]+\"""")
TECHNICAL_STRINGS = {"c", "danger", "descending,ascending", "is-on,"}


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
