"""Long lists are written in batches, and still form one JSON document."""

import json
from itertools import count
from pathlib import Path

import pytest

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.model.errors import Problem


@pytest.mark.parametrize("length", [0, 1, 999, 1000, 1001, 2500])
def test_a_streamed_list_is_a_part_of_one_document(length: int) -> None:
    items = ({"number": number, "text": '"], "x": \u2028 é'} for number in range(length))
    problem = Problem(code="one", message="m", cure="c")
    result = CommandResult({"edition": "weekly"}, problems=[problem], stream=("items", items))
    lines = CommandContext(Path(), "show", as_json=True).document_lines(result)
    document = json.loads("\n".join(lines))
    assert [item["number"] for item in document["result"]["items"]] == list(range(length))
    assert document["result"]["edition"] == "weekly"
    assert [problem["code"] for problem in document["problems"]] == ["one"]


def test_a_stream_is_read_one_batch_at_a_time() -> None:
    numbers = count()
    lines = CommandContext(Path(), "show", as_json=True).document_lines(
        CommandResult({}, stream=("items", ({"number": number} for number in numbers)))
    )
    next(lines)
    next(lines)
    assert next(numbers) == 1000
