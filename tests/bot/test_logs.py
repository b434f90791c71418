"""Logs: one JSON object a line that opens no door and tells nobody's figures."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import logs

JWT = "ey" + "JhbGciOiJSUzI1NiJ9.eyJhcHBpZCI6IjEifQ.c2lnbmF0dXJl"
SECRETS = [
    "xoxb-" + "1234-5678-abcDEF",
    "xoxe.xoxp-" + "1-Mi0yLTk",
    "xapp-" + "1-A0B-12-abcdef",
    JWT,
    "v0=" + "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
]
NAME = "3f8a91c27be64d0f"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the process writes; the loggers are put back as they were."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.setup("debug", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_whatever_was_said(written: io.StringIO) -> None:
    logging.getLogger("redfirst.x").info("two\nlines and “quotes”: %s", {"a": 1})
    (line,) = lines(written)
    assert line["message"] == "two\nlines and “quotes”: {'a': 1}"
    assert (line["level"], line["logger"]) == ("info", "redfirst.x")
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "token={}", '{{"token": "{}"}}', "Bearer {}", "see <{}>, please", "a={}&b=1"])
def test_a_token_is_never_written(secret: str, around: str) -> None:
    said = logs.redact(around.format(secret))
    assert secret not in said
    assert secret[-12:] not in said
    assert logs.HIDDEN in said


@pytest.mark.parametrize(
    "text",
    [
        "postgresql+asyncpg://redfirst:{}@db.example:5432/desk",
        "postgresql://redfirst:{}@/desk?host=/run/pg",
        "could not connect to postgresql://redfirst:{}@db/desk, giving up",
        "redis://:{}@cache",
        "SLACK_SIGNING_SECRET={}",
        "'signing_secret': '{}'",
        '"client_secret": "{}", "scope": "x"',
        "client_secret={}&scope=x",
        "password = {}",
        "TEAMS_APP_PASSWORD: {}",
        "Authorization: Bearer {}",
        "{{'Authorization': 'Bearer {}'}}",
        "Authorization: Basic {}",
        "access_token={}",
        "X-Slack-Signature: v0={}",
        "https://hooks.slack.com/actions/T1/2/{}",
        "https://hooks.slack.com/services/T1/B1/{}",
    ],
)
def test_a_password_or_address_that_opens_a_door_is_never_written(text: str) -> None:
    said = logs.redact(text.format(NAME))
    assert NAME not in said
    assert logs.HIDDEN in said


def test_a_password_with_an_at_sign_is_hidden_whole() -> None:
    assert "ss@w" not in logs.redact("postgresql://redfirst:pa:ss@word@db.example/desk")


@pytest.mark.parametrize(
    "text",
    [
        "the token bucket of Slack is empty",
        "GET https://bot.example:3000/healthz 200",
        "retry after 3.0 s",
        "sqlite:///redfirst.db",
        "password reset tickets were loaded: 12 rows",
        "mail to someone@example.com",
    ],
)
def test_what_opens_no_door_stays_as_it_is(text: str) -> None:
    assert logs.redact(text) == text


@given(st.text(max_size=300))
def test_redacting_twice_is_redacting_once_and_nothing_makes_it_fail(text: str) -> None:
    once = logs.redact(text)
    assert logs.redact(once) == once


def test_of_an_exception_only_kind_and_place_are_written(written: io.StringIO) -> None:
    try:
        try:
            raise KeyError("csat of Dana is 31 %")
        except KeyError:
            raise ValueError("INSERT INTO rollup VALUES (31)") from None
    except ValueError:
        logging.getLogger("redfirst.x").exception("a call failed", extra={"reference": "ab12"})
    (line,) = lines(written)
    assert (line["error"], line["reference"]) == ("ValueError", "ab12")
    assert any("test_of_an_exception" in place for place in line["where"])
    assert "31" not in json.dumps({key: value for key, value in line.items() if key not in ("time", "where")})


def test_the_cause_of_an_exception_is_named(written: io.StringIO) -> None:
    try:
        try:
            raise KeyError("x")
        except KeyError as cause:
            raise ValueError("y") from cause
    except ValueError:
        logging.getLogger("redfirst.x").exception("a call failed")
    assert "caused by KeyError" in lines(written)[0]["where"]


def test_only_fields_that_cannot_hold_what_somebody_said_are_written(written: io.StringIO) -> None:
    logging.getLogger("redfirst.x").info(
        "done", extra={"seconds": 0.25, "kind": "command", "call": "my boss is", "values": {"person": "7"}}
    )
    (line,) = lines(written)
    assert line["seconds"] == 0.25
    assert line["kind"] == "command"
    assert "call" not in line
    assert "values" not in line


def test_libraries_that_log_bodies_are_kept_quiet(written: io.StringIO) -> None:
    for name in ("slack_bolt.AsyncApp", "slack_sdk.web", "sqlalchemy.engine", "aiohttp.access", "msrest.http"):
        logging.getLogger(name).info("body: how is Dana doing?")
    logging.getLogger("slack_bolt.AsyncApp").warning("something to know")
    assert [line["message"] for line in lines(written)] == ["something to know"]


def test_a_long_message_is_cut(written: io.StringIO) -> None:
    logging.getLogger("redfirst.x").info("x" * 100_000)
    assert len(lines(written)[0]["message"]) == logs.LONGEST


def test_a_message_whose_arguments_do_not_fit_is_written_without_them() -> None:
    record = logging.LogRecord("redfirst.x", logging.INFO, __file__, 1, "%d of %d", (SECRETS[0],), None)
    line = json.loads(logs.Lines().format(record))
    assert line["message"] == "%d of %d (its arguments do not fit)"


def test_a_megabyte_is_redacted_in_no_time() -> None:
    record = logging.LogRecord("redfirst.x", logging.INFO, __file__, 1, "a" * 1_000_000, None, None)
    began = time.process_time()
    logs.Lines().format(record)
    assert time.process_time() - began < 0.5
