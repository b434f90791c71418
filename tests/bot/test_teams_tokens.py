"""Who is let in by the Teams edge: real tokens, a real server, and no answer but 401 or 403 for every bad one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from botbuilder.core import BotFrameworkAdapter, BotFrameworkAdapterSettings
from botbuilder.schema import Activity
from botframework.connector.auth import (
    ChannelValidation,
    JwtTokenValidation,
    SimpleCredentialProvider,
)
from cryptography.hazmat.primitives import serialization
from prometheus_client import REGISTRY

from bot.teams import TeamsEdge
from cards.card import Card
from handlers.call import Call, Reply
from scoring.refused import Refused
from storage.db import Store
from tests.bot.teams_desk import fake as fake
from tests.bot.teams_desk import store as store
from tests.fakes.teams import APP, KEY_ID, PASSWORD, FakeTeams, Served, key, recorded, served

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
async def teams(fake: FakeTeams, asked: Asked, store: Store) -> AsyncIterator[Served]:
    async with served(fake, TeamsEdge(fake.settings(), asked, store)) as running:
        yield running


def signed(fake: FakeTeams, *, by: str = KEY_ID, head: dict[str, Any] | None = None, **claims: Any) -> str:
    return f"Bearer {jwt.encode(fake.claims(**claims), key(by), 'RS256', headers={'kid': KEY_ID, **(head or {})})}"


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(fake: FakeTeams, head: Any, signature: str = "", **claims: Any) -> str:
    return f"Bearer {part(head)}.{part(fake.claims(**claims))}.{signature}"


def hs256_with_the_public_key(fake: FakeTeams) -> str:
    pem = key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    said = by_hand(fake, {"alg": "HS256", "typ": "JWT", "kid": KEY_ID}).removesuffix(".")
    digest = hmac.new(pem, said.removeprefix("Bearer ").encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def past(seconds: int) -> int:
    return int(time.time()) - seconds


BAD_TOKENS: dict[str, Callable[[FakeTeams], str | None]] = {
    "no header": lambda f: None,
    "an empty header": lambda f: "",
    "only the word Bearer": lambda f: "Bearer",
    "Bearer and nothing": lambda f: "Bearer ",
    "another scheme": lambda f: f.bearer().replace("Bearer", "Basic"),
    "a lower case scheme": lambda f: f.bearer().replace("Bearer", "bearer"),
    "a third word": lambda f: f.bearer() + " x",
    "garbage": lambda f: "Bearer not-a-token",
    "garbage in three parts": lambda f: "Bearer a.b.c",
    "dots": lambda f: "Bearer ..",
    "letters outside ASCII": lambda f: "Bearer é.é.é",
    "a body that is a list": lambda f: f"Bearer {jwt.api_jws.encode(b'[1]', key(), 'RS256', headers={'kid': KEY_ID})}",
    "a body nested without end": lambda f: (
        f"Bearer {jwt.api_jws.encode(b'[' * 4000, key(), 'RS256', headers={'kid': KEY_ID})}"
    ),
    "a head nested without end": lambda f: f"Bearer {base64.urlsafe_b64encode(b'[' * 5000).decode().rstrip('=')}.e30.x",
    "expired": lambda f: f.bearer(exp=past(301), nbf=past(4000)),
    "expired long ago": lambda f: f.bearer(exp=past(10**8)),
    "without an end": lambda f: f.bearer(exp=None),
    "an end that is no number": lambda f: f.bearer(exp="never"),
    "an end beyond counting": lambda f: signed(f, exp=float("inf")),
    "not yet valid": lambda f: f.bearer(nbf=past(-400)),
    "issued in the future": lambda f: f.bearer(iat=past(-4000)),
    "signed with another key": lambda f: signed(f, by="forger"),
    "an unknown key id": lambda f: signed(f, by="forger", head={"kid": "key-2"}),
    "no key id": lambda f: f"Bearer {jwt.encode(f.claims(), key(), 'RS256')}",
    "a key id that is a number": lambda f: by_hand(f, {"alg": "RS256", "kid": 7}, "AAAA"),
    "a key brought along": lambda f: signed(f, by="forger", head={"jku": f"http://{f.host}/v1/.well-known/keys"}),
    "algorithm none": lambda f: by_hand(f, {"alg": "none", "typ": "JWT", "kid": KEY_ID}),
    "algorithm nOnE": lambda f: by_hand(f, {"alg": "nOnE", "typ": "JWT", "kid": KEY_ID}),
    "HS256 with the public key": hs256_with_the_public_key,
    "another RSA algorithm": lambda f: f"Bearer {jwt.encode(f.claims(), key(), 'RS512', headers={'kid': KEY_ID})}",
    "an empty signature": lambda f: f.bearer().rpartition(".")[0] + ".",
    "no signature": lambda f: f.bearer().rpartition(".")[0],
    "a signature cut short": lambda f: f.bearer()[:-20],
    "a signature of another token": lambda f: (
        f.bearer().rpartition(".")[0] + "." + f.bearer(exp=past(-99)).rpartition(".")[2]
    ),
    "another audience": lambda f: f.bearer(aud="00000000-53c4-4f0e-9a5e-1f0c2f6f3b11"),
    "no audience": lambda f: f.bearer(aud=None),
    "several audiences": lambda f: f.bearer(aud=[APP, "another"]),
    "an empty audience": lambda f: f.bearer(aud=""),
    "another issuer": lambda f: f.bearer(iss="https://sts.example/"),
    "no issuer": lambda f: f.bearer(iss=None),
    "the emulator's issuer": lambda f: f.bearer(
        iss="https://login.microsoftonline.com/f8cdef31-a31e-4b4a-93e4-5f571e91255a/v2.0", ver="2.0", azp=APP
    ),
    "the emulator's older issuer": lambda f: f.bearer(
        iss="https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/", ver="1.0", appid=APP
    ),
    "a skill's token": lambda f: f.bearer(iss="https://login.microsoftonline.com/x/v2.0", ver="2.0", azp="skill"),
    "the government's issuer": lambda f: f.bearer(iss="https://api.botframework.us"),
    "another service address": lambda f: f.bearer(serviceurl="https://smba.trafficmanager.net/emea/"),
    "no service address": lambda f: f.bearer(serviceurl=None),
    "a service address that is no text": lambda f: f.bearer(serviceurl=[f.service_url]),
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_bad_token_is_not_let_in(kind: str, teams: Served, asked: Asked) -> None:
    status, said = await teams.send(teams.fake.activity("personal_message"), bearer=BAD_TOKENS[kind](teams.fake))
    assert status in (401, 403)
    assert said is None
    assert asked == []
    assert teams.fake.posted == []


async def test_who_was_turned_away_is_counted_by_status_alone(teams: Served, asked: Asked) -> None:
    def counted(status: int) -> float:
        named = {"platform": "teams", "status": str(status)}
        return REGISTRY.get_sample_value("redfirst_requests_turned_away_total", named) or 0.0

    before = {status: counted(status) for status in (400, 401, 413)}
    assert (await teams.send(teams.fake.activity("personal_message"), bearer="Bearer nonsense"))[0] == 401
    assert (await teams.send(None, raw=b"{"))[0] == 400
    assert (await teams.send(None, raw=b"x" * 300_000))[0] == 413
    assert {status: counted(status) - was for status, was in before.items()} == {400: 1, 401: 1, 413: 1}
    assert asked == []


async def test_a_good_token_is_let_in(teams: Served, asked: Asked) -> None:
    status, _ = await teams.send(teams.fake.activity("personal_message"))
    assert (status, len(asked), len(teams.fake.posted)) == (200, 1, 1)


async def test_clocks_may_differ_by_a_few_minutes(teams: Served) -> None:
    header = teams.fake.bearer(exp=past(200), nbf=past(4000))
    assert (await teams.send(teams.fake.activity("personal_message"), bearer=header))[0] == 200


async def test_a_key_that_may_not_speak_for_teams_is_refused(teams: Served, asked: Asked, store: Store) -> None:
    for endorsements in (["webchat"], []):
        teams.fake.keys = {"web": endorsements}
        async with served(teams.fake, TeamsEdge(teams.fake.settings(), asked, store)) as other:
            token = jwt.encode(teams.fake.claims(), key("web"), "RS256", headers={"kid": "web"})
            assert (await other.send(teams.fake.activity("personal_message"), bearer=f"Bearer {token}"))[0] == 403
    assert asked == []


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


async def test_keys_are_fetched_once_and_a_new_key_is_found(fake: FakeTeams, asked: Asked, store: Store) -> None:
    clock = Clock()
    async with served(fake, TeamsEdge(fake.settings(), asked, store, clock=clock)) as running:
        for _ in range(3):
            assert (await running.send(fake.activity("personal_message")))[0] == 200
        assert fake.key_fetches == 1
        fake.keys = {"rotated": ["msteams"]}
        token = jwt.encode(fake.claims(), key("rotated"), "RS256", headers={"kid": "rotated"})
        assert (await running.send(fake.activity("personal_message"), bearer=f"Bearer {token}"))[0] == 401
        clock.now += timedelta(minutes=6)
        assert (await running.send(fake.activity("personal_message"), bearer=f"Bearer {token}"))[0] == 200
        assert (await running.send(fake.activity("personal_message")))[0] == 401
        assert fake.key_fetches == 2


async def test_unknown_key_ids_do_not_make_us_ask_again_and_again(teams: Served) -> None:
    headers = [signed(teams.fake, by="forger", head={"kid": f"made-up-{n}"}) for n in range(20)]
    activity = teams.fake.activity("personal_message")
    answers = await asyncio.gather(*(teams.send(activity, bearer=header) for header in headers))
    assert {status for status, _ in answers} == {401}
    assert teams.fake.key_fetches == 1


async def test_keys_already_known_count_while_their_address_is_down(
    fake: FakeTeams, asked: Asked, store: Store
) -> None:
    clock = Clock()
    async with served(fake, TeamsEdge(fake.settings(), asked, store, clock=clock)) as running:
        fake.keys_down = True
        assert (await running.send(fake.activity("personal_message")))[0] == 503
        fake.keys_down = False
        clock.now += timedelta(seconds=11)
        assert (await running.send(fake.activity("personal_message")))[0] == 200
        fake.keys_down = True
        clock.now += timedelta(days=2)
        assert (await running.send(fake.activity("personal_message")))[0] == 200


UNSAFE: dict[str, tuple[dict[str, Any], str]] = {
    "no app id": ({"app_id": ""}, "TEAMS_APP_ID"),
    "no password": ({"app_password": ""}, "TEAMS_APP_PASSWORD"),
    "no tenant": ({"tenant_id": "", "allowed_tenants": ()}, "TEAMS_TENANT_ID"),
    "keys over plain http": ({"openid_url": "http://keys.example/"}, "https"),
    "a secret sent over plain http": ({"authority": "http://login.example"}, "https"),
}


@pytest.mark.parametrize("kind", UNSAFE)
async def test_the_edge_refuses_to_start_open_to_anybody(kind: str, asked: Asked, store: Store) -> None:
    changes, remedy = UNSAFE[kind]
    with pytest.raises(Refused, match=remedy):
        TeamsEdge(FakeTeams(port=1).settings(**changes), asked, store)


async def test_the_tenant_alone_is_enough_of_an_allow_list(fake: FakeTeams, asked: Asked, store: Store) -> None:
    async with served(fake, TeamsEdge(fake.settings(allowed_tenants=()), asked, store)) as running:
        assert (await running.send(fake.activity("personal_message")))[0] == 200


async def test_the_log_holds_no_token_and_nobodys_words(
    teams: Served, caplog: pytest.LogCaptureFixture, fake: FakeTeams
) -> None:
    caplog.set_level("DEBUG")
    header = fake.bearer()
    await teams.send(fake.activity("personal_message", text="my very own secret"), bearer=header)
    await teams.send(fake.activity("personal_message", text="my very own secret"), bearer=header[:-9])
    fake.refusals.append((403, {}))
    await teams.send(fake.activity("personal_message", text="my very own secret"), bearer=header)
    assert "not delivered" in caplog.text or "could not be delivered" in caplog.text
    for secret in ("my very own secret", header.split(".")[1], PASSWORD, "token-1"):
        assert secret not in caplog.text


# What the SDK does when it is left alone: the reason for bot/teams_auth.py.


async def sdk_alone(fake: FakeTeams, header: str, activity: dict[str, Any]) -> Any:
    """The adapter of the SDK, as its samples use it, except that its blocking key fetch runs beside the loop."""
    ChannelValidation.open_id_metadata_endpoint = fake.settings().openid_url

    def check() -> Any:
        return asyncio.run(
            JwtTokenValidation.authenticate_request(
                Activity().deserialize(activity), header, SimpleCredentialProvider(APP, PASSWORD)
            )
        )

    try:
        return await asyncio.to_thread(check)
    finally:
        ChannelValidation.open_id_metadata_endpoint = None


async def test_the_sdk_alone_lets_another_tenant_in(fake: FakeTeams) -> None:
    activity = fake.activity("personal_message")
    activity["conversation"]["tenantId"] = activity["channelData"]["tenant"]["id"] = OTHER_TENANT
    assert (await sdk_alone(fake, fake.bearer(), activity)).is_authenticated


async def test_the_sdk_alone_lets_any_service_address_in(fake: FakeTeams) -> None:
    activity = fake.activity("personal_message", serviceUrl="https://evil.example/")
    assert (await sdk_alone(fake, fake.bearer(serviceurl="https://evil.example/"), activity)).is_authenticated
    activity = fake.activity("personal_message")
    del activity["serviceUrl"]
    assert (await sdk_alone(fake, fake.bearer(serviceurl="https://evil.example/"), activity)).is_authenticated


async def test_the_sdk_alone_lets_a_token_without_end_in(fake: FakeTeams) -> None:
    assert (await sdk_alone(fake, fake.bearer(exp=None), fake.activity("personal_message"))).is_authenticated


@pytest.mark.parametrize("kind", ["expired", "an unknown key id", "garbage"])
async def test_the_sdk_alone_fails_on_a_bad_token_with_something_a_server_answers_by_500(
    kind: str, fake: FakeTeams
) -> None:
    header = BAD_TOKENS[kind](fake)
    assert header is not None
    with pytest.raises(Exception) as failure:  # noqa: PT011 - that no common class covers them is the point
        await sdk_alone(fake, header, fake.activity("personal_message"))
    assert not isinstance(failure.value, PermissionError)


async def test_the_sdk_alone_lets_anybody_in_without_an_app_id() -> None:
    adapter = BotFrameworkAdapter(BotFrameworkAdapterSettings("", ""))
    heard: list[str] = []

    async def logic(context: Any) -> None:
        heard.append(context.activity.text)

    await adapter.process_activity(Activity().deserialize(recorded("personal_message")), "", logic)
    assert heard == ["myscore last week"]
