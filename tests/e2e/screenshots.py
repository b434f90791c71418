"""Makes the pictures of the README: `python -m tests.e2e.screenshots` runs the demo and photographs its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu"]
TODAY = "2026-10-15"
MOST_BYTES = 200_000


@contextmanager
def demo(directory: Path, *words: str) -> Iterator[str]:
    """The address of a running `redfirst demo`, which ends with the block."""
    command = [sys.executable, "-m", "bot", "demo", "--port", "0", "--today", TODAY, *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            if found is None:
                raise RuntimeError(f"the demo did not start: {line!r}")
            yield found[0]
        finally:
            process.terminate()
            process.wait(30)


def be(page: Page, address: str, name: str) -> None:
    """Picks somebody by name."""
    page.goto(address)
    page.locator("#people").get_by_role("link", name=name).first.click()
    page.locator("#say").wait_for()


def ask(page: Page, words: str) -> None:
    """Types a question and waits for the card."""
    cards = page.locator("#talk article.rf-card, #talk .sl, #talk .tm").filter(visible=True)
    before = cards.count()
    page.fill("#say", words)
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_function("n => document.querySelectorAll('#talk .views').length > n", arg=before)
    page.wait_for_timeout(700)


def view(page: Page, name: str) -> None:
    """Shows the cards as a platform would."""
    page.get_by_role("radio", name=name).check(force=True)
    page.wait_for_timeout(300)


def keep(page: Page, name: str) -> Path:
    """Photographs the window into docs/, in few enough colours to stay small."""
    path = DOCS / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise RuntimeError(f"{path.name} has {size:,} bytes, more than {MOST_BYTES:,}")
    return path


def photograph(address: str) -> list[Path]:
    """All pictures of the README."""
    found: list[Path] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for scheme, suffix in (("light", ""), ("dark", "-dark")):
            context = browser.new_context(
                viewport={"width": 1280, "height": 860}, color_scheme="light" if scheme == "light" else "dark"
            )
            page = context.new_page()
            be(page, address, "Owen Brady")
            ask(page, "/myscore last week")
            for shown in ("HTML", "Slack", "Teams") if scheme == "light" else ("HTML",):
                view(page, shown)
                page.locator("#talk .me").last.scroll_into_view_if_needed()
                found.append(keep(page, f"myscore-{shown.lower()}{suffix}"))
            if scheme == "light":
                view(page, "HTML")
                page.get_by_role("button", name="Trend").filter(visible=True).first.click()
                page.locator(".rf-trend").filter(visible=True).first.wait_for()
                page.wait_for_timeout(500)
                found.append(keep(page, "trend"))
                be(page, address, "Ngozi Adeyemi")
                ask(page, "/digest preview")
                page.locator("#talk .me").last.scroll_into_view_if_needed()
                found.append(keep(page, "digest"))
                page.goto(address)
                page.wait_for_timeout(300)
                found.append(keep(page, "demo"))
            context.close()
        browser.close()
    return found


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    with demo(ROOT) as address:
        for path in photograph(address):
            print(path.relative_to(ROOT), f"{path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
