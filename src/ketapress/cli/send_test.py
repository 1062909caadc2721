"""`ketapress send-test NEWSLETTER ADDRESS`: one message, to look at where it will be read."""

import click

from ketapress.cli.decorators import Answer, Door, command
from ketapress.edition_service import EditionService
from ketapress.mail_service import MailService
from ketapress.model.delivery import Fault, Verdict
from ketapress.model.errors import Problem


@command(
    "send-test",
    "Send NEWSLETTER to ADDRESS as a test: the edition that waits to go out, else the next one. Its links are dead.",
    asks_time=True,
)
@click.argument("newsletter")
@click.argument("address")
def send_test(door: Door, newsletter: str, address: str) -> Answer:
    publication = door.publication
    (named,) = publication.newsletters(newsletter)
    library = publication.load_library(door.now, save_ids=False)
    edition, letter = EditionService(publication).find_test_message(named, library, door.now)
    if letter is None:
        return Answer({"accepted": False}, problems=[*library.problems, _nothing(newsletter)])
    found = MailService(publication).send_test(named, letter, address, door.clock())
    accepted = found.fault is Fault.NONE
    result = {"accepted": accepted, "edition": edition, "reply": str(found.reply)}
    if accepted:
        return Answer(result, [f"The relay took {edition} for {address}: {found.reply}"], library.problems)
    return Answer(result, problems=[*library.problems, _refused(found)])


def _nothing(newsletter: str) -> Problem:
    return Problem(
        code="edition.none",
        message=f"{newsletter} has no edition that waits, and nothing new by its next slot: there is nothing to test.",
        cure="Write a post dated before that slot; `ketapress queue` shows when it is.",
    )


def _refused(found: Verdict) -> Problem:
    return Problem(
        code="relay.test",
        message=f"the relay did not take it at {found.phase}: {found.reply}.",
        cure="`ketapress status` shows whether it can be reached; then look at [relay] and the sender's address.",
    )
