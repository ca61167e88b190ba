"""What a plugin imports: the nouns of xaibench."""
