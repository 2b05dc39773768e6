// Two pictures, one over the other, and where one ends. Differences are made by blending, which
// needs no pixels and so works for files.
class Slider {
  constructor(data, get, options) {
    this.data = data;
    this.get = get;
    this.images = data.pictures.filter(i => i.shown.length > 0);
    if (this.images.length === 0) { get("slider-section").hidden = true; return; }
    options(get("shown-picture"), this.images.map(i => [i.name, i.name]));
    const rates = [...new Set(this.images.flatMap(i => i.shown.map(s => s.target_bpp)))].sort((a, b) => a - b);
    options(get("shown-rate"), rates.map(r => [r, `about ${r} bit/pixel`]));
    const codecs = [...new Set(this.images.flatMap(i => i.shown.map(s => s.codec)))];
    for (const side of ["left", "right"]) options(get(side), [["", "original"], ...codecs.map(c => [c, c])]);
    get("left").value = codecs[0];
    get("right").value = codecs[1] || "";
    for (const id of ["shown-picture", "shown-rate", "left", "right"]) get(id).addEventListener("change", () => this.load());
    get("zoom").addEventListener("change", () => this.resize());
    get("difference").addEventListener("change", e => get("pair").classList.toggle("difference", e.target.checked));
    get("split").addEventListener("input", e => this.split(Number(e.target.value)));
    const pair = get("pair");
    const follow = e => {
      const r = pair.getBoundingClientRect();
      this.split((e.clientX - r.left) / r.width * 100);
    };
    pair.addEventListener("pointerdown", e => { this.held = true; follow(e); if (e.isTrusted) pair.setPointerCapture(e.pointerId); });
    pair.addEventListener("pointermove", e => { if (this.held) follow(e); });
    for (const end of ["pointerup", "pointercancel"]) pair.addEventListener(end, () => { this.held = false; });
    window.addEventListener("resize", () => this.resize());
    this.load();
    this.split(50);
  }

  split(percent) {
    const at = Math.min(100, Math.max(0, percent));
    this.get("right-image").style.clipPath = `inset(0 0 0 ${at}%)`;
    this.get("handle").style.left = at + "%";
    this.get("split").value = at;
  }

  load() {
    const image = this.image = this.images.find(i => i.name === this.get("shown-picture").value);
    const rate = Number(this.get("shown-rate").value);
    for (const side of ["left", "right"]) {
      const codec = this.get(side).value;
      const shown = image.shown.find(s => s.codec === codec && s.target_bpp === rate);
      const img = this.get(side + "-image"), caption = this.get(side + "-caption");
      caption.replaceChildren();
      const name = document.createElement("b");
      name.textContent = codec || "original";
      caption.append(name);
      const file = codec === "" ? image.original : shown ? shown.file : null;
      if (shown) caption.append(` ${shown.rate.toFixed(3)} bit/pixel, ` + shown.text);
      if (codec !== "" && !shown) caption.append(" was not measured here");
      if (file) img.src = file; else img.removeAttribute("src");
      img.alt = image.name + ", " + (codec || "original");
    }
    this.resize();
  }

  resize() {
    if (!this.image) return;
    const pair = this.get("pair"), room = this.get("viewport").clientWidth;
    const zoom = Number(this.get("zoom").value);
    const width = zoom === 0 ? Math.min(room, this.image.width * Math.max(1, Math.floor(room / this.image.width)), window.innerHeight * 0.78 * this.image.width / this.image.height) : this.image.width * zoom;
    pair.style.width = width + "px";
    pair.style.height = width * this.image.height / this.image.width + "px";
    pair.classList.toggle("sharp", zoom >= 2);
  }
}
