"""The demo's edge: a chat in the browser, in which one is whoever one picks among made-up people, and nobody real."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

import scoring.periods
import storage.people
from bot import demo_desk, demo_time, web_page, web_plain, web_views
from bot.edge import Answer, Undeliverable
from bot.web_guard import HEADERS, Guard, TurnedAway, require_loopback
from cards import style
from cards.card import Card
from handlers.call import Call, Where
from scoring.refused import Refused
from storage.db import Store

STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_LIMIT = 64_000
_NONCE = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
_ROUTE = re.compile(r"[a-z_]{1,60}\Z")
_KEPT = 50
"""Messages kept for somebody who is not looking, so that the page shows them when they are."""
_HEARTBEAT = 15.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Body = dict[str, Any]


class WebEdge:
    """The browser as a platform. Only people the demo generator made can be picked; accounts are "demo:<person id>".

    `command_names` maps words of the product to the names typed here. Raises Refused where `host` is not loopback.
    """

    name = "demo"

    def __init__(
        self,
        answer: Answer,
        store: Store,
        clock: Callable[[], datetime],
        *,
        command_names: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        nonce: Callable[[], str] = lambda: secrets.token_urlsafe(9),
    ) -> None:
        require_loopback(host)
        self._answer = answer
        self._store = store
        self._clock = clock
        self._names = dict(command_names or {})
        self._words = {name.lstrip("/").lower(): word for word, name in self._names.items()}
        self._stories = demo_desk.stories()
        self._nonce = nonce
        self._guard = Guard()
        self._kept: dict[int, dict[str, tuple[int, str]]] = defaultdict(dict)
        self._listening: dict[int, set[asyncio.Queue[tuple[int, str] | None]]] = defaultdict(set)
        self._told: dict[str, tuple[int, str]] = {}
        self._numbers = itertools.count(1)
        self.move: Callable[[datetime], Awaitable[datetime]] | None = None
        """Moves the clock on to an instant and returns what time it is then; None where it cannot be moved."""

    def mount(self, web_app: web.Application) -> None:
        """Adds the page at /, its static files, and what it calls: /ask, /press, /form (with /plain before them
        where there is no script), /clock, /events."""
        router = web_app.router
        router.add_get("/", self._guarded(self._page))
        router.add_get("/static/{file}", self._guarded(self._static))
        router.add_get("/events", self._guarded(self._events))
        router.add_post("/{what:ask|press|form}", self._guarded(self._sent))
        router.add_post(web_plain.PATH + "/{what:ask|press|form}", self._guarded(self._plain))
        router.add_post("/clock", self._guarded(self._moved))

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        for queues in self._listening.values():
            for queue in queues:
                queue.put_nowait(None)

    async def post(self, recipient: str, card: Card, key: str) -> str:
        """Shows a card to a person ("demo:7"), or to all who read a channel ("#help-desk", "#desk" for everybody),
        when they look at the page.

        Raises Undeliverable for anybody who is not made up.
        """
        mark = hashlib.sha256(key.encode()).hexdigest()[:16]
        told = {**web_views.of_card(card, self._nonce()), "mark": mark, "at": int(self._clock().timestamp() * 1000)}
        if recipient.startswith("#"):
            told["channel"] = recipient
        event = (next(self._numbers), json.dumps(told))
        for person_id in await self._readers(recipient):
            self._kept[person_id].pop(mark, None)
            self._kept[person_id][mark] = event
            if len(self._kept[person_id]) > _KEPT:
                self._kept[person_id].pop(next(iter(self._kept[person_id])))
            for queue in self._listening[person_id]:
                queue.put_nowait(event)
        return f"{recipient}:{mark}"

    async def _readers(self, recipient: str) -> list[int]:
        """Ids of the made-up people who see what is posted there. Raises Undeliverable where there is nobody."""
        person_id = _number(recipient.removeprefix("demo:"))
        if person_id is not None and await self._made_up(person_id):
            return [person_id]
        found: list[int] = []
        if recipient.startswith("#"):
            async with self._store.read() as db:
                made_up = await storage.people.made_up(db)
                everyone = await storage.people.everyone(db, scoring.periods.day_of(self._clock().date()))
                named = {team.id: f"#{team.key}" for team in await storage.people.teams(db)}
            found = [
                one.id
                for one in everyone
                if one.id in made_up and one.active and recipient in ("#desk", named.get(one.team_id or 0))
            ]
        if not found:
            raise Undeliverable(f"{recipient} is nobody of the demo.")
        return found

    async def update(self, recipient: str, reference: str, card: Card, key: str) -> None:
        """Shows the card in the place of the one before; where the page shows that one no more, as a new one."""
        await self.post(recipient, card, key)

    async def find(self, recipient: str, key: str) -> str | None:
        """Always None: what is posted again takes the place of the first on the page."""
        return None

    async def copies(self, recipient: str, key: str) -> int:
        """Always one, as a message takes the place of its former self."""
        return 1

    # Requests

    def _guarded(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            try:
                self._guard.admit(request)
                return await handler(request)
            except TurnedAway as no:
                return web.json_response({"error": no.words}, status=no.status, headers=HEADERS)

        return checked

    async def _page(self, request: web.Request) -> web.Response:
        chosen = _number(request.query.get("as", ""))
        whose, talk = self._told.get(request.query.get("said", ""), (None, ""))
        return await self._shown(chosen, talk if whose == chosen else "")

    async def _shown(self, chosen: int | None, talk: str = "") -> web.Response:
        """The page for whoever was picked; `talk` is what has been said, where there is no script to say it."""
        now = self._clock()
        async with self._store.read() as db:
            everyone = await storage.people.everyone(db, scoring.periods.day_of(now.date()))
            made_up = await storage.people.made_up(db)
            people = [one for one in everyone if one.id in made_up]
            teams = await storage.people.teams(db)
        me = next((one for one in people if one.id == chosen), None)
        clock = now if self.move is not None else None
        token = self._guard.token()
        plain = web_plain.address("ask", me.id, token, self._nonce()) if me is not None else ""
        page = web_page.page(people, teams, me, token, self._names, self._stories, clock, plain, talk)
        return web.Response(text=page, content_type="text/html", charset="utf-8", headers=HEADERS)

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        if name == "cards.css":
            body = style.STYLE
        else:
            path = STATIC / name
            if path.parent != STATIC or path.suffix not in _TYPES or not path.is_file():
                raise TurnedAway(404, "There is no such file.")
            body = path.read_text(encoding="utf-8")
        kind = _TYPES[Path(name).suffix]
        return web.Response(text=body, content_type=kind, charset="utf-8", headers=HEADERS)

    async def _sent(self, request: web.Request) -> web.Response:
        """What the page's script sends: something typed, pressed or filled in."""
        body, person_id = await self._body(request)
        reply = await self._answer(self._call(request.match_info["what"], body, person_id))
        messages = [web_views.of_say(say, self._nonce()) for say in reply.says]
        return web.json_response({"messages": messages}, headers=HEADERS)

    async def _plain(self, request: web.Request) -> web.Response:
        """The same from a browser without script: a form comes, and it is sent on to the page with the answer."""
        token = request.query.get("page", "")
        self._guard.admit_page(request, token)
        person_id = await self._known(_number(request.query.get("as", "")))
        body = web_plain.body(await _limited(request), request.content_type, request.query.get("n", ""))
        reply = await self._answer(self._call(request.match_info["what"], body, person_id))
        asked = _text(body, "text").strip()
        said = self._nonce()
        self._told[said] = person_id, web_plain.talk(asked, reply.says, person_id, token, self._nonce)
        if len(self._told) > _KEPT:
            self._told.pop(next(iter(self._told)))
        return web.Response(status=303, headers={**HEADERS, "Location": f"/?as={person_id}&said={said}"})

    def _call(self, what: str, body: Body, person_id: int) -> Call:
        """What somebody asks by typing ("ask"), pressing ("press") or filling in ("form"). Raises TurnedAway."""
        account = f"demo:{person_id}"
        if what == "form":
            key = f"{account}:f:{_nonce_of(body)}"
            return Call(_route(body), account, _HERE, key, "form", values=_values(body))
        if what == "press":
            route, values = _route(body), _values(body)
            once = values.pop("_n", "")[:100]
            if not once:
                return Call(route, account, _HERE, f"{account}:p:{_nonce_of(body)}", "action", values=values)
            # a second press of the same button is the same act, whoever sends it
            pressed = hashlib.sha256(json.dumps([route, sorted(values.items())]).encode()).hexdigest()[:16]
            return Call(route, account, _HERE, f"{account}:n:{once}:{pressed}", "action", values=values)
        text = _text(body, "text").strip()[:2000]
        if not text:
            raise TurnedAway(400, "Type something first.")
        key = f"{account}:a:{_nonce_of(body)}"
        if not text.startswith("/"):
            return Call("", account, _HERE, key, "message", text)
        word, _, rest = text[1:].lstrip().partition(" ")
        word = self._words.get(word.lower(), word.lower())
        return Call(word, account, _HERE, key, "command", rest.strip())

    async def _moved(self, request: web.Request) -> web.Response:
        """Moves the clock on, in the zone of the person picked, and says what time it is then."""
        body, person_id = await self._body(request)
        if self.move is None:
            raise TurnedAway(404, "This clock cannot be moved.")
        now = self._clock()
        async with self._store.read() as db:
            person = await storage.people.get(db, person_id, scoring.periods.day_of(now.date()))
        try:
            now = await self.move(demo_time.target(now, person.zone if person else "UTC", _text(body, "to")))
        except Refused as no:
            raise TurnedAway(400, str(no)) from None
        return web.json_response({"now": int(now.timestamp() * 1000)}, headers=HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """What the bot says by itself, as server-sent events; those since Last-Event-ID, or all kept, come first."""
        self._guard.admit_page(request, request.query.get("token", ""))
        person_id = await self._known(_number(request.query.get("person", "")))
        seen = _number(request.headers.get("Last-Event-ID", "")) or 0
        queue: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
        for event in self._kept[person_id].values():
            if event[0] > seen:
                queue.put_nowait(event)
        self._listening[person_id].add(queue)
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            await response.write(b"retry: 2000\n\n")
            while True:
                try:
                    event_or_end = await asyncio.wait_for(queue.get(), _HEARTBEAT)
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                if event_or_end is None:
                    break
                number, told = event_or_end
                await response.write(f"id: {number}\ndata: {told}\n\n".encode())
        except ConnectionError:
            pass  # the tab was closed; what was not read is kept for the next one
        finally:
            self._listening[person_id].discard(queue)
        return response

    # What the requests share

    async def _body(self, request: web.Request) -> tuple[Body, int]:
        """The JSON of a POST from our page, and the made-up person it speaks for. Raises TurnedAway."""
        self._guard.admit_page(request, request.headers.get("X-Redfirst-Page", ""))
        if request.content_type != "application/json":
            raise TurnedAway(415, "Send JSON.")
        raw = await _limited(request)
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise TurnedAway(400, "That is not JSON.") from None
        if not isinstance(body, dict):
            raise TurnedAway(400, "Send a JSON object.")
        person = body.get("person")
        return body, await self._known(person if isinstance(person, int) and not isinstance(person, bool) else None)

    async def _known(self, person_id: int | None) -> int:
        if person_id is None or not await self._made_up(person_id):
            raise TurnedAway(403, "Only people made up for the demo can be picked.")
        return person_id

    async def _made_up(self, person_id: int) -> bool:
        async with self._store.read() as db:
            return await storage.people.is_made_up(db, person_id)


_HERE = Where("demo", "demo")


async def _limited(request: web.Request) -> bytes:
    """The body of a request. Raises TurnedAway for one that is longer than the page ever sends."""
    if (request.content_length or 0) > _LIMIT:
        raise TurnedAway(413, "That is too long.")
    raw = await request.read()
    if len(raw) > _LIMIT:
        raise TurnedAway(413, "That is too long.")
    return raw


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _text(body: Body, name: str) -> str:
    value = body.get(name, "")
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _nonce_of(body: Body) -> str:
    nonce = _text(body, "nonce")
    if not _NONCE.match(nonce):
        raise TurnedAway(400, "Load the page again.")
    return nonce


def _route(body: Body) -> str:
    route = _text(body, "route")
    if not _ROUTE.match(route):
        raise TurnedAway(400, "That is no button of ours.")
    return route


def _values(body: Body) -> dict[str, str]:
    values = body.get("values")
    if not isinstance(values, dict) or len(values) > 100:
        raise TurnedAway(400, "That is no button of ours.")
    return {str(name): _text(values, name) for name in values}
