// The start of everything that lives on a page: an element with data-mount="NAME" is given to the module NAME.mjs.
//
// Dash draws such elements empty and later removes them; React never looks inside. Each mounted module gets a Scope
// and is closed with it, so that nothing goes on running for an element that is gone.

import { el } from "./dom.mjs";
import "./language_switch.mjs";
import { Scope } from "./scope.mjs";
import { readSettings, say } from "./texts.mjs";

const RETRY_MS = [2_000, 30_000];

const mounted = new Map();

async function mount(element, wait = RETRY_MS[0]) {
  const scope = new Scope();
  mounted.set(element, scope);
  try {
    const module = await import(`./${element.dataset.mount}.mjs`);
    if (scope.open) await module.mount(element, scope);
  } catch (error) {
    // One broken area must not take the others with it. A wall that was switched on before its server mends itself.
    console.error("citydeck mount=%s", element.dataset.mount, error);
    if (!scope.open) return;
    scope.close();
    element.replaceChildren(el("p", { class: "quiet", role: "status" }, say("shell.failed", { detail: error.message })));
    setTimeout(() => {
      if (mounted.get(element) !== scope) return;
      element.replaceChildren();
      mount(element, Math.min(wait * 2, RETRY_MS[1]));
    }, wait);
  }
}

function sweep() {
  const settings = document.getElementById("settings");
  if (!settings) return;
  readSettings(settings);
  for (const [element, scope] of mounted) {
    if (!element.isConnected) {
      scope.close();
      mounted.delete(element);
    }
  }
  for (const element of document.querySelectorAll("[data-mount]")) {
    if (!mounted.has(element)) mount(element);
  }
  showPlace();
}

/** Where the navigation is wider than a phone, the page one is on stands within sight. */
function showPlace() {
  const nav = document.querySelector(".nav");
  const own = nav?.querySelector("[aria-current]");
  if (own && nav.scrollWidth > nav.clientWidth) nav.scrollLeft = own.offsetLeft - nav.offsetLeft - (nav.clientWidth - own.offsetWidth) / 2;
}

// Only Dash's own changes matter: new pages appear as children of #shell and its sections.
let planned = false;
new MutationObserver((records) => {
  const relevant = records.some((r) => [...r.addedNodes, ...r.removedNodes].some((n) => n.nodeType === 1 && touches(n)));
  if (relevant && !planned) {
    planned = true;
    queueMicrotask(() => {
      planned = false;
      sweep();
    });
  }
}).observe(document.documentElement, { childList: true, subtree: true });

function touches(node) {
  return node.hasAttribute("data-mount") || node.querySelector("[data-mount]") !== null;
}

sweep();
