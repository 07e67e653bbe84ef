"""What the Django admin shows: a change list as one would declare it for these tables."""

from django.contrib import admin
from django.urls import path

from certdash.models import Certificate


class Certificates(admin.ModelAdmin):
    list_display = ("firstname", "lastname", "email", "story", "state", "timestamp", "city", "country", "url")
    list_filter = ("state", "country", "story")
    list_select_related = ("story",)
    list_per_page = 50
    ordering = ("-timestamp",)
    search_fields = ("firstname", "lastname", "email")


admin.site.register(Certificate, Certificates)
urlpatterns = [path("admin/", admin.site.urls)]
