"""Files that cannot be used, as outcomes that become notes."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class Unreadable(Exception):  # noqa: N818 - an outcome, turned into a note by whoever reads the file
    """A file that cannot be used; the message is a predicate without any value of the file: `is damaged`."""


@contextmanager
def guarded(predicate: str) -> Iterator[list[warnings.WarningMessage]]:
    """Collect warnings, silence the logs of the libraries that read, and turn any exception into Unreadable.

    The texts of all three may quote values of the file, so they are never passed on.
    """
    logged_above = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield caught
        except Unreadable:
            raise
        except Exception as error:  # pydicom and its codecs raise a dozen kinds on damaged bytes
            raise Unreadable(predicate) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of a codec written in Rust, which is no Exception
                raise
            raise Unreadable(predicate) from error
        finally:
            logging.disable(logged_above)
