"""`ketapress send-test NEWSLETTER ADDRESS`: the next edition, to one address."""

import click

from ketapress.cli.door import Answer, Door, command
from ketapress.model.delivery import Fault
from ketapress.model.errors import Problem


@command(
    "send-test",
    "Send the next edition of NEWSLETTER to ADDRESS as a test; nothing is decided, and its links are dead.",
    asks_time=True,
)
@click.argument("newsletter")
@click.argument("address")
def send_test(door: Door, newsletter: str, address: str) -> Answer:
    from ketapress.check.queue import coming_edition

    publication = door.publication
    (named,) = publication.newsletters(newsletter)
    library = publication.library(door.now, keep=False)
    coming = coming_edition(publication.press, named, library.posts, door.now)
    if coming is None:
        problem = Problem(
            code="edition.none",
            message=f"{newsletter} has nothing new by its next slot, so there is nothing to test.",
            cure="Write a post dated before that slot; `ketapress queue` shows when it is.",
        )
        return Answer({"accepted": False}, problems=[*library.problems, problem])
    found = publication.send_test(named, coming.digest.letter, address, door.clock())
    accepted = found.fault is Fault.NONE
    result = {"accepted": accepted, "edition": coming.edition.slot.edition, "reply": str(found.reply)}
    if accepted:
        return Answer(result, [f"The relay took it for {address}: {found.reply}"], library.problems)
    problem = Problem(
        code="relay.test",
        message=f"the relay did not take it at {found.phase}: {found.reply}.",
        cure="`ketapress status` shows whether it can be reached; then look at [relay] and the sender's address.",
    )
    return Answer(result, problems=[*library.problems, problem])
