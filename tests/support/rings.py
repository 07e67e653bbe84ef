"""Where the keyboard stops on a page, and whether whoever walks it sees where they are."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# The bars of charts show it by their stroke: an outline would run around words that are not there.
_STOPS = "a[href]:not(svg *), button, summary, input:not([type=hidden]), select, textarea, [tabindex='0']"

_UNSEEN = """stops => {
    const told = [];
    // Where the ring is drawn, and what of it the boxes around it leave.
    const cut = one => {
        const style = getComputedStyle(one), width = parseFloat(style.outlineWidth);
        if (style.outlineStyle === "none" || width < 2) return "has no ring";
        const out = parseFloat(style.outlineOffset) + width / 2, box = one.getClientRects()[0];
        const ring = { left: box.left - out, top: box.top - out, right: box.right + out, bottom: box.bottom + out };
        // A browser leaves alone what is in view for a part: one side may be out of it, as the text then is.
        const sides = frame => [frame.left - ring.left, frame.top - ring.top, ring.right - frame.right,
            ring.bottom - frame.bottom].filter(beyond => beyond > 1).length;
        for (let up = one.parentElement; up !== document.body; up = up.parentElement) {
            const { display, overflowX, overflowY } = getComputedStyle(up);
            const clips = display !== "contents" && (overflowX !== "visible" || overflowY !== "visible");
            const name = `${up.localName}.${up.className}`;
            if (clips && sides(up.getBoundingClientRect()) > 1) return `has a ring that ${name} cuts`;
        }
        const under = (x, y) => {
            const there = document.elementFromPoint(box.left + x * box.width, box.top + y * box.height);
            return one.contains(there) || there?.contains(one) ? "" : `lies under ${there?.outerHTML.slice(0, 60)}`;
        };
        return [[0.5, 0.5], [0.1, 0.1], [0.9, 0.9]].map(at => under(...at)).reduce((all, each) => all && each);
    };
    const walk = [...document.querySelectorAll(stops)];
    for (const one of [...walk, ...walk.toReversed()]) {
        if (one.disabled || one.closest('[inert]') || !one.checkVisibility({ visibilityProperty: true })) continue;
        one.focus({ focusVisible: true });
        const wrong = document.activeElement === one ? cut(one) : "takes no focus";
        const text = (one.innerText || one.name || "").trim().slice(0, 40);
        if (wrong) told.push(`${one.localName}.${one.className} “${text}” ${wrong}`);
    }
    return [...new Set(told)];
}"""


def unseen_stops(page: "Page") -> list[str]:
    """The stops of the keyboard, there and back, at which a ring is missing or cut, or that lie under others."""
    found: list[str] = page.evaluate(_UNSEEN, _STOPS)
    return found
