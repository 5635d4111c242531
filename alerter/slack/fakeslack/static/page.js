"use strict";
// Follows the channel, and tells the server what is clicked and typed. All HTML comes from the server, escaped.

const composer = document.getElementById("composer");
const scroller = document.getElementById("scroll");
const state = document.getElementById("state");
const toast = document.getElementById("toast");
const channel = composer.dataset.channel;

const lang = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "long" });

// localise puts times into the reader's zone, and days between messages.
function localise(root) {
  for (const t of root.querySelectorAll("time")) {
    const at = new Date(t.dateTime);
    if (t.classList.contains("clock")) t.textContent = clock.format(at);
    t.title = full.format(at);
  }
  let last = "";
  for (const article of document.querySelectorAll("#messages > article")) {
    const name = day.format(new Date(article.dataset.at));
    if (name !== last) article.dataset.day = name === day.format(new Date()) ? scroller.dataset.today : name;
    else delete article.dataset.day;
    last = name;
  }
}

const atBottom = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
const toBottom = () => { scroller.scrollTop = scroller.scrollHeight; };

// merge takes over what has changed, and leaves the rest as the reader has it: open threads, focus, text selected.
function merge(fresh) {
  const shown = document.getElementById("messages");
  const stay = atBottom();
  let place = shown.firstElementChild;
  for (const next of [...fresh.children]) {
    const known = document.getElementById(next.id);
    if (known && known.parentElement === shown && known.dataset.version === next.dataset.version) {
      if (known === place) place = place.nextElementSibling;
      else shown.insertBefore(known, place);
      continue;
    }
    const incoming = document.adoptNode(next);
    if (known && known.parentElement === shown) {
      const open = known.querySelector("details.thread[open]");
      const thread = incoming.querySelector("details.thread");
      if (open && thread) thread.open = true;
      if (known === place) place = place.nextElementSibling;
      known.replaceWith(incoming);
      if (incoming.nextElementSibling !== place) shown.insertBefore(incoming, place);
    } else {
      shown.insertBefore(incoming, place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextElementSibling;
    gone.remove();
  }
  shown.dataset.connected = fresh.dataset.connected;
  localise(shown);
  if (stay) toBottom();
}

let busy = false;
let again = false;

// refresh asks for the messages, one request at a time.
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    do {
      again = false;
      const answer = await fetch("messages?channel=" + encodeURIComponent(channel));
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      merge(page.getElementById("messages"));
    } while (again);
  } catch {
    status(false); // the stream of events tells when the server is back
  } finally {
    busy = false;
  }
}

function status(live) {
  state.classList.toggle("live", live);
  state.textContent = live ? state.dataset.live : state.dataset.lost;
}

let source;

// A hidden page does not follow: browsers allow few connections to one server.
function follow() {
  if (document.hidden) {
    source?.close();
    source = undefined;
    return;
  }
  if (source) return;
  source = new EventSource("events");
  source.onopen = () => status(true);
  source.onerror = () => status(false);
  source.onmessage = refresh;
}

let hiding;

function say(problem) {
  clearTimeout(hiding);
  toast.textContent = problem;
  toast.hidden = false;
  hiding = setTimeout(() => { toast.hidden = true; }, 6000);
}

// tell posts a form; it is true when all went well.
async function tell(where, fields) {
  try {
    const answer = await fetch(where, { method: "POST", body: new URLSearchParams(fields) });
    if (!answer.ok) throw new Error(answer.statusText);
    const outcome = await answer.json();
    if (!outcome.ok) say(outcome.problem);
    return outcome.ok;
  } catch (err) {
    say(toast.dataset.silent + " " + err.message);
    return false;
  }
}

async function use(element, option) {
  if (element.classList.contains("busy")) return;
  if (element.dataset.question && !confirm(element.dataset.question)) return;
  element.classList.add("busy");
  const fields = { ts: element.dataset.ts, action: element.dataset.action };
  if (option) fields.option = option;
  await tell("click", fields);
  element.classList.remove("busy");
}

document.addEventListener("click", (e) => {
  const element = e.target.closest("[data-action]:not(select)");
  if (element) use(element, element.dataset.option);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(e.target) || element) menu.open = false;
  }
});

document.addEventListener("change", async (e) => {
  const menu = e.target.closest("select[data-action]");
  if (!menu || !menu.value) return;
  await use(menu, menu.value);
  menu.value = "";
});

composer.addEventListener("submit", async (e) => {
  e.preventDefault();
  const text = composer.elements.text.value.trim();
  if (!text) return;
  composer.elements.text.value = "";
  if (!await tell("say", { channel, text }) && !composer.elements.text.value) composer.elements.text.value = text;
  toBottom();
});

// A link to a reply opens its thread.
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return false;
  const thread = target.closest("details.thread");
  if (thread) thread.open = true;
  target.scrollIntoView({ block: "center" });
  return true;
}

window.addEventListener("hashchange", reveal);
document.addEventListener("visibilitychange", follow);
localise(document);
if (!reveal()) toBottom();
follow();
