"""Lists that may be as long as there are subscribers are written piece by piece, and are one document all the same."""

import json
from itertools import count
from pathlib import Path

import pytest

from ketapress.cli.context import Answer, Door
from ketapress.model.errors import Problem


@pytest.mark.parametrize("length", [0, 1, 999, 1000, 1001, 2500])
def test_a_streamed_list_is_a_part_of_one_document(length: int) -> None:
    items = ({"number": number, "text": '"], "x": \u2028 é'} for number in range(length))
    problem = Problem(code="one", message="m", cure="c")
    answer = Answer({"edition": "weekly"}, problems=[problem], streamed=("items", items))
    pieces = list(Door(Path(), "show", as_json=True).pieces(answer))
    found = json.loads("\n".join(pieces))
    assert [each["number"] for each in found["result"]["items"]] == list(range(length))
    assert found["result"]["edition"] == "weekly"
    assert [each["code"] for each in found["problems"]] == ["one"]


def test_it_is_asked_for_some_at_a_time() -> None:
    numbers = count()
    pieces = Door(Path(), "show", as_json=True).pieces(
        Answer({}, streamed=("items", ({"number": each} for each in numbers)))
    )
    next(pieces)
    next(pieces)
    assert next(numbers) == 1000
