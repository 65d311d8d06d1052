// Who is logged in, the log-in dialog, and logging out.

import { get, liveAddress, post } from "./api.mjs";
import { el } from "./dom.mjs";
import { say, settings } from "./texts.mjs";
import { toast } from "./toast.mjs";

const changes = new EventTarget();
let current = null;

async function refresh() {
  try {
    current = await get("session");
  } catch {
    current = { user: null };
  }
  changes.dispatchEvent(new Event("change"));
}

export const session = () => current;
/** Tells "change" whenever somebody logged in or out. */
export const sessions = changes;

/** Show the log-in dialog; resolves to true once logged in, to false when the person gives up. */
export function logIn(why = "") {
  if (settings.replay) {
    toast(say("shell.replay_read_only"), { problem: true });
    return Promise.resolve(false);
  }
  return new Promise((resolve) => {
    const user = el("input", { name: "user", autocomplete: "username", required: true, autocapitalize: "none" });
    const password = el("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
    const problem = el("p", { class: "problem", role: "alert" });
    const send = el("button", { type: "submit", class: "primary" }, say("login.submit"));
    const dialog = el(
      "dialog",
      { "aria-label": say("login.title") },
      el(
        "form",
        { method: "dialog" },
        el("h2", null, say("login.title")),
        why && el("p", { class: "quiet" }, why),
        el("label", null, say("login.user"), user),
        el("label", null, say("login.password"), password),
        problem,
        el("div", { class: "button-row" }, send, el("button", { type: "button", onclick: () => dialog.close() }, say("login.cancel"))),
      ),
    );
    let done = false;
    dialog.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      problem.textContent = "";
      try {
        await post("login", { user: user.value, password: password.value });
        done = true;
        await refresh();
        toast(say("login.done", { name: current?.name ?? user.value }));
        dialog.close();
      } catch (error) {
        problem.textContent = error.status === 401 ? say("login.wrong") : error.status ? error.message : say("login.unreachable");
        password.select();
      }
      send.disabled = false;
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
    document.body.append(dialog);
    dialog.showModal();
    user.focus();
  });
}

let asking = null;

/** The server closed the live connection: whoever this was, they are not any more. */
export async function ended() {
  await refresh();
  if (current?.user || current?.screen || current?.open !== false || asking) return;
  // A wall has nobody to type; it shows what is missing until it gets another token.
  const away = () => window.location.assign(liveAddress(`login?next=${encodeURIComponent(window.location.pathname)}`));
  if (!document.querySelector('[data-mount="session"]')) return away();
  asking = logIn(say("login.ended"));
  if (!(await asking)) away();
  asking = null;
}

async function logOut() {
  try {
    await post("logout");
    toast(say("login.out"));
  } catch (error) {
    toast(error.message, { problem: true });
  }
  await refresh();
  if (current?.open === false) window.location.assign(liveAddress("login"));
}

export async function mount(element, scope) {
  const show = () => {
    // Before it is known who this is, a button would be the wrong one for half of them.
    if (!current) return;
    element.replaceChildren(
      ...(current?.user
        ? [
            el("span", { class: "name" }, current.name || current.user),
            // Leaving is a matter of the live city.
            !settings.drill && el("button", { type: "button", onclick: logOut }, say("shell.log_out")),
          ].filter(Boolean)
        : [el("button", { type: "button", onclick: () => logIn() }, say("shell.log_in"))]),
    );
  };
  show();
  scope.listen(changes, "change", show);
  await refresh();
}
