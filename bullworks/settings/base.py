"""Settings: what all settings classes share."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Base of settings classes. A field is its variable's name in lower case; its description says what is expected.

        class MailSettings(Settings):
            mail_from: str = Field(default="Shop <shop@localhost>", description="as in Shop <orders@example.com>")

    List the class in `providers` of the module that needs it, and ask for it in constructors. A variable of the
    environment wins over the same one in `.env`; an empty one counts as unset. Instances cannot be changed.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",  # .env holds the variables of all classes
        env_ignore_empty=True,
        env_file_encoding="utf-8",
        hide_input_in_errors=True,  # a traceback must not show a password
    )
