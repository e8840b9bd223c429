"""What can be written: digits, spaces and the punctuation of dates, times and amounts."""

from inkgan.errors import ConfigError

DIGITS = "0123456789"
PUNCTUATION = ".,-/:"
SPACE = " "
MAX_CHARACTERS = 200  # a line, not a page: some seconds of work, and a picture that can be opened


def read_text(text: str) -> str:
    """Return the text to write, without the spaces at its ends.

    Raises:
        ConfigError: nothing but spaces, more than MAX_CHARACTERS, or an impossible character.
    """
    wanted = text.strip(SPACE)
    if not wanted:
        raise ConfigError(f"`text` {text!r} holds nothing to write; give digits, for example 31415")
    if len(wanted) > MAX_CHARACTERS:
        raise ConfigError(
            f"`text` has {len(wanted):,} characters; at most {MAX_CHARACTERS} go on one line"
        )
    strange = sorted(set(wanted) - set(DIGITS + PUNCTUATION + SPACE))
    if strange:
        named = ", ".join(map(repr, strange[:10])) + (", ..." if len(strange) > 10 else "")
        raise ConfigError(
            f"`text`: cannot write {named}; possible are the digits 0 to 9, the space and "
            f"{' '.join(PUNCTUATION)}"
        )
    return wanted
