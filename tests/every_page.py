"""Every page of an app that shows rows, by its address, and the rows that fill them."""

from certdash.models import App, Group, Learner, Story, SyncRun
from tests import world
from tests.world import make_group, make_run, make_story

MOST_QUERIES = 20

EVERY_FILTER = (
    "app=demo&story=EV72-RQZY-80AH&group=managers&group=~none&state=pending&state=delivered&type=story&country=Country+1"
    "&country=&city=City+1&q=person&awarded_from=2020-01-01&awarded_to=2040-01-01&pending_days=0&withdrawn=all"
    "&change=new&changed_from=2020-01-01T00:00Z&id=1&sort=person&page=1&per_page=25"
)

MATRIX_FILTERS = EVERY_FILTER.partition("&sort=")[0] + "&sort=-pending&page=1"


def addresses() -> dict[str, str]:
    """Every page of the app `demo` that shows rows, by name."""
    demo = App.objects.get(slug="demo")
    story, group = (
        Story.objects.filter(app=demo, certificates__isnull=False).first(),
        Group.objects.filter(app=demo).first(),
    )
    run, learner = SyncRun.objects.filter(app=demo).first(), Learner.objects.filter(app=demo).first()
    return {
        "overview": "/",
        "certificates": "/certificates/",
        "filtered": f"/certificates/?{EVERY_FILTER}",
        "stories": "/stories/",
        "story": f"/stories/demo/{story.key}/",
        "groups": "/groups/",
        "group": f"/groups/demo/{group.key}/",
        "matrix": "/matrix/",
        "matrix filtered": f"/matrix/?{MATRIX_FILTERS}",
        "delivery": "/delivery/",
        "people": "/people/",
        "person": f"/people/{learner.pk}/",
        "apps": "/apps/",
        "app": "/apps/demo/",
        "connection": "/apps/demo/connection/",
        "app_groups": "/apps/demo/groups/",
        "app_people": "/apps/demo/people/",
        "runs": "/apps/demo/runs/",
        "run": f"/apps/demo/runs/{run.pk}/",
        "changes": f"/apps/demo/runs/{run.pk}/changes/",
    }


PAGES = [
    "overview", "certificates", "filtered", "stories", "story", "groups", "group", "matrix",
    "matrix filtered", "delivery", "people", "person", "apps", "app",
    "connection", "app_groups", "app_people", "runs", "run", "changes",
]  # fmt: skip


def fill(app: App, rows: int) -> None:
    """As many certificates, people, stories and runs, and a few groups."""
    stories = [make_story(app, f"Story {number}", f"ID{number}") for number in range(max(1, rows // 10))]
    groups = [make_group(app, name) for name in ["Managers", *(f"Group {n}" for n in range(rows // 50))]]
    world.make_many(app, rows, [make_story(app), *stories], groups)
    for number in range(max(1, rows // 10)):
        make_run(app, message=f"{number} new.")
