"""A server in a process of its own, asked from this one, so that its processor time is its alone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import random
import statistics
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import aiohttp

from tests.benchmarks import rounds

Making = Callable[..., AbstractAsyncContextManager[int]]
"""Starts a server and gives the port it listens on; called in the new process with plain values."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent."""

    path: str
    headers: dict[str, str]
    body: bytes


def _child(making: Making, arguments: tuple[Any, ...], pipe: Connection) -> None:
    asyncio.run(_serve(making, arguments, pipe))


async def _serve(making: Making, arguments: tuple[Any, ...], pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def listen() -> None:
        """Tells the processor time so far of all threads, whenever asked."""
        with contextlib.suppress(EOFError):
            while pipe.recv() != "stop":
                pipe.send(time.process_time())
        loop.call_soon_threadsafe(stop.set)

    async with making(*arguments) as port:
        pipe.send(port)
        threading.Thread(target=listen, daemon=True).start()
        await stop.wait()


@dataclass(slots=True)
class Server:
    """A running server and one connection to it."""

    pipe: Connection
    url: str
    session: aiohttp.ClientSession
    requests: Callable[[int], Sequence[Request]]
    expected: bytes

    def cpu(self) -> float:
        """Seconds of processor time the server has used."""
        self.pipe.send("cpu")
        used: float = self.pipe.recv()
        return used

    async def ask(self, request: Request) -> None:
        """Sends a request; raises where the answer is not what it should be."""
        async with self.session.post(self.url + request.path, data=request.body, headers=request.headers) as answer:
            said = await answer.read()
        if answer.status >= 300 or self.expected not in said:
            raise RuntimeError(f"{answer.status}: {said[:300]!r}")

    async def cpu_per_request(self, count: int) -> float:
        """Seconds of the server's processor time a request, one after the other."""
        asked = self.requests(count)
        before = self.cpu()
        for request in asked:
            await self.ask(request)
        return (self.cpu() - before) / count

    async def capacity(self, count: int, at_once: int = 8) -> float:
        """Requests a second with eight in flight."""
        waiting = list(self.requests(count))

        async def one() -> None:
            while waiting:
                await self.ask(waiting.pop())

        return count / await rounds.seconds_of(lambda: _all(one() for _ in range(at_once)))

    async def latencies(self, count: int, rate: float, seed: int) -> list[float]:
        """Seconds from when each request was due until its answer, requests coming by chance at this rate."""
        rng = random.Random(seed)
        loop = asyncio.get_running_loop()
        async def one(request: Request, due: float) -> float:
            await self.ask(request)
            return loop.time() - due

        requests, tasks = self.requests(count), []
        with _unpaused():
            at = loop.time()
            for request in requests:
                at += rng.expovariate(rate)
                await asyncio.sleep(at - loop.time())
                tasks.append(asyncio.create_task(one(request, at)))
            return await asyncio.gather(*tasks)


@contextlib.contextmanager
def _unpaused() -> Iterator[None]:
    """Whoever asks does not stop to collect garbage: the wait would be counted as the server's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _all(work: Any) -> None:
    await asyncio.gather(*work)


@asynccontextmanager
async def server(
    making: Making, *arguments: Any, requests: Callable[[int], Sequence[Request]], expected: bytes = b""
) -> AsyncIterator[Server]:
    """Starts `making(*arguments)` in a new process; `requests(n)` makes n requests that have not been sent before."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_child, args=(making, arguments, there), daemon=True)
    process.start()
    there.close()
    try:
        port = await asyncio.to_thread(here.recv)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
            yield Server(here, f"http://127.0.0.1:{port}", session, requests, expected)
        here.send("stop")
        await asyncio.to_thread(process.join, 20)
    finally:
        if process.is_alive():
            process.terminate()


async def ratios(variant: Server, floor: Server, count: int, of: int) -> list[tuple[float, float]]:
    """Processor time a request of both, interleaved in `of` rounds, after a warm-up."""
    for one in (variant, floor):
        await one.cpu_per_request(count)
    return [(await variant.cpu_per_request(count), await floor.cpu_per_request(count)) for _ in range(of)]


def spelt(pairs: Sequence[tuple[float, float]]) -> str:
    """Milliseconds of variant and floor, each the median of the rounds."""
    variant, floor = (1000 * statistics.median(one) for one in zip(*pairs, strict=True))
    return f"{variant:.2f} ms against {floor:.2f} ms"


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


async def tail(one: Server, count: int, of: int) -> tuple[float, str]:
    """The median over rounds of p99 ÷ p50 at 20 % of the server's own capacity, and the figures behind it."""
    rate = 0.2 * statistics.median([await one.capacity(count) for _ in range(3)])
    found = [await one.latencies(count, rate, seed) for seed in range(of)]
    halves = [quantile(times, 0.5) for times in found]
    nines = [quantile(times, 0.99) for times in found]
    ratio = statistics.median(nine / half for nine, half in zip(nines, halves, strict=True))
    detail = (
        f"p50 {1000 * statistics.median(halves):.1f} ms, p99 {1000 * statistics.median(nines):.1f} ms "
        f"at {rate:.0f} a second"
    )
    return ratio, detail
