"""What a command names, as a setup: a prompt version at a pin, with its changes."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from trimtab.config.schema import Project, Target
from trimtab.datasets.suite import Suite
from trimtab.errors import UsageError
from trimtab.prompts.library import Library
from trimtab.prompts.parameters import misfit_of
from trimtab.prompts.prompt import Prompt
from trimtab.releases.serving import Served
from trimtab.types.experiments import Setup

__all__ = ["Ready", "Wish", "parse_override", "resolve_setup"]

_DRAFT: Final = "draft"

_encode = msgspec.json.Encoder(order="deterministic").encode


class Wish(NamedTuple):
    """What somebody wants to try.

    Attributes:
        prompt: id; "" for the suite's own.
        version: `v12`, a hash, or `draft`; "" for the file as it is.
        model: alias, route, or a pin `provider:model`; "" for the prompt's own.
        overrides: of the configuration.
    """

    prompt: str = ""
    version: str = ""
    model: str = ""
    overrides: Mapping[str, Any] = {}


class Ready(NamedTuple):
    """A setup, ready to be asked.

    Attributes:
        setup: for the record.
        served: the version, as the gateway renders it; None for cases with their own messages.
        model: alias or route.
    """

    setup: Setup
    served: Served | None
    model: str


def resolve_setup(project: Project, library: Library, suite: Suite, *, wish: Wish) -> Ready:
    """The setup that a wish stands for.

    Raises:
        TrimtabError: no such prompt, version or model, or one that may not be overridden.
    """
    _check_overrides(wish.overrides)
    prompt_id = wish.prompt or suite.prompt
    if not prompt_id:
        return _of_messages(project, suite, wish)
    prompt = library.version(prompt_id, wish.version or _DRAFT)
    alias, pin = _resolve_model(project, wish.model, prompt.behaviour.model)
    changed = prompt
    if wish.overrides or alias != prompt.behaviour.model:
        changed = prompt.changed(model=alias, config=wish.overrides)
    label = library.label(changed)
    setup = _setup(prompt_id, changed, label, pin=pin, overrides=wish.overrides)
    return Ready(setup, Served(changed, label, pin, "eval"), alias)


def parse_override(text: str) -> tuple[str, Any]:
    """`temperature=0.7`: a name, and a JSON value, or else text.

    Raises:
        UsageError: there is no name or no value.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise UsageError(f"{text[:80]!r} sets nothing. Write --set temperature=0.7.")
    try:
        return name.strip(), msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name.strip(), value.strip()


def _of_messages(project: Project, suite: Suite, wish: Wish) -> Ready:
    if wish.version not in {"", _DRAFT}:
        raise UsageError(
            f"Suite {suite.name!r} is about no prompt, so there is no version "
            f"{wish.version[:80]!r}. Compare models: --model and --baseline-model."
        )
    if not (wish.model or suite.model):
        raise UsageError(
            f"Suite {suite.name!r} names neither a prompt nor a model. Add `prompt` or `model` to "
            f"evals/{suite.name}/suite.toml, or use --model."
        )
    alias, pin = _resolve_model(project, wish.model, suite.model)
    setup = _setup("", None, alias, pin=pin, overrides=wish.overrides)
    return Ready(setup, None, alias)


def _setup(
    prompt_id: str, prompt: Prompt | None, label: str, *, pin: str, overrides: Mapping[str, Any]
) -> Setup:
    version_hash = prompt.version_hash if prompt is not None else ""
    # The hash of a version has its overrides in it already.
    told = (prompt_id, version_hash, pin, {} if prompt is not None else dict(overrides))
    return Setup(
        prompt=prompt_id,
        prompt_hash=version_hash,
        label=label,
        model=pin,
        overrides=dict(overrides),
        hash=hashlib.sha256(_encode(told)).hexdigest(),
    )


def _resolve_model(project: Project, wanted: str, own: str) -> tuple[str, str]:
    """Alias and pin. A pin without an alias is looked for at the prompt's own alias first."""
    name = wanted or own
    if name in project.targets:
        return name, _first_pin(project.resolve(name))
    if not wanted or ":" not in wanted:
        return name, _first_pin(project.resolve(name))  # which says what there is
    aliases = [own, *sorted(project.targets)] if own else sorted(project.targets)
    for alias in aliases:
        target = project.targets.get(alias)
        if target is not None and wanted in _pins(target):
            return alias, wanted
    raise UsageError(
        f"No model of {project.file.name} is {wanted[:80]!r}. Declare an alias with "
        f'`ref = "{wanted[:80]}"`, or add it to `also` of one that serves the same model.'
    )


def _pins(target: Target) -> list[str]:
    return [str(rung.ref) for rung in target.rungs[: max(target.equals, 1)]]


def _first_pin(target: Target) -> str:
    return str(target.rungs[0].ref)


def _check_overrides(overrides: Mapping[str, Any]) -> None:
    for name, value in overrides.items():
        if misfit := misfit_of(name, value):
            raise UsageError(f"--set {name}: {misfit.problem}. {misfit.remedy}.")
