"""Every module library is a guest with equal rights: whatever a user brings becomes the same two pure functions."""

from ._guests import as_functional as as_functional
