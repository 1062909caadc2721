"""`ketapress send-test NEWSLETTER ADDRESS`: send one message as a test."""

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.edition_service import EditionService
from ketapress.mail_service import MailService
from ketapress.model.delivery import Fault
from ketapress.model.errors import Problem


@command(
    "send-test",
    "Send NEWSLETTER to ADDRESS as a test: the edition that waits to be sent, or else the next one. Its personal "
    "links do not work.",
    asks_time=True,
)
@click.argument("newsletter")
@click.argument("address")
def send_test(context: CommandContext, newsletter: str, address: str) -> CommandResult:
    publication = context.publication
    (newsletter_settings,) = publication.newsletters(newsletter)
    library = publication.load_library(context.now, save_ids=False)
    edition, message_template = EditionService(publication).find_test_message(
        newsletter_settings, library, context.now
    )
    if message_template is None:
        problem = Problem(
            code="edition.none",
            message=f"{newsletter} has nothing to test: no edition waits to be sent, and the next one has no posts.",
            cure="Add a post dated before the next send time, which `ketapress queue` shows.",
        )
        return CommandResult({"accepted": False}, problems=[*library.problems, problem])
    verdict = MailService(publication).send_test(
        newsletter_settings, message_template, address, context.clock()
    )
    is_accepted = verdict.fault is Fault.NONE
    data = {"accepted": is_accepted, "edition": edition, "reply": str(verdict.reply)}
    if is_accepted:
        line = f"The relay accepted {edition} for {address}: {verdict.reply}"
        return CommandResult(data, [line], library.problems)
    problem = Problem(
        code="relay.test",
        message=f"the relay did not accept the message ({verdict.phase}): {verdict.reply}.",
        cure="Run `ketapress doctor`, and check [relay] and the sender's address.",
    )
    return CommandResult(data, problems=[*library.problems, problem])
