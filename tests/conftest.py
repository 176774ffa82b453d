"""What all tests share: properties are judged by their examples, never by how busy the machine is."""

from hypothesis import settings

settings.register_profile("project", deadline=None)
settings.load_profile("project")
