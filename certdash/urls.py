"""The addresses of `docs/interface.md`; people link to them."""

from allauth.account.views import account_inactive
from django.conf import settings
from django.urls import path, register_converter

from certdash.views import (
    accounts,
    apps,
    audit,
    certificates,
    changes,
    connecting,
    delivery,
    erasure,
    groups,
    health,
    held,
    log_in,
    matrix,
    members,
    overview,
    passwords,
    people,
    profile,
    refresh,
    runs,
    saved_views,
    stories,
    table_options,
    teams,
)


class KeyConverter:
    """A story's or group's key: a vendor's ID can hold anything, also slashes and line breaks."""

    regex = r"(?s:.+)"

    def to_python(self, value: str) -> str:
        return value.replace("%2F", "/").replace("%25", "%")

    def to_url(self, value: str) -> str:
        return value.replace("%", "%25").replace("/", "%2F")


register_converter(KeyConverter, "key")

handler400, handler500 = "certdash.views.errors.bad_request", "certdash.views.errors.server_error"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("certificates/", certificates.Certificates.as_view(), name="certificates"),
    path("stories/", stories.Stories.as_view(), name="stories"),
    path("stories/<slug:app>/<key:key>/refresh/", refresh.refresh_story, name="story_refresh"),
    path("stories/<slug:app>/<key:key>/", stories.OneStory.as_view(), name="story"),
    path("groups/", groups.Groups.as_view(), name="groups"),
    path("groups/<slug:app>/<key:key>/", groups.OneGroup.as_view(), name="group"),
    path("delivery/", delivery.Delivery.as_view(), name="delivery"),
    path("matrix/", matrix.MatrixPage.as_view(), name="matrix"),
    path("people/", people.People.as_view(), name="people"),
    path("people/<int:pk>/", people.OnePerson.as_view(), name="person"),
    path("people/<int:pk>/timeline/", people.person_timeline, name="person_timeline"),
    path("people/<int:pk>/erase/", erasure.person_erase, name="person_erase"),
    path("people/<int:pk>/refresh/", refresh.refresh_person, name="person_refresh"),
    path("home/", saved_views.home, name="home"),
    path("views/", saved_views.SavedViews.as_view(), name="views"),
    path("views/add/", saved_views.view_add, name="view_add"),
    path("views/<slug:slug>/", saved_views.view, name="view"),
    path("views/<slug:slug>/edit/", saved_views.view_edit, name="view_edit"),
    path("views/<slug:slug>/delete/", saved_views.view_delete, name="view_delete"),
    path("views/<slug:slug>/pin/", saved_views.view_pin, name="view_pin"),
    path("views/<slug:slug>/home/", saved_views.view_home, name="view_home"),
    path("apps/", apps.Apps.as_view(), name="apps"),
    path("apps/add/", apps.app_add, name="app_add"),
    path("apps/<slug:slug>/", apps.app, name="app"),
    path("apps/<slug:slug>/connection/", apps.app_connection, name="app_connection"),
    path("apps/<slug:slug>/test/", apps.app_test, name="app_test"),
    path("apps/<slug:slug>/groups/", apps.app_groups, name="app_groups"),
    path("apps/<slug:slug>/scope/", apps.app_scope, name="app_scope"),
    path("apps/<slug:slug>/people/", apps.AppPeople.as_view(), name="app_people"),
    path("apps/<slug:slug>/people/<int:pk>/take-away/", apps.app_take_away, name="app_take_away"),
    path("apps/<slug:slug>/privacy/", erasure.app_privacy, name="app_privacy"),
    path("apps/<slug:slug>/erasures/", erasure.app_erasures, name="app_erasures"),
    path("apps/<slug:slug>/erasures/<int:pk>/lift/", erasure.erasure_lift, name="erasure_lift"),
    path("apps/<slug:slug>/audit/", audit.AppAudit.as_view(), name="app_audit"),
    path("apps/<slug:slug>/sync/", runs.sync_now, name="sync_now"),
    path("apps/<slug:slug>/runs/", runs.Runs.as_view(), name="runs"),
    path("apps/<slug:slug>/runs/<int:pk>/", runs.run, name="run"),
    path("apps/<slug:slug>/runs/<int:pk>/accept/", held.accept_run, name="accept_run"),
    path("apps/<slug:slug>/runs/<int:pk>/changes/", changes.Changes.as_view(), name="changes"),
    path("apps/<slug:slug>/runs/<int:pk>/members/", members.Members.as_view(), name="members"),
    path("accounts/login/", log_in.log_in, name="account_login"),
    path("accounts/logout/", log_in.log_out, name="account_logout"),
    path("accounts/sso/", log_in.sign_on, name="single_sign_on"),
    path(
        "accounts/sso/callback/",
        log_in.signed_on,
        {"provider_id": settings.OIDC_PROVIDER},
        name="openid_connect_callback",  # by which allauth asks for it
    ),
    path("accounts/audit/", audit.Audit.as_view(), name="audit"),
    path("accounts/inactive/", account_inactive, name="account_inactive"),
    path("accounts/password/change/", log_in.change_password, name="account_change_password"),
    path("accounts/password/forgotten/", passwords.password_forgotten, name="password_forgotten"),
    path("accounts/set-password/<uidb64>/<token>/", passwords.SetPassword.as_view(), name="set_password"),
    path("accounts/profile/", profile.profile, name="profile"),
    path("accounts/profile/connect/", connecting.profile_connect, name="profile_connect"),
    path("accounts/profile/disconnect/", connecting.profile_disconnect, name="profile_disconnect"),
    path("accounts/connect/<uidb64>/<token>/", connecting.connect_by_link, name="connect_by_link"),
    path("accounts/table/", table_options.table_options, name="table_options"),
    path("accounts/profile/time-zone/", profile.profile_zone, name="profile_zone"),
    path("accounts/people/", accounts.Accounts.as_view(), name="accounts"),
    path("accounts/people/add/", accounts.account_add, name="account_add"),
    path("accounts/people/<int:pk>/", accounts.account, name="account"),
    path("accounts/people/<int:pk>/deactivate/", accounts.account_switch, {"active": False}, name="account_deactivate"),
    path("accounts/people/<int:pk>/reactivate/", accounts.account_switch, {"active": True}, name="account_reactivate"),
    path("accounts/people/<int:pk>/link/", accounts.account_link, name="account_link"),
    path("accounts/people/<int:pk>/connect/", accounts.account_connect, name="account_connect"),
    path("accounts/teams/", teams.Teams.as_view(), name="teams"),
    path("accounts/teams/add/", teams.team_add, name="team_add"),
    path("accounts/teams/<int:pk>/", teams.team, name="team"),
    path("accounts/teams/<int:pk>/delete/", teams.team_delete, name="team_delete"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
