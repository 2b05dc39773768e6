// Added to a copy of the report by report_test.bash: uses the page as a reader would and writes what
// it finds into the document.
"use strict";
window.addEventListener("load", () => setTimeout(() => {
  const problems = window.reportErrors.slice();
  const check = (holds, what) => { if (!holds) problems.push(what); };
  const get = id => document.getElementById(id);
  const choose = (id, value) => { get(id).value = value; get(id).dispatchEvent(new Event("change")); };
  const curves = () => [...document.querySelectorAll("#rd path.curve")].map(p => p.dataset.series + p.getAttribute("d"));
  try {
    const first = curves();
    check(first.length >= 2, "fewer than two curves");
    check(first.every(d => !d.includes("NaN")), "a curve has no number");
    choose("metric", get("metric").options[1].value);
    check(curves().join() !== first.join(), "the metric chooser does not change the plot");
    choose("metric", get("metric").options[0].value);
    check(curves().join() === first.join(), "the first metric looks different the second time");
    for (const [id, value] of [["picture", get("picture").options[1].value], ["upto", "1"]]) {
      const old = get(id).value;
      choose(id, value);
      check(curves().join() !== first.join(), id + " does not change the plot");
      choose(id, old);
    }
    get("log").click();
    check(curves().join() !== first.join(), "the logarithmic axis changes nothing");
    get("log").click();

    const chip = document.querySelector(".chip");
    chip.click();
    check(curves().length === first.length - 1, "a codec cannot be hidden");
    chip.click();

    const svg = document.querySelector("#rd svg"), box = svg.getBoundingClientRect();
    const mouse = (type, x, y, target) => target.dispatchEvent(new PointerEvent(type, {
      clientX: box.left + x * box.width, clientY: box.top + y * box.height, pointerType: "mouse", button: 0, bubbles: true }));
    mouse("pointerdown", 0.2, 0.2, svg);
    mouse("pointermove", 0.6, 0.6, svg);
    mouse("pointerup", 0.6, 0.6, window);
    check(curves().join() !== first.join(), "dragging does not zoom");
    svg.dispatchEvent(new MouseEvent("dblclick"));
    check(curves().join() === first.join(), "a double click does not show all again");
    const dot = rd.placed[0];
    svg.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + dot.x, clientY: box.top + dot.y, pointerType: "mouse" }));
    check(!get("tip").hidden && get("tip").textContent.includes("bit/pixel"), "hovering shows nothing");

    const table = get("bd").textContent;
    choose("anchor", get("anchor").options[get("anchor").selectedIndex === 0 ? 1 : 0].value);
    check(get("bd").textContent !== table, "the anchor does not change the table");
    check(document.querySelectorAll("#speed text.label").length >= 3, "the speed chart has no codecs");

    for (const side of ["left-image", "right-image"]) {
      check(get(side).complete && get(side).naturalWidth > 0, side + " is not there");
    }
    const clip = get("right-image").style.clipPath, pair = get("pair").getBoundingClientRect();
    get("pair").dispatchEvent(new PointerEvent("pointerdown", { clientX: pair.left + pair.width * 0.2, clientY: pair.top + 5, bubbles: true }));
    check(get("right-image").style.clipPath !== clip, "the slider does not move");
    check(Math.abs(Number(get("split").value) - 20) < 2, "the slider is not where the pointer is");
    choose("zoom", "4");
    check(get("pair").getBoundingClientRect().width > pair.width, "the zoom does not enlarge");
    get("difference").click();
    check(getComputedStyle(get("right-image")).mixBlendMode === "difference", "no difference is shown");
    check(document.documentElement.scrollWidth <= window.innerWidth, "the page is wider than its window");
  } catch (error) {
    problems.push(String(error));
  }
  const result = document.createElement("pre");
  result.id = "selftest";
  result.textContent = problems.length === 0 ? "SELFTEST OK" : "SELFTEST FAILED: " + problems.join("; ");
  document.body.append(result);
}, 300));
