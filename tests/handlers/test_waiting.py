"""What waits for somebody is on their next digest, in a line each, and is not said again."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

import cards.card
import handlers.digests
import handlers.outgoing
import storage.deliveries
from bot.scheduler import REDFIRST
from cards.card import Button, Buttons, Card, Form, Text
from handlers.call import Ctx
from tests.handlers import desk as small
from tests.handlers import test_plans
from tests.handlers.desk import Desk, button, buttons, words
from tests.handlers.test_digests import MONDAY, away, context, due, make, told, unhappy

DONE = Button("Done", "plan_done", {"plan": "1", "version": "1"}, style="primary", once=True)


def thought(number: int, one: Button | None = DONE) -> Card:
    blocks = (Text("Long words."), *((Buttons((Button("Other", "help"), one)),) if one else ()))
    return Card(f"Thought {number}", blocks, f"Thought {number}: something to know.")


async def suggest(desk: Desk, who: str, key: str, card: Card) -> None:
    async with desk.store.write() as db:
        ctx = Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now))
        assert await handlers.outgoing.suggest(ctx, desk.ids[who], card, key)


async def states(desk: Desk) -> dict[str, tuple[str, str]]:
    rows = await desk.rows("SELECT key, state, problem FROM outbox ORDER BY id")
    return {row[0]: (row[1], row[2] or "") for row in rows if not row[0].startswith("digest|above|")}


async def lead(desk: Desk) -> Card:
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    return (await told(desk))[small.account("lena")]


async def newest(desk: Desk) -> Card:
    [body] = await desk.rows("SELECT body FROM outbox WHERE key LIKE 'digest|lead|%' AND person_id = :lena",
                             lena=desk.ids["lena"])  # fmt: skip
    found = cards.card.from_json(json.loads(body[0]))
    assert isinstance(found, Card)
    return found


async def test_what_waits_for_a_lead_is_on_their_digest_and_is_not_said_again(desk: Desk) -> None:
    for number in range(5):  # the budget is three: two wait for tomorrow
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await lead(desk)
    card = await newest(desk)
    text = words(card)
    assert "Also waiting for you" in text
    assert "Thought 3: something to know." in text
    assert "Thought 2" not in text
    assert "2 more messages are in it." in card.summary
    found = await states(desk)
    [digest] = [key for key in found if key.endswith(f"|{desk.ids['lena']}|{MONDAY * small.A_DAY + 9 * 3600}")]
    assert [found[f"thought:{number}"] for number in range(5)] == [
        ("due", ""), ("due", ""), ("due", ""),
        ("cancelled", f"Said in the digest {digest}."), ("cancelled", f"Said in the digest {digest}."),
    ]  # fmt: skip


async def test_the_most_useful_button_comes_along_and_leaves_the_digest_where_it_is(desk: Desk) -> None:
    for number in range(4):
        await suggest(desk, "lena", f"thought:{number}", thought(number, DONE if number == 3 else None))
    await lead(desk)
    done = button(await newest(desk), "Done")
    assert (done.route, done.once, done.style) == ("plan_done", True, "normal")
    await unhappy(desk, *small.WORKERS["help-desk"])
    await desk.change(
        "INSERT INTO plan (id, subject, metric, period, action, owner_id, due_day, state, outcome, moved, reason, "
        "blocker, opened_day, set_day, version) VALUES (1, 'desk', 'csat', '2026-W31', 'Ring.', :lena, :day, 'open', "
        "'', 0, '', '', :day, :day, 1)",
        lena=desk.ids["lena"], day=small.TODAY,
    )  # fmt: skip
    reply = await desk.dispatch.answer(desk.call("lena", "action", done.route, "", done.values))
    assert [(say.place, small.words(say.what).splitlines()[0]) for say in reply.says] == [("new", "Plan done")]


async def test_only_what_is_ones_own_and_waits_is_taken_in(desk: Desk) -> None:
    for who in ("lena", "leo"):
        for number in range(4):
            await suggest(desk, who, f"{who}:{number}", thought(number))
    await desk.change("UPDATE outbox SET attempts = 1 WHERE key = 'lena:2'")
    await lead(desk)
    found = {key: state for key, (state, _) in (await states(desk)).items()}
    assert [found[f"lena:{number}"] for number in range(4)] == ["due", "due", "due", "cancelled"]
    assert [found[f"leo:{number}"] for number in range(4)] == ["due"] * 4


async def test_a_message_that_was_posted_or_may_have_been_goes_its_own_way(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for number in range(7):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    tomorrow = "due_at > :now"
    now = int(desk.now.timestamp())
    await desk.change(f"UPDATE outbox SET reference = 'ts' WHERE key = 'thought:3' AND {tomorrow}", now=now)
    await desk.change(f"UPDATE outbox SET unsure = true WHERE key = 'thought:4' AND {tomorrow}", now=now)
    await desk.change(f"UPDATE outbox SET state = 'claimed' WHERE key = 'thought:5' AND {tomorrow}", now=now)
    await lead(desk)
    found = {key: state for key, (state, _) in (await states(desk)).items()}
    assert [found[f"thought:{number}"] for number in range(3, 7)] == ["due", "due", "claimed", "cancelled"]


async def test_what_is_about_ones_own_work_and_other_digests_go_on_waiting(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    keys = ("nudge:7", "focus:7:check:1", "talk:7:check:lead", "coach_note:7", "digest|manager|desk|2026-W31|7|8")
    for number, key in enumerate(("a", "b", "c", *keys)):
        await suggest(desk, "lena", key, thought(number))
    await lead(desk)
    assert "Also waiting" not in words(await newest(desk))
    found = await states(desk)
    assert {found[key][0] for key in keys} == {"due"}


async def test_what_was_taken_in_stays_on_a_digest_that_is_renewed(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    for number in range(4):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await lead(desk)
    async with desk.store.write() as db:
        await handlers.digests.renew(await context(desk, db), f"team:{desk.teams['help-desk']}")
    assert words(await newest(desk)).count("Thought 3: something to know.") == 1


async def test_what_was_taken_in_leaves_its_place_in_the_day_to_others_and_is_never_said_twice(desk: Desk) -> None:
    for number in range(6):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await lead(desk)
    await suggest(desk, "lena", "thought:3", thought(3))
    assert (await states(desk))["thought:3"][0] == "cancelled"
    tomorrow = datetime(2026, 8, 6, 9, 0, tzinfo=UTC)
    for number in range(6, 9):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    rows = await desk.rows("SELECT due_at FROM outbox WHERE key IN ('thought:6', 'thought:7', 'thought:8')")
    assert [datetime.fromtimestamp(row[0], UTC) for row in rows] == [tomorrow] * 3


async def test_more_than_a_digest_has_room_for_goes_on_waiting(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for number in range(14):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await lead(desk)
    found = [state for key, (state, _) in (await states(desk)).items() if key.startswith("thought:")]
    assert found == ["due"] * 3 + ["cancelled"] * 8 + ["due"] * 3
    done = [one.text for one in buttons(await newest(desk)) if "Done" in one.text]
    assert done == [f"{number}. Done" for number in range(1, 9)]


async def test_a_digest_that_will_not_be_said_takes_nothing_in(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    desk.now = small.NOW - timedelta(days=2)
    await away(desk, "lena", MONDAY, MONDAY + 18)
    await suggest(desk, "lena", "thought:1", thought(1))
    await lead(desk)
    assert (await states(desk))["thought:1"] == ("due", "")


async def test_what_a_digest_had_taken_in_that_was_never_said_is_on_the_next_one(desk: Desk) -> None:
    for number in range(5):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await lead(desk)
    await desk.change("UPDATE outbox SET state = 'expired' WHERE key LIKE 'digest|lead|%'")
    await desk.change("UPDATE outbox SET state = 'sent', reference = 'ts' WHERE key IN ('thought:0', 'thought:1')")
    desk.now += timedelta(days=5)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=MONDAY + 7))
    rows = await desk.rows("SELECT body FROM outbox WHERE key LIKE 'digest|lead|%' AND person_id = :lena ORDER BY id",
                           lena=desk.ids["lena"])  # fmt: skip
    assert [[f"Thought {number}:" in row[0] for row in rows] for number in (2, 3, 4)] == [
        [False, False], [True, True], [True, True],
    ]  # fmt: skip
    found = await states(desk)
    assert {found[f"thought:{number}"][0] for number in (3, 4)} == {"cancelled"}
    assert found["thought:2"][0] == "due", "its time has come, and it goes its own way"
    assert found["thought:3"][1] != found["thought:0"][1]


async def test_what_a_digest_has_said_is_not_given_back(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for number in range(5):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await lead(desk)
    await desk.change("UPDATE outbox SET state = 'sent', reference = 'ts' WHERE key LIKE 'digest|lead|%'")
    desk.now += timedelta(days=5)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=MONDAY + 7))
    found = await states(desk)
    assert {found[f"thought:{number}"] for number in (3, 4)} == {found["thought:3"]}
    assert "2026-W31" in found["thought:3"][1]


@pytest.mark.parametrize("what", ["done", "handed"])
@pytest.mark.parametrize("said", [True, False])
async def test_a_reminder_that_a_digest_took_in_is_on_none_when_there_is_nothing_to_remind_of(
    desk: Desk, what: str, said: bool
) -> None:
    await test_plans.add(desk, owner="lena", team="help-desk")
    await desk.change("DELETE FROM outbox")
    for number in range(3):  # the day is full
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await suggest(desk, "lena", f"plan:1:remind:{test_plans.DUE}", thought(7))
    await suggest(desk, "lena", "plan:1:gone:5:6", thought(8))
    await suggest(desk, "lena", "plan:11:remind:5", thought(9))
    await lead(desk)
    assert [f"Thought {number}:" in words(await newest(desk)) for number in (7, 8, 9)] == [True] * 3
    if what == "done":
        await desk.press("lena", Button("", "plan_done", test_plans.seen()))
    else:
        form = await desk.press("lena", Button("", "plan_hand", test_plans.seen()))
        assert isinstance(form, Form)
        await desk.fill("lena", form, owner=str(desk.ids["eli"]))
    assert [f"Thought {number}:" in words(await newest(desk)) for number in (7, 8, 9)] == [False, False, True]
    if said:
        return
    await desk.change("UPDATE outbox SET state = 'expired' WHERE key LIKE 'digest|lead|%'")
    desk.now += timedelta(days=5)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=MONDAY + 7))
    [second] = await desk.rows("SELECT body FROM outbox WHERE key LIKE 'digest|lead|%' AND person_id = :lena "
                               "AND state = 'due'", lena=desk.ids["lena"])  # fmt: skip
    assert [f"Thought {number}:" in second[0] for number in (7, 8, 9)] == [False, False, True]
    assert (await states(desk))[f"plan:1:remind:{test_plans.DUE}"] == ("cancelled", "Called off.")


async def test_a_message_is_on_no_digest_that_is_said_after_its_own_time(desk: Desk) -> None:
    """One that waits for the digest's day, and one that a digest had taken in that was never said."""
    for number in range(6):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    then = int((desk.now + timedelta(days=2)).timestamp())
    await desk.change("UPDATE outbox SET expires_at = :then WHERE key IN ('thought:3', 'thought:4')", then=then)
    await desk.change("UPDATE outbox SET due_at = :then WHERE key = 'thought:4'", then=then + 5 * small.A_DAY)
    await desk.change("UPDATE outbox SET expires_at = :then WHERE key = 'thought:5'", then=then + 90 * small.A_DAY)
    await lead(desk)
    assert [f"Thought {number}:" in words(await newest(desk)) for number in (3, 4, 5)] == [True, True, True]
    await desk.change("UPDATE outbox SET state = 'expired' WHERE key LIKE 'digest|lead|%'")
    await suggest(desk, "lena", "thought:6", thought(6))
    late = int((desk.now + timedelta(days=8)).timestamp())
    await desk.change("UPDATE outbox SET due_at = :late, expires_at = :end WHERE key = 'thought:6'",
                      late=late, end=int((desk.now + timedelta(days=4)).timestamp()))  # fmt: skip
    desk.now += timedelta(days=5)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=MONDAY + 7))
    [second] = await desk.rows("SELECT body FROM outbox WHERE key LIKE 'digest|lead|%' AND person_id = :lena "
                               "AND state = 'due'", lena=desk.ids["lena"])  # fmt: skip
    assert [f"Thought {number}:" in second[0] for number in (3, 4, 5, 6)] == [False, False, True, False]
    assert {(await states(desk))[f"thought:{number}"][0] for number in (3, 4)} == {"cancelled"}


async def test_of_what_was_never_said_and_finds_no_room_no_more_than_a_days_messages_is_said_at_once(
    sqlite_desk: Desk,
) -> None:
    """The rest is on the next digest, and none of it is lost or said twice."""
    desk = sqlite_desk

    async def thoughts() -> dict[str, tuple[str, str]]:
        return {key: found for key, found in (await states(desk)).items() if key.startswith("thought:")}

    async def digest(monday: int) -> None:
        await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=monday))

    for number in range(25):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await digest(MONDAY)
    await digest(MONDAY + 7)
    await desk.change("UPDATE outbox SET state = 'sent', reference = 'ts' WHERE key LIKE 'thought:%' AND state = 'due'")
    before = await thoughts()
    assert [state for state, _ in before.values()].count("cancelled") == 16
    await desk.change("UPDATE outbox SET state = 'expired' WHERE key LIKE 'digest|lead|%'")
    await digest(MONDAY + 14)
    found = await thoughts()
    at_once = [key for key, one in found.items() if one == ("due", "")]
    assert len(at_once) == 3
    assert sum("|2026-W33|" in why for _, why in found.values()) == 8
    assert {key for key, (state, _) in found.items() if state == "cancelled"} | set(at_once) == {
        key for key, (state, _) in before.items() if state == "cancelled"
    }
    await desk.change("UPDATE outbox SET state = 'sent', reference = 'ts' WHERE state = 'due'")
    await digest(MONDAY + 21)
    assert sum("|2026-W34|" in why for _, why in (await thoughts()).values()) == 5


async def test_the_digest_of_a_channel_takes_nothing_in(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for number in range(5):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9"))
    assert {state for state, _ in (await states(desk)).values()} == {"due"}


async def test_of_a_delivery_and_a_digest_at_the_same_moment_one_says_it(desk: Desk) -> None:
    """Messages whose time comes while a digest is made: each is claimed or taken in, and never both."""
    for number in range(8):
        await suggest(desk, "lena", f"thought:{number}", thought(number))
    then = int((desk.now + timedelta(days=3)).timestamp())

    async def deliver() -> list[str]:
        async with desk.store.write() as db:
            rows = await storage.deliveries.claim(db, ["slack"], ["slack"], then, then + 60, 50)
            await asyncio.sleep(0.05)
            return [row.key for row in rows]

    claimed, _ = await asyncio.gather(deliver(), lead(desk))
    cancelled = [key for key, (state, _) in (await states(desk)).items() if state == "cancelled"]
    assert not set(claimed) & set(cancelled)
    told_in_it = words(await newest(desk))
    for number in range(3, 8):
        assert (f"Thought {number}:" in told_in_it) is (f"thought:{number}" in cancelled)
        assert f"thought:{number}" in claimed or f"thought:{number}" in cancelled
