// Behaviours of the pages, attached by data attributes. Everything works without this file;
// it adds copying, keys, calm live parts and a guard against sending a form twice.
(() => {
  "use strict";
  const root = document.documentElement;

  const announce = (text) => {
    const line = document.getElementById("announce");
    if (line) line.textContent = text;
  };

  // ── Copy buttons and whole digests ────────────────────────────────────
  async function copy(button) {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
      announce(`Copied ${text}`);
      button.dataset.copied = "";
      setTimeout(() => delete button.dataset.copied, 1500);
    } catch {
      announce("The browser did not allow copying; the text is selected instead.");
      const code = button.parentElement.querySelector("[data-whole]");
      if (code) showWhole(code);
    }
  }

  // A tap shows the whole value, another one the short form again.
  function showWhole(code) {
    code.dataset.short ??= code.textContent;
    const whole = code.textContent === code.dataset.short;
    code.textContent = whole ? code.title : code.dataset.short;
    if (whole) getSelection().selectAllChildren(code);
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-copy], [data-whole], [data-back], [data-open-dialog], [data-close-dialog]");
    if (!target) return closeMenus(event.target);
    if ("copy" in target.dataset) copy(target);
    else if ("whole" in target.dataset) showWhole(target);
    else if ("back" in target.dataset && history.length > 1) {
      event.preventDefault();
      history.back();
    } else if ("closeDialog" in target.dataset) target.closest("dialog")?.close();
    else if ("openDialog" in target.dataset) {
      const dialog = document.getElementById(target.dataset.openDialog);
      if (dialog?.showModal) {
        event.preventDefault();
        dialog.showModal();
      }
    }
  });

  // ── Menus close when something else is clicked, and on Escape ─────────
  function closeMenus(clicked) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(clicked)) menu.open = false;
    }
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // ── Forms: once, and with a word on what happens ──────────────────────
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if ("sent" in form.dataset) return event.preventDefault();
    form.dataset.sent = "";
    form.setAttribute("aria-busy", "true");
    announce("Sending…");
  });
  // Coming back through the history shows the page as it was left: let people send again.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    }
  });

  // Dangerous acts ask to type a name; the button wakes up when it matches. The server checks again.
  document.addEventListener("input", (event) => {
    const wanted = event.target.dataset?.typeToConfirm;
    if (!wanted) return;
    const button = event.target.form?.querySelector("[data-confirmed]");
    if (button) button.disabled = event.target.value.trim() !== wanted;
  });

  // ── Time zone: suggest the browser's where a form asks for one ────────
  function hintZone() {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const field = document.querySelector("[data-zone]");
    const hint = document.querySelector("[data-zone-hint]");
    if (!here || !field) return;
    if (!field.value) field.value = here;
    if (hint && field.value !== here) {
      hint.textContent = `This browser is in ${here}.`;
      hint.hidden = false;
    }
  }

  // ── Keys ──────────────────────────────────────────────────────────────
  const places = { h: "/", r: "/releases/", e: "/environments/", t: "/teams/", y: "/history/" };
  let afterG = 0;

  // Single keys can be switched off (WCAG 2.1.4): speech and sticky keys type them by accident.
  const keysAreOn = () => {
    try {
      return localStorage.getItem("keys") !== "off";
    } catch {
      return true;
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target.id !== "keys-on") return;
    try {
      localStorage.setItem("keys", event.target.checked ? "on" : "off");
    } catch {
      announce("This browser does not keep the choice.");
    }
  });

  const isTyping = (element) =>
    element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);

  function move(step) {
    const rows = [...document.querySelectorAll("main :is(.rows > li, .table tbody tr:not(.group), .story > li:not(.day), .checks > li)")]
      .map((row) => row.querySelector("a[href], summary, button:not(.copy)"))
      .filter((link) => link && link.checkVisibility());
    if (!rows.length) return;
    const at = rows.findIndex((link) => link.closest("li, tr").contains(document.activeElement));
    const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function search() {
    const field = document.querySelector("main [data-search], main .search input");
    if (field) {
      field.focus();
      field.select();
    } else location.assign("/search/");
  }

  function press(key) {
    if (Date.now() - afterG < 1200 && places[key]) return location.assign(places[key]);
    afterG = key === "g" ? Date.now() : 0;
    if (key === "/") search();
    else if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "a") document.querySelector("#waiting .row-end a, [data-decide], #decide textarea")?.focus();
    else if (key === "?") document.getElementById("keys")?.showModal();
    else return;
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (!document.getElementById("keys") || (!keysAreOn() && event.key !== "?")) return;
    if (press(event.key)) event.preventDefault();
  });

  // ── Live parts ────────────────────────────────────────────────────────
  // A part that polls keeps focus and open details, is left alone when nothing changed or while
  // its page is hidden, and reads aloud only what it marks with data-say.
  const lastAnswer = new Map();

  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = event.detail.elt.getAttribute("hx-trigger")?.includes("every");
    if (polls && document.hidden) event.preventDefault();
    if (polls && event.detail.elt.contains(getSelection().anchorNode) && !getSelection().isCollapsed) event.preventDefault();
  });

  function keyOf(element) {
    if (element.id) return `#${CSS.escape(element.id)}`;
    const href = element.getAttribute("href");
    return href && `a[href="${CSS.escape(href)}"]`;
  }

  let kept = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, serverResponse } = event.detail;
    if (event.detail.xhr.status >= 400 || !target.id) return;
    if (lastAnswer.get(target.id) === serverResponse) event.detail.shouldSwap = false;
    lastAnswer.set(target.id, serverResponse);
    const active = target.contains(document.activeElement) ? document.activeElement : null;
    const key = active && keyOf(active);
    kept = {
      id: target.id,
      key,
      place: key ? [...target.querySelectorAll(key)].indexOf(active) : -1,
      open: [...target.querySelectorAll("details[id]")].map((part) => [part.id, part.open]),
      said: [...target.querySelectorAll("[data-say]")].map((part) => part.textContent.trim()),
    };
  });

  document.addEventListener("htmx:afterSwap", () => {
    const target = kept && document.getElementById(kept.id);
    if (!target) return;
    for (const [id, open] of kept.open) {
      const part = document.getElementById(id);
      if (part) part.open = open;
    }
    if (kept.key) target.querySelectorAll(kept.key)[kept.place]?.focus({ preventScroll: true });
    const news = [...target.querySelectorAll("[data-say]")].map((part) => part.textContent.trim());
    const fresh = news.filter((text) => text && !kept.said.includes(text));
    if (fresh.length) announce(fresh.join(". "));
    kept = null;
  });

  // The server is away: say so once, in the page's corner that readers hear, and keep trying.
  let isAway = false;
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => {
      if (!isAway) announce("Gatehouse does not answer; the page keeps trying.");
      isAway = true;
      root.dataset.away = "";
    });
  }
  document.addEventListener("htmx:afterOnLoad", () => {
    if (isAway) announce("Gatehouse answers again.");
    isAway = false;
    delete root.dataset.away;
  });
  // Signed out meanwhile: the whole page must ask, not a corner of it.
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) location.reload();
  });

  // ── Anchors mark the section that is read ─────────────────────────────
  function followAnchors() {
    const links = [...document.querySelectorAll(".anchors a[href^='#']")];
    const parts = links.map((link) => document.getElementById(link.hash.slice(1)));
    if (!links.length || parts.includes(null)) return;
    const watch = new IntersectionObserver(() => {
      const tops = parts.map((part) => part.getBoundingClientRect().top);
      const at = Math.max(tops.findLastIndex((top) => top < 120), 0);
      links.forEach((link, place) => (place === at ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    }, { rootMargin: "-110px 0px 0px 0px", threshold: [0, 0.01, 1] });
    parts.forEach((part) => watch.observe(part));
  }

  addEventListener("DOMContentLoaded", () => {
    hintZone();
    followAnchors();
    const keys = document.getElementById("keys-on");
    if (keys) keys.checked = keysAreOn();
    document.querySelector("[data-focus]")?.focus();
    for (const field of document.querySelectorAll("[data-type-to-confirm]")) field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
