// What was asked for and did not arrive: the page says so, instead of showing old rows under new filters.
"use strict";

{
  // The card of the page for this, leading to an address that brings all of it.
  const card = (kind, address) => {
    const made = document.getElementById(`failed-${kind}`).content.cloneNode(true).firstElementChild;
    made.dataset.failure = "";
    made.querySelector("a").href = address;
    return made;
  };

  const show = (place, kind, address) => {
    place.querySelector("[data-failure]")?.remove();
    place.prepend(card(kind, address));
  };

  const fail = ({ type, detail }) => {
    const { target, elt, pathInfo } = detail;
    if (elt.matches("[data-followed]")) return; // it asks again by itself
    if (target?.id === "facets") {
      const whole = new URL(location.href);
      whole.searchParams.set("_part", "page");
      for (const awaited of target.querySelectorAll(".awaited, .counting")) awaited.remove();
      show(target, "values", whole);
    } else if (target?.id === "results") {
      show(document.getElementById("results"), type === "htmx:responseError" ? "server" : "way", pathInfo.finalRequestPath);
    } else location.assign(pathInfo.finalRequestPath);
  };

  for (const type of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(type, fail);
}
