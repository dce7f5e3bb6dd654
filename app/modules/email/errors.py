"""Why a mail did not go out. No text here names the recipient: errors are logged, addresses are job data."""


class MailError(Exception):
    """A mail was not sent."""


class InvalidMailError(MailError):
    """The mail has an invalid address or subject. Retrying is pointless."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(part, reason)
        self.part = part
        self.reason = reason

    def __str__(self) -> str:
        return f"the mail's {self.part} is not valid: {self.reason}"


class MailRefusedError(MailError):
    """The server refused this mail for good (a 5xx reply). Retrying is pointless."""

    def __init__(self, server: str, code: int, reply: str) -> None:
        super().__init__(server, code, reply)
        self.server = server
        self.code = code
        self.reply = reply

    def __str__(self) -> str:
        return f"{self.server} refused the mail for good: {self.code} {self.reply}"


class MailNotSentError(MailError):
    """The mail was not sent this time: no connection, no answer, a failed login, a 4xx reply."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(server, reason)
        self.server = server
        self.reason = reason

    def __str__(self) -> str:
        return f"the mail could not be handed to {self.server}: {self.reason}"
