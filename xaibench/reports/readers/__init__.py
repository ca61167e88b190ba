"""Reader studies: blinded pages on which radiologists rate the maps of a run, and what follows from the ratings."""
