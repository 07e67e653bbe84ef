"""What a filter offers: its values or choices, with the number of rows each would leave under the other filters."""

from .choices import Choice, kinds, periods, waiting, withdrawn
from .values import Facet, FacetValue, facets, facets_in_use, facets_known

__all__ = [
    "Choice",
    "Facet",
    "FacetValue",
    "facets",
    "facets_in_use",
    "facets_known",
    "kinds",
    "periods",
    "waiting",
    "withdrawn",
]
