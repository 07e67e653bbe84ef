// Comfort only: every page works without this file.
"use strict";

// Where scripts run, a page does not wait for the counts of its filters: they come in a second request.
document.cookie = `scripts=1; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;

const announce = (text) => {
  const region = document.getElementById("announce");
  if (region) region.textContent = text;
};

// The address of what is on the screen, for a colleague. Without a secure context there is no clipboard: show it.
const copyLink = async (button) => {
  const { copyLink: link, ask, copied } = button.dataset;
  const address = new URL(link || location.href, location.href).href;
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    window.prompt(ask, address);
    return;
  }
  const label = button.querySelector("[data-label]") || button;
  const before = label.textContent;
  label.textContent = copied;
  announce(copied);
  setTimeout(() => (label.textContent = before), 2000);
};

const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  const button = event.target.closest("[data-copy-link]");
  if (button) copyLink(button);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  }
});

document.addEventListener("focusin", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

// Addresses that people share carry no empty fields. A checkbox keeps its empty value: it means "without one".
document.addEventListener("formdata", ({ target, formData }) => {
  if (!target.matches("[data-short-address]")) return;
  for (const field of target.elements) {
    const asks = field.type !== "checkbox" && (field.type !== "radio" || field.checked);
    if (asks && !field.value) formData.delete(field.name);
  }
});

const show = () => {
  for (const element of document.querySelectorAll("[data-with-script]")) element.hidden = false;
  for (const field of document.querySelectorAll("[data-active-count]")) {
    const active = document.querySelectorAll(".chips .chip").length;
    field.textContent = active;
    field.hidden = active === 0;
  }
};
document.addEventListener("DOMContentLoaded", show);

// What a request brought, in words: how many rows, and after a link also their order and page; or what was found.
const told = ({ target, requestConfig }) => {
  const by = requestConfig?.elt;
  const after = by?.closest("thead, .pages, .segments");
  const parts =
    target?.id === "facets"
      ? [by.matches("[data-find]") && by.closest("fieldset")?.querySelector("[data-found]")]
      : [document.querySelector("[data-announce]"), after && document.getElementById("results")?.querySelector("caption")];
  return parts.filter(Boolean).map((part) => part.textContent.trim().replace(/\s+/g, " ")).join(". ");
};

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  show();
  const text = told(detail);
  if (!text) return;
  // What is followed comes every second: only its news is told.
  const followed = document.querySelector("[data-followed]");
  if (!followed || text !== document.getElementById("announce").textContent) announce(text);
});

// The log-in, or word that there is nothing, would end up inside the page: go there with the whole of it instead.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, pathInfo } = event.detail;
  const asked = new URL(pathInfo.finalRequestPath, location.href);
  const landed = new URL(xhr.responseURL || asked, location.href);
  const isPart = asked.searchParams.has("_part");
  const refused = xhr.status >= 400 && xhr.status < 500 && !isPart;
  if (!refused && landed.pathname === asked.pathname) return;
  event.preventDefault();
  location.assign(isPart ? location : asked);
});
