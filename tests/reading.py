"""What a person reads of a page."""

import re

from django.http import HttpResponse


def text_of(response: HttpResponse) -> str:
    """What a person reads, on one line."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub("[\u2068\u2069]", "", text))  # without what isolates names
