"""The people of the dashboard (the vendor's users are learners) and what they may do."""

from typing import ClassVar, cast

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class _Users(UserManager["User"]):
    use_in_migrations = False

    def get_by_natural_key(self, username: str | None) -> "User":
        """By the user name, without case: what `createsuperuser` asks before it makes another one."""
        return self.get(username__iexact=username)


class User(AbstractUser):
    """A person with an account, and how they like their pages. A superuser sees and owns every app."""

    time_zone = models.CharField(max_length=64, blank=True)  # an IANA name; empty: the settings'
    page_size = models.PositiveSmallIntegerField(null=True, blank=True)  # rows
    columns = models.JSONField(default=dict, blank=True)  # by table: the names of those they chose
    # The overview was opened last, and last before that after a pause: since then is "since your last visit".
    visited_at = models.DateTimeField(null=True, blank=True)
    visited_before = models.DateTimeField(null=True, blank=True)
    # How often the account was closed: sessions, known browsers and links from before are over for good.
    closings = models.PositiveIntegerField(default=0, editable=False)
    # Where a log-in leads that asks for no other page; while the person may see it.
    home = models.ForeignKey("SavedView", models.SET_NULL, null=True, blank=True, related_name="home_of")

    objects: ClassVar[_Users] = _Users()

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="user_email_once",
                violation_error_message=_("Somebody else has this e-mail address."),
            ),
            # Log-in does without case, so two of these would shut each other out.
            models.UniqueConstraint(
                Lower("username"), name="user_name_once", violation_error_message=_("Somebody else has this user name.")
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_session_auth_hash(self) -> str:
        """What a session, or the cookie of a known browser, is good for: a password, until the account is closed."""
        return salted_hmac("certdash.sessions", f"{self.closings} {self.password}", algorithm="sha256").hexdigest()

    @property
    def is_invited(self) -> bool:
        """Whether they have not been here yet: neither with a password nor by single sign-on."""
        return self.last_login is None and not self.has_usable_password()

    @property
    def state(self) -> str:
        """Whether they can get in: `active`, `invited` or `deactivated`."""
        if not self.is_active:
            return "deactivated"
        return "invited" if self.is_invited else "active"


class Team(models.Model):
    """People who are given access together."""

    name = models.CharField(max_length=100)
    members = models.ManyToManyField(User, related_name="teams", blank=True)
    # Members are those who sign in with this value in the identity provider's claim; empty: who was chosen here.
    claim = models.CharField(_("value of the claim"), max_length=200, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="team_name_once", violation_error_message=_("Another team has this name.")
            )
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a person may do in an app; each role includes the ones before it."""

    VIEWER = "viewer", _("Viewer")  # see, download
    MANAGER = "manager", _("Manager")  # also sync
    OWNER = "owner", _("Owner")  # also credentials, groups, access, held runs, erasure

    @property
    def and_above(self) -> list["Role"]:
        """This role and every role that includes it."""
        every = list(Role)
        return every[every.index(self) :]


class GrantQuerySet(models.QuerySet["Grant"]):
    def of(self, user: User) -> "GrantQuerySet":
        """Given to this person, or to a team of theirs."""
        return self.filter(Q(user=user) | Q(team__in=user.teams.all()))

    def best_first(self) -> "GrantQuerySet":
        """Those that include the others' rights before them."""
        rank = Case(*(When(role=role, then=place) for place, role in enumerate(Role)))
        return self.order_by(rank.desc(), "pk")


class Grant(models.Model):
    """The role of a person, or of everybody in a team, in one app."""

    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="grants")
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="grants")
    app = models.ForeignKey("App", models.CASCADE, related_name="grants")
    role = models.CharField(max_length=7, choices=Role.choices)
    by_email = models.BooleanField(default=False, editable=False)  # who gave it knew the person's e-mail address

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["app", "user"], name="grant_once"),
            models.UniqueConstraint(fields=["app", "team"], name="grant_once_a_team"),
            models.CheckConstraint(
                condition=Q(user=None, team__isnull=False) | Q(user__isnull=False, team=None),
                name="grant_of_a_person_or_a_team",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="grant_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.holder} is {self.role} of {self.app}"

    @property
    def holder(self) -> User | Team:
        """Who has the role."""
        return cast(User | Team, self.user or self.team)

    @property
    def members(self) -> list[User]:
        """Who can get in by it; nobody but a team has members."""
        return list(self.team.members.all()) if self.team else []

    @property
    def holder_in_words(self) -> dict[str, str]:
        """The same for what is written down."""
        return {"team": self.team.name} if self.team else {"account": cast(User, self.user).username}
