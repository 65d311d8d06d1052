// The page to log in: the dialog at once, and then back to where the visitor was going.

import { address } from "./api.mjs";
import { logIn } from "./session.mjs";
import { readSettings } from "./texts.mjs";

function target() {
  const wanted = new URL(new URLSearchParams(window.location.search).get("next") || "", address(""));
  return wanted.origin === window.location.origin ? wanted.href : address("");
}

async function ask() {
  if (await logIn()) window.location.replace(target());
}

readSettings(document.getElementById("settings"));
document.getElementById("log-in").addEventListener("click", ask);
ask();
