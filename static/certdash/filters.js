// The fields and values of the filters. Without this file they work by their button.
"use strict";

{
  // While a year is typed it is that of the Romans: 0002, 0020, 0202. Such a day waits until its field is left.
  const isTyped = (field) => field.type === "date" && field.value !== "" && field.value < "1900";

  // A search field has been heard while it was typed in; its change on leaving would ask again, and overtake a click.
  document.addEventListener(
    "change",
    (event) => {
      const field = event.target;
      if (field.type === "search" || (isTyped(field) && field === document.activeElement)) event.stopPropagation();
    },
    true,
  );
  document.addEventListener("focusout", ({ target }) => {
    if (isTyped(target)) target.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // Values are found while their names are typed: Enter would only apply the filters anew.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-find]")) event.preventDefault();
  });

  // What is looked for among the values is looked for among new ones, too.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.target.id !== "facets") return;
    for (const { name, value } of document.querySelectorAll("[data-find]")) if (value) detail.parameters[name] = value;
  });

  // New values leave open what was opened to look through.
  let opened = [];
  document.addEventListener("htmx:beforeSwap", ({ target }) => {
    if (target.id !== "facets") return;
    opened = [...target.querySelectorAll("details[open]")].map((details) => details.id);
  });
  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id === "facets") for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  });

  // On a phone the filters are a sheet over the page: what is behind it is out of reach until it is closed.
  const phone = matchMedia("(max-width: 719px)");
  const sheet = () => document.querySelector(".filters");

  const hold = () => {
    if (!sheet()) return;
    const holds = phone.matches && sheet().open;
    for (let at = sheet(); at !== document.body; at = at.parentElement) {
      for (const other of at.parentElement.children) if (other !== at && other.id !== "announce") other.inert = holds;
    }
  };

  const close = () => {
    if (!sheet()?.open) return;
    sheet().open = false;
    hold();
    sheet().querySelector("summary").focus();
  };
  const closeSheet = () => phone.matches && close();

  document.addEventListener("toggle", ({ target }) => target === sheet() && hold(), true);
  document.addEventListener("htmx:afterSwap", hold);
  document.addEventListener("htmx:responseError", ({ detail }) => detail.target?.id === "results" && closeSheet());
  document.addEventListener("htmx:sendError", ({ detail }) => detail.target?.id === "results" && closeSheet());
  phone.addEventListener("change", hold);
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeSheet());
  document.addEventListener("submit", (event) => event.target.closest(".filters") && close());

  // Whoever removes a filter by keyboard (a click that no pointer made) goes on among those that are left.
  const REMOVED = "certdash-removed";
  const removers = () => [...document.querySelectorAll(".chip a")];
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".chip a, .chips-clear a");
    if (!link || event.detail !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    sessionStorage.setItem(REMOVED, removers().indexOf(link));
  });
  document.addEventListener("DOMContentLoaded", () => {
    const place = sessionStorage.getItem(REMOVED);
    if (place === null) return;
    sessionStorage.removeItem(REMOVED);
    const none = document.querySelector(phone.matches ? ".filters > summary" : ".chips");
    (removers()[place] ?? removers().at(-1) ?? none)?.focus();
  });
}
