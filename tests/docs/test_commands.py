"""The commands in the documents: each is one that there is, with options that it has."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from paydesk.cli import main
from tests.docs.blocks import ROOT, blocks, documents


def commands(page: Path) -> list[str]:
    """Every line of the page's shell blocks that calls paydesk."""
    lines = [line.strip() for block in blocks(str(page.relative_to(ROOT)), "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("paydesk ")]


PAGES = [page for page in documents() if commands(page)]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_command_can_be_called_as_written(page: Path) -> None:
    """Whoever pastes one is not told that there is no such option."""
    for line in commands(page):
        parse(main, shlex.split(line.removesuffix("&"), comments=True)[1:])


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Take the words apart as click does before it calls anything. Raises click.UsageError."""
    if not isinstance(command, click.Group):
        command.make_context(command.name, words, parent)
        return
    context = click.Context(command, parent, info_name=command.name)
    name, found, rest = command.resolve_command(context, words)
    assert found is not None, name
    parse(found, rest, context)
