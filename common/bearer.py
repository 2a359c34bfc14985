"""Bearer tokens: what may be sent as one, without ever being shown."""

from __future__ import annotations

from common.errors import UserError


def bearer_token(secret: str, where: str) -> str:
    """A token without the white space around it.

    Args:
      secret: as it was read; a header of HTTP cannot hold everything, and who tries is told what it was.
      where: the variable or file that it comes from, for a message.

    Raises:
      UserError: it is empty, or not one word of visible ASCII. The message never shows it.
    """
    token = secret.strip()
    if not token:
        raise UserError(f"{where}: holds no token: put a bearer token there")
    if not all("!" <= character <= "~" for character in token):
        raise UserError(
            f"{where}: holds no bearer token: one is a single line of visible ASCII characters without spaces"
        )
    return token
