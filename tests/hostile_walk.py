"""A walk through pages on which everything is an attack: what runs, and whose words are turned."""

from typing import Any

from django.conf import settings
from django.test import Client

from certdash.models import User
from tests import hostile
from tests.hostile import evil

# Runs before any script of the page: what fires is counted, whichever way it was reached.
HOOKS = """
window.fired = [];
for (const name of ["alert", "prompt", "confirm", "print"]) window[name] = (...said) => window.fired.push(name + said);
document.addEventListener("securitypolicyviolation", event => window.fired.push("policy: " + event.violatedDirective));
"""
# Mouse and focus on everything, as somebody could do it.
TOUCH = """document.querySelectorAll('*').forEach(each => {
    each.focus?.(); each.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})); })"""
# What a page must not hold: addresses of other kinds, and what names could have become.
LOOK = """() => {
    const links = [...document.querySelectorAll('[href], [action], [src]')];
    const odd = links.map(one => one.href ?? one.action ?? one.src)
        .filter(one => typeof one === 'string' && !/^https?:/.test(one));
    const made = document.querySelectorAll('iframe, object, embed, style, base, [onerror], [onload], [onfocus],'
        + ' [onmouseover], [onclick], [hx-on], form[action*="evil.example"], [src*="evil.example"]');
    return [...window.fired, ...odd, ...[...made].map(one => one.outerHTML)];
}"""
# Texts in which words of ours stand behind a name that turns what follows it: everything in one paragraph is put in
# line, and what a name has opened must be closed when another letter than of a name follows. Names end in Greek.
TURNED = r"""names => {
    const ends = {'\u202c': /[\u202a\u202b\u202d\u202e]/, '\u2069': /[\u2066-\u2068]/};
    const isTurned = text => {
        const open = [];
        let ended = false;
        for (const sign of names.reduce((one, name) => one.replaceAll(name, '\u202e\u03c9'), text)) {
            if (/[\u202a\u202b\u202d\u202e\u2066-\u2068]/.test(sign)) open.push(sign);
            else if (sign in ends) {
                const at = open.findLastIndex(one => ends[sign].test(one));
                if (at >= 0) open.length = sign === '\u2069' ? at : open.length - 1;
                ended &&= open.length > 0;
            } else if (/[\u03b1-\u03c9]/.test(sign)) ended = true;
            else if (sign === '\n') open.length = 0;
            else if (!/[\p{L}\p{N}\ufffc]/u.test(sign)) continue;
            else if (ended && open.length) return true;
            else ended = false;
        }
        return false;
    };
    const stands = each => {
        const style = getComputedStyle(each);
        return !['inline', 'contents'].includes(style.display) || /isolate|plaintext/.test(style.unicodeBidi);
    };
    const lines = new Map([[document.head, document.title]]);
    const add = (each, text) => {
        while (!stands(each) && each.parentElement) each = each.parentElement;
        if (!getComputedStyle(each).whiteSpace.startsWith('pre')) text = text.replaceAll('\n', ' ');
        lines.set(each, (lines.get(each) ?? '') + text);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (node.nodeType === Node.TEXT_NODE) add(node.parentElement, node.data);
        else if (stands(node) && node.parentElement && node.tagName !== 'BR') add(node.parentElement, '\ufffc');
        for (const name of ['title', 'aria-label']) {
            const said = node.getAttribute?.(name);
            if (said) lines.set({outerHTML: `${name}: ${said}`}, said);
        }
    }
    return [...lines].filter(([_, text]) => isTurned(text)).map(([each, _]) => each.outerHTML.slice(0, 400));
}"""
NAMES = [evil(number) for number in range(hostile.MANY)]


class Walk:
    """One page of a browser, and all that went wrong on what it opened."""

    def __init__(self, page: Any, expect: Any, url: str) -> None:
        self.page, self.expect, self.url = page, expect, url
        self.wrong: dict[str, list[str]] = {}
        page.context.add_init_script(HOOKS)

    def log_in(self, person: User) -> None:
        client = Client()
        client.force_login(person)
        name = settings.SESSION_COOKIE_NAME
        self.page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.url}])

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)
        self.look(path)

    def send(self, path: str, /, **fields: str) -> None:
        """Sends a form with these fields from the page that is open."""
        with self.page.expect_navigation():
            self.page.evaluate(
                """([path, fields]) => {
                    const form = document.createElement('form'), token = document.querySelector('[hx-headers]');
                    fields.csrfmiddlewaretoken ??= JSON.parse(token.getAttribute('hx-headers'))['X-CSRFToken'];
                    Object.assign(form, {method: 'post', action: path});
                    for (const [name, value] of Object.entries(fields)) {
                        const field = document.createElement('textarea');
                        Object.assign(field, {name, value});
                        form.append(field);
                    }
                    document.body.append(form);
                    form.submit();
                }""",
                [path, fields],
            )
        self.look(f"POST {path}")

    def look(self, path: str) -> None:
        self.expect(self.page.locator("#facets .counting")).to_have_count(0)  # counts come after the page
        self.page.evaluate(TOUCH)
        wrong = [*self.page.evaluate(LOOK), *(f"turned: {text}" for text in self.page.evaluate(TURNED, NAMES))]
        if not self.page.url.startswith(self.url):
            wrong.append(f"went to {self.page.url}")
        if wrong:
            self.wrong[path] = wrong

    @property
    def report(self) -> str:
        """What is wrong, each where it was seen first."""
        return "\n".join(f"{path}\n  " + "\n  ".join(wrong) for path, wrong in self.wrong.items())
