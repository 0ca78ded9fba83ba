"""What a gate compares with, where nobody says: the version that an environment has released."""

from trimtab.config.schema import Project
from trimtab.errors import UsageError
from trimtab.evals.setups import Wish
from trimtab.releases.file import environments, load_releases

__all__ = ["released_wish"]


def released_wish(project: Project, prompt_id: str, environment: str) -> Wish | None:
    """The released version and its pin; None where nothing is released yet.

    Raises:
        UsageError: several environments serve the prompt, and none is named.
        ConfigError: a release file is wrong.
    """
    if not prompt_id:
        return None
    named = environment or project.prompts.environment
    wanted = [named] if named else environments(project.folder)
    serving = {
        name: found
        for name in wanted
        if (found := load_releases(project.folder, name).prompts.get(prompt_id)) is not None
    }
    states = {(release.hash, release.model) for release in serving.values()}
    if len(states) > 1:
        raise UsageError(
            f"{', '.join(serving)} serve different versions of {prompt_id!r}. Name the one to "
            "compare with: --env production."
        )
    for release in serving.values():
        return Wish("", release.version, release.model)
    return None
