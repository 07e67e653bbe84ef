// Offers the browser's time zone where its clock is another one than that of the pages. Nothing is switched by itself.
"use strict";

{
  const hint = document.getElementById("zone-hint");
  const KEPT = "zone_kept"; // a cookie with the browser's zone that was not wanted; another one is offered anew

  // Two zones with one clock all year need no choice between them.
  const clock = (zone) => {
    const noon = (month) => new Date(Date.UTC(new Date().getUTCFullYear(), month, 1, 12));
    try {
      return [...Array(12).keys()].map((month) => noon(month).toLocaleString("en", { timeZone: zone })).join();
    } catch {
      return zone; // one that this browser does not know
    }
  };

  const offer = (zone) => {
    const [field, next] = hint.querySelectorAll("[name=time_zone], [name=next]");
    field.value = zone;
    hint.querySelector("[data-browser-zone]").textContent = zone;
    hint.querySelector("form").addEventListener("submit", () => (next.value = location.pathname + location.search));
    hint.querySelector("[data-keep-zone]").addEventListener("click", () => {
      const secure = location.protocol === "https:" ? "; secure" : "";
      document.cookie = `${KEPT}=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${secure}`;
      hint.hidden = true;
      document.getElementById("content").focus({ preventScroll: true });
    });
    hint.hidden = false;
  };

  const browsers = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const kept = document.cookie.split("; ").includes(`${KEPT}=${encodeURIComponent(browsers)}`);
  if (hint && browsers && !kept && clock(browsers) !== clock(hint.dataset.zone)) offer(browsers);
}
