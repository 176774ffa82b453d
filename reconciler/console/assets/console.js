// What the page cannot do without a script: search as you type, follow the platform live, count down, copy.
// Everything works without it by links and forms; every word on the page is rendered, and escaped, by the server.
"use strict";

const POLL_MS = 2000;
const TYPING_MS = 150;
const body = document.body;
const parser = new DOMParser();
let tag = "";
let address = location.href;
let asking = 0;
let going = 0; // pages that were asked for and are not here yet
let skew = 0;

document.documentElement.classList.add("script");

// Put what is new in place of what is old, as little as possible, so that focus, scroll and open details stay.
function settle(old, now) {
  if (old.isEqualNode(now)) return;
  if (!alike(old, now)) return replace(old, now);
  for (const { name } of [...old.attributes]) {
    if (!now.hasAttribute(name) && !(old.tagName === "DETAILS" && name === "open")) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const kept = new Map();
  for (const child of old.children) if (child.dataset.key) kept.set(child.dataset.key, child);
  let place = old.firstChild;
  for (const next of [...now.childNodes]) {
    const keyed = next.dataset && next.dataset.key && kept.get(next.dataset.key);
    if (keyed) {
      if (keyed === place) place = place.nextSibling;
      else old.insertBefore(keyed, place);
      const changed = !keyed.isEqualNode(next);
      settle(keyed, next);
      if (changed) flash(keyed);
    } else if (place && !(place.dataset && place.dataset.key) && place.nodeName === next.nodeName && (place.id || "") === (next.id || "")) {
      const after = place.nextSibling;
      settle(place, next);
      place = after;
    } else {
      old.insertBefore(next, place);
    }
  }
  while (place) {
    const after = place.nextSibling;
    place.remove();
    place = after;
  }
}

function alike(old, now) {
  return old.nodeType === Node.ELEMENT_NODE && old.nodeName === now.nodeName;
}

function replace(old, now) {
  if (old.nodeType === Node.TEXT_NODE && now.nodeType === Node.TEXT_NODE) old.data = now.data;
  else old.replaceWith(now);
}

function flash(element) {
  element.classList.remove("fresh");
  requestAnimationFrame(() => element.classList.add("fresh"));
}

// Ask for a page and settle it in; `quiet` where nothing but the platform moved.
async function show(url, { quiet = false, focus = "" } = {}) {
  const turn = ++asking;
  if (!quiet) tag = ""; // it is another page's from here on
  const headers = quiet && tag ? { "If-None-Match": tag } : {};
  const answer = await fetch(url, { headers, credentials: "same-origin", redirect: "follow" });
  if (turn !== asking) return;
  if (answer.status === 401) return location.reload();
  alive(true);
  if (answer.status === 304) return;
  const next = parser.parseFromString(await answer.text(), "text/html");
  const at = Date.now();
  tick(document, at); // a countdown is no news: both stand at the same second
  tick(next, at);
  localize(next); // nor is a time in the reader's own zone
  if (turn !== asking) return;
  tag = answer.headers.get("ETag") || ""; // of what is on the page from here on, and of nothing before
  const typed = document.activeElement && document.activeElement.matches("input, select") ? document.activeElement : null;
  const text = typed && typed.value;
  document.title = next.title;
  for (const id of ["top", "main"]) {
    const [old, now] = [document.getElementById(id), next.getElementById(id)];
    if (old && now) settle(old, now);
  }
  for (const each of document.querySelectorAll("input[type=search], select")) {
    if (each !== typed) each.value = each.matches("select") ? each.querySelector("[selected]")?.value ?? "" : each.getAttribute("value");
  }
  if (typed && typed.isConnected && typed.value !== text) typed.value = text;
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  tell();
  tick();
  localize();
}

function alive(well) {
  const live = document.getElementById("live");
  if (!live) return;
  live.classList.toggle("lost", !well);
  document.getElementById("live-word").textContent = well ? body.dataset.live : body.dataset.lost;
}

function tell() {
  const now = document.getElementById("live")?.dataset.now;
  if (now) skew = Date.parse(now) - Date.now();
}

async function poll() {
  if (!document.hidden && !going) {
    try {
      await show(location.href, { quiet: true });
    } catch {
      alive(false);
    }
  }
  setTimeout(poll, POLL_MS);
}

async function go(url, { push = true, focus = "" } = {}) {
  if (push) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
  address = location.href;
  going += 1;
  try {
    await show(url, { focus });
  } catch {
    location.assign(url);
  } finally {
    going -= 1;
  }
}

// Counting down, by the clock of the pass.
function tick(root = document, now = Date.now()) {
  for (const each of root.querySelectorAll("time[data-until]")) {
    const left = Math.round((Date.parse(each.dataset.until) - now - skew) / 1000);
    each.textContent = left > 0 ? length(left) : body.dataset.due;
  }
}

function length(seconds) {
  const { days, hours, minutes, seconds: unit } = body.dataset;
  const parts = [
    [Math.floor(seconds / 86400), days],
    [Math.floor((seconds % 86400) / 3600), hours],
    [Math.floor((seconds % 3600) / 60), minutes],
    [seconds % 60, unit],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`).join(" ");
}

// Times come in UTC; they are shown in the reader's zone, with UTC beside.
const two = (number) => String(number).padStart(2, "0");
const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
const hour = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;

function localize(root = document) {
  for (const each of root.querySelectorAll("time[data-at]:not([data-own])")) {
    const at = new Date(each.dateTime);
    if (Number.isNaN(at.getTime()) || !at.getTimezoneOffset()) continue;
    const utc = new Date(at.getTime() + at.getTimezoneOffset() * 60000); // its getters tell UTC
    const clock = each.dataset.at === "clock";
    const beside = root.createElement("span");
    beside.className = "utc";
    const seconds = clock ? `:${two(at.getSeconds())}` : "";
    beside.textContent = ` ${day(utc) === day(at) || clock ? "" : `${day(utc).slice(5)} `}${hour(utc)}${seconds} UTC`;
    each.replaceChildren(`${clock ? "" : `${day(at)} `}${hour(at)}${seconds}`, beside);
    each.dataset.own = "";
  }
  for (const each of root.querySelectorAll("[data-hour]:not([data-own])")) {
    const at = new Date(each.dataset.hour);
    if (Number.isNaN(at.getTime()) || !at.getTimezoneOffset()) continue;
    const said = `${day(at).slice(5)} ${hour(at)}`;
    each.textContent = each.dataset.said ? each.dataset.said.replace("{hour}", said) : said;
    each.dataset.own = "";
  }
  const zone = root.getElementById("zone");
  if (zone && new Date().getTimezoneOffset()) {
    zone.textContent = body.dataset.zone.replace("{zone}", Intl.DateTimeFormat().resolvedOptions().timeZone);
  }
}

function formAddress(form) {
  const given = [...new FormData(form)].filter(([, value]) => value !== "");
  return form.action + (given.length ? `?${new URLSearchParams(given)}` : "");
}

let typing = 0;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-swap]");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(() => go(formAddress(form), { push: false }), event.target.matches("select") ? 0 : TYPING_MS);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-swap]")) return;
  event.preventDefault();
  go(formAddress(event.target));
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button) return copy(button);
  const link = event.target.closest("a[data-swap]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.href, { focus: link.id });
});
document.addEventListener("keydown", (event) => {
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search && !event.target.closest("input, select, textarea")) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});
addEventListener("popstate", () => {
  if (location.href.split("#")[0] === address.split("#")[0]) return;
  address = location.href;
  show(location.href).catch(() => location.reload());
});

async function copy(button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    return;
  }
  button.textContent = body.dataset.copied;
  setTimeout(() => (button.textContent = before), 1500);
}

tell();
tick();
localize();
setInterval(() => tick(), 1000);
setTimeout(poll, POLL_MS);
