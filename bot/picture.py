"""A card as a picture: drawn by a browser that is on the machine anyway, where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "brave-browser",
    "chrome",
    "msedge",
)
_WIDTH = 760
_TALLEST = 16_000
_SECONDS = 60
_MEASURE = "<script>document.body.dataset.tall = document.documentElement.scrollHeight</script>"


def browser() -> str | None:
    """The path of a browser that can draw; None where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def draw(page: str, out: Path) -> bool:
    """Draws an HTML page (of our own: no scripts, nothing from elsewhere) as PNG; False where it could not be."""
    found = browser()
    if found is None:
        return False
    with tempfile.TemporaryDirectory(prefix="redfirst-") as folder:
        source = Path(folder) / "page.html"
        source.write_text(page.replace("</body>", f"{_MEASURE}</body>"), encoding="utf-8")
        measured = _run(found, folder, "--dump-dom", source.as_uri())
        tall = re.search(r'data-tall="(\d{1,6})"', measured or "")
        if tall is None:
            return False
        source.write_text(page, encoding="utf-8")
        size = f"--window-size={_WIDTH},{min(int(tall[1]), _TALLEST)}"
        made = Path(folder) / "page.png"
        if _run(found, folder, size, f"--screenshot={made}", source.as_uri()) is None or not made.is_file():
            return False
        out.write_bytes(made.read_bytes())
    return True


def _run(found: str, folder: str, *words: str) -> str | None:
    """What the browser printed; None where it failed or took too long."""
    fixed = ("--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", f"--user-data-dir={folder}/profile")
    try:
        done = subprocess.run(  # noqa: S603  the browser that was found, and words of ours
            # the page is ours and holds no script but the one that measures it; as root there is no sandbox
            [found, *fixed, f"--window-size={_WIDTH},800", "--no-sandbox", *words],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
