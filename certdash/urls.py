"""The addresses of `docs/interface.md`; people link to them."""

from allauth.account.views import account_inactive, login, logout, password_change
from django.urls import path, register_converter

from certdash.views import (
    apps,
    certificates,
    changes,
    groups,
    health,
    held,
    members,
    overview,
    people,
    refresh,
    runs,
    stories,
)


class KeyConverter:
    """A story's or group's key: a vendor's ID can hold anything, also slashes and line breaks."""

    regex = r"(?s:.+)"

    def to_python(self, value: str) -> str:
        return value.replace("%2F", "/").replace("%25", "%")

    def to_url(self, value: str) -> str:
        return value.replace("%", "%25").replace("/", "%2F")


register_converter(KeyConverter, "key")

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("certificates/", certificates.Certificates.as_view(), name="certificates"),
    path("stories/", stories.Stories.as_view(), name="stories"),
    path("stories/<slug:app>/<key:key>/refresh/", refresh.refresh_story, name="story_refresh"),
    path("stories/<slug:app>/<key:key>/", stories.OneStory.as_view(), name="story"),
    path("groups/", groups.Groups.as_view(), name="groups"),
    path("groups/<slug:app>/<key:key>/", groups.OneGroup.as_view(), name="group"),
    path("people/", people.People.as_view(), name="people"),
    path("people/<int:pk>/", people.OnePerson.as_view(), name="person"),
    path("people/<int:pk>/refresh/", refresh.refresh_person, name="person_refresh"),
    path("apps/", apps.Apps.as_view(), name="apps"),
    path("apps/add/", apps.app_add, name="app_add"),
    path("apps/<slug:slug>/", apps.app, name="app"),
    path("apps/<slug:slug>/connection/", apps.app_connection, name="app_connection"),
    path("apps/<slug:slug>/test/", apps.app_test, name="app_test"),
    path("apps/<slug:slug>/groups/", apps.app_groups, name="app_groups"),
    path("apps/<slug:slug>/scope/", apps.app_scope, name="app_scope"),
    path("apps/<slug:slug>/people/", apps.AppPeople.as_view(), name="app_people"),
    path("apps/<slug:slug>/people/<int:pk>/take-away/", apps.app_take_away, name="app_take_away"),
    path("apps/<slug:slug>/sync/", runs.sync_now, name="sync_now"),
    path("apps/<slug:slug>/runs/", runs.Runs.as_view(), name="runs"),
    path("apps/<slug:slug>/runs/<int:pk>/", runs.run, name="run"),
    path("apps/<slug:slug>/runs/<int:pk>/accept/", held.accept_run, name="accept_run"),
    path("apps/<slug:slug>/runs/<int:pk>/changes/", changes.Changes.as_view(), name="changes"),
    path("apps/<slug:slug>/runs/<int:pk>/members/", members.Members.as_view(), name="members"),
    path("accounts/login/", login, name="account_login"),
    path("accounts/logout/", logout, name="account_logout"),
    path("accounts/inactive/", account_inactive, name="account_inactive"),
    path("accounts/password/change/", password_change, name="account_change_password"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
