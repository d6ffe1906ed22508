"""Measure anew: ``python experiments/027-peers/run.py``, short for ``newswinnow experiments peers -o experiments/027-peers``."""

from pathlib import Path

from newswinnow.cli.experiments_peers import peers_command

if __name__ == "__main__":
    peers_command(output=Path(__file__).parent, overwrite=True)
