"""What the Teams edge keeps of its conversations, and what it does when time or the platform is against it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

import storage.conversations
from bot.teams import TeamsEdge
from handlers.call import Reply
from storage.db import Store
from tests.bot.teams_desk import CHANNEL, CHAT, SCORE, THREAD, WORDS, Desk, known, say, titles
from tests.bot.teams_desk import desk as desk
from tests.bot.teams_desk import fake as fake
from tests.bot.teams_desk import store as store
from tests.bot.teams_desk import teams as teams
from tests.fakes.teams import ACCOUNT, APP, DANA, TENANT, FakeTeams, Served, recorded, served

# Coming and going


async def test_an_install_is_kept_and_welcomed(teams: Served, desk: Desk, store: Store) -> None:
    assert (await say(teams, "install_personal"))[0] == 200
    kept = await known(store, f"{TENANT}/{CHAT}")
    assert kept == storage.conversations.Conversation(
        f"{TENANT}/{CHAT}", "personal", teams.fake.service_url, f"28:{APP}", ACCOUNT
    )
    [call] = desk.calls
    assert (call.kind, call.name, call.account) == ("command", "help", ACCOUNT)
    assert [p.conversation for p in teams.fake.posted] == [CHAT]


async def test_being_added_to_a_team_is_kept_without_a_word(teams: Served, desk: Desk, store: Store) -> None:
    await say(teams, "members_added")
    kept = await known(store, f"{TENANT}/{CHANNEL}")
    assert kept is not None
    assert (kept.kind, kept.account) == ("channel", "")
    assert (desk.calls, teams.fake.posted) == ([], [])


@pytest.mark.parametrize(
    ("comes", "goes"), [("install_personal", "uninstall_personal"), ("members_added", "members_removed")]
)
async def test_what_was_left_is_forgotten(comes: str, goes: str, teams: Served, store: Store) -> None:
    await say(teams, comes)
    key = f"{TENANT}/{recorded(comes)['conversation']['id']}"
    assert await known(store, key) is not None
    await say(teams, goes)
    assert await known(store, key) is None
    await say(teams, comes, id="again")
    assert await known(store, key) is not None


async def test_somebody_elses_leaving_forgets_nothing(teams: Served, store: Store) -> None:
    await say(teams, "members_added")
    await say(teams, "members_removed", membersRemoved=[{"id": "29:sam"}])
    assert await known(store, f"{TENANT}/{CHANNEL}") is not None


async def test_a_chat_older_than_the_database_is_learnt_from_a_message(teams: Served, store: Store) -> None:
    await say(teams, "personal_message")
    kept = await known(store, f"{TENANT}/{CHAT}")
    assert kept is not None
    assert kept.account == ACCOUNT


async def test_a_channels_thread_is_kept_as_its_channel(teams: Served, store: Store) -> None:
    await say(teams, "channel_mention")
    assert await known(store, f"{TENANT}/{CHANNEL}") is not None
    assert await known(store, f"{TENANT}/{THREAD}") is None


# Time, and things that go wrong


@pytest.mark.parametrize("status", [412, 429, 502, 504])
async def test_an_answer_waits_as_asked_and_is_sent_again(status: int, teams: Served) -> None:
    teams.fake.refusals.append((status, {"Retry-After": "0"}))
    assert (await say(teams, "personal_message"))[0] == 200
    assert len(teams.fake.posted) == 1


async def test_an_answer_that_cannot_be_delivered_is_no_server_error(teams: Served) -> None:
    for refusal in [(403, {}), (404, {}), (400, {}), (500, {}), (429, {"Retry-After": "900"})]:
        teams.fake.refusals.append(refusal)
        assert await say(teams, "personal_message", id=str(refusal)) == (200, None)
    teams.fake.refusals.append((403, {}))
    _, said = await say(teams, "action")
    assert (said["type"], said["value"]) == (
        WORDS,
        "The answer could not be delivered. Please try again in a moment.",
    )
    assert teams.fake.posted == []


async def test_teams_hears_in_time_and_the_answer_follows(fake: FakeTeams, desk: Desk, store: Store) -> None:
    desk.takes = 0.4
    async with served(fake, TeamsEdge(fake.settings(), desk, store, answer_within=0.05)) as teams:
        start = time.perf_counter()
        assert (await say(teams, "personal_message"))[0] == 202
        _, said = await say(teams, "action")
        assert time.perf_counter() - start < 0.4
        assert (said["type"], said["value"]) == (WORDS, "This takes a little longer. The answer comes as a message.")
        assert fake.posted == []
    assert [titles(p) for p in fake.posted] == [["Your score"], ["Your score"]]


async def test_a_late_change_of_a_card_is_an_update(fake: FakeTeams, desk: Desk, store: Store) -> None:
    desk.takes, desk.reply = 0.2, Reply.card(SCORE, update=True)
    async with served(fake, TeamsEdge(fake.settings(), desk, store, answer_within=0.05)) as teams:
        await say(teams, "action")
    [update] = fake.posted
    assert (update.method, update.message) == ("PUT", "1777885952001")


async def test_a_late_dialog_goes_to_the_chat(fake: FakeTeams, desk: Desk, store: Store) -> None:
    desk.takes = 0.2
    async with served(fake, TeamsEdge(fake.settings(), desk, store, answer_within=0.05)) as teams:
        _, said = await say(teams, "task_submit")
        assert said["task"]["type"] == "message"
    assert [p.conversation for p in fake.posted] == [CHAT]


async def test_stopping_finishes_what_was_accepted(fake: FakeTeams, desk: Desk, store: Store) -> None:
    desk.takes = 0.3
    async with served(fake, TeamsEdge(fake.settings(), desk, store, answer_within=0.02)) as teams:
        for n in range(5):
            assert (await say(teams, "personal_message", id=f"m{n}"))[0] == 202
    assert len(fake.posted) == 5


async def test_many_at_once_are_each_answered_once_in_their_own_chat(teams: Served, desk: Desk, store: Store) -> None:
    def from_person(n: int) -> dict[str, Any]:
        activity = teams.fake.activity("personal_message", id=str(n))
        activity["conversation"]["id"] = f"a:{n}"
        activity["from"] = {"id": f"29:{n}", "aadObjectId": f"{DANA[:-3]}{n:03}"}
        return activity

    answers = await asyncio.gather(*(teams.send(from_person(n % 30)) for n in range(60)))
    assert {status for status, _ in answers} == {200}
    assert sorted(p.conversation for p in teams.fake.posted) == sorted(f"a:{n}" for n in range(30))
    assert len(teams.fake.token_requests) == 1
