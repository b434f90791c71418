"""`redfirst outbox` as a process: what an administrator reads, and what they do, also while the bot is running."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy

import storage.deliveries
import storage.outbox
import storage.schema
from cards.card import Card, Text, to_json
from storage.db import Store
from storage.deliveries import Over, Sent
from storage.models import audit, outbox
from tests.e2e.test_cli import redfirst

NOW = 1_785_920_400


async def _filled(path: Path) -> None:
    store = Store(f"sqlite:///{path / 'redfirst.db'}")
    await storage.schema.upgrade(store)
    async with store.write() as db:
        for key in ("sent:1", "held:1", "held:2", "failed:1", "late:1"):
            card = to_json(Card("Your week", (Text("Reopen rate 14.9 %"),), "Your week."))
            expires = NOW - 1 if key == "late:1" else None
            await storage.outbox.add(db, "teams", "teams:t/1", card, key, NOW, expires_at=expires)
        rows = {row.key: row for row in await storage.deliveries.claim(db, ["teams"], [], NOW, NOW + 120, 9)}
        held = Over("held", storage.deliveries.UNSURE)
        refused = Over("failed", "That channel is archived. Choose another channel.")
        outcomes = {"sent:1": Sent("m1", 0), "held:1": held, "held:2": held, "failed:1": refused}
        await storage.deliveries.settle(db, [(rows[key], outcome) for key, outcome in outcomes.items()], NOW)
        await storage.deliveries.expire(db, NOW)
        await storage.outbox.add(db, "teams", "teams:t/1", {"is": "Hologram"}, "due:1", NOW + 9_000_000_000)
    await store.close()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    asyncio.run(_filled(tmp_path))
    return tmp_path


def states(path: Path) -> dict[str, str]:
    async def read() -> dict[str, str]:
        store = Store(f"sqlite:///{path / 'redfirst.db'}")
        async with store.read() as db:
            found = {row.key: row.state for row in await db.execute(sqlalchemy.select(outbox.c.key, outbox.c.state))}
            found["audit"] = str([row.act for row in await db.execute(sqlalchemy.select(audit.c.act))])
        await store.close()
        return found

    return asyncio.run(read())


def test_the_list_begins_with_what_needs_somebody_and_says_what_to_do(desk: Path) -> None:
    done = redfirst("outbox", cwd=desk)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "2 held · 1 failed · 1 expired · 1 due · 1 sent"
    keys = [line.split()[-1] for line in lines if ":1" in line or ":2" in line]
    assert keys == ["held:2", "held:1", "failed:1", "late:1", "due:1", "sent:1"]
    assert "→ That channel is archived. Choose another channel." in done.stdout
    assert "Reopen rate" not in done.stdout  # what people were told is not for everybody's eyes
    assert "Reopen rate 14.9 %" in redfirst("outbox", "list", "--show", "--state", "held", cwd=desk).stdout


def test_a_message_is_shown_with_what_it_says(desk: Path) -> None:
    done = redfirst("outbox", "show", "failed:1", cwd=desk)
    assert done.returncode == 0
    assert "Reopen rate 14.9 %" in done.stdout
    assert "failed, 1 attempts" in done.stdout
    assert states(desk)["audit"] == "['message read']"
    assert "cannot read it" in redfirst("outbox", "show", "due:1", cwd=desk).stdout


def test_messages_are_sent_again_and_called_off(desk: Path) -> None:
    done = redfirst("outbox", "retry", "held:1", "failed:1", cwd=desk)
    assert (done.returncode, done.stderr) == (0, "")
    assert "held:1: it is sent again." in done.stdout
    assert redfirst("outbox", "cancel", "--state", "held", cwd=desk).returncode == 0
    found = states(desk)
    assert (found["held:1"], found["failed:1"], found["held:2"]) == ("due", "due", "cancelled")
    assert found["audit"] == "['outbox retry', 'outbox retry', 'outbox cancel']"
    assert "No message is held." in redfirst("outbox", "cancel", "--state", "held", cwd=desk).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nothing"), "There is no message 'nothing'."),
        (("retry", "sent:1"), "is sent already"),
        (("cancel", "sent:1"), "is sent already"),
        (("retry", "late:1"), "has expired"),
        (("list", "--limit", "0"), "at least 1"),
    ],
)
def test_what_cannot_be_done_is_said_kindly(desk: Path, words: tuple[str, ...], said: str) -> None:
    before = states(desk)
    done = redfirst("outbox", *words, cwd=desk)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert states(desk) == before


def test_an_empty_outbox_says_so(tmp_path: Path) -> None:
    done = redfirst("outbox", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "The outbox is empty.\n")


def test_check_names_what_did_not_arrive(desk: Path) -> None:
    said = redfirst("check", "--offline", cwd=desk).stdout
    assert "There are 2 messages that may or may not have arrived." in said
    assert "There is a message that could not be sent." in said
    assert "redfirst outbox list --state failed" in said
