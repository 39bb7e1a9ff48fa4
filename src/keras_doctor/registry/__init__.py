"""A small client of package indexes: what the index that pip is configured with serves.

Only ``keras-doctor knowledge update`` and ``tools/knowledge`` reach the network, through here.
Everything that an index answers is untrusted: bounded in size and time, checked for its types,
and never followed to anything but http and https.
"""

from __future__ import annotations


class RegistryError(Exception):
    """The index cannot be asked, or answers what no index answers; one sentence for the user."""
