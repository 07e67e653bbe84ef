"""The people of the dashboard (the vendor's users are learners) and what they may do."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower


class User(AbstractUser):
    """A person with an account. A superuser sees and owns every app."""

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="user_email_once",
                violation_error_message="Somebody else has this e-mail address.",
            )
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """What a person may do in an app; each role includes the ones before it."""

    VIEWER = "viewer", "Viewer"  # see, download
    MANAGER = "manager", "Manager"  # also sync
    OWNER = "owner", "Owner"  # also credentials, groups, access, held runs

    @property
    def and_above(self) -> list["Role"]:
        """This role and every role that includes it."""
        every = list(Role)
        return every[every.index(self) :]


class Grant(models.Model):
    """A person's role in one app."""

    user = models.ForeignKey(User, models.CASCADE, related_name="grants")
    app = models.ForeignKey("App", models.CASCADE, related_name="grants")
    role = models.CharField(max_length=7, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["app", "user"], name="grant_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="grant_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.app}"
