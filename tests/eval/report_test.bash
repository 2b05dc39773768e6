# report_test.bash GODWIT SOURCE_DIR WORK_DIR: makes a small report, opens it in headless Chromium at
# desktop and phone width, and uses it. Exit code 77, so skipped, without Chromium. The screenshot
# stays in WORK_DIR.
set -euo pipefail
godwit=$1 source=$2 work=$3

browser=""
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then browser=$name && break; fi
done
if [[ -z $browser ]]; then
  echo "skipped: there is no Chromium to open the report with (Debian: chromium)"
  exit 77
fi

rm -rf "$work"
mkdir -p "$work/pictures"
cp "$source"/testdata/eval/original.png "$source"/testdata/eval/noise.png "$work/pictures"
"$godwit" eval "$work/pictures" --codecs jpeg,jpeg:444,webp --points 5 --repeats 1 --report-bpp 1.5 \
  --metrics psnr,msssim --out "$work/out" --quiet >/dev/null

# Errors are caught from the first script on; the page's own test comes last.
page=$work/out/tested.html
{
  sed -n '1,/<body>/p' "$work/out/report.html"
  echo '<script>window.reportErrors = [];'
  echo 'window.addEventListener("error", e => window.reportErrors.push("error: " + (e.message || e.target.src)), true);</script>'
  sed '1,/<body>/d; s#</body>##; s#</html>##' "$work/out/report.html"
  echo '<script>'
  cat "$source/tests/eval/report_selftest.js"
  echo '</script></body></html>'
} >"$page"
# A window is no narrower than 500 pixels, a frame is.
echo '<!DOCTYPE html><body style="margin:0"><iframe src="tested.html" style="border:0;width:390px;height:3000px"></iframe>
<script>setInterval(() => { const t = document.querySelector("iframe").contentDocument?.getElementById("selftest");
if (t) document.body.dataset.result = t.textContent; }, 50);</script></body>' >"$work/out/phone.html"

if grep -nE '(src|href)="?(https?:)?//|url\(["'"'"']?http|@import' "$work/out/report.html"; then
  echo "the report asks for something from a network"
  exit 1
fi

# open PAGE OPTION...: chromium with what a machine without a screen and without users needs.
open() {
  local page=$1
  shift
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --allow-file-access-from-files --user-data-dir="$work/browser" --hide-scrollbars \
    --virtual-time-budget=8000 "$@" "file://$page" 2>"$work/browser.log"
}
for view in tested phone; do
  open "$work/out/$view.html" --window-size=1280,3000 --dump-dom >"$work/$view.dom"
  if ! grep -q "SELFTEST OK" "$work/$view.dom"; then
    echo "$view: $(grep -o 'SELFTEST FAILED[^<"]*' "$work/$view.dom" || echo "the page did not come to its end")"
    tail -n 5 "$work/browser.log"
    exit 1
  fi
done
open "$work/out/report.html" --window-size=1280,2600 --screenshot="$work/report.png"
[[ -s $work/report.png ]]
