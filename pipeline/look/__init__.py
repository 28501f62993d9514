"""Looking through a corpus: pages of clips, all about one, and pictures that browsers play."""
