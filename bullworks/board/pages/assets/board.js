// Our pages are complete without this. With it: buttons, keys, and figures that stay up to date.
"use strict";

(() => {
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
  const base = meta("board-base");
  const status = document.getElementById("status");
  const keys = document.getElementById("keys");

  function say(text, isBad = false) {
    status.toggleAttribute("data-bad", isBad);
    status.textContent = text;
  }

  // ---- The main part, loaded again --------------------------------------------------------------------------------

  let loading = null;

  /** Load this page again and put its main part in the place of the old one. */
  function reload() {
    loading ??= swap().finally(() => { loading = null; });
    return loading;
  }

  async function swap() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("main");
    if (!fresh) throw new Error(`the page cannot be loaded again (${answer.status})`);
    const old = document.getElementById("main");
    const kept = { focus: placeOf(document.activeElement, old), open: openOnes(old), scrolled: scrolls(old) };
    old.replaceWith(document.adoptNode(fresh));
    document.title = page.title;
    for (const name of ["xsrf-token", "board-live"]) {
      const now = page.querySelector(`meta[name="${name}"]`);
      if (now) document.querySelector(`meta[name="${name}"]`).content = now.content;
    }
    for (const [summary, isOpen] of kept.open) {
      for (const details of detailsOf(fresh)) if (summaryOf(details) === summary) details.open = isOpen;
    }
    fresh.querySelectorAll(".scroll, pre").forEach((box, index) => {
      if (kept.scrolled[index]) [box.scrollLeft, box.scrollTop] = kept.scrolled[index];
    });
    if (kept.focus) (found(kept.focus, fresh) ?? fresh).focus({ preventScroll: true });
  }

  const detailsOf = (part) => [...part.querySelectorAll("details")];
  const summaryOf = (details) => details.querySelector("summary")?.textContent ?? "";
  const openOnes = (part) => detailsOf(part).map((details) => [summaryOf(details), details.open]);
  const scrolls = (part) => [...part.querySelectorAll(".scroll, pre")].map((box) => [box.scrollLeft, box.scrollTop]);

  const sameOf = (element) =>
    [element.tagName, element.id, element.getAttribute("href"), element.dataset.path, element.dataset.body,
      element.textContent.trim()].join("\n");

  /** How to find the focused element in the new main part: by what it is, else by its place. */
  function placeOf(element, main) {
    if (!element || !main.contains(element) || element === main) return null;
    const row = element.closest("tbody tr");
    return { same: sameOf(element), row: row ? rows().indexOf(row) : -1 };
  }

  function found(place, main) {
    const alike = [...main.querySelectorAll("a, button, input, select, textarea, summary")];
    const one = alike.find((element) => sameOf(element) === place.same);
    return one ?? target(rows()[Math.min(place.row, rows().length - 1)]);
  }

  // ---- Buttons ----------------------------------------------------------------------------------------------------

  async function act(button) {
    const { method, path, body, confirm: question } = button.dataset;
    if (question && !window.confirm(question)) return;
    button.disabled = true;
    try {
      const answer = await fetch(base + path, {
        method,
        headers: { "Content-Type": "application/json", "X-XSRF-TOKEN": meta("xsrf-token") },
        body: body ?? "{}",
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(reasonOf(text, answer.status));
      const done = resultOf(text);
      button.disabled = false;  // so that it can keep the focus
      await reload();
      say(`${button.textContent.trim()}: ${done}`);
    } catch (error) {
      say(`${button.textContent.trim()}: ${error.message}`, true);
    } finally {
      button.disabled = false;
    }
  }

  function parsed(text) {
    try {
      return JSON.parse(text) ?? {};
    } catch {
      return {};
    }
  }

  function reasonOf(text, code) {
    const { message, error } = parsed(text);
    if (typeof message === "string") return message;
    const key = error?.key ?? "";
    return key.replace(/^ERRORS\./, "").replaceAll("_", " ").toLowerCase() || `not done (${code})`;
  }

  function resultOf(text) {
    const { done, of, retried, skipped, message } = parsed(text);
    if (typeof message === "string") return message;
    if (typeof done === "number") return typeof of === "number" ? `${done} of ${of} done` : `${done} done`;
    if (typeof retried === "number") return `${retried} retried${skipped ? `, ${skipped} skipped` : ""}`;
    return "done";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.action");
    if (button) act(button);
  });

  // ---- Keys -------------------------------------------------------------------------------------------------------

  const rows = () => [...document.querySelectorAll("#main tbody tr")].filter(target);
  const isTyping = (element) => Boolean(element?.closest?.("input, textarea, select, [contenteditable]"));

  /** What of a row takes the focus. */
  function target(row) {
    return row?.querySelector("a[href], button:not(:disabled)") ?? null;
  }

  function move(step) {
    const all = rows();
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(Math.max(at < 0 && step < 0 ? all.length - 1 : at + step, 0), all.length - 1)];
    target(next)?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function search() {
    const field = document.querySelector('#main input[type="search"]');
    if (field) field.focus();
    else go("s");
  }

  function go(key) {
    const link = document.querySelector(`.top [data-go="${CSS.escape(key)}"]`);
    if (link) location.assign(link.href);
  }

  const COMMANDS = {
    "/": search,
    "?": () => keys.showModal(),
    j: () => move(1),
    k: () => move(-1),
    r: () => reload().catch((error) => say(error.message, true)),
  };
  const GO_MS = 1500;  // how long a second key may take
  let wentAt = 0;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || keys.open) return;
    if (Date.now() - wentAt < GO_MS) {
      wentAt = 0;
      go(event.key);
    } else if (event.key === "g") {
      wentAt = Date.now();
    } else if (Object.hasOwn(COMMANDS, event.key)) {
      COMMANDS[event.key]();
    } else {
      return;
    }
    event.preventDefault();
  });

  const showKeys = document.getElementById("show-keys");
  showKeys.hidden = false;
  showKeys.addEventListener("click", COMMANDS["?"]);

  // ---- Live -------------------------------------------------------------------------------------------------------

  const LEAST_MS = 2_000;  // between two loads of one page
  const SHARE = 20;  // of the time, a page that takes long is loading one part at most
  const AGAIN_MS = 30_000;  // after the server had no room for one more stream
  const mark = document.getElementById("live");
  let stream = null;
  let loadedAt = Date.now();
  let pauseMs = LEAST_MS;
  let waiting = 0;

  /** Whether new figures would take something out of somebody's hands. */
  function isBusy() {
    const selection = document.getSelection();
    const main = document.getElementById("main");
    const isSelecting = selection && !selection.isCollapsed && main.contains(selection.anchorNode);
    return isSelecting || isTyping(document.activeElement) || document.querySelector("dialog[open]") !== null;
  }

  async function update() {
    waiting = 0;
    if (isBusy() || document.querySelector("button.action:disabled")) {
      later(1_000);
      return;
    }
    const began = Date.now();
    try {
      await reload();
    } catch {
      mark.toggleAttribute("data-off", true);  // the stream's own retries say when it is back
    }
    loadedAt = Date.now();
    pauseMs = Math.max(LEAST_MS, (loadedAt - began) * SHARE);
  }

  function later(ms) {
    if (!waiting) waiting = window.setTimeout(update, ms);
  }

  function listen() {
    const query = meta("board-live");
    if (!query || stream || document.hidden) return;
    mark.hidden = false;
    stream = new EventSource(`${base}-/live?${query}`);
    stream.addEventListener("open", () => mark.removeAttribute("data-off"));
    stream.addEventListener("change", () => later(Math.max(0, loadedAt + pauseMs - Date.now())));
    stream.addEventListener("error", () => {
      mark.toggleAttribute("data-off", true);
      if (stream?.readyState !== EventSource.CLOSED) return;  // it tries again by itself
      hush();
      window.setTimeout(listen, AGAIN_MS);
    });
  }

  function hush() {
    stream?.close();
    stream = null;
  }

  // a page that nobody looks at costs nothing
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return hush();
    if (meta("board-live")) later(0);
    listen();
  });
  window.addEventListener("pagehide", hush);
  window.addEventListener("pageshow", listen);
  listen();
})();
