"""The demo's edge over real HTTP: who may be whom, what counts as the same press, and what the bot says by itself."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import bot.web
from bot.edge import Undeliverable
from bot.web_guard import loopback
from cards.card import Card, Text
from scoring.refused import Refused
from tests.e2e import page_desk
from tests.e2e.page_desk import Desk


class Visitor:
    """A browser's part: opens the page, and sends what its script sends."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, edge: bot.web.WebEdge, desk: Desk, ids: dict[str, int]
    ) -> None:
        self.session, self.url, self.edge, self.desk, self.ids = session, url, edge, desk, ids
        self.count = 0
        self.known = ""

    async def open(self, path: str = "/") -> str:
        async with self.session.get(self.url + path) as response:
            assert response.status == 200
            return await response.text()

    async def token(self) -> str:
        if not self.known:
            found = re.search(r'name="redfirst-page" content="([^"]+)"', await self.open())
            assert found is not None
            self.known = found[1]
        return self.known

    async def send(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """POSTs like the page; headers given here replace its own, and an empty one leaves it out."""
        self.count += 1
        usual = {"Origin": self.url, "X-Redfirst-Page": await self.token(), "Content-Type": "application/json"}
        sent = {name: value for name, value in {**usual, **headers}.items() if value}
        usually = {"person": self.ids["owen"], "nonce": f"nonce-{self.count:04}"}
        data = body if isinstance(body, bytes) else json.dumps({**usually, **body})
        skip = ["Content-Type"] if "Content-Type" not in sent else []
        async with self.session.post(self.url + path, data=data, headers=sent, skip_auto_headers=skip) as response:
            assert response.content_type == "application/json"
            found: dict[str, Any] = await response.json()
            return response.status, found


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.db"
    asyncio.run(page_desk.fill(path))
    return path


@pytest.fixture
async def visitor(database: Path) -> AsyncIterator[Visitor]:
    async with page_desk.served(database) as (url, edge, desk, ids), aiohttp.ClientSession() as session:
        yield Visitor(session, url, edge, desk, ids)


async def test_a_typed_command_is_answered_as_the_person_picked(visitor: Visitor) -> None:
    status, reply = await visitor.send("/ask", {"text": "/myscore last week"})
    (call,) = visitor.desk.calls
    assert status == 200
    assert (call.kind, call.name, call.text) == ("command", "myscore", "last week")
    assert call.account == f"demo:{visitor.ids['owen']}"
    assert call.where.platform == "demo"
    assert call.where.private
    assert "Reopen rate" in reply["messages"][0]["html"]
    assert "Reopen rate" in reply["messages"][0]["slack"]
    assert "Reopen rate" in reply["messages"][0]["teams"]


async def test_words_without_a_slash_go_as_a_message(visitor: Visitor) -> None:
    await visitor.send("/ask", {"text": "  myscore october "})
    (call,) = visitor.desk.calls
    assert (call.kind, call.name, call.text) == ("message", "", "myscore october")


async def test_a_renamed_command_reaches_the_word_of_the_product(database: Path) -> None:
    async with page_desk.served(database, {"myscore": "punkte"}) as (url, edge, desk, ids):
        async with aiohttp.ClientSession() as session:
            visitor = Visitor(session, url, edge, desk, ids)
            await visitor.send("/ask", {"text": "/Punkte last week"})
            assert desk.calls[0].name == "myscore"
            assert "/punkte" in await visitor.open(f"/?as={ids['owen']}")


async def test_only_made_up_people_can_be_picked(visitor: Visitor) -> None:
    real = visitor.ids["real.person"]
    assert "Real Person" not in await visitor.open()
    assert "Message to Redfirst" not in await visitor.open(f"/?as={real}")
    for path in ("/ask", "/press", "/form"):
        for person in (real, 10_000, 0, -1, True, "1", None, 1.0):
            body = {"person": person, "text": "/myscore", "route": "score", "values": {}}
            status, reply = await visitor.send(path, body)
            assert status == 403
            assert "made up" in reply["error"]
    with pytest.raises(Undeliverable):
        await visitor.edge.post(f"demo:{real}", Card("Hi", (Text("Hi"),), "Hi"), "k")
    assert visitor.desk.calls == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.5", "[::1"])
async def test_a_foreign_name_that_resolves_here_is_turned_away(visitor: Visitor, host: str) -> None:
    async with visitor.session.get(visitor.url, headers={"Host": host}) as response:
        assert response.status == 403
    status, _ = await visitor.send("/ask", {"text": "/myscore"}, Host=host, Origin=f"http://{host}")
    assert status == 403
    assert visitor.desk.calls == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"X-Redfirst-Page": ""},
        {"X-Redfirst-Page": "abc.def"},
        {"X-Redfirst-Page": "é.ü"},
    ],
)
async def test_a_request_from_another_page_is_turned_away(visitor: Visitor, headers: dict[str, str]) -> None:
    status, _ = await visitor.send("/ask", {"text": "/myscore"}, **headers)
    assert status == 403
    assert visitor.desk.calls == []


@pytest.mark.parametrize("change", ["another origin", "no origin", "another page's token", "a real person", "json"])
async def test_a_form_that_another_site_sends_is_turned_away(visitor: Visitor, change: str) -> None:
    token = "abc.def" if change == "another page's token" else await visitor.token()
    person = visitor.ids["real.person" if change == "a real person" else "owen"]
    origin = {"another origin": {"Origin": "http://evil.example"}, "no origin": {}}.get(change, {"Origin": visitor.url})
    query = {"as": str(person), "page": token, "n": "nonce-0001"}
    sent: dict[str, Any] = {"json": {"text": "/myscore"}} if change == "json" else {"data": {"text": "/myscore"}}
    async with visitor.session.post(visitor.url + "/plain/ask", params=query, headers=origin, **sent) as response:
        assert response.status == (415 if change == "json" else 403)
    assert visitor.desk.calls == []


PRESSES = ["{", "[1]", "[" * 15_000, '{"route": "../etc"}', '{"route": 5}', '{"values": {}}']


async def test_what_was_said_to_one_is_not_shown_to_another_and_a_form_sent_twice_is_one_act(visitor: Visitor) -> None:
    query = {"as": str(visitor.ids["owen"]), "page": await visitor.token(), "n": "nonce-0001"}
    for shown in ("Reopen rate", "That was done already."):
        async with visitor.session.post(
            visitor.url + "/plain/ask", params=query, headers={"Origin": visitor.url}, data={"text": "/myscore"}
        ) as response:
            assert shown in await response.text()
            address = response.url
    assert len(visitor.desk.calls) == 1
    other = address.update_query({"as": str(visitor.ids["priya"])})
    async with visitor.session.get(other) as response:
        assert "That was done already." not in await response.text()


@pytest.mark.parametrize("press", PRESSES)
async def test_a_form_that_is_none_of_ours_is_refused(visitor: Visitor, press: str) -> None:
    query = {"as": str(visitor.ids["owen"]), "page": await visitor.token(), "n": "nonce-0001"}
    for what in ("press", "form"):
        async with visitor.session.post(
            f"{visitor.url}/plain/{what}", params=query, headers={"Origin": visitor.url}, data={"press": press}
        ) as response:
            assert response.status == 400
    assert visitor.desk.calls == []


async def test_what_another_site_could_send_without_asking_is_not_taken(visitor: Visitor) -> None:
    status, _ = await visitor.send("/ask", {"text": "/myscore"}, **{"Content-Type": "text/plain"})
    assert status == 415


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/ask", b"{", 400),
        ("/ask", b"[1]", 400),
        ("/ask", b"[" * 30_000, 400),
        ("/ask", b'"' + b"x" * 70_000 + b'"', 413),
        ("/ask", {"text": ""}, 400),
        ("/ask", {"text": 5}, 400),
        ("/ask", {"text": "/myscore", "nonce": "short"}, 400),
        ("/ask", {"text": "/myscore", "nonce": None}, 400),
        ("/press", {"route": "../etc", "values": {}}, 400),
        ("/press", {"route": "", "values": {}}, 400),
        ("/press", {"route": "score", "values": []}, 400),
        ("/press", {"route": "score", "values": {str(i): "" for i in range(101)}}, 400),
        ("/form", {"route": "corrected"}, 400),
    ],
)
async def test_what_the_page_never_sends_is_refused_in_words(
    visitor: Visitor, path: str, body: Any, status: int
) -> None:
    found, reply = await visitor.send(path, body)
    assert found == status
    assert reply["error"]
    assert visitor.desk.calls == []


async def test_a_pressed_button_carries_its_route_and_values(visitor: Visitor) -> None:
    _, reply = await visitor.send("/press", {"route": "why", "values": {"metric": "csat", "odd": 3}})
    (call,) = visitor.desk.calls
    assert (call.kind, call.name, call.values) == ("action", "why", {"metric": "csat", "odd": ""})
    assert reply["messages"][0]["update"] is True


async def test_a_button_pressed_twice_is_one_act_when_it_may_be_pressed_once(visitor: Visitor) -> None:
    press = {"route": "once", "values": {"_n": "abc", "case": "5"}}
    _, first = await visitor.send("/press", press)
    _, second = await visitor.send("/press", press)
    assert len(first["messages"]) == 1
    assert second["messages"] == []
    assert "_n" not in visitor.desk.calls[0].values
    _, another = await visitor.send("/press", {"route": "once", "values": {"_n": "abc", "case": "6"}})
    _, free = await visitor.send("/press", {"route": "score", "values": {}})
    _, again = await visitor.send("/press", {"route": "score", "values": {}})
    assert [len(r["messages"]) for r in (another, free, again)] == [1, 1, 1]


async def test_a_question_sent_again_by_a_nervous_network_is_answered_once(visitor: Visitor) -> None:
    for expected in (1, 0):
        _, reply = await visitor.send("/ask", {"text": "/myscore", "nonce": "the-same-nonce"})
        assert len(reply["messages"]) == expected


async def test_a_form_comes_as_a_form_and_its_answers_go_back(visitor: Visitor) -> None:
    _, reply = await visitor.send("/press", {"route": "correct", "values": {}})
    message = reply["messages"][0]
    assert message["form"] is True
    for view in ("html", "slack", "teams"):
        assert 'name="reason"' in message[view]
        assert 'data-route="corrected"' in message[view]
    values = {"ticket": "desk/48213", "reason": "It was not me", "period": "2026-W46"}
    await visitor.send("/form", {"route": "corrected", "values": values})
    assert visitor.desk.calls[-1].kind == "form"
    assert visitor.desk.calls[-1].values == values


async def test_what_the_bot_says_by_itself_reaches_whoever_looks_and_nobody_else(visitor: Visitor) -> None:
    ids, token = visitor.ids, await visitor.token()
    early = Card("Early", (Text("Before you looked."),), "Before you looked.")
    assert (await visitor.edge.post(f"demo:{ids['owen']}", early, "k1")).startswith(f"demo:{ids['owen']}:")
    await visitor.edge.post(f"demo:{ids['priya']}", Card("Not yours", (), "Not yours."), "k2")
    address = f"{visitor.url}/events?person={ids['owen']}&token={token}"
    async with visitor.session.get(address) as stream:
        assert stream.content_type == "text/event-stream"
        first = await asyncio.wait_for(_next_event(stream), 5)
        await visitor.edge.post(f"demo:{ids['owen']}", Card("Late", (), "While you looked."), "k3")
        second = await asyncio.wait_for(_next_event(stream), 5)
    assert (first[1]["summary"], second[1]["summary"]) == ("Before you looked.", "While you looked.")
    async with visitor.session.get(address, headers={"Last-Event-ID": str(first[0])}) as stream:
        again = await asyncio.wait_for(_next_event(stream), 5)
    assert again[0] == second[0]


async def test_a_card_that_is_brought_up_to_date_takes_the_place_of_its_former_self(visitor: Visitor) -> None:
    ids, token = visitor.ids, await visitor.token()
    account = f"demo:{ids['owen']}"
    reference = await visitor.edge.post(account, Card("Digest", (), "Two reds."), "digest")
    await visitor.edge.post(account, Card("Other", (), "Something else."), "other")
    address = f"{visitor.url}/events?person={ids['owen']}&token={token}"
    async with visitor.session.get(address) as stream:
        first, other = [await asyncio.wait_for(_next_event(stream), 5) for _ in range(2)]
        await visitor.edge.update(account, reference, Card("Digest", (), "One red, one plan."), "digest")
        newer = await asyncio.wait_for(_next_event(stream), 5)
    assert (first[1]["mark"], newer[1]["summary"]) == (newer[1]["mark"], "One red, one plan.")
    assert other[1]["mark"] != first[1]["mark"]
    async with visitor.session.get(address) as stream:  # a page opened now sees it once
        seen = [(await asyncio.wait_for(_next_event(stream), 5))[1]["summary"] for _ in range(2)]
    assert seen == ["Something else.", "One red, one plan."]


async def test_listening_needs_the_page_s_token_and_a_made_up_person(visitor: Visitor) -> None:
    token = await visitor.token()
    for person, given in ((visitor.ids["owen"], ""), (visitor.ids["real.person"], token), ("x", token)):
        async with visitor.session.get(f"{visitor.url}/events?person={person}&token={given}") as response:
            assert response.status == 403


async def _next_event(stream: aiohttp.ClientResponse) -> tuple[int, dict[str, Any]]:
    number = 0
    while True:
        line = (await stream.content.readline()).decode().strip()
        if line.startswith("id: "):
            number = int(line[4:])
        if line.startswith("data: "):
            return number, json.loads(line[6:])


async def test_stopping_ends_the_streams(visitor: Visitor) -> None:
    address = f"{visitor.url}/events?person={visitor.ids['owen']}&token={await visitor.token()}"
    async with visitor.session.get(address) as stream:
        await stream.content.readline()
        await visitor.edge.stop()
        await asyncio.wait_for(stream.content.read(), 5)
        assert stream.content.at_eof()


async def test_no_script_runs_but_the_page_s_own(visitor: Visitor) -> None:
    for path in ("/", f"/?as={visitor.ids['owen']}", "/static/page.js"):
        async with visitor.session.get(visitor.url + path) as response:
            policy = response.headers["Content-Security-Policy"]
            text = await response.text()
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        if path != "/static/page.js":
            assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=|javascript:", text)


async def test_everything_the_page_needs_comes_from_here(visitor: Visitor) -> None:
    text = await visitor.open(f"/?as={visitor.ids['owen']}")
    needed = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
    assert len(needed) == 5
    for path in needed:
        found = await visitor.open(path)
        assert not re.search(r"https?://(?!www\.w3\.org)", found)
    assert "http" not in re.sub(r'content="[^"]*"', "", text)


@pytest.mark.parametrize("name", ["..%2Fweb.py", "web.py", "nothing.css", "page.js%00.css", "page.html"])
async def test_no_other_file_is_served(visitor: Visitor, name: str) -> None:
    async with visitor.session.get(f"{visitor.url}/static/{name}") as response:
        assert response.status in (403, 404)
        assert "import" not in await response.text()


async def test_people_are_grouped_by_team_with_leavers_last(visitor: Visitor) -> None:
    text = await visitor.open()
    teams = re.findall(r"<h2>([^<]+)</h2><ul>", text)
    assert teams[0] == "Help desk"
    assert teams[-1] == "No longer here"
    assert set(teams) > {"Projects", "Centralised services", "Technical alignment", "Office"}
    assert "Kofi Mensah" in text


@pytest.mark.parametrize("host", ["192.168.1.5", "::", "desk.example", ""])
async def test_the_demo_refuses_to_listen_where_others_could_reach_it(host: str) -> None:
    async def answer(call: object) -> Any:
        raise AssertionError

    with pytest.raises(Refused, match="does not listen"):
        bot.web.WebEdge(answer, None, lambda: page_desk.NOW, host=host)  # type: ignore[arg-type]


def test_loopback_is_this_machine_by_any_of_its_names() -> None:
    assert all(map(loopback, ("127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]")))
    assert not any(map(loopback, ("", "localhost.example", "128.0.0.1", "::")))
