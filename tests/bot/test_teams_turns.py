"""What a Teams activity asks, and where the answer goes: recorded activities, a real server, a fake connector."""

from __future__ import annotations

from typing import Any

import pytest

from cards.card import Button, Buttons, Card, Form, Input, Text
from handlers.call import Call, Reply, Say, Where
from storage.db import Store
from tests.bot.teams_desk import ADAPTIVE, CHANNEL, CHAT, SCORE, THREAD, WORDS, Desk, known, say, titles
from tests.bot.teams_desk import desk as desk
from tests.bot.teams_desk import fake as fake
from tests.bot.teams_desk import store as store
from tests.bot.teams_desk import teams as teams
from tests.fakes.teams import ACCOUNT, APP, TENANT, Served, recorded

GROUP = recorded("group_mention")["conversation"]["id"]
DANA_IN_TEAMS = recorded("personal_message")["from"]["id"]
TEAM = Card("Team score", (Text("Green: 4"),), "Team score")
ASK = Form("Not mine?", "correction.send", (Input("reason", "Why?"),), values={"ticket": "INC0001"})


# Words


async def test_a_message_in_the_chat_is_answered_there_by_a_card(teams: Served, desk: Desk) -> None:
    status, _ = await say(teams, "personal_message")
    assert status == 200
    [call] = desk.calls
    assert call == Call(
        name="",
        account=ACCOUNT,
        where=Where("teams", TENANT, CHAT, private=True),
        key=f"teams:{CHAT}:1777885951461",
        kind="message",
        text="myscore last week",
    )
    [posted] = teams.fake.posted
    assert (posted.method, posted.conversation, titles(posted)) == ("POST", CHAT, ["Your score"])
    assert posted.activity["summary"] == "Your score: one red"
    assert "text" not in posted.activity


async def test_the_mention_of_the_bot_is_not_part_of_what_was_said(teams: Served, desk: Desk) -> None:
    await say(teams, "channel_mention")
    await say(teams, "group_mention")
    assert [c.text for c in desk.calls] == ["myscore why CSAT", "teamscore, please ask Sam Lee"]
    assert [c.where for c in desk.calls] == [
        Where("teams", TENANT, CHANNEL, private=False),
        Where("teams", TENANT, GROUP, private=False),
    ]


@pytest.mark.parametrize(
    ("text", "mention", "said"),
    [
        ("<at>Redfirst</at> tell me about Redfirst", "<at>Redfirst</at>", "tell me about Redfirst"),
        ("myscore <at>R.*</at>", "<at>R.*</at>", "myscore"),
        ("<at>(((</at> myscore", "<at>(((</at>", "myscore"),
        ("<at>Redfirst</at>", "<at>Redfirst</at>", ""),
        ("a &amp; b", "<at>Redfirst</at>", "a & b"),
    ],
)
async def test_only_the_mention_goes(text: str, mention: str, said: str, teams: Served, desk: Desk) -> None:
    entity = {"type": "mention", "mentioned": {"id": f"28:{APP}"}, "text": mention}
    await say(teams, "group_mention", text=text, entities=[entity, {}, {"type": "mention"}])
    assert desk.calls[0].text == said


async def test_the_answer_to_a_channel_goes_to_the_askers_own_chat(teams: Served) -> None:
    await say(teams, "install_personal")
    teams.fake.posted.clear()
    await say(teams, "channel_mention")
    private, public = teams.fake.posted
    assert (private.conversation, titles(private)) == (CHAT, ["Your score"])
    assert (public.conversation, public.text, public.cards) == (THREAD, "I sent you a private message.", [])


async def test_a_chat_that_is_not_known_is_opened_and_kept(teams: Served, store: Store) -> None:
    await say(teams, "channel_mention")
    await say(teams, "channel_mention", id="another")
    [created] = teams.fake.created
    assert created["members"] == [{"id": DANA_IN_TEAMS}]
    assert (created["tenantId"], created["bot"]) == (TENANT, {"id": f"28:{APP}"})
    assert [p.conversation for p in teams.fake.posted] == ["a:1-opened", THREAD, "a:1-opened", THREAD]
    kept = await known(store, f"{TENANT}/a:1-opened")
    assert kept is not None
    assert kept.account == ACCOUNT


async def test_without_a_chat_of_their_own_people_are_told_how_to_open_one(teams: Served) -> None:
    teams.fake.without_app.add(DANA_IN_TEAMS)
    status, _ = await say(teams, "channel_mention")
    assert status == 200
    [public] = teams.fake.posted
    assert (public.conversation, titles(public)) == (THREAD, ["Open our chat first"])
    assert "CSAT" not in str(public.activity)


async def test_a_chat_that_was_closed_is_no_reason_to_answer_in_public(teams: Served) -> None:
    await say(teams, "install_personal")
    teams.fake.posted.clear()
    teams.fake.closed.add(CHAT)
    await say(teams, "channel_mention")
    [public] = teams.fake.posted
    assert titles(public) == ["Open our chat first"]


async def test_what_is_public_goes_to_the_channel_and_nothing_is_added(teams: Served, desk: Desk) -> None:
    desk.reply = Reply((Say(TEAM, "public"),))
    await say(teams, "channel_mention")
    desk.reply = Reply((Say(SCORE), Say(TEAM, "public")))
    await say(teams, "channel_mention", id="another")
    assert [(p.conversation, titles(p)) for p in teams.fake.posted] == [
        (THREAD, ["Team score"]),
        ("a:1-opened", ["Your score"]),
        (THREAD, ["Team score"]),
    ]


async def test_an_activity_sent_again_is_not_answered_again(teams: Served) -> None:
    assert (await say(teams, "personal_message"))[0] == 200
    assert (await say(teams, "personal_message")) == (200, None)
    assert len(teams.fake.posted) == 1


async def test_the_same_id_in_another_chat_is_another_message(teams: Served, desk: Desk) -> None:
    await say(teams, "personal_message")
    other = teams.fake.activity("personal_message")
    other["conversation"]["id"] = "a:another"
    await teams.send(other)
    assert len({c.key for c in desk.calls}) == 2


async def test_the_bot_does_not_answer_itself(teams: Served, desk: Desk) -> None:
    await say(teams, "personal_message", **{"from": recorded("personal_message")["recipient"]})
    assert desk.calls == []


async def test_somebody_without_an_account_is_told_so(teams: Served, desk: Desk) -> None:
    guest = {"id": "29:guest", "name": "Guest"}
    status, _ = await say(teams, "group_mention", **{"from": guest})
    assert status == 200
    assert (await say(teams, "action", **{"from": guest}))[1]["type"] == WORDS
    assert desk.calls == []
    assert [p.text for p in teams.fake.posted] == ["I can only answer people who are signed in to this organisation."]


async def test_a_reaction_asks_nothing(teams: Served, desk: Desk) -> None:
    assert await say(teams, "reaction") == (200, None)
    assert desk.calls == []


# Buttons


async def test_a_pressed_button_changes_its_card_in_the_answer(teams: Served, desk: Desk) -> None:
    desk.reply = Reply.card(SCORE, update=True)
    status, said = await say(teams, "action")
    assert (status, said["statusCode"], said["type"]) == (200, 200, ADAPTIVE)
    assert said["value"]["body"][0]["text"] == "Your score"
    [call] = desk.calls
    assert (call.kind, call.name, dict(call.values)) == ("action", "scorecard.period", {"period": "2026-W17"})
    assert teams.fake.posted == []


async def test_a_new_message_answers_a_button_too(teams: Served, desk: Desk) -> None:
    _, said = await say(teams, "action")
    assert (said["type"], said["value"]) == (WORDS, "The answer is in a new message.")
    assert [titles(p) for p in teams.fake.posted] == [["Your score"]]


async def test_a_private_card_never_answers_a_button_in_a_channel(teams: Served, desk: Desk) -> None:
    await say(teams, "install_personal")
    teams.fake.posted.clear()
    for place in ("update", "new"):
        desk.reply = Reply((Say(SCORE, "private", place),))  # type: ignore[arg-type]
        _, said = await say(teams, "channel_action", id=place)
        assert (said["type"], said["value"]) == (WORDS, "I sent you a private message.")
    assert [p.conversation for p in teams.fake.posted] == [CHAT, CHAT]


async def test_a_button_in_a_channel_of_somebody_without_a_chat_says_how_to_open_one(teams: Served) -> None:
    teams.fake.without_app.add(DANA_IN_TEAMS)
    _, said = await say(teams, "channel_action")
    assert said["type"] == WORDS
    assert "Open the chat with me" in said["value"]
    assert teams.fake.posted == []


async def test_a_public_change_is_seen_by_all(teams: Served, desk: Desk) -> None:
    desk.reply = Reply((Say(TEAM, "public", "update"),))
    _, said = await say(teams, "channel_action")
    assert said["type"] == ADAPTIVE
    [update] = teams.fake.posted
    assert (update.method, update.conversation, update.message) == ("PUT", THREAD, "1777885963110")


async def test_old_clients_press_by_a_message(teams: Served, desk: Desk) -> None:
    desk.reply = Reply.card(SCORE, update=True)
    assert await say(teams, "submit_message") == (200, None)
    [call] = desk.calls
    assert (call.kind, call.name, dict(call.values)) == ("action", "scorecard.period", {"period": "2026-W17"})
    [update] = teams.fake.posted
    assert (update.method, update.message, titles(update)) == ("PUT", "1777885952001", ["Your score"])


async def test_values_come_back_as_text(teams: Served, desk: Desk) -> None:
    data = {"yes": True, "n": 3, "x": 1.5, "none": None, "list": [1], "object": {}, "text": "a\ud800b", "msteams": {}}
    await say(teams, "action", value={"action": {"verb": "go", "data": data}})
    assert dict(desk.calls[0].values) == {"yes": "true", "n": "3", "x": "1.5", "text": "a?b"}


def press(name: str, nonce: str | None, **data: str) -> dict[str, Any]:
    return {"action": {"verb": name, "data": {"_verb": name, **data, **({"_n": nonce} if nonce else {})}}}


async def test_a_button_for_one_press_acts_once(teams: Served, desk: Desk) -> None:
    approve, decline = press("approve", "abc", case="1"), press("approve", "abc", case="2")
    assert (await say(teams, "action", id="f:1", value=approve))[1]["value"] == "The answer is in a new message."
    _, again = await say(teams, "action", id="f:2", value=approve)
    assert (again["type"], again["value"]) == (WORDS, "That is done already; nothing was done twice.")
    await say(teams, "action", id="f:3", value=decline)
    assert len(teams.fake.posted) == 2
    assert all(c.key.startswith("teams:n:abc:") and len(c.key) <= 300 for c in desk.calls)


async def test_nobody_can_use_up_the_press_of_another(teams: Served, desk: Desk) -> None:
    await say(teams, "action", id="f:1", value=press("approve", "abc"))
    other = {**recorded("action")["from"], "aadObjectId": "0b081ef6-4792-4def-b2c9-c363a1bf41d5"}
    await say(teams, "action", id="f:2", value=press("approve", "abc"), **{"from": other})
    assert len({c.key for c in desk.calls}) == 2


async def test_turning_pages_back_and_forth_is_no_duplicate(teams: Served, desk: Desk) -> None:
    for n in range(3):
        await say(teams, "action", id=f"f:{n}")
    assert len({c.key for c in desk.calls}) == 3
    assert len(teams.fake.posted) == 3


async def test_a_card_sent_again_carries_the_same_mark_and_another_card_another(teams: Served, desk: Desk) -> None:
    once = Card("Decide", (Buttons((Button("Approve", "approve", once=True),)),), "Decide")
    chat = f"{TENANT}/{CHAT}"
    await say(teams, "install_personal")
    teams.fake.posted.clear()
    for key in ("k1", "k1", "k2"):
        await teams.edge.post(chat, once, key)
    marks = [p.cards[0]["body"][-1]["actions"][0]["data"]["_n"] for p in teams.fake.posted]
    assert marks[0] == marks[1] != marks[2]


async def test_an_invoke_nobody_knows_is_not_found(teams: Served, desk: Desk) -> None:
    assert (await say(teams, "action", name="composeExtension/query"))[0] == 404
    assert desk.calls == []


# Forms


async def test_a_form_is_posted_as_a_card_and_comes_back_as_a_form(teams: Served, desk: Desk) -> None:
    desk.reply = Reply.card(ASK)
    await say(teams, "personal_message")
    [posted] = teams.fake.posted
    [submit] = posted.cards[0]["actions"]
    await say(teams, "submit_message", value={**submit["data"], "reason": "night shift"})
    call = desk.calls[-1]
    assert (call.kind, call.name) == ("form", "correction.send")
    assert dict(call.values) == {"ticket": "INC0001", "reason": "night shift"}


async def test_a_dialog_opens_with_the_form_and_ends_with_its_answer(teams: Served, desk: Desk) -> None:
    desk.reply = Reply.card(ASK)
    _, opened = await say(teams, "task_fetch")
    assert opened["task"]["type"] == "continue"
    shown = opened["task"]["value"]
    assert (shown["title"], shown["card"]["contentType"]) == ("Not mine?", ADAPTIVE)
    assert all(action["type"] == "Action.Submit" for action in shown["card"]["content"]["actions"])
    desk.reply = Reply.card(Card("Thank you", (Text("Your lead will look at it."),), "Thank you"))
    _, ended = await say(teams, "task_submit")
    assert ended["task"]["value"]["card"]["content"]["body"][0]["text"] == "Thank you"
    fetched, sent = desk.calls
    assert (fetched.kind, fetched.name, dict(fetched.values)) == ("action", "correction.ask", {"ticket": "INC0001"})
    assert (sent.kind, sent.name) == ("form", "correction.send")
    assert teams.fake.posted == []


async def test_a_dialog_sent_twice_ends_with_words(teams: Served) -> None:
    await say(teams, "task_submit")
    _, again = await say(teams, "task_submit")
    assert again == {"task": {"type": "message", "value": "That is done already; nothing was done twice."}}
