"""Slack and Teams on a bad day: connections break before and after a message was taken, messages land late, and for
whole stretches of time nothing is taken at all."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import web

from tests.fakes.slack import FakeSlack
from tests.fakes.teams import FakeTeams, Posted

FATES = {"well": 70, "slow": 8, "cut before": 6, "cut after": 6, "broken after": 4, "late": 5, "very late": 1}
"""How many of a hundred calls meet which fate; the first two are answered."""


@dataclass
class Weather:
    """What happens to each call. `hurry` seconds of the product's clock pass in one of ours; all times are of its."""

    chance: Random
    hurry: float
    settle: float
    storm_every: float = 100.0
    storm_lasts: int = 20
    met: Counter[str] = field(default_factory=Counter)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def fate(self, *, gentle: bool) -> str:
        """`gentle` where what lands late cannot be told from what never landed."""
        fate = self.chance.choices(list(FATES), list(FATES.values()))[0]
        if gentle and fate == "very late":
            fate = "late"
        self.met[fate] += 1
        return fate

    def storm(self) -> int:
        """Seconds for which nothing is taken now; 0 in fair weather."""
        into = asyncio.get_running_loop().time() * self.hurry % (self.storm_every + self.storm_lasts)
        left = into - self.storm_every
        return 0 if left < 0 else int(self.storm_lasts - left) + 1

    async def through(self, request: web.Request, fate: str, do: Callable[[], web.Response]) -> web.StreamResponse:
        """Carries a call out, or not, and answers, or not."""
        if fate == "slow":
            await asyncio.sleep(self.chance.random() * 4 / self.hurry)
        if fate in ("late", "very late"):
            wait = self.settle * (self.chance.uniform(0.1, 0.6) if fate == "late" else self.chance.uniform(4.0, 6.0))
            task = asyncio.create_task(self._later(wait / self.hurry, do))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            return _cut(request)
        if fate == "cut before":
            return _cut(request)
        answer = do()
        if fate == "cut after":
            return _cut(request)
        return web.json_response({"ok": False, "error": "internal_error"}, status=500) if "broken" in fate else answer

    async def _later(self, seconds: float, do: Callable[[], web.Response]) -> None:
        await asyncio.sleep(seconds)
        do()


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


class BadSlack(FakeSlack):
    """Loses, delays and refuses what it is asked to post, update and look up."""

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self.weather = weather
        self.very_late: list[str] = []

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if method not in ("chat.postMessage", "chat.update", "conversations.history"):
            return await super()._api(request)
        body = json.loads(await request.text())
        if wait := self.weather.storm():
            self.weather.met["storm"] += 1
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(wait)}
            )
        fate = self.weather.fate(gentle=method != "chat.postMessage")

        def do() -> web.Response:
            if fate == "very late":
                self.very_late.append(body["metadata"]["event_payload"]["key"])
            return web.json_response(self._carry_out(method, body))

        return await self.weather.through(request, fate, do)

    def _problems(self, method: str, body: Any) -> list[str]:
        return []

    def standing(self) -> dict[str, list[str]]:
        """Key → the words of each message that stands there."""
        found: dict[str, list[str]] = {}
        for messages in self.messages.values():
            for message in messages:
                found.setdefault(message["metadata"]["event_payload"]["key"], []).append(message["text"])
        return found


@dataclass
class BadTeams(FakeTeams):
    """The same; the key of a message is the first word of what it says."""

    weather: Weather = field(default_factory=lambda: Weather(Random(0), 1.0, 30.0))

    async def _activity(self, request: web.Request) -> web.StreamResponse:  # type: ignore[override]
        activity = await request.json()
        if wait := self.weather.storm():
            self.weather.met["storm"] += 1
            return web.json_response({}, status=429, headers={"Retry-After": str(wait)})
        conversation = request.match_info["conversation"]

        def do() -> web.Response:
            fresh = request.method != "PUT"
            message = f"m{len(self.posted) + 1}" if fresh else request.match_info["message"]
            self.posted.append(Posted(request.method, conversation, message, activity))
            return web.json_response({"id": message}, status=201 if fresh else 200)

        return await self.weather.through(request, self.weather.fate(gentle=True), do)

    def standing(self) -> dict[str, list[str]]:
        """Key → the words of each message that stands there."""
        shown: dict[str, str] = {}
        for one in self.posted:
            shown[one.message] = str(one.activity["summary"])
        found: dict[str, list[str]] = {}
        for words in shown.values():
            found.setdefault(words.split()[0], []).append(words)
        return found
