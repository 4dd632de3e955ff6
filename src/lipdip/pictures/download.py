"""Downloading one public file, checked to be whole and as it was published."""

from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from lipdip.core.errors import UserError

SECONDS = 30  # without an answer


def download(url: str, sha256: str) -> bytes:
    """The content at ``url``, whose SHA-256 must be ``sha256``.

    Raises:
        UserError: if there is no answer, no such file, only a part of it, or other content.
    """
    import pooch  # type: ignore[import-untyped]  # here, because only who fetches needs it
    from requests import exceptions

    pooch.get_logger().setLevel("ERROR")  # the caller reports progress
    try:
        with TemporaryDirectory() as folder:
            downloader = pooch.HTTPDownloader(timeout=SECONDS)
            file = pooch.retrieve(url, f"sha256:{sha256}", "file", folder, downloader=downloader)
            return Path(file).read_bytes()
    except exceptions.HTTPError as error:
        answer = error.response
        reason = f"the server answers {answer.status_code} {answer.reason}" if answer is not None else str(error)
    except exceptions.Timeout:
        reason = f"no answer within {SECONDS} seconds"
    except (exceptions.ChunkedEncodingError, exceptions.ContentDecodingError):
        reason = "the connection broke off"
    except exceptions.SSLError:
        reason = f"{urlsplit(url).hostname} cannot prove that it is itself (TLS)"
    except exceptions.ConnectionError:
        reason = f"no connection to {urlsplit(url).hostname}, or it was lost"
    except exceptions.RequestException as error:
        reason = str(error)
    except ValueError:
        reason = "what is there now has another SHA-256 than the file that was published"
    except OSError as error:
        reason = error.strerror or str(error)
    raise UserError(f"cannot fetch {url}: {reason}")
