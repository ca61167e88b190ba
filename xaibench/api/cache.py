"""Where xaibench keeps what it makes once: the user's cache folder, or $XAIBENCH_CACHE."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Folder for made cohorts and trained models."""
    import platformdirs

    chosen = os.environ.get("XAIBENCH_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("xaibench", appauthor=False)
