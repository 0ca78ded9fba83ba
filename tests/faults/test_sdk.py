"""Some rows as the official client sees them: no raw socket, no knowledge of the wire."""

from collections.abc import Generator
from typing import NamedTuple

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from harness import running_gateway
from trimtab.testing import RunningFaultProvider, Script, running_fault_provider
from trimtab.testing.scorecard import Ports, rows_named
from trimtab.testing.scorecard.case import Case, scaled, whole_text
from trimtab.testing.scorecard.project import project_text

ROWS = ("S03", "S06", "S08", "S12", "S13", "S14", "S16", "X02", "X04")
SCALE = 0.05
_HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


class Setting(NamedTuple):
    client: OpenAI
    primary: RunningFaultProvider
    spare: RunningFaultProvider

    def stream(self, route: str) -> tuple[str, list[str]]:
        """The text of a stream, and the models that its chunks name."""
        with self.client.chat.completions.create(model=route, messages=_HI, stream=True) as stream:
            chunks = list(stream)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        return text, list(dict.fromkeys(chunk.model for chunk in chunks))

    def calls(self, route: str) -> tuple[int, int]:
        """How often the two models of a route were called."""
        primary = sum(call.model == f"{route}.primary" for call in self.primary.calls)
        return primary, sum(call.model == f"{route}.spare" for call in self.spare.calls)


def script(cases: dict[str, Case], which: str) -> Script:
    behaviours = {
        f"{name}.{which}": case.primary if which == "primary" else case.spare
        for name, case in cases.items()
    }
    return Script(
        models={
            name: tuple(scaled(behaviour, SCALE) for behaviour in given)
            for name, given in behaviours.items()
            if given
        }
    )


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Generator[Setting]:
    cases = {name: case for row in rows_named(ROWS) for name, case in row.routes().items()}
    with (
        running_fault_provider(script(cases, "primary")) as primary,
        running_fault_provider(script(cases, "spare")) as spare,
        running_gateway(
            tmp_path_factory.mktemp("sdk"),
            project_text(cases, Ports(primary.port, spare.port, 9), scale=SCALE),
        ) as gateway,
        OpenAI(base_url=gateway.url, api_key="none", max_retries=0, timeout=30) as client,
    ):
        yield Setting(client, primary, spare)


def test_s03_the_client_never_knows(setting: Setting) -> None:
    assert setting.stream("S03") == (whole_text(12), ["S03.primary"])
    assert setting.calls("S03") == (2, 0)


def test_s06_a_silent_model_is_left_for_the_fallback(setting: Setting) -> None:
    assert setting.stream("S06-deadline") == (whole_text(12), ["S06-deadline.spare"])
    assert setting.calls("S06-deadline") == (1, 1)


def test_s08_another_model_goes_on(setting: Setting) -> None:
    text, models = setting.stream("S08-continues")
    assert text == whole_text(60)
    assert models == ["S08-continues.primary", "S08-continues.spare"]


def test_s08_a_break_is_an_exception(setting: Setting) -> None:
    with pytest.raises(openai.APIError) as broken:
        setting.stream("S08-ends")
    assert broken.value.code == "provider_truncated"


def test_s12_too_long_is_the_clients_own_class_of_error(setting: Setting) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        setting.stream("S12-alone")
    assert refused.value.code == "context_length_exceeded"
    assert setting.stream("S12-larger") == (whole_text(12), ["S12-larger.spare"])


def test_s13_the_reason_arrives(setting: Setting) -> None:
    with pytest.raises(openai.BadRequestError, match="content policy") as refused:
        setting.stream("S13")
    assert refused.value.code == "content_filter"
    assert setting.calls("S13") == (1, 0)


def test_s14_the_refusal_of_a_prefill_stays_inside(setting: Setting) -> None:
    with pytest.raises(openai.APIError) as broken:
        setting.stream("S14-wrong")
    assert broken.value.code == "provider_truncated"
    assert "prefill" not in str(broken.value)
    assert setting.stream("S14-wrong-buffer") == (whole_text(60), ["S14-wrong-buffer.spare"])


def test_s16_model_and_usage_are_those_of_the_fallback(setting: Setting) -> None:
    raw = setting.client.chat.completions.with_raw_response.create(model="S16-whole", messages=_HI)
    answer = raw.parse()
    assert answer.model == raw.headers["x-trimtab-served-model"] == "S16-whole.spare"
    assert raw.headers["x-trimtab-provider"] == "spare"
    (call,) = (call for call in setting.spare.calls if call.model == "S16-whole.spare")
    assert answer.usage is not None
    assert call.usage_reported is not None
    assert answer.usage.prompt_tokens == call.usage_reported["prompt_tokens"]
    assert answer.usage.completion_tokens == 12


def test_x02_an_error_with_status_200_is_no_answer(setting: Setting) -> None:
    answer = setting.client.chat.completions.create(model="X02-whole", messages=_HI)
    assert answer.choices[0].message.content == whole_text(12)
    assert answer.model == "X02-whole.spare"


@pytest.mark.parametrize("case", ["bytes", "crlf", "cr", "comments", "multiline"])
def test_x04_odd_frames_read_like_usual_ones(setting: Setting, case: str) -> None:
    assert setting.stream(f"X04-{case}") == (whole_text(12), [f"X04-{case}.primary"])
