"""What Teams sends, read strictly and turned into a Call: the first half of the way through the edge."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ActivityTypes
from msrest.exceptions import DeserializationError  # type: ignore[attr-defined]

from handlers.call import Call, Kind, Where

Room = Literal["personal", "group", "channel"]

FETCH = "task/fetch"
SUBMIT = "task/submit"
PRESS = "adaptiveCard/action"

_ROOMS: dict[str, Room] = {"personal": "personal", "groupChat": "group"}
_ID = re.compile(r"[!-~]{1,200}")
_ACCOUNT = re.compile(r"[A-Za-z0-9._-]{1,64}")
_AT = re.compile(r"</?at[^<>]*>", re.IGNORECASE)
_KEY = 300
_SDK_READS = ("type", "id", "name", "from", "recipient", "conversation", "entities", "membersAdded", "membersRemoved")


class Malformed(Exception):
    """Not an activity as Teams sends them. The text names the part, never what stood in it."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One activity: who, where, what. Empty text where Teams said nothing."""

    type: str
    id: str
    name: str  # of an invoke
    action: str  # of an installationUpdate: add, remove, …
    channel_id: str
    service_url: str
    tenant: str  # empty where the activity contradicts itself
    thread: str  # the conversation as it stands in the activity; in a channel with its ";messageid="
    room: Room
    bot: str
    user: str
    object_id: str
    reply_to: str
    text: str
    value: Mapping[str, Any]
    bot_added: bool = False
    bot_removed: bool = False

    @property
    def conversation(self) -> str:
        """The conversation without the thread."""
        return self.thread.partition(";")[0]

    @property
    def account(self) -> str:
        return f"teams:{self.tenant}/{self.object_id}"

    @property
    def leaving(self) -> bool:
        """Whether this is the last we hear of the conversation."""
        uninstalled = self.type == ActivityTypes.installation_update and self.action.startswith("remove")
        return self.bot_removed or uninstalled

    @property
    def private(self) -> bool:
        return self.room == "personal"


def read(body: bytes) -> Incoming:
    """The activity in a request's body. Raises Malformed."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(raw, dict):
        raise Malformed("not an object")
    try:
        activity = Activity.deserialize({name: raw[name] for name in _SDK_READS if name in raw})
    except (DeserializationError, RecursionError):
        raise Malformed("not an activity") from None
    conversation = _object(raw, "conversation")
    sender, recipient, value = _object(raw, "from"), _object(raw, "recipient"), raw.get("value")
    object_id = _text(sender, "aadObjectId")
    if object_id and not _ACCOUNT.fullmatch(object_id):
        raise Malformed("from")
    bot = _id(recipient, "id", "recipient")
    return Incoming(
        type=_text(raw, "type"),
        id=_text(raw, "id"),
        name=_text(raw, "name"),
        action=_text(raw, "action"),
        channel_id=_text(raw, "channelId"),
        service_url=_text(raw, "serviceUrl"),
        tenant=_tenant(raw, conversation),
        thread=_id(conversation, "id", "conversation"),
        room=_ROOMS.get(_text(conversation, "conversationType"), "channel"),
        bot=bot,
        user=_id(sender, "id", "from"),
        object_id=object_id.lower(),
        reply_to=_text(raw, "replyToId"),
        text=_said(_text(raw, "text"), activity),
        value=value if isinstance(value, dict) else {},
        bot_added=_among(activity.members_added, bot),
        bot_removed=_among(activity.members_removed, bot),
    )


def _object(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Malformed(name)
    return found


def _text(raw: Mapping[str, Any], name: str) -> str:
    found = raw.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Malformed(name)
    return found.encode("utf-8", "replace").decode()  # unpaired surrogates cannot be stored or sent


def _id(raw: Mapping[str, Any], name: str, of: str) -> str:
    found = _text(raw, name)
    if not _ID.fullmatch(found) or not found.strip("."):
        raise Malformed(of)
    return found


def _tenant(raw: Mapping[str, Any], conversation: Mapping[str, Any]) -> str:
    # The SDK's model spells the attribute tenantID and so never finds the conversation's.
    said = {_text(conversation, "tenantId"), _text(_object(_object(raw, "channelData"), "tenant"), "id")} - {""}
    return said.pop().lower() if len(said) == 1 else ""


def _among(members: Sequence[Any] | None, account: str) -> bool:
    return any(member is not None and member.id == account for member in members or ())


def _said(text: str, activity: Activity) -> str:
    """What a person typed, without the mention of the bot; other people's mentions become their names."""
    for mention in TurnContext.get_mentions(_with_types(activity)):
        about = mention.additional_properties.get("mentioned")
        marked = mention.additional_properties.get("text")
        if isinstance(about, dict) and about.get("id") == activity.recipient.id and isinstance(marked, str) and marked:
            text = text.replace(marked, " ")
    return " ".join(html.unescape(_AT.sub("", text)).split())


def _with_types(activity: Activity) -> Activity:
    # The SDK's search for mentions fails on an entity without a type.
    activity.entities = [e for e in activity.entities or () if e is not None and isinstance(e.type, str)]
    return activity


def call(incoming: Incoming) -> Call | None:
    """What the activity asks of the application; None where it asks nothing. Raises Malformed."""
    kind = incoming.type
    if incoming.user == incoming.bot:
        return None  # an echo of our own
    if kind == ActivityTypes.installation_update:
        welcome = incoming.action == "add" and incoming.private and incoming.object_id
        return _call(incoming, "command", "help", "", {}, incoming.id) if welcome else None
    if kind == ActivityTypes.message:
        if "_verb" in incoming.value:
            return _pressed(incoming, "", incoming.value)
        return _call(incoming, "message", "", incoming.text, {}, incoming.id)
    if kind != ActivityTypes.invoke:
        return None
    if incoming.name == PRESS:
        action = _object(incoming.value, "action")
        return _pressed(incoming, _text(action, "verb"), _object(action, "data"))
    if incoming.name in (FETCH, SUBMIT):
        return _pressed(incoming, "", _object(incoming.value, "data"))
    return None


def _pressed(incoming: Incoming, verb: str, data: Mapping[str, Any]) -> Call:
    route = verb or _text(data, "_verb")
    if not route:
        raise Malformed("action")
    kind: Kind = "form" if incoming.name == SUBMIT or "_form" in data else "action"
    values = {
        name: said
        for name, value in data.items()
        if name not in ("_verb", "_n", "_form", "msteams") and (said := _plain(value)) is not None
    }
    nonce = _text(data, "_n")
    if nonce:
        # One nonce serves a card; what is pressed on it, and by whom, makes it one act.
        act = hashlib.sha256(json.dumps([route, sorted(values.items())]).encode()).hexdigest()[:16]
        return _call(incoming, kind, route, "", values, f"n:{nonce}:{incoming.object_id}:{act}")
    return _call(incoming, kind, route, "", values, f"{incoming.reply_to}:{route}:{incoming.id}")


def _plain(value: object) -> str | None:
    """A value of a card's data as text; lists and objects are none of ours."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return json.dumps(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def _call(incoming: Incoming, kind: Kind, name: str, text: str, values: Mapping[str, str], key: str) -> Call:
    # An activity's id is unique in its conversation only.
    whole = f"teams:{key}" if key.startswith("n:") else f"teams:{incoming.conversation}:{key}"
    if len(whole) > _KEY:
        whole = f"teams:sha256:{hashlib.sha256(whole.encode()).hexdigest()}"
    where = Where("teams", incoming.tenant, incoming.conversation, incoming.private)
    return Call(name, incoming.account, where, whole, kind, text, values)
