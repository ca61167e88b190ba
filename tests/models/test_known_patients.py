"""Matching by hashes alone: identity first, then image, and nobody by what several patients share."""

from dataclasses import replace

from tests.models.made_up import MadeUpCohort
from xaibench.api import Identity, Match
from xaibench.models.known_patients import KnownPatients, image_hash

KEY = b"secret"
FIRST, SECOND, *_ = MadeUpCohort().volumes()


def known(first: Identity, second: Identity, key: bytes = KEY) -> KnownPatients:
    entries = [
        {"fold": fold, "identity": sorted(identity.under(key)), "image": image_hash(volume)}
        for fold, (identity, volume) in enumerate([(first, FIRST), (second, SECOND)])
    ]
    return KnownPatients.of(key, entries)


def test_identity_comes_before_the_image() -> None:
    patients = known(Identity("a"), Identity("b"))
    assert patients.match(replace(FIRST, identity=Identity("b"))) == Match(1, "identity")
    assert patients.match(replace(FIRST, identity=Identity("c"))) == Match(0, "image")


def test_an_identifier_that_two_patients_share_tells_nobody_apart() -> None:
    patients = known(Identity("a", "of all"), Identity("b", "of all"))
    stranger = replace(FIRST, images=FIRST.images + 1, identity=Identity("of all"))
    assert patients.match(stranger) == Match()
    assert patients.match(replace(stranger, identity=Identity("of all", "b"))) == Match(1, "identity")


def test_hashes_under_another_key_match_nobody() -> None:
    patients = replace(known(Identity("a"), Identity("b"), key=b"other"), key=KEY)
    assert patients.match(replace(FIRST, images=FIRST.images + 1, identity=Identity("a"))) == Match()


def test_the_image_hash_follows_every_pixel_and_no_name() -> None:
    changed = FIRST.images.copy()
    changed[2, 3, 4] += 1e-3
    assert image_hash(replace(FIRST, images=changed)) != image_hash(FIRST)
    assert image_hash(replace(FIRST, patient="X", identity=Identity())) == image_hash(FIRST)
