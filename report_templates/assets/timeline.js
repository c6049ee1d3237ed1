/* The interactive timeline: lanes on a canvas, and a table of the same events. */
const start = (doc) => {
  const host = byId("lanes");
  const words = JSON.parse(byId("timeline-words").textContent);
  const count = doc.t.length;
  const NL = doc.layers.length;
  const WARN = doc.levels.indexOf("warning");
  const ERROR = doc.levels.indexOf("error");
  const CRIT = doc.levels.indexOf("crit");
  const types = doc.types.map((name) => name.slice(name.indexOf("/") + 1));
  const layerOfType = doc.types.map((name) => doc.layers.indexOf(name.slice(0, name.indexOf("/"))));
  const node = doc.n, level = doc.l, type = doc.y, failing = doc.e;
  const time = new Float64Array(count), lane = new Uint32Array(count);
  const far = new Map(doc.far);
  for (let i = 0, now = 0; i < count; i++) {
    now += doc.t[i];
    if (far.size && far.has(i)) now += far.get(i);
    time[i] = now;
    lane[i] = node[i] * NL + layerOfType[type[i]];
  }
  let more = null; // messages and places, which come later
  const quoted = new Map(doc.quoted);
  const quotedPlace = new Map(doc.quoted.map(([i, key]) => [key, i]));
  const ends = [0, 1];
  if (doc.span) { ends[0] = doc.span[0]; ends[1] = doc.span[1]; }
  if (count) { ends[0] = Math.min(ends[0], time[0]); ends[1] = Math.max(ends[1], time[count - 1]); }
  const full = { a: ends[0] - (ends[1] - ends[0]) * 0.01 - 1e5, b: ends[1] + (ends[1] - ends[0]) * 0.01 + 1e5 };

  // Times
  const iso = (us, digits) => new Date((doc.zero + us) / 1000).toISOString().slice(0, 20 + (digits ?? 3)).replace(/\.$/, "");
  const clock = (us) => iso(us).slice(11, 23);
  const seconds = (us) => {
    const s = us / 1e6;
    return s < 1e-3 ? "< 1 ms" : s < 1 ? +(s * 1000).toPrecision(3) + " ms" : s < 120 ? +s.toPrecision(3) + " s" : s < 7200 ? Math.round(s / 60) + " min" : +(s / 3600).toPrecision(3) + " h";
  };
  const error = (us) => (us < 0 ? words.clock : "± " + seconds(us));

  // What is shown: window of time, filters, the chosen event
  const view = { a: full.a, b: full.b };
  const filter = { node: "", layer: "", type: "", level: "", about: "", q: "" };
  let chosen = -1;
  let page = 0;

  // The parts of the page
  const tools = make("div", undefined, { className: "tools" });
  const field = (label, control) => { const l = make("label", label); control.setAttribute("aria-label", label); l.append(control); tools.append(l); return control; };
  const select = (label, key, values, names) => {
    const control = field(label, make("select"));
    control.append(make("option", "—", { value: "" }));
    values.forEach((value, i) => control.append(make("option", names ? names[i] : value, { value })));
    control.addEventListener("change", () => { filter[key] = control.value; refilter(); });
    return [key, control];
  };
  const seenLayers = [...new Set(layerOfType)].sort((x, y) => x - y).map((i) => doc.layers[i]);
  const search = field(words.search, make("input", undefined, { type: "search" }));
  const controls = Object.fromEntries([
    select(words.node, "node", doc.nodes),
    select(words.layer, "layer", seenLayers, seenLayers.map((name) => words.layers[name])),
    select(words.type, "type", [...new Set(types)].sort()),
    select(words.level + " ≥", "level", ["notice", "warning", "error"], ["notice", "warning", "error"].map((name) => words.levels[name])),
    select(words.about, "about", []),
  ]);
  let wait = 0;
  search.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => { filter.q = search.value; refilter(); }, 120); });
  const button = (text, label, act) => {
    const b = make("button", text, { type: "button", title: label });
    b.setAttribute("aria-label", label);
    b.addEventListener("click", act);
    tools.append(b);
  };
  button("+", words.zoom_in, () => zoom(0.5));
  button("−", words.zoom_out, () => zoom(2));
  button("‹", words.earlier, () => pan(-0.4));
  button("›", words.later, () => pan(0.4));
  button("⤢", words.all, () => { Object.assign(view, full); changed(); });
  doc.incidents.forEach((row) => { if (row[1] !== null) button(doc.incidents.length > 1 ? row[0] : words.incident, row[3], () => { toIncident(row); changed(); }); });

  const stage = make("div", undefined, { className: "stage" });
  const canvas = make("canvas", undefined, { tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "timeline");
  canvas.setAttribute("aria-label", words.help);
  const hint = make("div", undefined, { className: "hint", hidden: true });
  stage.append(canvas, hint);
  const legend = make("ul", undefined, { className: "legend" });
  const status = make("p", "", { className: "meta" });
  status.setAttribute("role", "status");
  const picked = make("p", "", { className: "picked" });
  picked.setAttribute("aria-live", "polite");
  const windowed = make("div", undefined, { className: "window", tabIndex: 0 });
  windowed.setAttribute("role", "region");
  windowed.setAttribute("aria-label", words.window);
  const table = make("table", undefined, { role: "table" });
  const head = make("tr", undefined, { role: "row" });
  [words.time + " (UTC)", words.node, words.layer, words.level, words.message, words.place].forEach((name) => { const th = make("th", name, { role: "columnheader" }); th.scope = "col"; head.append(th); });
  const thead = make("thead"); thead.append(head);
  const body = make("tbody");
  table.append(thead, body);
  windowed.append(table);
  const earlier = make("button", "‹ 200", { type: "button" });
  const later = make("button", "200 ›", { type: "button" });
  earlier.setAttribute("aria-label", words.previous);
  later.setAttribute("aria-label", words.next);
  const pages = make("p"); pages.append(earlier, " ", later);
  earlier.addEventListener("click", () => { page = Math.max(0, page - 1); fill(); });
  later.addEventListener("click", () => { page += 1; fill(); });
  host.append(tools, stage, legend, picked, status, windowed, pages);
  host.hidden = false;
  byId("lanes-help").hidden = false;

  // Colours come from the style sheet
  let ink = {};
  const readColours = () => {
    const style = getComputedStyle(legend);
    const probe = make("i"); legend.append(probe);
    const names = ["ink", "faint", "line", "soft", "card", "accent", "critical", "error", "warning", "notice", "info", "mark", "t-ok", "t-warn", "t-bad", "t-down", "t-idle", "t-planned", "t-fence"];
    ink = { font: style.fontFamily };
    names.forEach((name) => { probe.style.color = "var(--" + name + ")"; ink[name] = getComputedStyle(probe).color; });
    probe.remove();
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const t = tile.getContext("2d", { willReadFrequently: true });
    t.strokeStyle = ink.faint; t.globalAlpha = 0.55; t.lineWidth = 1;
    t.beginPath(); t.moveTo(-2, 10); t.lineTo(10, -2); t.moveTo(-6, 6); t.lineTo(6, -6); t.stroke();
    ink.hatch = canvas.getContext("2d").createPattern(tile, "repeat");
    t.globalAlpha = 1;
    ink.levels = Uint32Array.from({ length: doc.levels.length + 1 }, (_, w) => {
      t.fillStyle = levelColour(Math.max(0, w - 1)); t.fillRect(0, 0, 1, 1);
      return new Uint32Array(t.getImageData(0, 0, 1, 1).data.buffer)[0];
    });
  };
  const toneColour = (tone) => (tone === "silent" ? ink.hatch : ink["t-" + tone] || ink["t-idle"]);
  const levelColour = (l) => (l >= CRIT ? ink.critical : l >= ERROR ? ink.error : l >= WARN ? ink.warning : ink.info);
  const drawLegend = () => {
    legend.replaceChildren();
    const tones = Object.entries(words.tones);
    tones.forEach(([tone, text]) => {
      const li = make("li"); const s = make("span", undefined, { className: "swatch sw-" + tone });
      li.append(s, text); legend.append(li);
    });
    words.legend.forEach((text) => legend.append(make("li", text)));
  };

  // Rows; where there are many nodes each has two of them, unless its name was clicked or it was chosen
  const FIRST = ["node", "membership", "quorum", "DC", "links", "fencing", "planned"];
  const rank = (name) => { const i = FIRST.indexOf(name); return (i < 0 ? "9" : String(i)) + name; };
  const WEIGHT = ["idle", "ok", "planned", "warn", "silent", "bad", "fence", "down"];
  const AXIS = 24, MINI = 34, CROWD = 6;
  const groups = new Map(), ofNode = new Map();
  const gather = (map, key, band) => { if (map.has(key)) map.get(key).push(band); else map.set(key, [band]); };
  doc.bands.forEach((band) => { gather(groups, band[0] + "|" + band[1], band); gather(ofNode, band[0], band); });
  ofNode.forEach((bands) => bands.sort((p, q) => WEIGHT.indexOf(p[4]) - WEIGHT.indexOf(q[4])));
  const bandRows = (n) => [...new Set((ofNode.get(n) || []).map((band) => band[1]))].sort((p, q) => (rank(p) < rank(q) ? -1 : 1));
  const present = new Uint8Array(doc.nodes.length * NL);
  for (let i = 0; i < count; i++) present[lane[i]] = 1;
  const opened = new Set();
  let rows = [], rowOf = new Int16Array(0), height = 0, width = 0, gutter = 120, ratio = 1;
  const layout = () => {
    rows = [];
    let y = AXIS;
    const add = (row) => { row.y = y; rows.push(row); y += row.h; };
    if (doc.chain.length) add({ n: -1, kind: "chain", name: words.chain, h: 46 });
    bandRows(-1).forEach((id) => add({ n: -1, kind: "band", id, name: doc.rows[id], bands: groups.get("-1|" + id), h: 15 }));
    rowOf = new Int16Array(doc.nodes.length * NL).fill(-1);
    const crowd = doc.nodes.length > CROWD && !filter.node;
    doc.nodes.forEach((name, n) => {
      if (filter.node && filter.node !== name) return;
      const bands = bandRows(n);
      const layers = doc.layers.map((_, i) => i).filter((i) => present[n * NL + i] && (!filter.layer || doc.layers[i] === filter.layer));
      if (!bands.length && !layers.length) return;
      if (crowd && !opened.has(n)) {
        add({ n, kind: "sum", id: "", name, bands: ofNode.get(n) || [], h: 16 });
        layers.forEach((l) => { rowOf[n * NL + l] = rows.length; });
        if (layers.length) add({ n, kind: "events", name: words.events, layer: -1, h: 14 });
        return;
      }
      add({ n, kind: "title", name, h: 20 });
      bands.forEach((id) => add({ n, kind: "band", id, name: doc.rows[id], bands: groups.get(n + "|" + id), h: id === "membership" ? Math.max(19, Math.min(4 * doc.nodes.length, 32) + 3) : 15 }));
      layers.forEach((l) => { rowOf[n * NL + l] = rows.length; add({ n, kind: "events", name: words.layers[doc.layers[l]], layer: l, h: 15 }); });
    });
    height = y + 8 + MINI;
  };

  // Filters: positions of the events that pass
  let passing = new Int32Array(0);
  const refilter = (quiet) => {
    const out = new Int32Array(count);
    const n = doc.nodes.indexOf(filter.node), l = doc.layers.indexOf(filter.layer), floor = filter.level ? doc.levels.indexOf(filter.level) : 0;
    const q = filter.q.toLowerCase();
    const okText = q && more ? more.texts.map((t) => t.toLowerCase().includes(q)) : null;
    const okType = Uint8Array.from(types, (t, y) => ((!filter.type || t === filter.type) && (l < 0 || layerOfType[y] === l) ? 1 : 0));
    const about = filter.about && more ? more.subjects.indexOf(filter.about) : -1;
    let k = matching(out, level, type, node, floor, okType, n);
    if (about >= 0 || okText) {
      const found = out.subarray(0, k).filter((i) => (about < 0 || more.s[i] === about) && (!okText || okText[more.x[i]]));
      out.set(found);
      k = found.length;
    }
    passing = out.subarray(0, k);
    layout();
    density = null;
    changed(quiet);
  };
  const lower = (us) => {
    let lo = 0, hi = passing.length;
    while (lo < hi) { const mid = (lo + hi) >> 1; if (time[passing[mid]] < us) lo = mid + 1; else hi = mid; }
    return lo;
  };

  // Drawing
  const X = (us) => gutter + ((us - view.a) / (view.b - view.a)) * (width - gutter);
  const T = (x) => view.a + ((x - gutter) / (width - gutter)) * (view.b - view.a);
  let density = null, pending = false, markers = [];
  const sheet = document.createElement("canvas");
  let pool = null;
  const draw = () => {
    pending = false;
    const box = stage.clientWidth;
    if (!box) return;
    ratio = Math.min(devicePixelRatio || 1, 2);
    width = box; gutter = box < 560 ? 84 : 132;
    if (canvas.width !== Math.round(box * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(box * ratio); canvas.height = Math.round(height * ratio);
      canvas.style.height = height + "px";
    }
    const c = canvas.getContext("2d", { alpha: false });
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.fillStyle = ink.card; c.fillRect(0, 0, width, height);
    c.font = "11px " + ink.font; c.textBaseline = "middle";
    drawAxis(c);
    drawRows(c);
    c.save(); c.beginPath(); c.rect(gutter, AXIS, width - gutter, height - AXIS - MINI); c.clip();
    drawBlanks(c);
    rows.forEach((row) => { if (row.bands) drawBands(c, row); });
    drawEvents(c);
    drawArrows(c);
    drawChain(c);
    drawChosen(c);
    c.restore();
    drawMini(c);
  };
  const redraw = () => { if (!pending) { pending = true; requestAnimationFrame(draw); } };

  const STEPS = [1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 3e7, 6e7, 3e8, 6e8, 18e8, 36e8, 216e8, 432e8, 864e8, 6048e8];
  const drawAxis = (c) => {
    const want = ((view.b - view.a) / Math.max(1, width - gutter)) * 95;
    const step = STEPS.find((s) => s >= want) || STEPS[STEPS.length - 1];
    c.strokeStyle = ink.line; c.lineWidth = 1; c.textAlign = "center";
    for (let at = Math.ceil((view.a + doc.zero) / step) * step - doc.zero; at < view.b; at += step) {
      const x = Math.round(X(at)) + 0.5;
      c.beginPath(); c.moveTo(x, AXIS - 4); c.lineTo(x, height - MINI); c.stroke();
      c.fillStyle = ink.faint;
      if (x < 96 || x > width - 26) continue; // the date stands there, or its text would be cut
      c.fillText(step >= 864e8 ? iso(at, 0).slice(5, 10) : step >= 6e7 ? iso(at).slice(11, 16) : step >= 1e6 ? iso(at).slice(11, 19) : clock(at), x, 10);
    }
    c.textAlign = "left"; c.fillText(iso(view.a).slice(0, 10), 4, 10);
  };
  const breadths = new Map();
  const breadth = (c, text) => {
    let known = breadths.get(text);
    if (known === undefined) breadths.set(text, known = c.measureText(text).width);
    return known;
  };
  const fit = (c, text, room) => {
    if (room < 14) return "";
    if (breadth(c, text) <= room) return text;
    const keep = Math.floor(room / 6) - 1;
    return keep > 2 ? text.slice(0, keep) + "…" : "";
  };
  const drawRows = (c) => {
    rows.forEach((row) => {
      if (row.kind === "title") {
        c.fillStyle = ink.soft; c.fillRect(0, row.y + 2, width, row.h - 3);
        c.fillStyle = ink.ink; c.font = "600 12px " + ink.font;
        c.fillText(fit(c, row.name, width - 12), 6, row.y + row.h / 2 + 1);
        c.font = "11px " + ink.font;
      } else {
        const known = row.kind === "sum";
        c.fillStyle = known ? ink.ink : ink.faint; c.textAlign = "right";
        if (known) c.font = "600 12px " + ink.font;
        c.fillText(fit(c, row.name, gutter - 12), gutter - 6, row.y + row.h / 2);
        if (known) c.font = "11px " + ink.font;
        c.textAlign = "left";
      }
    });
  };
  const drawBlanks = (c) => {
    doc.blanks.forEach(([n, a, b]) => {
      if (b < view.a || a > view.b) return;
      const mine = rows.filter((row) => row.n === n && row.kind === "events");
      if (!mine.length) return;
      const x = X(Math.max(a, view.a)), y = mine[0].y, last = mine[mine.length - 1];
      c.fillStyle = ink.hatch; c.fillRect(x, y, Math.max(1, X(Math.min(b, view.b)) - x), last.y + last.h - y);
    });
  };
  const drawBands = (c, row) => {
    row.bands.forEach((band) => {
      const a = band[2] === null ? view.a : band[2], b = band[3] === null ? view.b : band[3];
      if (b < view.a || a > view.b) return;
      const x = Math.max(X(a), gutter), w = Math.max(2, Math.min(X(b), width) - x), h = row.h - 3;
      if (row.id === "membership" && band[6].length && doc.nodes.length <= 16) {
        const strip = h / doc.nodes.length;
        doc.nodes.forEach((_, i) => {
          c.fillStyle = toneColour(band[6].includes(i) ? "ok" : "bad");
          c.fillRect(x, row.y + 1 + i * strip, w, Math.max(1, strip - 0.75));
        });
      } else {
        c.fillStyle = toneColour(band[4]); c.fillRect(x, row.y + 1, w, h);
      }
      c.fillStyle = ink.card; c.fillRect(x - 0.5, row.y + 1, 1, h);
      const text = row.kind === "sum" && (band[4] === "ok" || band[4] === "idle") ? "" : fit(c, band[5], w - 8);
      if (text) {
        c.fillStyle = band[4] === "down" ? "#fff" : ink.ink;
        if (band[4] === "silent") { const tw = breadth(c, text); c.fillStyle = ink.card; c.fillRect(x + 3, row.y + 2, tw + 2, h - 2); c.fillStyle = ink.ink; }
        c.fillText(text, x + 4, row.y + row.h / 2);
      }
    });
  };
  const shape = (c, l, x, y, r) => {
    c.beginPath();
    if (l >= CRIT) { c.moveTo(x, y - r - 1); c.lineTo(x + r + 1, y); c.lineTo(x, y + r + 1); c.lineTo(x - r - 1, y); } else if (l >= ERROR) c.rect(x - r, y - r, 2 * r, 2 * r);
    else if (l >= WARN) { c.moveTo(x, y - r - 1); c.lineTo(x + r + 1, y + r); c.lineTo(x - r - 1, y + r); } else c.arc(x, y, l === WARN - 1 ? r * 0.8 : r * 0.6, 0, 7);
    c.fill();
  };
  const drawEvents = (c) => {
    const lo = lower(view.a), hi = lower(view.b);
    const scale = (width - gutter) / (view.b - view.a);
    if (hi - lo <= 1200) {
      for (let pass = 0; pass < 2; pass++) {
        for (let k = lo; k < hi; k++) {
          const i = passing[k];
          if ((level[i] >= WARN) !== (pass === 1)) continue;
          const r = rowOf[lane[i]];
          if (r < 0) continue;
          const x = gutter + (time[i] - view.a) * scale, y = rows[r].y + rows[r].h / 2;
          const e = failing[i] * scale;
          if (e > 4 && (quoted.has(i) || hi - lo < 60)) {
            c.strokeStyle = ink.faint; c.lineWidth = 1; c.beginPath();
            c.moveTo(x - e, y); c.lineTo(x + e, y); c.moveTo(x - e, y - 3); c.lineTo(x - e, y + 3); c.moveTo(x + e, y - 3); c.lineTo(x + e, y + 3); c.stroke();
          }
          c.fillStyle = levelColour(level[i]);
          shape(c, level[i], x, y, 4);
          if (quoted.has(i)) { c.strokeStyle = ink.ink; c.lineWidth = 1.2; c.stroke(); }
        }
      }
      return;
    }
    // Many events: the worst level and the number for each pixel of each row, as one image
    const px = Math.ceil(width - gutter), n = rows.length, tall = Math.ceil(height);
    if (!pool || pool.px !== px || pool.n !== n || pool.tall !== tall) {
      sheet.width = px; sheet.height = tall;
      const image = new ImageData(px, tall);
      pool = { px, n, tall, image, dots: new Uint32Array(image.data.buffer), worst: new Uint8Array(px * n), many: new Uint32Array(px * n) };
    } else { pool.dots.fill(0); pool.worst.fill(0); pool.many.fill(0); }
    bin(passing, lo, hi, time, view.a, scale, lane, rowOf, level, pool.worst, pool.many, px);
    const tops = Int32Array.from(rows, (row) => (row.kind === "events" ? Math.round(row.y + row.h / 2) : -1));
    paint(pool.dots, px, pool.worst, pool.many, tops, ink.levels, WARN);
    sheet.getContext("2d").putImageData(pool.image, 0, 0);
    c.imageSmoothingEnabled = false;
    c.drawImage(sheet, gutter, 0);
  };
  const laneTop = (n, id) => { const row = rows.find((r) => r.n === n && (!id || r.id === id)) || rows.find((r) => r.n === n); return row ? row.y + row.h / 2 : null; };
  const tip = (c, x, y, angle) => {
    c.beginPath(); c.moveTo(x, y);
    c.lineTo(x - 10 * Math.cos(angle - 0.45), y - 10 * Math.sin(angle - 0.45));
    c.lineTo(x - 10 * Math.cos(angle + 0.45), y - 10 * Math.sin(angle + 0.45)); c.fill();
  };
  const drawArrows = (c) => {
    doc.arrows.forEach(([, b, from, to, ok]) => {
      const y1 = laneTop(from, "fencing"), y2 = laneTop(to, "node");
      if (y1 === null || y2 === null || b < view.a || b > view.b) return;
      const x = X(b);
      c.strokeStyle = c.fillStyle = ok ? ink["t-fence"] : ink["t-down"];
      c.lineWidth = 2; c.setLineDash(ok ? [] : [4, 3]);
      c.beginPath(); c.moveTo(x, y1); c.lineTo(x, y2); c.stroke(); c.setLineDash([]);
      tip(c, x, y2, y2 > y1 ? Math.PI / 2 : -Math.PI / 2);
    });
  };
  const drawChain = (c) => {
    markers = [];
    const lane = rows.find((row) => row.kind === "chain");
    if (!lane) return;
    const first = new Map();
    doc.chain.forEach((s) => { if (s[2] !== null) first.set(s[0], Math.min(first.get(s[0]) ?? Infinity, s[2])); });
    const seats = [];
    doc.chain.forEach((s) => {
      const at = s[2] ?? first.get(s[0]);
      if (at === undefined) return;
      let x = X(at), y = lane.y + 30;
      const want = s[2] === null ? x - 24 : x;
      x = want;
      while (seats.some(([sx, sy]) => sy === y && Math.abs(sx - x) < 19)) x += 19;
      seats.push([x, y]);
      markers.push({ x, y, at, step: s });
    });
    const find = (id, number) => markers.find((m) => m.step[0] === id && m.step[1] === number);
    markers.forEach((m) => {
      if (m.step[2] !== null) {
        c.strokeStyle = ink.faint; c.lineWidth = 0.7; c.setLineDash([2, 3]);
        c.beginPath(); c.moveTo(X(m.at), m.y + 8); c.lineTo(X(m.at), height - MINI); c.stroke(); c.setLineDash([]);
        const e = (m.step[3] / (view.b - view.a)) * (width - gutter);
        if (e > 4) { c.lineWidth = 1; c.beginPath(); c.moveTo(X(m.at) - e, m.y + 13); c.lineTo(X(m.at) + e, m.y + 13); c.stroke(); }
      }
      c.strokeStyle = c.fillStyle = ink.accent; c.lineWidth = 1.3;
      m.step[6].forEach((number) => {
        const from = find(m.step[0], number);
        if (!from || from === m) return;
        const lift = Math.min(18, 8 + Math.abs(from.x - m.x) / 14);
        c.beginPath(); c.moveTo(from.x, from.y - 8); c.quadraticCurveTo((from.x + m.x) / 2, m.y - 8 - 2 * lift + 6, m.x, m.y - 8); c.stroke();
        tip(c, m.x, m.y - 8, m.x >= from.x ? 1.1 : 2);
      });
    });
    markers.forEach((m) => {
      c.fillStyle = m.step[2] === null ? ink.critical : ink.ink;
      c.beginPath();
      if (m.step[2] === null) c.rect(m.x - 8, m.y - 8, 16, 16); else c.arc(m.x, m.y, 8.5, 0, 7);
      c.fill();
      c.fillStyle = ink.card; c.textAlign = "center"; c.font = "700 11px " + ink.font;
      c.fillText(m.step[1], m.x, m.y + 0.5);
      c.textAlign = "left"; c.font = "11px " + ink.font;
    });
  };
  const drawChosen = (c) => {
    if (chosen < 0) return;
    const x = X(time[chosen]);
    c.strokeStyle = ink.accent; c.lineWidth = 1.5;
    c.beginPath(); c.moveTo(x, AXIS); c.lineTo(x, height - MINI); c.stroke();
    const r = rowOf[lane[chosen]];
    if (r >= 0) { c.beginPath(); c.arc(x, rows[r].y + rows[r].h / 2, 7.5, 0, 7); c.stroke(); }
  };
  const miniX = (us) => gutter + ((us - full.a) / (full.b - full.a)) * (width - gutter);
  const drawMini = (c) => {
    const px = Math.max(1, Math.ceil(width - gutter)), top = height - MINI + 6, h = MINI - 8;
    if (!density || density.px !== px) {
      const worst = new Uint8Array(px), many = new Uint32Array(px), all = new Int16Array(rowOf.length);
      bin(passing, 0, passing.length, time, full.a, (px - 0.01) / (full.b - full.a), lane, all, level, worst, many, px);
      density = { px, worst, many, most: many.reduce((p, q) => Math.max(p, q), 1) };
    }
    c.fillStyle = ink.soft; c.fillRect(gutter, top, px, h);
    for (const [low, high] of [[1, WARN], [WARN + 1, WARN + 1], [ERROR + 1, 255]]) {
      c.fillStyle = levelColour(low - 1);
      for (let x = 0; x < px; x++) {
        const w = density.worst[x];
        if (w < low || w > high) continue;
        const tall = Math.max(2, (Math.log(density.many[x] + 1) / Math.log(density.most + 1)) * (h - 2));
        c.fillRect(gutter + x, top + h - tall, 1, tall);
      }
    }
    const a = Math.max(gutter, miniX(view.a)), b = Math.min(width, miniX(view.b));
    c.strokeStyle = ink.accent; c.lineWidth = 2; c.strokeRect(a, top, Math.max(4, b - a) - 1, h);
    c.fillStyle = ink.faint; c.textAlign = "right"; c.fillText(words.overall, gutter - 6, top + h / 2); c.textAlign = "left";
  };

  // Table and address follow the window
  let tableWait = 0;
  const changed = (quiet) => {
    const least = 2000, most = full.b - full.a, span = Math.min(most, Math.max(least, view.b - view.a));
    const mid = (view.a + view.b) / 2;
    if (view.b - view.a !== span) { view.a = mid - span / 2; view.b = mid + span / 2; }
    if (view.a < full.a) { view.b += full.a - view.a; view.a = full.a; }
    if (view.b > full.b) { view.a -= view.b - full.b; view.b = full.b; }
    redraw();
    clearTimeout(tableWait);
    tableWait = setTimeout(() => { page = 0; fill(); if (!quiet) keepAddress(); }, quiet ? 0 : 140);
  };
  const fill = () => {
    if (!more) return;
    const lo = lower(view.a), hi = lower(view.b);
    if (chosen >= 0 && page === 0) { const at = lower(time[chosen]); if (at > lo + 100 && at < hi) page = Math.floor((at - lo) / 200); }
    page = Math.max(0, Math.min(page, Math.floor(Math.max(0, hi - lo - 1) / 200)));
    const from = lo + page * 200, to = Math.min(hi, from + 200);
    body.replaceChildren();
    for (let k = from; k < to; k++) body.append(rowFor(passing[k]));
    if (from === to) { const tr = make("tr"); tr.append(make("td", words.none, { colSpan: 6 })); body.append(tr); }
    table.setAttribute("aria-rowcount", String(hi - lo));
    status.textContent = (hi - lo) + " / " + count + " " + words.shown + " · " + iso(view.a).replace("T", " ") + " – " + iso(view.b).replace("T", " ") + " UTC (" + seconds(view.b - view.a) + ")";
    earlier.disabled = page === 0; later.disabled = to >= hi;
    pages.hidden = hi - lo <= 200;
  };
  const MARKS = (l) => (l >= CRIT ? "◆" : l >= ERROR ? "■" : l >= WARN ? "▲" : l === WARN - 1 ? "●" : "○");
  const toneName = (l) => (l >= CRIT ? "critical" : l >= ERROR ? "error" : l >= WARN ? "warning" : l === WARN - 1 ? "notice" : "info");
  const linkOf = (key) => { const id = "q-" + key; return byId(id) ? "#" + id : null; };
  const textOf = (i) => (more ? more.texts[more.x[i]] : "…");
  const placeOf = (i) => (more ? more.paths[more.p[i]] + ":" + more.k[i] : "");
  const shortPlace = (i) => placeOf(i).replaceAll("!", "/").split("/").slice(-2).join("/");
  const rowFor = (i) => {
    const tr = make("tr", undefined, { role: "row" });
    if (i === chosen) tr.className = "here";
    const when = make("td", iso(time[i]).slice(11) + " ", { className: "time" });
    when.append(make("span", error(failing[i]), { className: "err" }));
    const lvl = make("td");
    lvl.append(make("span", MARKS(level[i]) + " " + words.levels[doc.levels[level[i]]], { className: "sev sev-" + toneName(level[i]) }));
    const place = make("td", undefined);
    const link = quoted.has(i) && linkOf(quoted.get(i));
    place.append(make(link ? "a" : "span", shortPlace(i), { className: "place", title: placeOf(i) }));
    if (link) place.firstChild.href = link;
    tr.append(when, make("td", doc.nodes[node[i]]), make("td", words.layers[doc.layers[layerOfType[type[i]]]]), lvl, make("td", textOf(i), { className: "msg" }), place);
    tr.childNodes.forEach((cell) => { cell.role = "cell"; });
    tr.addEventListener("click", () => choose(i, false));
    return tr;
  };
  const keepAddress = () => {
    const parts = ["t=" + iso(view.a) + "/" + iso(view.b)];
    Object.entries(filter).forEach(([key, value]) => { if (value) parts.push(key + "=" + encodeURIComponent(value)); });
    if (chosen >= 0 && more) parts.push("e=" + encodeURIComponent(placeOf(chosen)));
    try { history.replaceState(null, "", "#" + parts.join("&")); } catch { /* some viewers forbid it */ }
  };
  const eventAt = (place) => {
    const cut = (place || "").lastIndexOf(":"), p = more.paths.indexOf((place || "").slice(0, cut)), k = +(place || "").slice(cut + 1);
    if (p >= 0) for (let i = 0; i < count; i++) if (more.k[i] === k && more.p[i] === p) return i;
    return -1;
  };
  const readAddress = () => {
    if (!location.hash.includes("=")) return false;
    const wanted = new URLSearchParams(location.hash.slice(1));
    const [a, b] = (wanted.get("t") || "").split("/").map((s) => Date.parse(s + "Z") * 1000 - doc.zero);
    if (b > a) { view.a = a; view.b = b; }
    Object.keys(filter).forEach((key) => { filter[key] = wanted.get(key) || ""; if (controls[key]) controls[key].value = filter[key]; });
    search.value = filter.q;
    chosen = more ? eventAt(wanted.get("e")) : -1;
    refilter(true);
    return true;
  };

  // Moving
  const zoom = (by, at) => {
    const mid = at ?? (view.a + view.b) / 2;
    view.a = mid - (mid - view.a) * by; view.b = mid + (view.b - mid) * by;
    changed();
  };
  const pan = (share) => { const d = (view.b - view.a) * share; view.a += d; view.b += d; changed(); };
  const toIncident = (row) => {
    let a = row[1], b = row[2] ?? row[1];
    doc.chain.forEach((s) => { if (s[0] === row[0] && s[2] !== null) { a = Math.min(a, s[2]); b = Math.max(b, s[2]); } });
    const margin = Math.max((b - a) * 0.25, 3e6);
    view.a = a - margin; view.b = b + margin;
  };
  const choose = (i, move) => {
    chosen = i;
    if (move && (time[i] < view.a || time[i] > view.b)) { const half = (view.b - view.a) / 2; view.a = time[i] - half; view.b = time[i] + half; }
    picked.textContent = MARKS(level[i]) + " " + iso(time[i]).replace("T", " ") + " " + doc.nodes[node[i]] + " " + words.levels[doc.levels[level[i]]] + ": " + textOf(i);
    redraw();
    clearTimeout(tableWait);
    tableWait = setTimeout(() => { page = 0; fill(); keepAddress(); const here = body.querySelector(".here"); if (here) windowed.scrollTop = here.offsetTop - 60; }, 60);
  };
  const weighty = (i) => quoted.has(i) || level[i] >= WARN;
  const next = (step) => {
    let k = chosen < 0 ? (step > 0 ? lower(view.a) - 1 : lower(view.b)) : lower(time[chosen]);
    if (chosen >= 0) while (k < passing.length && passing[k] !== chosen && time[passing[k]] === time[chosen]) k++;
    for (k += step; k >= 0 && k < passing.length; k += step) if (weighty(passing[k])) { choose(passing[k], true); return; }
  };
  canvas.addEventListener("keydown", (e) => {
    const acts = { ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15), "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1.6), 0: () => { Object.assign(view, full); changed(); }, n: () => next(1), p: () => next(-1), Enter: () => windowed.focus(), Escape: () => { chosen = -1; picked.textContent = ""; hint.hidden = true; changed(); } };
    if (acts[e.key] && !e.ctrlKey && !e.metaKey && !e.altKey) { acts[e.key](); e.preventDefault(); }
  });
  const spot = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  canvas.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && document.activeElement !== canvas) return;
    e.preventDefault();
    if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) pan(e.deltaX / 800); else zoom(Math.exp(e.deltaY / 400), T(Math.max(gutter, spot(e)[0])));
  }, { passive: false });
  const fingers = new Map();
  let drag = null;
  canvas.addEventListener("pointerdown", (e) => {
    const [x, y] = spot(e);
    fingers.set(e.pointerId, x);
    try { canvas.setPointerCapture(e.pointerId); } catch { /* the pointer is gone */ }
    drag = { x, a: view.a, b: view.b, moved: false, brush: y > height - MINI || e.shiftKey, mini: y > height - MINI };
  });
  canvas.addEventListener("pointermove", (e) => {
    const [x, y] = spot(e);
    if (!drag) { hover(x, y); return; }
    if (fingers.size === 2 && fingers.has(e.pointerId)) {
      const [other] = [...fingers].filter(([id]) => id !== e.pointerId).map(([, v]) => v);
      const before = Math.abs(fingers.get(e.pointerId) - other), now = Math.abs(x - other);
      if (before > 5 && now > 5) zoom(before / now, T((x + other) / 2));
      fingers.set(e.pointerId, x); drag.moved = true;
      return;
    }
    if (Math.abs(x - drag.x) > 3) drag.moved = true;
    if (!drag.moved) return;
    hint.hidden = true;
    if (drag.mini) {
      const at = (px) => full.a + ((px - gutter) / (width - gutter)) * (full.b - full.a);
      view.a = at(Math.min(x, drag.x)); view.b = at(Math.max(x, drag.x)); changed();
    } else if (drag.brush) {
      draw(); const c = canvas.getContext("2d");
      c.fillStyle = ink.accent; c.globalAlpha = 0.18; c.fillRect(Math.min(x, drag.x), AXIS, Math.abs(x - drag.x), height - AXIS - MINI); c.globalAlpha = 1;
    } else {
      const d = ((x - drag.x) / (width - gutter)) * (drag.b - drag.a);
      view.a = drag.a - d; view.b = drag.b - d; changed();
    }
  });
  const release = (e) => {
    fingers.delete(e.pointerId);
    if (!drag) return;
    const [x, y] = spot(e);
    if (drag.moved && drag.brush && !drag.mini) { const p = T(Math.min(x, drag.x)), q = T(Math.max(x, drag.x)); view.a = p; view.b = q; changed(); }
    if (!drag.moved && e.type === "pointerup") {
      const hit = under(x, y);
      const named = x < gutter && rows.find((row) => y >= row.y && y < row.y + row.h && (row.kind === "sum" || row.kind === "title"));
      if (named && doc.nodes.length > CROWD) {
        if (!opened.delete(named.n)) opened.add(named.n);
        layout(); redraw();
      }
      if (hit && hit.event !== undefined) choose(hit.event, false);
      else if (hit && hit.step && hit.step[7] && quotedPlace.has(hit.step[7])) choose(quotedPlace.get(hit.step[7]), true);
    }
    drag = null;
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => { hint.hidden = true; });

  // What is under the pointer
  const under = (x, y) => {
    const marker = markers.find((m) => Math.hypot(m.x - x, m.y - y) < 11);
    if (marker) return { step: marker.step };
    const row = rows.find((r) => y >= r.y && y < r.y + r.h);
    if (!row || x < gutter) return null;
    if (row.bands) {
      const at = T(x), slack = ((view.b - view.a) / width) * 3;
      const found = row.bands.filter((b) => (b[2] ?? -Infinity) - slack <= at && (b[3] ?? Infinity) + slack >= at);
      return found.length ? { band: found[found.length - 1], row } : null;
    }
    if (row.kind !== "events") return null;
    const slack = ((view.b - view.a) / (width - gutter)) * 7, at = T(x);
    const place = rows.indexOf(row);
    let best = -1, near = slack, many = 0;
    for (let k = lower(at - slack); k < passing.length && time[passing[k]] <= at + slack; k++) {
      const i = passing[k];
      if (rowOf[lane[i]] !== place) continue;
      many++;
      const d = Math.abs(time[i] - at) - (weighty(i) ? slack / 2 : 0);
      if (d < near || best < 0) { near = d; best = i; }
    }
    if (best >= 0) return { event: best, many };
    const blank = doc.blanks.find(([n, a, b]) => n === row.n && a <= at && b >= at);
    return blank ? { blank } : null;
  };
  const say = (hit) => {
    if (hit.step) return ["(" + hit.step[1] + ") " + hit.step[5], hit.step[2] === null ? "" : clock(hit.step[2]) + " UTC " + error(hit.step[3])];
    if (hit.blank) return [doc.nodes[hit.blank[0]] + ": " + hit.blank[3], clock(hit.blank[1]) + " – " + clock(hit.blank[2])];
    if (hit.band) {
      const [n, , a, b, , label] = hit.band;
      const span = a !== null && b !== null ? " (" + seconds(b - a) + ")" : "";
      return [(n < 0 ? words.cluster : doc.nodes[n]) + ": " + label, (a === null ? "…" : clock(a)) + " – " + (b === null ? "…" : clock(b)) + span];
    }
    const i = hit.event;
    return [textOf(i), iso(time[i]).slice(11) + " UTC " + error(failing[i]) + " · " + doc.nodes[node[i]] + " · " + types[type[i]] + " · " + words.levels[doc.levels[level[i]]], placeOf(i) + (hit.many > 1 ? " · +" + (hit.many - 1) : "") + (quoted.has(i) ? " · " + words.quoted : "")];
  };
  const hover = (x, y) => {
    const hit = under(x, y);
    canvas.style.cursor = hit && (hit.event !== undefined || hit.step) ? "pointer" : "crosshair";
    if (!hit) { hint.hidden = true; return; }
    hint.replaceChildren(...say(hit).filter(Boolean).map((text, i) => make("p", text, { className: i ? "meta" : "" })));
    hint.hidden = false;
    const w = hint.offsetWidth;
    hint.style.left = Math.max(0, Math.min(x + 14, width - w - 4)) + "px";
    hint.style.top = y + 16 + "px";
  };

  repaint.push(() => { readColours(); drawLegend(); redraw(); });
  new ResizeObserver(redraw).observe(stage);
  addEventListener("hashchange", readAddress);
  readColours();
  drawLegend();
  const linked = readAddress();
  if (!linked) {
    const worst = doc.incidents.find((row) => row[1] !== null);
    if (worst) toIncident(worst);
    refilter(true);
  }
  draw();
  host.dataset.ready = performance.now().toFixed(1);
  if (location.hash.includes("=")) byId("timeline").scrollIntoView();

  // Messages, places and the table, when the lanes are on the screen
  const addTexts = (part) => {
    more = part;
    more.texts = part.tail().split("\0");
    more.subjects.filter(Boolean).sort().slice(0, 400).forEach((value) => controls.about.append(make("option", value, { value })));
    if (!linked || !readAddress()) fill();
  };
  const idle = window.requestIdleCallback || setTimeout;
  const read = () => requestAnimationFrame(() => idle(() => unpack("timeline-texts").then(addTexts)));
  whole(read);
};

if (byId("lanes") && typeof DecompressionStream !== "undefined") unpack("timeline-lanes").then(start);
