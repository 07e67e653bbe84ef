"""The program's own texts: a module says nothing past gettext."""

import re

import pytest
from django.forms import HiddenInput
from django.utils.functional import Promise

from certdash import forms, tables
from tests.support.said import Said
from tests.translated.sources import MODULES, PACKAGE

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


@pytest.mark.parametrize("name", MODULES)
def test_digits_are_grouped_as_the_reader_does(name):
    assert re.findall(r"\{[^{}]*:,\}", (PACKAGE / name).read_text()) == []
