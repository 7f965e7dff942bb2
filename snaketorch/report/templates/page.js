"use strict";
// Everything on the page can be read without this script; it adds comfort.

const THEME = "snaketorch-theme";

function stored() {
  try { return localStorage.getItem(THEME); } catch { return null; } // files opened from disk may have no storage
}

function store(theme) {
  try { localStorage.setItem(THEME, theme); } catch { /* the choice then lasts as long as the page */ }
}

if (["light", "dark"].includes(stored())) document.documentElement.dataset.theme = stored();

function enableThemes() {
  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = document.documentElement.dataset.theme || system;
    const next = now === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    store(next);
  });
}

function enableCopying() {
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      let done = true;
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        done = document.execCommand("copy");
      }
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  }
}

function enableSeedPickers() {
  for (const picker of document.querySelectorAll(".picker")) {
    const gallery = picker.closest(".gallery");
    const show = () => {
      const seed = picker.querySelector("input:checked").value;
      for (const panel of gallery.querySelectorAll(".panel")) panel.hidden = panel.dataset.seed !== seed;
    };
    picker.hidden = false;
    gallery.classList.add("picked");
    picker.addEventListener("change", show);
    show();
  }
}

function enableFilter() {
  const filter = document.getElementById("filter");
  filter?.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const element of document.querySelectorAll("[data-experiment]")) {
      element.hidden = !element.dataset.experiment.toLowerCase().includes(wanted);
    }
  });
}

function openTarget() {
  const target = document.getElementById(location.hash.slice(1)); // names need no decoding
  target?.querySelector("details.body")?.setAttribute("open", "");
}

function foldContents() {
  const contents = document.querySelector(".contents");
  const narrow = matchMedia("(max-width: 56rem)");
  const fold = () => { contents.open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  contents.addEventListener("click", (event) => {
    if (narrow.matches && event.target.closest("a")) contents.open = false;
  });
  fold();
}

function followReading() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...links.keys()].map((id) => document.getElementById(id));
  const mark = () => {
    const seen = sections.filter((section) => !section.hidden && section.getBoundingClientRect().top < 120);
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get((seen.at(-1) ?? sections[0]).id).setAttribute("aria-current", "true");
  };
  let asked = false;
  addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; mark(); });
  }, { passive: true });
  mark();
}

function openAllForPrint() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
}

addEventListener("DOMContentLoaded", () => {
  enableThemes();
  enableCopying();
  enableSeedPickers();
  enableFilter();
  foldContents();
  followReading();
  openAllForPrint();
  openTarget();
});
addEventListener("hashchange", openTarget);
