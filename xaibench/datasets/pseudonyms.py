"""Names that patients are shown under."""


def pseudonyms(count: int) -> list[str]:
    """Return P001, P002, ... for so many patients: as many digits as are needed, three at least."""
    digits = max(3, len(str(count)))
    return [f"P{number:0{digits}d}" for number in range(1, count + 1)]
