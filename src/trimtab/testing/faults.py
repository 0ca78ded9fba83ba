"""The provider's side of the rows in docs: each fault is one entry, reached as `fault:<name>`.

Where a row needs a healthy call after the fault, the list ends in a healthy behaviour; where the
provider fails every time, it does not.
"""

from trimtab.testing.script import Behaviour, Event

__all__ = ["FAULTS"]

_HEALTHY = Behaviour()
_MIB = 1 << 20
_FOREVER = 10**9

_OVERLOADED = {"message": "overloaded", "type": "overloaded_error", "param": None, "code": 529}
_TOO_LONG = {
    "message": "This model's maximum context length is 8192 tokens.",
    "type": "invalid_request_error",
    "param": "messages",
    "code": "context_length_exceeded",
}
_FILTERED = {
    "message": "The response was filtered: the prompt triggered the content policy.",
    "type": "invalid_request_error",
    "param": "prompt",
    "code": "content_filter",
}

FAULTS: dict[str, tuple[Behaviour, ...]] = {
    "healthy": (_HEALTHY,),
    "S01": (Behaviour(status=429, headers={"retry-after": "2"}), _HEALTHY),
    "S02": (Behaviour(status=429),),
    "S03": (Behaviour(status=500), _HEALTHY),
    "S04": (Behaviour(status=503),),
    "S05": (Behaviour(cut="reset"), _HEALTHY),
    "S06": (Behaviour(headers_after_s=120),),
    "S07": (Behaviour(first_token_after_s=20),),
    "S08": (Behaviour(tokens=60, cut="close", cut_after_tokens=40),),
    "S09": (
        Behaviour(tokens=60, stall_after_tokens=20, stall_s=30, cut="close", cut_after_tokens=20),
    ),
    "S10": (Behaviour(events=(Event(at=9, data="{not json", replace=True),)),),
    "S11": (Behaviour(omit_done=True),),
    "S12": (Behaviour(status=400, error=_TOO_LONG),),
    "S13": (Behaviour(status=400, error=_FILTERED),),
    "S14": (Behaviour(tokens=60, cut="close", cut_after_tokens=40),),
    "S15": (Behaviour(status=503, for_s=60), _HEALTHY),
    "S16": (Behaviour(status=503),),
    "X01": (Behaviour(events=(Event(at=0, data={"error": _OVERLOADED}, last=True),)),),
    "X02": (Behaviour(error=_OVERLOADED),),
    "X03-longer": (Behaviour(content_length_error=64),),
    "X03-shorter": (Behaviour(content_length_error=-64),),
    "X03-chunk-cut": (Behaviour(cut="close", cut_after_tokens=6),),
    "X03-clean-end": (Behaviour(cut="end", cut_after_tokens=6),),
    "X04-bytes": (Behaviour(segment_bytes=1),),
    "X04-crlf": (Behaviour(segment_bytes=1, line_ending="\r\n"),),
    "X04-cr": (Behaviour(line_ending="\r"),),
    "X04-comments": (Behaviour(comment="ping"),),
    "X04-multiline": (Behaviour(multiline_data=True),),
    "X05-event": (Behaviour(token_padding_bytes=40 * _MIB),),
    "X05-header": (Behaviour(header_padding_bytes=40 * _MIB),),
    "X05-endless": (Behaviour(tokens=_FOREVER, honours_max_tokens=False),),
    "X06": (Behaviour(tokens=_FOREVER, token_every_s=29, honours_max_tokens=False),),
    # Targets that nothing listens on, for the day that somebody follows them.
    "X08-host": (Behaviour(redirect="http://127.0.0.1:9/v1/chat/completions"),),
    "X08-link-local": (Behaviour(redirect="http://[fe80::1]/latest/meta-data/"),),
    "X09-before-first-token": (Behaviour(first_token_after_s=60),),
    "X09-mid-stream": (Behaviour(stall_after_tokens=5, stall_s=60),),
}
