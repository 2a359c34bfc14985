"""Bearer tokens: checked before they are sent, never shown."""

from __future__ import annotations

from common.errors import UserError


def bearer_token(secret: str, where: str) -> str:
    """Check a token and strip the white space around it.

    Args:
      secret: as it was read; an HTTP header cannot hold every text, and the error that it raises would show the token.
      where: the variable or file that it comes from, for the message.

    Raises:
      UserError: it is empty, or not a single word of visible ASCII. The message never shows it.
    """
    token = secret.strip()
    if not token:
        raise UserError(f"{where}: holds no token: put a bearer token there")
    if not all("!" <= character <= "~" for character in token):
        raise UserError(
            f"{where}: holds no bearer token: one is a single line of visible ASCII characters without spaces"
        )
    return token
