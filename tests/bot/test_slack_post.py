"""What the Slack edge posts by itself: with its key, with the remedy when refused, and with no secret in a log."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest
from aiohttp import web

from bot.config import Slack
from bot.edge import Retry, Undeliverable, Unsure
from bot.slack import PATH, SlackEdge
from cards.card import Card, Text
from handlers.call import Call, Reply
from tests.fakes.slack import ACCOUNT, APP_TOKEN, BOT_TOKEN, COMMANDS, DANA, NOW, Desk, Planned, Said, workspace

SCORE = Card("Your scorecard", (Text("Customer satisfaction is 4.6."),), "All is well.", "green")


async def test_a_post_carries_its_key_and_returns_where_it_is() -> None:
    async with workspace(Desk()) as slack:
        assert await slack.edge.post("C1", SCORE, "digest 7") == "C1/1700000000.000000"
        (body,) = slack.slack.said("chat.postMessage")
        assert (await slack.edge.find("C1", "digest 7"), await slack.edge.find("C1", "other")) == (
            "C1/1700000000.000000", None,
        )
        assert slack.slack.calls[-1].token == BOT_TOKEN
    assert body["metadata"] == {"event_type": "redfirst", "event_payload": {"key": "digest 7"}}
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)
    assert body["text"] == "All is well."


@pytest.mark.parametrize("recipient", [DANA, ACCOUNT])
async def test_a_person_is_written_to_in_the_private_chat(recipient: str) -> None:
    async with workspace(Desk()) as slack:
        for key in ("a", "b"):
            assert (await slack.edge.post(recipient, SCORE, key)).startswith("D2147483697/")
        assert slack.slack.said("conversations.open") == []  # fifty a minute would be too few for a large desk
        assert await slack.edge.find(recipient, "b") == "D2147483697/1700000000.000001"


async def test_a_message_is_found_in_a_chat_that_this_process_has_not_written_to() -> None:
    async with workspace(Desk()) as slack:
        await slack.edge.post("D2147483697", SCORE, "k")
        assert await slack.edge.find(ACCOUNT, "k") == "D2147483697/1700000000.000000"
        assert len(slack.slack.said("conversations.open")) == 1


async def test_a_message_is_found_however_much_was_said_since_and_counted_where_it_stands_twice() -> None:
    async with workspace(Desk()) as slack:
        for key in ("k", *(str(i) for i in range(450)), "twice", "twice"):
            await slack.edge.post("C1", SCORE, key)
        assert await slack.edge.find("C1", "k") == "C1/1700000000.000000"
        assert (await slack.edge.copies("C1", "twice"), await slack.edge.copies("C1", "never")) == (2, 0)


async def test_what_cannot_be_looked_up_any_more_is_said_so() -> None:
    async with workspace(Desk()) as slack:
        slack.slack.messages["C1"] = [{"ts": str(i)} for i in range(1001)]
        with pytest.raises(Undeliverable, match="for too long"):
            await slack.edge.find("C1", "k")


async def test_a_card_is_replaced_where_it_stands_and_keeps_its_key() -> None:
    async with workspace(Desk()) as slack:
        reference = await slack.edge.post("C1", SCORE, "digest 7")
        await slack.edge.update("C1", reference, Card("Newer", (Text("With a plan."),), "A plan was made."), "digest 7")
        (message,) = slack.slack.messages["C1"]
        assert message["text"] == "A plan was made."
        assert await slack.edge.find("C1", "digest 7") == reference


async def test_an_update_of_a_message_that_is_gone_says_what_to_do() -> None:
    async with workspace(Desk()) as slack:
        with pytest.raises(Undeliverable, match="outbox cancel"):
            await slack.edge.update("C1", "C1/1.2", SCORE, "k")


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("channel_not_found", "Invite the bot"), ("not_in_channel", "/invite"), ("is_archived", "another channel"),
        ("account_inactive", "Install the app again"), ("invalid_auth", "Renew SLACK_BOT_TOKEN"),
        ("missing_scope", "slack-manifest"), ("some_new_error", "some_new_error"),
    ],
)
async def test_a_refusal_for_good_says_what_to_do(error: str, remedy: str) -> None:
    async with workspace(Desk()) as slack:
        slack.slack.plan("chat.postMessage", Planned({"ok": False, "error": error}))
        with pytest.raises(Undeliverable, match=remedy):
            await slack.edge.post("C1", SCORE, "k")


@pytest.mark.parametrize(
    ("planned", "after"),
    [
        (Planned({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "7"}), 7.0),
        (Planned({"ok": False, "error": "ratelimited"}, 200, {"Retry-After": "9"}), 9.0),
        (Planned({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "soon"}), 30.0),
    ],
)
async def test_when_slack_asks_to_wait_the_time_is_handed_on(planned: Planned, after: float) -> None:
    async with workspace(Desk()) as slack:
        slack.slack.plan("chat.postMessage", planned)
        with pytest.raises(Retry) as wait:
            await slack.edge.post("C1", SCORE, "k")
    assert wait.value.after == after
    assert not isinstance(wait.value, Unsure)


@pytest.mark.parametrize(
    "planned",
    [
        Planned(drop=True), Planned(status=503), Planned({"ok": False, "error": "internal_error"}),
        Planned({"ok": False, "error": "fatal_error"}, 500),
    ],
)
async def test_an_unknown_outcome_is_told_apart_and_nothing_is_sent_twice_by_itself(planned: Planned) -> None:
    async with workspace(Desk()) as slack:
        slack.slack.plan("chat.postMessage", planned)
        with pytest.raises(Unsure):
            await slack.edge.post("C1", SCORE, "k")
        assert len(slack.slack.said("chat.postMessage")) == 1


async def test_a_dropped_connection_after_the_post_is_found_again() -> None:
    async with workspace(Desk()) as slack:
        slack.slack.plan("chat.postMessage", Planned(drop=True, carried=True))
        with pytest.raises(Unsure):
            await slack.edge.post("C1", SCORE, "k")
        assert await slack.edge.find("C1", "k") == "C1/1700000000.000000"


async def test_when_nobody_listens_it_was_not_sent_for_certain() -> None:
    async with workspace(Desk(), {"api_url": "http://127.0.0.1:9/api/"}) as slack:
        with pytest.raises(Retry) as wait:
            await slack.edge.post("C1", SCORE, "k")
        assert "could not be reached" in slack.edge.problem
    assert not isinstance(wait.value, Unsure)


async def test_nothing_logged_holds_a_token_or_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "pay of Erin is 70000"

    async def breaks(call: Call) -> Reply:
        raise RuntimeError(f"with {BOT_TOKEN} at https://hooks.slack.com/actions/T1/2/3")

    async with workspace(breaks, {"app_token": ""}) as slack:
        assert (await slack.recorded("command", text=secret))[0] == 500
    async with workspace(Desk(Reply.card(SCORE))) as slack:
        await slack.recorded("command", text=secret)
        slack.slack.plan("chat.postMessage", Planned({"ok": False, "error": "invalid_auth"}))
        with pytest.raises(Undeliverable):
            await slack.edge.post("C1", SCORE, "k")
        async with slack.session.post(slack.url, data=f"text={secret}") as response:
            assert response.status == 401
    ours = [r for r in caplog.records if not r.name.startswith(("aiosqlite", "asyncio"))]
    assert any("RuntimeError" in r.getMessage() for r in ours)
    for record in ours:
        said = logging.Formatter().format(record)
        assert not any(s in said for s in (BOT_TOKEN, APP_TOKEN, secret, "hooks.slack.com/actions", "4.6"))


def test_without_a_signing_secret_there_is_no_route() -> None:
    def routes(settings: Slack) -> Sequence[str]:
        app = web.Application()
        SlackEdge(settings, Desk(), command_names=COMMANDS, clock=lambda: NOW).mount(app)
        return [r.resource.canonical for r in app.router.routes() if r.resource]

    assert routes(Slack(bot_token=BOT_TOKEN)) == []
    assert routes(Slack(bot_token=BOT_TOKEN, signing_secret="s")) == [PATH]


async def test_said_is_what_reached_slack() -> None:
    """The fake is no fake of itself: it refuses what Slack refuses."""
    async with workspace(Desk()) as slack:
        await slack.edge.post("C1", SCORE, "k")
        assert isinstance(slack.slack.calls[-1], Said)
        problems = slack.slack._problems("chat.postMessage", {"text": "", "blocks": [{"type": "section"}] * 51})
    assert problems
