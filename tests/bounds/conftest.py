"""The lists that are asked."""

import pytest

from tests import world
from tests.bounds.queries import LISTS
from tests.world import Cast


@pytest.fixture
def addresses(cast: Cast) -> dict[str, str]:
    story = world.make_story(cast.demo)
    one = world.make_certificate(story)
    group = world.make_group(cast.demo, "Managers", one.learner)
    run = world.make_run(cast.demo)
    ours = {
        "person": f"people/{one.learner_id}",
        "story": f"stories/demo/{story.key}",
        "group": f"groups/demo/{group.key}",
        "run": f"apps/demo/runs/{run.pk}/changes",
        "members": f"apps/demo/runs/{run.pk}/members",
    }
    return {name: f"/{ours.get(name, name)}/" for name in LISTS}
