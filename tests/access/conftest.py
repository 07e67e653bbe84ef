"""Every address of the resolver, with something behind each."""

import pytest
from django.urls import reverse

from certdash.models import Erasure, Grant, Team
from tests import world
from tests.access.expected import GET
from tests.world import Cast


@pytest.fixture
def addresses(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Every address of the resolver, of the app `demo` where it is of an app."""
    monkeypatch.setattr("certdash.views.apps.test_connection", lambda _app: None)  # nobody waits for a vendor here
    story = world.make_story(cast.demo)
    certificate = world.make_certificate(story)
    group = world.make_group(cast.demo, "Managers", certificate.learner)
    run = world.make_run(cast.demo)
    world.make_foreign(cast.other)
    grant = Grant.objects.get(app=cast.demo, user=cast.viewer)
    erasure = Erasure.objects.create(app=cast.demo, digest="0" * 64, at=world.NOW)
    shared = world.make_view(cast.owner, "Pending", "/certificates/", "state=pending", app=cast.demo)
    somebody, team = world.make_user("somebody"), Team.objects.create(name="Trainers")
    arguments = {
        "story": ["demo", story.key],
        "story_refresh": ["demo", story.key],
        "group": ["demo", group.key],
        "person": [certificate.learner_id],
        "person_timeline": [certificate.learner_id],
        "person_erase": [certificate.learner_id],
        "person_refresh": [certificate.learner_id],
        "erasure_lift": ["demo", erasure.pk],
        "app_take_away": ["demo", grant.pk],
        "run": ["demo", run.pk],
        "changes": ["demo", run.pk],
        "members": ["demo", run.pk],
        "accept_run": ["demo", run.pk],
        "account": [somebody.pk],
        "account_deactivate": [somebody.pk],
        "account_reactivate": [somebody.pk],
        "account_link": [somebody.pk],
        "account_connect": [somebody.pk],
        "connect_by_link": ["MQ", "abcdef-0123456789"],
        "team": [team.pk],
        "team_delete": [team.pk],
        "set_password": ["MQ", "abcdef-0123456789"],
        **{name: [shared.slug] for name in ("view", "view_edit", "view_delete", "view_pin", "view_home")},
    }
    of_app = {
        "app",
        "app_audit",
        "app_connection",
        "app_test",
        "app_groups",
        "app_scope",
        "app_people",
        "app_privacy",
        "app_erasures",
        "sync_now",
        "runs",
    }
    return {name: reverse(name, args=arguments.get(name, ["demo"] if name in of_app else [])) for name in GET}
