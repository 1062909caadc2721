"""A letter packed into bytes, and unpacked: one line of JSON that says where to cut, then all segments in a row.

Pure. The bytes of the segments are kept as they are, so that what is read back is what was rendered.
"""

import json
from itertools import accumulate, pairwise

from ketapress.model.message import FieldEncoding, MergeField, MessageTemplate


def encode_message(message_template: MessageTemplate) -> bytes:
    header = {
        "key": message_template.key,
        "slots": [
            [merge_field.name, merge_field.encoding.value] for merge_field in message_template.merge_fields
        ],
        "lengths": [len(segment) for segment in message_template.segments],
    }
    return json.dumps(header).encode() + b"\n" + b"".join(message_template.segments)


def decode_message(data: bytes) -> MessageTemplate:
    line, _, body = data.partition(b"\n")
    header = json.loads(line)
    offsets = accumulate(header["lengths"], initial=0)
    return MessageTemplate(
        key=header["key"],
        segments=tuple(body[start:end] for start, end in pairwise(offsets)),
        merge_fields=tuple(MergeField(name, FieldEncoding(encoding)) for name, encoding in header["slots"]),
    )
