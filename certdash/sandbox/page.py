"""The page that a certificate's permalink opens."""

from html import escape

from certdash.sandbox.world import CertificateItem, StoryItem

STYLE = """
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; }
main { box-sizing: border-box; width: min(40rem, 92vw); margin: 2rem 0; padding: clamp(1.5rem, 6vw, 4rem);
  border: 1px solid; outline: 1px solid; outline-offset: -.6rem; text-align: center; }
h1 { font: 600 clamp(1.3rem, 4vw, 1.8rem)/1.3 Georgia, serif; letter-spacing: .02em; }
p { margin: .75rem 0; }
strong { display: block; font: 600 clamp(1.5rem, 6vw, 2.4rem)/1.25 Georgia, serif; overflow-wrap: anywhere; }
small { opacity: .75; overflow-wrap: anywhere; }
"""
# Nothing but the style above: the page shows other people's text.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def certificate_page(story: StoryItem, item: CertificateItem, key: str) -> str:
    """The certificate as HTML, self-contained and escaped; its date is that of its timestamp."""
    name = f"{item['firstname']} {item['lastname']}"
    day = item["certificate"]["timestamp"][:10]
    return _page(
        "Certificate",
        f"<h1>Certificate of completion</h1><p>This certifies that</p>"
        f'<p><strong dir="auto">{escape(name)}</strong></p><p>has completed</p>'
        f'<p><strong dir="auto">{escape(story["name"])}</strong></p>'
        f'<p><time datetime="{day}">{day}</time></p><p><small>Certificate {escape(key)}</small></p>',
    )


def missing_page() -> str:
    """What stands where there is no certificate (any more)."""
    return _page(
        "No certificate",
        "<h1>There is no certificate here</h1><p>It was withdrawn, or this link is not complete.</p>",
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style><main>{body}</main></html>"
    )
