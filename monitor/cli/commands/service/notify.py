"""`monitor notify`: test the channels of the notifications."""

from __future__ import annotations

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Group
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.documents.configuration import ChannelTestDocument
from monitor.errors import ConfigError
from monitor.reports.blocks import Report, Table, Toned


@click.group("notify", cls=Group, examples={"monitor notify test": "Send a test notification through each channel."})
def command() -> None:
    """Test the channels of the notifications: [notify.channels.NAME] of the configuration."""


@command.command(
    "test",
    examples={
        "monitor notify test": "Send a test notification through each channel.",
        "monitor notify test --channel ops": "Send it through one channel.",
    },
)
@click.option("--channel", metavar="NAME", help="Test this channel only. Default: all.")
@json_option
@pass_options
def test_command(options: GlobalOptions, channel: str | None) -> int:
    """Send a test notification through each channel, and print the results.

    The channels need not be in use by a daemon. Each is tried once. Exit code 1 if one failed. In PagerDuty, the test
    opens an incident of severity info.
    """
    import socket  # noqa: PLC0415
    import time  # noqa: PLC0415

    from monitor.notifications.delivery import SenderProcesses  # noqa: PLC0415
    from monitor.notifications.events import Origin, test_event  # noqa: PLC0415
    from monitor.notifications.sender import SendRequest  # noqa: PLC0415
    from monitor.notifications.sending import SendOutcome, secret_directories  # noqa: PLC0415
    from monitor.system.suggestions import suggestion  # noqa: PLC0415

    config = load_configuration(options)
    channels = dict(config.notify.channels)
    if not channels:
        raise ConfigError([f"{config.path or 'no file'}: notify.channels: no channel is configured"])
    if channel is not None:
        if channel not in channels:
            raise click.UsageError(f"no channel is named {channel!r}{suggestion(channel, channels)}")
        channels = {channel: channels[channel]}
    origin = Origin(socket.gethostname(), config.notify.external_url or f"http://{config.web.listen}/")
    event = test_event(origin, time.time(), is_fleet=config.source.is_fleet)
    directories = secret_directories(config.directory)
    results = SenderProcesses().send_all([SendRequest(keys, directories, event) for keys in channels.values()])
    documents = tuple(
        ChannelTestDocument(name, keys.kind, result.outcome is SendOutcome.DELIVERED, result.problem)
        for (name, keys), result in zip(channels.items(), results, strict=True)
    )
    print_result(options, documents, _report(documents))
    return ExitCode.DONE if all(document.delivered for document in documents) else ExitCode.FAILED


def _report(documents: tuple[ChannelTestDocument, ...]) -> Report:
    """Return the results as a table."""
    rows = [
        (
            document.channel,
            document.kind,
            Toned("delivered", "good") if document.delivered else Toned(f"failed: {document.problem}", "bad"),
        )
        for document in documents
    ]
    return Report((Table(("channel", "kind", "result"), rows, words=("result",)),))
