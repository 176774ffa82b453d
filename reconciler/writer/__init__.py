"""Every file that we write goes through here: whole or not at all, through no link, and never over an edit of somebody else.

place.py      what a name is: a file, a folder, a link, a pipe, a stream of this process; and where it may lead
whole.py      a new file, or another content for an output of ours: a temporary file beside it, synced, then renamed
exchange.py   another content for a file that people edit: only while it still has the content that was read

Knows nothing of policies: which files are to be kept is for the caller to say.
"""

from reconciler.writer.exchange import replace
from reconciler.writer.place import check, identity
from reconciler.writer.whole import check_folder, create, make_folder, write

__all__ = ["check", "check_folder", "create", "identity", "make_folder", "replace", "write"]
