"""Moving the demo's clock on in a real Chromium: the time is shown, and what is due by then arrives."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

import bot.app
import scoring.periods
import storage.outbox
import storage.people
from bot.config import Config
from bot.demo_time import Movable
from bot.web import WebEdge
from cards.card import Card, Text, to_json
from handlers.call import Ctx
from scoring.refused import Refused
from scoring.schedules import Due
from tests.e2e import page_desk
from tests.e2e.test_page import CHROMIUM

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed at /usr/bin/chromium.")


async def digest(ctx: Ctx, due: Due) -> None:
    """A word to every lead of the team."""
    day = scoring.periods.date_of(due.day)
    late = ", late" if due.verdict == "make_late" else ""
    card = to_json(Card("Your week", (Text(f"Digest of {day:%A} {day}{late}."),), "Your week."))
    for one in await storage.people.everyone(ctx.db, due.day):
        if f"team:{one.team_id}" == due.schedule.target and one.role == "lead":
            key = f"{due.schedule.key} {due.day} {one.id}"
            await storage.outbox.add(ctx.db, "demo", f"demo:{one.id}", card, key, int(ctx.now.timestamp()))


async def test_the_clock_is_moved_on_by_keyboard_and_the_monday_digest_arrives_on_time(tmp_path: Path) -> None:
    path = tmp_path / "page.db"
    await asyncio.to_thread(asyncio.run, page_desk.fill(path))
    config = Config(database_url=f"sqlite:///{path}", port=0, demo=True)
    running = await bot.app.start(config, Movable(real=lambda: page_desk.NOW), {"lead_digest": digest})
    problems: list[str] = []
    async with running.store.read() as db:
        [ngozi] = [p.id for p in await storage.people.everyone(db, 20_777) if p.key == "ngozi"]
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            )
            page = await browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
            page.on("pageerror", lambda error: problems.append(str(error)))
            await page.goto(f"http://127.0.0.1:{running.port}/?as={ngozi}")
            shown = page.get_by_label("Time on the desk")
            await expect(shown).to_contain_text("Friday 20 November 10:00 in London")
            hours = page.get_by_role("group", name="Move the clock on").get_by_role("button", name="2 hours")
            await hours.focus()
            await page.keyboard.press("Enter")
            await expect(shown).to_contain_text("Friday 20 November 12:00 in London")
            await expect(page.locator("article.rf-card")).to_have_count(0)
            await page.keyboard.press("Tab")
            await page.keyboard.press("Tab")
            await page.keyboard.press("Space")
            await expect(page.locator("article.rf-card")).to_contain_text("Digest of Monday 2026-11-23.")
            await expect(shown).to_contain_text("Monday 23 November 09:00 in London")
            await expect(page.locator("#moved")).to_have_text("It is Monday 23 November 09:00.")
            await expect(page.locator("li.bot .as-html time")).to_have_text(re.compile("^08:30"))
            await page.reload()
            await expect(shown).to_contain_text("Monday 23 November 09:00 in London")
            edge, go_on = running.edges["demo"], asyncio.Event()
            assert isinstance(edge, WebEdge)

            async def slow(to: datetime) -> datetime:
                await go_on.wait()
                raise Refused("The story ends here.", "Start it anew.")

            edge.move = slow
            await page.get_by_role("button", name="Four weeks").click()
            await expect(page.locator("#moved")).to_have_text("The desk works through the time until then …")
            await expect(page.locator("#moved")).not_to_have_class("unseen")
            go_on.set()
            await expect(page.locator("#moved")).to_have_text("The story ends here. Start it anew.")
            await expect(page.locator("#moved")).not_to_have_class("unseen")
            await browser.close()
    finally:
        await running.stop()
    assert problems == []
