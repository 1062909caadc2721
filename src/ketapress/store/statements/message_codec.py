"""Encode a message template as bytes: one line of JSON with the lengths of the segments, then the segments.

The segments stay unchanged, so that the bytes that are sent are those that were rendered.
"""

import json
from itertools import accumulate, pairwise

from ketapress.model.message import FieldEncoding, MergeField, MessageTemplate


def encode_message(message_template: MessageTemplate) -> bytes:
    """Return the template as bytes."""
    header = {
        "key": message_template.key,
        "slots": [
            [merge_field.name, merge_field.encoding.value] for merge_field in message_template.merge_fields
        ],
        "lengths": [len(segment) for segment in message_template.segments],
    }
    return json.dumps(header).encode() + b"\n" + b"".join(message_template.segments)


def decode_message(data: bytes) -> MessageTemplate:
    """Return the template of encoded bytes."""
    line, _, body = data.partition(b"\n")
    header = json.loads(line)
    offsets = accumulate(header["lengths"], initial=0)
    return MessageTemplate(
        key=header["key"],
        segments=tuple(body[start:end] for start, end in pairwise(offsets)),
        merge_fields=tuple(MergeField(name, FieldEncoding(encoding)) for name, encoding in header["slots"]),
    )
