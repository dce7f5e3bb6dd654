"""Why a mail did not go out. No text here names the recipient: errors are logged, addresses are job data."""

from dataclasses import dataclass

from bullworks.errors import FactError


class MailError(FactError):
    """A mail was not sent."""


@dataclass(eq=False)
class InvalidMailError(MailError):
    """The mail has an invalid address or subject. Retrying is pointless."""

    part: str
    reason: str

    def __str__(self) -> str:
        return f"the mail's {self.part} is not valid: {self.reason}"


@dataclass(eq=False)
class MailRefusedError(MailError):
    """The server refused this mail for good (a 5xx reply). Retrying is pointless."""

    server: str
    code: int
    reply: str

    def __str__(self) -> str:
        return f"{self.server} refused the mail for good: {self.code} {self.reply}"


@dataclass(eq=False)
class MailNotSentError(MailError):
    """The mail was not sent this time: no connection, no answer, a failed login, a 4xx reply."""

    server: str
    reason: str

    def __str__(self) -> str:
        return f"the mail could not be handed to {self.server}: {self.reason}"
