"""What every answer tells the browser beside Django's own security headers."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# What a page of ours never asks a browser for; what is embedded may not either.
_FEATURES = (
    "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "encrypted-media",
    "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer",
    "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-create",
    "publickey-credentials-get", "screen-wake-lock", "serial", "storage-access", "usb", "web-share",
    "xr-spatial-tracking",
)  # fmt: skip
_ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
}


class Compression(GZipMiddleware):
    """Pages go out compressed, with a random length added to them (BREACH). Files stream as they are."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if response.streaming else super().process_response(request, response)


class Headers:
    """Other origins may load nothing of ours, and nobody keeps what is made for one person.

    Only static files say themselves how long they may be kept: they are the same for everybody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        for name, value in _ALWAYS.items():
            response.setdefault(name, value)
        if "no-store" not in response.get("Cache-Control", "") and "public" not in response.get("Cache-Control", ""):
            response["Cache-Control"] = "no-store, private"
        return response
