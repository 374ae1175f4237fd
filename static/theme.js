// Light or dark by hand; without a choice the system's preference rules.
// Loaded in the head without defer, so that no page flashes in the other theme.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  const known = (value) => (value === "light" || value === "dark" ? value : null);
  let chosen = known(new URLSearchParams(location.search).get("theme"));
  try {
    chosen ??= known(localStorage.getItem("theme"));
  } catch {
    // Storage can be switched off; the system's preference is a good answer then.
  }
  if (chosen) root.dataset.theme = chosen;
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme")?.addEventListener("click", () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // The choice then lasts for this page only.
      }
    });
  });
})();
