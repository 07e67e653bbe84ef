"""Which permalinks of the vendor a page may turn into a link."""

from urllib.parse import urlsplit


def safe_link(url: str) -> str:
    """The URL when it is an absolute web address without user-info, else an empty text: then it is only shown."""
    if not url.isprintable() or " " in url or "\\" in url:
        return ""  # browsers repair these, each in its own way
    try:
        parts = urlsplit(url)
        web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return url if web and "@" not in parts.netloc else ""
