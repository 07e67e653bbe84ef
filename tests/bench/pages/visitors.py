"""`python -m tests.bench.pages.visitors`: readies the environment's installation for its pages, and says how to ask.

Tracks thirty groups, as a sync would have found them: each learner is in one of them, one in six in a second one.
Prints one JSON object: the session cookie of a superuser, and keys and ids to ask for.
"""

import json
from datetime import UTC, datetime
from itertools import islice

GROUPS = 30
_EVERY = 5000  # rows at once


def main() -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    from certdash.models import App, Certificate, Group, Learner, Membership, Story, SyncRun, User
    from certdash.models.group import track_groups
    from certdash.sync.bulk import insert, tell_planner

    app = App.objects.get()
    track_groups(app, [f"Group {number:02}" for number in range(GROUPS)])
    groups = list(Group.objects.filter(app=app).order_by("pk"))
    now = datetime.now(UTC)
    learners = enumerate(Learner.objects.filter(app=app).order_by("pk").values_list("pk", flat=True).iterator())
    rows = (
        (groups[place % GROUPS].pk, learner, now, True)
        for number, learner in learners
        for place in ((number, number + 7) if number % 6 == 0 else (number,))
    )
    while some := list(islice(rows, _EVERY)):
        insert(Membership, ("group", "learner", "since", "initial"), some)
    tell_planner(Membership, Certificate, Learner)
    App.objects.update(refresh_minutes=7 * 24 * 60)
    SyncRun.objects.update(finished_at=now)
    client = Client()
    client.force_login(User.objects.create_superuser("bench", "bench@example.com", "only for measuring"))
    story = Story.objects.order_by("pk")[17]
    learner = Learner.objects.exclude(email="").order_by("-pk")[0]
    known = {
        "cookie": [settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value],
        "story": story.key,
        "story_id": story.pk,
        "groups": [group.key for group in groups],
        "group_ids": [group.pk for group in groups],
        "email": learner.email,
        "pages": -(-Certificate.objects.count() // 50),
    }
    print(json.dumps(known))


if __name__ == "__main__":
    main()
