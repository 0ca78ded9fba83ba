"""Where feedback is shown: the command line and the console."""

import json
from pathlib import Path

from feedback.test_intake import answered, give, thumb
from gateway.test_prompted import stage, triage, write_prompt
from server.test_access import trimtab

STARS = '[metrics.stars]\ntype = "number"\nlow = 1\nhigh = 5\n'


def test_feedback_is_shown_by_version_and_on_its_inference(project_folder: Path) -> None:
    (project_folder / "feedback.toml").write_text(STARS)
    write_prompt(project_folder, triage())
    with stage(project_folder) as on:
        ids = [answered(on, user_name=f"user-{number}") for number in range(8)]
        for number, inference_id in enumerate(ids):
            assert give(on, thumb(inference_id, value=number > 1)).status == 200
        stars = {"inference_id": ids[0], "metric": "stars", "value": 2.5, "user": "<b>bo</b>"}
        assert give(on, stars).status == 200
        write_prompt(project_folder, triage(" better"))
        on.gateway.wait_for_log("prompts reloaded")
        assert give(on, thumb(answered(on), value=False)).status == 200

        def ran(*arguments: str) -> str:
            made = trimtab(*arguments, folder=project_folder)
            assert made.returncode == 0, made.stderr
            return made.stdout

        found = json.loads(ran("feedback", "list", "--json"))
        told = {(one["hash"], one["metric"]): one for one in found}
        hashes = {one["hash"] for one in found}
        assert len(found) == 3
        assert len(hashes) == 2
        first = next(one for one in told.values() if one["count"] == 8)
        assert (first["good"], first["estimate"], first["model"]) == (6, 0.75, "one:fault:main")
        assert (round(first["low"], 3), round(first["high"], 3)) == (0.409, 0.929)
        [number] = [one for one in found if one["metric"] == "stars"]
        assert (number["estimate"], number["low"], number["good"]) == (2.5, None, None)
        assert "75.0%" in ran("feedback", "list", "--prompt", "support/triage")
        assert "thumbs up" in ran("prompts", "versions")
        assert "No feedback on prompt other in the last 7d" in ran(
            "feedback", "list", "--prompt", "other"
        )
        assert "9 of feedback" not in ran("ledger", "verify")
        assert "10 of feedback" in ran("ledger", "verify")
        assert ran("check").endswith("trimtab.toml is valid.\n")

        page = on.gateway.request(f"/console/inferences/{ids[0]}").body.decode()
        assert "speaks against the version" in page
        assert "2.5" in page
        assert "<b>bo" not in page
        assert "&lt;b&gt;bo" in page
        page = on.gateway.request("/console/prompt?id=support/triage").body.decode()
        assert "Thumbs up" in page
        assert "75" in page
