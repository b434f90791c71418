"""Slack's edge: every kind of request becomes a call, every kind of reply goes the way Slack allows for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from cards.card import Button, Buttons, Card, Form, Input, Point, Table, Text, Trend
from handlers.call import Call, Reply, Say
from tests.fakes.slack import ACCOUNT, DANA, Desk, Planned, recorded, workspace

SCORE = Card(
    "Your scorecard",
    (
        Text("All is well."),
        Table(("Metric", "Value"), (("Customer satisfaction", "4.6"),)),
        Trend("Satisfaction", (Point("W30", 4.4), Point("W31", 4.6)), "of 5", "4.4, then 4.6"),
        Buttons((Button("Why", "why", {"metric": "csat"}), Button("Approve", "approve", {"id": "7"}, once=True))),
    ),
    "All is well.",
    "green",
)
PUBLIC = Card("Sent", (Text("I sent you a private message."),), "I sent you a private message.")
FORM = Form("Leave it out", "correction.send", (Input("reason", "Why?", "multiline"),), values={"ticket": "INC001"})


def words(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False)


async def test_a_command_is_answered_in_the_acknowledgement_and_only_the_asker_sees_it() -> None:
    desk = Desk(Reply.card(SCORE))
    async with workspace(desk) as slack:
        status, body = await slack.recorded("command")
        said = slack.slack.calls
    (call,) = desk.calls
    assert (call.kind, call.name, call.text, call.account) == ("command", "myscore", "last week", ACCOUNT)
    assert (call.where.space, call.where.channel, call.where.private) == ("T0001", "C2147483705", False)
    assert call.key == "slack:13345224609.738474920.8088930838d88f008e0"
    assert not call.later
    assert (status, body["response_type"], body["text"]) == (200, "ephemeral", "All is well.")
    assert "Customer satisfaction" in words(body["blocks"])
    assert [c.method for c in said] == ["auth.test"]


async def test_a_renamed_command_is_known_by_the_products_word() -> None:
    desk = Desk()
    async with workspace(desk) as slack:
        await slack.recorded("command", command="/Desk", text="whoami &amp; why &lt;now&gt;")
        await slack.recorded("command", command="/elsewhere")
    assert [c.name for c in desk.calls] == ["redfirst", "elsewhere"]
    assert desk.calls[0].text == "whoami & why <now>"


async def test_a_private_answer_may_come_with_a_public_one() -> None:
    async with workspace(Desk(Reply((Say(PUBLIC, "public"), Say(SCORE))))) as slack:
        _, body = await slack.recorded("command")
        (posted,) = await slack.slack.until("response_url")
    assert body["response_type"] == "ephemeral"
    assert "Customer satisfaction" in words(body)
    assert posted["response_type"] == "in_channel"
    assert "Customer satisfaction" not in words(posted)


async def test_a_public_answer_alone_is_the_acknowledgement() -> None:
    async with workspace(Desk(Reply((Say(PUBLIC, "public"),)))) as slack:
        _, body = await slack.recorded("command")
    assert body["response_type"] == "in_channel"


async def test_a_duplicate_is_acknowledged_with_nothing() -> None:
    async with workspace(Desk()) as slack:
        for name in ("command", "action", "submission", "message", "home"):
            assert await slack.recorded(name) == (200, "")
        said = slack.slack.calls
    assert [c.method for c in said] == ["auth.test"]


async def test_who_the_bot_is_is_asked_once() -> None:
    desk = Desk(*[Reply.card(SCORE)] * 20)
    async with workspace(desk) as slack:
        await asyncio.gather(*(slack.recorded("command") for _ in range(20)))
        assert len(slack.slack.said("auth.test")) == 1
    assert len(desk.calls) == 20


async def test_a_button_is_answered_at_the_response_address() -> None:
    desk = Desk(Reply.card(SCORE, update=True), Reply.card(SCORE))
    async with workspace(desk) as slack:
        assert await slack.recorded("action") == (200, "")
        await slack.slack.until("response_url")
        await slack.recorded("action")
        first, second = await slack.slack.until("response_url", 2)
    call = desk.calls[0]
    assert (call.kind, call.name, dict(call.values)) == ("action", "why", {"metric": "csat", "period": "2026-W31"})
    assert call.key == "slack:12466734323.1395872398.1238ab7d"
    assert (first["replace_original"], first["response_type"]) == (True, "ephemeral")
    assert (second["replace_original"], second["response_type"]) == (False, "ephemeral")


async def test_a_private_card_never_replaces_a_message_that_others_see() -> None:
    async with workspace(Desk(Reply.card(SCORE, update=True))) as slack:
        await slack.recorded("action", container={"type": "message", "is_ephemeral": False})
        (body,) = await slack.slack.until("response_url")
    assert (body["replace_original"], body["response_type"]) == (False, "ephemeral")


@pytest.mark.parametrize(("channel", "ours"), [("D2147483697", True), ("D0OTHERS", False)])
async def test_only_in_its_own_chat_with_the_person_does_a_private_card_stay_in_place(channel: str, ours: bool) -> None:
    async with workspace(Desk(Reply.card(SCORE, update=True))) as slack:
        await slack.recorded("action", container={"is_ephemeral": False}, channel={"id": channel})
        (body,) = await slack.slack.until("response_url")
        assert slack.slack.said("conversations.open") == [{"users": DANA}]
    assert (body["replace_original"], body["response_type"]) == ((True, "in_channel") if ours else (False, "ephemeral"))


async def test_a_button_to_press_once_brings_its_nonce_as_the_key() -> None:
    desk = Desk(Reply.card(SCORE))
    async with workspace(desk) as slack:
        _, body = await slack.recorded("command")
        approve = next(e for b in body["blocks"] if b["type"] == "actions" for e in b["elements"] if "_n" in e["value"])
        pressed = {"type": "button", "action_id": approve["action_id"], "value": approve["value"]}
        for trigger in ("1.1.a", "2.2.b"):
            await slack.recorded("action", actions=[pressed], trigger_id=trigger)
    first, second = desk.calls[1:]
    assert first.key == second.key == "slack:n:nonce-1:1"
    assert dict(first.values) == {"id": "7"}


async def test_two_buttons_of_one_card_are_not_taken_for_each_other() -> None:
    desk = Desk()
    async with workspace(desk) as slack:
        for index in (0, 1):
            pressed = {"type": "button", "action_id": f"go:approve:{index}", "value": '{"_n":"same"}'}
            await slack.recorded("action", actions=[pressed])
    assert len({c.key for c in desk.calls}) == 2


@pytest.mark.parametrize("value", ["", "[]", "null", "{", '{"a":1,"b":[],"c":null}', '"text"', "[" * 1900])
async def test_a_button_with_other_values_than_ours_carries_nothing(value: str) -> None:
    desk = Desk()
    async with workspace(desk) as slack:
        pressed = {"type": "button", "action_id": "go:why:0", "value": value}
        assert await slack.recorded("action", actions=[pressed]) == (200, "")
    assert dict(desk.calls[0].values) == {}


async def test_a_link_that_was_followed_asks_for_nothing() -> None:
    desk = Desk()
    async with workspace(desk) as slack:
        assert await slack.recorded("action", actions=[{"type": "button", "action_id": "open:1"}]) == (200, "")
    assert desk.calls == []


async def test_somebody_of_a_connected_workspace_is_another_account() -> None:
    desk = Desk()
    async with workspace(desk) as slack:
        await slack.recorded("action", user={"id": DANA, "team_id": "T0EVIL"})
    assert desk.calls[0].account == f"slack:T0EVIL/{DANA}"


@pytest.mark.parametrize("name", ["command", "action"])
async def test_a_form_is_opened_and_its_answers_come_back_as_a_call(name: str) -> None:
    desk = Desk(Reply.card(FORM), Reply.card(SCORE, update=True))
    async with workspace(desk) as slack:
        assert await slack.recorded(name) == (200, "")
        (opened,) = await slack.slack.until("views.open")
        assert opened["trigger_id"] == recorded(name)["trigger_id"]
        view = recorded("submission")["view"] | {
            "callback_id": opened["view"]["callback_id"], "private_metadata": opened["view"]["private_metadata"],
        }
        status, body = await slack.recorded("submission", view=view)
        (answered,) = await slack.slack.until("response_url")
    call = desk.calls[1]
    assert (call.kind, call.name, call.account) == ("form", "correction.send", ACCOUNT)
    assert dict(call.values) == {
        "ticket": "INC001", "kind": "not_mine", "reason": "It was reassigned before I saw it.",
    }
    assert call.key == "slack:v:VHU315V5G:156772938.1827394"
    assert call.where.channel == "C2147483705"
    assert (status, body) == (200, {"response_action": "clear"})
    # the card that was pressed was only theirs; what a command said stands
    assert answered["replace_original"] is (name == "action")


async def test_a_form_may_be_answered_with_a_form() -> None:
    async with workspace(Desk(Reply.card(FORM))) as slack:
        _, body = await slack.recorded("submission")
    assert (body["response_action"], body["view"]["callback_id"]) == ("update", "form:correction.send")


async def test_a_form_whose_place_is_unknown_is_answered_in_the_private_chat() -> None:
    async with workspace(Desk(Reply.card(SCORE))) as slack:
        await slack.recorded("submission")
        (posted,) = await slack.slack.until("chat.postMessage")
    assert posted["channel"] == DANA  # Slack opens the private chat


@pytest.mark.parametrize("metadata", ["", "{", "[]", '{"values":7}', '{"values":{},"private":"[1,2,3,4]"}', "null"])
async def test_a_form_with_foreign_metadata_has_no_values_but_its_answers(metadata: str) -> None:
    desk = Desk()
    async with workspace(desk) as slack:
        view = recorded("submission")["view"] | {"private_metadata": metadata}
        assert await slack.recorded("submission", view=view) == (200, "")
    assert set(desk.calls[0].values) == {"kind", "reason"}


async def test_a_form_that_slack_does_not_open_is_said_so() -> None:
    async with workspace(Desk(Reply.card(FORM))) as slack:
        slack.slack.plan("views.open", Planned({"ok": False, "error": "expired_trigger_id"}))
        await slack.recorded("action")
        (body,) = await slack.slack.until("response_url")
    assert (body["response_type"], body["replace_original"]) == ("ephemeral", False)
    assert "try again" in body["text"]


async def test_a_message_in_the_private_chat_is_answered_later() -> None:
    desk = Desk(Reply.card(SCORE))
    async with workspace(desk) as slack:
        assert await slack.recorded("message") == (200, "")
        said = slack.slack.calls
    (call,) = desk.calls
    assert (call.kind, call.later, call.name, call.text) == ("message", True, "", "myscore last week")
    assert (call.account, call.key, call.where.channel) == (ACCOUNT, "slack:Ev0PV52K25", "D024BE91L")
    assert call.where.private
    assert [c.method for c in said] == ["auth.test"]


@pytest.mark.parametrize(
    "changes",
    [
        {"bot_id": "B0001"}, {"subtype": "bot_message"}, {"subtype": "message_changed"}, {"user": "U0BOT"},
        {"channel_type": "channel"}, {"subtype": "message_deleted"}, {"type": "reaction_added"},
    ],
)
async def test_bots_edits_and_what_is_said_elsewhere_are_not_for_us(changes: dict[str, str]) -> None:
    desk = Desk()
    async with workspace(desk) as slack:
        event = recorded("message")["event"] | changes
        assert await slack.recorded("message", event=event) == (200, "")
    assert desk.calls == []


async def test_the_home_tab_is_published_and_other_tabs_are_not() -> None:
    desk = Desk(Reply.card(SCORE))
    async with workspace(desk) as slack:
        await slack.recorded("home")
        (body,) = await slack.slack.until("views.publish")
        await slack.recorded("home", event=recorded("home")["event"] | {"tab": "messages"})
    (call,) = desk.calls
    assert (call.kind, call.name, call.where.private) == ("home", "home", True)
    assert (body["user_id"], body["view"]["type"]) == (DANA, "home")


async def test_a_button_of_the_home_tab_is_answered_there() -> None:
    desk = Desk(Reply.card(SCORE))
    async with workspace(desk) as slack:
        await slack.recorded("home_action")
        await slack.slack.until("views.publish")
        assert slack.slack.said("response_url") == []
    assert desk.calls[0].where.private


async def test_the_address_is_verified_with_its_challenge() -> None:
    challenge = recorded("url_verification")["challenge"]
    async with workspace(Desk()) as slack:
        assert await slack.recorded("url_verification") == (200, {"challenge": challenge})


async def test_after_the_app_was_removed_the_problem_is_plain_and_heals_when_it_is_back() -> None:
    desk = Desk(Reply.card(SCORE))
    async with workspace(desk) as slack:
        assert slack.edge.problem == ""
        await slack.recorded("uninstalled")
        assert "Install it again" in slack.edge.problem
        await slack.recorded("command")
        assert slack.edge.problem == ""
        assert len(slack.slack.said("auth.test")) == 2


async def test_with_a_refused_token_a_command_is_still_answered_and_slack_not_asked_each_time() -> None:
    desk = Desk(*[Reply.card(SCORE)] * 3)
    async with workspace(desk, {"bot_token": "xoxb-wrong"}) as slack:
        for _ in range(3):
            assert (await slack.recorded("command"))[0] == 200
        assert "Renew SLACK_BOT_TOKEN" in slack.edge.problem
        assert len(slack.slack.said("auth.test")) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/actions/T1/2/3", "http://127.0.0.1:1/actions", "https://evil.example/",
        "https://hooks.slack.com.evil.example/", "file:///etc/passwd", "//evil.example", "not an address",
    ],
)
async def test_no_answer_leaves_to_another_host(address: str, caplog: pytest.LogCaptureFixture) -> None:
    async with workspace(Desk(Reply.card(SCORE))) as slack:
        status, _ = await slack.recorded("action", response_url=address)
        await asyncio.sleep(0.02)
        assert (status, slack.slack.said("response_url")) == (200, [])
    assert "not Slack's" in caplog.text
    assert address not in caplog.text


async def test_an_answer_that_slack_redirects_is_not_followed() -> None:
    async with workspace(Desk(Reply.card(SCORE))) as slack:
        slack.slack.plan("response_url", Planned(status=307, headers={"Location": slack.slack.response_url}))
        await slack.recorded("action")
        await slack.slack.until("response_url")
    assert len(slack.slack.said("response_url")) == 1


async def test_what_was_accepted_is_finished_before_the_end() -> None:
    began, let_go = asyncio.Event(), asyncio.Event()

    async def slow(call: Call) -> Reply:
        began.set()
        await let_go.wait()
        return Reply.card(SCORE)

    async with workspace(slow) as slack:
        sending = asyncio.create_task(slack.recorded("action"))
        await began.wait()
        stopping = asyncio.create_task(slack.edge.stop())
        await asyncio.sleep(0.02)
        assert not stopping.done()
        assert (await slack.recorded("command"))[0] == 503
        let_go.set()
        assert (await sending)[0] == 200
        await stopping
        assert len(slack.slack.said("response_url")) == 1
