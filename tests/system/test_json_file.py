"""JSON from outside: read right, or refused in one sentence."""

import json
import os
from pathlib import Path

import pytest

from kpdemo.system import json_file
from kpdemo.system.json_file import MAX_DEPTH, JsonError

DATA = {"name": "Åse", "numbers": [1, -2.5, None, True], "more": {"a": []}}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_every_unicode_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(json.dumps(DATA, ensure_ascii=False).encode(encoding))
    assert json_file.read(path) == DATA


def test_a_text_may_begin_with_a_mark() -> None:
    assert json_file.parse("\ufeff" + json.dumps(DATA)) == DATA


def test_what_is_no_number_becomes_none() -> None:
    assert json_file.parse('{"a": [NaN, Infinity, -Infinity]}') == {"a": [None] * 3}


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return '{"a": ' + opening * depth + closing * depth + "}"


def test_depth_has_a_limit() -> None:
    json_file.parse(nested(MAX_DEPTH - 2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[]", "no JSON object"),
        ("3", "no JSON object"),
        ("null", "no JSON object"),
        ('"text"', "no JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        (nested(100_000), "nested too deeply"),
        (nested(MAX_DEPTH), "nested too deeply"),
        ('{"a": 1' + "0" * 5000 + "}", "too large"),
        ('{"a": 1' + "0" * 400 + "}", "too large"),
        ('{"a": 1e999}', "too large"),
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "'c' twice"),
        ('{"a": "\\ud800"}', "no Unicode"),
        ('{"\\udc00": 1}', "no Unicode"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"\x80\xff\x00", "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "no Unicode"),
    ],
    ids=range(19),
)
def test_all_else_is_refused_in_one_sentence(text: str | bytes, words: str) -> None:
    with pytest.raises(JsonError, match=r"\.$") as caught:
        json_file.parse(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 150


def test_a_large_file_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with path.open("wb") as file:
        file.truncate(2**36)
    with pytest.raises(JsonError, match="larger than 64 MB"):
        json_file.read(path)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "pipe.json", tmp_path):
        with pytest.raises(JsonError, match="is no file"):
            json_file.read(path)
    with pytest.raises(FileNotFoundError):
        json_file.read(tmp_path / "nowhere.json")
