"""How a person likes their tables: which columns, how many rows a page. Never which rows: hidden filters confuse."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from certdash.tables import CertificateTable
from certdash.views.page import PAGE_SIZES, viewer, way_back

_TABLES = {table.remembered_as: table for table in (CertificateTable,)}


@require_POST
def table_options(request: HttpRequest) -> HttpResponse:
    """Remembers what a table's form says, and leads back to its page. What the form does not hold stays as it is."""
    person = viewer(request)
    if (size := request.POST.get("per_page", "")) in map(str, PAGE_SIZES):
        person.page_size = int(size)
    if table := _TABLES.get(request.POST.get("table", "")):
        others = {name: columns for name, columns in person.columns.items() if name != table.remembered_as}
        chosen = [one for one in table.choosable if one in request.POST.getlist("column")]
        person.columns = others if "usual" in request.POST else others | {table.remembered_as: chosen}
    person.save(update_fields=["page_size", "columns"])
    return way_back(request, "overview")
