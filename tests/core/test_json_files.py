"""Text and JSON of others: what cannot be used is one error with file, line and remedy, whatever is wrong."""

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_embeddings.core.errors import DataError
from domain_embeddings.core.json_files import MOST_LEVELS, parse, parse_object, read_bytes, read_text

FILE = Path("rows.json")


def _nested(levels: int) -> str:
    return '{"a": [' * (levels // 2) + "]}" * (levels // 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b": NaN}', "rows.json:2: NaN is no JSON (write null)"),
        ('{"NaN": "NaN",\n\n "b": -Infinity}', "rows.json:3: -Infinity is no JSON (write null)"),
        ('["1e999",\n 1e999]', "rows.json:2: a number beyond all bounds, 1e999 (write null)"),
        ("[1,\n 9223372036854775808]", "rows.json:2: an integer of more than 64 bits, 9223372036854775808 (write it"),
        (f"[-{'9' * 5000}]", "rows.json:1: an integer of more than 64 bits, -9999999999999999999… of 5001 signs"),
        ('["a\\\\ud800",\n "\\ud800b"]', "rows.json:2: half a surrogate pair (\\ud800 to \\udfff) (remove it)"),
        ('{"a":\n {"\\udc00": 1}}', "rows.json:2: half a surrogate pair"),
        ('{"a": 1,\n "b" 2}', "rows.json:2: not valid JSON: Expecting ':' delimiter (a row)"),
        ("", "rows.json:1: not valid JSON: Expecting value (a row)"),
        (_nested(MOST_LEVELS + 2), "rows.json: lists and objects nested more than 100 levels deep (a row)"),
        (_nested(200_000), "rows.json: lists and objects nested more than 100 levels deep (a row)"),
    ],
)
def test_what_is_no_json_elsewhere_is_an_error_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        parse(text, FILE, remedy="a row")

    assert str(error.value).startswith(message)


def test_a_line_of_a_file_says_where_it_stands() -> None:
    with pytest.raises(DataError, match=r"^rows\.json:7: NaN is no JSON"):
        parse('{"a": NaN}', FILE, line=7)


def test_what_lies_within_the_bounds_is_read() -> None:
    text = '[9223372036854775807, -9223372036854775808, 1e308, 1e-999, "\\ud83d\\ude00"]'

    assert parse(text, FILE) == [2**63 - 1, -(2**63), 1e308, 0.0, "😀"]
    assert parse(_nested(MOST_LEVELS), FILE) == json.loads(_nested(MOST_LEVELS))
    assert parse(json.dumps([[{}]] * 500), FILE) == [[{}]] * 500


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(), st.lists))
def test_json_is_read_as_python_reads_it(value: object) -> None:
    if "\\ud" not in (text := json.dumps(value)):
        assert parse(text, FILE) == json.loads(text)


@settings(max_examples=500)
@given(st.text(alphabet='[]{}",:\\ud8e1-.9NaIn \n') | st.text())
def test_any_text_is_a_value_that_can_be_written_or_an_error(text: str) -> None:
    value = None
    with contextlib.suppress(DataError):
        value = parse(text, FILE)

    assert json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")


def test_an_object_is_asked_for() -> None:
    with pytest.raises(DataError, match=r"rows\.json:3: expected a JSON object, found list \(a row\)"):
        parse_object("[]", FILE, line=3, remedy="a row")


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")

    for name, problem in {
        "pipe": "no regular file",
        "folder": "a folder, not a file",
        "nothing": "file not found",
        "pipe/below": "file not found",
        "loop": "",
    }.items():
        with pytest.raises(DataError, match=rf"{name}: {problem}.* \(put it there\)"):
            read_bytes(tmp_path / name, "put it there")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "a").chmod(0)

    with pytest.raises(DataError, match="a: cannot be read: Permission denied"):
        read_bytes(tmp_path / "a")


def test_a_byte_order_mark_is_skipped_and_another_encoding_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa\xc3\xa4")
    (tmp_path / "b").write_bytes(b"a\nb\xe4c")

    assert read_text(tmp_path / "a") == "aä"
    with pytest.raises(DataError, match=r"b:2: not valid UTF-8: invalid continuation byte \(save it as UTF-8\)"):
        read_text(tmp_path / "b")
