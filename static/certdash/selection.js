// Ticked rows: how many they are, all of a page at once, and their e-mail addresses. Their file needs no script.
"use strict";

(() => {
  const boxes = () => [...document.querySelectorAll('input[type="checkbox"][form="selection"]')];
  const ticked = () => boxes().filter((box) => box.checked);

  // Once each, whatever the case; as the first row has it.
  const emails = () => {
    const found = new Map();
    for (const { dataset } of ticked()) {
      const email = dataset.email.trim();
      if (email && !found.has(email.toLowerCase())) found.set(email.toLowerCase(), email);
    }
    return [...found.values()];
  };

  const say = (text) => {
    const region = document.getElementById("announce");
    if (region) region.textContent = text;
  };

  const tell = () => {
    const form = document.getElementById("selection");
    if (!form) return;
    const count = ticked().length;
    const addresses = emails().length;
    const all = form.querySelector("[data-select-all]");
    all.checked = count > 0 && count === boxes().length;
    all.indeterminate = count > 0 && !all.checked;
    form.querySelector("[data-selected-count]").textContent = `the ${count} selected`;
    const copy = form.querySelector("[data-copy-emails]");
    copy.textContent = `Copy ${addresses} e-mail address${addresses === 1 ? "" : "es"}`;
    copy.disabled = addresses === 0;
  };

  const copyEmails = async (button) => {
    const addresses = emails();
    const text = addresses.join("; ");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      window.prompt("Copy these addresses", text); // without a secure context there is no clipboard
      return;
    }
    const told = `${addresses.length} e-mail address${addresses.length === 1 ? "" : "es"} copied`;
    button.textContent = told;
    say(told);
    setTimeout(tell, 2000);
  };

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-select-all]")) for (const one of boxes()) one.checked = box.checked;
    else if (box.getAttribute("form") !== "selection") return;
    tell();
    say(`${ticked().length} of ${boxes().length} rows selected`);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-emails]");
    if (button) copyEmails(button);
  });

  for (const moment of ["DOMContentLoaded", "htmx:afterSettle", "pageshow"]) window.addEventListener(moment, tell);
})();
