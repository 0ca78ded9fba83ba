"""What the text itself says: is it prose, and does it read like instructions to a model."""

import re
from typing import Final

__all__ = ["instruction_points", "is_prose"]

_LOOKED_AT: Final = 6_000  # characters; a prompt shows what it is long before

_NOT_PROSE: Final = re.compile(
    r"\s*(?:"
    r"(?:https?|postgres(?:ql)?|redis|mysql|mongodb(?:\+srv)?|amqps?|s3|file)://\S*\s*\Z"
    r"|(?i:select|with|insert|update|delete|create|alter|drop|merge|begin|explain|grant|pragma)\b"
    r"(?=[\s\S]{0,2000}?\b(?:FROM|INTO|SET|TABLE|INDEX|WHERE|VALUES|VIEW|AS \(|COMMIT|TRIGGER)\b)"
    r"|(?i:<!doctype|<\?xml|<(?:html|head|body|div|span|p|a|h[1-6]|table|tr|td|ul|ol|li|svg|form"
    r"|section|br"
    r"|img|style|script|button|input|template|main|nav|header|footer|b|strong|em|i"
    r"|mj\w+)\b[^>]{0,300}>)"
    r"|#!/|-----BEGIN|ssh-(?:rsa|ed25519|dss) |ecdsa-|%PDF|data:"
    r"|[{\[]\s*(?:[\"'{\[\]}]|[A-Za-z_]\w*\s*:)"
    r"|(?:query|mutation|subscription|fragment)\b[^{\n]{0,200}\{\s"
    r"|(?i:copyright|spdx-|licensed under|permission is hereby|this program is free software"
    r"|(?:the )?(?:mit|apache|bsd) licen[sc]e|usage:|traceback)"
    r"|(?:import|from|package|use|def|class|function|const|let|var|export|server|upstream|FROM"
    r"|RUN)\b[^\n]{0,200}"
    r"(?:[;{:]\s*\n|\bimport\b)"
    r"|[\w.-]+\s*\{\s*\n|@\w+|\[[\w.:-]+\]\s*\n\s*[\w.-]+\s*="
    r")"
)
_INSIDE: Final = re.compile(
    r"(?i:permission is hereby granted|without warranty|all rights reserved|gnu general public"
    r"|redistribution and use in source|unsubscribe|lorem ipsum|\bfrom \w+ where\b|</(?:div|p"
    r"|html|td|table|body)>)"
)


def _sign(points: int, pattern: str) -> tuple[int, re.Pattern[str]]:
    return points, re.compile(pattern, re.IGNORECASE | re.MULTILINE)


_SIGNS: Final = (
    # Who the model is to be.
    _sign(
        3,
        r"^[ \t#*\"']*+(?:you are|you're|you will (?:be|act|play)|act as|acting as"
        r"|imagine you are|pretend"
        r"|assume the role|take the role|behave (?:as|like)|as an? (?:expert|experienced|senior"
        r"|ai|professional))"
        r" (?:an?|the|our|my|one of|\w+, an?|\{+)",
    ),
    _sign(
        3,
        r"^[ \t#*]*+(?:your (?:task|job|role|goal|mission|objective|purpose) (?:is|will be)"
        r"|i want you to|i need you to)\b",
    ),
    _sign(
        2,
        r"\b(?:helpful|friendly|senior|expert|world-class|experienced|professional|seasoned"
        r"|careful|meticulous"
        r"|precise|concise|knowledgeable|skilled|polite|strict|virtual|intelligent)[\w, -]{0,40}"
        r" (?:assistant|engineer|agent|writer|editor|translator|analyst|reviewer|copywriter|tutor"
        r"|lawyer"
        r"|developer|teacher|classifier|moderator|support|programmer|architect|nutritionist"
        r"|recruiter|scientist)\b",
    ),
    _sign(
        2,
        r"\b(?:ai|language|chat) ?(?:assistant|model|agent|bot)\b|\bchatbot\b|\bllm\b"
        r"|\bassistant (?:for|that|who|of)\b",
    ),
    _sign(
        3,
        r"^[ \t]*+(?:du bist (?:ein|der|die)|sie sind ein|tu es une?|vous êtes une?|eres une?"
        r"|você é uma?|sei un|je bent een)\b"
        r"|^[ \t]*+(?:你是|あなたは|당신은)",
    ),
    # What it is to give back.
    _sign(
        3,
        r"\b(?:answer|respond|reply|return|output|respond back|write|produce"
        r"|give)(?: \w+){0,3}? (?:only|just|exactly|nothing"
        r"|strictly|solely|with (?:only|just|exactly|one|a single)|in (?:json|markdown|plain text"
        r"|the following|the same"
        r" language|one word|at most|english|german|french|spanish))\b",
    ),
    _sign(
        3,
        r"\b(?:only|just|strictly) (?:answer|respond|reply|return|output|give|write|use"
        r"|produce)\b|\bnothing else\b"
        r"|\bno (?:other|additional|extra) (?:text|words|commentary|explanation|prose)\b"
        r"|\bno preamble\b|\bno markdown\b",
    ),
    _sign(
        2,
        r"\b(?:as|in|valid|a|an|one|single) (?:\w+ )?json\b|\bjson (?:object|array|list|format"
        r"|only|with|schema)\b",
    ),
    _sign(3, r"\b(?:antworte|antworten sie|gib nur|réponds|répondez|responde|rispondi|antwoord)\b"),
    _sign(
        2,
        r"\b(?:in|under|at most|no more than|maximum(?: of)?|within|exactly|up to"
        r"|fewer than) (?:\w+ )?"
        r"(?:\d+|one|two|three|four|five|six|ten|\{\w+\}) (?:\w+ )?(?:words?|sentences?|bullets?"
        r"|bullet points?|lines?|paragraphs?"
        r"|characters|items)\b",
    ),
    # What it is to do.
    _sign(
        2,
        r"^[ \t\d.*#-]*+(?:please )?(?:summari[sz]e|translate|classify|categori[sz]e|extract"
        r"|rewrite|rephrase|paraphrase|analy[sz]e"
        r"|compare|evaluate|grade|score|rate|review|explain|describe|generate|write|draft|compose"
        r"|identify|determine|decide|label"
        r"|convert|correct|proofread|outline|list|suggest|create|detect|answer|judge|rank|find"
        r"|read|think|infer|turn)\b",
    ),
    _sign(
        2,
        r"\b(?:the|these|this) (?:following|above|below|given|provided|user's|customer's|attached"
        r"|retrieved)\b"
        r"|\b(?:given|following) (?:the |an? )?(?:context|text|question|document|passage|article"
        r"|conversation|code|email|ticket"
        r"|transcript|review|message|sentence|chat|list of)\b|\b(?:below|enclosed|delimited"
        r"|wrapped|fenced)\b[^.\n]{0,30}"
        r"\b(?:tags?|backticks|quotes|delimiters)\b",
    ),
    _sign(
        2,
        r"\b(?:context|documents?|passages?|excerpts?|sources?|transcript"
        r"|knowledge base)\b[^.\n]{0,30}"
        r"\b(?:provided|below|above|given|only)\b|\b(?:using|use|from|on"
        r"|with) (?:only )?the (?:context|documents?|excerpts?|sources?|passages?)\b",
    ),
    _sign(
        2,
        r"\bdo(?: not|n't) (?:invent|make up|mention|include|add|explain|output|reveal|use|follow"
        r"|answer|hallucinate|repeat"
        r"|guess|assume|apologi[sz]e|wrap|translate|change|give|offer|discuss|speculate|ask|write"
        r"|return|provide|respond|quote|comment)\b",
    ),
    _sign(
        2,
        r"\b(?:never|always|must|be sure to|make sure (?:to|that)|avoid) (?:not )?(?:reveal"
        r"|mention|invent|answer|respond|reply|cite"
        r"|refuse|promise|give|speak|ask|use|include|follow|break|output|disclose|write|guess"
        r"|quote|explain|return|stay|keep|be|say"
        r"|greeting|jargon|begin|start|end|address|apologi[sz]e)\b",
    ),
    _sign(
        2,
        r"\bif (?:you (?:do not|don't|cannot|can't|are (?:not sure|unsure))|the (?:answer"
        r"|question|user|context|text|customer|document|input))\b",
    ),
    _sign(
        2,
        r"\bstep[- ]by[- ]step\b|\bchain of thought\b|\bthink (?:carefully|through)\b"
        r"|\bin your own words\b|\byour (?:answer|response|reply|output)\b",
    ),
    _sign(
        1,
        r"\bthe user\b|\buser's\b|\bthe customer\b|\b(?:formal|friendly|neutral|warm|professional"
        r"|polite|casual|concise|playful) tone\b"
        r"|\bbe (?:concise|brief|polite|friendly|helpful|precise|kind|honest|specific|strict)\b"
        r"|\bkeep (?:it|your|the|answers|replies)\b",
    ),
    _sign(
        2,
        r"^[ \t#*<]*+(?:context|question|answer|input|output|examples?|instructions?|rules"
        r"|constraints|guidelines|ticket|text|document"
        r"|transcript|email|article|code|conversation|tone|format|output format|history"
        r"|helpful answer|summary)\s*[:>]",
    ),
    _sign(1, r"^[ \t]*+[-*\d.]++ .++\n[ \t]*+[-*\d.]++ "),
    # To a person.
    _sign(
        -3,
        r"\b(?:click|tap|press|sign in|sign up|log in|logged in|logged out|your account"
        r"|your password|your subscription|your order"
        r"|your browser|your trial|best regards|kind regards|sincerely|dear \w+|dear \{"
        r"|terms of service|privacy policy|checkout|\[y/n\]"
        r"|are you sure|try again|please enter|please provide a|please select|please contact"
        r"|upload(?:ed)? your|your invitation"
        r"|congratulations|welcome (?:to|back)|your (?:card|profile|session|inbox|team|workspace"
        r"|plan|payment|settings|email)|our team"
        r"|was not found|failed to|could not|unable to|unexpected|deprecated|raises|traceback"
        r"|see the docs|see https?)\b",
    ),
    _sign(-2, r"^(?:hi|hello|hey|thanks|thank you)\b"),
    _sign(
        -2,
        r"\b(?:argument|parameter|returns?:|kwargs|callback|function|method|configured"
        r"|environment variable|config file|command line|flag)\b",
    ),
)


def is_prose(text: str) -> bool:
    """Whether it is words for a reader: no address, SQL, HTML, code, JSON, key or licence."""
    start = text[:_LOOKED_AT]
    if _NOT_PROSE.match(start) or _INSIDE.search(start):
        return False
    letters = sum(letter.isalpha() or letter.isspace() for letter in start)
    return letters >= 0.6 * len(start) and (" " in start.strip() or not start.isascii())


def instruction_points(text: str) -> int:
    """How much it reads like instructions to a model; about 5 is enough without any other sign.

    Each sign counts once, signs that a person is addressed count against it.
    """
    start = text[:_LOOKED_AT]
    return sum(points for points, sign in _SIGNS if sign.search(start))
