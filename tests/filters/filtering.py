"""What a query finds, and what of it is ignored."""

from django.http import QueryDict

from certdash.filters import CertificateFilter
from certdash.models import App, Certificate


def filtered(query: str, *apps: App) -> CertificateFilter:
    apps = apps or tuple(App.objects.all())
    return CertificateFilter(QueryDict(query), Certificate.objects.of(apps), apps)


def found(query: str, *apps: App) -> list[str]:
    """Telephones, which are the rows' names here, in order; nothing may have been ignored."""
    filters = filtered(query, *apps)
    assert filters.ignored == []
    return sorted(filters.qs.values_list("telephone", flat=True))


def ignored(query: str) -> list[str]:
    return filtered(query).ignored
