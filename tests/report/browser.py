"""A page in headless Chromium, as far as there is one."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=20000",
)  # fmt: skip

FIRST = """<script>
window.told = [];
window.addEventListener("error", function (event) {
  window.told.push(event.message || String(event.target.src));
}, true);
</script>"""

LAST = """<script>
window.addEventListener("load", function () {
  document.querySelectorAll("details").forEach(function (each) { each.open = true; });
  var root = document.documentElement;
  var broken = Array.from(document.images).filter(function (image) { return !image.complete || !image.naturalWidth; });
  var cut = Array.from(document.querySelectorAll("#result .wide")).filter(function (each) {
    return each.scrollWidth > each.clientWidth + 1;
  });
  root.setAttribute("data-measured", JSON.stringify({
    errors: window.told, images: document.images.length, broken: broken.length, width: root.scrollWidth,
    window: window.innerWidth, cut: cut.length, buttons: document.querySelectorAll("caption > button").length,
    findings: document.getElementById("look").getBoundingClientRect().top
  }));
});
</script>"""


def measured(page: Path, width: int, folder: Path) -> dict[str, Any]:
    """Load `page` in a window of `width` pixels, unfold everything, and return what came of it.

    A copy beside the page, with two scripts of the test, is what is loaded.
    """
    text = page.read_text(encoding="utf-8")
    copy = page.with_name("measured.html")
    copy.write_text(text.replace("<head>", f"<head>{FIRST}", 1).replace("</body>", f"{LAST}</body>", 1), "utf-8")
    command = [str(BROWSER), *OPTIONS, f"--user-data-dir={folder}", f"--window-size={width},900", "--dump-dom"]
    try:
        done = subprocess.run([*command, copy.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    finally:
        copy.unlink()
    found = re.search(r'data-measured="([^"]*)"', done.stdout)
    assert found, done.stderr[-2000:]
    console = re.findall(r"CONSOLE.*", done.stderr)
    return {**json.loads(unescape(found[1])), "console": console}
