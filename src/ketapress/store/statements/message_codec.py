"""A letter packed into bytes, and unpacked: one line of JSON that says where to cut, then all segments in a row.

Pure. The bytes of the segments are kept as they are, so that what is read back is what was rendered.
"""

import json
from itertools import accumulate, pairwise

from ketapress.model.message import ByteSlot, Letter, Place


def packed(letter: Letter) -> bytes:
    head = {
        "key": letter.key,
        "slots": [[slot.name, slot.place.value] for slot in letter.slots],
        "lengths": [len(segment) for segment in letter.segments],
    }
    return json.dumps(head).encode() + b"\n" + b"".join(letter.segments)


def unpacked(data: bytes) -> Letter:
    line, _, body = data.partition(b"\n")
    head = json.loads(line)
    cuts = accumulate(head["lengths"], initial=0)
    return Letter(
        key=head["key"],
        segments=tuple(body[start:end] for start, end in pairwise(cuts)),
        slots=tuple(ByteSlot(name, Place(place)) for name, place in head["slots"]),
    )
