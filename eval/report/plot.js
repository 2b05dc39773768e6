// A plot in SVG: series of points with axes, hover and zoom. Colours and shapes together tell
// series apart.
const COLOURS = ["#0f7f8c", "#d1603d", "#5b62c9", "#3f8f3a", "#c2428a", "#a97b10", "#7c5a47", "#6b7a85", "#b03a3a", "#2f6fb3"];
const SHAPES = ["circle", "square", "triangle", "diamond", "cross"];
const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, parent, text) {
  const node = document.createElementNS(SVG, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}

function shapePath(shape, x, y, r) {
  if (shape === "square") return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
  if (shape === "triangle") return `M${x} ${y - 1.2 * r}l${1.2 * r} ${2.1 * r}h${-2.4 * r}z`;
  if (shape === "diamond") return `M${x} ${y - 1.35 * r}l${1.35 * r} ${1.35 * r}l${-1.35 * r} ${1.35 * r}l${-1.35 * r} ${-1.35 * r}z`;
  if (shape === "cross") return `M${x - r} ${y - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`;
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
}

// Style of the i-th series.
function seriesStyle(i) {
  return { colour: COLOURS[i % COLOURS.length], shape: SHAPES[(i + Math.floor(i / COLOURS.length)) % SHAPES.length] };
}

function drawShape(style, x, y, r, parent) {
  const line = style.shape === "cross";
  return svg("path", { d: shapePath(style.shape, x, y, r), fill: line ? "none" : style.colour, stroke: style.colour, "stroke-width": line ? 2 : 1 }, parent);
}

function niceTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].find(m => m * power >= rough * 0.999) * power;
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) ticks.push(k * step);
  return ticks;
}

function logTicks(low, high) {
  const all = (steps) => {
    const ticks = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); ++e) {
      for (const m of steps) {
        const v = m * Math.pow(10, e);
        if (v >= low * 0.999 && v <= high * 1.001) ticks.push(v);
      }
    }
    return ticks;
  };
  for (const steps of [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const ticks = all(steps);
    if (ticks.length >= 3) return ticks;
  }
  return niceTicks(low, high, 5).filter(v => v > 0);
}

const tickText = v => String(Number(v.toPrecision(6)));

// options: {x: {label, log, zero, most}, y: {label}, lines, series: [{name, style, points: [{x, y, text}]}]}
class Plot {
  constructor(element) {
    this.element = element;
    this.root = svg("svg", { role: "img" }, element);
    this.zoom = null;
    this.options = null;
    new ResizeObserver(() => requestAnimationFrame(() => this.draw())).observe(element);
    this.root.addEventListener("pointermove", e => this.move(e));
    this.root.addEventListener("pointerdown", e => this.down(e));
    window.addEventListener("pointerup", e => this.up(e));
    this.root.addEventListener("pointerleave", () => hideTip());
    this.root.addEventListener("dblclick", () => { this.zoom = null; this.draw(); });
  }

  show(options, keepZoom) {
    this.options = options;
    if (!keepZoom) this.zoom = null;
    this.draw();
  }

  // The range of the points up to options.x.most, a little widened.
  range() {
    const xs = [], ys = [], most = this.options.x.most || Infinity;
    for (const s of this.options.series) for (const p of s.points) if (p.x <= most) { xs.push(p.x); ys.push(p.y); }
    if (xs.length === 0) return null;
    const widen = (v, log) => {
      let low = Math.min(...v), high = Math.max(...v);
      if (log) return [low / 1.15, high * 1.15];
      if (low === high) { low -= 1; high += 1; }
      return [low - (high - low) * 0.05, high + (high - low) * 0.05];
    };
    const x = widen(xs, this.options.x.log);
    if (this.options.x.zero && !this.options.x.log) x[0] = 0;
    if (most < Infinity) x[1] = most;
    return { x, y: widen(ys, false) };
  }

  draw() {
    if (!this.options) return;
    const width = this.element.clientWidth, height = this.element.clientHeight;
    if (width === 0 || height === 0) return;
    this.root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.root.setAttribute("aria-label", this.options.title);
    this.root.replaceChildren();
    const full = this.range();
    if (!full) {
      svg("text", { x: width / 2, y: height / 2, "text-anchor": "middle", class: "empty" }, this.root, "Nothing to show here");
      this.placed = [];
      return;
    }
    const range = this.zoom || full;
    const box = this.box = { left: 52, top: 10, right: width - 14, bottom: height - 46 };
    const log = this.options.x.log;
    const fx = v => log ? Math.log(v) : v;
    this.toX = v => box.left + (fx(v) - fx(range.x[0])) / (fx(range.x[1]) - fx(range.x[0])) * (box.right - box.left);
    this.toY = v => box.bottom - (v - range.y[0]) / (range.y[1] - range.y[0]) * (box.bottom - box.top);
    this.fromX = px => {
      const t = fx(range.x[0]) + (px - box.left) / (box.right - box.left) * (fx(range.x[1]) - fx(range.x[0]));
      return log ? Math.exp(t) : t;
    };
    this.fromY = py => range.y[0] + (box.bottom - py) / (box.bottom - box.top) * (range.y[1] - range.y[0]);
    this.drawAxes(range, log);
    this.drawSeries();
  }

  drawAxes(range, log) {
    const box = this.box;
    const xTicks = log ? logTicks(...range.x) : niceTicks(...range.x, (box.right - box.left) / 80);
    let last = -Infinity;
    for (const v of xTicks) {
      const x = this.toX(v);
      svg("line", { class: "grid", x1: x, x2: x, y1: box.top, y2: box.bottom }, this.root);
      if (x - last < 34) continue;
      svg("text", { x, y: box.bottom + 18, "text-anchor": "middle" }, this.root, tickText(v));
      last = x;
    }
    for (const v of niceTicks(...range.y, (box.bottom - box.top) / 50)) {
      const y = this.toY(v);
      svg("line", { class: "grid", x1: box.left, x2: box.right, y1: y, y2: y }, this.root);
      svg("text", { x: box.left - 8, y: y + 4, "text-anchor": "end" }, this.root, tickText(v));
    }
    svg("rect", { class: "frame", x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top }, this.root);
    svg("text", { class: "label", x: (box.left + box.right) / 2, y: box.bottom + 38, "text-anchor": "middle" }, this.root, this.options.x.label);
    const middle = (box.top + box.bottom) / 2;
    svg("text", { class: "label", x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, this.root, this.options.y.label);
  }

  drawSeries() {
    const box = this.box;
    const id = this.element.id + "-clip";
    const clip = svg("clipPath", { id }, svg("defs", {}, this.root));
    svg("rect", { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top }, clip);
    const layer = svg("g", { "clip-path": `url(#${id})` }, this.root);
    this.placed = [];
    const labels = [];
    for (const s of this.options.series) {
      const at = s.points.map(p => ({ x: this.toX(p.x), y: this.toY(p.y), point: p, series: s }));
      if (this.options.lines && at.length > 1) {
        svg("path", { class: "curve", "data-series": s.name, d: "M" + at.map(a => `${a.x.toFixed(1)} ${a.y.toFixed(1)}`).join("L"), fill: "none", stroke: s.style.colour, "stroke-width": 2, "stroke-linejoin": "round", "stroke-dasharray": s.dashed ? "6 4" : "none" }, layer);
      }
      for (const a of at) {
        drawShape(s.style, a.x, a.y, this.options.lines ? 3.5 : 6, layer);
        if (a.x >= box.left - 1 && a.x <= box.right + 1 && a.y >= box.top - 1 && a.y <= box.bottom + 1) this.placed.push(a);
        if (!this.options.lines) labels.push({ ...a, text: s.name });
      }
    }
    for (const l of labels) {
      const end = l.x > (box.left + box.right) / 2;
      svg("text", { class: "label", x: l.x + (end ? -11 : 11), y: l.y + 4, "text-anchor": end ? "end" : "start" }, layer, l.text);
    }
  }

  local(e) {
    const r = this.root.getBoundingClientRect();
    return { x: e.clientX - r.left, y: e.clientY - r.top };
  }

  move(e) {
    if (!this.box || !this.placed) return;
    const at = this.local(e);
    if (this.start) {
      const clampX = Math.min(Math.max(at.x, this.box.left), this.box.right), clampY = Math.min(Math.max(at.y, this.box.top), this.box.bottom);
      this.end = { x: clampX, y: clampY };
      if (!this.marked) this.marked = svg("rect", { class: "zoom" }, this.root);
      const a = this.start, b = this.end;
      for (const [k, v] of [["x", Math.min(a.x, b.x)], ["y", Math.min(a.y, b.y)], ["width", Math.abs(a.x - b.x)], ["height", Math.abs(a.y - b.y)]]) this.marked.setAttribute(k, v);
      return;
    }
    let best = null, distance = 28;
    for (const p of this.placed) {
      const d = Math.hypot(p.x - at.x, p.y - at.y);
      if (d < distance) { best = p; distance = d; }
    }
    if (best) showTip(e, best.series.name + "\n" + best.point.text); else hideTip();
  }

  down(e) {
    if (e.pointerType === "mouse" && e.button === 0 && this.box) { this.start = this.local(e); this.end = null; e.preventDefault(); } else this.move(e);
  }

  up() {
    if (!this.start) return;
    const a = this.start, b = this.end;
    this.start = this.end = null;
    if (this.marked) this.marked.remove();
    this.marked = null;
    if (!b || Math.abs(a.x - b.x) < 8 || Math.abs(a.y - b.y) < 8) return;
    this.zoom = {
      x: [this.fromX(Math.max(this.box.left, Math.min(a.x, b.x))), this.fromX(Math.max(a.x, b.x))],
      y: [this.fromY(Math.max(a.y, b.y)), this.fromY(Math.min(a.y, b.y))],
    };
    this.draw();
  }
}

function showTip(e, text) {
  const tip = document.getElementById("tip");
  tip.textContent = text;
  tip.hidden = false;
  const left = Math.min(e.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = Math.max(8, e.clientY - tip.offsetHeight - 14) + "px";
}

function hideTip() { document.getElementById("tip").hidden = true; }
