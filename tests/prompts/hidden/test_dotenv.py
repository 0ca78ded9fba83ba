"""Files of environment variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.prompts.hidden.dotenv import Setting, parse_dotenv


def read(text: str) -> dict[str, str]:
    return {setting.name: setting.value for setting in parse_dotenv(text)}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("A=b", "b"),
        ("  export A = b c  ", "b c"),
        ("A=b # not this", "b"),
        ("A=b#this", "b#this"),
        ("A=# nothing", ""),
        ("A=", ""),
        ("A='b # c' # d", "b # c"),
        ("A='b\\n'", "b\\n"),
        ('A="b\\nc\\t\\"d\\" \\$e \\q"', 'b\nc\t"d" $e \\q'),
        ('A="b\nc"', "b\nc"),
        ("A='b\nc'", "b\nc"),
        ("A=`b 'c' \"d\"`", "b 'c' \"d\""),
        ('A="b', '"b'),
        ("A=it's", "it's"),
        ('A="b\r\nc"', "b\nc"),
        ("\ufeffA=b", "b"),
    ],
)
def test_values(written: str, value: str):
    assert read(written) == {"A": value}


def test_lines_and_order():
    text = "# A=1\nB=\"x\ny\nz\"\n\nnonsense\nexport C='1'\n=d\n9E=1\nF.g=2"
    assert list(parse_dotenv(text)) == [
        Setting("B", "x\ny\nz", 2, 4),
        Setting("C", "1", 7, 7),
        Setting("F.g", "2", 10, 10),
    ]


def test_a_quote_that_is_never_closed_costs_one_line():
    assert read('A="b\nC=d\n') == {"A": '"b', "C": "d"}
    assert read("A='b\nC=d\n") == {"A": "'b", "C": "d"}


@given(st.text(alphabet="AB= \n\r\t\"'`\\#$export{}é\0", max_size=200))
def test_it_reads_anything(text: str):
    end = 0
    for setting in parse_dotenv(text):
        assert end < setting.line <= setting.end_line <= text.count("\n") + 1
        end = setting.end_line


@given(st.text(max_size=60).filter(lambda text: "\r" not in text))
def test_what_is_quoted_is_read_back(text: str):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert read(f'A="{quoted}"\nB=1\n') == {"A": text, "B": "1"}


@pytest.mark.parametrize(
    "piece", ['A="\n', "A='\n", 'A="\\', "A= ' \" `", "A=b #", "export ", '\\"']
)
@pytest.mark.timeout(60)  # a square of the length would take hours
def test_it_takes_linear_time(piece: str):
    list(parse_dotenv(piece * 100_000))
