"""The guard: forged, malformed and repeated requests do nothing, and none of them is the server's fault."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import hashlib
import io
import json
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

import storage.inbox
from bot import slack_guard
from bot.slack import PATH
from handlers.call import Call, Reply
from storage.db import Store
from tests.fakes.slack import NOW, SECRET, encoded, recorded, served, sign, workspace

FORM = "application/x-www-form-urlencoded"
SECONDS = NOW.timestamp()
KINDS = ("command", "action", "home_action", "submission", "message", "home")
WRONG: tuple[Any, ...] = (None, 7, [], {"x": 1}, "", "a b", "\ud800")
Request = tuple[str, bytes, dict[str, str]]  # method, body, headers


def signed(payload: dict[str, Any], at: float = SECONDS, secret: str = SECRET) -> Request:
    body, kind = encoded(payload)
    return "POST", body, sign(body, at, secret) | {"Content-Type": kind}


def forged(chance: random.Random) -> Request:
    """A request that somebody without the signing secret can make, or one that was true long ago."""
    payload = recorded(chance.choice(KINDS))
    method, body, headers = signed(payload)
    stamp, signature = "X-Slack-Request-Timestamp", "X-Slack-Signature"
    match chance.randrange(13):
        case 0:
            return signed(payload, secret=chance.choice(["", "0" * 32, SECRET[:-1], SECRET.upper()]))
        case 1:
            del headers[signature]
        case 2:
            del headers[stamp]
        case 3:
            headers = {"Content-Type": headers["Content-Type"]}
        case 4:
            headers[stamp] = str(int(SECONDS) + chance.randint(1, 299))  # fresh, but not what was signed
        case 5:
            return signed(payload, at=SECONDS + chance.choice([-1, 1]) * chance.randint(301, 10**7))
        case 6:
            body = body.replace(b"U2147483697", b"U2147483698")
        case 7:
            body += b"&x=1"
        case 8:
            headers[signature] = f"v0={chance.getrandbits(256):064x}"
        case 9:
            headers[signature] = headers[signature].replace("v0=", chance.choice(["v1=", "", "v0", "V0="]))
        case 10:
            headers[signature] = headers[signature][: chance.randrange(67)]
        case 11:
            headers[signature] = "v0=" + hashlib.sha256(f"v0:{int(SECONDS)}:".encode() + body).hexdigest()
        case 12:
            headers[signature] = "v0=" + "0" * 64
    return method, body, headers


def malformed() -> Iterator[Request]:
    """Requests that are no Slack request in form; where a signature could be right, it is."""
    method, body, headers = signed(recorded("command"))
    stamp, signature = "X-Slack-Request-Timestamp", "X-Slack-Signature"
    for wrong in ("soon", "", "9" * 400, "-1", "1e9", " ", "١٧٨٥٩٢٠٤٠٠", "0x10", "1785920400.5", "nan", "²"):
        yield method, body, headers | {stamp: wrong}
    for wrong in ("ü" * 67, "v0=é" + "0" * 60, "v0=", "v0=" + "g" * 64, "😀", "v0=" + "0" * 5000, "v0=" + "A" * 64):
        yield method, body, headers | {signature: wrong}

    def raw(text: bytes, kind: str, extra: dict[str, str] | None = None) -> Request:
        return "POST", text, sign(text) | {"Content-Type": kind} | (extra or {})

    for text in (
        b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"{}", b"1" * 5_000,
        b'{"type":7}', b'{"type":"event_callback"}', b'{"type":"url_verification"}',
        b'{"type":"url_verification","challenge":7}',
        b'{"type":"event_callback","team_id":"T1","event_id":"E1","event":7}',
        b'{"type":"event_callback","team_id":"T1","event_id":"E1","event":{"type":7}}',
        b'{"type":"event_callback","team_id":"T1","event_id":"\\ud800","event":{"type":"app_uninstalled"}}',
    ):
        yield raw(text, "application/json")
    for text in (
        b"", b"payload=", b"payload={", b"payload=[]", b"payload=null", b"payload={}", b"x=1", b"&" * 500,
        b"command=/myscore", b"a=1&" * 5_000, b"\xff=\xff", b"payload=" + b"[" * 100_000,
        b"command=/myscore&team_id=&user_id=&channel_id=&trigger_id=",
        b"command=/myscore&team_id=T1&user_id=U%001&channel_id=C1&trigger_id=1",
        b"command=/myscore&team_id=T1&user_id=U1/../U2&channel_id=C1&trigger_id=1",
    ):
        yield raw(text, FORM)
    for kind in ("text/plain", "multipart/form-data", "application/xml", "", "application/json-seq"):
        yield raw(body, kind)
    yield raw(body, FORM, {"Content-Encoding": "gzip"})
    yield raw(b"command=" + b"x" * 1_100_000, FORM)
    for wrong_method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        yield wrong_method, body, headers
    for name in KINDS:
        for path in needed(name):
            for value in WRONG:
                payload = copy.deepcopy(recorded(name))
                inside = payload
                for step in path[:-1]:
                    inside = inside[step]
                # a form holds text alone, and no unpaired surrogate
                inside[path[-1]] = "" if name == "command" and value != "a b" else value
                yield signed(payload)


def needed(name: str) -> list[list[Any]]:
    """Where a payload holds an id that nothing can be done without."""
    return {
        "command": [["team_id"], ["user_id"], ["channel_id"], ["trigger_id"]],
        "action": [["user", "id"], ["user", "team_id"], ["trigger_id"], ["channel", "id"]],
        "home_action": [["user", "id"], ["trigger_id"]],
        "submission": [["user", "id"], ["view", "id"], ["view", "hash"], ["trigger_id"]],
        "message": [["team_id"], ["event_id"], ["event", "user"], ["event", "channel"]],
        "home": [["team_id"], ["event_id"], ["event", "user"]],
    }[name]


@dataclass
class Outcome:
    """How the server took it: statuses in the order of sending."""

    statuses: list[int] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return sum(s >= 500 for s in self.statuses)

    @property
    def accepted(self) -> int:
        return sum(s < 400 for s in self.statuses)


async def send(url: str, requests: list[Request], workers: int = 32) -> Outcome:
    outcome = Outcome([0] * len(requests))
    todo = iter(enumerate(requests))

    async def work(session: aiohttp.ClientSession) -> None:
        for i, (method, body, headers) in todo:
            try:
                data = io.BytesIO(body)  # aiohttp warns of large bytes
                async with session.request(method, url, data=data, headers=headers) as response:
                    outcome.statuses[i] = response.status
            except aiohttp.ClientConnectionError:
                outcome.statuses[i] = 400  # refused while it was still being sent

    connector = aiohttp.TCPConnector(limit=workers)
    async with aiohttp.ClientSession(connector=connector, skip_auto_headers=["Content-Type"]) as session:
        await asyncio.gather(*(work(session) for _ in range(workers)))
    return outcome


def repeated(chance: random.Random, count: int) -> list[Request]:
    """`count` requests that are 20 in truth: the same bytes again, or the same delivery signed anew."""
    originals = []
    for i in range(20):
        payload = recorded(("command", "action", "submission", "message")[i % 4])
        match payload.get("type"):
            case "view_submission":
                payload["view"]["hash"] = f"1.{i}"
            case "event_callback":
                payload["event_id"] = f"Ev{i}"
            case _:
                payload["trigger_id"] = f"1.2.{i}"
        originals.append(payload)
    found = [signed(p, at=SECONDS + chance.choice([0, 0, 0, 5, 60])) for p in originals * (count // 20)]
    chance.shuffle(found)
    return found


async def test_ten_thousand_forged_a_thousand_malformed_and_a_thousand_replayed_requests(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(2026)
    done: list[str] = []
    asked = 0

    async def answer(call: Call) -> Reply:
        nonlocal asked
        asked += 1
        async with sqlite_store.write() as db:
            if await storage.inbox.first(db, call.key, int(SECONDS)):
                done.append(call.key)
        return Reply()

    async with workspace(answer) as slack:
        lies = await send(slack.url, [forged(chance) for _ in range(10_000)])
        assert (lies.accepted, lies.faults, asked) == (0, 0, 0)
        cases = list(malformed())
        wrong = await send(slack.url, (cases * (1_000 // len(cases) + 1))[:1_000])
        assert len(cases) <= 1_000
        assert (wrong.accepted, wrong.faults, asked) == (0, 0, 0)
        again = await send(slack.url, repeated(chance, 1_000))
        assert (again.accepted, again.faults) == (1_000, 0)
        assert len(done) == len(set(done)) == 20
        said = [c.method for c in slack.slack.calls]
    assert said == ["auth.test"]
    assert caplog.records == []


@contextlib.asynccontextmanager
async def bare_bolt(done: list[str]) -> AsyncIterator[str]:
    """What is quickly written with Bolt alone: its own verification, no guard before it and no inbox behind it."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0001", bot_token="xoxb-1")

    bolt = AsyncApp(signing_secret=SECRET, authorize=authorize, process_before_response=True)
    bolt._async_middleware_list[1].verifier.clock.now = lambda: SECONDS  # type: ignore[attr-defined]

    async def act(ack: AsyncAck, body: dict[str, Any]) -> None:
        done.append(str(body.get("event_id") or body.get("trigger_id")))
        await ack()

    bolt.command("/myscore")(act)
    bolt.action({"block_id": "b1X"})(act)
    bolt.view("form:correction.send")(act)
    bolt.event("message")(act)

    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    app = web.Application()
    app.router.add_post(PATH, handle)
    async with served(app) as root:
        yield f"{root}{PATH}"


@pytest.mark.filterwarnings("ignore")
async def test_bolt_alone_would_not_have_withstood_it() -> None:
    done: list[str] = []
    async with bare_bolt(done) as url:
        wrong = await send(url, list(malformed())[:60])
        assert wrong.faults > 0
        done.clear()
        await send(url, repeated(random.Random(1), 100))
    assert len(done) > 20


async def test_whatever_is_signed_the_server_is_never_at_fault(sqlite_store: Store) -> None:
    chance = random.Random(7)
    strange: list[Any] = [None, 0, -1.5, True, "", "x" * 5_000, "\ud800", "\0", [], [[]], {}, {"id": 7}, ["a"], 10**400]

    def mutated() -> dict[str, Any]:
        payload: dict[str, Any] = copy.deepcopy(recorded(chance.choice([k for k in KINDS if k != "command"])))
        for _ in range(chance.randint(1, 3)):
            inside: Any = payload
            while True:
                steps = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
                if not steps:
                    break
                step = chance.choice(steps)
                if isinstance(inside[step], (dict, list)) and inside[step] and chance.random() < 0.7:
                    inside = inside[step]
                    continue
                if isinstance(inside, dict) and chance.random() < 0.3:
                    del inside[step]
                else:
                    inside[step] = copy.deepcopy(chance.choice(strange))
                break
        return payload

    calls: list[Call] = []

    async def answer(call: Call) -> Reply:
        calls.append(call)
        async with sqlite_store.write() as db:
            await storage.inbox.first(db, call.key, 0)
        return Reply()

    async with workspace(answer) as slack:
        outcome = await send(slack.url, [signed(mutated()) for _ in range(1_500)])
    assert outcome.faults == 0
    assert len(calls) > 300
    for call in calls:
        texts = [call.name, call.account, call.key, call.text, *call.values, *call.values.values()]
        assert all(isinstance(t, str) and t.encode() is not None and "\0" not in t for t in texts)
        assert len(call.key) <= 300
        assert call.account.startswith("slack:T")


def let_in(headers: dict[str, str], body: bytes) -> bool:
    stamp, signature = headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"]
    try:
        slack_guard.headers(stamp, signature, SECONDS)
        slack_guard.verify(SECRET, stamp, signature, body)
    except slack_guard.TurnedAway:
        return False
    return True


@pytest.mark.parametrize("off", [0, 299, -299, 300, -300])
def test_a_signature_is_good_for_five_minutes(off: int) -> None:
    headers = sign(b"body", SECONDS + off)
    assert let_in(headers, b"body")
    assert not let_in(headers, b"another")


@pytest.mark.parametrize("off", [301, -301])
def test_and_no_longer(off: int) -> None:
    headers = sign(b"body", SECONDS + off)
    with pytest.raises(slack_guard.TurnedAway):
        slack_guard.headers(headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"], SECONDS)


def test_the_signature_is_the_one_slack_publishes() -> None:
    """The worked example of docs.slack.dev, verifying requests from Slack."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14"
        b"d10d2c447fce8b6703c"
    )
    found = slack_guard.signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body)
    assert found == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_an_empty_secret_verifies_nothing() -> None:
    headers = sign(b"body", SECONDS, secret="")
    with pytest.raises(slack_guard.TurnedAway):
        slack_guard.verify("", headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"], b"body")


@pytest.mark.parametrize(
    ("url", "api", "may"),
    [
        ("https://hooks.slack.com/commands/1/2/3", "https://slack.com/api/", True),
        ("https://hooks.slack-gov.com/commands/1", "https://slack-gov.com/api/", True),
        ("https://hooks.slack-gov.com/commands/1", "https://slack.com/api/", False),
        ("http://hooks.slack.com/commands/1/2/3", "https://slack.com/api/", False),
        ("https://hooks.slack.com:8443/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com@evil.example/", "https://slack.com/api/", False),
        ("https://evil.example\\@hooks.slack.com/", "https://slack.com/api/", False),
        ("https://hooks.slack.com\\.evil.example/", "https://slack.com/api/", False),
        ("https://hooks.slack.com\t.evil.example/", "https://slack.com/api/", False),
        ("https://hooks.slаck.com/", "https://slack.com/api/", False),
        ("https://[::1/", "https://slack.com/api/", False),
        ("https://hooks.slack.com:x/", "https://slack.com/api/", False),
        ("", "https://slack.com/api/", False),
        ("http://127.0.0.1:80/r", "http://127.0.0.1:80/api/", True),
        ("http://127.0.0.1:81/r", "http://127.0.0.1:80/api/", False),
        ("https://hooks.slack.com/x", "http://127.0.0.1:80/api/", False),
        ("//evil.example", "", False),
    ],
)
def test_answers_go_to_slacks_host_alone(url: str, api: str, may: bool) -> None:
    assert slack_guard.may_answer(url, api) is may


def test_what_was_typed_is_read_without_escapes_and_never_endless() -> None:
    assert slack_guard.said("a &lt; b &amp;&amp; c &gt; d\0\ud800") == "a < b && c > d?"
    assert slack_guard.said("&amp;lt;") == "&lt;"
    assert len(slack_guard.said("x" * 100_000)) == slack_guard.TEXT


async def test_a_request_that_never_ends_is_given_up() -> None:
    calls: list[Call] = []

    async def answer(call: Call) -> Reply:
        calls.append(call)
        return Reply()

    body, kind = encoded(recorded("command"))

    async def dripping() -> AsyncIterator[bytes]:
        for _ in range(2_000):
            yield b"x" * 1_000

    async with workspace(answer) as slack:
        headers = sign(body) | {"Content-Type": kind}
        status = 413  # also when the server hangs up on what is still being sent
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with slack.session.post(slack.url, data=dripping(), headers=headers) as response:
                status = response.status
    assert (status, calls) == (413, [])


def test_signed_json_is_read_to_a_sane_depth() -> None:
    for text in (b"[" * 200_000, json.dumps({"a": 1}).encode()[:-1]):
        with pytest.raises(slack_guard.TurnedAway) as no:
            slack_guard.parse("application/json", text)
        assert no.value.status == 400
