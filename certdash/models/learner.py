"""A learner of one app: only the identity; each certificate keeps its own row's names and address."""

import hashlib

from django.db import models

from .app import App


class Learner(models.Model):
    """Who certificates belong to. `identity` is a digest of what tells two learners of an app apart."""

    app = models.ForeignKey(App, models.CASCADE, related_name="learners")
    identity = models.CharField(max_length=32, editable=False)
    name = models.TextField(blank=True)  # of the newest row; ties: the smaller text
    email = models.TextField(blank=True)  # of the same row
    search = models.TextField(editable=False)  # folded names and e-mails of all rows, a line each
    sort_name = models.BinaryField(max_length=160, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "identity"], name="learner_once")]
        indexes = [models.Index(fields=["sort_name", "id"], name="learner_sorted")]

    def __str__(self) -> str:
        return f"learner {self.pk}"

    @staticmethod
    def identity_by_email(email: str) -> str:
        """Of somebody with an e-mail address: trimmed and without case, never validated."""
        return hashlib.sha256(f"e-mail\0{email.strip().casefold()}".encode()).hexdigest()[:32]

    @staticmethod
    def identity_by_person(*fields: str) -> str:
        """Of somebody without one: first name, last name, telephone, country and city together."""
        return hashlib.sha256("\0".join(("person", *fields)).encode()).hexdigest()[:32]

    @staticmethod
    def identity_by_name(*fields: str) -> str:
        """The same without the telephone, where that tells nobody apart. Never equal to one with a telephone."""
        return hashlib.sha256("\0".join(("name", *fields)).encode()).hexdigest()[:32]
