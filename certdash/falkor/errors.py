"""Everything that can go wrong between certdash and the vendor, as one tree.

    FalkorError
    ├── Unreachable          no connection, or one that ended before an answer began     (tried again)
    ├── Untrusted            the server's TLS certificate does not prove who it is
    ├── TooSlow              no answer in the time that a call or a read may take
    ├── TooLarge             more bytes than the size cap, counted after decompression
    ├── CutShort             the answer ended before it was complete                     (tried again)
    ├── Throttled            429: too many requests                                      (tried again)
    ├── VendorFailed         408 or 5xx                                                  (tried again)
    │   └── ErrorAnswer      `status: "error"` although HTTP said success
    ├── WrongToken           401
    ├── EndpointNotEnabled   403
    ├── AddressNotAllowed    403 whose message speaks of the caller's address
    ├── RefusedRequest       400 and every other 4xx
    ├── NotThisApi           404, a web page, or anything else that is no JSON
    ├── Malformed            JSON of another shape than documented, or broken JSON
    ├── Redirected           any 3xx; redirects are never followed
    ├── AddressRefused       a base URL that may not be asked at all
    └── SpoolFailed          this machine could not keep the answer on its disk

An error never carries the token or the text of a row.
"""

from typing import ClassVar

_UNCHANGED = "; stored data is unchanged; "


def what_and_advice(sentence: str) -> tuple[str, str]:
    """The two in the sentence of an error, as runs keep it; of any other text all, and nothing."""
    what, _, advice = sentence.partition(_UNCHANGED)
    return (f"{what}.", f"{advice[0].upper()}{advice[1:]}") if advice else (sentence, "")


class FalkorError(Exception):
    """A call that brought nothing; whatever was stored before is untouched.

    `retryable`: whether the same call may succeed when it is simply made again.
    `what`: what happened. `sentence`: that, what it means for the data, and what to do; also `str(error)`.
    `vendor_message`: the vendor's own `message` as it came, at most 1,000 characters, or "".
    `retry_after`: seconds that the vendor asked to wait, or None.
    """

    retryable: ClassVar[bool] = False
    advice: ClassVar[str]

    def __init__(self, what: str, *, vendor_message: str = "", retry_after: float | None = None) -> None:
        self.what = what
        self.vendor_message = vendor_message
        self.retry_after = retry_after
        super().__init__(what)

    @property
    def sentence(self) -> str:
        return f"{self.what}{_UNCHANGED}{self.advice}."

    def __str__(self) -> str:
        return self.sentence


class Unreachable(FalkorError):
    retryable = True
    advice = "check the base URL and this machine's network, then try again"


class Untrusted(FalkorError):
    advice = "check the base URL, and ask the vendor to renew the certificate when the URL is right"


class TooSlow(FalkorError):
    advice = "try again later, or allow a call more time (CERTDASH_UPSTREAM_DEADLINE)"


class TooLarge(FalkorError):
    advice = "allow larger answers (CERTDASH_UPSTREAM_MAX_MB) or synchronise fewer stories at once"


class CutShort(FalkorError):
    retryable = True
    advice = "try again, and tell the vendor when it happens every time"


class Throttled(FalkorError):
    retryable = True
    advice = "wait before trying again, or refresh this app less often"


class VendorFailed(FalkorError):
    retryable = True
    advice = "try again later, and tell the vendor when it lasts"


class ErrorAnswer(VendorFailed):
    retryable = False
    advice = "read the vendor's message, and ask the vendor when it does not help"


class WrongToken(FalkorError):
    advice = "enter the token again from the vendor's current token file"


class EndpointNotEnabled(FalkorError):
    advice = "ask the vendor to enable logs/story-certificates for this account"


class AddressNotAllowed(FalkorError):
    advice = "ask the vendor to allow the address from which this machine reaches the internet"


class RefusedRequest(FalkorError):
    advice = "check the app ID and the names of groups, stories and people that were asked for"


class NotThisApi(FalkorError):
    advice = "check the base URL: it is the one in the vendor's token file, without a path to an endpoint"


class Malformed(FalkorError):
    advice = "try again later, and tell the vendor when it lasts"


class Redirected(FalkorError):
    advice = "enter the base URL that the vendor gave for this account, or ask the vendor for the new one"


class AddressRefused(FalkorError):
    advice = "enter the public https address that the vendor gave for this account"


class SpoolFailed(FalkorError):
    advice = "free some disk space or check the data folder's permissions, then try again"
