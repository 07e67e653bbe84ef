"""Room for a request's frames, which CPython keeps in pieces of 16 kB and gives back with the call that needed one.

A loop that runs at the end of such a piece asks the system for another one each time round: the rows of a page of
certificates did so 5,600 times, in which a third of its time went. Python 3.13 and 3.14 keep one piece at hand since
March 2026 (https://github.com/python/cpython/issues/142183); what runs on older ones gets a piece large enough.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# A frame of a quarter of a megabyte takes a piece of half a one, and leaves the other quarter to all above it. What
# nobody writes to costs no memory.
_SLOTS = 2**15


def roomy(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware whose frame is so large that all frames of the request fit behind it."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    answer.__code__ = answer.__code__.replace(co_stacksize=_SLOTS)
    return answer
