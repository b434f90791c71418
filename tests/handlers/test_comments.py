"""From a missed figure to a comment on it: who may say what, who reads it where, and how it is taken back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

import cards.card
from cards.card import Button, Card, Form
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words
from tests.handlers.test_digests import due, make, told, unhappy
from tests.handlers.test_plans import withheld

WEEK = "2026-W31"
SAID = "Two analysts short."


def values(desk: Desk, team: str = "help-desk", metric: str = "nps", period: str = WEEK, **more: str) -> dict[str, str]:
    return {"team": str(desk.teams[team]), "metric": metric, "period": period, **more}


def blank(given: dict[str, str], version: str = "0") -> Form:
    """A form that nobody was given, as somebody could make it up."""
    return Form("", "comment_kept", (), values={**given, "version": version})


async def comment(desk: Desk, who: str = "lena", said: str = SAID, **more: str) -> Card:
    """What comes of a comment on the NPS of Help Desk, which is red in that week."""
    return await desk.fill(who, blank(values(desk, **more)), words=said)


async def sent(desk: Desk, who: str, form: Form, **answers: str) -> Card | Form:
    """What comes of sending a form, another form included."""
    call = desk.call(who, "form", form.route, "", {**form.values, **answers})
    return small.shown(await desk.dispatch.answer(call))


async def kept(desk: Desk) -> list[tuple[str, str, int]]:
    """(subject, words, version) of everything that was ever said."""
    return [tuple(r) for r in await desk.rows("SELECT subject, words, version FROM comment ORDER BY id")]


def all_of(card: Card) -> str:
    return json.dumps(cards.card.to_json(card), ensure_ascii=False)


async def test_a_lead_comments_on_a_red_and_the_scorecard_shows_it_in_place(desk: Desk) -> None:
    sheet = await desk.ask("lena", f"/teamscore {WEEK}")
    form = await desk.press("lena", button(sheet, "Comment", metric="nps"))
    assert isinstance(form, Form)
    assert "NPS" in form.intro
    card = await desk.fill("lena", form, words=f"  {SAID[:3]}\n {SAID[4:]}", cause="short_staffing")
    assert card.title == sheet.title
    line = f"Comment (short staffing): {SAID} {small.name('lena')}, Wed 5 Aug."
    assert line in words(card)
    assert words(card).index("NPS") < words(card).index(line)
    assert line in words(await desk.ask("ana", f"/teamscore {WEEK}"))
    assert line not in words(await desk.ask("lena", "/teamscore 2026-W30")), "another week is another comment"
    entry = (await desk.rows("SELECT act, actor, body FROM audit WHERE subject LIKE 'comment:%'"))[0]
    assert tuple(entry)[:2] == ("comment made", "lena")
    assert json.loads(entry[2])["words"] == SAID


async def test_members_read_comments_and_are_not_offered_to_write_any(sqlite_desk: Desk) -> None:
    await comment(sqlite_desk)
    sheet = await sqlite_desk.ask("ana", f"/teamscore {WEEK}")
    assert SAID in words(sheet)
    assert not {"comment_new", "comment_back"} & {one.route for one in buttons(sheet)}
    mine = await sqlite_desk.ask("ana", f"/myscore {WEEK}")
    assert mine.status == "red"
    assert SAID not in words(mine), "a person's figure carries nobody's comment"
    assert "comment_new" not in {one.route for one in buttons(mine)}


async def test_only_leads_and_those_above_them_comment_whatever_the_form_says(desk: Desk) -> None:
    before = await desk.everything()
    for who in ("ana", "cora", "leo", "hugo", "adam", "gus", "lou", "nobody"):
        found = await comment(desk, who)
        assert SAID not in words(found), who
        for route in ("comment_new", "comment_back"):
            pressed = await desk.press(who, Button("", route, values(desk, version="1")))
            assert isinstance(pressed, Card), who
    assert await desk.everything() == before
    for number, who in enumerate(("lena", "ben", "mara", "zoe")):  # ben stands in for lena
        found = await desk.fill(who, blank(values(desk), str(number)), words=f"{number} analysts short.")
        assert found.title == "Comment kept", who
    voices = await desk.rows("SELECT voice FROM comment ORDER BY version")
    assert [row[0] for row in voices] == ["lead", "lead", "manager", "leadership"]


async def test_a_comment_is_for_a_red_or_an_amber_of_a_week_or_month_only(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    wrong = [
        (values(desk, metric="same_day_closure"), "neither red nor amber"),
        (values(desk, metric="gone"), "not on this scorecard"),
        (values(desk, period="2026-W40"), "has not begun"),
        (values(desk, period="2026-W99"), ""),
        (values(desk, period="2026-Q3"), "for a week or a month"),
        (values(desk, period="4w-2026-W31"), "for a week or a month"),
        (values(desk) | {"team": "x"}, "no longer good"),
        (values(desk) | {"team": "999"}, "gone"),
    ]
    before = await desk.everything()
    for given, said in wrong:
        pressed = await desk.press("lena", Button("", "comment_new", given))
        for found in (pressed, await desk.fill("lena", blank(given), words=SAID)):
            assert isinstance(found, Card)
            assert found.title == "Not this time", given
            assert said in words(found)
    assert await desk.everything() == before


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"words": " "}, "A sentence is missing"),
        ({"words": "y" * 301}, "longer than 300"),
        ({"words": SAID, "cause": "sloth"}, "do not know that cause"),
        ({"words": "ana was ill."}, "Ana Abel could be known"),
        ({"words": "Waiting for Lena"}, "Lena Moder could be known"),
        ({"words": f"{small.name('fay').upper()} left."}, "Fay Moder could be known"),
    ],
)
async def test_a_comment_that_cannot_stand_is_refused_kindly(
    sqlite_desk: Desk, answers: dict[str, str], said: str
) -> None:
    found = await sqlite_desk.fill("lena", blank(values(sqlite_desk)), **answers)
    assert said in words(found)
    assert await kept(sqlite_desk) == []


async def test_who_left_the_team_during_the_period_is_not_named_either(sqlite_desk: Desk) -> None:
    assert "Lou Moder could be known" in words(await comment(sqlite_desk, said="Since Lou left.", period="2026-07"))


async def test_a_change_is_a_new_version_and_what_was_said_before_is_kept(desk: Desk) -> None:
    await comment(desk)
    sheet = await desk.ask("lena", f"/teamscore {WEEK}")
    form = await desk.press("lena", button(sheet, "Change comment", metric="nps"))
    assert isinstance(form, Form)
    assert form.inputs[0].value == SAID
    card = await desk.fill("lena", form, words="The mail was down.", cause="outage")
    assert "Comment (outage): The mail was down." in words(card)
    assert SAID not in words(card)
    team = f"team:{desk.teams['help-desk']}"
    assert await kept(desk) == [(team, SAID, 1), (team, "The mail was down.", 2)]


async def test_a_comment_is_taken_back_and_can_be_made_again(desk: Desk) -> None:
    await comment(desk)
    back = button(await desk.ask("lena", f"/teamscore {WEEK}"), "Take back", metric="nps")
    assert back.once
    card = await desk.opened("lena", back)
    assert SAID not in words(card)
    assert "Take back" not in [one.text for one in buttons(card)]
    assert "no comment to take back" in words(await desk.opened("lena", back))
    assert SAID not in words(await desk.ask("ana", f"/teamscore {WEEK}"))
    form = await desk.press("lena", button(card, "Comment", metric="nps"))
    assert isinstance(form, Form)
    assert (form.inputs[0].value, form.values["version"]) == ("", "2")
    assert "Mail." in words(await desk.fill("lena", form, words="Mail."))
    acts = await desk.rows("SELECT act FROM audit WHERE subject LIKE 'comment:%' ORDER BY id")
    assert [row[0] for row in acts] == ["comment made", "comment taken back", "comment made"]
    receipt = await desk.fill("lena", blank(values(desk), "3"), words="Mail again.")
    assert (await desk.opened("lena", button(receipt, "Take back"))).title == "Comment taken back"


async def test_of_many_at_the_same_moment_one_holds_and_the_others_are_told_and_lose_no_word(desk: Desk) -> None:
    wrote = [f"{number} short." for number in range(6)]
    given = [sent(desk, "lena" if i % 2 else "mara", blank(values(desk)), words=said) for i, said in enumerate(wrote)]
    found = await asyncio.gather(*given)
    assert sum(isinstance(one, Card) and one.title == "Comment kept" for one in found) == 1
    [(_, held, _)] = await kept(desk)
    by = await desk.one("SELECT name FROM person JOIN comment ON person.id = comment.by_id")
    for said, one in zip(wrote, found, strict=True):
        if isinstance(one, Form):
            assert f"Since you opened this: {by} said: {held}" in one.intro
            assert (one.inputs[0].value, one.values["version"]) == (said, "1")
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'comment made'") == 1
    last = next(one for one in found if isinstance(one, Form))
    assert (await desk.fill("lena", last, words="Having read that.")).title == "Comment kept"


@pytest.mark.parametrize("version", ["", "1", "2", "-1", "x", "999999999", "9999999999999"])
async def test_a_version_that_nobody_was_shown_changes_nothing(sqlite_desk: Desk, version: str) -> None:
    desk = sqlite_desk
    if version == "1":
        await comment(desk)
        await desk.fill("mara", blank(values(desk), "1"), words="The mail was down.")
    before = await desk.everything()
    form = await sent(desk, "lena", blank(values(desk), version), words=SAID)
    assert isinstance(form, Form)
    assert form.intro.startswith("Since you opened this: ")
    pressed = await desk.opened("lena", Button("", "comment_back", values(desk, version=version)))
    assert pressed.title == "Not this time"
    assert await desk.everything() == before


async def test_digests_of_the_period_show_it_by_name_in_private_and_by_office_in_the_channel(desk: Desk) -> None:
    team = f"team:{desk.teams['help-desk']}"
    await make(desk, due("lead_digest", team))
    await make(desk, due("team_digest", team, to="slack:C9"))
    count = await desk.one("SELECT count(*) FROM outbox WHERE key LIKE 'digest%'")
    lead = (await told(desk))[small.account("lena")]
    form = await desk.press("lena", button(lead, "Comment", metric="nps"))
    assert isinstance(form, Form)
    receipt = await desk.fill("lena", form, words=SAID)
    assert receipt.title == "Comment kept"
    after = await told(desk)
    assert f"Comment: {SAID} {small.name('lena')}, Wed 5 Aug." in words(after[small.account("lena")])
    assert button(after[small.account("lena")], "Change comment", metric="nps")
    channel = after["C9"]
    assert f"Comment: {SAID} The team's lead, Wed 5 Aug." in words(channel)
    assert not [key for key in small.EVERYBODY if small.name(key) in all_of(channel)]
    assert "comment_new" not in {one.route for one in buttons(channel)}
    assert await desk.one("SELECT count(*) FROM outbox WHERE key LIKE 'digest%'") == count, "in place, not anew"
    await desk.opened("lena", button(receipt, "Take back"))
    for card in (await told(desk)).values():
        assert SAID not in words(card)
    await make(desk, due("team_digest", team, to="slack:C8", day=small.THIS_WEEK + 7))
    assert SAID not in words((await told(desk))["C8"]), "the week after is another period"


async def test_an_amber_is_commented_on_from_the_leads_digest(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    card = (await told(desk))[small.account("lena")]
    ambers = [one for one in buttons(card) if one.text.startswith("Comment: ")]
    assert ambers
    form = await desk.press("lena", ambers[0])
    assert isinstance(form, Form)
    await desk.fill("lena", form, words=SAID)
    after = (await told(desk))[small.account("lena")]
    assert SAID in words(after)
    assert ambers[0].text.replace("Comment", "Change comment", 1) in [one.text for one in buttons(after)]


async def test_a_comment_on_a_figure_that_is_withheld_is_withheld_with_it(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["tiny"])
    made = await comment(desk, "tom", team="tiny", metric="csat")
    assert made.title == "Comment kept"
    assert SAID in words(await desk.ask("tom", f"/teamscore Tiny {WEEK}"))
    for who in ("ute", "zoe", "mara"):
        assert SAID not in words(await desk.ask(who, f"/teamscore Tiny {WEEK}")), who
    await make(desk, due("team_digest", f"team:{desk.teams['tiny']}", to="slack:C9"))
    assert SAID not in all_of((await told(desk))["C9"])
    before = await desk.everything()
    for given in (values(desk, "tiny", "csat", version="1"), values(desk, "tiny", "csat", version="7")):
        back = await desk.opened("zoe", Button("", "comment_back", given))
        assert "no comment to take back" in words(back), "nor is it told that there is one"
        assert "CSAT is not told for that period" in words(await desk.opened("zoe", Button("", "comment_new", given)))
        assert "CSAT is not told for that period" in words(await desk.fill("zoe", blank(given), words="Mail."))
    assert await desk.everything() == before
    night = await unhappy_night(desk)
    assert SAID in words(night), "all of the Night Shift agreed to be shown"


async def unhappy_night(desk: Desk) -> Card:
    await unhappy(desk, *small.WORKERS["night"])
    await comment(desk, "nora", team="night", metric="csat")
    return await desk.ask("wim", f"/teamscore {WEEK}")


async def test_a_month_repeats_the_newest_comments_of_its_weeks_where_it_missed_itself(desk: Desk) -> None:
    for week in ("2026-W28", "2026-W30", WEEK):
        assert (await comment(desk, said=f"Short in {week[-3:]}.", period=week)).title == "Comment kept"
    text = words(await desk.ask("lena", "/teamscore 2026-07"))
    newest, older = text.index("Comment on week 31: Short in W31."), text.index("Comment on week 30: Short in W30.")
    assert newest < older
    assert "W28" not in text
    await comment(desk, said="A hard month.", period="2026-07")
    text = words(await desk.ask("lena", "/teamscore 2026-07"))
    assert text.index("Comment: A hard month.") < text.index("Comment on week 31")
    assert "A hard month" not in words(await desk.ask("lena", f"/teamscore {WEEK}"))
    await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9", cadence="monthly"))
    assert "Comment on week 31: Short in W31. The team's lead" in words((await told(desk))["C9"])
    for table in ("rollup", "rollup_week"):
        nps = "SELECT id FROM metric WHERE name = 'nps'"
        await desk.change(f"UPDATE {table} SET num = den WHERE metric_id IN ({nps})")
    assert "Short in" not in words(await desk.ask("lena", "/teamscore 2026-07"))


async def test_a_month_tells_nothing_of_a_week_that_too_few_stand_behind(desk: Desk) -> None:
    for week in ("2026-W30", WEEK):
        assert (await comment(desk, said=f"Short in {week[-3:]}.", period=week)).title == "Comment kept"
    await withheld(desk)
    for who in ("ana", "mara", "zoe"):
        text = words(await desk.ask(who, "/teamscore Help Desk 2026-07"))
        assert "Comment on week 30: Short in W30." in text, who
        assert "W31" not in text, who
    assert "Short in W31." in words(await desk.ask("lena", "/teamscore 2026-07")), "its lead sees all of it"
    await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9", cadence="monthly"))
    assert "Short in W31." not in all_of((await told(desk))["C9"])


async def test_whoever_is_shown_no_comment_is_not_told_that_there_is_one(desk: Desk) -> None:
    await comment(desk)
    for table in ("rollup", "rollup_week"):
        nps = "SELECT id FROM metric WHERE name = 'nps'"
        await desk.change(f"UPDATE {table} SET num = den WHERE metric_id IN ({nps})")
    assert SAID not in words(await desk.ask("mara", f"/teamscore Help Desk {WEEK}"))
    before = await desk.everything()
    for version in ("0", "1", "7"):
        back = await desk.opened("mara", Button("", "comment_back", values(desk, version=version)))
        assert "no comment to take back" in words(back), version
    assert await desk.everything() == before


async def test_a_comment_on_the_desk_does_not_name_who_has_left_either(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for table in ("rollup", "rollup_week"):
        csat = "SELECT id FROM metric WHERE name = 'csat'"
        await desk.change(f"UPDATE {table} SET num = -den WHERE metric_id IN ({csat})")
    given = blank({"metric": "csat", "period": "2026-07"})
    assert "Lou Moder could be known" in words(await desk.fill("zoe", given, words="Since Lou left."))
    assert await kept(desk) == []


async def test_the_desks_figures_are_commented_on_by_leadership_and_read_by_everybody(desk: Desk) -> None:
    for table in ("rollup", "rollup_week"):
        csat = "SELECT id FROM metric WHERE name = 'csat'"
        await desk.change(f"UPDATE {table} SET num = -den WHERE metric_id IN ({csat})")
    month = {"metric": "csat", "period": "2026-07"}
    for who in ("lena", "mara", "ana", "adam"):
        before = await desk.everything()
        assert "commented on by" in words(await desk.fill(who, blank(month), words=SAID)), who
        assert await desk.everything() == before
    await make(desk, due("leadership_digest", "desk", cadence="monthly"))
    await make(desk, due("desk_page", "desk", cadence="monthly", to="slack:C1"))
    assert "could be known" in words(await desk.fill("zoe", blank(month), words="Since gus moder left."))
    form = await desk.press("zoe", button((await told(desk))[small.account("zoe")], "Comment", metric="csat"))
    assert isinstance(form, Form)
    await desk.fill("zoe", form, words=SAID, cause="short_staffing")
    after = await told(desk)
    assert f"Comment (short staffing): {SAID} {small.name('zoe')}" in words(after[small.account("zoe")])
    assert f"Comment (short staffing): {SAID} Leadership, Wed 5 Aug." in words(after["C1"])
    assert not [key for key in small.EVERYBODY if small.name(key) in all_of(after["C1"])]
    page = await desk.ask("ana", "/redfirst desk 2026-07")
    assert SAID in words(page)
    assert "comment_new" not in {one.route for one in buttons(page)}
    mine = await desk.ask("zoe", "/redfirst desk 2026-07")
    back = await desk.opened("zoe", button(mine, "Take back", metric="csat"))
    assert SAID not in words(back)


async def test_leadership_and_the_manager_above_comment_on_what_everybody_sees_of_a_team(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for who in ("mara", "zoe"):
        sheet = await desk.ask(who, f"/teamscore Help Desk {WEEK}")
        form = await desk.press(who, button(sheet, "Comment" if who == "mara" else "Change comment", metric="nps"))
        assert isinstance(form, Form)
        card = await desk.fill(who, form, words=f"As {'one' if who == 'mara' else 'two'} above sees it.")
        assert card.title == sheet.title
        assert "People" not in [one.text for one in buttons(card)], "no more of the team than before"
    assert "As two above sees it." in words(await desk.ask("lena", f"/teamscore {WEEK}"))


async def test_old_data_takes_comments_away_with_the_colours(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await comment(desk)
    await desk.change("UPDATE load SET as_of = :old, tickets_as_of = :old", old=small.AS_OF - 5 * small.A_DAY)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    card = (await told(desk))[small.account("lena")]
    assert "No colours until newer data is in." in words(card)
    assert SAID not in words(card)
    assert "comment_new" not in {one.route for one in buttons(card)}


async def test_what_a_comment_says_is_said_as_text(sqlite_desk: Desk) -> None:
    said = "<!channel> *bold* <script>x</script> https://evil.example"
    card = await comment(sqlite_desk, said=said)
    assert card.title == "Comment kept"
    assert (await kept(sqlite_desk))[0][1] == said


async def test_values_that_were_made_up_travel_no_further(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    forged = values(desk, card="2", person=str(desk.ids["ana"]), nonsense="x" * 500)
    form = await desk.press("lena", Button("", "comment_new", forged))
    assert isinstance(form, Form)
    assert form.values == {**values(desk), "version": "0"}
    other = replace(form, values={**form.values, "team": str(desk.teams["field"])})
    assert "commented on by" in words(await desk.fill("lena", other, words=SAID))
    assert await kept(desk) == []
