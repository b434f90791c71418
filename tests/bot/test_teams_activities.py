"""What an activity must look like to be read: addresses, tenants and parts that are not as Teams sends them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

import bot.teams_activity
import bot.teams_auth
from bot.config import Teams
from bot.teams import TeamsEdge
from cards.card import Card
from handlers.call import Call, Reply
from tests.fakes.teams import TENANT, FakeTeams, Served, migrated, recorded, served

OTHER_TENANT = "99999999-8d0b-4b63-9a53-6a4c0f4b7d10"
CARD = Card("Hello", (), "Hello there")


class Asked(list[Call]):
    async def __call__(self, call: Call) -> Reply:
        self.append(call)
        return Reply.card(CARD)


@pytest.fixture
async def asked() -> Asked:
    return Asked()


@pytest.fixture
async def teams(asked: Asked, tmp_path: Path) -> AsyncIterator[Served]:
    store = await migrated(tmp_path / "teams.db")
    async with FakeTeams().listening() as fake, served(fake, TeamsEdge(fake.settings(), asked, store)) as running:
        yield running
        assert fake.problems == []
    await store.close()


HOSTILE_ADDRESSES = [
    "http://smba.trafficmanager.net/emea/",
    "https://evil.example/emea/",
    "https://smba.trafficmanager.net.evil.example/",
    "https://evilsmba.trafficmanager.net/",
    "https://trafficmanager.net/",
    "https://other.trafficmanager.net/",
    "https://smba.trafficmanager.net@evil.example/",
    "https://smba.trafficmanager.net:pw@evil.example/",
    "https://evil.example#smba.trafficmanager.net/",
    "https://evil.example?smba.trafficmanager.net/",
    "https://evil.example\\@smba.trafficmanager.net/",
    "https://evil.example\\.smba.trafficmanager.net/",
    "https:///smba.trafficmanager.net/",
    "https:smba.trafficmanager.net/",
    "//smba.trafficmanager.net/",
    "ftp://smba.trafficmanager.net/",
    "https://smba.trafficmanager.net:8443/",
    "https://smba.trafficmanager.net./",
    "https://smba.trafficmanager.net/a/../../b",
    "https://smba.trafficmanager.net/?x=1",
    "https://smba.trafficmanager.net/%2e%2e/",
    "https://smba.trafficmanager.net\n.evil.example/",
    "https://smba.trafficmanager.net /",
    "https://ѕmba.trafficmanager.net/",
    "https://smba。trafficmanager.net/",
    "http://127.0.0.1/",
    "http://127.0.0.1:1/",
    "http://localhost:80/",
    "https://[::1]/",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
async def test_an_address_off_the_list_gets_neither_answer_nor_token(address: str, teams: Served, asked: Asked) -> None:
    activity = teams.fake.activity("personal_message", serviceUrl=address)
    status, _ = await teams.send(activity, bearer=teams.fake.bearer(serviceurl=address))
    assert status == 403
    assert asked == []
    assert teams.fake.token_requests == []


def test_only_the_listed_hosts_are_trusted() -> None:
    hosts = Teams().hosts
    assert bot.teams_auth.trusted("https://smba.trafficmanager.net/emea/", hosts)
    assert bot.teams_auth.trusted("https://SMBA.trafficmanager.net:443/amer/2f6c1c1e-8d0b/", hosts)
    assert not any(bot.teams_auth.trusted(address, hosts) for address in HOSTILE_ADDRESSES)


@given(st.text(alphabet="htps:/.@\\#?%[]smbatrficngel127 0", max_size=60))
def test_no_strange_address_reaches_another_host(address: str) -> None:
    if bot.teams_auth.trusted(address, ("smba.trafficmanager.net", "127.0.0.1:80")):
        assert URL(address).host in ("smba.trafficmanager.net", "127.0.0.1")


def changed(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(activity: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        at = activity
        for name in parents:
            at = at[name]
        if value is None:
            del at[last]
        else:
            at[last] = value

    return change


def both_tenants(value: str | None) -> Callable[[dict[str, Any]], None]:
    def change(activity: dict[str, Any]) -> None:
        changed("conversation.tenantId", value)(activity)
        changed("channelData.tenant.id", value)(activity)

    return change


NOT_ADMITTED: dict[str, Callable[[dict[str, Any]], None]] = {
    "another tenant": both_tenants(OTHER_TENANT),
    "no tenant": both_tenants(None),
    "another tenant in one place": changed("conversation.tenantId", OTHER_TENANT),
    "another tenant in the other place": changed("channelData.tenant.id", OTHER_TENANT),
    "another channel": changed("channelId", "webchat"),
    "the emulator": changed("channelId", "emulator"),
    "no channel": changed("channelId", None),
    "no service address": changed("serviceUrl", None),
    "another path of the service": changed("serviceUrl", "http://127.0.0.1:1/amer/"),
}


@pytest.mark.parametrize("kind", NOT_ADMITTED)
async def test_an_activity_its_token_does_not_cover_is_not_admitted(kind: str, teams: Served, asked: Asked) -> None:
    activity = teams.fake.activity("personal_message")
    NOT_ADMITTED[kind](activity)
    assert (await teams.send(activity))[0] == 403
    assert asked == []


async def test_a_tenant_is_known_in_either_place_and_any_case(teams: Served, asked: Asked) -> None:
    first = teams.fake.activity("personal_message")
    changed("conversation.tenantId", None)(first)
    second = teams.fake.activity("personal_message")
    changed("channelData.tenant.id", None)(second)
    changed("conversation.tenantId", TENANT.upper())(second)
    assert [(await teams.send(a))[0] for a in (first, second)] == [200, 200]
    assert asked[0].account == asked[1].account


MALFORMED: dict[str, Any] = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"type": "\xff"}',
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "a number without end": b'{"type": ' + b"9" * 5000 + b"}",
    "nested without end": b'{"value": ' + b"[" * 100_000,
    "a conversation that is text": changed("conversation", "a:1"),
    "no conversation": changed("conversation", None),
    "a conversation that climbs": changed("conversation.id", ".."),
    "a conversation with a line break": changed("conversation.id", "a:1\r\nX: y"),
    "a conversation too long": changed("conversation.id", "a" * 500),
    "a sender that is a list": changed("from", []),
    "no sender": changed("from", None),
    "a sender with a path for an object": changed("from.aadObjectId", "x/../../y"),
    "text that is an object": changed("text", {}),
    "a type that is a list": changed("type", ["message"]),
    "entities that are text": changed("entities", "x"),
    "tenant that is a list": changed("channelData.tenant", []),
    "an action without a name": changed("value", {"_verb": ""}),
    "an action with a list for a name": changed("value", {"_verb": ["x"]}),
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_activity_is_a_400(kind: str, teams: Served, asked: Asked) -> None:
    found = MALFORMED[kind]
    activity = teams.fake.activity("personal_message")
    if callable(found):
        found(activity)
        status, _ = await teams.send(activity)
    else:
        status, _ = await teams.send(None, raw=found)
    assert status == 400
    assert asked == []


async def test_a_body_larger_than_any_activity_is_a_413(teams: Served) -> None:
    assert (await teams.send(None, raw=b"x" * 300_000))[0] == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = ["type", "id", "from", "recipient", "conversation", "entities", "value", "channelData", "text", "name",
         "membersAdded", "attachments", "timestamp", "replyToId", "action"]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(["personal_message", "action", "members_added"]), part=st.sampled_from(PARTS), value=JSON)
def test_no_activity_however_strange_breaks_the_reader(name: str, part: str, value: Any) -> None:
    raw = {**recorded(name), part: value}
    try:
        incoming = bot.teams_activity.read(json.dumps(raw).encode())
        call = bot.teams_activity.call(incoming)
    except bot.teams_activity.Malformed:
        return
    assert call is None or len(call.key) <= 300
