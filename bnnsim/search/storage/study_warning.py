"""What a user should know of a study that goes on all the same."""

from __future__ import annotations


class StudyWarning(UserWarning):
    """Something went wrong with a study's storage, and the search goes on: a sentence that says both."""
