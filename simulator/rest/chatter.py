"""Chatter: posting a feed element, kept as a FeedItem."""

from simulator.clock import rest_time
from simulator.context import Context
from simulator.rest import records, store
from simulator.transport.messages import Refused, Response, as_json

MAX_MENTIONS = 25


def post(context: Context) -> Response:
    """Answer POST chatter/feed-elements in its JSON and its query form."""
    query = context.request.query
    if "text" in query:
        subject, segments = query.get("subjectId", ""), [{"type": "Text", "text": query["text"]}]
    else:
        given = records.body(context)
        subject = str(given.get("subjectId") or "")
        segments = (given.get("body") or {}).get("messageSegments") or []
    if not subject or not segments:
        raise Refused(400, "MISSING_ARGUMENT", "subjectId and body.messageSegments are needed")
    mentions = [segment for segment in segments if segment.get("type") == "Mention"]
    if len(mentions) > MAX_MENTIONS:
        raise Refused(400, "LIMIT_EXCEEDED", f"At most {MAX_MENTIONS} mentions are allowed")
    text = "".join(_text(context, segment) for segment in segments)
    session = context.caller
    parent = session.person.id if subject == "me" else subject
    fields = {"Body": text, "ParentId": parent, "Type": "TextPost"}
    identifier = store.add(context.world, session.org.id, session.person.id, "FeedItem", fields)
    answer = {
        "id": identifier,
        "body": {"text": text, "messageSegments": segments, "isRichText": False},
        "createdDate": rest_time(context.world.clock.now()),
        "feedElementType": "FeedItem",
        "parent": {"id": parent},
        "url": f"{context.base}/chatter/feed-elements/{identifier}",
    }
    return as_json(answer, 201, effect=f"posted to {parent}")


def _text(context: Context, segment: dict[str, str]) -> str:
    if segment.get("type") != "Mention":
        return str(segment.get("text", ""))
    person = context.world.person(str(segment.get("id", "")))
    if person is None or person.org != context.caller.org.id:
        raise Refused(400, "INVALID_ID_FIELD", f"No user has the id {segment.get('id')}")
    return f"@{person.full_name}"
