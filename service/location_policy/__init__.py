"""A git-backed configuration service for media locations of Pexip Infinity."""

__version__ = "0.2.0"
__revision__ = "$Format:%H$"
"""The commit that a release was built from: `git archive` fills it in (gitattributes, "export-subst")."""
