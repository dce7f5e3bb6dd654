"""A mail as text that is safe to send: what a caller gives can name one recipient and nothing else."""

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr

from app.modules.email.errors import InvalidMailError

LONGEST_ADDRESS_CHARS = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
LONGEST_SUBJECT_CHARS = 900  # RFC 5322 2.1.1 has 998 for a line, of which encoding takes some


def compose(*, sender: str, to: object, subject: object, body: object) -> EmailMessage:
    """Compose a plain-text mail with a fresh Message-ID.

    Args:
        sender: from the settings, with or without a display name.
        to: one bare address. A display name, a list or a line break is refused.
        subject: one line.
        body: the text.

    Raises:
        InvalidMailError: one of them is not text, or not valid.
    """
    recipient = address_of(to)
    subject_text = _text("subject", subject)
    if len(subject_text) > LONGEST_SUBJECT_CHARS:
        raise InvalidMailError("subject", f"it has more than {LONGEST_SUBJECT_CHARS} characters")
    if not subject_text.isprintable():
        raise InvalidMailError("subject", "it holds a line break or another control character")
    name, sender_address = parseaddr(sender)
    author = address_of(sender_address, part="sender")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=author.addr_spec)
    message["To"] = recipient
    message["Subject"] = subject_text
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=author.domain)
    message.set_content(_text("body", body))
    return message


def address_of(value: object, *, part: str = "recipient") -> Address:
    """Convert an address to a form every mail server accepts: ASCII before the @, an IDNA domain.

    Raises:
        InvalidMailError: it is not exactly one bare address.
    """
    text = _text(part, value)
    if len(text) > LONGEST_ADDRESS_CHARS:
        raise InvalidMailError(part, f"it has more than {LONGEST_ADDRESS_CHARS} characters")
    if not text.isprintable() or any(character in ' ,;:<>()[]\\"' for character in text):
        raise InvalidMailError(part, "it is not one bare address, as in user@example.com")
    local, _, domain = text.rpartition("@")
    if not local or not domain or "@" in local:
        raise InvalidMailError(part, "it needs one @ with something on both sides")
    try:
        return Address(addr_spec=f"{local}@{domain.encode('idna').decode('ascii')}")
    except (ValueError, IndexError, MessageError) as error:
        raise InvalidMailError(part, "it is not one bare address, as in user@example.com") from error


def _text(part: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidMailError(part, f"it is {type(value).__name__}, not text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidMailError(part, "it holds half a character (a lone surrogate)") from error
    return value
