/* What the page does by itself: its colours, the text to copy, links into folded parts. Text from logs goes through textContent only. */
const byId = (id) => document.getElementById(id);
const make = (tag, text, props) => {
  const node = Object.assign(document.createElement(tag), props || {});
  if (text !== undefined) node.textContent = text;
  return node;
};
const root = document.documentElement;
const repaint = [];
// This script stands behind the timeline, so that the lanes are drawn while the rest of the page is still read
const whole = (act) => { if (document.readyState === "loading") addEventListener("DOMContentLoaded", act); else act(); };

// Colours: automatic, light, dark
const theme = byId("theme");
if (theme) {
  const names = theme.dataset.names.split("|");
  const order = ["", "light", "dark"];
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const was = order.indexOf(root.dataset.theme || ""), now = (was + 1) % 3;
    if (now) root.dataset.theme = order[now]; else delete root.dataset.theme;
    theme.textContent = theme.textContent.replace(names[was], names[now]);
    repaint.forEach((draw) => draw());
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => repaint.forEach((draw) => draw()));

// Copy the text of the review
whole(() => {
  const copy = byId("copy");
  if (!copy) return;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const text = byId("review-text").textContent;
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "✓";
    } catch {
      getSelection().selectAllChildren(byId("review-text"));
    }
  });
});

// A link to something inside a folded part opens it
const reveal = () => {
  if (!location.hash || location.hash.includes("=")) return;
  let id = location.hash.slice(1);
  try { id = decodeURIComponent(id); } catch { /* no address that this page made */ }
  const target = byId(id);
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", reveal);
whole(reveal);
