// Short notices of what became of an act; also read out by screen readers (the list is a live region).

import { el } from "./dom.mjs";

const SHOWN_MS = 6_000;
const MOST = 4;

export function toast(text, { problem = false } = {}) {
  const list = document.getElementById("toasts");
  if (!list) return;
  const notice = el("div", { class: problem ? "toast is-problem" : "toast" }, text);
  list.append(notice);
  while (list.children.length > MOST) list.firstChild.remove();
  setTimeout(() => notice.remove(), problem ? SHOWN_MS * 2 : SHOWN_MS);
}
