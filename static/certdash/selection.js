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

  // The form's words for so many: a language has few forms for numbers, and of each the page has an example.
  const words = (number) => {
    const kind = new Intl.PluralRules(document.documentElement.lang);
    const examples = [...document.querySelectorAll("#selection [data-words]")];
    const alike = examples.find(({ dataset }) => kind.select(Number(dataset.words)) === kind.select(number));
    return (alike || examples.at(-1)).dataset;
  };

  const filled = (text, ...numbers) => numbers.reduce((told, number, place) => told.replace(`%${place + 1}`, number), text);

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
    form.querySelector("[data-selected-count]").textContent = filled(words(count).selected, count);
    const copy = form.querySelector("[data-copy-emails]");
    copy.textContent = filled(words(addresses).copy, addresses);
    copy.disabled = addresses === 0;
  };

  const copyEmails = async (button) => {
    const addresses = emails();
    const text = addresses.join("; ");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      window.prompt(button.dataset.ask, text); // without a secure context there is no clipboard
      return;
    }
    const told = filled(words(addresses.length).copied, addresses.length);
    button.textContent = told;
    say(told);
    setTimeout(tell, 2000);
  };

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-select-all]")) for (const one of boxes()) one.checked = box.checked;
    else if (box.getAttribute("form") !== "selection") return;
    tell();
    say(filled(words(boxes().length).told, ticked().length, boxes().length));
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-emails]");
    if (button) copyEmails(button);
  });

  for (const moment of ["DOMContentLoaded", "htmx:afterSettle", "pageshow"]) window.addEventListener(moment, tell);
})();
