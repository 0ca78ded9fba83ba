"""`/console/user`: one user's days, sessions, models and budgets, and why it stands out."""

from trimtab.console.bookkeeper import Bookkeeper
from trimtab.console.budget_bars import budget_bars
from trimtab.console.drawing import draw_columns
from trimtab.console.query import link, read_span
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Site
from trimtab.console.standing_drawing import draw_standing
from trimtab.errors import UsageError
from trimtab.insights.user_story import user_story
from trimtab.looks.words import utc_day

__all__ = ["user_page"]

_SESSIONS = 50


def user_page(site: Site, bookkeeper: Bookkeeper) -> Answer:
    """One user; `name` and a range in the address. Names may hold anything, so they are no path."""

    def answer(asked: Asked) -> Page:
        name = asked.query.get("name", "")
        if not name:
            raise UsageError(
                "The address names no user. Choose one of the list of users, or write "
                "/console/user?name=NAME."
            )
        span = read_span(asked.query, asked.now_ns, "7d")
        project = bookkeeper.books().project
        story = user_story(
            site.reader,
            name,
            (span.since_ns, span.until_ns),
            now_ns=asked.now_ns,
            classes=project.classes,
        )
        days = [utc_day(day.since_ns) for day in story.days]
        amounts = [day.cost_nanousd for day in story.days]
        return Page(
            "user.html",
            {
                "span": span,
                "name": name,
                "story": story,
                "known": story.spend is not None or story.events > 0 or any(amounts),
                "columns": draw_columns(
                    list(zip(days, amounts, strict=True)),
                    marks=[day[5:] for day in days],
                    line_nanousd=story.usual_nanousd,
                ),
                "strip": draw_standing(story.standing),
                "budgets": budget_bars(
                    site.reader,
                    project,
                    now_ns=asked.now_ns,
                    name_of=asked.key_name,
                    user=name,
                ),
                "zone": project.spend.time_zone,
                "sessions": story.sessions[:_SESSIONS],
                "more_sessions": max(0, len(story.sessions) - _SESSIONS),
                "extra": {"name": name},
                "list": link("/console/inferences", span.parameters, user=name),
                "latest": link("/console/inferences", user=name, range="30d"),
                "charts": link("/console", span.parameters, by="user", value=name),
            },
        )

    return answer
