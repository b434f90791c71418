"""`/myscore` as a signed Slack request: processor time against a Bolt command that does nothing, tail, and growth."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

import bot.app
from bot import slack_guard
from bot.config import Config, Slack
from tests.benchmarks import desk, rounds, serving
from tests.benchmarks.rounds import Measured
from tests.benchmarks.serving import Request, Server

SECRET = "a-secret-of-the-benchmark"
PATH = "/slack/events"
_NEW = itertools.count()


def clock(behind: float) -> Callable[[], datetime]:
    """The time of the desk: as many seconds behind the real one as when the benchmark began."""
    return lambda: bot.app.utc_now() - timedelta(seconds=behind)


def behind() -> float:
    return (bot.app.utc_now() - desk.NOW).total_seconds()


@asynccontextmanager
async def redfirst(path: str, late: float) -> AsyncIterator[int]:
    """The product as it is started for Slack, with a Web API beside it that only says who the bot is."""

    async def who(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "team_id": desk.WORKSPACE, "user_id": "U0BOT", "bot_id": "B1"})

    async with listening(_of(web.post("/api/auth.test", who))) as port:
        slack = Slack(bot_token="xoxb-bench", signing_secret=SECRET, api_url=f"http://127.0.0.1:{port}/api/")
        config = Config(database_url=f"sqlite:///{path}", port=0, slack=slack)
        running = await bot.app.start(config, clock(late))
        bot.app.settle()
        try:
            yield running.port
        finally:
            await running.stop()


@asynccontextmanager
async def nothing() -> AsyncIterator[int]:
    """A command of Bolt's own making that only acknowledges, with Bolt's verification, behind the same aiohttp."""
    from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
    from slack_bolt.async_app import AsyncAck, AsyncApp
    from slack_bolt.authorization import AuthorizeResult

    known = AuthorizeResult(enterprise_id=None, team_id=desk.WORKSPACE, bot_id="B1", bot_user_id="U0BOT", bot_token="x")

    async def authorize() -> AuthorizeResult:
        return known

    app = AsyncApp(signing_secret=SECRET, authorize=authorize, process_before_response=True)

    @app.command("/myscore")
    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    async def handle(request: web.Request) -> web.StreamResponse:
        answer: web.StreamResponse = await to_aiohttp_response(
            await app.async_dispatch(await to_bolt_request(request))
        )
        return answer

    async with listening(_of(web.post(PATH, handle))) as port:
        yield port


def _of(route: web.RouteDef) -> web.Application:
    app = web.Application(client_max_size=1024 * 1024)
    app.add_routes([route])
    return app


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[int]:
    """The application on a free local port, set up as the product's own; gives the port."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def requests(late: float) -> Callable[[int], Sequence[Request]]:
    """Makes signed `/myscore` requests of everybody in turn, each with a trigger of its own."""
    def make(count: int) -> Sequence[Request]:
        stamp = str(int(clock(late)().timestamp()))
        made = []
        for number in desk.asking(count):
            fields = {
                "token": "of-old-times",
                "team_id": desk.WORKSPACE,
                "team_domain": "bench",
                "channel_id": f"D{number:06}",
                "channel_name": "directmessage",
                "user_id": desk.slack_user(number),
                "user_name": f"person{number}",
                "command": "/myscore",
                "text": "",
                "api_app_id": "A0001",
                "is_enterprise_install": "false",
                "response_url": "https://hooks.slack.com/commands/T0001/1/2",
                "trigger_id": f"{stamp}.{next(_NEW)}.bench",
            }
            body = urlencode(fields).encode()
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Slack-Request-Timestamp": stamp,
                "X-Slack-Signature": slack_guard.signature(SECRET, stamp, body),
            }
            made.append(Request(PATH, headers, body))
        return made

    return make


async def measure(count: int, requests_a_round: int, tickets: int, fewer: int) -> list[Measured]:
    late = behind()
    made = requests(late)
    large, small = await desk.database(tickets), await desk.database(fewer)
    with desk.copied(large) as one, desk.copied(small) as other:
        async with (
            serving.server(redfirst, str(one), late, requests=made, expected=b"Your scorecard") as ours,
            serving.server(redfirst, str(other), late, requests=made, expected=b"Your scorecard") as lesser,
            serving.server(nothing, requests=requests(0.0)) as floor,
        ):
            return [
                await _against(ours, floor, requests_a_round, count),
                await _tail(ours, requests_a_round, count),
                await _growth(ours, lesser, requests_a_round, count, f"{fewer:,} → {tickets:,} tickets"),
            ]


async def _against(ours: Server, floor: Server, requests_a_round: int, count: int) -> Measured:
    pairs = await serving.ratios(ours, floor, requests_a_round, count)
    return Measured(
        "Slack: CPU of /myscore ÷ a Bolt command that does nothing",
        rounds.median_ratio(pairs), 6.0, "at most", serving.spelt(pairs),
    )  # fmt: skip


async def _tail(ours: Server, requests_a_round: int, count: int) -> Measured:
    ratio, detail = await serving.tail(ours, requests_a_round, count)
    return Measured("Slack: p99 ÷ p50 of /myscore at 20 % of capacity", ratio, 3.0, "at most", detail)


async def _growth(ours: Server, lesser: Server, requests_a_round: int, count: int, detail: str) -> Measured:
    pairs = await serving.ratios(ours, lesser, requests_a_round, count)
    ratio = rounds.median_ratio(pairs)
    detail = f"{detail}, {serving.spelt(pairs)}"
    return Measured("Slack: CPU of /myscore with more tickets", ratio, 1.2, "at most", detail)


def run(
    count: int = rounds.ROUNDS, requests_a_round: int = 300, tickets: int = 1_000_000, fewer: int = 100_000
) -> list[Measured]:
    """Three ratios: against the floor, tail against median, and a million tickets against a hundred thousand."""
    return asyncio.run(measure(count, requests_a_round, tickets, fewer))
