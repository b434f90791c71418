"""What the bot says on Teams by itself: to whom it may, how refusals are told apart, and where tokens go."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import storage.conversations
from bot.edge import Retry, Undeliverable, Unsure
from bot.teams import TeamsEdge
from cards.card import Button, Buttons, Card, Text
from handlers.call import Call, Reply
from storage.conversations import Conversation
from storage.db import Store
from tests.bot.teams_desk import fake as fake
from tests.bot.teams_desk import store as store
from tests.fakes.teams import ACCOUNT, APP, DANA, PASSWORD, TENANT, FakeTeams, served

CARD = Card("Your week", (Text("Two reds"),), "Your week: two reds")
CHAT = f"{TENANT}/a:1"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def nobody_asks(call: Call) -> Reply:
    raise AssertionError(call)


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def edge(fake: FakeTeams, store: Store, clock: Clock) -> AsyncIterator[TeamsEdge]:
    async with served(fake, TeamsEdge(fake.settings(), nobody_asks, store, clock=clock)) as running:
        yield running.edge


async def keep(store: Store, *chats: Conversation) -> None:
    async with store.write() as db:
        for chat in chats:
            await storage.conversations.save(db, chat, 1)


def chat(fake: FakeTeams, **changes: str) -> Conversation:
    values = {"key": CHAT, "kind": "personal", "service_url": fake.service_url, "bot": f"28:{APP}", "account": ACCOUNT}
    return Conversation(**{**values, **changes})


async def test_a_post_goes_to_the_conversation_and_returns_its_reference(
    edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    await keep(store, chat(fake))
    assert await edge.post(CHAT, CARD, "k1") == f"m1 {CHAT}"
    [posted] = fake.posted
    assert (posted.conversation, posted.activity["summary"]) == ("a:1", "Your week: two reds")
    assert await edge.post(ACCOUNT, CARD, "k2") == f"m2 {CHAT}"
    assert await edge.post(f"teams:{TENANT.upper()}/{DANA.upper()}", CARD, "k3") == f"m3 {CHAT}"
    assert [p.conversation for p in fake.posted] == ["a:1"] * 3


async def test_a_conversation_with_a_strange_id_is_one_part_of_the_address(
    edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    strange = "19:a/../b?c=d%2F#e@thread.tacv2;messageid=1"
    await keep(store, chat(fake, key=f"{TENANT}/{strange}", kind="channel", account=""))
    await edge.post(f"{TENANT}/{strange}", CARD, "k1")
    assert fake.posted[0].conversation == strange


async def test_a_person_without_a_chat_is_written_to_by_opening_one(
    edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    await keep(store, chat(fake, key=f"{TENANT}/19:x", kind="channel", account=""))
    await edge.post(ACCOUNT, CARD, "k1")
    assert fake.created[0]["members"] == [{"id": DANA}]
    assert fake.posted[0].conversation == "a:1-opened"


async def test_nobody_is_written_to_who_never_met_the_bot(edge: TeamsEdge, fake: FakeTeams, store: Store) -> None:
    for recipient in (ACCOUNT, CHAT, "teams:another-tenant/x", "another-tenant/a:1", "teams:", "", "slack:T1/U1"):
        with pytest.raises(Undeliverable, match="app installed"):
            await edge.post(recipient, CARD, "k1")
    await keep(store, chat(fake, key=f"{TENANT}/19:x", kind="channel", account=""))
    fake.without_app.add(DANA)
    with pytest.raises(Undeliverable, match="app installed"):
        await edge.post(ACCOUNT, CARD, "k1")


async def test_a_tenant_taken_off_the_list_is_not_written_to(edge: TeamsEdge, fake: FakeTeams, store: Store) -> None:
    await keep(store, chat(fake, key="old-tenant/a:1", account="teams:old-tenant/x"))
    for recipient in ("old-tenant/a:1", "teams:old-tenant/x"):
        with pytest.raises(Undeliverable):
            await edge.post(recipient, CARD, "k1")
    assert fake.authorizations == []


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (429, {"Retry-After": "0.5"}, 0.5),
        (429, {}, 1.0),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1.0),
        (429, {"Retry-After": "nan"}, 1.0),
        (429, {"Retry-After": "-3"}, 1.0),
        (429, {"Retry-After": "1e9"}, 3600.0),
        (412, {}, 1.0),
        (502, {}, 1.0),
        (503, {"Retry-After": "3"}, 3.0),
        (504, {}, 1.0),
    ],
)
async def test_a_post_asked_to_wait_says_how_long(
    status: int, headers: dict[str, str], after: float, edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    await keep(store, chat(fake))
    fake.refusals.append((status, headers))
    with pytest.raises(Retry) as asked:
        await edge.post(CHAT, CARD, "k1")
    assert asked.value.after == after


@pytest.mark.parametrize(
    ("status", "remedy"), [(403, "installed"), (404, "installed there again"), (400, "400"), (413, "413")]
)
async def test_a_refusal_for_good_says_what_to_do(
    status: int, remedy: str, edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    await keep(store, chat(fake))
    fake.refusals.append((status, {}))
    with pytest.raises(Undeliverable, match=remedy):
        await edge.post(CHAT, CARD, "k1")
    assert len(fake.authorizations) == 1


async def test_an_outcome_nobody_knows_is_told_apart(edge: TeamsEdge, fake: FakeTeams, store: Store) -> None:
    await keep(store, chat(fake))
    for status in (500, 302):
        fake.refusals.append((status, {"Location": "https://evil.example/"}))
        with pytest.raises(Unsure):
            await edge.post(CHAT, CARD, "k1")


async def test_a_connector_that_is_not_there_is_asked_again_later(
    edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    await keep(store, chat(fake))
    await edge.post(CHAT, CARD, "k1")
    async with FakeTeams().listening() as gone:
        pass
    away = TeamsEdge(fake.settings(hosts=(gone.host,)), nobody_asks, store)
    await keep(store, chat(gone))
    with pytest.raises(Retry):
        await away.post(CHAT, CARD, "k2")
    await away.stop()


async def test_a_token_is_asked_for_once_and_again_before_its_end(
    edge: TeamsEdge, fake: FakeTeams, store: Store, clock: Clock
) -> None:
    await keep(store, chat(fake))
    for _ in range(3):
        await edge.post(CHAT, CARD, "k1")
    assert fake.token_requests == [
        {
            "grant_type": "client_credentials",
            "client_id": APP,
            "client_secret": PASSWORD,
            "scope": "https://api.botframework.com/.default",
            "tenant": TENANT,
        }
    ]
    clock.now += timedelta(minutes=56)
    await edge.post(CHAT, CARD, "k1")
    assert len(fake.token_requests) == 2


async def test_a_token_revoked_early_is_replaced(edge: TeamsEdge, fake: FakeTeams, store: Store) -> None:
    await keep(store, chat(fake))
    await edge.post(CHAT, CARD, "k1")
    fake.tokens.clear()
    await edge.post(CHAT, CARD, "k2")
    assert len(fake.posted) == len(fake.token_requests) == 2


async def test_credentials_teams_does_not_take_are_named(fake: FakeTeams, store: Store) -> None:
    await keep(store, chat(fake))
    wrong = TeamsEdge(fake.settings(app_password="wrong"), nobody_asks, store)
    with pytest.raises(Undeliverable, match="TEAMS_APP_PASSWORD") as refused:
        await wrong.post(CHAT, CARD, "k1")
    assert "wrong" not in str(refused.value)
    fake.token_status = 503
    with pytest.raises(Retry):
        await wrong.post(CHAT, CARD, "k1")
    await wrong.stop()


async def test_no_token_leaves_for_a_host_off_the_list(fake: FakeTeams, store: Store) -> None:
    other = FakeTeams()
    async with other.listening():
        edge = TeamsEdge(fake.settings(), nobody_asks, store)
        await keep(store, chat(other))
        for recipient in (CHAT, ACCOUNT):
            with pytest.raises(Undeliverable, match="TEAMS_SERVICE_HOSTS"):
                await edge.post(recipient, CARD, "k1")
        await edge.stop()
    assert (other.authorizations, fake.token_requests) == ([], [])


async def test_a_redirect_does_not_carry_the_token_away(fake: FakeTeams, store: Store, edge: TeamsEdge) -> None:
    await keep(store, chat(fake))
    async with FakeTeams().listening() as other:
        fake.refusals.append((307, {"Location": f"{other.service_url}v3/conversations/a:1/activities"}))
        with pytest.raises(Unsure):
            await edge.post(CHAT, CARD, "k1")
        assert other.authorizations == []


async def test_a_bot_of_many_tenants_signs_in_with_the_common_authority(fake: FakeTeams, store: Store) -> None:
    await keep(store, chat(fake))
    many = TeamsEdge(fake.settings(tenant_id="", allowed_tenants=(TENANT, "another")), nobody_asks, store)
    await many.post(CHAT, CARD, "k1")
    assert fake.token_requests[0]["tenant"] == "botframework.com"
    await many.stop()


async def test_the_government_cloud_has_its_own_scope(fake: FakeTeams, store: Store) -> None:
    await keep(store, chat(fake))
    openid = "https://login.botframework.azure.us/v1/.well-known/openidconfiguration"
    gov = TeamsEdge(fake.settings(openid_url=openid), nobody_asks, store)
    await gov.post(CHAT, CARD, "k1")
    assert fake.token_requests[0]["scope"] == "https://api.botframework.us/.default"
    await gov.stop()


async def test_secrets_do_not_show_in_the_settings(fake: FakeTeams) -> None:
    shown: Any = repr(fake.settings())
    assert PASSWORD not in shown


async def test_a_connection_dropped_in_the_middle_is_not_taken_for_a_failure(
    edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    await keep(store, chat(fake))
    fake.drops = 1
    with pytest.raises(Unsure):
        await edge.post(CHAT, CARD, "k1")
    assert len(fake.posted) == 1  # it did arrive, and a second attempt would have been read twice


async def test_a_card_is_replaced_where_it_stands(edge: TeamsEdge, fake: FakeTeams, store: Store) -> None:
    await keep(store, chat(fake))
    reference = await edge.post(ACCOUNT, CARD, "k1")
    await keep(store, chat(fake, key=f"{TENANT}/a:newer"))  # the app was installed again since
    await edge.update(ACCOUNT, reference, Card("Newer", (Text("With a plan"),), "A plan was made"), "k1")
    posted, updated = fake.posted
    assert (updated.method, updated.conversation, updated.message) == ("PUT", posted.conversation, "m1")
    assert updated.activity["summary"] == "A plan was made"


async def test_buttons_of_a_replaced_card_may_be_pressed_once_more(
    edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    def card(words: str) -> Card:
        return Card(words, (Buttons((Button("Once", "once", {}, once=True),)),), words)

    await keep(store, chat(fake))
    reference = await edge.post(CHAT, card("a"), "k1")
    for words in ("b", "b", "c"):
        await edge.update(CHAT, reference, card(words), "k1")
    nonces = [re.findall(r'"_n": "(\w+)"', json.dumps(p.activity))[0] for p in fake.posted]
    assert len({nonces[0], nonces[1], nonces[3]}) == 3
    assert nonces[1] == nonces[2]  # the same update made again is the same card


async def test_an_update_of_a_message_that_is_gone_says_what_to_do(
    edge: TeamsEdge, fake: FakeTeams, store: Store
) -> None:
    await keep(store, chat(fake))
    reference = await edge.post(CHAT, CARD, "k1")
    fake.gone.add("m1")
    with pytest.raises(Undeliverable, match="outbox cancel"):
        await edge.update(CHAT, reference, CARD, "k1")
