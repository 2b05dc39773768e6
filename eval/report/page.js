// The page: what the controls show. `data` is written by eval/report_data.cc.
const data = JSON.parse(document.getElementById("data").textContent);
const get = id => document.getElementById(id);

function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = text;
    return option;
  }));
}

function row(table, cells, tag = "td") {
  const tr = document.createElement("tr");
  for (const cell of cells) {
    const td = document.createElement(tag);
    td.textContent = cell.text === undefined ? cell : cell.text;
    if (cell.kind) td.className = cell.kind;
    if (cell.title) td.title = cell.title;
    tr.append(td);
  }
  table.append(tr);
}

const hidden = new Set();
data.curves.forEach((curve, i) => { curve.style = seriesStyle(i); });
const rd = new Plot(get("rd")), speed = new Plot(get("speed"));
const metric = () => data.metrics.find(m => m.name === get("metric").value);

// [rate, quality, text] of a codec, over all pictures or on one.
function pointsOf(curve) {
  const name = metric().name, picture = get("picture").value;
  const points = [];
  const rows = picture === "" ? curve.points : (curve.items[picture] || []);
  for (const p of rows) {
    const q = p.quality[name], v = p.value[name];
    if (q === null || q === undefined) continue;
    const setting = curve.imported ? "" : `\n${curve.setting_name} ${p.setting}`;
    const times = p.encode ? `\nencode ${p.encode.toPrecision(3)}, decode ${p.decode.toPrecision(3)} ${data.words.speed_unit}` : "";
    points.push({ x: p.rate, y: q, text: `${p.rate.toPrecision(5)} ${data.words.rate_unit}\n${name} ${v.toPrecision(6)}${setting}${times}` });
  }
  return points.sort((a, b) => a.x - b.x);
}

function showRd(keepZoom) {
  const series = data.curves.filter(c => !hidden.has(c.name)).map(c => ({ name: c.name, style: c.style, dashed: c.imported, points: pointsOf(c) }));
  rd.show({ title: "Rate and distortion", x: { label: data.words.rate_label, log: get("log").checked, zero: true, most: Number(get("upto").value) }, y: { label: metric().label }, lines: true, series }, keepZoom);
}

function bdOf(anchor, tested) {
  const of = data.bd[metric().name];
  return of && of[anchor] ? of[anchor][tested] : undefined;
}

function showBd() {
  const anchor = get("anchor").value, table = get("bd");
  table.replaceChildren();
  row(table, ["", "BD-rate", `mean of ${data.words.many}`, "quality at equal rate", "shared range"], "th");
  const signed = (v, digits, unit) => (v > 0 ? "+" : "") + v.toFixed(digits) + unit;
  for (const curve of data.curves) {
    const bd = bdOf(anchor, curve.name);
    if (curve.name === anchor) { row(table, [{ text: curve.name }, { text: "anchor", kind: "none" }, "", "", ""]); continue; }
    if (!bd) continue;
    const figure = bd.rate === null ? { text: "none", kind: "none", title: bd.reason } : { text: signed(bd.rate, 1, " %"), kind: bd.rate < 0 ? "good" : "bad" };
    row(table, [
      { text: curve.name }, figure,
      { text: bd.mean_rate === null ? "-" : `${signed(bd.mean_rate, 1, " %")} (${bd.items})` },
      { text: bd.difference === null ? "-" : signed(bd.difference, 2, "") },
      { text: bd.rate === null ? "-" : `${bd.low.toFixed(1)} to ${bd.high.toFixed(1)}` },
    ]);
  }
  get("bd-hint").textContent = `By ${metric().label}. Less is better: bits needed at equal quality, over the range that both curves cover; in brackets how many ${data.words.many} have a figure of their own.`;
}

function showSpeed() {
  const kind = get("speed-kind").value, anchor = get("anchor").value;
  const series = [];
  for (const curve of data.curves) {
    if (!curve.speed || hidden.has(curve.name)) continue;
    const bd = curve.name === anchor ? { rate: 0 } : bdOf(anchor, curve.name);
    if (!bd || bd.rate === null) continue;
    const x = curve.speed[kind];
    const files = curve.runs_processes ? "\nwith processes and files" : "";
    series.push({ name: curve.name, style: curve.style, points: [{ x, y: bd.rate, text: `${x.toPrecision(3)} ${data.words.speed_unit} at ${curve.speed.rate.toPrecision(3)} ${data.words.rate_unit}\nBD-rate ${bd.rate.toFixed(1)} %${files}` }] });
  }
  get("speed-section").hidden = !data.curves.some(c => c.speed);
  speed.show({ title: "Speed against BD-rate", x: { label: `${kind === "encode" ? "encoding" : "decoding"}, ${data.words.speed_label}`, log: true }, y: { label: `BD-rate against ${anchor}, %` }, lines: false, series });
  get("speed-hint").textContent = `Right and down is better. ${data.timing} Speed at the setting nearest to ${data.speed_rate} ${data.words.rate_unit}; BD-rate by ${metric().label}.`;
}

function showShared() {
  get("shared-section").hidden = !data.shared;
  if (!data.shared) return;
  row(get("shared"), data.shared.header, "th");
  for (const cells of data.shared.rows) row(get("shared"), cells);
  get("shared-hint").textContent = data.shared.notes.join(" ");
}

function showAll(keepZoom) { showRd(keepZoom); showBd(); showSpeed(); }

function makeChips() {
  for (const curve of data.curves) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.dataset.codec = curve.name;
    chip.setAttribute("aria-pressed", "true");
    const mark = svg("svg", { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" }, chip);
    drawShape(curve.style, 7, 7, 5, mark);
    chip.append(curve.name + (curve.imported ? " (published)" : ""));
    chip.addEventListener("click", () => {
      if (!hidden.delete(curve.name)) hidden.add(curve.name);
      chip.setAttribute("aria-pressed", String(!hidden.has(curve.name)));
      showRd(true);
      showSpeed();
    });
    get("codecs").append(chip);
  }
}

function showRun() {
  get("facts").textContent = data.facts;
  get("command").textContent = data.command;
  const table = get("versions");
  row(table, ["codec", "version"], "th");
  for (const curve of data.curves) row(table, [curve.name, curve.version]);
  for (const failure of data.failures) {
    const p = document.createElement("p");
    p.className = "failure";
    p.textContent = failure;
    get("failures").append(p);
  }
}

options(get("metric"), data.metrics.map(m => [m.name, m.label]));
options(get("picture"), [["", `mean of ${data.common_items}`], ...data.pictures.map(i => [i.name, i.name])]);
options(get("anchor"), data.curves.map(c => [c.name, c.name]));
get("anchor").value = data.anchor;
get("item-word").textContent = data.words.one[0].toUpperCase() + data.words.one.slice(1);
get("upto-label").hidden = data.words.one !== "picture";
makeChips();
showShared();
showRun();
get("metric").addEventListener("change", () => showAll(false));
get("picture").addEventListener("change", () => showRd(false));
for (const id of ["log", "upto"]) get(id).addEventListener("change", () => showRd(false));
get("anchor").addEventListener("change", () => { showBd(); showSpeed(); });
get("speed-kind").addEventListener("change", showSpeed);
showAll(false);
new Slider(data, get, options);
