"""The demo page in a real Chromium: typed into, pressed, looked at, by mouse, by keyboard and through its roles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

import bot.web
from cards.card import Button, Buttons, Card, Text
from tests.e2e import page_desk
from tests.e2e.page_desk import Desk

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed at /usr/bin/chromium."),
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all
]

VIEWS = {"HTML": "article.rf-card", "Slack": ".sl", "Teams": ".tm"}


class Visit:
    """A page somebody has open, and what went wrong in it."""

    def __init__(self, page: Page, url: str, edge: bot.web.WebEdge, desk: Desk, ids: dict[str, int]) -> None:
        self.page, self.url, self.edge, self.desk, self.ids = page, url, edge, desk, ids
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda m: self.problems.append(m.text) if m.type in ("error", "warning") else None)

    async def be(self, key: str) -> None:
        await self.page.goto(f"{self.url}/?as={self.ids[key]}")

    async def ask(self, words: str) -> None:
        await self.page.fill("#say", words)
        await self.page.press("#say", "Escape")
        await self.page.press("#say", "Enter")

    async def show(self, view: str) -> None:
        await self.page.get_by_role("radio", name=view).check(force=True)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.db"
    asyncio.run(page_desk.fill(path))
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield found
        await found.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visit(database: Path, browser: Browser) -> AsyncIterator[Visit]:
    async with page_desk.served(database) as (url, edge, desk, ids):
        context = await browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        found = Visit(await context.new_page(), url, edge, desk, ids)
        yield found
        await context.close()
        assert found.problems == []


async def test_somebody_picks_a_person_types_and_presses(visit: Visit) -> None:
    page = visit.page
    await page.goto(visit.url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Who would you like to be?")
    await page.get_by_role("navigation", name="Who you are").get_by_role("link", name="Owen Brady").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Owen Brady")
    await visit.ask("/myscore")
    card = page.locator("article.rf-card")
    await expect(card).to_contain_text("Reopen rate: 14.9 %")
    await expect(card).to_contain_text("Red")
    await card.get_by_role("button", name="Why").click()
    await expect(page.locator("article.rf-card")).to_have_count(1)
    await expect(page.locator("article.rf-card")).to_contain_text("You pressed why")
    assert visit.desk.calls[-1].values == {"metric": "reopen_rate"}


async def test_the_same_card_is_seen_as_each_platform_shows_it_and_buttons_work_in_all(visit: Visit) -> None:
    page = visit.page
    await visit.be("owen")
    for presses, (view, kind) in enumerate(VIEWS.items(), 1):
        await visit.ask("/myscore")
        await visit.show(view)
        shown = page.locator("#talk li.bot").last.locator(kind)
        await expect(shown).to_be_visible()
        for other in set(VIEWS.values()) - {kind}:
            await expect(page.locator("#talk li.bot").last.locator(other)).to_be_hidden()
        await shown.get_by_role("button", name="‹ Before").click()
        await expect(page.locator("#talk li.bot").last.locator(kind)).to_contain_text("You pressed score")
        assert [c.name for c in visit.desk.calls].count("score") == presses
        assert visit.desk.calls[-1].values == {"period": "2026-W45"}
        await expect(page.locator("#talk li.bot").last.locator(f"{kind} svg[role=img]").first).to_be_visible()


@pytest.mark.parametrize("view", VIEWS)
async def test_a_form_opens_is_filled_in_and_answered(visit: Visit, view: str) -> None:
    page = visit.page
    await visit.be("owen")
    await visit.show(view)
    await visit.ask("/myscore")
    await page.locator("#talk").get_by_role("button", name="Something is not mine").locator("visible=true").click()
    sheet = page.locator("dialog#sheet")
    await expect(sheet).to_be_visible()
    form = sheet.locator("form").locator("visible=true")
    await form.locator("[name=ticket]").select_option("desk/48213")
    await form.locator("[name=reason]").fill("It was not me <b>really</b>")
    await form.locator("button[type=submit]").click()
    await expect(sheet).to_be_hidden()
    await expect(page.locator("#talk li.bot").last).to_contain_text("It was not me <b>really</b>")
    sent = visit.desk.calls[-1]
    assert (sent.kind, sent.name) == ("form", "corrected")
    assert {"ticket": "desk/48213", "reason": "It was not me <b>really</b>", "period": "2026-W46"}.items() <= (
        sent.values.items()
    )


async def test_a_form_is_not_sent_before_it_is_complete(visit: Visit) -> None:
    await visit.be("owen")
    await visit.ask("/myscore")
    await visit.page.get_by_role("button", name="Something is not mine").locator("visible=true").click()
    await visit.page.locator("dialog button[type=submit]").locator("visible=true").click()
    await expect(visit.page.locator("dialog#sheet")).to_be_visible()
    assert visit.desk.calls[-1].name == "correct"
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.locator("dialog#sheet")).to_be_hidden()


async def test_everything_can_be_done_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    await visit.be("owen")
    await expect(page.locator("#say")).to_be_focused()
    await page.keyboard.type("/my")
    options = page.get_by_role("listbox", name="Commands").get_by_role("option")
    await expect(options).to_have_count(3)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    chosen = await page.get_attribute("#say", "aria-activedescendant")
    assert chosen is not None
    await expect(page.locator(f"#{chosen}")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page.locator("#say")).to_have_value("/myscore last week")
    await page.keyboard.press("Enter")
    await expect(page.locator("article.rf-card")).to_be_visible()
    assert visit.desk.calls[0].text == "last week"
    why = page.get_by_role("button", name="Why")
    for _ in range(60):
        await page.keyboard.press("Shift+Tab")
        if await why.evaluate("button => button === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(page.locator("article.rf-card")).to_contain_text("You pressed why")
    inside = "() => document.querySelector('li.bot:last-child').contains(document.activeElement)"
    assert await page.evaluate(inside), "the replaced card keeps the focus"


async def test_whoever_unfolds_the_end_of_a_long_card_stays_there(visit: Visit) -> None:
    page = visit.page
    await visit.be("owen")
    await visit.ask("/long")
    await page.get_by_role("button", name="Greens").locator("visible=true").click()
    await expect(page.locator("article.rf-card")).to_contain_text("Unfolded")
    await expect(page.locator("article.rf-card").get_by_text("Unfolded")).to_be_in_viewport()


@pytest_asyncio.fixture(loop_scope="module")
async def plain(database: Path, browser: Browser) -> AsyncIterator[Visit]:
    """The page in a browser that runs no script."""
    async with page_desk.served(database) as (url, edge, desk, ids):
        context = await browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
        found = Visit(await context.new_page(), url, edge, desk, ids)
        yield found
        await context.close()


async def test_without_script_one_types_presses_and_fills_in(plain: Visit) -> None:
    page, desk = plain.page, plain.desk
    await page.goto(plain.url)
    await page.get_by_role("navigation", name="Who you are").get_by_role("link", name="Owen Brady").click()
    await page.get_by_role("button", name="/myscore last week").click()
    await expect(page.locator("article.rf-card")).to_contain_text("Reopen rate: 14.9 %")
    assert (desk.calls[-1].name, desk.calls[-1].text) == ("myscore", "last week")
    await page.fill("#say", "/myscore")
    await page.press("#say", "Enter")
    await expect(page.locator("article.rf-card")).to_contain_text("Reopen rate: 14.9 %")
    await expect(page.locator("#talk .me")).to_have_text("/myscore")
    await page.locator("article").get_by_role("button", name="Why").click()
    await expect(page.locator("article.rf-card")).to_contain_text("You pressed why")
    assert desk.calls[-1].values == {"metric": "reopen_rate"}
    await page.go_back()
    await page.get_by_role("button", name="Something is not mine").click()
    await page.locator("[name=ticket]").select_option("desk/48213")
    await page.locator("[name=reason]").fill("It was not me <b>really</b>")
    await page.locator("form.rf-form button[type=submit]").click()
    await expect(page.locator("article.rf-card")).to_contain_text("It was not me <b>really</b>")
    sent = desk.calls[-1]
    assert (sent.kind, sent.name) == ("form", "corrected")
    assert {"ticket": "desk/48213", "period": "2026-W46"}.items() <= sent.values.items()
    count = len(desk.calls)
    await page.reload()
    await expect(page.locator("article.rf-card")).to_contain_text("It was not me <b>really</b>")
    assert len(desk.calls) == count, "looking again asks nothing"


async def test_an_answer_is_announced_to_those_who_listen(visit: Visit) -> None:
    await visit.be("owen")
    await visit.ask("/myscore")
    status = visit.page.get_by_role("status")
    await expect(status).to_contain_text("1 red (Reopen rate 14.9 %), 1 amber, 6 green")


async def test_every_control_has_a_name(visit: Visit) -> None:
    await visit.be("owen")
    await visit.ask("/myscore")
    await expect(visit.page.locator("article.rf-card")).to_be_visible()
    unnamed = await visit.page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, select, textarea, svg[role=img]")].filter((e) => {
          const said = e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && e.labels.length) || e.value;
          return !said;
        }).map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_words_can_be_read_on_their_background(visit: Visit, scheme: str) -> None:
    await visit.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await visit.be("owen")
    await visit.ask("/myscore")
    await expect(visit.page.locator("article.rf-card")).to_be_visible()
    for view in VIEWS:
        await visit.show(view)
        faint = await visit.page.evaluate(_FAINT)
        assert faint == [], view


_FAINT = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.querySelector(".desk"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !e.checkVisibility() || e.closest(".unseen, svg")) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${e.className}: ${e.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return [...new Set(found)];
}"""


async def test_the_page_fits_a_telephone_and_the_people_open_there(visit: Visit) -> None:
    page = visit.page
    await page.set_viewport_size({"width": 360, "height": 740})
    await visit.be("owen")
    await visit.ask("/everything")
    await expect(page.locator("article.rf-card")).to_be_visible()
    for view in VIEWS:
        await visit.show(view)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await expect(page.get_by_role("navigation", name="Who you are")).to_be_hidden()
    await page.get_by_role("button", name="People").click()
    await page.get_by_role("searchbox", name="Find somebody").fill("kofi")
    await expect(page.locator("#people .team a").locator("visible=true")).to_have_count(1)
    await page.locator("#people").get_by_role("link", name="Kofi Mensah").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kofi Mensah")


async def test_what_the_bot_says_by_itself_appears(visit: Visit) -> None:
    await visit.be("ngozi")
    await expect(visit.page.locator(".hello")).to_be_visible()
    card = Card("Owen asks for a correction", (Text("Ticket 48213 was not his."),), "Owen asks for a correction.")
    await visit.edge.post(f"demo:{visit.ids['ngozi']}", card, "k")
    await expect(visit.page.locator("article.rf-card")).to_contain_text("Ticket 48213 was not his.")


async def test_the_answer_to_a_form_takes_the_place_of_the_card_it_was_opened_from(visit: Visit) -> None:
    page, buttons = visit.page, Buttons((Button("Not my fault", "correct"),))
    await visit.be("owen")
    card = Card("One thing to try", (Text("Ring back."), buttons), "One thing to try.")
    await visit.edge.post(f"demo:{visit.ids['owen']}", card, "nudge:1")
    await visit.ask("/myscore")
    await expect(page.locator("#talk li.bot")).to_have_count(3)  # with the greeting
    await page.get_by_role("button", name="Not my fault").locator("visible=true").click()
    form = page.locator("dialog#sheet form").locator("visible=true")
    await form.locator("[name=ticket]").select_option("desk/48213")
    await form.locator("[name=reason]").fill("In its place.")
    await form.locator("button[type=submit]").click()
    await expect(page.locator("#talk li.bot[data-mark]")).to_contain_text("Your lead has been asked: In its place.")
    await expect(page.locator("#talk li.bot")).to_have_count(3)
    answered = Card("Asked", (Text("Your lead has been asked, as told by the outbox."),), "Asked.")
    await visit.edge.update(f"demo:{visit.ids['owen']}", "", answered, "nudge:1")
    await expect(page.locator("#talk li.bot[data-mark]")).to_contain_text("as told by the outbox")
    await expect(page.locator("#talk li.bot")).to_have_count(3)


async def test_a_stopped_bot_is_told_in_words(visit: Visit) -> None:
    await visit.be("owen")
    await visit.page.route("**/ask", lambda route: route.abort())
    await visit.ask("/myscore")
    await expect(visit.page.locator("#talk li.bot").last).to_contain_text("Is it still running?")
    visit.problems.clear()  # the browser logs the failed request itself
