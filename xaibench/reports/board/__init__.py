"""Published leaderboards: entries that never change, a site made of them, and their verification."""
