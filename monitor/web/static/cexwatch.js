// Local time beside UTC, and pages that renew themselves when there is news. Every page works without it.
"use strict";

const RENEW_MS = 10000; // no oftener, but for an incident
const AGAIN_MS = 60000; // after the server had no seat

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = at.toLocaleString([], { dateStyle: "medium", timeStyle: "long" });
    if (at.getTimezoneOffset() === 0 || time.querySelector(".local")) continue;
    const local = document.createElement("span");
    local.className = "local quiet";
    local.textContent = ` (${at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })} here)`;
    time.append(local);
  }
}

let renewedAt = 0;
let waiting = null;

function isBusy() {
  const active = document.activeElement;
  const selected = document.getSelection();
  return active.matches("input, textarea, select") || (selected !== null && !selected.isCollapsed);
}

function placeOf(element) {
  const href = element.getAttribute("href");
  return href !== null ? `a[href="${CSS.escape(href)}"]` : null;
}

function swap(fresh, id) {
  const part = fresh.getElementById(id);
  if (part !== null) document.getElementById(id).replaceChildren(...part.childNodes);
}

async function renew() {
  waiting = null;
  if (document.hidden || isBusy()) return;
  renewedAt = Date.now();
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (isBusy()) return;
  const unfolded = [...document.querySelectorAll("main details")].map((each) => each.open);
  const place = document.activeElement.closest("main") ? placeOf(document.activeElement) : null;
  document.title = fresh.title;
  swap(fresh, "main");
  swap(fresh, "banners");
  document.querySelector(".as-of time").replaceWith(fresh.querySelector(".as-of time"));
  document.querySelectorAll("main details").forEach((each, n) => { each.open = unfolded[n] ?? false; });
  if (place !== null) document.querySelector(`main ${place}`)?.focus({ preventScroll: true });
  localTimes(document);
}

function renewSoon(atOnce) {
  const wait = atOnce ? 0 : Math.max(0, renewedAt + RENEW_MS - Date.now());
  if (waiting !== null) clearTimeout(waiting);
  waiting = setTimeout(() => renew().catch(() => live("not reached")), wait);
}

function live(word) {
  document.getElementById("live").textContent = word === "" ? "" : `· ${word}`;
}

function listen(path) {
  let source = null;
  const open = () => {
    if (source !== null || document.hidden) return;
    source = new EventSource(path);
    source.addEventListener("open", () => live("live"));
    source.addEventListener("changed", () => renewSoon(false));
    source.addEventListener("reset", () => renewSoon(true));
    source.addEventListener("incident", (event) => {
      const said = JSON.parse(event.data);
      const name = said.kind.replaceAll("_", " ");
      document.getElementById("news").textContent = `${name} ${said.transition}: ${said.summary}`;
      renewSoon(true);
    });
    source.addEventListener("error", () => {
      live("waiting for the server");
      if (source !== null && source.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(() => { renewSoon(true); open(); }, AGAIN_MS);
      }
    });
  };
  const close = () => {
    if (source !== null) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else { renewSoon(true); open(); }
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}

localTimes(document);
if (document.body.dataset.live !== undefined) listen(document.body.dataset.live);
