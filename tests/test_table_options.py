"""How a person likes their tables: columns and rows a page, remembered for them; orders; and files of ticked rows."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from certdash.models import App, User
from certdash.tables import CertificateTable
from tests import world
from tests.world import NOW, make_certificate, make_group, make_story

pytestmark = pytest.mark.django_db
ADDRESS = "/accounts/table/"


@pytest.fixture
def reader(client, cast):
    client.force_login(cast.viewer)
    return client


def choose(client, *columns, **more):
    sent = {"table": "certificates", "column": columns, "next": "/certificates/?state=pending"} | more
    return client.post(ADDRESS, sent)


def heads(client, path="/certificates/"):
    html = client.get(path).content.decode()
    table = html[re.search(r"Certificates(, [^<]*)?\s*</caption>", html).start() :]
    table = table[: table.index("</thead>")]
    texts = [re.sub(r"<[^>]*>", " ", cell).split() for cell in re.findall(r"<th\b.*?</th>", table, re.DOTALL)]
    return [" ".join(words) for words in texts]


USUAL = ["Select", "Person", "State", "Story", "Awarded", "Place", "Actions"]


def test_who_has_not_chosen_sees_the_usual_columns(reader, cast):
    make_certificate(make_story(cast.demo))
    assert heads(reader) == USUAL


def test_chosen_columns_are_remembered_for_this_person_on_every_page_of_certificates(reader, cast):
    one = make_certificate(make_story(cast.demo), telephone="030 12345")
    make_group(cast.demo, "Managers", one.learner)
    answer = choose(reader, "groups", "app", "telephone", "first_seen", "changed")
    assert (answer.status_code, answer["Location"]) == (302, "/certificates/?state=pending")
    chosen = ["Select", "Person", "Groups", "App", "Telephone", "First seen", "Last change"]
    for path in ("/certificates/", f"/people/{one.learner_id}/", f"/stories/demo/{one.story.key}/"):
        assert heads(reader, path) == chosen
    page = reader.get("/certificates/").content.decode()
    for text in ("030 12345", "Demo Academy", "Managers", f"{one.first_seen_at:%H:%M}"):
        assert text in page
    assert page.count('name="column"') == len(CertificateTable.choosable)
    assert len(re.findall(r'name="column"[^>]*checked', page)) == 5
    client = Client()
    client.force_login(cast.owner)
    assert heads(client) == USUAL


def test_nothing_but_the_person_can_be_chosen_and_the_usual_ones_come_back(reader, cast):
    make_certificate(make_story(cast.demo))
    choose(reader)
    assert heads(reader) == ["Select", "Person"]
    choose(reader, "groups", usual="1")
    assert heads(reader) == USUAL
    assert User.objects.get(pk=cast.viewer.pk).columns == {}


def test_groups_are_told_once(reader, cast):
    one = make_certificate(make_story(cast.demo))
    make_group(cast.demo, "Night shift", one.learner)

    def in_rows():
        html = reader.get("/certificates/").content.decode()
        return html[html.index("<tbody>") : html.index("</tbody>")].count("<bdi>Night shift</bdi>")

    for columns in (("story", "groups"), ("story",), ("groups",)):
        choose(reader, *columns)
        assert in_rows() == 1, columns
    choose(reader, "state")
    assert in_rows() == 0


def test_telephones_are_offered_only_where_some_are_stored(reader, cast):
    make_certificate(make_story(cast.demo))
    choose(reader, "telephone", "state")
    App.objects.filter(pk=cast.demo.pk).update(stores_telephones=False)
    assert heads(reader) == ["Select", "Person", "State"]
    assert not re.search(
        r'type="checkbox"\s+name="column"\s+value="telephone"', reader.get("/certificates/").content.decode()
    )


def test_what_is_not_to_be_had_on_a_page_stays_chosen_when_its_form_is_sent(reader, cast):
    make_certificate(make_story(cast.demo))
    choose(reader, "telephone", "state")
    App.objects.filter(pk=cast.demo.pk).update(stores_telephones=False)
    columns = re.findall(r'<input ([^>]*name="column"[^>]*)>', reader.get("/certificates/").content.decode())
    sent = [re.search('value="([^"]*)"', one)[1] for one in columns if "hidden" in one or "checked" in one]
    choose(reader, *sent, "place")
    assert heads(reader) == ["Select", "Person", "State", "Place"]
    App.objects.filter(pk=cast.demo.pk).update(stores_telephones=True)
    assert heads(reader) == ["Select", "Person", "State", "Place", "Telephone"]


# -- Rows a page ------------------------------------------------------------------------------------------------


def shown(client, path="/certificates/"):
    return len(client.get(path).context["table"].page.object_list)


def test_rows_a_page_are_remembered_for_every_list_and_the_address_still_wins(reader, cast):
    world.make_many(cast.demo, 60, [make_story(cast.demo)])
    assert shown(reader) == 50
    reader.post(ADDRESS, {"per_page": "25", "next": "/people/"})
    assert (shown(reader), shown(reader, "/people/")) == (25, 25)
    assert (shown(reader, "/certificates/?per_page=40"), shown(reader, "/people/?per_page=40")) == (40, 40)
    assert heads(reader) == USUAL


@pytest.mark.parametrize("size", ["0", "-1", "30", "201", "1e2", "x", "", "٥٠"])
def test_other_sizes_and_unknown_names_change_nothing(size, reader, cast):
    sent = {"per_page": size, "table": "accounts", "column": ["name", "<script>"]}
    assert reader.post(ADDRESS, sent).status_code == 302
    person = User.objects.get(pk=cast.viewer.pk)
    assert (person.page_size, person.columns) == (None, {})
    choose(reader, "state", "password", "person")
    assert User.objects.get(pk=cast.viewer.pk).columns == {"certificates": ["state"]}


def test_the_form_leads_back_to_the_same_rows_without_page_and_size(reader, cast):
    world.make_many(cast.demo, 60, [make_story(cast.demo)])
    page = reader.get("/certificates/?state=pending&sort=-story&per_page=25&page=2&nonsense=1").content.decode()
    assert 'name="next" value="/certificates/?state=pending&amp;sort=-story"' in page
    assert re.search(r'<option value="25"\s+selected>', page)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil", ""]
)
def test_the_form_leads_nowhere_else(elsewhere, reader):
    assert reader.post(ADDRESS, {"per_page": "25", "next": elsewhere})["Location"] == "/"


def test_what_was_stored_by_another_version_breaks_no_page(reader, cast):
    make_certificate(make_story(cast.demo))
    cast.viewer.columns, cast.viewer.page_size = {"certificates": ["state", "gone"], "other": 1}, 37
    cast.viewer.save()
    assert heads(reader) == ["Select", "Person", "State"]


# -- Filters are never remembered, orders are asked for ----------------------------------------------------------


def test_filters_are_never_remembered(reader, cast):
    world.make_many(cast.demo, 4, [make_story(cast.demo)])
    choose(reader, "state")
    assert reader.get("/certificates/").context["rows"] == 4


def ordered(client, sort):
    table = client.get(f"/certificates/?sort={sort}").context["table"]
    return [row.record.certificate.telephone for row in table.page.object_list]


@pytest.fixture
def rows(cast):
    fire, aid = make_story(cast.demo, "B", "B"), make_story(cast.demo, "A", "A")
    told = [
        ("1", fire, "Brazil", "Bo", 3),
        ("2", aid, "", "Ana", 1),
        ("3", fire, "Sweden", "Zoe", 2),
        ("4", aid, "Brazil", "Cy", 4),
    ]
    for telephone, story, country, name, days in told:
        email = f"{name}@example.com"
        make_certificate(
            story, telephone=telephone, country=country, firstname=name, email=email, at=NOW - timedelta(days=days),
            changed_at=NOW - timedelta(hours=days),
        )  # fmt: skip


ORDERS = {
    "person": "2143", "awarded": "4132", "place": "2143", "first_seen": "1234", "changed": "4132", "story": "2431",
    "app": "2314", "telephone": "1234",
}  # fmt: skip


@pytest.mark.parametrize("sort", ORDERS)
def test_orders_go_both_ways_also_by_a_hidden_column(sort, reader, rows):
    assert "".join(ordered(reader, sort)) == ORDERS[sort]
    assert "".join(ordered(reader, f"-{sort}")) == ORDERS[sort][::-1]
    choose(reader)
    assert "".join(ordered(reader, sort)) == ORDERS[sort]


@pytest.mark.parametrize("sort", ["person", "awarded", "place", "state", "first_seen"])
@pytest.mark.parametrize("way", ["", "-"])
def test_a_million_rows_are_read_in_the_order_of_an_index(sort, way, cast):
    table = CertificateTable(world.Certificate.objects.of([cast.demo]).live())
    table.order_by = way + sort
    if connection.vendor == "postgresql":  # which would rather read and sort the few rows of a test
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off")
    plan = table.data.data.values_list("pk")[:50].explain()
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan, plan


def test_orders_without_an_index_are_for_lists_of_a_bounded_length(reader, rows, monkeypatch):
    choose(reader, "changed", "groups")
    assert "".join(ordered(reader, "changed")) == ORDERS["changed"]
    assert 'sort=changed"' in reader.get("/certificates/").content.decode()
    monkeypatch.setattr(CertificateTable, "most_ordered", 3)
    for sort in ("changed", "-changed", "groups", "telephone"):
        assert "".join(ordered(reader, sort)) == ORDERS["awarded"][::-1]
    page = reader.get("/certificates/?sort=-changed").content.decode()
    assert "3 rows at most can be sorted by “Last change”" in page
    assert 'sort=changed"' not in page
    assert "can be sorted by" not in reader.get("/certificates/?sort=person").content.decode()
    file = b"".join(reader.get("/certificates/?sort=changed&_export=csv")).decode()
    assert [line.split(",")[7] for line in file.splitlines()[1:]] == [*ORDERS["changed"]]


def test_certificates_are_ordered_by_their_first_group(reader, rows, cast):
    learners = {one.name.split()[0]: one for one in cast.demo.learners.all()}
    make_group(cast.demo, "Zeta", learners["Ana"], learners["Zoe"])
    make_group(cast.demo, "Alpha", learners["Zoe"])
    assert "".join(ordered(reader, "groups")) == "1432"
    assert "".join(ordered(reader, "-groups")) == "2341"


# -- Ticked rows -------------------------------------------------------------------------------------------------


def test_the_file_of_ticked_rows_holds_them_alone_in_the_order_of_the_page(reader, rows, cast):
    ids = list(cast.demo.certificates.order_by("-pk").values_list("pk", flat=True)[:3])
    page = reader.get("/certificates/?state=delivered&withdrawn=all&sort=person&id={}&id={}&id={}".format(*ids))
    form = page.content.decode()
    form = form[form.index('<form id="selection"') :]
    form = form[: form.index("</form>")]
    kept = re.findall(r'type="hidden" name="(\w+)" value="(\w*)"', form)
    assert kept == [("state", "delivered"), ("withdrawn", "all"), ("sort", "person"), ("_selected", "1")]
    response = reader.get("/certificates/", [*kept, *[("id", one) for one in ids[:2]], ("_export", "csv")])
    telephones = [line.split(",")[7] for line in b"".join(response).decode().splitlines()[1:]]
    assert telephones == ["4", "3"]


def test_every_row_has_a_box_with_a_name(reader, rows):
    html = reader.get("/certificates/").content.decode()
    assert html.count('form="selection"') == 4
    assert "Select <bdi>Cy Souza</bdi>, <bdi>A</bdi>" in html


@pytest.mark.parametrize("more", ["", "&state=delivered"])
def test_no_ticked_row_is_no_file_and_not_all_rows(more, reader, rows):
    response = reader.get(f"/certificates/?_selected=1&_export=csv{more}")
    assert response.status_code == 400
    assert "no row is ticked" in response.content.decode()


def test_a_foreign_row_that_is_ticked_is_not_in_the_file(reader, rows, cast):
    foreign = world.make_foreign(cast.other)
    own = cast.demo.certificates.first()
    response = reader.get(f"/certificates/?_selected=1&_export=jsonl&id={foreign.pk}&id={own.pk}")
    assert b"".join(response).count(b"\n") == 1
